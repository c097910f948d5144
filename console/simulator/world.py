"""A scene that is being played, with everything that looks at it or changes it in one place."""

import asyncio
import math
from collections.abc import Callable
from typing import TypeVar

from console.clock import Clock, HeldClock
from console.simulator.cards import Faults, driver_table
from console.simulator.cues import EngineMood, Prompter
from console.simulator.driver_table import DriverTable
from console.simulator.opening import open_scene
from console.simulator.scene import Scene
from console.simulator.stage import Stage

T = TypeVar("T")


class World:
    """The stage, the faults and the engine's mood of one rehearsal; lives in one event loop.

    With a `HeldClock` nobody waits: an order that takes its time moves the clock on to where it
    is done, so that tests are quick and always end the same.
    """

    def __init__(self, scene: Scene, clock: Clock, seed: int = 0) -> None:
        self.scene = scene
        self.stage = Stage(scene, clock, seed)
        self.faults = Faults(self.stage)
        self.mood = EngineMood(scene.engine.state, scene.engine.delay)
        self.prompter = Prompter(self.stage, self.faults, self.mood)
        self.followers: list[Callable[[], None]] = []
        self._held = clock if isinstance(clock, HeldClock) else None
        self._watchers: set[asyncio.Future[None]] = set()
        open_scene(self.stage)
        self.prompter.plan_script()

    @property
    def held(self) -> bool:
        """Whether the clock moves only when told."""
        return self._held is not None

    def play(self, at_least: float = 0.0) -> None:
        """Bring the stage up to the clock and wake whoever waits for something to happen."""
        self.stage.play(max(at_least, self.stage.time()))
        watchers, self._watchers = self._watchers, set()
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)
        self.follow()

    def follow(self) -> None:
        """Let those who follow the stage see what has changed, such as a port to close."""
        for follower in self.followers:
            follower()

    def advance(self, seconds: float) -> None:
        """Move a held clock on, and the stage with it."""
        if self._held is None:
            raise RuntimeError("the clock of this rehearsal moves on its own")
        self._held.advance(seconds)
        self.play()

    async def tick(self, at_most: float) -> None:
        """Wait until the stage has been played again, `at_most` seconds by the real clock."""
        watcher = asyncio.get_running_loop().create_future()
        self._watchers.add(watcher)
        await asyncio.wait((watcher,), timeout=at_most)
        self._watchers.discard(watcher)

    async def carry_out(self, order: Callable[[Callable[[T], None]], object]) -> T:
        """Give an order that calls back when it is done, and wait for that; gives what it said."""
        answers: list[T] = []
        order(answers.append)
        while not answers:
            due = self.stage.due()
            if self._held is not None and math.isfinite(due):
                self._held.advance(max(0.0, due - self.stage.time()))
                self.play(at_least=due)  # a sum of floats may fall short of where it should end
            else:
                await self.tick(max(0.0, min(due - self.stage.time(), 0.25)))
                self.play()
        return answers[0]

    def table(self) -> DriverTable:
        """Give what the driver answers now."""
        return driver_table(self.stage, self.faults)
