"""A workflow from its two files: the graph, and the TOML that says what it is and where inputs go.

Both may be an operator's own and hold anything; what is wrong is said with the file's name.
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from actions.workflows.finding import find_inputs
from actions.workflows.workflow import ImageSlot, Inputs, Slot, Template, Workflow, value_at
from console.errors import UsageError
from console.text import clean, clean_line

_MOST_NODES = 2000
_EXPORT = "Export it with the editor's menu: Workflow, Export (API)"


class _Picture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slot: str
    what: str = ""
    optional: bool = False


Where = str | tuple[str, ...]


class _Inputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    images: tuple[str | _Picture, ...] | None = None
    prompt: Where | None = None
    negative: Where | None = None
    seed: Where | None = None
    steps: Where | None = None
    cfg: Where | None = None
    width: Where | None = None
    height: Where | None = None
    denoise: Where | None = None
    prefix: Where | None = None


class _Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str = ""
    summary: str = ""
    note: str = ""
    service: str = "comfyui"
    path: str = ""
    families: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    inputs: _Inputs = _Inputs()
    templates: tuple[Template, ...] = ()
    order: int = 0


def read_workflow(name: str, graph: bytes, told: str = "", file: Path | None = None) -> Workflow:
    """Make a workflow of what its files hold.

    Inputs that the TOML does not name are looked for in the graph itself.

    Args:
        name: what it is to be called.
        graph: ComfyUI's graph in API format, or Forge's request, as JSON.
        told: the TOML; may be empty.
        file: where an operator's own lies.

    Raises:
        UsageError: `workflow.wrong`: one of them is no such thing; the title says why.
    """
    table = _told(name, told)
    nodes = _json(name, graph)
    if table.service == "comfyui":
        _check_graph(name, nodes)
    inputs = _inputs(name, table, nodes)
    return Workflow(
        name=name,
        title=clean_line(table.title or name, 80),
        summary=clean_line(table.summary, 300),
        note=clean_line(table.note, 300),
        service=table.service,
        path=table.path,
        families=tuple(clean_line(one, 80) for one in table.families),
        extras=tuple(clean_line(one, 80) for one in table.extras),
        inputs=inputs,
        templates=tuple(_template(one) for one in table.templates),
        order=table.order,
        file=file,
        graph=nodes,
    )


def _told(name: str, text: str) -> _Told:
    try:
        told = msgspec.convert(tomllib.loads(text), _Told)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, f"its TOML: {clean_line(str(error), 200)}") from error
    if told.service not in {"comfyui", "forge"}:
        raise _wrong(name, f"its TOML: service is {clean_line(told.service, 40)!r}")
    return told


def _template(told: Template) -> Template:
    return Template(
        title=clean_line(told.title, 80), prompt=clean(told.prompt), negative=clean(told.negative)
    )


def _json(name: str, data: bytes) -> dict[str, Any]:
    try:
        # Strict: neither NaN nor Infinity, which ComfyUI would not take either.
        nodes = msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, f"it is no JSON: {clean_line(str(error), 200)}") from error
    if not isinstance(nodes, dict):
        raise _wrong(name, "it is no object of nodes", _EXPORT)
    return nodes


def _check_graph(name: str, nodes: dict[str, Any]) -> None:
    if isinstance(nodes.get("nodes"), list) and "links" in nodes:
        raise _wrong(name, "it is saved as the editor has it, which no server takes", _EXPORT)
    if isinstance(nodes.get("prompt"), dict):
        raise _wrong(name, "it is a whole request; the graph is what its `prompt` holds")
    if not nodes:
        raise _wrong(name, "it has no nodes")
    if len(nodes) > _MOST_NODES:
        raise _wrong(name, f"it has more than {_MOST_NODES} nodes")
    for ident, node in nodes.items():
        shown = clean_line(ident, 40)
        if not isinstance(node, dict) or not isinstance(node.get("class_type"), str):
            raise _wrong(name, f"node {shown} has no class_type", _EXPORT)
        if not isinstance(node.get("inputs"), dict):
            raise _wrong(name, f"node {shown} has no inputs", _EXPORT)


def _inputs(name: str, told: _Told, nodes: dict[str, Any]) -> Inputs:
    found = Inputs() if told.service == "forge" else find_inputs(nodes)
    given: dict[str, Any] = {}
    for key in _Inputs.__struct_fields__:
        value = getattr(told.inputs, key)
        if value is None:
            continue
        if key == "images":
            given[key] = tuple(_picture(name, one, nodes) for one in value)
        else:
            several = (value,) if isinstance(value, str) else value
            given[key] = tuple(_slot(name, one, nodes) for one in several)
    return msgspec.structs.replace(found, **given)


def _picture(name: str, told: str | _Picture, nodes: dict[str, Any]) -> ImageSlot:
    if isinstance(told, str):
        return ImageSlot(slot=_slot(name, told, nodes))
    what = clean_line(told.what, 100)
    return ImageSlot(slot=_slot(name, told.slot, nodes), what=what, optional=told.optional)


def _slot(name: str, text: str, nodes: dict[str, Any]) -> Slot:
    node, dot, key = text.partition(".")
    slot = Slot(node, key) if dot else Slot("", node)
    entry = nodes.get(slot.node)
    numbered = not isinstance(entry, list) or slot.input.isdecimal()
    if not numbered or value_at(nodes, slot) is None:
        raise _wrong(
            name,
            f"its TOML: the graph has no input {clean_line(text, 80)!r}",
            "An input is a node's id and its name, such as 111.prompt",
        )
    return slot


def _wrong(name: str, why: str, hint: str = "") -> UsageError:
    return UsageError("workflow.wrong", f"the workflow {clean_line(name, 80)}: {why}", hint)
