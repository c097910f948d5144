"""The pictures of edits on this host's disk: kept by date, 0600, never in another's place.

`ROOT/2026-11-27/091500-NAME-ID[-N].png` is a result, named by this host's local time;
`ROOT/.inputs/SHA256.png` an input as it was sent, kept once whoever uses it.
"""

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.clock import Clock
from console.edits.keep_faults import EditKeepError, keep_error, keep_fault
from console.edits.kept import KeptPicture
from console.edits.measuring import measure
from console.edits.recipe import RECIPE_KEY, recipe_text, says_recipe, with_recipe
from console.edits.result import PNG, media_of
from console.text import clean_line
from console.transfer.placing import rename_new, sync_folder

INPUTS = ".inputs"
_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}
_OTHER = ".bin"
_UNSAFE = re.compile(r"[^A-Za-z0-9._]+|[.]{2,}")
_TIME = re.compile("^[0-9]{8}t[0-9]{6}-")
_ASIDE = ".gpuconsole-part"
_OLD_SECONDS = 3600.0
_LONGEST_NAME = 60
_ID_MARKS = 8
_TRIES = 1000
_PIECE = 1 << 20

__all__ = ["INPUTS", "EditKeepError", "KeptFiles"]


class KeptFiles:
    """Puts pictures under one folder, reads them, and takes them away.

    Attributes:
        root: the folder; made with the first picture.
    """

    def __init__(self, root: Path, clock: Clock, *, make_root: bool = True) -> None:
        """Keep to a folder.

        Args:
            root: absolute; it may be a link, what is below it may not lead elsewhere.
            clock: tells what is left of a write that was killed, by its age.
            make_root: make the folders above it too; else only `root` itself, so that a disk that
                is not mounted is not filled in its mount point.
        """
        self.root = root
        self._clock = clock
        self._make_root = make_root

    def keep_output(
        self,
        data: bytes,
        *,
        at: datetime,
        workflow: str,
        edit_id: str,
        number: int = 0,
        media: str = "",
        recipe: Mapping[str, Any] | None = None,
        source: str = "",
    ) -> KeptPicture:
        """Keep a result; keeping the same once more, after a crash, gives the same file.

        Args:
            data: as the service gave it; only a recipe that it lacks is put in, and only into PNG.
            at: when the edit was asked for; the same whenever it is collected.
            workflow: names the file, as far as its letters may.
            edit_id: likewise, by its last letters.
            number: its place among the results of the edit, from 0.
            media: what it is; empty asks its first bytes.
            recipe: as `console.edits.recipe.picture_recipe` gives it.
            source: its name at the service.

        Raises:
            EditKeepError: it could not be kept; nothing of it is left.
        """
        media = media or media_of(data)
        if recipe and media == PNG and not says_recipe(data, recipe):
            data = with_recipe(data, {RECIPE_KEY: recipe_text(recipe)})
        here = at.astimezone()
        stem = f"{here:%H%M%S}-{_word(workflow)}-{_short(edit_id)}"
        stem += f"-{number + 1}" if number else ""
        folder = self.root / f"{here:%Y-%m-%d}"
        path = self._put(folder, stem, _ENDINGS.get(media, _OTHER), data)
        return _picture("output", number, path, data, media, source)

    def keep_input(self, data: bytes, media: str, source: str, number: int) -> KeptPicture:
        """Keep an input as it was sent; `source` is the file that the operator chose.

        Raises:
            EditKeepError: it could not be kept; nothing of it is left.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._put(
            self.root / INPUTS, sha256, _ENDINGS.get(media, _OTHER), data, by_hash=True
        )
        with contextlib.suppress(OSError):
            os.utime(path)  # who removes another edit of it sees that it is wanted
        return _picture("input", number, path, data, media, source)

    def input_of(self, sha256: str) -> Path | None:
        """Give the kept input of a hash; None where there is none."""
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            return None
        named = (self.root / INPUTS / (sha256 + ending) for ending in (*_ENDINGS.values(), _OTHER))
        return next((path for path in named if path.is_file()), None)

    def used_at(self, picture: KeptPicture) -> datetime | None:
        """Give when an input was last kept, for whichever edit; None where it is gone."""
        try:
            seconds = Path(picture.path).lstat().st_mtime
        except OSError:
            return None
        return datetime.fromtimestamp(seconds, UTC)

    def copy_to(self, picture: KeptPicture, folder: Path) -> Path:
        """Copy a kept picture into a folder, under its own name or one beside it; gives the path.

        Raises:
            EditKeepError: the picture is missing or was changed, or the folder does not take it.
        """
        kept = Path(picture.path)
        data = self.read(picture)
        try:
            _make_all(folder)
        except OSError as error:
            raise keep_fault(error, folder, kept.name, len(data)) from error
        return self._place(folder, kept.stem, kept.suffix, data)

    def read(self, picture: KeptPicture) -> bytes:
        """Give a kept picture's bytes, which have the hash that was noted.

        Raises:
            EditKeepError: it is missing (`edits.missing`), was changed (`edits.changed`) or cannot
                be read (`edits.unreadable`).
        """
        path = Path(picture.path)
        try:
            data = _bytes_of(path, picture.size)
        except FileNotFoundError:
            raise keep_error("edits.missing", path.parent, path.name) from None
        except OSError as error:
            said = error.strerror or str(error)
            raise keep_error("edits.unreadable", path.parent, path.name, said=said) from error
        if data is None or hashlib.sha256(data).hexdigest() != picture.sha256:
            raise keep_error("edits.changed", path.parent, path.name)
        return data

    def holds(self, path: Path) -> bool:
        """Tell whether a path lies below the folder, links followed, and names a regular file."""
        try:
            facts = path.lstat()
            whole = Path(os.path.realpath(path.parent), path.name)
        except OSError:
            return False
        root = Path(os.path.realpath(self.root))
        return stat.S_ISREG(facts.st_mode) and whole.is_relative_to(root) and whole != root

    def remove(self, picture: KeptPicture) -> bool:
        """Remove a kept picture and the day's folder that it leaves empty.

        Returns:
            False where it was gone already.

        Raises:
            EditKeepError: it is not below the folder (`edits.not-ours`), it was changed
                (`edits.changed`), or the disk refuses.
        """
        path = Path(picture.path)
        if not os.path.lexists(path):
            return False
        if not self.holds(path):
            raise keep_error("edits.not-ours", path.parent, path.name)
        self.read(picture)
        try:
            path.unlink()
            sync_folder(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise keep_fault(error, path.parent, path.name) from error
        if path.parent != self.root:
            with contextlib.suppress(OSError):  # it holds others: then it stays
                path.parent.rmdir()
        return True

    def _put(
        self, folder: Path, stem: str, ending: str, data: bytes, *, by_hash: bool = False
    ) -> Path:
        """Make a folder of ours ready and place bytes in it."""
        try:
            self._ready(folder)
        except OSError as error:
            raise keep_fault(error, folder, stem + ending, len(data)) from error
        return self._place(folder, stem, ending, data, by_hash=by_hash)

    def _place(
        self, folder: Path, stem: str, ending: str, data: bytes, *, by_hash: bool = False
    ) -> Path:
        """Give bytes the first name that is free or has just these; what is there costs no room."""
        first = folder / f"{stem}{ending}"
        if _has(first, data):
            return first
        try:
            aside = _write_aside(folder, data)
            try:
                if by_hash:
                    aside.replace(first)  # whatever is there is damaged: its name says what belongs
                    sync_folder(folder)
                    return first
                for path in _names(folder, stem, ending):
                    if _placed(aside, path, data):
                        return path
            finally:
                with contextlib.suppress(FileNotFoundError):
                    aside.unlink()
        except OSError as error:
            raise keep_fault(error, folder, stem + ending, len(data)) from error
        raise keep_error("edits.taken", folder, stem + ending)

    def _ready(self, folder: Path) -> None:
        """Make a folder below the root where it is missing, and see that it leads nowhere else."""
        if not self.root.is_dir():
            if self._make_root:
                _make_all(self.root)
            self.root.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode):
            raise OSError(errno.ELOOP, "is no folder of its own", str(folder))
        self._sweep(folder)

    def _sweep(self, folder: Path) -> None:
        """Remove what a killed write left; one that is under way is younger than an hour."""
        oldest = self._clock.now().timestamp() - _OLD_SECONDS
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.endswith(_ASIDE):
                    continue
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        Path(entry.path).unlink()


def _picture(
    role: str, number: int, path: Path, data: bytes, media: str, source: str
) -> KeptPicture:
    size = measure(data)
    return KeptPicture(
        role=role,
        number=number,
        path=str(path),
        source=source,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=size[0] if size else None,
        height=size[1] if size else None,
        media=media,
    )


def _write_aside(folder: Path, data: bytes) -> Path:
    """Write bytes to a new file of a folder, 0600, and see them on the disk; nothing on failure."""
    aside = folder / f".{os.getpid()}-{os.urandom(6).hex()}{_ASIDE}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(aside, flags, 0o600)
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            os.fchmod(handle, 0o600)
            view = memoryview(data)
            while view:
                view = view[file.write(view[:_PIECE]) :]
            os.fsync(handle)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    return aside


def _placed(aside: Path, path: Path, data: bytes) -> bool:
    """Give a file a name that nothing else has; True too where just these bytes have it."""
    try:
        rename_new(aside, path)
    except FileExistsError:
        return _has(path, data)
    sync_folder(path.parent)
    return True


def _make_all(folder: Path) -> None:
    """Make a folder and what is missing above it, closed to others."""
    for level in reversed([folder, *folder.parents]):
        if not level.exists():
            level.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def _has(path: Path, data: bytes) -> bool:
    """Tell whether the file at a path has just these bytes."""
    try:
        return _bytes_of(path, len(data)) == data
    except OSError:
        return False


def _bytes_of(path: Path, size: int) -> bytes | None:
    """Give a regular file's bytes; None where it has another size; links are not followed.

    Raises:
        OSError: missing, unreadable, or no regular file.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
    handle = os.open(path, flags)
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read(size + 1) if facts.st_size == size else None


def _names(folder: Path, stem: str, ending: str) -> Iterator[Path]:
    """Give the name that a file should have, and those to take where it is another's."""
    yield folder / f"{stem}{ending}"
    for number in range(2, _TRIES):
        yield folder / f"{stem}.{number}{ending}"


def _word(workflow: str) -> str:
    """Give a workflow's name as part of a file's: letters, digits, `.`, `_` and `-` only."""
    word = _UNSAFE.sub("-", clean_line(workflow)).strip("-.")[:_LONGEST_NAME].strip("-.")
    return word or "edit"


def _short(edit_id: str) -> str:
    """Give the end of an id, without the time in it: it tells edits of one second apart."""
    own = _TIME.sub("", edit_id.lower())
    return re.sub("[^a-z0-9]", "", own)[-_ID_MARKS:] or "0"
