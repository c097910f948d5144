"""The door to model files on this host's disks: is the file there, and is it whole.

ComfyUI lists each kind of file in folders of its own below a models folder, with all their
sub-folders, links followed. So does this. Nothing is opened or hashed: names and sizes tell enough
for a pre-check. A folder may lie on a network share or a Windows drive that no longer answers; each
is looked through in a thread of its own, and one that hangs is not asked again.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from console.clock import Clock, SystemClock
from console.config.schema import PathSettings
from console.models.catalog import ModelFile
from console.text import clean_line
from console.unknown import Unknown

ANSWERS_WITHIN = 2.0
"""Seconds for all folders together."""

_ROUNDED = 0.02
"""By so much may a size be off where the catalogue has it rounded only."""

_MOST_FOLDERS = 4_000
_PACE: Clock = SystemClock()

NO_FOLDER = Unknown(
    "models.no-folder",
    "where models are is not known: paths.models is not set",
    'set `models = "…"` under [paths] in the config',
)
HANGS = Unknown(
    "models.folder-hangs",
    f"a models folder gave no answer within {ANSWERS_WITHIN:g} s",
    "a network share or drive that is gone? Look at `mount` and `dmesg`",
)
TOO_MANY = Unknown(
    "models.too-many-folders", f"a models folder holds more than {_MOST_FOLDERS} folders"
)


class OnDisk(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one file of the catalogue is on this host.

    Attributes:
        file_id: the file's id.
        state: `present`, `wrong-size` (truncated, or another file of that name), `missing`, or
            `unreadable` where that cannot be seen.
        path: where it lies; empty where it is missing or unreadable.
        bytes: that it has there; None likewise.
        expected_bytes: by the catalogue; None where no source tells.
        sha256: of its bytes, where the one who looked knows it; else empty.
        problem: why it is unreadable; None otherwise.
    """

    file_id: str
    state: str
    path: str = ""
    bytes: int | None = None
    expected_bytes: int | None = None
    sha256: str = ""
    problem: Unknown | None = None


class _Listing(msgspec.Struct):
    """What lies in one folder and below: files by name, and what could not be seen."""

    files: dict[str, list[tuple[str, int]]]
    problem: Unknown | None = None


class _Search(threading.Thread):
    """One folder being looked through; a daemon, because it may never end."""

    def __init__(self, folder: str, wanted: frozenset[str]) -> None:
        super().__init__(name="models", daemon=True)
        self.folder = folder
        self.wanted = wanted
        self.begun = _PACE.monotonic()
        self.found: _Listing | None = None

    def run(self) -> None:
        self.found = _look_through(self.folder, self.wanted)


# For the whole process: who asks again must not add to what hangs already.
_UNDER_WAY: list[_Search] = []
_LOCK = threading.Lock()


def model_roots(paths: PathSettings) -> tuple[Path, ...]:
    """Give every models folder of the config, the main one first."""
    main = (paths.models,) if paths.models else ()
    return tuple(dict.fromkeys((*main, *(extra.models for extra in paths.extra))))


def look_for(
    files: Sequence[ModelFile], roots: Sequence[Path], within: float = ANSWERS_WITHIN
) -> dict[str, OnDisk]:
    """Give for each file, by its id, whether it is there; returns after `within` seconds.

    Where a name is there twice, the one of the right size counts, else the first found.

    Args:
        files: of the catalogue.
        roots: models folders, such as `model_roots` gives.
        within: seconds for all folders together.
    """
    if not roots:
        return {file.id: _unreadable(file, NO_FOLDER) for file in files}
    folders = {
        file.id: [str(root / name) for root in roots for name in (file.folder, *file.also_in)]
        for file in files
    }
    wanted = frozenset(file.name for file in files)
    searches = {
        folder: _search(folder, wanted, within)
        for folder in dict.fromkeys(one for several in folders.values() for one in several)
    }
    deadline = _PACE.monotonic() + within
    for search in searches.values():
        # One that hangs from before has had its time.
        until = min(deadline, search.begun + within)
        search.join(max(0.0, until - _PACE.monotonic()))
    found = {
        folder: search.found if search.wanted == wanted else None
        for folder, search in searches.items()
    }
    return {
        file.id: _answer(file, [found[folder] for folder in folders[file.id]]) for file in files
    }


def _search(folder: str, wanted: frozenset[str], within: float) -> _Search:
    """Begin to look through a folder, unless an earlier look at it hangs or will do."""
    with _LOCK:
        _UNDER_WAY[:] = [one for one in _UNDER_WAY if one.is_alive()]
        for search in _UNDER_WAY:
            hangs = _PACE.monotonic() - search.begun > within
            if search.folder == folder and (hangs or search.wanted == wanted):
                return search
        fresh = _Search(folder, wanted)
        _UNDER_WAY.append(fresh)
        fresh.start()
    return fresh


def _answer(file: ModelFile, listings: Sequence[_Listing | None]) -> OnDisk:
    found = [place for one in listings if one for place in one.files.get(file.name, ())]
    right = [place for place in found if right_size(file, place[1])]
    for state, places in (("present", right), ("wrong-size", found)):
        if places:
            path, size = places[0]
            return OnDisk(
                file_id=file.id,
                state=state,
                path=clean_line(path, 1_000),
                bytes=size,
                expected_bytes=file.size,
            )
    if any(one is None for one in listings):
        return _unreadable(file, HANGS)
    for one in listings:
        if one is not None and one.problem is not None:
            return _unreadable(file, one.problem)
    return OnDisk(file_id=file.id, state="missing", expected_bytes=file.size)


def right_size(file: ModelFile, size: int) -> bool:
    """Tell whether a file of so many bytes can be that one of the catalogue."""
    if file.bytes is not None:
        return size == file.bytes
    if file.approximate_bytes is not None:
        return abs(size - file.approximate_bytes) <= file.approximate_bytes * _ROUNDED
    return size > 0


def _unreadable(file: ModelFile, why: Unknown) -> OnDisk:
    return OnDisk(file_id=file.id, state="unreadable", expected_bytes=file.size, problem=why)


def _look_through(top: str, wanted: frozenset[str]) -> _Listing:
    """List the wanted files in a folder and all below it; a missing folder holds none."""
    listing = _Listing({})
    waiting, seen = [top], set[tuple[int, int]]()
    while waiting:
        folder = waiting.pop()
        if len(seen) >= _MOST_FOLDERS:
            listing.problem = TOO_MANY
            break
        try:
            facts = Path(folder).stat()
            if (facts.st_dev, facts.st_ino) in seen:  # links may lead in a circle
                continue
            seen.add((facts.st_dev, facts.st_ino))
            waiting += _take(folder, wanted, listing)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            listing.problem = _why(folder, error)
    return listing


def _take(folder: str, wanted: frozenset[str], listing: _Listing) -> list[str]:
    """Note the wanted files of one folder; give its sub-folders, in the order of their names."""
    below = []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if entry.is_dir():
                    below.append(entry.path)
                elif entry.name in wanted and entry.is_file():
                    place = (entry.path, entry.stat().st_size)
                    listing.files.setdefault(entry.name, []).append(place)
            except OSError as error:
                listing.problem = _why(entry.path, error)
    return sorted(below, reverse=True)


def _why(path: str, error: OSError | ValueError) -> Unknown:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return Unknown("models.unreadable", f"{clean_line(path, 200)}: {reason}")
