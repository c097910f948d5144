"""Hashes of model files, remembered while device, inode, size and mtime are as they were.

Whoever reads a file of 20 GB once need not do so again: a look at its figures tells whether it has
changed. A change that keeps size and mtime is found by reading it in full only.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from console.clock import Clock
from console.store.database import Store
from console.store.model_files import ModelFileRecords, ModelFileRow


class HashRecords:
    """What is known of files on disk; each method takes paths as the file system has them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._records = ModelFileRecords(store)
        self._clock = clock

    def remember(self, path: Path | str, sha256: str, before: os.stat_result | None = None) -> bool:
        """Remember a file's hash, together with its figures.

        Args:
            path: of the file.
            sha256: of its bytes, in hexadecimal.
            before: its figures from before it was read, where it may have been written meanwhile.

        Returns:
            False where it is gone or has changed since `before`: then nothing is remembered.
        """
        facts = figures(path)
        if facts is None or (before is not None and _figures_of(before) != _figures_of(facts)):
            return False
        known = self._records.get(str(path))
        kept = known.facts if known is not None and is_current(known, facts) else ""
        self._records.put([self._row(str(path), facts, kept, sha256)])
        return True

    def recall(self, path: Path | str) -> str:
        """Give a file's sha256; empty where it is not known, or the file has changed since.

        A name that was never hashed has the hash of another name of the same file (a hard link).
        """
        facts = figures(path)
        if facts is None:
            return ""
        known = self._records.get(str(path))
        if known is not None and known.sha256 and is_current(known, facts):
            return known.sha256
        twins = self._records.of_inode(facts.st_dev, facts.st_ino)
        return next((one.sha256 for one in twins if one.sha256 and is_current(one, facts)), "")

    def hashed_at(self, path: Path | str) -> datetime | None:
        """Tell when a file's hash was taken; None where it is not known any more."""
        from console.store.bodies import moment

        facts, known = figures(path), self._records.get(str(path))
        if facts is None or known is None or known.hashed_at is None or not known.sha256:
            return None
        return moment(known.hashed_at) if is_current(known, facts) else None

    def paths_with(self, sha256: str) -> tuple[str, ...]:
        """Give the files that have a hash and have not changed since it was taken."""
        found = []
        for row in self._records.with_hash(sha256):
            facts = figures(row.path)
            if facts is not None and is_current(row, facts):
                found.append(row.path)
        return tuple(sorted(found))

    def everything(self) -> Mapping[str, ModelFileRow]:
        """Give all that is known, by path; whether it still holds is for `is_current`."""
        return {row.path: row for row in self._records.all()}

    def remember_facts(self, found: Iterable[tuple[str, os.stat_result, str]]) -> None:
        """Remember what headers told, in one go; a hash stays while the file is the same.

        Args:
            found: path, figures as they were when the header was read, and text of any form.
        """
        before = self.everything()
        rows = []
        for path, facts, text in found:
            known = before.get(path)
            same = known is not None and is_current(known, facts)
            rows.append(
                ModelFileRow(
                    path=path,
                    device=facts.st_dev,
                    inode=facts.st_ino,
                    size=facts.st_size,
                    mtime_ns=facts.st_mtime_ns,
                    facts=text,
                    sha256=known.sha256 if known is not None and same else "",
                    hashed_at=known.hashed_at if known is not None and same else None,
                )
            )
        self._records.put(rows)

    def forget(self, paths: Iterable[str]) -> None:
        """Forget files that are gone."""
        self._records.forget(paths)

    def _row(self, path: str, facts: os.stat_result, text: str, sha256: str) -> ModelFileRow:
        return ModelFileRow(
            path=path,
            device=facts.st_dev,
            inode=facts.st_ino,
            size=facts.st_size,
            mtime_ns=facts.st_mtime_ns,
            facts=text,
            sha256=sha256,
            hashed_at=self._clock.now().timestamp(),
        )


def is_current(row: ModelFileRow, facts: os.stat_result) -> bool:
    """Tell whether a file is as it was when a row was written."""
    return (row.device, row.inode, row.size, row.mtime_ns) == _figures_of(facts)


def figures(path: Path | str) -> os.stat_result | None:
    """Give what the file system says of a file, links followed; None where it is not there."""
    try:
        return Path(path).stat()
    except (OSError, ValueError):
        return None


def _figures_of(facts: os.stat_result) -> tuple[int, int, int, int]:
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
