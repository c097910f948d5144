"""Whether there is room for what is fetched: on each file system, with what other jobs take."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from actions.journal import Journal
from actions.models.item import Item, items_of
from actions.models.words import check, table
from actions.plan import Check
from actions.session import Session
from console.host.disks import DiskReader
from console.units import MIB, format_bytes
from console.unknown import Unknown

if TYPE_CHECKING:
    from console.host.snapshot import Disk


def mount_of(path: Path) -> Path:
    """Give where the file system that holds a path, or will, is mounted."""
    level = nearest_folder(path)
    while not level.is_mount() and level != level.parent:
        level = level.parent
    return level


def nearest_folder(path: Path) -> Path:
    """Give the nearest folder above a path, or the path itself, that exists."""
    for level in (path, *path.parents):
        if level.is_dir():
            return Path(os.path.realpath(level))
    return Path("/")


def answering(folder: Path) -> Check | None:
    """Tell why nothing can be put below a folder at all; None where it can.

    A network mount that hangs is told after a second, so it is asked this before anything else.
    """
    disk = DiskReader().read([("models", folder)])[0]
    if isinstance(disk.free_bytes, Unknown):
        why = disk.free_bytes
        return check(
            "models.disk-unknown", "refuse", path=folder, why=why.title, hint=why.hint or "see df"
        )
    if disk.read_only:
        return check("models.read-only-disk", "refuse", mount=mount_of(folder))
    if (blocking := _in_the_way(folder)) is not None:
        what = "a link that leads nowhere" if blocking.is_symlink() else "a file"
        return check("models.not-a-folder", "refuse", path=blocking, what=what)
    nearest = nearest_folder(folder)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return check("models.not-writable", "refuse", path=nearest, why="permission denied")
    return None


def _in_the_way(folder: Path) -> Path | None:
    """Give what has the name of a folder, or of one above it, and is none; None where nothing."""
    for level in (folder, *folder.parents):
        if level.is_dir():
            return None
        if os.path.lexists(level):
            return level
    return None


def folder_checks(items: Sequence[Item]) -> list[Check]:
    """Give a refusal for each folder that nothing can be put into; one may be a mount of its own.

    Below a models folder somebody else's may lie, such as a container's that runs as root.
    """
    folders = dict.fromkeys(Path(item.path).parent for item in items if item.action != "keep")
    return [made for folder in folders if (made := answering(folder)) is not None]


def room_checks(session: Session, items: Sequence[Item]) -> list[Check]:
    """Give what is needed and free on each file system, and a refusal where that is too little."""
    fetched = [item for item in items if item.action == "fetch"]
    others = remaining_of_others(session, {item.path for item in items})
    checks = []
    for mount in dict.fromkeys(item.mount for item in fetched):
        needed = sum(item.size - item.done for item in fetched if item.mount == mount)
        disk = DiskReader().read([("models", Path(mount))])[0]
        checks += _room(mount, needed, disk, others.get(mount, 0))
    return checks


def remaining_of_others(session: Session, ours: set[str]) -> dict[str, int]:
    """Give how much downloads under way still take, by mount; files that are `ours` not counted."""
    journal = Journal(session)
    left: dict[str, int] = {}
    for row in journal.under_way():
        entry = journal.plan(row.id) if row.verb == "pull" else None
        for item in items_of(entry[0]) if entry else ():
            if item.action == "fetch" and item.path not in ours:
                left[item.mount] = left.get(item.mount, 0) + _remaining(item)
    return left


def _remaining(item: Item) -> int:
    """Give the bytes of a file that are still to come, by what is on the disk now."""
    from console.transfer.part import part_of

    path = Path(item.path)
    if path.exists():
        return 0
    part = part_of(path)
    return item.size - (part.done if part else 0)


def _room(mount: str, needed: int, disk: "Disk", others: int) -> list[Check]:
    free = disk.free_bytes
    if isinstance(free, Unknown):
        return [
            check("models.disk-unknown", "warn", path=mount, why=free.title, hint=free.hint or "")
        ]
    after = free - needed - others
    words = {
        "mount": mount,
        "needed": format_bytes(needed),
        "free": format_bytes(free),
        "others": format_bytes(others),
        "after": format_bytes(max(after, 0)),
        "short": format_bytes(-after),
    }
    with_others = "-with-others" if others else ""
    if after < 0:
        return [check(f"models.disk-full{with_others}", "refuse", code="models.disk-full", **words)]
    checks = [check(f"pull.disk{with_others}", code="pull.disk", **words)]
    if after < table()["disk"]["little_mib"] * MIB:
        checks.append(check("pull.little-left", "warn", **words))
    return checks
