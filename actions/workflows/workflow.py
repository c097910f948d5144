"""What a workflow is: a graph (or Forge's request), its inputs by name, what it is made for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

Graph = dict[str, dict[str, Any]]
"""ComfyUI's API format: nodes by id, each with `class_type` and `inputs`."""

NUMBERS = ("seed", "steps", "cfg", "width", "height", "denoise")


class Slot(msgspec.Struct, frozen=True):
    """One input of one node; in a request of Forge's, `node` is empty or the list it is in."""

    node: str
    input: str

    @property
    def text(self) -> str:
        """The slot as TOML has it, such as `111.prompt`."""
        return f"{self.node}.{self.input}" if self.node else self.input


class ImageSlot(msgspec.Struct, frozen=True, kw_only=True):
    """An input that takes a picture; `what` says in words which."""

    slot: Slot
    what: str = ""
    optional: bool = False


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Where what an edit is asked with goes; an empty tuple is an input the graph does not have."""

    images: tuple[ImageSlot, ...] = ()
    prompt: tuple[Slot, ...] = ()
    negative: tuple[Slot, ...] = ()
    seed: tuple[Slot, ...] = ()
    steps: tuple[Slot, ...] = ()
    cfg: tuple[Slot, ...] = ()
    width: tuple[Slot, ...] = ()
    height: tuple[Slot, ...] = ()
    denoise: tuple[Slot, ...] = ()
    prefix: tuple[Slot, ...] = ()


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt to begin with; what stands in capitals is to be put in its place."""

    title: str
    prompt: str
    negative: str = ""


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow.

    Attributes:
        name: such as `edit-single`.
        service: `comfyui` or `forge`: the kind of service that runs it.
        path: of Forge's API; empty for ComfyUI.
        families: of the variants it is made for; empty where the graph is used as it is.
        extras: ids of the catalogue that it needs beside a variant, such as a ControlNet.
        order: where it stands in lists, among its own kind.
        file: where an operator's own lies; None for one that ships with the program.
        graph: ComfyUI's graph, or Forge's request; whoever changes it copies it first.
    """

    name: str
    title: str
    summary: str = ""
    note: str = ""
    service: str = "comfyui"
    path: str = ""
    families: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    inputs: Inputs = Inputs()
    templates: tuple[Template, ...] = ()
    order: int = 0
    file: Path | None = None
    graph: Mapping[str, Any]

    @property
    def fewest_images(self) -> int:
        """How many pictures it cannot do without."""
        return sum(not one.optional for one in self.inputs.images)

    @property
    def most_images(self) -> int:
        """How many pictures it takes."""
        return len(self.inputs.images)

    def value(self, name: str) -> Any:
        """Give what the graph itself has for an input, such as `seed`; None where it has none."""
        slots: tuple[Slot, ...] = getattr(self.inputs, name)
        return value_at(self.graph, slots[0]) if slots else None


def value_at(graph: Mapping[str, Any], slot: Slot) -> Any:
    """Give what stands in a slot; None where there is no such slot."""
    if not slot.node:
        return graph.get(slot.input)
    node = graph.get(slot.node)
    if isinstance(node, list):
        return node[int(slot.input)] if int(slot.input) < len(node) else None
    inputs = node.get("inputs") if isinstance(node, Mapping) else None
    return inputs.get(slot.input) if isinstance(inputs, Mapping) else None


def put(graph: dict[str, Any], slots: tuple[Slot, ...], value: Any) -> None:
    """Set every one of some slots, in a graph that is the caller's own."""
    for slot in slots:
        if not slot.node:
            graph[slot.input] = value
        elif isinstance(graph[slot.node], list):
            graph[slot.node][int(slot.input)] = value
        else:
            graph[slot.node]["inputs"][slot.input] = value
