"""A graph's links against a server's nodes: ends that are missing, types that do not fit, rings."""

from collections.abc import Iterator, Mapping
from typing import Any

from actions.workflows.graphs import in_order, link
from actions.workflows.object_info import NodeInfo
from actions.workflows.problem import Problem
from console.text import clean_line

_ANY = ("*", "COMFY_")
# Types that have no value of their own, so that only a link can be one.
_LINKED = frozenset(
    {
        "MODEL",
        "CLIP",
        "VAE",
        "CONDITIONING",
        "LATENT",
        "IMAGE",
        "MASK",
        "CONTROL_NET",
        "MODEL_PATCH",
    }
)


def served(graph: Mapping[str, Any], nodes: Mapping[str, NodeInfo]) -> dict[str, Any]:
    """Give the part of a graph that its outputs are made from; all of it where it has none.

    A server looks at no other values; the classes of nodes it wants to know all.
    """
    left = [ident for ident, node in graph.items() if _may_end(nodes.get(node["class_type"]))]
    reached = set[str]()
    while left:
        ident = left.pop()
        if ident in graph and ident not in reached:
            reached.add(ident)
            left += [to[0] for value in graph[ident]["inputs"].values() if (to := link(value))]
    return {ident: graph[ident] for ident in graph if not reached or ident in reached}


def wiring(graph: Mapping[str, Any], nodes: Mapping[str, NodeInfo]) -> Iterator[Problem]:
    """Give what is wrong with the links of a graph."""
    for ident in in_order(graph):
        node = graph[ident]
        known = nodes.get(node["class_type"])
        if known is not None:
            yield from _missing(ident, node, known)
        for name, value in node["inputs"].items():
            yield from _link(graph, nodes, (ident, name), value)
    if not any(_may_end(nodes.get(node["class_type"])) for node in graph.values()):
        yield Problem(
            code="workflow.no-output",
            title="nothing in the graph saves or shows a picture",
            hint="Add a SaveImage node",
        )
    ring = _ring(graph)
    if ring:
        shown = " -> ".join(clean_line(ident, 40) for ident in (*ring, ring[0]))
        yield Problem(code="workflow.ring", title=f"the links go round in a circle: {shown}")


def _missing(ident: str, node: Mapping[str, Any], known: NodeInfo) -> Iterator[Problem]:
    for name, info in known.inputs.items():
        # Inputs of types that a node makes up itself may be given under other names.
        if info.required and name not in node["inputs"] and not info.kind.startswith(_ANY):
            yield _problem("missing-input", (ident, name), node, "it has no value and no link")


def _link(
    graph: Mapping[str, Any],
    nodes: Mapping[str, NodeInfo],
    at: tuple[str, str],
    value: Any,
) -> Iterator[Problem]:
    node = graph[at[0]]
    known = nodes.get(node["class_type"])
    info = known.inputs.get(at[1]) if known else None
    to = link(value)
    if to is None:
        if info is not None and info.kind in _LINKED:
            yield _problem("wrong-link", at, node, f"it takes a link to a {info.kind}")
        elif info is not None and isinstance(value, list):
            yield _problem("wrong-link", at, node, "a list is taken for a link, and this is none")
        return
    source = graph.get(to[0])
    if source is None:
        there = clean_line(to[0], 40)
        yield _problem("wrong-link", at, node, f"it is linked to node {there}, which is not there")
        return
    gives = nodes.get(source["class_type"])
    if gives is None:
        return
    if not 0 <= to[1] < len(gives.outputs):
        yield _problem("wrong-link", at, node, f"{source['class_type']} has no output {to[1]}")
    elif info is not None and not _fits(gives.outputs[to[1]], info.kind):
        kind = gives.outputs[to[1]]
        yield _problem("wrong-link", at, node, f"it takes a {info.kind}, and is given a {kind}")


def _problem(code: str, at: tuple[str, str], node: Mapping[str, Any], why: str) -> Problem:
    shown = " ".join(clean_line(part, 80) for part in (at[0], node["class_type"], at[1]))
    return Problem(
        code=f"workflow.{code}",
        title=f"{shown}: {clean_line(why, 200)}",
        node=at[0],
        class_type=node["class_type"],
        input=at[1],
    )


def _fits(given: str, taken: str) -> bool:
    """Tell whether types go together; `*` and types that a node makes up go with all."""
    if given.startswith(_ANY) or taken.startswith(_ANY) or taken == "COMBO":
        return True
    return bool(set(given.split(",")) & set(taken.split(",")))


def _may_end(known: NodeInfo | None) -> bool:
    """Tell whether a run can end in a node; one that is not known may be such a place."""
    return known is None or known.ends


def _ring(graph: Mapping[str, Any]) -> tuple[str, ...]:
    """Give nodes whose links lead back to the first of them; none where there are none.

    Walked without recursion: somebody's graph may be a chain of thousands.
    """
    done = set[str]()
    for start in graph:
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            ident, left = stack.pop()
            if left:
                done.add(path.pop())
            elif ident in path:
                return tuple(path[path.index(ident) :])
            elif ident not in done and ident in graph:
                path.append(ident)
                stack.append((ident, True))
                inputs = graph[ident]["inputs"].values()
                stack += [(to[0], False) for value in inputs if (to := link(value))]
    return ()
