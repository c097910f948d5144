"""The cards' VRAM, read every second, as one row for each card and minute."""

from datetime import datetime

from console.gpu.snapshot import GpuSnapshot
from console.store.vram import VramRow
from console.unknown import known

SECONDS = 60


class _Minute:
    """What was read of one card since a minute began."""

    def __init__(self) -> None:
        self.used: list[int] = []
        self.busy: list[int] = []
        self.total = 0


class Minutes:
    """Gathers readings; `take` gives the minutes that are over. One thread's own."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._seen: float | None = None
        self._cards: dict[str, _Minute] = {}

    def take(self, gpu: GpuSnapshot) -> tuple[VramRow, ...]:
        """Take readings in, the same ones once; give the rows of a minute that is over."""
        if gpu.taken_at is None or gpu.taken_monotonic == self._seen:
            return ()
        self._seen = gpu.taken_monotonic
        minute = gpu.taken_at.replace(second=0, microsecond=0)
        # A clock that was set back begins another minute too.
        rows = self.flush() if minute != self._began else ()
        self._began = minute
        for card in gpu.gpus:
            used, total = card.memory_used_bytes, card.memory_total_bytes
            if card.lost is not None or not (known(used) and known(total)):
                continue
            one = self._cards.setdefault(card.uuid, _Minute())
            one.used.append(used)
            one.total = total
            if known(card.utilization_percent):
                one.busy.append(card.utilization_percent)
        return rows

    def flush(self) -> tuple[VramRow, ...]:
        """Give the rows of the minute under way and forget it."""
        began, cards = self._began, self._cards
        self._began, self._cards = None, {}
        if began is None:
            return ()
        return tuple(
            VramRow(
                uuid=uuid,
                at=began,
                used=sum(one.used) // len(one.used),
                peak=max(one.used),
                total=one.total,
                busy=sum(one.busy) / len(one.busy) if one.busy else None,
            )
            for uuid, one in cards.items()
        )
