"""The inputs of a graph nobody has described: where its pictures, prompts and numbers go.

They are found from the sampler backwards, as its links lead, so that names do not matter.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from actions.workflows.graphs import in_order, link, natural
from actions.workflows.workflow import Graph, ImageSlot, Inputs, Slot
from console.text import clean_line

_PICTURES = ("LoadImage", "LoadImageMask")
_TEXTS = ("prompt", "text", "value", "string", "text_g", "clip_l", "t5xxl")
_SEEDS = ("seed", "noise_seed")
_ENDS = ("SaveImage", "SaveImageAdvanced")
_NUMBER = re.compile(r"\d+")
_FAR = 64


def find_inputs(graph: Graph) -> Inputs:
    """Give the inputs of a graph as far as they can be told; those that cannot are empty."""
    sampler = _sampler(graph)
    prompt = _text(graph, sampler, "positive", "conditioning")
    negative = _text(graph, sampler, "negative")
    latent = _latent(graph)
    return Inputs(
        images=tuple(_images(graph)),
        prompt=prompt,
        # What is zeroed of the prompt itself is no prompt of its own.
        negative=() if negative == prompt else negative,
        seed=_numbers(graph, _SEEDS),
        steps=_numbers(graph, ("steps",)),
        cfg=_numbers(graph, ("cfg",)),
        width=(Slot(latent, "width"),) if latent else (),
        height=(Slot(latent, "height"),) if latent else (),
        denoise=_numbers(graph, ("denoise",)),
        prefix=tuple(
            Slot(ident, "filename_prefix")
            for ident in in_order(graph)
            if graph[ident]["class_type"] in _ENDS
            and isinstance(graph[ident]["inputs"].get("filename_prefix"), str)
        ),
    )


def _images(graph: Graph) -> Iterator[ImageSlot]:
    """Give the pictures, by the numbers in their titles, then as their nodes are numbered."""
    loading = [
        ident
        for ident in graph
        if graph[ident]["class_type"] in _PICTURES
        and isinstance(graph[ident]["inputs"].get("image"), str)
    ]
    for ident in sorted(loading, key=lambda one: (_number(_title(graph[one])), natural(one))):
        yield ImageSlot(slot=Slot(ident, "image"), what=_title(graph[ident]))


def _title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return clean_line(title, 80) if isinstance(title, str) else ""


def _number(title: str) -> int:
    found = _NUMBER.search(title)
    return int(found[0][:9]) if found else 1_000_000_000


def _sampler(graph: Graph) -> str:
    """Give the node that samples: one with a seed and a prompt, or the guider of one."""
    both = [
        ident
        for ident in in_order(graph)
        if link(graph[ident]["inputs"].get("positive"))
        and any(name in graph[ident]["inputs"] for name in (*_SEEDS, "cfg"))
    ]
    guiders = [
        ident
        for ident in in_order(graph)
        if "Guider" in graph[ident]["class_type"]
        and link(graph[ident]["inputs"].get("conditioning"))
    ]
    return next(iter((*both, *guiders)), "")


def _text(graph: Graph, ident: str, *names: str) -> tuple[Slot, ...]:
    """Follow a conditioning back to the node that holds its words."""
    inputs = graph[ident]["inputs"] if ident else {}
    to = next((found for name in names if (found := link(inputs.get(name)))), None)
    for _ in range(_FAR):
        if to is None or to[0] not in graph:
            return ()
        inputs = graph[to[0]]["inputs"]
        for name in _TEXTS:
            value = inputs.get(name)
            if isinstance(value, str):
                return (Slot(to[0], name),)
        to = _further(inputs, to[1])
    return ()


def _further(inputs: Mapping[str, Any], output: int) -> tuple[str, int] | None:
    """Give where a node has its own words or conditioning from, by which output was taken."""
    if link(inputs.get("positive")) and link(inputs.get("negative")):
        return link(inputs["negative" if output == 1 else "positive"])
    names = (*_TEXTS, "conditioning", "conditioning_1", "positive", "negative")
    return next((found for name in names if (found := link(inputs.get(name)))), None)


def _numbers(graph: Graph, names: tuple[str, ...]) -> tuple[Slot, ...]:
    """Give the inputs of these names that hold a number of their own, of the first such node."""
    for ident in in_order(graph):
        for name in names:
            value = graph[ident]["inputs"].get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return (Slot(ident, name),)
    return ()


def _latent(graph: Graph) -> str:
    """Give the node that makes an empty latent of a size of its own."""
    for ident in in_order(graph):
        node = graph[ident]
        sides = [node["inputs"].get(name) for name in ("width", "height")]
        if "Latent" in node["class_type"] and all(isinstance(side, int) for side in sides):
            return ident
    return ""
