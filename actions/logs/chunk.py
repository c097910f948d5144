"""A thousand lines of a book that change no more, packed: one text, arrays of places and times."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

import msgspec

from actions.logs.folding import Row
from actions.logs.line import LEVELS, STREAMS, LogLine, moment, nanoseconds

SIZE = 1024


class Origin(msgspec.Struct, frozen=True):
    """Where a line comes from; shared by the lines of a chunk."""

    container: str
    source: str
    stream: int


class Rare(msgspec.Struct, frozen=True):
    """What only few lines have."""

    repeats: int
    folded: tuple[str, ...]
    progress: bool


class Chunk:
    """Sealed rows; nothing in it ever changes, so any thread may read it without a lock.

    Attributes:
        text: the rows' texts, each ended by a line feed.
        origins: where lines come from; a line's is the one at its `which`.
        rare: what only few lines have, by index.
        size: about how many bytes of memory it takes.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        texts = [row.text for row in rows]
        self.text = "\n".join(texts) + "\n"
        self._starts = array("L", accumulate((len(text) + 1 for text in texts), initial=0))
        self._nanos = array("q", [nanoseconds(row.stamp) for row in rows])
        origins: dict[tuple[str, str, int], int] = {}
        self._which = array(
            "H",
            [
                origins.setdefault((row.container, row.source, row.stream), len(origins))
                for row in rows
            ],
        )
        self.origins = tuple(Origin(*origin) for origin in origins)
        self.rare = {
            index: Rare(row.repeats, tuple(row.folded), row.progress)
            for index, row in enumerate(rows)
            if row.repeats > 1 or row.folded or row.progress
        }
        self._levels: bytes | None = None
        self.latest = max(self._nanos)
        below = sum(len(line) + 60 for rare in self.rare.values() for line in rare.folded)
        # CPython stores a text with the width of its widest character.
        width = 1 if self.text.isascii() else 4 if max(self.text) > "\uffff" else 2
        self.size = width * len(self.text) + below + 24 * len(rows)

    def __len__(self) -> int:
        return len(self._nanos)

    @property
    def judged(self) -> bool:
        """Tell whether the levels are known already."""
        return self._levels is not None

    def text_of(self, index: int) -> str:
        """Give one line's text."""
        return self.text[self._starts[index] : self._starts[index + 1] - 1]

    def index_of(self, offset: int) -> int:
        """Give the number of the line that holds the character at `offset`."""
        return bisect_right(self._starts, offset) - 1

    def nanos_of(self, index: int) -> int:
        """Give one line's time in nanoseconds since 1970; -1 where the engine told none."""
        return self._nanos[index]

    def origin_of(self, index: int) -> Origin:
        """Give where one line comes from."""
        return self.origins[self._which[index]]

    def levels(self, judge: Callable[[str], int]) -> bytes:
        """Give each line's place in LEVELS; judged at first need, and kept."""
        if self._levels is None:
            levels = bytearray(map(judge, self.text.split("\n")[:-1]))
            for index, rare in self.rare.items():
                if rare.folded:
                    levels[index] = max(levels[index], TRACEBACK)
            self._levels = bytes(levels)
        return self._levels

    def line(self, index: int, number: int, judge: Callable[[str], int]) -> LogLine:
        """Give one line, numbered."""
        text = self.text_of(index)
        origin = self.origin_of(index)
        rare = self.rare.get(index, _COMMON)
        if self._levels is not None:
            level = self._levels[index]
        else:
            level = max(judge(text), TRACEBACK if rare.folded else 0)
        return LogLine(
            number=number,
            time=moment(self._nanos[index]),
            stream=STREAMS[origin.stream],
            source=origin.source,
            level=LEVELS[level],
            text=text,
            container=origin.container,
            repeats=rare.repeats,
            folded=rare.folded,
            progress=rare.progress,
        )


TRACEBACK = LEVELS.index("error")
_COMMON = Rare(1, (), False)
