"""Telling by the header of a file on the hub which folder it belongs in; no weights are fetched."""

from typing import TYPE_CHECKING

from console.hub.facts import HubFile

if TYPE_CHECKING:
    from console.hub.door import HubDoor
    from console.transfer.wanted import Source

_FIRST = 1 << 20
_MOST = 128 << 20


def folder_by_header(door: "HubDoor", hub: HubFile, name: str) -> str:
    """Give the folder of a models folder that a file belongs in; empty where nothing tells.

    Raises:
        HubFault: it cannot be read.
    """
    from console.models.inventory.headers import header_from
    from console.models.inventory.recognise import recognise
    from console.models.places import folder_for

    header = header_from(_Ranges(door.source(hub), hub.size).read, hub.size, name)
    kind = recognise(header, name, "").kind
    return folder_for(kind) if kind else ""


class _Ranges:
    """Reads a file on the hub by places; its first MiB is asked for once."""

    def __init__(self, source: "Source", size: int) -> None:
        self._source = source
        self._size = size
        self._first = b""

    def read(self, start: int, stop: int) -> bytes:
        """Give the bytes from a place up to, not with, another; fewer at the end of the file."""
        stop = min(stop, self._size, start + _MOST)
        if stop > len(self._first) == 0:
            self._first = self._ask(0, min(_FIRST, self._size))
        if stop <= len(self._first):
            return self._first[start:stop]
        return self._ask(start, stop)

    def _ask(self, start: int, stop: int) -> bytes:
        data = bytearray()
        with self._source.open(start, stop) as body:
            unwanted = start - body.start  # a server that ignores ranges begins at 0
            for piece in body.pieces():
                data += piece[unwanted:]
                unwanted = max(unwanted - len(piece), 0)
                if len(data) >= stop - start:
                    break
        return bytes(data[: stop - start])
