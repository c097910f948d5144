"""The steps of plans that tidy up, and what is said of each before."""

import os
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from actions.models.marks import Mark, as_data, from_data
from actions.models.needed import fix_check
from actions.plan import Check, Step
from console.text import clean_line
from console.units import format_bytes

_SECONDS = 10.0
_SLOW_RATE = 20e6
"""Bytes a second that the slowest of disks reads, such as a Windows one seen from WSL."""


def move_step(number: int, act: str, mark: Mark, to: str, title: str) -> Step:
    """Give the step that moves a file, or links it, to another path."""
    source, target = shlex.quote(mark.path), shlex.quote(to)
    command = f"ln -f {target} {source}" if act == "link" else f"mv -n {source} {target}"
    return Step(
        id=f"{act}-{number}",
        title=clean_line(title),
        touches=(f"file {mark.shown}",),
        command=command,
        undo="" if act == "link" else f"mv -n {target} {source}",
        target_id=mark.path,
        options={"act": act, "file": as_data(mark), "to": to},
    )


def delete_step(number: int, mark: Mark, *, stays: bool) -> Step:
    """Give the step that deletes a file, with what it destroys in its title.

    Args:
        number: of the step.
        mark: of the file.
        stays: its bytes have a name that is not deleted.
    """
    size = format_bytes(mark.size)
    if mark.is_link or stays:
        size = "a link" if mark.is_link else f"one of {mark.links} names of {size}"
    return Step(
        id=f"delete-{number}",
        title=clean_line(f"Delete {mark.shown} ({size})"),
        touches=(f"file {mark.shown}",),
        command=f"rm {shlex.quote(mark.path)}",
        destructive=not stays,
        target_id=mark.path,
        options={"act": "delete", "file": as_data(mark)},
    )


def staying(marks: Sequence[Mark]) -> frozenset[tuple[int, int]]:
    """Give the files, by device and inode, that have more names than the marked ones."""
    going = Counter((mark.device, mark.inode) for mark in marks)
    links = {(mark.device, mark.inode): mark.links for mark in marks}
    return frozenset(file for file, count in going.items() if links[file] > count)


def losses(mark: Mark, ident: str, *, stays: bool) -> list[Check]:
    """Say what deleting a file destroys, and whether it can be had again."""
    if mark.is_link:
        return []
    if stays:
        return [fix_check("fix.frees-nothing", path=mark.shown, links=mark.links)]
    if ident:
        return [fix_check("fix.fetch-again", name=mark.name, id=ident)]
    return [fix_check("fix.destroys", "warn", path=mark.shown, size=format_bytes(mark.size))]


def freed(marks: Sequence[Mark]) -> Check:
    """Say how much disk becomes free; a file with other names frees none."""
    stay = staying(marks)
    sizes = {(mark.device, mark.inode): mark.size for mark in marks if not mark.is_link}
    size = sum(size for file, size in sizes.items() if file not in stay)
    return fix_check("fix.frees", count=files_text(len(marks)), size=format_bytes(size))


def way(mark: Mark, to: str) -> list[Check]:
    """Say where a file goes, and refuse where it cannot go there."""
    words = {"path": mark.shown, "name": mark.name, "to": clean_line(to, 300)}
    if os.path.lexists(to):
        return [fix_check("fix.taken", "refuse", **words)]
    folder = Path(to).parent
    while not folder.exists():
        folder = folder.parent
    if folder.stat().st_dev != mark.device:
        return [fix_check("fix.moved-disk", "refuse", **words)]
    return [fix_check("fix.way-back", **words)]


def longest(steps: Sequence[Step]) -> float:
    """Give how long steps may take: to link two files, both are read."""
    links = [step for step in steps if step.options["act"] == "link"]
    size = sum(from_data(step.options["file"]).size for step in links)
    return _SECONDS * max(1, len(links)) + 2 * size / _SLOW_RATE


def distant(path: str, kept: str) -> Check:
    """Say that two files with the same bytes lie on two file systems."""
    return fix_check("fix.other-disk", path=clean_line(path, 300), to=clean_line(kept, 300))


def same_file(path: str, other: str) -> bool:
    """Tell whether two names are one file, or one is gone."""
    try:
        return Path(path).samefile(other)
    except OSError:
        return True


def files_text(count: int) -> str:
    """Give a number of files in words."""
    return "1 file" if count == 1 else f"{count} files"
