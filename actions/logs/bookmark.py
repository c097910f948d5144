"""How far a log was read, so that reading goes on right there after the connection was lost."""

from actions.logs.line import nanoseconds
from console.engine.frames import CONTINUED, STAMP, Batch, Piece


class Bookmark:
    """Remembers the newest message; the engine is then asked for what is not older.

    It gives that message again, and whatever else bears the same time: these are left out. So is
    what comes before them, which is older, or from before the host's clock was set back.
    """

    def __init__(self) -> None:
        self._stamp = b""
        self._same = 0
        self._torn = 0
        self._left = 0
        self._skip = 0
        self._passing = True
        self._dropping = False

    @property
    def nanos(self) -> int:
        """Give the newest message's time in nanoseconds since 1970; -1 at the beginning."""
        return nanoseconds(self._stamp.decode("ascii").strip())

    def not_found(self) -> None:
        """Say that all was given there is: the newest message is gone, what comes now is new."""
        self._passing = True

    def lost(self, torn: int) -> None:
        """Say that the connection is lost, with `torn` bytes of a message that did not all come."""
        if self._passing and not self._left:
            self._torn = torn
            if torn:
                self._same -= 1
        elif self._passing:
            # Lost again before all of the torn message came that had come already.
            self._same -= 1
        self._left = 0
        self._skip = self._same
        self._passing = not self._stamp
        self._dropping = False

    def take(self, batch: Batch) -> Batch:
        """Give what of the next messages is new, and remember how far that goes."""
        if not self._passing or self._left:
            batch = Batch(list(filter(None, map(self._new, batch.pieces))), plain=False)
        self._note(batch.pieces)
        return batch

    def _new(self, piece: Piece) -> Piece | None:
        """Give a piece, the part of it that is new, or None."""
        stream, data = piece
        if stream & CONTINUED:
            if self._left:
                return self._rest(stream, data)
            return None if self._dropping else piece
        self._dropping = False
        if self._passing:
            return piece
        found = STAMP.match(data)
        if found is None or found[0] > self._stamp:
            self._passing = True
            return piece
        if found[0] < self._stamp and (self._skip or self._torn):
            self._dropping = True
            return None
        if self._skip:
            self._skip -= 1
            self._dropping = True
            return None
        self._passing = True
        if not self._torn:
            return piece
        self._left = self._torn
        self._same += 1
        return self._rest(stream | CONTINUED, data)

    def _rest(self, stream: int, data: bytes) -> Piece | None:
        """Leave out of the torn message what came of it the first time."""
        old = min(self._left, len(data))
        self._left -= old
        return (stream, data[old:]) if len(data) > old else None

    def _note(self, pieces: list[Piece]) -> None:
        newest = b""
        count = 0
        for stream, data in reversed(pieces):
            if stream & CONTINUED:
                continue
            found = STAMP.match(data)
            if found is None:
                continue
            if newest and found[0] != newest:
                break
            newest = found[0]
            count += 1
        else:
            if newest == self._stamp:
                count += self._same
        if newest:
            self._stamp, self._same = newest, count
