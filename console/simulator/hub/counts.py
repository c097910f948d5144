"""What was asked of the hub, and how many bytes of bodies it has sent."""

import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A request as it was answered.

    Attributes:
        where: `hub` or `cdn`. path: as it came, with its query. file: `ORG/NAME/PATH` it is about.
        range: of its headers; empty where it had none. token: whether it carried one.
    """

    where: str
    method: str
    path: str
    file: str
    range: str
    token: bool
    status: int


class Counts:
    """Counts; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes: Counter[str] = Counter()
        self.requests: list[Asked] = []

    def sent(self, file: str, count: int) -> int:
        """Count bytes of a file's body that went out; gives how many went in all."""
        with self._lock:
            self._bytes[file] += count
            return self._bytes[file]

    def asked(self, request: Asked) -> None:
        """Note a request."""
        with self._lock:
            self.requests.append(request)
            del self.requests[:-5000]

    def bytes_served(self, path: str = "") -> int:
        """Give the bytes sent of the files of this path (`ORG/NAME/PATH` or its end), or of all."""
        with self._lock:
            return sum(
                count
                for file, count in self._bytes.items()
                if path in ("", file) or file.endswith(f"/{path}")
            )

    def by_file(self) -> dict[str, int]:
        """Give the bytes sent of each file."""
        with self._lock:
            return dict(self._bytes)
