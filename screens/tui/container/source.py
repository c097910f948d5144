"""Where a container's screen gets what it shows: the actions, asked in threads of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from textual.message import Message
from textual.message_pump import MessagePump

from console.errors import ConsoleError
from screens.tui.background import start, tell
from screens.tui.container.messages import (
    DetailsRead,
    MountsRead,
    ReadFailed,
    Revealed,
    TopRead,
)

if TYPE_CHECKING:
    from actions.details.snapshot import ContainerDetails, Mount, MountState, Top
    from actions.logs.book import LogBook
    from actions.session import Session
    from console.unknown import Unknown


class Follower(Protocol):
    """What the logs need of `actions.logs.follower.LogFollower`."""

    @property
    def book(self) -> LogBook:
        """Give the book that is written."""
        ...

    @property
    def state(self) -> str:
        """Give `reading`, `following`, `ended`, `removed` or `lost`."""
        ...

    @property
    def problem(self) -> Unknown | None:
        """Give why nothing (more) comes, where that is so."""
        ...

    def start(self) -> None:
        """Begin to read."""
        ...

    def stop(self) -> None:
        """End at once."""
        ...


class Source(Protocol):
    """What the screen needs of the actions; each may block, so threads ask."""

    def details(self, ident: str) -> ContainerDetails:
        """Read everything about a container."""
        ...

    def mounts(self, mounts: Sequence[Mount]) -> tuple[MountState, ...]:
        """Look at mounts on this host."""
        ...

    def top(self, ident: str) -> Top:
        """List a container's processes."""
        ...

    def reveal(self, ident: str, name: str) -> str:
        """Give one variable as it is."""
        ...

    def follow(self, names: Sequence[str], on_change: Callable[[], None]) -> Follower:
        """Make a follower of containers' logs, not started."""
        ...


class SessionSource:
    """The real thing; what it takes is imported at the first question, off the start-up path."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def details(self, ident: str) -> ContainerDetails:
        """Read everything about a container."""
        from actions.details.read import read_details

        return read_details(self._session, ident)

    def mounts(self, mounts: Sequence[Mount]) -> tuple[MountState, ...]:
        """Look at mounts on this host."""
        from actions.details.mounts import read_mounts

        return read_mounts(self._session, mounts)

    def top(self, ident: str) -> Top:
        """List a container's processes."""
        from actions.details.read import read_processes

        return read_processes(self._session, ident)

    def reveal(self, ident: str, name: str) -> str:
        """Give one variable as it is."""
        from actions.details.read import reveal

        return reveal(self._session, ident, name)

    def follow(self, names: Sequence[str], on_change: Callable[[], None]) -> Follower:
        """Make a follower of containers' logs, not started."""
        from actions.logs.follower import LogFollower

        return LogFollower(self._session, tuple(names), stay=True, on_change=on_change)


class Questions:
    """Asks a source in threads, each kind of question once at a time; answers are messages."""

    def __init__(self, pump: MessagePump, source: Source, ident: str) -> None:
        self._pump = pump
        self._source = source
        self._ident = ident
        self._asking: set[str] = set()

    def details(self) -> None:
        """Read the container again."""
        ident = self._ident
        self._ask("details", lambda: DetailsRead(ident, self._source.details(ident)))

    def mounts(self, mounts: Sequence[Mount]) -> None:
        """Look at its mounts."""
        ident = self._ident
        self._ask("mounts", lambda: MountsRead(ident, self._source.mounts(mounts)))

    def top(self) -> None:
        """List its processes."""
        ident = self._ident
        self._ask("top", lambda: TopRead(ident, self._source.top(ident)))

    def reveal(self, name: str) -> None:
        """Ask for one secret."""
        ident = self._ident
        self._ask("secret", lambda: Revealed(ident, name, self._source.reveal(ident, name)))

    def _ask(self, what: str, question: Callable[[], Message]) -> None:
        if what in self._asking:
            return
        self._asking.add(what)

        def work() -> None:
            try:
                answer = question()
            except ConsoleError as error:
                answer = ReadFailed(self._ident, what, error)
            finally:
                self._asking.discard(what)
            tell(self._pump, answer)

        start(work, what)
