"""What a graph is to who computes it: which node comes after which, and what is the same again."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from console.simulator.services.backstage import Graph


def class_of(graph: Graph, node: str) -> str:
    """Give a node's class; empty where it has none."""
    entry = graph.get(node)
    return str(entry.get("class_type") or "") if isinstance(entry, dict) else ""


def inputs_of(graph: Graph, node: str) -> dict[str, Any]:
    """Give a node's inputs; empty where they make no sense."""
    entry = graph.get(node)
    found = entry.get("inputs") if isinstance(entry, dict) else None
    return found if isinstance(found, dict) else {}


def links_of(graph: Graph, node: str) -> Iterator[str]:
    """Give the nodes that a node takes something from."""
    for value in inputs_of(graph, node).values():
        if isinstance(value, list) and len(value) == 2 and str(value[0]) in graph:
            yield str(value[0])


def in_order(graph: Graph, ends: list[str]) -> list[str]:
    """Give the nodes that these ends need, each after those it takes from."""
    order: list[str] = []
    seen: set[str] = set()
    stack = [(end, False) for end in reversed(ends)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(link, False) for link in reversed(list(links_of(graph, node)))]
    return order


def signatures(graph: Graph, order: list[str]) -> dict[str, str]:
    """Give for each node what its result depends on: its class and all inputs, back to the start.

    Where an order has a cycle, whatever is not known yet counts as nothing.
    """
    found: dict[str, str] = {}
    for node in order:
        inputs = {
            key: found.get(str(value[0]), "") + f"#{value[1]}"
            if isinstance(value, list) and len(value) == 2
            else value
            for key, value in inputs_of(graph, node).items()
        }
        text = json.dumps([class_of(graph, node), inputs], sort_keys=True, default=str)
        found[node] = hashlib.sha256(text.encode()).hexdigest()
    return found


def cycle_in(graph: Graph, end: str) -> list[str]:
    """Give the nodes of a cycle on the way to an end, the first again at last; empty if none."""
    path: list[str] = []
    done: set[str] = set()
    stack: list[tuple[str, Iterator[str]]] = [(end, links_of(graph, end))]
    path.append(end)
    while stack:
        link = next(stack[-1][1], None)
        if link is None:
            stack.pop()
            done.add(path.pop())
        elif link in path:
            return [*path[path.index(link) :], link]
        elif link not in done:
            stack.append((link, links_of(graph, link)))
            path.append(link)
    return []
