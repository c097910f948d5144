"""What a variant, or a plain budget, demands of a card before any arithmetic: bytes and limits."""

from collections.abc import Mapping, Sequence

import msgspec

from actions.fit.model import Term
from actions.services.snapshot import NO_BUDGET
from console.models.catalog import Catalog, ModelFile, Variant
from console.models.disk import OnDisk
from console.units import format_bytes
from console.unknown import Unknown

EXTRA_KINDS = ("lora", "controlnet", "model_patch")


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a card; sizes in bytes.

    Attributes:
        variant: its id; empty for a plain budget.
        title: for people.
        base: the weights, or the plain budget; Unknown where nobody tells.
        plain: only a budget is known, nothing of weights: it cannot be offered to offload.
        extras: LoRA and ControlNet, where they take VRAM of their own.
        encoder_bytes, vae_bytes: of what runs before and after the diffusion model.
        encoder_source, vae_source: `disk` where all its files are there, else `catalogue`.
        min_capability, max_capability: of the card; empty is any.
        min_card_bytes: the smallest card it is run on, as sold.
        min_ram_bytes: host RAM in all, without which it is not run offloaded.
        quant: of the weights; empty for a plain budget.
        notes: what else to know.
    """

    variant: str = ""
    title: str = ""
    base: Term | Unknown
    plain: bool = False
    extras: tuple[Term, ...] = ()
    encoder_bytes: int = 0
    vae_bytes: int = 0
    encoder_source: str = "catalogue"
    vae_source: str = "catalogue"
    min_capability: str = ""
    max_capability: str = ""
    min_card_bytes: int = 0
    min_ram_bytes: int = 0
    quant: str = ""
    notes: tuple[str, ...] = ()

    @property
    def weights(self) -> int | Unknown:
        """All weights that could stream from host RAM, extras included."""
        if isinstance(self.base, Unknown):
            return self.base
        return self.base.bytes + sum(term.bytes for term in self.extras)


def budget_demand(budget: int, notes: tuple[str, ...] = ()) -> Demand:
    """Give the demand of a service of which only its budget is known."""
    base = Term(name="budget", title="vram_budget", bytes=max(0, budget), source="config")
    return Demand(title="its budget", base=base, plain=True, notes=notes)


def unknown_demand(why: Unknown = NO_BUDGET) -> Demand:
    """Give the demand of a service of which nothing is known."""
    return Demand(base=why, plain=True)


def variant_demand(
    variant: Variant,
    catalog: Catalog,
    extras: Sequence[str] = (),
    on_disk: Mapping[str, OnDisk] | None = None,
) -> Demand:
    """Give the demand of a variant, with the real sizes of files that are on this host.

    Args:
        variant: of the catalogue.
        catalog: the catalogue.
        extras: ids of LoRAs, ControlNets and model patches that it is run with.
        on_disk: what `look_for` found, by file id.
    """
    disk = on_disk or {}
    notes: list[str] = []
    terms: list[Term] = []
    files = catalog.files_of(variant)
    base: Term | Unknown = _weights(variant, files[0], disk.get(files[0].id), notes)
    for ident in extras:
        term = _extra(variant, catalog.file(ident), ident, disk, notes)
        if isinstance(term, Unknown):
            base = term
        elif term is not None:
            terms.append(term)
    encoder, encoder_source = _sum_of(files, ("text_encoder", "mmproj"), disk)
    vae, vae_source = _sum_of(files, ("vae",), disk)
    return Demand(
        variant=variant.id,
        title=variant.title,
        base=base,
        extras=tuple(terms),
        encoder_bytes=encoder,
        vae_bytes=vae,
        encoder_source=encoder_source,
        vae_source=vae_source,
        min_capability=variant.min_capability,
        max_capability=variant.max_capability,
        min_card_bytes=variant.min_card_bytes,
        min_ram_bytes=variant.min_ram_bytes,
        quant=variant.quant,
        notes=tuple(notes),
    )


def _weights(
    variant: Variant, file: ModelFile, there: OnDisk | None, notes: list[str]
) -> Term | Unknown:
    size, source = _size(file, there)
    if size is None:
        return Unknown(
            "model.size-unknown",
            f"how big {file.name} is, no source tells",
            "it is known once the file is on disk",
        )
    if there is not None and there.state == "wrong-size" and there.bytes is not None:
        notes.append(
            f"{file.name} on disk has {format_bytes(there.bytes)} of {format_bytes(size)}: "
            "it is cut short, or another file"
        )
    rounded = source == "catalogue" and file.bytes is None
    title = f"weights ({variant.quant}{', rounded' if rounded else ''})"
    return Term(name="weights", title=title, bytes=size, source=source)


def _extra(
    variant: Variant,
    file: ModelFile | None,
    ident: str,
    disk: Mapping[str, OnDisk],
    notes: list[str],
) -> Term | Unknown | None:
    """Give the term of a LoRA or ControlNet; None where it takes nothing of its own."""
    if file is None or file.kind not in EXTRA_KINDS:
        return Unknown("model.not-an-extra", f"{ident} is no LoRA, ControlNet or model patch")
    if file.kind == "lora" and not variant.patches_lora:
        notes.append(f"{ident} is patched into the weights in place: it takes no VRAM of its own")
        return None
    if file.kind == "lora" and "Nunchaku" in variant.loader:
        notes.append("ComfyUI's own LoRA loader does not patch Nunchaku files: it needs a node")
    size, source = _size(file, disk.get(file.id))
    if size is None:
        return Unknown("model.size-unknown", f"how big {file.name} is, no source tells")
    name = "lora" if file.kind == "lora" else "controlnet"
    words = {"lora": "LoRA", "controlnet": "ControlNet", "model_patch": "model patch"}
    title = f"{words[file.kind]} ({ident})"
    return Term(name=name, title=title, bytes=size, source=source)


def _size(file: ModelFile, there: OnDisk | None) -> tuple[int | None, str]:
    if file.loaded_bytes is not None:
        return file.loaded_bytes, "catalogue"
    if there is not None and there.state == "present" and there.bytes:
        return there.bytes, "disk"
    return file.size, "catalogue"


def _sum_of(
    files: Sequence[ModelFile], kinds: tuple[str, ...], disk: Mapping[str, OnDisk]
) -> tuple[int, str]:
    """Add up the files of some kinds; `disk` is the source where each of them is there."""
    sizes = [_size(one, disk.get(one.id)) for one in files if one.kind in kinds]
    all_there = bool(sizes) and all(source == "disk" for _, source in sizes)
    return sum(size or 0 for size, _ in sizes), "disk" if all_there else "catalogue"
