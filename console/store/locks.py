"""Locks on cards, containers, services and files, held by the kernel and named by a record.

A lock is `flock` on a small file, so a holder that dies frees it, however it dies. The record in
the file only says who holds it; a record without a held lock means nothing.
"""

import contextlib
import fcntl
import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from console.paths import Places, ensure_private_dir
from console.store.bodies import safe
from console.unknown import Unknown

_TRIES = 4
_PAUSE_SECONDS = 0.02
_PLAIN = re.compile(r"[^A-Za-z0-9_.-]")


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock.

    Attributes:
        pid: process on `host`.
        user: login name, with the SSH origin where there is one.
        plan_id: the plan it is held for; may be empty.
        since: ISO 8601 UTC.
        what: what is being done, such as `stop myia`.
    """

    pid: int
    user: str
    host: str
    plan_id: str
    since: str
    what: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that could not be had; `holder` is None where the record cannot be read."""

    name: str
    holder: Holder | None


class Held:
    """Locks that this process holds until `release` or the end of the `with` block."""

    def __init__(self, handles: Sequence[tuple[int, Path]]) -> None:
        self._handles = list(handles)

    def release(self) -> None:
        """Give all locks back; may be called twice."""
        while self._handles:
            handle, path = self._handles.pop()
            # Removed while still held, so that nobody can have locked it in between.
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


class LockFolder:
    """Where the locks of this user lie: the state directory, else a place a reboot may take.

    Attributes:
        path: the directory; None where there is no place at all and nothing can be locked.
        problem: why it is not in the state directory; None while it is.
    """

    def __init__(self, places: Places) -> None:
        self.path: Path | None = None
        self.problem: Unknown | None = None
        for folder in _candidates(places):
            reason = ensure_private_dir(folder)
            if reason is None:
                self.path = folder
                break
            self.problem = reason if self.problem is None else self.problem
        if self.problem is not None:
            where = f"locks are in {self.path}" if self.path else "nothing can be locked"
            self.problem = Unknown(
                "locks.elsewhere",
                f"{where}: {self.problem.title}",
                "Consoles that keep their locks elsewhere are not seen",
            )

    def acquire(self, names: Sequence[str], holder: Holder) -> Held | Taken:
        """Take all the named locks at once, or none; never waits.

        Names are taken in one order by everybody. Where there is no place for locks, or the disk is
        full, the answer is an empty `Held`: refusing to work would help nobody (`problem` says it).
        """
        handles: list[tuple[int, Path]] = []
        for name in sorted(set(names)):
            path = self._file(name)
            if path is None:
                continue
            try:
                handle = _lock_patiently(path)
            except OSError as error:
                self.problem = _cannot_lock(path, error)
                continue
            if handle is None:
                Held(handles).release()
                return Taken(name=name, holder=_holder(path))
            handles.append((handle, path))
            _write(handle, holder)
        return Held(handles)

    def is_free(self, name: str) -> bool:
        """Tell whether nobody holds a lock; also where there is no place for locks."""
        return self.holder(name) is None

    def holder(self, name: str) -> Holder | Unknown | None:
        """Say who holds a lock; None where it is free, Unknown where its record is damaged."""
        path = self._file(name)
        if path is None or not path.exists():
            return None
        try:
            handle = _lock(path)
        except OSError:
            return _holder(path)
        if handle is not None:
            Held([(handle, path)]).release()
            return None
        return _holder(path) or Unknown("locks.unnamed", "held by a process without a name")

    def _file(self, name: str) -> Path | None:
        return None if self.path is None else self.path / f"{_PLAIN.sub('_', name)[:150]}.lock"


def _cannot_lock(path: Path, error: OSError) -> Unknown:
    """Say that a lock cannot be had for want of a place, which is no reason not to work."""
    return Unknown(
        "locks.unavailable",
        f"nothing can be locked in {path.parent}: {error.strerror or error}",
        "Other consoles are not kept from working on the same container",
    )


def _candidates(places: Places) -> tuple[Path, ...]:
    temporary = Path(tempfile.gettempdir()) / f"gpuconsole-{os.getuid()}"
    return (places.state_dir / "locks", places.runtime_dir / "locks", temporary / "locks")


def _lock(path: Path) -> int | None:
    """Lock a file that is still in its place; None where somebody else holds it."""
    while True:
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(path, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            here = os.stat(path)  # noqa: PTH116 -- beside fstat of the same file
            if here.st_ino == os.fstat(handle).st_ino:
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass  # its last holder removed it between our opening and our locking
        os.close(handle)


def _lock_patiently(path: Path) -> int | None:
    """Lock a file; tried a few times, because who only looks holds it for a moment too."""
    for _ in range(_TRIES):
        handle = _lock(path)
        if handle is not None:
            return handle
        time.sleep(_PAUSE_SECONDS)
    return None


def _write(handle: int, holder: Holder) -> None:
    data = json.dumps(safe(msgspec.structs.asdict(holder))).encode()
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, data, 0)
    except OSError:
        return  # a full disk: the lock itself holds, only its holder stays without a name


def _holder(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None
