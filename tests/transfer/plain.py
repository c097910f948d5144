"""The least that is a source: `http.client`, a signed address, ranges; quick to start.

What the program itself uses is slower to import (the hub's own library), and a process that is
killed fifty times has to start fifty times.
"""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from console.errors import ConsoleError


class PlainFault(ConsoleError):  # noqa: N818 -- named as the hub's own
    """What a server did not do."""

    def __init__(
        self, title: str, *, passing: bool = True, retry_after: float | None = None
    ) -> None:
        super().__init__("plain.fault", title)
        self.passing = passing
        self.retry_after = retry_after


class PlainBody:
    """An answer's bytes."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer
        said = answer.headers.get("Content-Range", "bytes 0-")
        self.start = int(said.removeprefix("bytes ").split("-")[0]) if answer.status == 206 else 0

    def pieces(self) -> Iterator[bytes]:
        try:
            while piece := self._answer.read1(256 * 1024):
                yield piece
        except (OSError, ValueError, http.client.HTTPException, AttributeError) as error:
            raise PlainFault(f"the connection broke: {error}") from error


class PlainSource:
    """A file of a hub, by its address (`…/resolve/COMMIT/PATH`)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._signed = ""
        self._guard = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()
        self._kept = threading.local()

    @contextlib.contextmanager
    def open(self, start: int, stop: int) -> Iterator[PlainBody]:
        connection, target = self._connection(self._address())
        with self._guard:
            self._open.add(connection)
        try:
            try:
                connection.request("GET", target, headers={"Range": f"bytes={start}-{stop - 1}"})
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise PlainFault(f"no answer: {error}") from error
            if answer.status not in (200, 206):
                wait = answer.headers.get("Retry-After")
                self._signed = ""
                raise PlainFault(
                    f"answered {answer.status}", retry_after=float(wait) if wait else None
                )
            yield PlainBody(answer)
            if not answer.isclosed() or answer.length:
                connection.close()
        except BaseException:
            connection.close()
            raise
        finally:
            with self._guard:
                self._open.discard(connection)

    def abandon(self) -> None:
        with self._guard:
            for connection in self._open:
                if (sock := connection.sock) is not None:
                    with contextlib.suppress(OSError):
                        sock.shutdown(2)

    def _address(self) -> str:
        with self._guard:
            if not self._signed:
                connection, target = self._connection(self._url)
                try:
                    connection.request("HEAD", target)
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, http.client.HTTPException) as error:
                    connection.close()
                    raise PlainFault(f"the hub does not answer: {error}") from error
                if answer.status >= 400:
                    wait = answer.headers.get("Retry-After")
                    raise PlainFault(
                        f"the hub answered {answer.status}",
                        passing=answer.status in (429, 500, 502, 503),
                        retry_after=float(wait) if wait else None,
                    )
                self._signed = urljoin(self._url, answer.headers.get("Location", ""))
            return self._signed

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, str]:
        """Give this thread's connection to an origin, and the target of an address there."""
        parts = urlsplit(url)
        kept: dict[str, http.client.HTTPConnection] = self._kept.__dict__
        if parts.netloc not in kept:
            kept[parts.netloc] = http.client.HTTPConnection(parts.netloc, timeout=120)
        return kept[parts.netloc], f"{parts.path}?{parts.query}" if parts.query else parts.path
