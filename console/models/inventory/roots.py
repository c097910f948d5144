"""Where models lie on this host: the config's folders, and those that services read beside them.

ComfyUI is told of more folders by `extra_model_paths.yaml` beside it; Forge has its own models
folder, which its compose file mounts. Only what a person wrote down is looked at: no disk is
searched for folders that might hold models.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from console.config.schema import Settings
from console.models.disk import HANGS
from console.models.inventory.bounded import HangsError, bounded
from console.models.inventory.extra_paths import extra_folders, shared_kind
from console.models.inventory.found import Root
from console.models.inventory.mounted import Mounted, mounted_folders
from console.models.inventory.rules import rules
from console.models.places import kind_by_folder

EXTRA_PATHS = ("extra_model_paths.yaml", "extra_model_paths.yml")


class ReadsModels(Protocol):
    """A service as far as it matters here; those of the config and those found both are."""

    @property
    def kind(self) -> str:
        """`comfyui`, `forge` or `other`."""

    @property
    def compose_file(self) -> Path | None:
        """What creates it."""

    @property
    def compose_service(self) -> str | None:
        """Its name there."""


def roots_of(
    settings: Settings, services: Iterable[ReadsModels], environ: Mapping[str, str]
) -> tuple[Root, ...]:
    """Give every place with models, the main one first; none twice.

    Only folders that are written down are given; one that is missing is given too, so that it can
    be said, and one whose disk hangs has that as its `problem`. Takes some seconds at most.

    Args:
        settings: for `paths.models` and `paths.extra`.
        services: of the config or found, whose compose files may name folders.
        environ: for `~` and variables in `extra_model_paths.yaml`.
    """
    found: dict[str, Root] = {}
    listed: dict[str, str] = {}
    for root in _all(settings, services, environ):
        if root.only_listed:
            for name, kind in root.kind_by_folder.items():
                folder = os.path.normpath(f"{root.path}/{name}")
                listed[folder] = shared_kind(listed.get(folder), kind)
        # One that hangs is asked nothing more.
        real = root.path if root.problem is HANGS else os.path.realpath(root.path)
        known = found.get(real)
        if known is None:
            found[real] = root
        elif root.only_listed and known.only_listed:
            both = {**known.kind_by_folder, **root.kind_by_folder}
            found[real] = msgspec.structs.replace(known, kind_by_folder=both)
    return tuple(_with_listed(root, listed) for root in found.values())


def _with_listed(root: Root, listed: Mapping[str, str]) -> Root:
    """Give a root whose folders are also for what they are listed for, be it elsewhere."""
    kinds = root.kind_by_folder
    for folder, kind in listed.items():
        name = os.path.relpath(folder, root.path)
        name = "" if name == "." else name
        if name == ".." or name.startswith("../") or (root.only_listed and name not in kinds):
            continue
        kinds = {**kinds, name: shared_kind(kinds.get(name) or None, kind)}
    return (
        root
        if kinds is root.kind_by_folder
        else msgspec.structs.replace(root, kind_by_folder=kinds)
    )


def layout_of(folder: Path) -> str:
    """Tell by its sub-folders whose models folder it is: `comfyui`, `forge` or `plain`.

    An empty or missing one is ComfyUI's. One with files but none of the known sub-folders is
    `plain`, where its own name tells the kind, such as `…/loras`.
    """
    names = set(_names(folder))
    counts = {
        layout: len(names.intersection(kind_by_folder(layout))) for layout in ("comfyui", "forge")
    }
    # Some names are both programs' (`embeddings`, `hypernetworks`): what only one has decides.
    counts["forge"] += (
        sum(name.lower() in _aliases() for name in names) if _forge_like(names) else 0
    )
    if not any(counts.values()):
        return "plain" if kind_of_name(folder.name) else "comfyui"
    return max(counts, key=lambda layout: counts[layout])


def kind_of_name(name: str) -> str:
    """Tell what kind of file a folder of that name is for, whoever's it is; empty where none."""
    for layout in ("comfyui", "forge"):
        kind = kind_by_folder(layout).get(name)
        if kind:
            return kind
    return _aliases().get(name.lower(), "")


def _all(
    settings: Settings, services: Iterable[ReadsModels], environ: Mapping[str, str]
) -> Iterator[Root]:
    paths = settings.paths
    named = [(paths.models, "paths.models")] if paths.models is not None else []
    named += [(extra.models, "paths.extra") for extra in paths.extra]
    for folder, source in named:
        yield _root(folder, source)
    beside: list[tuple[Path, Mapping[str, Path]]] = [
        (folder.parent / name, {}) for folder, _ in named for name in EXTRA_PATHS
    ]
    for service in services:
        if service.compose_file is None or not service.compose_service:
            continue
        mounts = _mounted(service.compose_file, service.compose_service, environ)
        for folder in mounts.models:
            yield _root(folder, f"{service.compose_file.name}: {service.compose_service}")
        beside += [(path, mounts.by_target) for path in mounts.extra_paths]
    for file, by_target in beside:
        yield from _listed_in(file, environ, by_target)


def _mounted(file: Path, service: str, environ: Mapping[str, str]) -> Mounted:
    try:
        return bounded(str(file), lambda: mounted_folders(file, service, environ))
    except HangsError:
        return Mounted()


def _listed_in(
    file: Path, environ: Mapping[str, str], by_target: Mapping[str, Path]
) -> tuple[Root, ...]:
    try:
        return bounded(str(file.parent), lambda: tuple(extra_folders(file, environ, by_target)))
    except HangsError:
        return ()


def _root(folder: Path, source: str) -> Root:
    try:
        return bounded(str(folder), lambda: _seen(folder, source))
    except HangsError:
        kinds = kind_by_folder("comfyui")
        return Root(
            path=str(folder), layout="comfyui", kind_by_folder=kinds, source=source, problem=HANGS
        )


def _seen(folder: Path, source: str) -> Root:
    layout = layout_of(folder)
    if layout == "plain":
        kinds = {"": kind_of_name(folder.name)}
    else:
        kinds = kind_by_folder(layout)
        if layout == "forge":
            names = {name for name in _names(folder) if name not in kinds}
            kinds |= {name: kind for name in names if (kind := _aliases().get(name.lower(), ""))}
    return Root(path=str(folder), layout=layout, kind_by_folder=kinds, source=source)


def _forge_like(names: set[str]) -> bool:
    return bool(names & {"Stable-diffusion", "Lora", "ControlNet", "ckpt", "text_encoder"})


def _aliases() -> dict[str, str]:
    return rules().folder_aliases


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except (OSError, ValueError):
        return []
