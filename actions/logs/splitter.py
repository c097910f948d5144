"""From the engine's messages to entries: lines put together, cleaned, and told whose they are."""

from datetime import UTC, datetime
from itertools import pairwise

from actions.logs.line import Entry, stamp_of
from actions.logs.source import HEADER_BEGIN, source_of
from actions.logs.tidy import LONGEST, collapsed, tidy
from console.engine.frames import CONTINUED, STAMP, Batch, Piece
from console.text import ELLIPSIS, clean

_HARMLESS = bytes(range(0x20, 0x7F)) + b"\n"
_BREAKS = "\r\x0b\x0c\x85\u2028\u2029"


class _Pending:
    """A line that has not ended yet."""

    __slots__ = ("cut", "kept", "stamp")

    def __init__(self, stamp: str) -> None:
        self.stamp = stamp
        self.kept = b""
        self.cut = 0

    def add(self, data: bytes) -> None:
        """Take more of the line; of a very long one the beginning is kept, and the rest counted."""
        if self.cut:
            back = data.rfind(b"\r")
            if back < 0:
                self.cut += len(data)
                return
            data, self.cut = data[back:], 0
        self.kept += data
        if len(self.kept) > LONGEST and b"\r" in self.kept:
            self.kept = collapsed(self.kept)
        if len(self.kept) > LONGEST:
            self.cut = len(self.kept) - LONGEST
            self.kept = self.kept[:LONGEST]

    def text(self) -> tuple[str, bool]:
        """Give the line as it is to be shown, and whether it overwrote itself."""
        text, progress = tidy(self.kept.decode("utf-8", "replace"))
        if self.cut:
            text += f"{ELLIPSIS} ({self.cut:,} more bytes of this line are not shown)"
        return text, progress


class Splitter:
    """Makes entries of one container's messages.

    Args:
        container: the name that its entries carry.
    """

    def __init__(self, container: str) -> None:
        self._container = container
        self._pending: dict[int, _Pending] = {}
        self._sources = ["", "", ""]
        self._blanks: dict[int, Entry] = {}
        self._stamps = ["", "", ""]

    def feed(self, batch: Batch) -> list[Entry]:
        """Give the entries that are complete now, and at the end those that go on (`living`)."""
        if batch.plain and not self._pending and batch.pieces:
            entries = self._whole_lines(batch.pieces)
            if entries is not None:
                return entries
        entries = []
        for piece in batch.pieces:
            self._take(piece, entries)
        for stream, pending in self._pending.items():
            text, progress = pending.text()
            if text:
                entries.append(self._entry(pending.stamp, stream, text, progress, living=True))
        return entries

    def finish(self) -> list[Entry]:
        """Give what was held back, at the end of a log."""
        entries: list[Entry] = []
        pending, self._pending = self._pending, {}
        for stream, line in pending.items():
            self._add(line.stamp, stream, *line.text(), entries)
        blanks, self._blanks = self._blanks, {}
        return entries + list(blanks.values())

    def _whole_lines(self, pieces: list[Piece]) -> list[Entry] | None:
        """Make entries of messages that are one line each, all at once; None where they are not."""
        text, one_by_one = _made_safe(b"".join([message for _, message in pieces]))
        lines = text.split("\n")
        if len(lines) != len(pieces) + 1:
            return None
        entries: list[Entry] = []
        add, sources, container = entries.append, self._sources, self._container
        for (stream, message), line in zip(pieces, lines, strict=False):
            if line[29:31] != "Z ":
                self._take((stream, message), entries)
                continue
            text = line[31:]
            progress = False
            if one_by_one and not (text.isascii() and text.isprintable()):
                text, progress = tidy(text)
            if sources[stream] or text.startswith(HEADER_BEGIN):
                self._add(line[:30], stream, text, progress, entries)
            else:
                add(Entry(line[:30], stream, "", container, text, progress))
        return entries

    def _take(self, piece: Piece, entries: list[Entry]) -> None:
        """Take a piece of any shape: part of a message, part of a line, several lines."""
        stream, data = piece[0] & ~CONTINUED, piece[1]
        if not piece[0] & CONTINUED:
            found = STAMP.match(data)
            if found:
                self._stamps[stream] = _normal(found[0][:-1].decode("ascii"))
                data = data[found.end() :]
            elif stream not in self._pending:
                self._stamps[stream] = ""
        parts = data.split(b"\n")
        for part, _ in pairwise(parts):
            pending = self._pending.pop(stream, None) or _Pending(self._stamps[stream])
            pending.add(part.rstrip(b"\r"))
            self._add(pending.stamp, stream, *pending.text(), entries)
        if parts[-1]:
            if stream not in self._pending:
                self._pending[stream] = _Pending(self._stamps[stream])
            self._pending[stream].add(parts[-1])

    def _add(
        self, stamp: str, stream: int, text: str, progress: bool, entries: list[Entry]
    ) -> None:
        """Add a line; headers of another file, and the empty line before, only change the source.

        That line is tail's, not the file's.
        """
        held = self._blanks.pop(stream, None) if self._blanks else None
        if text.startswith(HEADER_BEGIN):
            source = source_of(text)
            if source is not None:
                self._sources[stream] = source
                return
        if held is not None:
            entries.append(held)
        entry = self._entry(stamp, stream, text, progress)
        if not text and self._sources[stream]:
            self._blanks[stream] = entry
        else:
            entries.append(entry)

    def _entry(
        self, stamp: str, stream: int, text: str, progress: bool, living: bool = False
    ) -> Entry:
        return Entry(stamp, stream, self._sources[stream], self._container, text, progress, living)


def _made_safe(data: bytes) -> tuple[str, bool]:
    """Decode and clean many lines at once; tells whether each has to be looked at all the same.

    Cleaning a line is cleaning its part of the whole, as long as nothing in it breaks lines.
    """
    data = data.replace(b"\r\n", b"\n")
    text = data.decode("utf-8", "replace")
    if not data.translate(None, _HARMLESS):
        return text, False
    if any(mark in text for mark in _BREAKS):
        return text, True
    text = clean(text)
    return text, "\t" in text


def _normal(stamp: str) -> str:
    """Give a stamp as Docker writes it: in UTC, with nine digits, so that stamps sort as texts."""
    if len(stamp) == 30 and stamp.endswith("Z"):
        return stamp
    whole, zone = (stamp[:-1], "Z") if stamp.endswith("Z") else (stamp[:-6], stamp[-6:])
    seconds, _, fraction = whole.partition(".")
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone))
        utc = stamp_of(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return ""
    return f"{utc[:19]}.{fraction:0<9}Z"
