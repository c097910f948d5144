"""The history of VRAM, read back: by the minute, or in as many slices as there is room for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from actions.session import Session
from console.store.vram import VramRecords, VramRow

MINUTE = timedelta(minutes=1)


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time of one card.

    Attributes:
        at: when it began.
        used: bytes, the mean; `peak` the most.
        busy: mean percent; None where it was not told.
    """

    at: datetime
    used: int
    peak: int
    total: int
    busy: float | None


class CardHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One card's slices, the oldest first, each `step` long; there is none where nobody watched."""

    uuid: str
    step: timedelta
    slices: tuple[Slice, ...]


def read_vram(
    session: Session, since: datetime, most: int | None = None
) -> tuple[CardHistory, ...]:
    """Give the history of every card from a moment on; empty where nobody has watched since.

    Args:
        session: whose state directory it is in.
        since: nothing older.
        most: at most so many slices of a card, of whole minutes; None is each minute.
    """
    rows = VramRecords(session.store).since(since)
    by_card: dict[str, list[VramRow]] = {}
    for row in rows:
        by_card.setdefault(row.uuid, []).append(row)
    return tuple(_history(uuid, found, most) for uuid, found in by_card.items())


def _history(uuid: str, rows: Sequence[VramRow], most: int | None) -> CardHistory:
    span = int((rows[-1].at - rows[0].at) / MINUTE) + 1
    # One more than would do: slices are cut on the clock, not where the first row happens to be.
    minutes = 1 if most is None else max(1, -(-span // max(1, most - 1)))
    step = minutes * 60
    slots: dict[int, list[VramRow]] = {}
    for row in rows:
        slots.setdefault(int(row.at.timestamp()) // step, []).append(row)
    slices = tuple(_slice(slot * step, found) for slot, found in sorted(slots.items()))
    return CardHistory(uuid=uuid, step=timedelta(seconds=step), slices=slices)


def _slice(begin: int, rows: Sequence[VramRow]) -> Slice:
    busy = [row.busy for row in rows if row.busy is not None]
    return Slice(
        at=datetime.fromtimestamp(begin, UTC),
        used=sum(row.used for row in rows) // len(rows),
        peak=max(row.peak for row in rows),
        total=rows[-1].total,
        busy=sum(busy) / len(busy) if busy else None,
    )
