"""A file that a plan is about: named so that nothing else can pass for it, and known again."""

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from actions.trouble import StepError
from console.errors import UsageError
from console.models.inventory.found import Root
from console.store.bodies import safe_text
from console.text import clean_line


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was when a plan was made; a link is taken as the link itself.

    Attributes:
        path: its folder without links, and its name.
        root: of the models folder it lies in.
        folder: between root and name, with `/`; may be empty.
        device, inode, size, mtime_ns: as the file system has it.
        links: how many names it has.
        is_link: it is a symbolic link.
    """

    path: str
    root: str
    folder: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    links: int = 1
    is_link: bool = False

    @property
    def name(self) -> str:
        """Its name on disk."""
        return Path(self.path).name

    @property
    def shown(self) -> str:
        """Its path as it may be shown."""
        return clean_line(self.path, 300)


def mark_of(path: Path | str, roots: Sequence[Root]) -> Mark:
    """Look at a file below one of the models folders.

    Raises:
        UsageError: it is not there, no file, or in none of the folders.
    """
    given = Path(path).absolute()
    place = place_of(given)
    shown = clean_line(str(given), 300)
    inside = next((root for root in roots if lies_below(place, root)), None)
    if inside is None or given.name in {"", ".", ".."}:
        raise UsageError(
            "models.outside",
            f"{shown} is in none of the models folders",
            "gpuconsole models inventory names them; only what lies there is touched",
        )
    if safe_text(str(place)) != str(place):
        raise UsageError(
            "models.odd-name",
            f"{shown} is named like a secret, or with characters that are no text",
            "The journal could not keep the plan: move it by hand",
        )
    try:
        facts = place.lstat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be named so"
        raise UsageError("models.no-file", f"{shown}: {reason}") from error
    if not (stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode)):
        raise UsageError("models.no-file", f"{shown} is no file")
    root = os.path.realpath(inside.path)
    folder = os.path.relpath(place.parent, root)
    return Mark(
        path=str(place),
        root=root,
        folder="" if folder == "." else folder,
        device=facts.st_dev,
        inode=facts.st_ino,
        size=facts.st_size,
        mtime_ns=facts.st_mtime_ns,
        links=facts.st_nlink,
        is_link=stat.S_ISLNK(facts.st_mode),
    )


def place_of(path: Path | str) -> Path:
    """Give a path with the links of its folder followed, not those of its last part."""
    given = Path(path).absolute()
    return Path(os.path.realpath(given.parent)) / given.name


def lies_in(path: str, places: Sequence[Path]) -> bool:
    """Tell whether a file is one of these places, or below one, whatever links lead there.

    Args:
        path: of the file.
        places: as `place_of` gives them.
    """
    place = place_of(path)
    return any(place.is_relative_to(one) or place.is_relative_to(os.path.realpath(one))
               for one in places)  # fmt: skip


def check_same(mark: Mark) -> None:
    """See that a file is the very one that the plan was made for.

    Raises:
        StepError: it is gone, or another one, or has changed (`models.changed`).
    """
    try:
        facts = Path(mark.path).lstat()
    except OSError as error:
        raise StepError(
            "models.changed", f"{mark.shown} is not there any more: nothing was done to it"
        ) from error
    now = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    if now != (mark.device, mark.inode, mark.size, mark.mtime_ns):
        raise StepError(
            "models.changed",
            f"{mark.shown} is not as it was when the plan was made: nothing was done to it",
            "Somebody wrote to it or replaced it meanwhile: look at it, and plan again",
        )


def lock_of(path: str) -> str:
    """Give the lock of a file's place, which whoever fetches it holds too."""
    real = os.path.realpath(path)
    return f"file-{hashlib.sha256(os.fsencode(real)).hexdigest()[:32]}"


def as_data(mark: Mark) -> dict[str, Any]:
    """Give a mark as a step carries it."""
    return msgspec.structs.asdict(mark)


def from_data(data: dict[str, Any]) -> Mark:
    """Give the mark that a step carries."""
    return msgspec.convert(data, Mark)


def lies_below(path: Path, root: Root) -> bool:
    """Tell whether a place is below a models folder; where only some folders are listed, in one.

    What a list has as its base may be a home directory, with all that is in it.
    """
    listed = root.kind_by_folder if root.only_listed else ("",)
    tops = (Path(os.path.realpath(Path(root.path, name))) for name in listed)
    return any(top in path.parents for top in tops)
