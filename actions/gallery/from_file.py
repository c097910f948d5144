"""A picture file, whoever made it: what it is, what it says of how it was made, whose it is."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from actions.session import Session
from actions.workflows.reading import read_workflow
from actions.workflows.workflow import Slot, value_at
from console.edits.kept import KeptEdit
from console.edits.parameters import read_parameters
from console.edits.recipe import RECIPE_KEY, recipe_of
from console.errors import ConsoleError, UsageError
from console.pictures.look import PictureFacts, look
from console.store.edits import EditRecords
from console.text import clean_line

_PIECE = 1 << 20
_KINDS: dict[str, type | tuple[type, ...]] = {"seed": int, "steps": int, "cfg": (int, float)}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture says in short of how it was made; what it does not say is empty or None.

    Attributes:
        by: who wrote it: `gpuconsole`, `comfyui` or `forge`; empty where nobody did.
        model: of ComfyUI and Forge, the model's file or name.
    """

    by: str = ""
    workflow: str = ""
    variant: str = ""
    model: str = ""
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None


class PictureFile(msgspec.Struct, frozen=True, kw_only=True):
    """A picture file.

    Attributes:
        path: absolute.
        sha256: of its bytes.
        facts: what it is.
        recipe: all that it says, by name; see `console.edits.recipe.recipe_of`.
        said: that in short.
        edit: the edit that it is a picture of, where this host has it.
        role: whether it is an `input` or an `output` of it; empty where it has changed since.
    """

    path: str
    sha256: str
    facts: PictureFacts
    recipe: dict[str, Any]
    said: Said
    edit: KeptEdit | None = None
    role: str = ""


def read_file(session: Session, path: Path) -> PictureFile:
    """Look at a picture file.

    Raises:
        PictureError: it is none, or cannot be read.
        UsageError: it cannot be read in full (`gallery.unreadable`).
    """
    facts = look(path)
    try:
        sha256, recipe = _hash_of(path), recipe_of(path)
    except OSError as error:
        said = error.strerror or str(error)
        raise UsageError(
            "gallery.unreadable", f"{clean_line(str(path), 200)} cannot be read: {said}"
        ) from error
    records = EditRecords(session.store)
    found = records.using(sha256)
    edit = found[0] if found else _named(records, recipe)
    role = next((one.role for one in edit.pictures if one.sha256 == sha256), "") if edit else ""
    return PictureFile(
        path=str(path),
        sha256=sha256,
        facts=facts,
        recipe=recipe,
        said=said_in(recipe),
        edit=edit,
        role=role,
    )


def said_in(recipe: dict[str, Any]) -> Said:
    """Give in short what a picture says; our own words count most, then ComfyUI's graph."""
    ours = recipe.get(RECIPE_KEY)
    graph, words = recipe.get("prompt"), recipe.get("parameters")
    found = Said()
    if isinstance(words, str):
        found = _of_parameters(words)
    if isinstance(graph, dict):
        found = _of_graph(graph) or found
    return _of_ours(ours, found) if isinstance(ours, dict) else found


def _of_ours(ours: dict[str, Any], found: Said) -> Said:
    """Give what our recipe says; what it leaves to the workflow, as the graph has it."""
    request = ours.get("request")
    told = {**(request if isinstance(request, dict) else {}), **ours}
    values: dict[str, Any] = {"by": "gpuconsole"}
    for name in ("workflow", "variant", "prompt", "negative", "seed", "steps", "cfg"):
        value, kind = told.get(name), _KINDS.get(name, str)
        if isinstance(value, kind) and not isinstance(value, bool) and value != "":
            values[name] = value
    return msgspec.structs.replace(found, **values)


def _of_graph(graph: dict[str, Any]) -> Said | None:
    """Give what ComfyUI's graph says; None where it is no graph that makes sense."""
    try:
        workflow = read_workflow("picture", json.dumps(graph).encode())
    except (ConsoleError, ValueError, RecursionError):
        return None
    inputs = workflow.inputs

    def first(slots: tuple[Slot, ...], *kinds: type) -> Any:
        values = (value_at(graph, slot) for slot in slots)
        return next((v for v in values if isinstance(v, kinds) and not isinstance(v, bool)), None)

    return Said(
        by="comfyui",
        model=_model_in(graph),
        prompt=first(inputs.prompt, str) or "",
        negative=first(inputs.negative, str) or "",
        seed=first(inputs.seed, int),
        steps=first(inputs.steps, int),
        cfg=first(inputs.cfg, int, float),
    )


def _model_in(graph: dict[str, Any]) -> str:
    """Give the first model file that a graph loads as its diffusion model."""
    names = ("unet_name", "model_path", "ckpt_name", "model_name")
    for node in graph.values():
        for name in names:
            value = node["inputs"].get(name)
            if isinstance(value, str):
                return clean_line(value, 200)
    return ""


def _of_parameters(text: str) -> Said:
    told = read_parameters(text)
    try:
        cfg = float(told.settings.get("CFG scale", ""))
    except ValueError:
        cfg = None
    return Said(
        by="forge",
        model=told.settings.get("Model", ""),
        prompt=told.prompt,
        negative=told.negative,
        seed=told.whole("Seed"),
        steps=told.whole("Steps"),
        cfg=cfg,
    )


def _named(records: EditRecords, recipe: dict[str, Any]) -> KeptEdit | None:
    """Give the edit that our recipe names, where this host has it; the file was changed since."""
    ours = recipe.get(RECIPE_KEY)
    name = ours.get("edit") if isinstance(ours, dict) else None
    return records.get(name) if isinstance(name, str) else None


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
