"""The inventory of all roots: headers are read once, and remembered while files are the same."""

import os
import threading
from collections.abc import Mapping, Sequence

import msgspec

from console.clock import Clock, SystemClock
from console.models.disk import HANGS
from console.models.hashes import HashRecords, is_current
from console.models.inventory.edges import fill_edges
from console.models.inventory.found import FoundFile, Inventory, Root
from console.models.inventory.headers import is_quarantined, read_header
from console.models.inventory.precision import parameters_of
from console.models.inventory.recognise import recognise
from console.models.inventory.rules import rules_stamp
from console.models.inventory.seen import Kept, Seen, loosely, pack, unpack
from console.models.inventory.walk import Entry, Walk
from console.store.model_files import ModelFileRow
from console.unknown import Unknown

QUIET = 4.0
"""Seconds without an answer after which a disk counts as hung."""

NOT_THERE = Unknown("models.no-such-folder", "this folder is not there", "a drive not mounted?")
_PACE: Clock = SystemClock()
_HUNG: dict[str, threading.Thread] = {}
_LOCK = threading.Lock()


def scan(roots: Sequence[Root], records: HashRecords, quiet: float = QUIET) -> Inventory:
    """Look through the roots, and read the headers of files that are new or have changed.

    Each root is gone through in a thread of its own; one that hangs gives what it had, with its
    `problem`. A file that two roots reach is the first one's. Never raises.

    Args:
        roots: as `roots_of` gives them.
        records: remembers what headers told, and knows hashes.
        quiet: seconds without an answer after which a root counts as hung.
    """
    begun = _PACE.monotonic()
    known = records.everything()
    walks = [_begin(root, known) for root in roots]
    for walk in walks:
        _wait(walk, quiet)
    # What a thread that hangs adds from now on comes too late.
    reached = [one for walk in walks for one in list(walk.seen)]
    seen = _once(reached)
    folders = {path: mtime for walk in walks for path, mtime in list(walk.folders.items())}
    fill_edges(seen, quiet)
    records.remember_facts(
        (one.entry.path, one.entry.facts, pack(one.kept)) for one in seen if one.new
    )
    records.forget(_gone(known, reached, folders))
    return Inventory(
        roots=tuple(_told(walk) for walk in walks),
        files=tuple(_file(one) for one in seen),
        seconds=_PACE.monotonic() - begun,
        folders=folders,
    )


def changed(inventory: Inventory) -> bool:
    """Tell whether something was added to or taken from a folder since it was looked through.

    It asks for the folders' mtimes only, so it is cheap enough for a tick; a file that was written
    over in place is found by `scan`. Where a disk may hang, call it from a thread only.
    """
    for folder, mtime_ns in inventory.folders.items():
        try:
            if os.stat(folder).st_mtime_ns != mtime_ns:  # noqa: PTH116 -- one of thousands
                return True
        except OSError:
            return True
    return False


def kind_of_folder(root: Root, folder: str) -> str:
    """Give the kind of file that a folder below a root is for; empty where it is for none."""
    kinds = root.kind_by_folder
    while folder:
        if folder in kinds:
            return kinds[folder]
        folder = folder.rpartition("/")[0]
    return kinds.get("", "")


def _begin(root: Root, known: Mapping[str, ModelFileRow]) -> Walk:
    """Begin to go through a root, unless an earlier look at it still hangs."""
    walk = Walk(root, lambda entry: _look(root, entry, known))
    with _LOCK:
        hung = _HUNG.get(root.path)
        if hung is not None and hung.is_alive():
            walk.problem = HANGS
        elif root.problem is None:
            _HUNG.pop(root.path, None)
            walk.start()
    return walk


def _wait(walk: Walk, quiet: float) -> None:
    """Wait for a root while its disk answers."""
    while walk.is_alive():
        left = walk.pulse + quiet - _PACE.monotonic()
        if left <= 0:
            walk.problem = HANGS
            with _LOCK:
                _HUNG[walk.root.path] = walk
            return
        walk.join(left)


