"""Why ComfyUI does not take a graph, node by node, as `POST /prompt` of 0.3.64 and 0.33.0 says."""

import re

import msgspec

from console.comfyui.messages import word
from console.edits.words import EditRefusedError, refused
from console.web.values import items, mapping, within

_NO_NODE_OLD = re.compile(r"node (?P<kind>.{1,120}?) does not exist")
_NO_NODE_TYPES = {"missing_node_type", "invalid_prompt"}
_MOST_NODES = 200


class NodeProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one input of one node.

    Attributes:
        node, kind: the node's key and class.
        sort: ComfyUI's own word, such as `value_not_in_list`.
        input: the input's name; empty where the node itself is meant.
        said: ComfyUI's words, cleaned.
        value: what was given, and `allowed` what would have been taken, where it tells.
    """

    node: str
    kind: str
    sort: str
    input: str = ""
    said: str = ""
    value: str = ""
    allowed: tuple[str, ...] = ()


class GraphRefusedError(EditRefusedError):
    """ComfyUI refused a graph; `problems` has each thing it names."""

    problems: tuple[NodeProblem, ...] = ()


def parse_problems(data: object) -> tuple[NodeProblem, ...]:
    """Read `node_errors` of an answer; empty where there are none."""
    nodes = list(mapping(within(data, "node_errors")).items())[:_MOST_NODES]
    return tuple(
        _problem(str(key), word(node, "class_type"), error)
        for key, node in nodes
        for error in items(within(node, "errors"))[:50]
    )


def _problem(node: str, kind: str, error: object) -> NodeProblem:
    options = items(within(error, "extra_info.input_config"))
    first = items(options[0]) if options else ()
    value = within(error, "extra_info.received_value")
    message, details = word(error, "message", 300), word(error, "details", 500)
    return NodeProblem(
        node=word({"n": node}, "n"),
        kind=kind,
        sort=word(error, "type"),
        input=word(error, "extra_info.input_name"),
        said=f"{message}: {details}" if message and details else message or details,
        value=word({"v": value if isinstance(value, str) else repr(value)[:300]}, "v", 300)
        if value is not None
        else "",
        allowed=tuple(word({"v": one}, "v", 200) for one in first[:500] if isinstance(one, str)),
    )


def refusal(data: object, address: str) -> GraphRefusedError:
    """Make the error of an answer that refuses a graph, in words for people."""
    problems = parse_problems(data)
    sort, said = word(data, "error.type"), word(data, "error.message", 300)
    details = word(data, "error.details", 300)
    kind = word(data, "error.extra_info.class_type")
    if not kind and sort in _NO_NODE_TYPES and (found := _NO_NODE_OLD.search(said)):
        kind = found["kind"]
    if sort in _NO_NODE_TYPES and kind:
        told = refused("edit.missing-node", f"{said} ({details})", address=address, kind=kind)
        problems = (NodeProblem(node=_node_of(data), kind=kind, sort="missing_node_type"),)
    else:
        first = problems[0] if problems else None
        words = f"{first.kind} ({first.node}): {first.said}" if first else said or details
        rest = len(problems) - 1
        words += f", and {rest} more" if rest > 0 else ""
        every = "; ".join(f"{p.kind} ({p.node}): {p.said}" for p in problems)
        words = words or "without a reason"
        told = refused("edit.refused", every or details, address=address, said=words)
    made = GraphRefusedError(told.code, told.title, told.hint, told.detail)
    made.problems = problems
    return made


def _node_of(data: object) -> str:
    told = word(data, "error.extra_info.node_id") or word(data, "error.details")
    return told.removeprefix("Node ID '#").removesuffix("'")
