"""What lies on the host's disks that setup asks about: model folders and compose files."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from actions.doctor.ground import Ground as DoctorGround
from actions.setup.compose_search import compose_files, drive_places, model_places
from actions.setup.ground import Ground
from actions.setup.words import words
from console.engine.values import items, mapping, text
from console.errors import ConsoleError
from console.host.snapshot import HostFacts
from console.paths import find_home
from console.unknown import Unknown

_PATIENCE = 3.0
_MOST_MOUNTED = 40


class ModelsFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that holds models, or is to hold them.

    Attributes:
        path: where it is.
        marks: the folders in it by which it was known, such as `vae`.
        empty: there is nothing in those.
        slow: it lies on a Windows drive.
        free_bytes: room on its disk; None where that is not known.
    """

    path: Path
    marks: tuple[str, ...] = ()
    empty: bool = False
    slow: bool = False
    free_bytes: int | None = None


class OnDisk(msgspec.Struct, kw_only=True):
    """What was found, in the order in which it is the more likely.

    Attributes:
        models: folders of models.
        files: compose files.
        late: a disk did not answer in time: there may be more.
    """

    models: list[ModelsFolder] = []
    files: list[Path] = []
    late: bool = False


def search(ground: Ground) -> OnDisk:
    """Look for model folders and compose files, in a thread of its own: a drive may not answer."""
    found = OnDisk(models=[], files=[])
    thread = threading.Thread(target=_find, args=(ground, found), name="setup-search", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return OnDisk(models=list(found.models), files=list(found.files), late=thread.is_alive())


def default_models(ground: Ground) -> Path | None:
    """Give where a models folder is made where there is none; None without a home directory."""
    home = find_home(ground.session.environ)
    return home / "ComfyUI" / "models" if home is not None else None


def is_slow(ground: Ground, folder: Path) -> bool:
    """Tell whether a folder lies on a Windows drive, which WSL reads over a network protocol."""
    facts = ground.snapshot.host
    if isinstance(facts, Unknown) or not _on_wsl(facts):
        return False
    for base in (ground.session.root, Path("/")):
        try:
            parts = folder.relative_to(base / "mnt").parts
        except ValueError:
            continue
        return bool(parts) and len(parts[0]) == 1
    return False


def room(folder: Path) -> int | None:
    """Give the free bytes of the disk that a folder is on, or will be; None where it is not told.

    Asks the disk: only for folders that have just answered.
    """
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def _on_wsl(facts: HostFacts) -> bool:
    return str(facts.platform).startswith("wsl")


def _find(ground: Ground, found: OnDisk) -> None:
    places = words().search
    home = find_home(ground.session.environ)
    candidates = [*_mounted_into(ground)]
    candidates += [home / one for one in places.home] if home is not None else []
    candidates += model_places(ground.session.root)
    for place in candidates:
        _take(ground, place, found)
    drives = _drives(ground)
    # Files on the host's own disks first: a drive that does not answer ends the search.
    for file in compose_files(home, ground.session.root, ()):
        found.files.append(file)
    for drive in drives:
        for one in places.mounted:
            _take(ground, drive / one, found)
        for place in drive_places(drive):
            _take(ground, place, found)
    for file in compose_files(None, ground.session.root, drives):
        if file not in found.files:
            found.files.append(file)


def _drives(ground: Ground) -> list[Path]:
    try:
        return sorted((ground.session.root / "mnt").iterdir())[:_MOST_MOUNTED]
    except OSError:
        return []


def _take(ground: Ground, place: Path, found: OnDisk) -> None:
    try:
        marks = tuple(mark for mark in words().search.marks if (place / mark).is_dir())
        empty = not any(True for mark in marks for _ in (place / mark).iterdir())
    except OSError:
        return
    if not marks or any(one.path == place for one in found.models):
        return
    found.models.append(
        ModelsFolder(
            path=place,
            marks=marks,
            empty=empty,
            slow=is_slow(ground, place),
            free_bytes=room(place),
        )
    )


def _mounted_into(ground: Ground) -> Iterator[Path]:
    """Give the folders of this host that ComfyUI's containers have their models from."""
    doctor = DoctorGround(ground.session)
    for one in ground.snapshot.services:
        if one.service.kind != "comfyui" or not one.container_id:
            continue
        try:
            mounts = items(doctor.inspect(one.container_id).get("Mounts"))
        except ConsoleError:
            continue
        for entry in map(mapping, mounts):
            source, inside = text(entry.get("Source"), 4096), text(entry.get("Destination"), 4096)
            if source.startswith("/") and inside.endswith("/models"):
                yield Path(source)
            elif source.startswith("/"):
                yield from (Path(source) / "models", Path(source) / "ComfyUI" / "models")