def _told(walk: Walk) -> Root:
    problem = walk.problem if walk.root.problem is None else walk.root.problem
    # ComfyUI does not mind that folders listed in extra_model_paths.yaml are missing either.
    if problem is None and walk.missing and not walk.root.only_listed:
        problem = NOT_THERE
    return msgspec.structs.replace(walk.root, problem=problem)


def _once(seen: Sequence[Seen]) -> list[Seen]:
    """Leave out what is reached a second time, through another root or a link."""
    taken = set[tuple[int, int, str]]()
    once = []
    for one in seen:
        place = (*one.entry.parent, one.entry.name)
        if place not in taken:
            taken.add(place)
            once.append(one)
    return once


def _gone(
    known: Mapping[str, ModelFileRow], seen: Sequence[Seen], folders: Mapping[str, int]
) -> list[str]:
    """Give what is remembered of files that are gone from folders that were looked through."""
    there = {one.entry.path for one in seen}
    return [path for path in known if path not in there and path.rpartition("/")[0] in folders]


def _look(root: Root, entry: Entry, known: Mapping[str, ModelFileRow]) -> Seen:
    """Tell what an entry is, from what is remembered where that still holds."""
    place = kind_of_folder(root, entry.folder)
    before = known.get(entry.path)
    row = before if before is not None and is_current(before, entry.facts) else None
    kept = unpack(row.facts, rules_stamp(), place) if row is not None else None
    sha256 = row.sha256 if row is not None else ""
    if kept is not None:
        return Seen(root=root, entry=entry, kept=kept, sha256=sha256)
    kept = _read(entry, place)
    kept.was = _was(before)
    # What could not be read today may be readable tomorrow, with the same figures.
    lasts = entry.state == "file" and kept.problem_code != "models.unreadable"
    return Seen(root=root, entry=entry, kept=kept, sha256=sha256, new=lasts)


def _was(row: ModelFileRow | None) -> str:
    """Give the hash a file had when it was last read; empty where it never was."""
    if row is None:
        return ""
    kept = None if row.sha256 else loosely(row.facts)
    return row.sha256 if kept is None else kept.was


def _read(entry: Entry, place: str) -> Kept:
    """Read a header, and tell what it is of."""
    stamp = rules_stamp()
    if entry.state != "file" or is_quarantined(entry.name):
        form = {"file": "part", "unreadable": "other"}.get(entry.state, entry.state)
        return Kept(stamp=stamp, place=place, format=form)
    header = read_header(entry.path)
    told = recognise(header, entry.name, place)
    problem = header.problem
    return Kept(
        stamp=stamp,
        place=place,
        format=header.format,
        kind=told.kind,
        family=told.family,
        base=told.base,
        precision=told.precision,
        parameters=parameters_of(header),
        promised_bytes=header.promised_bytes,
        problem_code="" if problem is None else problem.code,
        problem_title="" if problem is None else problem.title,
    )


def _file(one: Seen) -> FoundFile:
    entry, kept, facts = one.entry, one.kept, one.entry.facts
    problem = entry.problem
    if problem is None and kept.problem_code:
        problem = Unknown(kept.problem_code, kept.problem_title)
    return FoundFile(
        path=entry.path,
        root=one.root.path,
        folder=entry.folder,
        format=kept.format,
        kind=kept.kind,
        family=kept.family,
        base=kept.base,
        precision=kept.precision,
        parameters=kept.parameters,
        promised_bytes=kept.promised_bytes,
        size=facts.st_size,
        mtime_ns=facts.st_mtime_ns,
        device=facts.st_dev,
        inode=facts.st_ino,
        links=facts.st_nlink,
        is_link=entry.is_link or entry.state == "broken-link",
        sha256=one.sha256,
        was_sha256="" if one.sha256 else kept.was,
        problem=problem,
        edges=kept.edges,
        disk_bytes=facts.st_blocks * 512,
    )
