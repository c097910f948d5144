"""How a body goes out: whole or a range of it, with what goes wrong on the way."""

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from console.simulator.hub.bodies import LONGEST_PIECE, Body, flipped
from console.simulator.hub.faults import Fault

if TYPE_CHECKING:
    from console.simulator.hub.answering import Answering

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_FROM_DISK = 8 << 20
_EARLY = ("stall", "cut", "reset")


class _BrokenError(ConnectionError):
    """The file ends too soon: somebody changed it."""


class Delivery:
    """One answer with a body: of `file` (`ORG/NAME/PATH`), with its own headers.

    What comes from the hub itself, small files, comes well; faults are of large ones.
    """

    def __init__(self, call: "Answering", body: Body, file: str, headers: dict[str, str]) -> None:
        self._call = call
        self._body = body
        self._file = file
        self._headers = headers
        self._on_disk: BinaryIO | None = None
        short = self._see("short")
        self._size = max(0, body.size - short.by) if short else body.size
        self._range = _RANGE.fullmatch(call.headers.get("Range", "").strip())
        if self._range is not None and self._take("no-ranges"):
            self._range = None

    def _see(self, kind: str) -> Fault | None:
        book = self._call.state.faults
        return book.see(kind, self._file, "cdn") if self._call.where == "cdn" else None

    def _take(self, kind: str) -> Fault | None:
        book = self._call.state.faults
        return book.take(kind, self._file, "cdn") if self._call.where == "cdn" else None

    def send(self) -> None:
        """Send it, or the range that was asked for."""
        start, stop = self._wanted()
        if self._range is not None and start >= stop:
            self._call.tell("", 416, {"Content-Range": f"bytes */{self._size}"})
            return
        if self._range is not None and (other := self._take("other-range")):
            start, stop = min(start + other.by, self._size - 1), min(stop + other.by, self._size)
        facts = dict(self._headers)
        if self._range is not None:
            facts["Content-Range"] = f"bytes {start}-{stop - 1}/{self._size}"
        self._call.begin(200 if self._range is None else 206, facts, stop - start)
        if self._call.command != "HEAD":
            with self._opened():
                self._go(start, stop)

    def _wanted(self) -> tuple[int, int]:
        """Give where to begin and where to stop; nothing between them where nothing is there."""
        first, last = self._range.groups() if self._range is not None else ("0", "")
        if not first:
            return max(0, self._size - int(last or 0)), self._size
        return int(first), min(int(last) + 1, self._size) if last else self._size

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        if self._body.path is None:
            yield
            return
        with self._body.path.open("rb") as self._on_disk:
            yield
        self._on_disk = None

    def _go(self, start: int, stop: int) -> None:
        """Send the bytes, piece by piece."""
        early = [fault for kind in _EARLY if (fault := self._early(kind, stop - start))]
        at = start
        while at < stop:
            due = [fault for fault in early if start + fault.after <= at]
            if due and not self._break(due[0]):
                return
            early = [fault for fault in early if fault not in due]
            at += self._piece(at, min([stop, *(start + fault.after for fault in early)]))

    def _break(self, fault: Fault) -> bool:
        """Let a body end, break or stand still here; tells whether it goes on afterwards."""
        if fault.kind == "stall":
            fault.sit_out()
            return True
        if fault.kind == "reset":
            self._call.drop()
        self._call.close_connection = True
        return False

    def _early(self, kind: str, length: int) -> Fault | None:
        """Give a fault that comes after some bytes, where the answer is that long."""
        fault = self._see(kind)
        return self._take(kind) if fault is not None and fault.after < length else None

    def _piece(self, at: int, stop: int) -> int:
        """Send what goes at once from `at`, not beyond `stop`, and count it; gives how much."""
        state = self._call.state
        slow = self._see("slow")
        throttle = slow.throttle if slow else state.throttle
        end = min(stop, at + throttle.piece(LONGEST_PIECE if self._on_disk is None else _FROM_DISK))
        spot = self._spot(at)
        if at < spot < end:
            end = spot
        throttle.take(end - at)
        connection: socket.socket = self._call.connection
        if at == spot and self._take("corrupt"):
            went = connection.send(flipped(self._body.piece(at, at + 1), 0))
        elif self._on_disk is not None:
            went = os.sendfile(connection.fileno(), self._on_disk.fileno(), at, end - at)
        else:
            went = connection.send(self._body.piece(at, end))
        if not went:
            raise _BrokenError
        state.sent(self._file, went)
        return went

    def _spot(self, at: int) -> int:
        """Give the place of the byte that is to come changed, if it is still to come."""
        bad = self._see("corrupt")
        if bad is None:
            return -1
        spot = self._body.size // 2 if bad.at is None else bad.at
        return spot if spot >= at else -1
