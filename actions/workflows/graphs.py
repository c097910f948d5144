"""Small operations on ComfyUI's graphs: links followed, nodes put in between and taken out."""

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from actions.workflows.workflow import Graph

_PARTS = re.compile(r"(\d+)")


def link(value: object) -> tuple[str, int] | None:
    """Read a link, `["37", 0]`, as node and output; None where the value is none."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    node, output = value
    plain = isinstance(output, int) and not isinstance(output, bool)
    return (node, output) if isinstance(node, str) and plain else None


def own_copy(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Give a copy that may be changed."""
    return copy.deepcopy(dict(graph))


def in_order(graph: Mapping[str, Any]) -> list[str]:
    """Give the nodes' ids as people count: 8 before 37, and before `75x`."""
    return sorted(graph, key=natural)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Give a key that sorts numbers in a text by what they count."""
    parts = (part for part in _PARTS.split(text) if part)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def of_class(graph: Graph, classes: Collection[str]) -> list[str]:
    """Give the ids of the nodes of some classes."""
    return [ident for ident in in_order(graph) if graph[ident].get("class_type") in classes]


def takers(graph: Graph, node: str, output: int = 0) -> Iterator[tuple[str, str]]:
    """Give each input that takes an output of a node, as id and name."""
    for ident, one in graph.items():
        for name, value in one["inputs"].items():
            if link(value) == (node, output):
                yield ident, name


def put_after(graph: Graph, before: str, ident: str, node: dict[str, Any], name: str) -> str:
    """Put a node behind the first output of another: what took that takes the new one's.

    Args:
        graph: to be changed.
        before: the node whose output it takes.
        ident: its id; another where that is taken.
        node: it; its input `name` is set to the link.
        name: the input that takes the output.

    Returns:
        The new node's id.
    """
    ident = free_id(graph, ident)
    for taker, entry in list(takers(graph, before)):
        graph[taker]["inputs"][entry] = [ident, 0]
    node["inputs"] = {name: [before, 0], **node["inputs"]}
    graph[ident] = node
    return ident


def free_id(graph: Graph, wanted: str) -> str:
    """Give an id that no node has: the one wanted where it is free."""
    if wanted not in graph:
        return wanted
    number = max(
        (int(ident) for ident in graph if ident.isascii() and ident.isdecimal()), default=0
    )
    return str(number + 1)


def take_out(graph: Graph, ident: str) -> None:
    """Remove a node with every input that takes something of it."""
    del graph[ident]
    for one in graph.values():
        one["inputs"] = {
            name: value
            for name, value in one["inputs"].items()
            if (to := link(value)) is None or to[0] != ident
        }


def drop_unused(graph: Graph, ident: str) -> None:
    """Remove a node that nothing takes anything of, and then those that it alone took from."""
    if ident not in graph or any(
        (to := link(value)) is not None and to[0] == ident
        for one in graph.values()
        for value in one["inputs"].values()
    ):
        return
    before = [to[0] for value in graph[ident]["inputs"].values() if (to := link(value))]
    del graph[ident]
    for one in before:
        drop_unused(graph, one)
