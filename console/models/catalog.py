"""The catalogue: model files and the variants made of them, read from `assets/catalog.toml`."""

import errno
import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

from console.errors import UsageError
from console.files import read_limited
from console.packaged import read_table
from console.text import clean_line

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
_LARGEST = 8 << 20
_MOST_BYTES = 1 << 50  # a file of more is a slip of the pen


class ModelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the catalogue.

    Attributes:
        id: as in facts and config, such as `qwen2.5-vl-7b-fp8-scaled`.
        kind: one of `KINDS`.
        quant: such as `fp8_e4m3fn`, `q4_k_m`, `bf16`.
        repo, path: on the hub.
        bytes: exact; None where only a rounded size is known, then `approximate_bytes` is it.
        sha256: None where no source has it.
        folder: below a models folder, such as `diffusion_models`; also_in: where else it is found.
        save_as: its name on disk, where that is not the path's last part.
        families: of the variants it goes with.
        needs: ids of files that must lie beside it.
        loader: ComfyUI's node that loads it; may be empty.
        custom_node: what has to be installed beside ComfyUI; may be empty.
    """

    id: str
    kind: str
    quant: str = ""
    repo: str
    path: str
    bytes: int | None = None
    approximate_bytes: int | None = None
    sha256: str | None = None
    folder: str
    also_in: tuple[str, ...] = ()
    save_as: str = ""
    families: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    loader: str = ""
    custom_node: str = ""
    licence: str = "apache-2.0"

    @property
    def name(self) -> str:
        """The file's name on disk."""
        return self.save_as or self.path.rpartition("/")[2]

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
        files: ids of every file it needs, its diffusion model first.
        fused_lora: a Lightning LoRA is part of the file.
        patches_lora: a LoRA takes VRAM of its own (GGUF, Nunchaku).
        min_capability, max_capability: of the card, such as `7.5`; empty is any.
        min_card_bytes: the smallest card it is run on at all, as sold (decimal gigabytes).
        min_ram_bytes: host RAM in all, without which it is not run offloaded; 0 is any.
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
    min_card_bytes: int = 8_000_000_000
    min_ram_bytes: int = 0
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

    def files_of(self, variant: Variant) -> tuple[ModelFile, ...]:
        """Give every file a variant needs, its diffusion model first."""
        by_id = {one.id: one for one in self.files}
        return tuple(by_id[file_id] for file_id in variant.files if file_id in by_id)


@cache
def packaged_catalog() -> Catalog:
    """Read the catalogue that ships with the program."""
    return msgspec.convert(read_table("catalog.toml"), Catalog)


def read_catalog(path: Path) -> Catalog:
    """Read the catalogue in a file of the operator's, in place of the packaged one.

    Raises:
        UsageError: it cannot be read, is no TOML, or does not describe a catalogue.
    """
    shown = clean_line(str(path), 200)
    try:
        content = read_limited(path, _LARGEST)
        catalog = msgspec.convert(tomllib.loads(content.decode("utf-8")), Catalog)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise _bad(shown, f"it is larger than {_LARGEST >> 20} MiB") from error
        raise UsageError(
            "catalog.unreadable",
            f"the model catalogue {shown} cannot be read: {error.strerror or error}",
            "Check the path after --catalog",
        ) from error
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise _bad(shown, clean_line(str(error), 200)) from error
    for problem in problems_of(catalog):
        raise _bad(shown, clean_line(problem, 200))
    return catalog


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Give what does not hold together in a catalogue, in words; nothing where all does."""
    for what, entries in (("file", catalog.files), ("variant", catalog.variants)):
        yield from _problems_of_ids(what, [one.id for one in entries])
    for entry in (*catalog.files, *catalog.variants, *catalog.measured):
        for text in _texts_of(entry):
            if clean_line(text) != text:
                yield f"{text!r} holds characters that do not belong there"
    for file in catalog.files:
        yield from _problems_of_file(file)
    kinds = {one.id: one.kind for one in catalog.files}
    for variant in catalog.variants:
        yield from _problems_of_variant(variant, kinds)
    for measured in catalog.measured:
        yield from _problems_of_speed(measured, catalog)


def parse_capability(text: str) -> tuple[int, int] | None:
    """Read a compute capability such as `8.6`; None where it is none."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal() and len(text) < 8):
        return None
    return int(major), int(minor)


def _problems_of_ids(what: str, ids: Sequence[str]) -> Iterator[str]:
    for ident, times in Counter(ids).items():
        if not ident.strip():
            yield f"a {what} has an empty id"
        elif times > 1:
            yield f"the {what} {ident} is there {times} times"


def _problems_of_speed(measured: Measured, catalog: Catalog) -> Iterator[str]:
    if not (0 < measured.seconds < math.inf and measured.steps > 0):
        yield f"a speed of {measured.variant} is no time for a number of steps"
    if catalog.variant(measured.variant) is None:
        yield f"a speed is of the variant {measured.variant}, which is not there"


def _problems_of_variant(variant: Variant, kinds: dict[str, str]) -> Iterator[str]:
    missing = [one for one in variant.files if one not in kinds]
    has = [kinds[one] for one in variant.files if one in kinds]
    lacking = {"diffusion_model", "text_encoder", "vae"}.difference(has)
    if missing:
        yield f"the variant {variant.id} names the file {missing[0]}, which is not there"
    elif lacking:
        yield f"the variant {variant.id} has no {min(lacking)}"
    elif has[0] != "diffusion_model":
        yield f"the first file of the variant {variant.id} is not its diffusion model"
    for capability in (variant.min_capability, variant.max_capability):
        if capability and parse_capability(capability) is None:
            yield f"{capability} (variant {variant.id}) is not a capability such as 8.6"
    least, most = map(parse_capability, (variant.min_capability, variant.max_capability))
    if least is not None and most is not None and least > most:
        yield f"no card has a capability of {variant.id}: its least is above its most"
    if not (
        0 <= variant.min_card_bytes <= _MOST_BYTES and 0 <= variant.min_ram_bytes <= _MOST_BYTES
    ):
        yield f"the card or the RAM that {variant.id} needs at least is no size"


def _texts_of(entry: msgspec.Struct) -> Iterator[str]:
    for value in msgspec.structs.astuple(entry):
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (text for text in value if isinstance(text, str))


def _problems_of_file(file: ModelFile) -> Iterator[str]:
    if file.kind not in KINDS:
        yield f"{file.kind} (file {file.id}) is not one of {', '.join(KINDS)}"
    for size in (file.bytes, file.approximate_bytes):
        if size is not None and not 0 < size <= _MOST_BYTES:
            yield f"the file {file.id} has {size} bytes"
    for folder in (file.folder, *file.also_in):
        if folder.startswith("/") or ".." in folder.split("/"):
            yield f"{folder} (file {file.id}) is not below a models folder"
    if "/" in file.save_as or file.name in {"", ".", ".."}:
        yield f"the file {file.id} has no name"


def _bad(shown: str, why: str) -> UsageError:
    return UsageError(
        "catalog.wrong",
        f"the model catalogue {shown} is wrong: {why}",
        "Leave out --catalog to use the one that ships with the program",
    )
