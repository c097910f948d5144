"""Whether a file that is here is the wanted one, and having it under another name as well."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from actions.models.item import Item
from actions.session import Session
from actions.trouble import StepError
from console.models.hashes import HashRecords, figures
from console.text import clean_line
from console.transfer.hashing import git_blob_oid, sha256_of
from console.transfer.placing import sync_folder

Reading = Callable[[str, int, int], None]
Stop = Callable[[], str]

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES)


class Keeper:
    """Knows the hashes of files here, and takes those it does not know.

    Attributes:
        sha256: of the file that was found right; empty before.
    """

    def __init__(self, session: Session, item: Item, *, may_link: bool) -> None:
        self._item = item
        self._may_link = may_link
        self._hashes = HashRecords(session.store, session.clock)
        self.sha256 = ""

    def is_right(self, path: str, reading: Reading, stop: Stop) -> bool:
        """Tell whether the file at a path is the wanted one; read where its hash is not known.

        Raises:
            Stopped: `stop` said so while it was read.
            OSError: it cannot be read.
        """
        item, before = self._item, figures(path)
        if before is None or before.st_size != item.size or not Path(path).is_file():
            return False
        known = self._hashes.recall(path)
        if not known:
            known = sha256_of(
                Path(path), report=lambda done, size: reading(path, done, size), stop=stop
            )
            self._hashes.remember(path, known, before)
        right = known == item.sha256 if item.sha256 else git_blob_oid(Path(path)) == item.git_oid
        if right:
            self.sha256 = known
        return right

    def other_name(self, reading: Reading, stop: Stop) -> str:
        """Give a file on the same file system that has the wanted bytes; empty where none has.

        Raises:
            Stopped: `stop` said so while one was read.
        """
        item = self._item
        if not self._may_link or not item.sha256:
            return ""
        known = (item.source, *self._hashes.paths_with(item.sha256), *item.candidates)
        for path in dict.fromkeys(known):
            if not path or path == item.path or not self._same_disk(path):
                continue
            try:
                if self.is_right(path, reading, stop):
                    return path
            except OSError:
                continue  # it went away, or is not ours to read: there are others, and the hub
        return ""

    def link(self, source: str) -> None:
        """Give a file its final name as one more of it.

        Raises:
            StepError: this file system, or this user, cannot (`models.cannot-link`).
            OSError: the folder cannot be made, or not be written.
        """
        final = Path(self._item.path)
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(os.path.realpath(source), final)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            raise StepError(
                "models.cannot-link",
                f"{clean_line(source)} cannot be linked to: {error.strerror or error}",
                "models pull --no-link fetches a copy of its own",
            ) from error
        sync_folder(final.parent)
        self.remember(self._item.path, self._item.sha256)

    def remember(self, path: str, sha256: str) -> None:
        """Remember the hash of a file that was just placed."""
        self._hashes.remember(path, sha256)

    def _same_disk(self, path: str) -> bool:
        facts, folder = figures(path), Path(self._item.path).parent
        while not folder.is_dir():
            folder = folder.parent
        return facts is not None and facts.st_dev == folder.stat().st_dev
