"""Telling what a model file is: by its tensors, then its notes, then its name and its folder."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from console.models.inventory.header import Header, Tensor
from console.models.inventory.precision import precision_of
from console.models.inventory.rules import (
    Deeper,
    Rule,
    Shape,
    line_pattern,
    pattern,
    rules,
)

_NUMBER = re.compile(r"(?<=[._])\d+(?=[._]|$)")
_MOST_TEXT = 1 << 20
"""Letters of names that are looked through; an SDXL checkpoint has 0.1 million."""

_WITH_BASE = frozenset({"lora", "controlnet", "model_patch"})


class Recognised(NamedTuple):
    """What a file is; each may be empty, where it cannot be told.

    `kind` is one of `KINDS`; `base` is the family that a LoRA or a ControlNet goes with.
    """

    kind: str
    family: str
    base: str
    precision: str


def recognise(header: Header, name: str, folder: str) -> Recognised:
    """Tell what a file is.

    Args:
        header: as it was read; may tell nothing, as that of a pickle.
        name: of the file.
        folder: the kind of file that the folder it lies in is for, such as `vae`; may be empty.
    """
    stem = name.rpartition(".")[0].lower() or name.lower()
    keys = _Keys(header)
    rule = next((one for one in rules().rules if _fits(one, keys)), None) if keys else None
    if rule is None:
        kind, family = _by_name_alone(header, stem, folder)
    else:
        kind, family = _kind(rule, keys, folder), rule.family
    family = family or _by_notes(header.metadata, kind) or _by_name(stem, kind)
    family = _refined(family, kind, stem, header.metadata)
    base = family if kind in _WITH_BASE else ""
    return Recognised(kind, family, base, precision_of(header, stem))


class _Keys:
    """The names of a header's tensors, alike ones together."""

    def __init__(self, header: Header) -> None:
        self.names = [tensor.name for tensor in header.tensors]
        self.arch = header.metadata.get("general.architecture", "")
        self._tensors = header.tensors

    def __bool__(self) -> bool:
        return bool(self.names or self.arch)

    @cached_property
    def first(self) -> dict[str, Tensor]:
        """The first tensor of each name, with numbers as `#` and without prefixes."""
        found: dict[str, Tensor] = {}
        for tensor in self._tensors:
            found.setdefault(_plain(tensor.name), tensor)
        return found

    @cached_property
    def lines(self) -> str:
        """Those names, one a line; of very many only the first."""
        text = "\n".join(self.first)
        return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT].rpartition("\n")[0]

    def has(self, wanted: str) -> bool:
        return line_pattern(wanted).search(self.lines) is not None

    def any_of(self, wanted: Iterable[str]) -> bool:
        return any(self.has(one) for one in wanted)

    def begin_with(self, beginnings: tuple[str, ...]) -> bool:
        return any(name.startswith(beginnings) for name in self.names)

    def has_shape(self, shape: Shape) -> bool:
        for found in line_pattern(shape.key).finditer(self.lines):
            lengths = self.first[found[0]].shape
            if -len(lengths) <= shape.axis < len(lengths) and lengths[shape.axis] in shape.lengths:
                return True
        return False

    def goes_deeper(self, deeper: Deeper) -> bool:
        number = re.compile(rf"{re.escape(deeper.of)}[._](\d{{1,6}})(?!\d)")
        found = (number.search(name) for name in self.names)
        return any(int(one[1]) > deeper.than for one in found if one is not None)


def _fits(rule: Rule, keys: _Keys) -> bool:
    """Tell whether all that a rule names holds; the cheap questions first."""
    if bool(rule.arch) and keys.arch not in rule.arch:
        return False
    if rule.group and not keys.any_of(rules().groups[rule.group]):
        return False
    return (
        all(keys.has(one) for one in rule.all)
        and (not rule.any or keys.any_of(rule.any))
        and not keys.any_of(rule.none)
        and (rule.shape is None or keys.has_shape(rule.shape))
        and (rule.deeper is None or keys.goes_deeper(rule.deeper))
    )


def _kind(rule: Rule, keys: _Keys, folder: str) -> str:
    """Tell the kind where a rule fits: a model with its VAE or text encoder is a checkpoint."""
    kinds = rule.kinds
    parts = rules().checkpoint
    if "diffusion_model" in kinds:
        whole = keys.begin_with(parts.text_encoder) or keys.begin_with(parts.vae)
        if whole and keys.begin_with(parts.inside):
            return "checkpoint"
        if folder not in kinds and not keys.begin_with(parts.inside):
            return "diffusion_model"
    return folder if folder in kinds else kinds[0]


def _plain(name: str) -> str:
    """Give a tensor's name with its numbers as `#` and without what others put in front."""
    for prefix in rules().prefixes:
        name = name.removeprefix(prefix)
    return _NUMBER.sub("#", name.replace("\n", " "))


def _by_name_alone(header: Header, stem: str, folder: str) -> tuple[str, str]:
    """Tell kind and family of a file whose header says nothing."""
    if header.format not in {"safetensors", "gguf", "pickle", "part", "other"}:
        return "", ""
    named = next((kind for wanted, kind in rules().names.kinds if pattern(wanted).match(stem)), "")
    return folder or named, ""


def _by_notes(metadata: Mapping[str, str], kind: str) -> str:
    if kind in rules().names.without:
        return ""
    for notes in rules().notes:
        text = " ".join(metadata.get(key, "")[:200] for key in notes.keys).lower()
        for part, family in notes.families:
            if part in text:
                return family
    return ""


def _by_name(stem: str, kind: str) -> str:
    names = rules().names
    if not kind or kind in names.without:
        return ""
    return next((family for wanted, family in names.families if pattern(wanted).match(stem)), "")


def _refined(family: str, kind: str, stem: str, metadata: Mapping[str, str]) -> str:
    told = metadata.get("general.name", "")[:200].lower()
    for refine in rules().refine:
        if family == refine.family and kind in refine.kinds:
            for wanted in refine.names:
                if pattern(wanted).match(stem) or pattern(wanted).match(told):
                    return refine.becomes
    return family
