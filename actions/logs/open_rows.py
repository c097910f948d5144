"""The lines at the end of a book that may still change, copied for one reading."""

from collections.abc import Callable, Sequence
from functools import cached_property

from actions.logs.chunk import TRACEBACK, Origin, Rare
from actions.logs.folding import Row
from actions.logs.line import Entry, nanoseconds


class OpenRows:
    """A copy of a book's open rows and living lines, with the face of a Chunk."""

    def __init__(self, rows: Sequence[Row], living: Sequence[Entry]) -> None:
        self._texts = [row.text for row in rows] + [entry.text for entry in living]
        self._stamps = [row.stamp for row in rows] + [entry.stamp for entry in living]
        self._origins = [(row.container, row.source, row.stream) for row in rows]
        self._origins += [(entry.container, entry.source, entry.stream) for entry in living]
        self.rare = {
            index: Rare(row.repeats, tuple(row.folded), row.progress)
            for index, row in enumerate(rows)
            if row.folded
        }

    def __len__(self) -> int:
        return len(self._texts)

    @cached_property
    def text(self) -> str:
        """Give the lines, each ended by a line feed."""
        return "".join(f"{text}\n" for text in self._texts)

    @cached_property
    def latest(self) -> int:
        """Give the newest line's time in nanoseconds since 1970."""
        return max(map(nanoseconds, self._stamps), default=-1)

    def index_of(self, offset: int) -> int:
        """Give the number of the line that holds the character at `offset`."""
        return self.text.count("\n", 0, offset)

    def nanos_of(self, index: int) -> int:
        """Give one line's time in nanoseconds since 1970; -1 where the engine told none."""
        return nanoseconds(self._stamps[index])

    def origin_of(self, index: int) -> Origin:
        """Give where one line comes from."""
        return Origin(*self._origins[index])

    def levels(self, judge: Callable[[str], int]) -> bytes:
        """Give each line's place in LEVELS."""
        if self._levels is None:
            levels = bytearray(map(judge, self._texts))
            for index, rare in self.rare.items():
                if rare.folded:
                    levels[index] = max(levels[index], TRACEBACK)
            self._levels = bytes(levels)
        return self._levels

    _levels: bytes | None = None
