"""Pre-checks for the screen: computed in a thread, at most every few seconds, and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar, cast

from textual.message_pump import MessagePump

from actions.snapshot import HostSnapshot
from console.errors import ConsoleError
from console.paths import Places
from console.unknown import Unknown, known
from screens.tui.background import start, tell
from screens.tui.messages import FitsReady

T = TypeVar("T")

GAP_SECONDS = 2.0
"""What is shown is not computed more often than this, however fast the host changes."""
VRAM_GRAIN = 128 * 1024**2
RAM_GRAIN = 1024**3
"""Free memory that changes by less does not change a verdict that somebody acts upon."""


class Kept(NamedTuple):
    """The last result of one computation."""

    key: Hashable
    result: object
    error: ConsoleError | None


class FitBook:
    """The newest result of each computation that a view has asked for.

    `get` is for the screen's thread: it never waits, and gives the last result while a newer one
    is made.
    """

    def __init__(self, pump: MessagePump, monotonic: Callable[[], float], places: Places) -> None:
        self._pump = pump
        self._places = places
        self._monotonic = monotonic
        self._kept: dict[str, Kept] = {}
        self._begun: dict[str, float] = {}
        self._under_way: set[str] = set()
        self._stale: set[str] = set()

    def get(self, what: str, key: Hashable, make: Callable[[], T]) -> T | None:
        """Give the newest result, and have it made anew if what it rests on is another.

        Args:
            what: names the computation.
            key: what it rests on.
            make: computes it, in a thread; may raise ConsoleError.
        """
        kept = self._kept.get(what)
        old = kept is None or kept.key != key or what in self._stale
        if old and what not in self._under_way:
            now = self._monotonic()
            asked_anew = kept is not None and _asked(kept.key) != _asked(key)
            if asked_anew or now - self._begun.get(what, float("-inf")) >= GAP_SECONDS:
                self._begun[what] = now
                self._under_way.add(what)
                self._stale.discard(what)
                start(lambda: self._work(what, key, make), "fits")
        return cast("T | None", kept.result) if kept is not None else None

    def expire(self) -> None:
        """Have everything made anew: a plan ended, and who was told to free VRAM is not seen."""
        self._stale |= {*self._kept, *self._under_way}

    def trouble(self, what: str) -> ConsoleError | None:
        """Say why the last computation gave nothing; None where it gave something."""
        kept = self._kept.get(what)
        return kept.error if kept is not None else None

    def answers(self, what: str, key: Hashable) -> bool:
        """Tell whether the newest result answers this question, though the host may have moved."""
        kept = self._kept.get(what)
        return kept is not None and _asked(kept.key) == _asked(key)

    def _work(self, what: str, key: Hashable, make: Callable[[], object]) -> None:
        try:
            tell(self._pump, FitsReady(what, key, make()))
        except ConsoleError as error:
            tell(self._pump, FitsReady(what, key, None, error))
        except Exception as error:  # noqa: BLE001 -- a traceback would break the screen
            from console.log import log_crash

            written = log_crash(self._places, error)
            where = f"it is written down in {written}" if written is not None else ""
            fault = ConsoleError("fits.fault", "a fault of gpuconsole: it cannot be told", where)
            tell(self._pump, FitsReady(what, key, None, fault))

    def take(self, message: FitsReady) -> None:
        """Keep a result; on the screen's thread."""
        self._under_way.discard(message.what)
        self._kept[message.what] = Kept(message.key, message.result, message.error)


def _asked(key: Hashable) -> object:
    """Give the part of a key that the operator chose: its first; the rest is the host's."""
    return key[0] if isinstance(key, tuple) and key else key


def ground(snapshot: HostSnapshot) -> Hashable:
    """Give what pre-checks rest on, coarse enough that idle flicker is not news."""
    cards = tuple(
        (gpu.uuid, _grain(gpu.memory_free_bytes, VRAM_GRAIN)) for gpu in snapshot.gpu.gpus
    )
    services = tuple(
        (
            one.name,
            one.state,
            one.gpu_uuid if isinstance(one.gpu_uuid, str) else None,
            _grain(one.vram_used_bytes, VRAM_GRAIN),
            _grain(one.vram_budget_bytes, 1),
        )
        for one in snapshot.services
    )
    ram = None
    if known(snapshot.host):
        ram = _grain(snapshot.host.memory_available_bytes, RAM_GRAIN)
    return (cards, services, ram)


def _grain(size: int | Unknown, grain: int) -> int | None:
    return None if isinstance(size, Unknown) else size // grain
