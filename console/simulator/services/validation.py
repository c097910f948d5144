"""What ComfyUI checks before it takes a graph, and in which words it refuses one."""

from collections.abc import Callable
from typing import Any

from console.simulator.services.backstage import Graph
from console.simulator.services.graphs import class_of, cycle_in, in_order, inputs_of

Nodes = dict[str, Any]
_LONG_LIST = 20
_NUMBERS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str}
_SAID = {
    "required_input_missing": "Required input is missing",
    "bad_linked_input": "Bad linked input, must be a length-2 list of [node_id, slot_index]",
    "return_type_mismatch": "Return type mismatch between linked nodes",
    "value_not_in_list": "Value not in list",
    "value_smaller_than_min": "Value {value} smaller than min of {bound}",
    "value_bigger_than_max": "Value {value} bigger than max of {bound}",
    "custom_validation_failed": "Custom validation failed for node",
    "exception_during_validation": "Exception when validating node",
    "dependency_cycle": "Dependency cycle detected",
}


def outputs_of(graph: Graph, nodes: Nodes) -> list[str]:
    """Give the nodes of a graph that leave something."""
    return [key for key in graph if nodes.get(class_of(graph, key), {}).get("output_node")]


def unknown_node(graph: Graph, nodes: Nodes, new: bool) -> dict[str, Any] | None:
    """Give the refusal for the first node that the server does not know; None where all are."""
    for key, node in graph.items():
        kind = node.get("class_type") if isinstance(node, dict) else None
        if kind in nodes:
            continue
        if not new:
            said = f"Cannot execute because node {kind} does not exist."
            return prompt_error("invalid_prompt", said, f"Node ID '#{key}'")
        title = _title(node, kind)
        said = f"Node '{title}' not found. The custom node may not be installed."
        if kind is None:
            said = (
                f"Node 'ID #{key}' has no class_type. "
                "The workflow may be corrupted or a custom node is missing."
            )
        made = prompt_error("missing_node_type", said, f"Node ID '#{key}'")
        facts = {"node_id": key, "class_type": kind, "node_title": title}
        made["error"]["extra_info"] = facts
        return made
    return None


def _title(node: Any, kind: Any) -> Any:
    meta = node.get("_meta") if isinstance(node, dict) else None
    return (meta.get("title") if isinstance(meta, dict) else None) or kind


def prompt_error(sort: str, said: str, details: str | None = None) -> dict[str, Any]:
    """Give an answer that refuses a prompt."""
    error = {
        "type": sort,
        "message": said,
        "details": said if details is None else details,
        "extra_info": {},
    }
    return {"error": error, "node_errors": {}}


