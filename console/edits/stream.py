"""A run's events for an asyncio program: walked in a thread, heard as they come."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from console.edits.events import AnyEvent, Preview

_MOST_WAITING = 1000


class Run(Protocol):
    """A run of either kind of service."""

    def events(self) -> Iterator[AnyEvent]:
        """Submit, and give what happens until the last event."""
        ...

    def cancel(self) -> None:
        """Have it broken off, from any thread."""
        ...

    def leave(self) -> None:
        """Stop watching; it goes on at the service."""
        ...


async def stream(run: Run) -> AsyncIterator[AnyEvent]:
    """Give a run's events as one async stream; leaving it early leaves the run to itself.

    Whoever is slow to listen misses live pictures, never anything else.

    Raises:
        ServiceFault: whatever `run.events()` raises.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[AnyEvent | BaseException | None] = asyncio.Queue()

    def tell(what: AnyEvent | BaseException | None) -> None:
        if isinstance(what, Preview) and waiting.qsize() >= _MOST_WAITING:
            return
        # The loop may be closed by the time that the service says something.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(waiting.put_nowait, what)

    def walk() -> None:
        try:
            for event in run.events():
                tell(event)
        except BaseException as error:  # noqa: BLE001 -- it is raised again where it is awaited
            tell(error)
        finally:
            tell(None)

    threading.Thread(target=walk, name=f"edit-{id(run):x}", daemon=True).start()
    try:
        while (told := await waiting.get()) is not None:
            if isinstance(told, BaseException):
                raise told
            yield told
    finally:
        run.leave()
