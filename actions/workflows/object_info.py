"""What a server says of its nodes (`/object_info`), as far as a graph's check needs it.

Both shapes are read: the old one lists the allowed values where a type stands, the new one says
`COMBO` and has `options`. What is odd in an answer is left out; it judges nothing.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

COMBO = "COMBO"
_NUMBERS = ("INT", "FLOAT")


class InputInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a node.

    Attributes:
        kind: `INT`, `FLOAT`, `STRING`, `BOOLEAN`, `COMBO`, or the type of a link such as `MODEL`.
        options: the values allowed; None where any is, or where the server fills the list later.
        listed: the old shape, whose values every version holds a graph to.
        least, most: of a number; None is any.
    """

    kind: str
    required: bool = True
    options: tuple[Any, ...] | None = None
    listed: bool = False
    least: float | None = None
    most: float | None = None


class NodeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A class of nodes: inputs by name, the types of its outputs, whether a run may end in it."""

    inputs: dict[str, InputInfo]
    outputs: tuple[str, ...]
    ends: bool = False


def read_nodes(data: Mapping[str, Any], classes: Iterable[str]) -> dict[str, NodeInfo]:
    """Read those classes of an `/object_info` that are there; all of it would take too long."""
    found = {}
    for name in classes:
        node = data.get(name)
        if isinstance(node, dict):
            found[name] = _node(node)
    return found


def options_of(data: Mapping[str, Any], class_type: str, name: str) -> tuple[str, ...]:
    """Give the texts that an input allows; none where the server does not know the node."""
    node = read_nodes(data, (class_type,)).get(class_type)
    info = node.inputs.get(name) if node is not None else None
    return tuple(one for one in (info.options or () if info else ()) if isinstance(one, str))


def _node(data: Mapping[str, Any]) -> NodeInfo:
    told = data.get("input")
    inputs: dict[str, InputInfo] = {}
    for part in ("required", "optional"):
        entries = told.get(part) if isinstance(told, dict) else None
        for name, entry in (entries if isinstance(entries, dict) else {}).items():
            info = _input(entry, part == "required")
            if info is not None:
                inputs[name] = info
    outputs = data.get("output")
    kinds = outputs if isinstance(outputs, list) else []
    return NodeInfo(
        inputs=inputs,
        outputs=tuple(kind if isinstance(kind, str) else "*" for kind in kinds),
        ends=data.get("output_node") is True,
    )


def _input(entry: Any, required: bool) -> InputInfo | None:
    if not isinstance(entry, list) or not entry:
        return None
    kind = entry[0]
    extra = entry[1] if len(entry) > 1 and isinstance(entry[1], dict) else {}
    if isinstance(kind, list):
        return InputInfo(kind=COMBO, required=required, options=tuple(kind), listed=True)
    if not isinstance(kind, str):
        return None
    if kind == COMBO:
        options = extra.get("options")
        # A list that is empty beside a `remote` is filled by the editor.
        known = isinstance(options, list) and not (extra.get("remote") and not options)
        given = tuple(options) if known and isinstance(options, list) else None
        return InputInfo(kind=COMBO, required=required, options=given)
    if kind in _NUMBERS:
        least, most = _bound(extra.get("min")), _bound(extra.get("max"))
        return InputInfo(kind=kind, required=required, least=least, most=most)
    return InputInfo(kind=kind, required=required)


def _bound(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Whole numbers stay so: a seed's upper bound is none that a float can hold.
    return value if isinstance(value, int) or math.isfinite(value) else None