class Checking:
    """The check of one graph.

    `good` are the outputs that can be computed, `errors` the node errors, in the server's shapes.
    """

    def __init__(
        self, graph: Graph, nodes: Nodes, is_there: Callable[[str], bool], new: bool
    ) -> None:
        self._graph = graph
        self._nodes = nodes
        self._is_there = is_there
        self._new = new
        self.errors: dict[str, Any] = {}
        self.good = [end for end in outputs_of(graph, nodes) if self._passes(end)]

    def refusal(self) -> dict[str, Any]:
        """Give the answer where no output at all can be computed."""
        told = ""
        for node, entry in self.errors.items():
            if node in entry["dependent_outputs"] and entry["errors"]:
                first = entry["errors"][0]
                told = f"{first['message']}: {first['details']}"
        made = prompt_error(
            "prompt_outputs_failed_validation", "Prompt outputs failed validation", told
        )
        return made | {"node_errors": self.errors}

    def _passes(self, end: str) -> bool:
        cycle = cycle_in(self._graph, end)
        if cycle:
            self._cycle(end, cycle)
            return False
        passed = True
        for node in in_order(self._graph, [end]):
            wrong = self._wrong(node)
            if wrong:
                passed = False
                kind = class_of(self._graph, node)
                entry = self.errors.setdefault(
                    node, {"errors": wrong, "dependent_outputs": [], "class_type": kind}
                )
                entry["dependent_outputs"].append(end)
        return passed

    def _cycle(self, end: str, cycle: list[str]) -> None:
        # The older one says that something is wrong, but not what.
        if not self._new:
            return
        text = " -> ".join(f"{node} ({class_of(self._graph, node)})" for node in cycle)
        for node in cycle[:-1]:
            facts = {"node_id": node, "cycle_nodes": cycle[:-1]}
            self.errors[node] = {
                "errors": [_error("dependency_cycle", text, facts)],
                "dependent_outputs": [end],
                "class_type": class_of(self._graph, node),
            }

    def _wrong(self, node: str) -> list[dict[str, Any]]:
        told = self._nodes[class_of(self._graph, node)]["input"]
        given = inputs_of(self._graph, node)
        found = []
        for name, config in told.get("required", {}).items():
            if name not in given:
                found.append(_error("required_input_missing", name, {"input_name": name}))
            else:
                found += self._value(node, name, config, given[name])
        for name, config in told.get("optional", {}).items():
            if name in given:
                found += self._value(node, name, config, given[name])
        return found

    def _value(self, node: str, name: str, config: list[Any], value: Any) -> list[dict[str, Any]]:
        if isinstance(value, list):
            return self._link(name, config, value)
        facts = {"input_name": name, "input_config": config, "received_value": value}
        if class_of(self._graph, node) == "LoadImage" and name == "image":
            if self._is_there(str(value)):
                return []
            details = f"{name} - Invalid image file: {value}"
            return [_error("custom_validation_failed", details, {"input_name": name})]
        if isinstance(config[0], list):
            return _listed(name, config, value, facts)
        return _typed(name, config, value, facts)

    def _link(self, name: str, config: list[Any], value: list[Any]) -> list[dict[str, Any]]:
        facts: dict[str, Any] = {"input_name": name, "input_config": config}
        if len(value) != 2:
            return [_error("bad_linked_input", name, facts | {"received_value": value})]
        source = str(value[0])
        if source not in self._graph:
            raised = {"exception_type": "KeyError", "traceback": []}
            return [_error("exception_during_validation", f"'{source}'", raised)]
        gives = self._nodes[class_of(self._graph, source)]["output"]
        if not isinstance(value[1], int) or not 0 <= value[1] < len(gives):
            raised = {"exception_type": "IndexError", "traceback": []}
            return [_error("exception_during_validation", "tuple index out of range", raised)]
        kind, wanted = gives[value[1]], config[0]
        if isinstance(wanted, list) or wanted in {kind, "*"}:
            return []
        details = f"{name}, received_type({kind}) mismatch input_type({wanted})"
        facts |= {"received_type": kind, "linked_node": value}
        return [_error("return_type_mismatch", details, facts)]


def _listed(
    name: str, config: list[Any], value: Any, facts: dict[str, Any]
) -> list[dict[str, Any]]:
    if value in config[0]:
        return []
    shown = str(config[0])
    if len(config[0]) > _LONG_LIST:
        shown = f"(list of length {len(config[0])})"
        facts = facts | {"input_config": None}
    return [_error("value_not_in_list", f"{name}: '{value}' not in {shown}", facts)]


def _typed(name: str, config: list[Any], value: Any, facts: dict[str, Any]) -> list[dict[str, Any]]:
    turn = _NUMBERS.get(config[0])
    if turn is None:
        return []
    try:
        number = turn(value)
    except (TypeError, ValueError) as error:
        facts = facts | {"exception_message": str(error)}
        made = _error("invalid_input_type", f"{name}, {value}, {error}", facts)
        made["message"] = f"Failed to convert an input value to a {config[0]} value"
        return [made]
    bounds = config[1] if len(config) > 1 and isinstance(config[1], dict) else {}
    if config[0] != "STRING" and number < bounds.get("min", number):
        return [_bound("value_smaller_than_min", name, value, bounds["min"], facts)]
    if config[0] != "STRING" and number > bounds.get("max", number):
        return [_bound("value_bigger_than_max", name, value, bounds["max"], facts)]
    return []


def _bound(sort: str, name: str, value: Any, bound: Any, facts: dict[str, Any]) -> dict[str, Any]:
    made = _error(sort, name, facts)
    made["message"] = _SAID[sort].format(value=value, bound=bound)
    return made


def _error(sort: str, details: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": sort, "message": _SAID.get(sort, sort), "details": details, "extra_info": facts
    }  # fmt: skip
