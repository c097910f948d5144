"""The figures of a whole download, kept over its steps."""

import threading
from collections.abc import Sequence

import msgspec

from actions.models.item import Item
from actions.transfer import FileTransfer, Transfer

_ENDED = ("fetched", "linked", "kept")


class Board:
    """How each file of a plan stands; what one step tells is put together with all others."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._lock = threading.Lock()
        self._files = {
            item.path: FileTransfer(
                id=item.id,
                path=item.path,
                state="waiting",
                bytes_done=item.done if item.action == "fetch" else 0,
                bytes_total=item.size,
            )
            for item in items
        }
        self._fetched = {item.path for item in items if item.action == "fetch"}
        self._network: dict[str, int] = {}

    def put(
        self,
        item: Item,
        state: str,
        *,
        done: int | None = None,
        resumed: int = 0,
        fetched: int = 0,
        rate: float | None = None,
        note: str = "",
    ) -> Transfer:
        """Note how one file stands, and give the figures of all.

        Args:
            item: the file.
            state: as `FileTransfer` has it.
            done: bytes of it on disk; None is as before.
            resumed: of them, found from an earlier attempt.
            fetched: over the network in this attempt.
            rate: bytes a second.
            note: what it waits for.
        """
        with self._lock:
            before = self._files[item.path]
            whole = state in _ENDED
            known = before.bytes_done if done is None else done
            self._files[item.path] = msgspec.structs.replace(
                before,
                state=state,
                bytes_done=before.bytes_total if whole else known,
                resumed_from_bytes=max(resumed, before.resumed_from_bytes),
                note=note,
            )
            if state in {"fetching", "fetched"}:
                self._fetched.add(item.path)
            elif state in {"linked", "kept"}:
                self._fetched.discard(item.path)
            self._network[item.path] = max(fetched, self._network.get(item.path, 0))
            return self._whole(rate, note)

    def _whole(self, rate: float | None, note: str) -> Transfer:
        # Where nothing is fetched, what is read, linked and kept is all there is to tell of.
        fetched = [one for path, one in self._files.items() if path in self._fetched]
        counted = fetched or list(self._files.values())
        done = sum(one.bytes_done for one in counted)
        total = sum(one.bytes_total for one in counted)
        return Transfer(
            files=tuple(self._files.values()),
            bytes_done=done,
            bytes_total=total,
            rate_bytes_per_second=rate,
            eta_seconds=round((total - done) / rate, 1) if rate else None,
            fetched_bytes=sum(self._network.values()),
            resumed_from_bytes=sum(one.resumed_from_bytes for one in counted),
            note=note,
        )
