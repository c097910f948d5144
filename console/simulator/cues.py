"""What happens to the host on cue: faults of cards, driver and engine, orders from nowhere."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from console.simulator import acts, jobs
from console.simulator.actor import Actor
from console.simulator.cards import Faults
from console.simulator.hub.faults import fault_of
from console.simulator.refusal import Refusal
from console.simulator.remains import give_back
from console.simulator.scene import Cue, seconds
from console.simulator.services.moods import HANG, ODD, RUNS
from console.simulator.stage import Stage

_SOON = 0.05
"""Seconds until a cue that waited for a request: its answer is under way."""

_ENGINE_TAKES = 3.0


class EngineMood:
    """How the engine behaves apart from its containers; the server looks at it.

    Attributes:
        up: it listens at all. denied: it lets nobody in.
        delay: seconds that each answer takes.
        cut: called to break every stream that is open.
        changed: called when `up` or `denied` changed.
    """

    def __init__(self, state: str, delay: float) -> None:
        self.up = state != "absent"
        self.denied = state == "denied"
        self.delay = delay
        self.cut: Callable[[], None] = _nothing
        self.changed: Callable[[], None] = _nothing


def _nothing() -> None:
    """Stand in until a server wants to know."""


class Prompter:
    """Carries out cues, those of the scene's script and those of a test.

    `hub_fault` and `hub_heal` are the hub's, where there is one.
    """

    def __init__(self, stage: Stage, faults: Faults, mood: EngineMood) -> None:
        self._stage = stage
        self._faults = faults
        self._mood = mood
        self.hub_fault: Callable[[Mapping[str, Any]], object] = fault_of
        self.hub_heal: Callable[[str], object] = str
        self._counting: list[Any] = []
        self._deeds: dict[str, Callable[[Cue], object]] = {
            "card-fault": self._card_fault,
            "card-hang": self._card_hang,
            "card-heal": self._card_heal,
            "driver-fault": self._driver_fault,
            "driver-hang": self._driver_hang,
            "driver-heal": self._driver_heal,
            "engine-down": self._engine_down,
            "engine-up": self._engine_up,
            "engine-deny": self._engine_deny,
            "engine-slow": self._engine_slow,
            "engine-cut": lambda _: self._mood.cut(),
            "start": lambda cue: self._order(cue, "start"),
            "stop": lambda cue: self._order(cue, "stop"),
            "kill": lambda cue: self._order(cue, "kill"),
            "die": lambda cue: self._order(cue, "die"),
            "service-hang": lambda cue: self._mood_of(cue, HANG),
            "service-odd": lambda cue: self._mood_of(cue, cue.error or "html"),
            "service-heal": lambda cue: self._mood_of(cue, ""),
            "job": self._job,
            "engine-restart": self._engine_restart,
            "vram-stuck": self._stuck,
            "vram-back": self._back,
            "hub-fault": lambda cue: self.hub_fault(cue.fault),
            "hub-heal": lambda cue: self.hub_heal(cue.error),
        }

    def plan_script(self) -> None:
        """Plan every cue of the scene's script."""
        for cue in self._stage.scene.script:
            if cue.request:
                self.perform(cue)
            else:
                self._plan(cue, seconds(cue.at))

    def perform(self, cue: Cue) -> None:
        """Carry out one cue now, or after its number of requests.

        ValueError where nobody knows how.
        """
        deed = self._deeds.get(cue.do)
        if deed is None:
            raise ValueError(f"no cue is called {cue.do!r}; there are {', '.join(self._deeds)}")
        if cue.request:
            self._counting.append([cue.request, cue])
        else:
            deed(cue)

    def submitted(self, container: str) -> None:
        """Count a submission to a container's service, and plan what was waiting for it."""
        for entry in list(self._counting):
            if entry[1].of not in {"", container}:
                continue
            entry[0] -= 1
            if entry[0] <= 0:
                again = entry[1].every
                entry[0] = int(seconds(again)) if again is not None else 0
                if again is None:
                    self._counting.remove(entry)
                cue = msgspec.structs.replace(entry[1], request=0, every=None)
                self._plan(cue, self._stage.now + max(_SOON, seconds(cue.at)))

    @property
    def cues(self) -> tuple[str, ...]:
        """Give the names of all cues there are."""
        return tuple(self._deeds)

    def _plan(self, cue: Cue, at: float) -> None:
        def act() -> None:
            self.perform(cue)
            if cue.every is not None:
                self._plan(cue, at + seconds(cue.every))

        self._stage.plan_at(at, act)

    def _card_fault(self, cue: Cue) -> None:
        self._faults.cards[cue.card][cue.function] = cue.error or "GPU_IS_LOST"

    def _card_hang(self, cue: Cue) -> None:
        self._faults.hangs[cue.card][cue.function] = cue.value

    def _card_heal(self, cue: Cue) -> None:
        self._faults.cards[cue.card].clear()
        self._faults.hangs[cue.card].clear()

    def _driver_fault(self, cue: Cue) -> None:
        self._faults.init = cue.error or "DRIVER_NOT_LOADED"

    def _driver_hang(self, cue: Cue) -> None:
        self._faults.hang[cue.function] = cue.value

    def _driver_heal(self, _cue: Cue) -> None:
        self._faults.init = ""
        self._faults.hang.clear()

    def _engine_down(self, _cue: Cue) -> None:
        self._mood.up = False
        self._mood.changed()

    def _engine_up(self, _cue: Cue) -> None:
        self._mood.up, self._mood.denied = True, False
        self._mood.changed()

    def _engine_restart(self, cue: Cue) -> None:
        """Let the engine end with every container, and come back with those that it starts."""
        stage = self._stage
        again = []
        for actor in list(stage.actors.values()):
            if actor.alive:
                actor.by_hand = True
                acts.end(stage, actor, actor.spec.term_code)
                if actor.policy[0] in {"always", "unless-stopped"}:
                    again.append(actor.name)
        self._engine_down(cue)

        def back() -> None:
            self._engine_up(cue)
            for name in again:
                self._order(msgspec.structs.replace(cue, container=name), "start")

        stage.plan(cue.value or _ENGINE_TAKES, back)

    def _engine_deny(self, _cue: Cue) -> None:
        self._mood.denied = True
        self._mood.changed()

    def _engine_slow(self, cue: Cue) -> None:
        self._mood.delay = cue.value

    def _mood_of(self, cue: Cue, mood: str) -> None:
        if mood and mood not in (HANG, *ODD, *RUNS):
            raise ValueError(f"no service is ever {mood!r}; it may be {', '.join((*ODD, *RUNS))}")
        for actor in self._named(cue):
            actor.mood, actor.mood_left = mood, int(cue.value)

    def _job(self, cue: Cue) -> None:
        for actor in self._named(cue):
            if actor.status == "running":
                jobs.begin_waiting(self._stage, actor, int(cue.value) or 1)

    def _stuck(self, cue: Cue) -> None:
        """Let a container's VRAM stay on the card when it ends."""
        for actor in self._named(cue):
            actor.sticks = True

    def _back(self, cue: Cue) -> None:
        give_back(self._stage, cue.container)
        for actor in self._named(cue):
            actor.sticks = False

    def _named(self, cue: Cue) -> list[Actor]:
        """Give the container a cue is about; none where it is not there now."""
        try:
            return [self._stage.find(cue.container)]
        except Refusal:
            return []

    def _order(self, cue: Cue, verb: str) -> None:
        """Carry out an order to a container; one that makes no sense by now is let be."""
        stage = self._stage
        orders: dict[str, Callable[[Any], object]] = {
            "start": lambda actor: acts.start(stage, actor),
            "stop": lambda actor: acts.stop(stage, actor, cue.value or None, _nothing),
            "kill": lambda actor: acts.kill(stage, actor, "KILL"),
            "die": lambda actor: acts.end(stage, actor, int(cue.value)),
        }
        try:
            orders[verb](stage.find(cue.container))
        except Refusal:
            return
