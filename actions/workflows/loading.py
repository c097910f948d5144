"""Which files of the catalogue a graph is to load: Lightning LoRAs, text encoders, steps."""

import re
from collections.abc import Sequence

from actions.workflows.rules import Family, variant_rules
from console.errors import UsageError
from console.models.catalog import Catalog, ModelFile, Variant

_STEPS = re.compile(r"(?<!\d)(\d{1,2})steps")


def steps_in(ident: str) -> int | None:
    """Give the steps that a file is distilled for, by its id; None where that does not say."""
    found = _STEPS.search(ident)
    return int(found[1]) if found else None


def fused_steps(variant: Variant, family: Family) -> int:
    """Give the steps that a variant with a fused Lightning LoRA is run with."""
    return steps_in(variant.id) or family.fused_steps


def lightning_for(catalog: Catalog, variant: Variant, steps: int) -> ModelFile:
    """Give the Lightning LoRA for a variant and a number of steps; BF16 where there are several.

    Raises:
        UsageError: there is none (`workflow.no-lightning`); the hint says for which steps there is.
    """
    there = [
        file
        for file in catalog.files
        if file.kind == "lora" and "lightning" in file.id and variant.family in file.families
    ]
    fit = [file for file in there if steps_in(file.id) == steps]
    if fit:
        return min(fit, key=lambda file: file.quant != "bf16")
    known = sorted({made for file in there if (made := steps_in(file.id)) is not None})
    raise UsageError(
        "workflow.no-lightning",
        f"the catalogue has no Lightning LoRA of {steps} steps for {variant.family}",
        f"There are some of {' and '.join(map(str, known))} steps" if known else "",
    )


def encoders_for(catalog: Catalog, variant: Variant) -> tuple[ModelFile, ...]:
    """Give the text encoders that a variant can run with, its own first."""
    own = [file for file in catalog.files_of(variant) if file.kind == "text_encoder"]
    others = [
        file
        for file in catalog.files
        if file.kind == "text_encoder" and variant.family in file.families and file not in own
    ]
    return (*own, *others)


def encoder_named(catalog: Catalog, variant: Variant, name: str) -> ModelFile:
    """Give a text encoder by its id, or the name of its file.

    Raises:
        UsageError: there is none of that name for the variant's family (`workflow.no-encoder`).
    """
    several = encoders_for(catalog, variant)
    for file in several:
        if name in {file.id, file.name}:
            return file
    raise UsageError(
        "workflow.no-encoder",
        f"{variant.id} has no text encoder {name!r}",
        f"There are {_named(several)}",
    )


def encoder_listed(catalog: Catalog, variant: Variant, listed: Sequence[str]) -> ModelFile | None:
    """Give the text encoder that a server has: the variant's own before others, in GGUF or not.

    Args:
        catalog: the catalogue.
        variant: whose.
        listed: the files that the server's loaders of text encoders list.

    Returns:
        None where it has none of them.
    """
    names = {name.replace("\\", "/").rpartition("/")[2] for name in listed}
    for file in encoders_for(catalog, variant):
        if file.name in names and file.loader in variant_rules().encoders:
            return file
    return None


def _named(files: Sequence[ModelFile]) -> str:
    return ", ".join(file.id for file in files) or "none"
