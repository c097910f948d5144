"""`/object_info` of the nodes that editing with Qwen-Image uses, grown from a compact table."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from console.packaged import read_table

_CUSTOM = "custom_nodes"

Files = Callable[[str], list[str]]


def node_table(new: bool, files: Files, custom: Collection[str] | None = None) -> dict[str, Any]:
    """Give every node as ComfyUI describes it.

    Args:
        new: of 0.33.0; else of 0.3.64.
        files: gives what lies in a folder of models.
        custom: the custom nodes that are installed, as `ComfyUI-GGUF`; None is those that were
            where the tables were recorded.
    """
    return {
        name: _described(name, facts, new, files)
        for name, facts in _table().items()
        if _is_there(facts, new, custom)
    }


def _is_there(facts: dict[str, Any], new: bool, custom: Collection[str] | None) -> bool:
    package, _, name = facts.get("module", "").partition(".")
    if package == _CUSTOM and custom is not None:
        return name in custom
    return new or not facts.get("only_new")


def _described(name: str, facts: dict[str, Any], new: bool, files: Files) -> dict[str, Any]:
    late = () if new else facts.get("since_new", ())
    required = [_input(text, files) for text in facts.get("in", [])]
    optional = [_input(text, files) for text in facts.get("may", [])]
    required = [pair for pair in required if pair[0] not in late]
    optional = [pair for pair in optional if pair[0] not in late]
    inputs: dict[str, Any] = {"required": dict(required)}
    order: dict[str, Any] = {"required": [key for key, _ in required]}
    if optional:
        inputs["optional"] = dict(optional)
        order["optional"] = [key for key, _ in optional]
    if facts.get("ends"):
        inputs["hidden"] = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
        order["hidden"] = ["prompt", "extra_pnginfo"]
    out = facts.get("out", [])
    return {
        "input": inputs,
        "input_order": order,
        **({"is_input_list": False} if new else {}),
        "output": out,
        "output_is_list": [False] * len(out),
        "output_name": out,
        "name": name,
        "display_name": facts.get("title", name),
        "description": "",
        "python_module": facts.get("module", "nodes"),
        "category": facts.get("category", ""),
        "output_node": bool(facts.get("ends")),
    }


def _input(text: str, files: Files) -> tuple[str, Any]:
    """Read one input: `name TYPE`, `name TYPE=default`, `name @folder` or `name one|other`."""
    name, _, kind = text.partition(" ")
    if kind.startswith("@"):
        return name, [[file for folder in kind[1:].split(",") for file in files(folder)]]
    if "|" in kind:
        return name, [kind.split("|")]
    sort, equals, default = kind.partition("=")
    return name, [sort, {"default": _value(sort, default)}] if equals else [sort, {}]


def _value(sort: str, text: str) -> Any:
    if sort == "INT":
        return int(text)
    if sort == "FLOAT":
        return float(text)
    return text == "true" if sort == "BOOLEAN" else text


@cache
def _table() -> dict[str, Any]:
    nodes: dict[str, Any] = read_table("rehearsal_comfyui.toml")["nodes"]
    return nodes
