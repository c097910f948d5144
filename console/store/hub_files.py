"""What the hub said of files, which other hashes the operator accepted, what rates were reached."""

import sqlite3
import statistics
from datetime import datetime

from console.hub.facts import HubFile, HubSpec
from console.store.bodies import safe_text
from console.store.database import Store

_KEPT_FILES = 5_000
_KEPT_RATES = 100
_COUNTED_RATES = 7
_LEAST_BYTES = 4 << 20
_LEAST_SECONDS = 0.2
_SHA256_DIGITS = 64
_ACCEPTED = "accepted:"
"""An accepted hash has a row of its own, whose revision begins so: no revision can hold a colon."""

_PUT = """
    INSERT OR REPLACE INTO hub_files
        (repo, path, revision, commit_id, size, sha256, accepted, asked_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_FORGET = """
    DELETE FROM hub_files WHERE accepted = 0 AND rowid NOT IN (
        SELECT rowid FROM hub_files WHERE accepted = 0 ORDER BY asked_at DESC LIMIT ?)"""


class HubRecords:
    """The tables of the hub's files and of rates; times come in aware."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def remember(self, file: HubFile, at: datetime) -> None:
        """Note what the hub said of a file, in place of what it said before."""
        spec = file.spec
        values = (
            spec.repo,
            spec.path,
            spec.revision,
            file.commit,
            file.size,
            file.sha256 or file.git_oid,
            0,
            at.timestamp(),
        )

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_PUT, values)
            connection.execute(_FORGET, (_KEPT_FILES,))

        self._store.write(work)

    def recall(self, spec: HubSpec) -> HubFile | None:
        """Give what the hub last said of a file; None where it has not been asked."""
        rows = self._store.read(
            "SELECT commit_id, size, sha256 FROM hub_files "
            "WHERE repo = ? AND path = ? AND revision = ? AND accepted = 0",
            (spec.repo, spec.path, spec.revision),
        )
        if not rows:
            return None
        commit, size, digest = rows[0]
        large = len(digest) == _SHA256_DIGITS
        return HubFile(
            spec=spec,
            commit=commit,
            size=size,
            sha256=digest if large else "",
            git_oid="" if large else digest,
        )

    def accept(self, repo: str, path: str, sha256: str, at: datetime) -> None:
        """Note that the operator takes this hash of a file, whatever the catalogue says."""
        values = (repo, path, _ACCEPTED + sha256, "", 0, sha256, 1, at.timestamp())
        self._store.write(lambda connection: connection.execute(_PUT, values))

    def accepted(self, repo: str, path: str, sha256: str) -> bool:
        """Tell whether the operator has accepted this hash of a file."""
        rows = self._store.read(
            "SELECT 1 FROM hub_files WHERE repo = ? AND path = ? AND revision = ? AND accepted = 1",
            (repo, path, _ACCEPTED + sha256),
        )
        return bool(rows)

    def add_rate(self, endpoint: str, fetched: int, seconds: float, at: datetime) -> None:
        """Note how fast a download was; one too small or short to tell anything is left out.

        Args:
            endpoint: the hub's address.
            fetched: bytes over the network.
            seconds: how long that took, without waiting.
            at: when it ended.
        """
        if fetched < _LEAST_BYTES or seconds < _LEAST_SECONDS:
            return
        values = (at.timestamp(), safe_text(endpoint), fetched, seconds)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO download_rates (at, endpoint, bytes, seconds) VALUES (?, ?, ?, ?)",
                values,
            )
            connection.execute(
                "DELETE FROM download_rates "
                "WHERE number <= (SELECT max(number) FROM download_rates) - ?",
                (_KEPT_RATES,),
            )

        self._store.write(work)

    def rate(self, endpoint: str) -> float | None:
        """Give bytes a second that the newest downloads from a hub reached; None before one."""
        rows = self._store.read(
            "SELECT bytes / seconds FROM download_rates WHERE endpoint = ? "
            "ORDER BY number DESC LIMIT ?",
            (safe_text(endpoint), _COUNTED_RATES),
        )
        return statistics.median(row[0] for row in rows) if rows else None
