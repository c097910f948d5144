"""Where a model file belongs: which folders a program has for each kind, by its layout."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from console.errors import UsageError
from console.models.catalog import ModelFile
from console.models.disk import NO_FOLDER
from console.models.inventory.found import Root
from console.packaged import read_table

LAYOUTS = ("comfyui", "forge", "plain")


def kind_by_folder(layout: str) -> dict[str, str]:
    """Give the kind of file that each folder of a layout is for; none for `plain`."""
    return dict(_table().get(layout, {}))


def folder_for(kind: str, layout: str = "comfyui") -> str:
    """Give the folder that a kind of file is put in; empty where the layout has none for it."""
    if layout == "plain":
        return ""
    folders = [folder for folder, has in kind_by_folder(layout).items() if has == kind]
    beside: str = _table()["beside"].get(layout, {}).get(kind, "")
    return folders[0] if folders else beside


def folder_kind(kind: str) -> str:
    """Give the kind whose folders a kind of file lies in: a vision tower lies with encoders."""
    beside: dict[str, str] = _table()["beside"]["comfyui"]
    return kind_by_folder("comfyui").get(beside.get(kind, ""), kind)


def place_for(file: ModelFile, roots: Sequence[Path | Root], layout: str = "") -> Path:
    """Give the path at which a file of the catalogue belongs, in the first of `roots`.

    Args:
        file: of the catalogue.
        roots: models folders, the main one first.
        layout: one of `LAYOUTS`; that of the root where it is empty, ComfyUI's for a bare path.

    Raises:
        UsageError: there is no models folder (`models.no-folder`), or the layout has no folder for
            such a file (`models.no-place`).
    """
    if not roots:
        raise UsageError(NO_FOLDER.code, NO_FOLDER.title, NO_FOLDER.hint)
    root = roots[0]
    if isinstance(root, Root):
        layout, top = layout or root.layout, Path(root.path)
    else:
        layout, top = layout or "comfyui", root
    if layout == "plain":
        return top / file.name
    folder = file.folder if layout == "comfyui" else folder_for(file.kind, layout)
    if not folder:
        raise UsageError(
            "models.no-place",
            f"{file.id} is of no kind that {top} has a folder for",
            "Name another models folder with --to",
        )
    return top / folder / file.name


@cache
def _table() -> dict[str, dict[str, Any]]:
    return read_table("model_folders.toml")
