"""What a service said against an edit, in words that say what to do."""

from collections.abc import Mapping
from typing import Any

from actions.workflows.refusals import refusal_of
from console.comfyui.refusals import GraphRefusedError, NodeProblem
from console.edits.kept import EditError
from console.edits.words import trouble
from console.errors import ConsoleError
from console.models.catalog import Catalog

_SHOWN = 3


def cancelled(service: str, why: str = "") -> EditError:
    """Give the error of an edit that was cancelled.

    `why` says why its service was not told, where it was not; it then stands in `detail` too.
    """
    told = trouble("edit.cancelled")
    hint = f"it may still run at {service}: {why}" if why else told.hint
    return EditError(code=told.code, title=told.title, hint=hint, detail=why)


def error_of(error: ConsoleError, graph: Mapping[str, Any], catalog: Catalog) -> EditError:
    """Give an error as it is kept with its edit; a refused graph says what to do about each node.

    The service's own words stand in `detail`.
    """
    plain = EditError(code=error.code, title=error.title, hint=error.hint, detail=error.detail)
    if not isinstance(error, GraphRefusedError) or not error.problems:
        return plain
    problems = refusal_of(_answer(error.problems), graph, catalog)
    if not problems:
        return plain
    rest = len(problems) - _SHOWN
    titles = [one.title for one in problems[:_SHOWN]] + ([f"and {rest} more"] if rest > 0 else [])
    hints = [one.hint or (one.command and f"`{one.command}`") for one in problems[:_SHOWN]]
    return EditError(
        code=error.code,
        title=f"the service refused it: {'; '.join(titles)}",
        hint="; ".join(dict.fromkeys(hint for hint in hints if hint)) or error.hint,
        detail=error.detail or error.title,
    )


def _answer(problems: tuple[NodeProblem, ...]) -> dict[str, Any]:
    """Give problems as ComfyUI's answer has them, from which they were read."""
    if problems[0].sort == "missing_node_type":
        first = problems[0]
        about = {"node_id": first.node, "class_type": first.kind}
        return {"error": {"type": first.sort, "extra_info": about}}
    nodes: dict[str, Any] = {}
    for one in problems:
        entry = nodes.setdefault(one.node, {"class_type": one.kind, "errors": []})
        info: dict[str, Any] = {"input_name": one.input}
        if one.allowed:
            info["input_config"] = [list(one.allowed), {}]
        if one.value:
            info["received_value"] = one.value
        entry["errors"].append({"type": one.sort, "message": one.said, "extra_info": info})
    return {"node_errors": nodes}
