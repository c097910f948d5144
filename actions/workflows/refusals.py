"""A server's refusal of a graph, in words that say what to do.

A server answers 400 with what is wrong; but also 200 where one of several outputs can run, and then
drops the others without a word: `node_errors` that are not empty are a refusal too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from actions.workflows.checking import missing_node
from actions.workflows.object_info import COMBO, InputInfo, NodeInfo, read_nodes
from actions.workflows.problem import Problem
from actions.workflows.rules import node_rules
from actions.workflows.values import Place, wrong_value
from console.models.catalog import Catalog
from console.text import clean_line
from console.web.values import items, mapping, within

_MISSING = "missing_node_type"
_DOES_NOT_EXIST = "Cannot execute because node "
_MOST = 50


def refusal_of(answer: object, graph: Mapping[str, Any], catalog: Catalog) -> tuple[Problem, ...]:
    """Read what a server says against a graph in its answer to `POST /prompt`.

    Args:
        answer: the parsed body, of a 400 or of a 200.
        graph: what was sent.
        catalog: knows which files can be fetched, and from where nodes come.

    Returns:
        Nothing where it took the graph whole.
    """
    found = list(_of_nodes(answer, graph, catalog))
    kind = within(answer, "error.type")
    if isinstance(kind, str) and not found:
        found.append(_of_graph(answer, kind, graph, catalog))
    elif within(answer, "error") is not None and not found:
        words = clean_line(str(within(answer, "error")), 300)
        found.append(Problem(code="workflow.refused", title="the server refused it", hint=words))
    return tuple(dict.fromkeys(found))


def _of_graph(answer: object, kind: str, graph: Mapping[str, Any], catalog: Catalog) -> Problem:
    """Read what is wrong with the graph as a whole."""
    class_type = _missing_class(answer, kind, graph)
    if class_type:
        return missing_node(class_type, catalog, _text(answer, "error.extra_info.node_id"))
    words = [_text(answer, f"error.{part}") for part in ("message", "details")]
    return Problem(
        code="workflow.refused",
        title=f"the server refused it: {node_rules().refusals.get(kind, clean_line(kind, 80))}",
        hint=": ".join(dict.fromkeys(word for word in words if word)),
    )


def _missing_class(answer: object, kind: str, graph: Mapping[str, Any]) -> str:
    """Give the class of nodes that a server does not have, as new and old ones name it."""
    named = within(answer, "error.extra_info.class_type")
    if kind == _MISSING and isinstance(named, str):
        return named
    message = _text(answer, "error.message")
    if not message.startswith(_DOES_NOT_EXIST):
        return ""
    known = {node.get("class_type") for node in graph.values() if isinstance(node, Mapping)}
    name = message.removeprefix(_DOES_NOT_EXIST).partition(" does not exist")[0]
    return name if name in known else ""


def _of_nodes(answer: object, graph: Mapping[str, Any], catalog: Catalog) -> Iterator[Problem]:
    for ident, told in list(mapping(within(answer, "node_errors")).items())[:_MOST]:
        class_type = _text(told, "class_type")
        for error in items(within(told, "errors"))[:_MOST]:
            yield _of_node(str(ident), class_type, error, graph, catalog)


def _of_node(
    ident: str, class_type: str, error: object, graph: Mapping[str, Any], catalog: Catalog
) -> Problem:
    kind, name = _text(error, "type"), _text(error, "extra_info.input_name")
    place = Place(clean_line(ident, 40), class_type, name)
    value = within(error, "extra_info.received_value")
    info = _input(class_type, name, within(error, "extra_info.input_config"))
    if kind == "value_not_in_list" and value is None:
        value = within(graph.get(ident), f"inputs.{name}")
    if info is not None or kind == "value_not_in_list":
        listed = info.inputs.get(name) if info is not None else None
        told = listed or InputInfo(kind=COMBO, options=(), listed=True)
        problem = wrong_value(place, value, told, catalog)
        if problem is not None and (problem.allowed or problem.file or listed is not None):
            return problem
    words = node_rules().refusals.get(kind, clean_line(kind, 80))
    details = _text(error, "details") or _text(error, "message")
    return Problem(
        code="workflow.refused",
        title=f"{place.words}: {words}",
        hint=f"The server says: {details}" if details else "",
        node=place.node,
        class_type=class_type,
        input=name,
    )


def _input(class_type: str, name: str, config: object) -> NodeInfo | None:
    """Read what the server says an input takes, where it does."""
    if not isinstance(config, list) or not name:
        return None
    node = {class_type: {"input": {"required": {name: config}}}}
    return read_nodes(node, (class_type,)).get(class_type)


def _text(data: object, path: str) -> str:
    value = within(data, path)
    return clean_line(value, 300) if isinstance(value, str) else ""
