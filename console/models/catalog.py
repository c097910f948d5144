"""The catalogue: model files, the variants made of them, and pairs that do not go together."""

import fnmatch
from functools import cache

import msgspec

from console.packaged import read_table

KINDS = (
    "diffusion_model",
    "text_encoder",
    "mmproj",
    "prompt_enhancer",
    "vae",
    "lora",
    "controlnet",
    "model_patch",
)
MAIN = "main"
"""The revision of a file that is not pinned."""


class ModelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the catalogue.

    Attributes:
        id: as in facts and config, such as `qwen2.5-vl-7b-fp8-scaled`.
        kind: one of `KINDS`.
        quant: such as `fp8_e4m3fn`, `q4_k_m`, `bf16`.
        repo, path: on the hub.
        revision: the commit, tag or branch it is taken from; empty is `MAIN`.
        bytes: exact; None where only a rounded size is known, then `approximate_bytes` is it.
        sha256: None where no source has it.
        loaded_bytes: what it takes once it is loaded, where that is not its size; else None.
        folder: below a models folder, such as `diffusion_models`; also_in: where else it is found.
        save_as: its name on disk, where that is not the path's last part.
        families: of the variants it goes with.
        needs: ids of files that must lie beside it.
        loader: ComfyUI's node that loads it; may be empty.
        custom_node: what has to be installed beside ComfyUI; may be empty.
        packages: of Python, that ComfyUI or the custom node must have, such as `gguf`.
        min_comfyui: the oldest version that takes it; empty where no source tells.
        min_capability, max_capability: of the card, such as `7.5`; empty is any.
        licence: as its repository says it; `unknown` where it does not.
        note: what else to know, in one sentence; may be empty.
    """

    id: str
    kind: str
    quant: str = ""
    repo: str
    path: str
    revision: str = ""
    bytes: int | None = None
    approximate_bytes: int | None = None
    sha256: str | None = None
    loaded_bytes: int | None = None
    folder: str
    also_in: tuple[str, ...] = ()
    save_as: str = ""
    families: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    loader: str = ""
    custom_node: str = ""
    packages: tuple[str, ...] = ()
    min_comfyui: str = ""
    min_capability: str = ""
    max_capability: str = ""
    licence: str = "apache-2.0"
    note: str = ""

    @property
    def name(self) -> str:
        """The file's name on disk."""
        return self.save_as or self.path.rpartition("/")[2]

    @property
    def asked_revision(self) -> str:
        """What is asked of the hub: the pinned revision, else `MAIN`."""
        return self.revision or MAIN

    @property
    def size(self) -> int | None:
        """Its bytes, exact where that is known; None where no source tells."""
        return self.bytes or self.approximate_bytes


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A diffusion model together with what it runs with.

    Attributes:
        id: such as `qwen-edit-2509-fp8`; also the id of its diffusion model's file.
        title: for people, such as `2509 FP8`.
        family: such as `qwen-image-edit-2509`.
        quant: such as `fp8_e4m3fn`, `q4_k_m`, `int4_r32`.
        loader: ComfyUI's node, such as `UNETLoader`.
        custom_node: what has to be installed beside ComfyUI; may be empty.
        packages: of Python, that ComfyUI or the custom node must have.
        min_comfyui: the oldest version that runs it.
        files: ids of every file it needs, its diffusion model first.
        fused_lora: a Lightning LoRA is part of the file.
        patches_lora: a LoRA takes VRAM of its own (GGUF, Nunchaku).
        min_capability, max_capability: of the card, such as `7.5`; empty is any.
        cards: those cards in people's words, such as `an RTX 50`; may be empty.
        min_card_bytes: the smallest card it is run on at all, as sold (decimal gigabytes).
        min_ram_bytes: host RAM in all, without which it is not run offloaded; 0 is any.
        quality: rank within its family, 1 is best; 0 where nobody ranked it.
    """

    id: str
    title: str
    family: str
    quant: str
    loader: str
    custom_node: str = ""
    packages: tuple[str, ...] = ()
    min_comfyui: str = ""
    files: tuple[str, ...]
    fused_lora: bool = False
    patches_lora: bool = False
    min_capability: str = ""
    max_capability: str = ""
    cards: str = ""
    min_card_bytes: int = 8_000_000_000
    min_ram_bytes: int = 0
    quality: int = 0

    @property
    def rank(self) -> tuple[bool, int]:
        """What sorts variants by quality, best first, and those that nobody ranked last."""
        return not self.quality, self.quality


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A speed somebody measured; `offload` where weights streamed from host RAM."""

    variant: str
    card: str
    seconds: float
    steps: int
    offload: bool = False
    source: str


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files a side of a pair means: those that every field given here says.

    Attributes:
        id: an id, or a pattern such as `lightning-*`.
        kind, quant, loader: as the file has them; a quant may be a pattern such as `int4_*`.
        fused_lora: of its variant.
    """

    id: str = ""
    kind: str = ""
    quant: str = ""
    loader: str = ""
    fused_lora: bool | None = None


class Pair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two kinds of files that do not go together.

    Attributes:
        id: such as `fp8-lightning-grid`.
        a, b: the one and the other.
        effect: what happens, a sentence without its end.
        instead: ids, or patterns of ids, of what to take in the place of `a`; `{a}` is its id.
        also: another way, in words; may be empty.
        source: where it was reported.
    """

    id: str
    a: Selection
    b: Selection
    effect: str
    instead: tuple[str, ...] = ()
    also: str = ""
    source: str = ""


class Catalog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole catalogue."""

    files: tuple[ModelFile, ...] = ()
    variants: tuple[Variant, ...] = ()
    measured: tuple[Measured, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def file(self, file_id: str) -> ModelFile | None:
        """Give a file by its id."""
        return next((one for one in self.files if one.id == file_id), None)

    def variant(self, variant_id: str) -> Variant | None:
        """Give a variant by its id."""
        return next((one for one in self.variants if one.id == variant_id), None)

    def files_of(self, variant: Variant) -> tuple[ModelFile, ...]:
        """Give every file a variant needs, its diffusion model first."""
        by_id = {one.id: one for one in self.files}
        return tuple(by_id[file_id] for file_id in variant.files if file_id in by_id)

    def selected(self, selection: Selection, file: ModelFile) -> bool:
        """Tell whether a selection means a file."""
        variant = self.variant(file.id)
        fused = variant is not None and variant.fused_lora
        return (
            (not selection.id or fnmatch.fnmatchcase(file.id, selection.id))
            and selection.kind in {"", file.kind}
            and (not selection.quant or fnmatch.fnmatchcase(file.quant, selection.quant))
            and selection.loader in {"", file.loader}
            and selection.fused_lora in {None, fused}
        )


@cache
def packaged_catalog() -> Catalog:
    """Read the catalogue that ships with the program."""
    return msgspec.convert(read_table("catalog.toml"), Catalog)


def parse_capability(text: str) -> tuple[int, int] | None:
    """Read a compute capability such as `8.6`; None where it is none."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal() and len(text) < 8):
        return None
    return int(major), int(minor)
