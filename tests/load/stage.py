"""A host on which services can be taken down, and who answers for them: for the course of a run.

The real services, engine and cards are met in `test_command.py`; here each moment can be chosen.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from actions.edit_now import EditNow
from actions.load.watch import Watch
from actions.services.snapshot import Evidence
from actions.snapshot import HostSnapshot
from console.clock import Clock, SystemClock
from console.edits.kept import EditError, KeptEdit, KeptPicture, Timings
from console.unknown import Unknown
from tests.support.snapshots import (
    NO_ENGINE,
    container,
    engine_snapshot,
    gpu,
    gpu_snapshot,
    host,
    reading,
    service,
)

BIG = gpu(0, used=1.0)
SMALL = gpu(1, "NVIDIA GeForce RTX 3080", total=16, used=2.0)
LOST = Unknown("nvml.gpu-is-lost", "the driver has lost this card")
RESTARTED = EditError(
    code="edit.restarted", title="it was restarted or fell over", hint="see its log"
)
REFUSED = EditError(code="web.refused", title="nothing listens there", hint="see its log")
UNSURE = EditError(code="edit.submit-unknown", title="the connection was lost while submitting")
_OPEN = frozenset({UNSURE.code})
NO_MEMORY = EditError(code="edit.out-of-memory", title="the card ran out of memory in KSampler")


class Stage:
    """A host with services that do as they are told.

    Attributes:
        down: names of services that are not there.
        lost: UUIDs of cards that are lost.
        engine: whether the engine answers.
        seeds: in the order in which requests were sent, with the service's name.
        most: how many were under way at once.
    """

    def __init__(self, *services: str, cards: dict[str, Any] | None = None) -> None:
        self.services = services
        self.cards = cards or dict.fromkeys(services, BIG)
        self.clock: Clock = SystemClock()
        self.down: set[str] = set()
        self.lost: set[str] = set()
        self.engine = True
        self.runs = dict.fromkeys(services, 1)
        self.seeds: list[tuple[str, int]] = []
        self.most = 0
        self.discarded: list[str] = []
        self.forgotten: list[str] = []
        self.edits: dict[str, KeptEdit] = {}
        self.full = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self.act: Callable[[str, int, Callable[[], str]], EditError | str] = lambda *_: "done"

    def look(self) -> HostSnapshot:
        """Give the host as it is."""
        statuses, now = [], self.clock.monotonic()
        for name in self.services:
            up = name not in self.down
            told = reading(answer="ready" if up else "unreachable", taken_monotonic=now)
            said = Evidence(source="engine", text="exit 137: killed")
            statuses.append(
                service(
                    name,
                    "ready" if up else "stopped",
                    card=self.cards[name],
                    reading=told,
                    evidence=(said,),
                )
            )
        cards = tuple(
            msgspec.structs.replace(one, lost=LOST if one.uuid in self.lost else None)
            for one in {card.uuid: card for card in self.cards.values()}.values()
        )
        containers = [
            container(name, started_at=datetime(2026, 1, self.runs[name], tzinfo=UTC))
            for name in self.services
        ]
        engine = engine_snapshot(
            *containers,
            state="connected" if self.engine else "lost",
            problem=None if self.engine else NO_ENGINE,
        )
        return host(gpu_snapshot(*cards, taken_monotonic=now), engine, services=tuple(statuses))

    def watch(self) -> Watch:
        """Begin to watch it, twenty times a second, until `end` of it is called."""
        watch = Watch(self.look, self.services, self.clock)
        watch.see()
        threading.Thread(target=watch.run, args=(0.05,), daemon=True).start()
        return watch

    def edit_id(self, number: int, attempt: int) -> str:
        """Name an attempt."""
        return f"edit-{number}-{attempt}"

    def forget(self, edit: KeptEdit) -> None:
        """Note what was not taken."""
        self.forgotten.append(edit.id)

    def discard(self, edit: KeptEdit) -> None:
        """Note what was thrown away."""
        self.discarded.append(edit.id)

    def send(
        self,
        lane: int,
        seed: int,
        edit_id: str,
        report: Callable[[EditNow], None],
        stop: Callable[[], str],
    ) -> KeptEdit:
        """Answer for a service, as `act` says: an error, or the state in which the edit ends."""
        name = self.services[lane]
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            self.seeds.append((name, seed))
        report(EditNow(edit_id=edit_id, phase="sampling", node="KSampler", step=3, steps=20))
        try:
            if name in self.down:
                return self._edit(name, seed, edit_id, REFUSED, submitted=False)
            said = self.act(name, seed, stop)
            taken = not (isinstance(said, EditError) and said.code == "edit.queue-full")
            return self._edit(name, seed, edit_id, said, submitted=taken)
        finally:
            with self._lock:
                self._under_way -= 1

    def _edit(
        self, name: str, seed: int, edit_id: str, said: EditError | str, *, submitted: bool
    ) -> KeptEdit:
        error = said if isinstance(said, EditError) else None
        picture = KeptPicture(role="output", number=0, path=f"/pictures/{edit_id}.png")
        state = ("queued" if error.code in _OPEN else "failed") if error else str(said)
        edit = KeptEdit(
            id=edit_id,
            state=state,
            service=name,
            kind="comfyui",
            workflow="edit-single",
            seed=seed,
            submitted=submitted,
            created_at=self.clock.now(),
            error=error,
            timings=Timings(queued=0.5, run=2.0, total=2.5),
            vram_peak_bytes=1 << 30,
            pictures=(picture,) if state == "done" else (),
        )
        self.edits[edit_id] = edit
        return edit
