"""An edit as the request that makes it again, with something changed or nothing."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from actions.edits.places import kept_files
from actions.edits.request import EditRequest
from actions.session import Session
from console.edits.keeping import KeptFiles
from console.edits.kept import KeptEdit, KeptPicture
from console.errors import UsageError
from console.files import read_limited
from console.text import clean_line

NEW_SEED = "new"
"""Given as the seed, it draws another one."""
_LARGEST = 1 << 30


def request_of(edit: KeptEdit, **changes: Any) -> EditRequest:
    """Give the request that makes an edit again: its seed, its settings, its pictures.

    A picture is the file that the operator chose while that has the bytes that were sent, else the
    one that was kept.

    Args:
        edit: as it is kept.
        changes: fields of `EditRequest` to have otherwise; None leaves one as it was, `seed` may
            be `NEW_SEED`.

    Raises:
        UsageError: its recipe is none of ours (`gallery.no-recipe`), or a picture that it needs is
            gone (`gallery.input-gone`).
    """
    chosen = {name: value for name, value in changes.items() if value is not None}
    request = _request_in(edit.recipe.get("request", edit.recipe), edit.id)
    found: dict[str, Any] = {
        "service": edit.service, "variant": edit.variant, "prompt": edit.prompt,
        "negative": edit.negative or request.negative, "seed": edit.seed, "out": "",
    }  # fmt: skip
    if "images" not in chosen and (inputs := edit.of_role("input")):
        found["images"] = tuple(_file_of(one) for one in inputs)
    return _changed(msgspec.structs.replace(request, **found), chosen)


def request_of_recipe(session: Session, recipe: dict[str, Any], **changes: Any) -> EditRequest:
    """Give the request that a picture file's own recipe stands for.

    Its inputs are named by their hashes: they are found where this host has kept them.

    Raises:
        UsageError: the recipe is none of ours, or an input is not here (`gallery.input-gone`): then
            `images` have to be given.
    """
    chosen = {name: value for name, value in changes.items() if value is not None}
    whole = {**_table(recipe.get("request")), "workflow": recipe.get("workflow")}
    whole |= {"service": recipe.get("service", ""), "variant": recipe.get("variant", "")}
    request = _request_in(whole, "the file")
    if "images" not in chosen and (hashes := recipe.get("inputs")):
        files = kept_files(session)
        request = msgspec.structs.replace(
            request, images=tuple(_kept_input(files, str(one)) for one in hashes)
        )
    return _changed(request, chosen)


def _changed(request: EditRequest, changes: dict[str, Any]) -> EditRequest:
    if changes.get("seed") == NEW_SEED:
        changes = {**changes, "seed": None}
    if changes.get("variant") or changes.get("service"):
        # What suited the variant, or the service, of then need not suit another.
        request = msgspec.structs.replace(request, encoder="")
    return msgspec.structs.replace(request, **changes)


def _request_in(data: Any, what: str) -> EditRequest:
    try:
        return msgspec.convert(_table(data), EditRequest, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(
            "gallery.no-recipe",
            f"{clean_line(what, 60)} has no recipe that can be made again",
            "gpuconsole gallery show tells what is known of it",
            clean_line(str(error), 200),
        ) from error


def _table(data: Any) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "graph"} \
        if isinstance(data, dict) else {}  # fmt: skip


def _file_of(picture: KeptPicture) -> str:
    """Give the file that an input is read from again."""
    if picture.source and _has_hash(Path(picture.source), picture.sha256):
        return picture.source
    for path in (picture.path, picture.source):
        if path and Path(path).is_file():
            return path
    raise _gone(picture.source or picture.path)


def _kept_input(files: KeptFiles, sha256: str) -> str:
    found = files.input_of(sha256)
    if found is None:
        raise _gone(f"the input {sha256[:12]}…")
    return str(found)


def _gone(name: str) -> UsageError:
    return UsageError(
        "gallery.input-gone",
        f"{clean_line(name, 200)} is not here any more",
        "give another picture with --image",
    )


def _has_hash(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(read_limited(path, _LARGEST)).hexdigest() == sha256
    except (OSError, ValueError):
        return False
