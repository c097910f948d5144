"""Which folders of this host have a Forge's models, and how they are laid out."""

import threading
from collections.abc import Iterator
from pathlib import Path

from actions.doctor.ground import Ground as DoctorGround
from actions.services.snapshot import ServiceStatus
from actions.setup.files.filling import versions
from actions.setup.files.wanted import Store
from actions.setup.ground import Ground
from console.engine.values import items, mapping, text
from console.errors import ConsoleError

_PATIENCE = 2.0
_ENOUGH = 1
"""Folders by which a layout is told; a Forge makes those it has use for."""


def forges(ground: Ground) -> tuple[ServiceStatus, ...]:
    """Give the Forges that are known here."""
    return tuple(one for one in ground.snapshot.services if one.service.kind == "forge")


def stores_of(ground: Ground) -> tuple[tuple[str, Store], ...]:
    """Give each store that a Forge's container has mounted, with that Forge's name.

    The disk is asked in a thread of its own: a drive may not answer.
    """
    found: list[tuple[str, Store]] = []

    def look() -> None:
        for one in forges(ground):
            for source in _mounted(ground, one):
                found.extend((one.name, store) for store in _below(source))

    thread = threading.Thread(target=look, name="setup-stores", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return tuple({store.path: (name, store) for name, store in reversed(found)}.values())[::-1]


def store_at(path: Path) -> Store:
    """Give a folder as a store, laid out as its subfolders tell; as plain Forge's where none do."""
    kinds = [kind for kind in versions()["stores"] if _marks(path, kind) >= _ENOUGH]
    best = max(kinds, key=lambda kind: _marks(path, kind), default="forge")
    return Store(path=path, kind=best)


def _mounted(ground: Ground, forge: ServiceStatus) -> Iterator[Path]:
    if not forge.container_id:
        return
    try:
        mounts = items(DoctorGround(ground.session).inspect(forge.container_id).get("Mounts"))
    except ConsoleError:
        return
    for entry in map(mapping, mounts):
        source = text(entry.get("Source"), 4096)
        if source.startswith("/"):
            yield Path(source)


def _below(source: Path) -> Iterator[Store]:
    for kind, places in versions()["store_places"].items():
        for place in places:
            path = source / place
            if _marks(path, kind) >= _ENOUGH:
                yield Store(path=path, kind=kind)
                return


def _marks(path: Path, kind: str) -> int:
    """Count the subfolders of a kind that are there; those that ComfyUI has too tell nothing."""
    folders: dict[str, str] = versions()["stores"][kind]
    telling = [name for key, name in folders.items() if name != key]
    try:
        return sum((path / name).is_dir() for name in telling)
    except OSError:
        return 0
