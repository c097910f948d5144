"""Workflows as JSON tells them."""

from typing import Any

from actions.workflows.asking import Told
from actions.workflows.building import Built
from actions.workflows.shelf import Shelf
from actions.workflows.verify import Verified
from actions.workflows.workflow import NUMBERS, Slot, Workflow
from console.unknown import plain_value


def shelf_data(shelf: Shelf) -> dict[str, Any]:
    """Give every workflow, the folder of the operator's own, and what is wrong in it."""
    data: dict[str, Any] = {
        "folder": str(shelf.folder),
        "workflows": [workflow_data(one) for one in shelf.workflows],
    }
    if shelf.problems:
        data["unavailable"] = [
            {"source": path, "code": one.code, "title": one.title, "hint": one.hint}
            for path, one in shelf.problems
        ]
    return data


def workflow_data(workflow: Workflow) -> dict[str, Any]:
    """Give what a workflow is and takes, without its graph."""
    inputs = workflow.inputs
    return {
        "name": workflow.name,
        "title": workflow.title,
        "summary": workflow.summary,
        "note": workflow.note,
        "service": workflow.service,
        "families": list(workflow.families),
        "extras": list(workflow.extras),
        "file": None if workflow.file is None else str(workflow.file),
        "fewest_images": workflow.fewest_images,
        "most_images": workflow.most_images,
        "images": [
            {"slot": one.slot.text, "what": one.what, "optional": one.optional}
            for one in inputs.images
        ],
        "inputs": {
            name: [slot.text for slot in _slots(workflow, name)]
            for name in ("prompt", "negative", *NUMBERS, "prefix")
        },
        "templates": [plain_value(one) for one in workflow.templates],
    }


def built_data(built: Built) -> dict[str, Any]:
    """Give a graph that is built, and what it holds."""
    return {
        "variant": built.variant or None,
        "files": list(built.files),
        "steps": built.steps,
        "cfg": built.cfg,
        "size": None if built.size is None else list(built.size),
        "warnings": list(built.warnings),
        "path": built.path or None,
        "graph": built.graph,
    }


def verified_data(told: Told, several: list[Verified]) -> dict[str, Any]:
    """Give how workflows stand on a service, and every command that fetches what is missing."""
    commands = [one.command for each in several for one in each.problems if one.command]
    return {
        "service": told.service,
        "kind": told.kind,
        "version": told.version or None,
        "workflows": [
            {
                "name": one.workflow.name,
                "good": one.good,
                "variant": (one.built.variant or None) if one.built else None,
                "files": list(one.built.files) if one.built else [],
                "problems": [plain_value(problem) for problem in one.problems],
            }
            for one in several
        ],
        "fetch": list(dict.fromkeys(commands)),
    }


def _slots(workflow: Workflow, name: str) -> tuple[Slot, ...]:
    slots: tuple[Slot, ...] = getattr(workflow.inputs, name)
    return slots
