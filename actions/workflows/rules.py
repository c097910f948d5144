"""The packaged tables behind workflows: how variants are loaded, and what is known of nodes."""

from functools import cache
from typing import Any

import msgspec

from console.packaged import read_table


class Loader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A loader node: the input that names the file, and its other inputs."""

    file: str
    fixed: dict[str, Any] = {}


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the models of a family are run.

    Attributes:
        sampling, shift: the node whose `shift` is set.
        steps, cfg: without a Lightning LoRA.
        lora_after: the class of node that a LoRA follows, or `loader`.
        reference_method: what conditionings pass through; empty for none.
        lightning: steps that there are LoRAs for; fused_steps: of a file that does not say its own.
    """

    sampling: str
    shift: float
    steps: int
    cfg: float
    lora_after: str
    reference_method: str = ""
    lightning: tuple[int, ...] = ()
    fused_steps: int


class SizeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a picture's sides may be, in pixels, and how many pixels are usual."""

    step: int
    least: int
    most: int
    usual_most_pixels: int
    usual_least_pixels: int


class PutIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node that is put in: its id where that is free, and its title."""

    id: str
    title: str


class VariantRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How graphs are made for variants."""

    loaders: dict[str, Loader]
    encoders: dict[str, Loader]
    families: dict[str, Family]
    size: SizeRule
    put_in: dict[str, PutIn]


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A custom node: the classes of nodes it brings, and what it needs beside itself."""

    nodes: tuple[str, ...]
    also: str = ""


class NodeRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of nodes; see the table itself."""

    packs: dict[str, Pack]
    since: dict[str, str]
    editor: dict[str, tuple[str, ...]]
    files: dict[str, dict[str, str]]
    endings: dict[str, tuple[str, ...]]
    refusals: dict[str, str]

    def pack_of(self, class_type: str) -> str:
        """Give the custom node that brings a class; empty where that is not known."""
        return next((name for name, one in self.packs.items() if class_type in one.nodes), "")


@cache
def variant_rules() -> VariantRules:
    """Read how graphs are made for variants."""
    return msgspec.convert(read_table("workflow_variants.toml"), VariantRules)


@cache
def node_rules() -> NodeRules:
    """Read what is known of nodes."""
    return msgspec.convert(read_table("workflow_nodes.toml"), NodeRules)
