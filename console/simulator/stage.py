"""The stage: every container of a scene, moved by one clock through a queue of what is due.

All it shows is a function of the scene, the seed, the time and the orders it was given: what is due
happens at its own time, however late the clock is looked at.
"""

import hashlib
import heapq
import itertools
import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from console.clock import Clock
from console.simulator.actor import Actor
from console.simulator.casting import dressed
from console.simulator.happenings import Happening, Happenings
from console.simulator.refusal import Refusal
from console.simulator.remains import Remains
from console.simulator.scene import ImageSpec, Scene, seconds

_NETWORK_SORT = {"none": "null", "host": "host"}
_ID = re.compile(r"[0-9a-f]{1,64}")


class Stage:
    """A running scene.

    Attributes:
        now: seconds since the scene opened, as far as it has been played; negative before.
        opened_at: wall time of second 0.
        built: images that came to be since, by their full names.
        refuses: asked before a container starts; gives the runtime's words where the host has not
            what it needs, such as a port.
    """

    def __init__(self, scene: Scene, clock: Clock, seed: int = 0) -> None:
        self.scene = scene
        self.seed = seed
        self.clock = clock
        self.opened_at = clock.now()
        self._origin = clock.monotonic()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._pids = itertools.count(1200 + seed % 97, 61)
        self.now = 0.0
        self.happenings = Happenings()
        self.actors: dict[str, Actor] = {}
        self.remains: list[Remains] = []
        self.networks: dict[str, dict[str, str]] = {}
        self.built: dict[str, ImageSpec] = {}
        self.refuses: Callable[[Actor], str] = lambda _: ""
        for name, spec in scene.containers.items():
            if spec.state == "absent":
                continue
            created = -seconds(spec.created if spec.created is not None else spec.since) - 1.0
            self.add(Actor(dressed(scene, spec), name, seed, created))

    def add(self, actor: Actor) -> None:
        """Put a container on the stage."""
        self.actors[actor.id] = actor

    def drop(self, actor: Actor) -> None:
        """Take a container off the stage."""
        self.actors.pop(actor.id, None)

    def time(self) -> float:
        """Give the clock's time in seconds since the scene opened."""
        return self.clock.monotonic() - self._origin

    def wall(self, at: float) -> datetime:
        """Give the wall time of a moment of the scene."""
        return self.opened_at + timedelta(seconds=at)

    def nanoseconds(self, at: float) -> int:
        """Give a moment of the scene in nanoseconds since 1970, as the engine counts."""
        micro = round(at * 1_000_000)
        whole = self.opened_at + timedelta(microseconds=micro)
        return (int(whole.timestamp()) * 1_000_000 + whole.microsecond) * 1000 + self._grain(micro)

    def _grain(self, micro: int) -> int:
        """Give the last three digits of a time, so that it looks like the real one's."""
        return 1 + (micro * 7919 + self.seed) % 998

    def moment_of(self, timestamp: float) -> float:
        """Give the moment of the scene for a wall time in seconds since 1970."""
        return timestamp - self.opened_at.timestamp()

    def plan(self, delay: float, act: Callable[[], None]) -> None:
        """Let something happen `delay` seconds after what is happening now."""
        heapq.heappush(self._queue, (self.now + delay, next(self._order), act))

    def plan_at(self, at: float, act: Callable[[], None]) -> None:
        """Let something happen at a moment of the scene."""
        heapq.heappush(self._queue, (at, next(self._order), act))

    def due(self) -> float:
        """Give when the next thing happens; infinity where nothing will."""
        return self._queue[0][0] if self._queue else math.inf

    def play(self, until: float | None = None) -> None:
        """Let everything happen that is due up to a moment, by default the clock's."""
        goal = self.time() if until is None else until
        while self._queue and self._queue[0][0] <= goal:
            at, _, act = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            act()
        self.now = max(self.now, goal)

    def next_pid(self) -> int:
        """Give a process id of the host that no other container has had."""
        return next(self._pids)

    def chance(self, *what: object) -> float:
        """Give a number from 0 to 1 that depends on the seed and `what` alone."""
        text = "/".join(str(part) for part in (self.seed, *what))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest()) / (1 << 48)

    def find(self, name: str) -> Actor:
        """Find a container by its id, its name or the beginning of its id, in that order.

        Raises:
            Refusal: there is none, or the beginning fits several.
        """
        if name in self.actors:
            return self.actors[name]
        for actor in self.actors.values():
            if actor.name == name.removeprefix("/"):
                return actor
        found = [a for a in self.actors.values() if _ID.fullmatch(name) and a.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        raise Refusal("ambiguous" if found else "no-such-container", name=name)

    def tell(self, actor: Actor, action: str, **attributes: str) -> None:
        """Let an event of a container be known, with its labels as a real engine does."""
        known = {**actor.spec.labels, "image": actor.spec.image, "name": actor.name, **attributes}
        self.happenings.add(
            Happening(
                at=self.now,
                sort="container",
                action=action,
                actor_id=actor.id,
                image=actor.spec.image,
                attributes=dict(sorted(known.items())),
            )
        )

    def tell_network(self, actor: Actor, action: str) -> None:
        """Let it be known that a container joined (`connect`) or left its network."""
        name = actor.spec.network
        sort = _NETWORK_SORT.get(name, "bridge")
        self.happenings.add(
            Happening(
                at=self.now,
                sort="network",
                action=action,
                actor_id=hashlib.sha256(f"network/{name}".encode()).hexdigest(),
                attributes={"container": actor.id, "name": name, "type": sort},
            )
        )
