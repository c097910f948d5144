"""The bounded store of a log's lines: written by one follower, read by any view."""

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate

import msgspec

from actions.logs.chunk import SIZE, TRACEBACK, Chunk
from actions.logs.folding import Folder, Row
from actions.logs.levels import level_of
from actions.logs.line import ERROR, LEVELS, STREAMS, Entry, Level, LogLine, time_of
from actions.logs.open_rows import OpenRows
from actions.logs.pattern import Pattern
from actions.logs.source import fits

MOST_LINES = 200_000
MOST_BYTES = 64 << 20
_SEAL_AT = 2 * SIZE
_SEAL_BYTES = 8 << 20


class Matching(msgspec.Struct, frozen=True):
    """Lines that a filter leaves: positions in order, context included, and the hits among them."""

    positions: Sequence[int]
    hits: frozenset[int]


class LogBook:
    """The newest lines of a log, in order; the oldest go when there are too many.

    Every method may be called from any thread. Positions count from 0 for the oldest line that is
    still there, so they move when lines are dropped; `LogLine.number` does not:
    `number == dropped + position + 1`.

    Args:
        most_lines: about how many lines are kept (dropped by the thousand).
        most_bytes: about how much memory they may take.
    """

    def __init__(self, most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES) -> None:
        self._most_lines = most_lines
        self._most_bytes = most_bytes
        self._lock = threading.RLock()
        self._chunks: deque[Chunk] = deque()
        self._ends: list[int] = []
        self._open_bytes = 0
        self._rows: list[Row] = []
        self._living: dict[tuple[str, int], Entry] = {}
        self._folder = Folder()
        self._dropped = 0
        self._bytes = 0
        self._version = 0
        self._starts: dict[str, int] = {}
        self._sources: dict[str, None] = {}

    def __len__(self) -> int:
        with self._lock:
            return self._sealed() + len(self._rows) + len(self._living)

    @property
    def dropped(self) -> int:
        """Give how many of the oldest lines are not kept any more."""
        return self._dropped

    @property
    def version(self) -> int:
        """Give a number that grows with every change."""
        return self._version

    @property
    def sources(self) -> tuple[str, ...]:
        """Give the sources seen so far, in the order of their first line; without the empty one."""
        return tuple(self._sources)

    @property
    def size(self) -> int:
        """Give about how many bytes the lines that change no more take in memory."""
        return self._bytes

    def append(self, entries: Iterable[Entry]) -> None:
        """Take the next entries, in order; for the one thread that writes."""
        with self._lock:
            rows, folder, living = self._rows, self._folder, self._living
            for entry in entries:
                if entry.source and entry.source not in self._sources:
                    self._sources[entry.source] = None
                key = (entry.container, entry.stream)
                if entry.living:
                    living[key] = entry
                    continue
                if living:
                    living.pop(key, None)
                folder.take(entry, rows)
                self._open_bytes += len(entry.text)
                if len(rows) >= _SEAL_AT or self._open_bytes > _SEAL_BYTES:
                    self._seal()
            self._version += 1

    def settle(self) -> None:
        """Say that the log ended here: what waited for a next line waits no more."""
        with self._lock:
            ended = [
                msgspec.structs.replace(entry, living=False) for entry in self._living.values()
            ]
            self._living.clear()
            for entry in ended:
                self._folder.take(entry, self._rows)
            self._folder.settle(self._rows)
            self._version += 1

    def mark_start(self, container: str, started: datetime) -> None:
        """Note when a container was last started, for `last_start`."""
        with self._lock:
            self._starts[container] = int(started.timestamp() * 1_000_000) * 1000
            self._version += 1

    def line(self, position: int) -> LogLine:
        """Give the line at a position.

        Raises:
            IndexError: there is none.
        """
        with self._lock:
            return self._line(position)

    def slice(self, begin: int, end: int) -> list[LogLine]:
        """Give the lines from one position up to another; fewer where there are not so many."""
        with self._lock:
            return [self._line(at) for at in range(max(begin, 0), min(end, len(self)))]

    def search(self, pattern: str, *, regex: bool = False, case: bool = False) -> Sequence[int]:
        """Give the positions of the lines that hold a text, or a match of an expression, in order.

        Lines folded beneath a line count as that line's.

        Raises:
            PatternError: it is no regular expression, or one that takes for ever.
        """
        return _found_in(self._pieces(), Pattern(pattern, regex, case))

    def matching(
        self,
        pattern: str = "",
        context: int = 2,
        *,
        regex: bool = False,
        case: bool = False,
        level: Level = "",
        sources: Collection[str] = (),
        containers: Collection[str] = (),
    ) -> Matching:
        """Give the lines that fit all that is asked, with `context` lines around each.

        Args:
            pattern: a text or an expression; empty fits every line.
            context: how many lines before and after a hit are left too; of other sources none.
            regex: `pattern` is a regular expression.
            case: capital and small letters differ.
            level: only lines at least as bad.
            sources: only of these, by path or by short name; empty is all.
            containers: only of these; empty is all.

        Raises:
            PatternError: as of `search`.
        """
        pieces = self._pieces()
        wanted = set(_found_in(pieces, Pattern(pattern, regex, case))) if pattern else None
        least = LEVELS.index(level)
        hits: list[int] = []
        allowed: list[int] = []
        for at, lines, index in _walk(pieces, judged=least > 0):
            origin = lines.origin_of(index)
            if (sources and not fits(origin.source, sources)) or (
                containers and origin.container not in containers
            ):
                continue
            allowed.append(at)
            if (wanted is None or at in wanted) and (
                not least or lines.levels(level_of)[index] >= least
            ):
                hits.append(len(allowed) - 1)
        left = _around(hits, context if len(hits) < len(allowed) else 0, len(allowed))
        return Matching([allowed[at] for at in left], frozenset(allowed[at] for at in hits))

    def next_error(self, position: int, step: int = 1) -> int | None:
        """Give the nearest line after (`step` -1: before) a position that tells of an error."""
        pieces = self._pieces()
        bases = list(accumulate(map(len, pieces), initial=0))
        order = range(len(pieces)) if step > 0 else range(len(pieces) - 1, -1, -1)
        for number in order:
            base, piece = bases[number], pieces[number]
            if (step > 0 and base + len(piece) <= position + 1) or (step < 0 and base >= position):
                continue
            levels = piece.levels(level_of)
            found = [
                base + index
                for index, level in enumerate(levels)
                if level >= ERROR and (base + index - position) * step > 0
            ]
            if found:
                return found[0] if step > 0 else found[-1]
        return None

    def last_start(self) -> int | None:
        """Give the first line of the newest run; None where no line of it is here."""
        with self._lock:
            starts = dict(self._starts)
        if not starts:
            return None
        container = max(starts, key=lambda name: starts[name])
        return self._first(starts[container], container)

    def at_time(self, moment: datetime) -> int:
        """Give the first line that is not older than a moment; `len` where all are older."""
        at = self._first(int(moment.timestamp() * 1_000_000) * 1000)
        return len(self) if at is None else at

    def _first(self, nanos: int, container: str = "") -> int | None:
        """Give the first line not older than `nanos`; the clock may have jumped between lines."""
        base = 0
        for lines in self._pieces():
            if lines.latest >= nanos:
                for index in range(len(lines)):
                    if lines.nanos_of(index) >= nanos and (
                        not container or lines.origin_of(index).container == container
                    ):
                        return base + index
            base += len(lines)
        return None

    def judge_some(self) -> bool:
        """Judge the levels of a thousand lines ahead of need; False where all are judged."""
        with self._lock:
            waiting = next((chunk for chunk in reversed(self._chunks) if not chunk.judged), None)
        if waiting is None:
            return False
        waiting.levels(level_of)
        return True

    def _pieces(self) -> "tuple[Chunk | OpenRows, ...]":
        """Give all lines as they are now; what is given does not change."""
        with self._lock:
            return *self._chunks, OpenRows(self._rows, tuple(self._living.values()))

    def _sealed(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _line(self, position: int) -> LogLine:
        if position < 0:
            raise IndexError(position)
        number = self._dropped + position + 1
        if position < self._sealed():
            chunk = bisect_right(self._ends, position)
            begin = self._ends[chunk - 1] if chunk else 0
            return self._chunks[chunk].line(position - begin, number, level_of)
        index = position - self._sealed()
        if index < len(self._rows):
            return _of_row(self._rows[index], number)
        living = tuple(self._living.values())
        entry = living[index - len(self._rows)]
        return LogLine(
            number=number,
            time=time_of(entry.stamp),
            stream=STREAMS[entry.stream],
            source=entry.source,
            level=LEVELS[level_of(entry.text)],
            text=entry.text,
            container=entry.container,
            progress=entry.progress,
            living=True,
        )

    def _seal(self) -> None:
        """Pack the older half of the open rows; drop the oldest chunks where it gets too much."""
        rows = self._rows
        half = rows[: max(len(rows) // 2, 1)]
        for row in half:
            row.sealed = True
        del rows[: len(half)]
        chunk = Chunk(half)
        self._chunks.append(chunk)
        self._bytes += chunk.size
        self._open_bytes //= 2
        while len(self._chunks) > 1 and (
            sum(map(len, self._chunks)) + len(rows) > self._most_lines
            or self._bytes > self._most_bytes
        ):
            oldest = self._chunks.popleft()
            self._bytes -= oldest.size
            self._dropped += len(oldest)
        self._ends = list(accumulate(map(len, self._chunks)))


def _found_in(pieces: "Sequence[Chunk | OpenRows]", pattern: Pattern) -> list[int]:
    """Give the positions of the lines that hold what is searched for, also folded beneath them."""
    finder = pattern.check().finder()
    found: list[int] = []
    base = 0
    for lines in pieces:
        hits = set(finder.search(lines))
        for index, rare in lines.rare.items():
            if index not in hits and any(map(finder.found_in, rare.folded)):
                hits.add(index)
        found += [base + index for index in sorted(hits)]
        base += len(lines)
    return found


def _walk(
    pieces: "Sequence[Chunk | OpenRows]", *, judged: bool
) -> "Iterator[tuple[int, Chunk | OpenRows, int]]":
    """Give every line's position, what it is in and its index there; their levels known."""
    base = 0
    for lines in pieces:
        if judged:
            lines.levels(level_of)
        for index in range(len(lines)):
            yield base + index, lines, index
        base += len(lines)


def _of_row(row: Row, number: int) -> LogLine:
    if row.level < 0:
        row.level = max(level_of(row.text), TRACEBACK if row.folded else 0)
    return LogLine(
        number=number,
        time=time_of(row.stamp),
        stream=STREAMS[row.stream],
        source=row.source,
        level=LEVELS[row.level],
        text=row.text,
        container=row.container,
        repeats=row.repeats,
        folded=tuple(row.folded),
        progress=row.progress,
    )


def _around(hits: Sequence[int], context: int, count: int) -> list[int]:
    """Give the hits with their neighbours, each once, in order."""
    if context <= 0:
        return list(hits)
    left: list[int] = []
    for hit in hits:
        begin = max(hit - context, left[-1] + 1 if left else 0)
        left += range(begin, min(hit + context + 1, count))
    return left
