"""The bytes of one file on the hub, in ranges, always of the commit that was asked for.

The hub sends a large file's reader on to a signed address on another origin, which goes without the
token. That address is kept for the next range, and asked for again when it is not taken any more.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from console.hub.facts import HubFile
from console.hub.faults import HubFault, fault
from console.hub.line import ANSWER_SECONDS, MOST_HOPS, HubLine

if TYPE_CHECKING:
    import httpx2

    from console.hub.answers import Asked

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_NOT_TAKEN = frozenset({400, 401, 403, 404, 410})


class HubBody:
    """Bytes of a file as they come.

    Attributes:
        start: the place of the first; 0 where the range was ignored.
    """

    def __init__(
        self, answer: "httpx2.Response", asked: "Asked", start: int, stop: int, due: int
    ) -> None:
        self._answer = answer
        self._asked = asked
        self.start = start
        self._most = stop - start
        self._due = due

    def pieces(self) -> Iterator[bytes]:
        """Give them until the end.

        Raises:
            HubFault: fewer came than were due, or more, or none for too long.
        """
        from console.hub.answers import FAULTS, of_error

        got = 0
        try:
            for piece in self._answer.iter_raw():
                got += len(piece)
                if got > self._most:
                    yield piece[: len(piece) - (got - self._most)]
                    raise fault("hub.wrong-length", **self._asked.words())
                yield piece
        except FAULTS as error:
            raise of_error(error, self._asked, body=True) from error
        if got < self._due:
            raise fault("hub.cut", **self._asked.words())


class _NoBody:
    """What there is of an empty range."""

    start = 0

    def pieces(self) -> Iterator[bytes]:
        """Give nothing."""
        return iter(())


class HubSource:
    """Gives ranges of one file; several may be open at once, each read by a thread of its own."""

    def __init__(self, line: HubLine, file: HubFile) -> None:
        self._line = line
        self._file = file
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._address = ""
        self._straight = False
        self._open: set[httpx2.Response] = set()
        self._round = 0

    @contextlib.contextmanager
    def open(self, start: int, stop: int) -> Iterator[HubBody | _NoBody]:
        """Ask for the bytes from `start` up to, not with, `stop`.

        Raises:
            HubFault: with `passing` and `retry_after`.
        """
        if start >= stop:
            yield _NoBody()
            return
        self._line.check()
        asked = self._line.asked(self._file.spec, seen=True, limit=ANSWER_SECONDS)
        now = self._round
        answer = self._answer(start, stop, asked)
        try:
            with self._lock:
                self._open.add(answer)
                if self._round != now:
                    raise fault("hub.cut", **asked.words())
            yield self._body(answer, start, stop, asked)
        finally:
            with self._lock:
                self._open.discard(answer)
            answer.close()

    def abandon(self) -> None:
        """Cut every body that is open now, from any thread; later ones open as ever."""
        with self._lock:
            self._round += 1
            answers = tuple(self._open)
        for answer in answers:
            stream = answer.extensions.get("network_stream")
            wire = stream.get_extra_info("socket") if stream is not None else None
            if isinstance(wire, socket.socket):
                with contextlib.suppress(OSError):
                    # Not the TLS layer's own, which would take itself apart under its reader.
                    socket.socket.shutdown(wire, socket.SHUT_RDWR)

    def _answer(self, start: int, stop: int, asked: "Asked") -> "httpx2.Response":
        """Give an answer of status 200 or 206."""
        headers = {"Range": f"bytes={start}-{stop - 1}"}
        answer, address = self._ask(headers, asked)
        if address and answer.status_code in _NOT_TAKEN:
            # A signed address is good for some time only.
            answer.close()
            self._forget(address)
            answer, address = self._ask(headers, asked)
        if answer.status_code in {200, 206}:
            return answer
        made = self._refused(answer, asked)
        if address and made.status in _NOT_TAKEN:
            self._forget(address)
            detail, status = made.detail, made.status
            raise fault("hub.address-expired", detail=detail, status=status, **asked.words())
        raise made

    def _ask(self, headers: dict[str, str], asked: "Asked") -> "tuple[httpx2.Response, str]":
        """Give an answer and the signed address it is from, empty where it is the hub's own."""
        address = self._address
        if not (address or self._straight):
            # One asks, the others take what it finds.
            with self._asking:
                address = self._address
                if not (address or self._straight):
                    address, answer = self._resolved(headers, asked)
                    if answer is not None:
                        self._straight = answer.status_code in {200, 206}
                        return answer, ""
                    self._address = address
        if not address:
            address, answer = self._resolved(headers, asked)
            if answer is not None:
                return answer, ""
        return self._line.landed(address, headers, asked), address

    def _forget(self, address: str) -> None:
        """Have the next range ask the hub for an address, unless somebody has another by now."""
        with self._asking:
            if self._address == address:
                self._address = ""

    def _resolved(
        self, headers: dict[str, str], asked: "Asked"
    ) -> "tuple[str, httpx2.Response | None]":
        """Ask the hub for the file: gives the address it sends to elsewhere, or its own answer."""
        url = self._line.address(self._file)
        for _ in range(MOST_HOPS):
            answer = self._line.get(url, headers, asked)
            if answer.status_code >= 400:
                return "", answer
            try:
                self._check_unchanged(answer, asked)
            except HubFault:
                answer.close()
                raise
            if not answer.has_redirect_location:
                return "", answer
            answer.close()
            url = self._line.next_hop(url, answer.headers["Location"], asked)
            if not self._line.is_home(url):
                return url, None
        raise fault("hub.redirect", detail=f"more than {MOST_HOPS} times", **asked.words())

    def _check_unchanged(self, answer: "httpx2.Response", asked: "Asked") -> None:
        """Raise where the hub now says something else of the file than it did."""
        headers = answer.headers
        digest = headers.get("X-Linked-Etag", "").removeprefix("W/").strip('"').lower()
        size = headers.get("X-Linked-Size", "")
        commit = headers.get("X-Repo-Commit", "").lower()
        if self._file.sha256 and digest and digest != self._file.sha256:
            raise fault("hub.changed", what=f"its sha256 is {digest[:64]} now", **asked.words())
        if size and size != str(self._file.size):
            raise self._other_size(size, asked)
        if commit and commit != self._file.commit:
            raise fault("hub.changed", what=f"its commit is {commit[:40]} now", **asked.words())

    def _refused(self, answer: "httpx2.Response", asked: "Asked") -> HubFault:
        """Give the fault of an answer that has no bytes of the file."""
        try:
            if answer.status_code == 416:
                total = answer.headers.get("Content-Range", "").rpartition("/")[2]
                if total.isdecimal() and int(total) != self._file.size:
                    return self._other_size(total, asked)
            if answer.status_code < 400:
                return fault("hub.odd-answer", status=answer.status_code, **asked.words())
            made = self._line.refusal(answer, asked)
        finally:
            answer.close()
        if made.code in {"hub.no-file", "hub.no-revision"}:
            what = "its commit is gone" if made.code == "hub.no-revision" else "it is gone"
            return fault(
                "hub.changed", what=what, detail=made.detail, status=made.status, **asked.words()
            )
        return made

    def _body(self, answer: "httpx2.Response", start: int, stop: int, asked: "Asked") -> HubBody:
        """Look at the head of an answer, and give its body where it is what was asked for."""
        headers = answer.headers
        media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media == "text/html" and not self._file.spec.path.lower().endswith((".html", ".htm")):
            from console.hub.answers import own_words

            words = own_words({"content-type": media}, next(answer.iter_raw(), b""))
            raise fault("hub.web-page", detail=words, **asked.words())
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise fault("hub.odd-answer", detail="it compresses", **asked.words())
        if answer.status_code == 200:
            length = headers.get("Content-Length", "")
            if length.isdecimal() and int(length) != self._file.size:
                raise self._other_size(length, asked)
            return HubBody(answer, asked, 0, self._file.size, self._file.size)
        found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if found is not None and found[3] != "*" and int(found[3]) != self._file.size:
            raise self._other_size(found[3], asked)
        if found is None or int(found[1]) != start or int(found[2]) < start:
            detail = (
                f"asked for bytes from {start}, got {headers.get('Content-Range', 'none')[:60]}"
            )
            raise fault("hub.odd-answer", detail=detail, **asked.words())
        return HubBody(answer, asked, start, stop, stop - start)

    def _other_size(self, size: str, asked: "Asked") -> HubFault:
        what = f"{size[:20]} bytes in place of {self._file.size}"
        return fault("hub.changed", what=what, **asked.words())
