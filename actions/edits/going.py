"""How an edit goes: what a run's events and the card's figures mean for those who watch it."""

import threading
from collections.abc import Callable

import msgspec

from actions.edit_now import EditNow
from actions.edits.card import CardNow
from actions.edits.words import SHOWN, phase_of
from console.clock import Clock
from console.edits.events import (
    AnyEvent,
    Finished,
    Node,
    Preview,
    Progress,
    Queued,
    Started,
)
from console.edits.kept import Timings
from console.edits.result import NodeTime
from console.unknown import Unknown, known

_EVERY = 0.2
_LAST_STEPS = 8


_PARTS = ("load", "encode", "sample", "decode")


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit like this took before, as a whole and by part, in seconds.

    None where there was none, or its service told no parts.
    """

    run: float | None = None
    load: float | None = None
    encode: float | None = None
    sample: float | None = None
    decode: float | None = None

    def from_part(self, part: str) -> float | None:
        """Give what is left of a run where a part begins; None where nothing tells."""
        parts = [getattr(self, one) for one in _PARTS[_PARTS.index(part) :]]
        return None if None in parts else sum(parts)


class Going:
    """Keeps how one edit stands, for any thread.

    It is told at most five times a second, but at once what it is at when that changes.
    """

    def __init__(
        self, edit_id: str, clock: Clock, report: Callable[[EditNow], None], expected: Expected
    ) -> None:
        self._clock = clock
        self._report = report
        self._expected = expected
        self._lock = threading.Lock()
        self._told_at = float("-inf")
        self._now = EditNow(edit_id=edit_id)
        self._submitted_at: float | None = None
        self._started_at: float | None = None
        self._ended_at: float | None = None
        self._due_at: float | None = None
        self._steps: list[tuple[float, int]] = []
        self._all_steps: list[float] = []
        self._node = ""
        self._nodes: tuple[NodeTime, ...] = ()
        self._run_seconds: float | None = None
        self._step_count = 0

    def phase(self, phase: str, note: str = "") -> None:
        """Note what it is at, which is told at once."""
        with self._lock:
            self._now = msgspec.structs.replace(self._now, phase=phase, note=note, node="")
            self._due_at = None
        self._tell(at_once=True)

    def note(self, note: str) -> None:
        """Note what else is to be known; empty where there is nothing any more."""
        with self._lock:
            same = self._now.note == note
            if note:  # nobody can tell any more how long it takes
                self._due_at = None
            self._now = msgspec.structs.replace(self._now, note=note)
        if not same:
            self._tell(at_once=True)

    def submitted(self, *, before: bool = False) -> None:
        """Note that it is the service's, from now on or since `before` this process.

        What began before it was listened to has no times: they would be those of its rest.
        """
        self._submitted_at = None if before else self._clock.monotonic()
        self.phase("queued")

    def hear(self, event: AnyEvent) -> None:
        """Note an event of the run; pictures come by `pictured`."""
        if isinstance(event, Preview):
            return
        with self._lock:
            changed = self._heard(event)
        self._tell(at_once=changed)

    def pictured(self, path: str) -> None:
        """Note that there is another live picture at `path`; empty where there is none any more."""
        with self._lock:
            count = self._now.previews + 1 if path else self._now.previews
            self._now = msgspec.structs.replace(self._now, preview=path, previews=count)
        self._tell()

    def carded(self, uuid: str, now: CardNow, peak: int | None) -> None:
        """Note the card's figures."""
        with self._lock:
            self._now = msgspec.structs.replace(
                self._now,
                gpu_uuid=uuid,
                vram_used_bytes=now.used,
                vram_total_bytes=now.total,
                power_watts=now.watts,
                temperature_celsius=now.celsius,
                vram_peak_bytes=peak,
            )
        self._tell()

    def timings(self, before: Timings) -> Timings:
        """Give how long each part took; what nobody saw stays as it was `before`."""
        changes: dict[str, float | int | bool | None] = {}
        sent, begun, ended = self._submitted_at, self._started_at, self._ended_at
        # A service that was looked at only after its end has told nothing of its beginning.
        seen = bool(self._nodes or self._step_count) or self._run_seconds is not None
        if seen and sent is not None and begun is not None:
            changes["queued"] = round(begun - sent, 3)
            if ended is not None:
                changes["run"] = round(ended - begun, 3)
        if self._run_seconds is not None:
            changes["run"] = round(self._run_seconds, 3)
        if self._nodes and sent is not None:
            changes |= _by_phase(self._nodes)
            changes["heard"] = True
        if self._step_count:
            changes["steps"] = self._step_count
        if self._all_steps:
            changes["per_step"] = round(sum(self._all_steps) / len(self._all_steps), 4)
        return msgspec.structs.replace(before, **changes)

    def _heard(self, event: AnyEvent) -> bool:
        """Take an event in; True where it changes what the edit is at."""
        at = self._clock.monotonic()
        before = self._now.phase
        if isinstance(event, Queued):
            ahead = None if isinstance(event.ahead, Unknown) else event.ahead
            note = event.ahead.title if isinstance(event.ahead, Unknown) else ""
            self._now = msgspec.structs.replace(self._now, phase="queued", ahead=ahead, note=note)
        elif isinstance(event, Started):
            self._started_at = at
            self._now = msgspec.structs.replace(self._now, phase="working", ahead=None, note="")
            self._due(at, self._expected.run)
        elif isinstance(event, Node):
            self._node_began(event, at)
        elif isinstance(event, Progress):
            self._stepped(event, at)
        else:
            self._ended_at = at
            if isinstance(event, Finished):
                self._nodes = event.nodes
                self._run_seconds = event.seconds if known(event.seconds) else None
        return self._now.phase != before or isinstance(event, Queued)

    def _node_began(self, event: Node, at: float) -> None:
        self._node, self._steps = event.node, []
        part = phase_of(event.kind)
        self._now = msgspec.structs.replace(
            self._now,
            phase=SHOWN.get(part, self._now.phase),
            node=event.title or event.kind,
            number=event.number,
            total=event.total,
            note="",
        )
        if part in _PARTS:
            self._due(at, self._expected.from_part(part))
        elif part == "save":
            self._due_at = None

    def _stepped(self, event: Progress, at: float) -> None:
        now = self._now
        if now.phase not in {"sampling", "working"}:
            return  # a node that counts what is no step of a sampler
        if self._steps and event.step > self._steps[-1][1]:
            done = event.step - self._steps[-1][1]
            self._all_steps += [(at - self._steps[-1][0]) / done] * done
        self._steps = [*self._steps, (at, event.step)][-_LAST_STEPS:]
        self._step_count = max(self._step_count, event.step)
        first = self._steps[0]
        each = (at - first[0]) / (event.step - first[1]) if event.step > first[1] else None
        if each is not None:
            left = each * max(0, event.steps - event.step)
            self._due(at, left + (self._expected.decode or 0.0))
        self._now = msgspec.structs.replace(
            now, phase="sampling", step=event.step, steps=event.steps, seconds_per_step=each
        )

    def _due(self, at: float, left: float | None) -> None:
        """Note when the picture is expected; where nothing tells, what was expected before."""
        if left is not None:
            self._due_at = at + left

    def _tell(self, *, at_once: bool = False) -> None:
        with self._lock:
            at = self._clock.monotonic()
            if not at_once and at - self._told_at < _EVERY:
                return
            self._told_at = at
            left = None if self._due_at is None or self._due_at <= at else self._due_at - at
            now = msgspec.structs.replace(self._now, left_seconds=left)
        self._report(now)


def _by_phase(nodes: tuple[NodeTime, ...]) -> dict[str, float | int | bool | None]:
    """Add up the time of the nodes of each phase; what was not computed took none."""
    sums = dict.fromkeys(("load", "encode", "sample", "decode", "other"), 0.0)
    for node in nodes:
        phase = phase_of(node.kind)
        sums[phase if phase in sums else "other"] += node.seconds
    return {phase: round(seconds, 3) for phase, seconds in sums.items()}
