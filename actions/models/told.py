"""What is remembered of model files: their hashes, and what the hub said of them."""

from collections.abc import Sequence

from actions.session import Session
from console.hub.facts import HubSpec
from console.models.catalog import ModelFile
from console.models.hashes import HashRecords
from console.store.hub_files import HubRecords


class SessionTold:
    """The store of a session, as `pieces_of` wants it."""

    def __init__(self, session: Session) -> None:
        self._hashes = HashRecords(session.store, session.clock)
        self._hub = HubRecords(session.store)

    def sha256(self, path: str) -> str:
        """Give the hash of a file on disk that has not changed since it was taken; else empty."""
        return self._hashes.recall(path)

    def wanted(self, file: ModelFile, sha256: str) -> Sequence[str]:
        """Give the hashes that a file may have, `sha256` if the operator accepted it."""
        from actions.models.inventory import wanted_hashes

        return wanted_hashes(file, self._hub, sha256)

    def size(self, file: ModelFile) -> int | None:
        """Give the bytes that the hub told, where the catalogue does not know them exactly."""
        spec = HubSpec(repo=file.repo, path=file.path, revision=file.asked_revision)
        told = self._hub.recall(spec)
        return told.size if told is not None else None
