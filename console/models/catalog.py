"""The catalogue: model files and the variants made of them, read from `assets/catalog.toml`."""

from functools import cache

import msgspec

from console.packaged import read_table


class ModelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the catalogue.

    Attributes:
        id: as in facts and config, such as `qwen2.5-vl-7b-fp8-scaled`.
        kind: `diffusion_model`, `text_encoder`, `mmproj`, `vae`, `lora`, `controlnet`,
            `model_patch`.
        repo, path: on the hub; the file's name is the path's last part.
        bytes: exact; None where only a rounded size is known, then `approximate_bytes` is it.
        sha256: None where no source has it.
        folder: below a models folder, such as `diffusion_models`; also_in: where else it is found.
    """

    id: str
    kind: str
    repo: str
    path: str
    bytes: int | None = None
    approximate_bytes: int | None = None
    sha256: str | None = None
    folder: str
    also_in: tuple[str, ...] = ()
    licence: str = "apache-2.0"

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    @property
    def size(self) -> int:
        """Its bytes, exact where that is known."""
        return self.bytes or self.approximate_bytes or 0


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A diffusion model together with what it runs with.

    Attributes:
        id: such as `qwen-edit-2509-fp8`; also the id of its diffusion model's file.
        title: for people, such as `2509 FP8`.
        family: such as `qwen-image-edit-2509`.
        quant: such as `fp8_e4m3fn`, `q4_k_m`, `int4_r32`.
        loader: ComfyUI's node, such as `UNETLoader`.
        custom_node: what has to be installed beside ComfyUI; may be empty.
        files: ids of every file it needs, its diffusion model first.
        fused_lora: a Lightning LoRA is part of the file.
        patches_lora: a LoRA takes VRAM of its own (GGUF, Nunchaku).
        min_capability, max_capability: of the card, such as `7.5`; empty is any.
        quality: rank within its family, 1 is best.
    """

    id: str
    title: str
    family: str
    quant: str
    loader: str
    custom_node: str = ""
    min_comfyui: str = ""
    files: tuple[str, ...]
    fused_lora: bool = False
    patches_lora: bool = False
    min_capability: str = ""
    max_capability: str = ""
    quality: int = 0


class Measured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A speed somebody measured; `offload` where weights streamed from host RAM."""

    variant: str
    card: str
    seconds: float
    steps: int
    offload: bool = False
    source: str


class Catalog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole catalogue."""

    files: tuple[ModelFile, ...] = ()
    variants: tuple[Variant, ...] = ()
    measured: tuple[Measured, ...] = ()

    def file(self, file_id: str) -> ModelFile | None:
        """Give a file by its id."""
        return next((one for one in self.files if one.id == file_id), None)

    def variant(self, variant_id: str) -> Variant | None:
        """Give a variant by its id."""
        return next((one for one in self.variants if one.id == variant_id), None)


@cache
def packaged_catalog() -> Catalog:
    """Read the catalogue that ships with the program."""
    return msgspec.convert(read_table("catalog.toml"), Catalog)
