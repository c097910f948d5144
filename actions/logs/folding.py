"""Rows out of entries: tracebacks folded, repeats counted, progress bars kept in one place."""

import re
from collections.abc import Sequence

import msgspec

from actions.logs.line import Entry
from actions.logs.tracebacks import HEADER, Traceback

_BAR = re.compile(r"^(.{0,200}?)\b(\d{1,3})%\|")


class Row(msgspec.Struct):
    """A line of a book while it may still change; the attributes are those of LogLine.

    `level` is its place in LEVELS, or -1 as long as nobody asked; `sealed` means that it may not
    change any more.
    """

    stamp: str
    stream: int
    source: str
    container: str
    text: str
    repeats: int = 1
    folded: Sequence[str] = ()
    progress: bool = False
    level: int = -1
    sealed: bool = False


class _Strand:
    """What was said last in one stream of one source of one container."""

    __slots__ = ("bar", "held", "last", "trace")

    def __init__(self) -> None:
        self.last: Row | None = None
        self.trace: Traceback | None = None
        self.held: Entry | None = None
        self.bar: tuple[str, int] | None = None


class Folder:
    """Turns entries into rows, appended to or changed in the list it is given.

    No line is ever lost: it is a row, folded beneath one, counted in one, or a state of a progress
    bar that a later state replaced.
    """

    def __init__(self) -> None:
        self._strands: dict[tuple[str, int, str], _Strand] = {}

    def take(self, entry: Entry, rows: list[Row]) -> None:
        """Take the next entry that has ended."""
        key = (entry.container, entry.stream, entry.source)
        strand = self._strands.get(key)
        if strand is None:
            strand = self._strands[key] = _Strand()
        text = entry.text
        if strand.trace is not None and self._traced(strand, entry, rows):
            return
        last = strand.last
        if last is not None:
            if text == last.text and text and rows and last is rows[-1] and not last.folded:
                last.repeats += 1
                return
            if "%|" in text and _moved(strand, last, entry):
                return
        row = Row(
            entry.stamp, entry.stream, entry.source, entry.container, text, progress=entry.progress
        )
        rows.append(row)
        strand.last = row
        strand.bar = _bar(text) if "%|" in text else None
        if text.endswith(HEADER):
            strand.trace = Traceback(text)

    def settle(self, rows: list[Row]) -> None:
        """Bring out what was held back: at the end of a log."""
        for strand in self._strands.values():
            strand.trace = None
            _release(strand, rows)

    def _traced(self, strand: _Strand, entry: Entry, rows: list[Row]) -> bool:
        """Fold an entry into the traceback that is open; False where it ended before the entry."""
        trace, row = strand.trace, strand.last
        if trace is None or row is None or row.sealed:
            strand.trace = None
            return False
        verdict = trace.take(entry.text)
        if verdict == "hold":
            strand.held = entry
            return True
        if verdict == "over":
            strand.trace = None
            _release(strand, rows)
            return False
        if strand.held is not None:
            strand.held = None
        row.folded, row.text = trace.above(), trace.last()
        return True


def _release(strand: _Strand, rows: list[Row]) -> None:
    """Make a row of the empty line that might have belonged to a traceback."""
    held, strand.held = strand.held, None
    if held is not None:
        row = Row(held.stamp, held.stream, held.source, held.container, held.text)
        rows.append(row)
        strand.last, strand.bar = row, None


def _bar(text: str) -> tuple[str, int] | None:
    found = _BAR.match(text)
    return (found[1].rstrip(), int(found[2])) if found else None


def _moved(strand: _Strand, last: Row, entry: Entry) -> bool:
    """Move a progress bar on in place, where the entry is the next state of the last one."""
    before, now = strand.bar, _bar(entry.text)
    if before is None or now is None or last.sealed:
        return False
    if before[0] != now[0] or before[1] >= 100 or now[1] < before[1]:
        return False
    last.text, last.stamp, last.progress = entry.text, entry.stamp, True
    strand.bar = now
    return True
