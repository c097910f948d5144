"""What is fetched, from what kind of source, how it goes, and what came of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A file to have at `path`.

    Attributes:
        path: its final name; the folder exists or is made.
        size: bytes.
        sha256: what its bytes must have; empty where only `git_oid` (sha1 of git's blob) is known.
        origin: what tells one version from another, such as `ORG/REPO@COMMIT/PATH`; part files of
            another origin with the same sha256 may be gone on with, of another sha256 never.
    """

    path: Path
    size: int
    sha256: str = ""
    git_oid: str = ""
    origin: str = ""


class Body(Protocol):
    """Bytes as they come; `start` is the place of the first (0 where a range was ignored)."""

    start: int

    def pieces(self) -> Iterator[bytes]:
        """Give them until the end; raises the source's faults."""
        ...


class Source(Protocol):
    """Where the bytes come from."""

    def open(self, start: int, stop: int) -> AbstractContextManager[Body]:
        """Ask for the bytes from `start` up to, not with, `stop`.

        Raises:
            ConsoleError: with `passing: bool` (worth another try) and `retry_after: float | None`
                (seconds the other side wants to be left alone).
        """
        ...

    def abandon(self) -> None:
        """Cut every body that is open now, from another thread; later ones open as ever."""
        ...


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes.

    Attributes:
        state: `checking` (what is there is read again), `fetching`, `stalled`, `rate-limited`,
            `placing`.
        done: bytes on disk of `total`.
        resumed_from: bytes found from an earlier attempt.
        fetched: bytes over the network in this attempt, with those that were in vain.
        rate: bytes a second over the last seconds; None before there is one, and in a stall.
        note: what it waits for, in words; may be empty.
    """

    state: str
    done: int
    total: int
    resumed_from: int = 0
    fetched: int = 0
    rate: float | None = None
    note: str = ""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A file under its final name, checked.

    Attributes:
        sha256: of its bytes.
        fetched: bytes over the network, with those that were in vain.
        resumed_from: bytes found from an earlier attempt.
        twice: why it had to be fetched once more, with both hashes and where the wrong bytes are
            kept; empty where it had not.
    """

    path: Path
    size: int
    sha256: str
    fetched: int
    resumed_from: int
    twice: str = ""
