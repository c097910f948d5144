"""A rehearsal inside the caller's process, on a clock that moves only when told."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from console.clock import Clock, HeldClock
from console.simulator.engine.server import EngineServer, pass_time
from console.simulator.host import Host
from console.simulator.hub.hub import RehearsalHub
from console.simulator.places import new_places
from console.simulator.ports import LOOPBACK, KeptPort
from console.simulator.scenario import DEFAULT, load_scenario
from console.simulator.scene import Cue, Scene
from console.simulator.world import World

T = TypeVar("T")

OPENING = datetime(2026, 11, 22, 22, 41, 7, tzinfo=UTC)
"""The wall time at which a held rehearsal opens."""

_PATIENCE = 20.0


class LoopThread:
    """An event loop in a thread of its own, for servers that live beside a test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and give its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def call(self, act: Callable[[], T]) -> T:
        """Call a function there and give its result."""

        async def called() -> T:
            return act()

        return self.wait(called())

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let a coroutine run there until the loop is closed."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Cancel what runs, and end the thread."""
        self.wait(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class HeldRehearsal:
    """A whole rehearsal host, held still.

    Attributes:
        clock: give it to what is tested, so that both see one time.
        environ: what to set for a program to meet it.
        address: of its engine.
    """

    def __init__(self, scene: Scene, seed: int = 1, start: datetime = OPENING) -> None:
        self.clock = HeldClock(start)
        self.places = new_places()
        port = KeptPort()
        self.environ = self.places.environ(scene, f"http://{LOOPBACK}:{port.number}")
        self.address = self.environ["DOCKER_HOST"]
        self._thread = LoopThread()
        try:
            self._host = Host(scene, self.places, self.clock, seed, port.number)
            self._thread.wait(self._host.start())
        except BaseException:
            self.places.remove()
            raise
        finally:
            port.give_up()

    @property
    def hub(self) -> RehearsalHub:
        """The hub; its faults and byte counters are for any thread."""
        return self._host.hub

    @property
    def ports(self) -> dict[str, int]:
        """The loopback port of each service, by container."""
        return self._host.ports

    @property
    def table(self) -> Path:
        """The file of the driver table."""
        return self.places.table

    def advance(self, seconds: float) -> None:
        """Let time pass; when this returns, everything due has happened and is told."""

        def act() -> None:
            self._host.world.advance(seconds)
            self._host.refresh()

        self._thread.call(act)

    def control(self, do: str, **facts: Any) -> None:
        """Make something happen now, such as `control("card-fault", card=1)`."""

        def act() -> None:
            self._host.world.play()
            self._host.world.prompter.perform(Cue(at=0.0, do=do, **facts))
            self._host.world.follow()
            self._host.refresh()

        self._thread.call(act)

    def look(self, act: Callable[[World], T]) -> T:
        """Give what a function finds in the world, called where the world lives."""
        return self._thread.call(lambda: act(self._host.world))

    def close(self) -> None:
        """End it and remove its folder."""
        try:
            self._thread.wait(self._host.stop())
            self._thread.close()
        finally:
            self.places.remove()


@contextlib.contextmanager
def held_rehearsal(
    scenario: str | Scene = DEFAULT, seed: int = 1, start: datetime = OPENING
) -> Iterator[HeldRehearsal]:
    """Have a held rehearsal for as long as the block lasts."""
    scene = load_scenario(scenario) if isinstance(scenario, str) else scenario
    host = HeldRehearsal(scene, seed, start)
    try:
        yield host
    finally:
        host.close()


@contextlib.contextmanager
def engine_on(scene: Scene, socket: Path, clock: Clock, seed: int = 1) -> Iterator[World]:
    """Have only a scene's engine, on a socket of the caller's choice, with a clock that runs."""
    thread = LoopThread()
    world = World(scene, clock, seed)
    server = EngineServer(world, socket)
    try:
        thread.wait(server.start())
        thread.begin(pass_time(world))
        yield world
    finally:
        thread.wait(server.stop())
        thread.close()
