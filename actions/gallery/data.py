"""An edit as data of the command line: `edit`, `gallery` and `compare` speak of it alike."""

from pathlib import Path
from typing import Any

from actions.gallery.from_file import PictureFile
from console.edits.kept import KeptEdit, KeptPicture
from console.unknown import plain


def edit_data(edit: KeptEdit, *, recipe: bool = False) -> dict[str, Any]:
    """Give an edit with its pictures as `inputs[]` and `outputs[]`.

    Args:
        edit: as it is kept.
        recipe: with the whole request, and the graph as it was sent.
    """
    data = plain(edit)
    del data["pictures"]
    if not recipe:
        del data["recipe"]
    for role in ("input", "output"):
        data[f"{role}s"] = [picture_data(one) for one in edit.of_role(role)]
    return data


def picture_data(picture: KeptPicture) -> dict[str, Any]:
    """Give a picture; `missing` where its file is gone, `changed` where its size is another."""
    state = state_of(picture)
    data = plain(picture)
    del data["role"]
    return {**data, "missing": state == "missing", "changed": state == "changed"}


def state_of(picture: KeptPicture) -> str:
    """Tell in a word what became of a picture's file: `kept`, `missing` or `changed`.

    Its bytes are not read: one changed in place to the same size is told only where they are.
    """
    try:
        size = Path(picture.path).stat().st_size
    except OSError:
        return "missing"
    return "kept" if size == picture.size else "changed"


def file_data(found: PictureFile) -> dict[str, Any]:
    """Give a picture file: what it is, what it says, and the edit that it belongs to."""
    return {
        "file": {**plain(found.facts), "path": found.path, "sha256": found.sha256},
        "said": plain(found.said),
        "recipe": found.recipe,
        "edit": None if found.edit is None else edit_data(found.edit),
        "role": found.role,
    }
