"""Reading all cards in one pass, and getting back to them when the driver or a card was away."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.clock import Clock
from console.gpu.card import Card, DriverLostError
from console.gpu.cuda_order import cuda_ordinals
from console.gpu.driver import count_cards, initialise, read_driver, shut_down
from console.gpu.faults import state
from console.gpu.library import Loaded, NoLibraryError, install, installed, load
from console.gpu.processes import ProcessReader
from console.gpu.readings import Call, memory_v1, memory_v2
from console.gpu.rows import Rows, lose, speed_facts
from console.gpu.snapshot import Gpu, GpuDriver, GpuSnapshot
from console.unknown import Unknown

MOST_BACKOFF = 5.0
"""Seconds between tries to initialise a driver that is away; a failing try is cheap."""

LOST_BACKOFF = (5.0, 60.0)
"""Seconds to a new initialisation for a lost card's sake, first and at most; it is not cheap."""

TURN = 3.0
"""Seconds to wait for another reader of this process to be done."""


class GpuReader:
    """Reads every card, one pass at a time; not for several threads at once.

    The driver is initialised by the first pass; handles and static facts are kept from then on.
    When the driver drops out (`UNINITIALIZED`, `DRIVER_NOT_LOADED`, a version mismatch) it is shut
    down and initialised anew at once and then with back-off. A lost card keeps its row and is asked
    again in each pass; a new initialisation on its account follows more rarely.

    Args:
        clock: for the time of the reading and all periods.
        environ: environment variables; which library is loaded, and GPUCONSOLE_ROOT for /proc.
    """

    def __init__(self, clock: Clock, environ: Mapping[str, str]) -> None:
        self._clock = clock
        self._environ = environ
        self._processes = ProcessReader(Path(environ.get("GPUCONSOLE_ROOT") or "/"))
        self._loaded: Loaded | None = None
        self._cards: list[Card] | None = None
        self._memory: Call = memory_v2
        self._ordinals: dict[int, int | Unknown] = {}
        self._places = Rows()
        self._rows: dict[str, Gpu] = {}
        self._driver: GpuDriver | Unknown = state("not-read-yet")
        self._problem: Unknown | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._lost_wait, self._renew_at = LOST_BACKOFF[0], float("inf")
        self._closed = False

    def read(self) -> GpuSnapshot:
        """Make one pass over all cards and give what they said.

        It never raises for what a driver does; it blocks as long as the driver does.
        """
        try:
            loaded = self._loaded = self._loaded or load(self._environ)
        except NoLibraryError as error:
            self._driver = self._problem = error.reason
            return self._publish()
        if not loaded.lock.acquire(timeout=TURN):
            self._problem = state("busy")
            return self._publish()
        try:
            self._problem = self._pass(self._clock.monotonic())
        finally:
            loaded.lock.release()
        return self._publish()

    def close(self) -> None:
        """Shut the connection to the driver down, unless another reader is in the library."""
        self._closed = True
        loaded = self._loaded
        if loaded and loaded.lock.acquire(blocking=False):
            try:
                self._shut_down()
            finally:
                loaded.lock.release()

    def abandon(self) -> None:
        """Let a pass that hangs in another thread touch nothing more once it comes back."""
        self._closed = True

    def _pass(self, now: float) -> Unknown | None:
        """Read the cards, initialising where needed; give why there are none, or None."""
        if self._cards is None and now < self._retry_at:
            return self._problem
        problem = state("no-cards")
        for _ in range(1 if self._cards is None else 2):
            try:
                self._read_cards(now)
            except DriverLostError as error:
                problem = error.reason
                self._shut_down()
                self._failures += 1
                self._retry_at = now + min(MOST_BACKOFF, 2.0 ** (self._failures - 1))
            else:
                self._failures = 0
                return None if self._cards else problem
        self._driver = problem
        self._rows = {uuid: lose(row, problem) for uuid, row in self._rows.items()}
        return problem

    def _read_cards(self, now: float) -> None:
        """Read each card and put its row in place.

        Raises:
            DriverLostError: the driver as a whole does not answer.
        """
        cards = self._ready_cards(now)
        before = [card.attached for card in cards]
        values: list[dict[str, Any]] = []
        for card in cards:
            if self._closed:
                return
            values.append(dict(card.read(now, self._memory)))
        if before != [card.attached for card in cards]:
            self._settle(cards)
        self._rows = self._places.place(cards, values, self._ordinals)
        missing = not cards or any(row.lost is not None for row in self._rows.values())
        self._plan_renewal(now, missing)

    def _ready_cards(self, now: float) -> list[Card]:
        """Give the cards of an initialised driver, which is renewed where it has to be."""
        if self._cards is not None and self._loaded is not None:
            if not installed(self._loaded):
                install(self._loaded)
            if now < self._renew_at and count_cards() == len(self._cards):
                return self._cards
            self._shut_down()
        self._loaded = initialise(self._environ)
        self._cards = []  # from here on there is something to shut down
        self._renew_at = float("inf")
        self._processes.begin()
        self._cards = [Card(index, self._processes) for index in range(count_cards())]
        for card in self._cards:
            card.attach()
        self._driver = read_driver(self._loaded.origin)
        self._settle(self._cards)
        return self._cards

    def _settle(self, cards: list[Card]) -> None:
        """Work out what concerns all cards: the memory struct's version and CUDA's order."""
        attached = [card for card in cards if card.attached]
        newer = all(card.try_memory(memory_v2) for card in attached)
        self._memory = memory_v2 if newer else memory_v1
        self._ordinals = cuda_ordinals([speed_facts(card) for card in attached])

    def _plan_renewal(self, now: float, missing: bool) -> None:
        """Set when to initialise anew for a missing card's sake: rarely, and ever more so.

        NVML lists the cards that were there when it was initialised, until the next time.
        """
        if not missing:
            self._lost_wait, self._renew_at = LOST_BACKOFF[0], float("inf")
        elif self._renew_at == float("inf"):
            self._renew_at = now + self._lost_wait
            self._lost_wait = min(LOST_BACKOFF[1], self._lost_wait * 2)

    def _shut_down(self) -> None:
        """End the connection; a driver that is gone may refuse even that."""
        if self._cards is not None and self._loaded is not None:
            shut_down(self._loaded)
        self._cards = None

    def _publish(self) -> GpuSnapshot:
        return GpuSnapshot(
            gpus=tuple(self._rows.values()),
            driver=self._driver,
            problem=self._problem,
            taken_at=self._clock.now(),
            taken_monotonic=self._clock.monotonic(),
        )
