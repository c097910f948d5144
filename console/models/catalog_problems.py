"""What does not hold together in a catalogue, in words."""

import fnmatch
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from console.hub.spec import OUR_OWN
from console.models.catalog import (
    KINDS,
    Catalog,
    Measured,
    ModelFile,
    Pair,
    Selection,
    Variant,
    parse_capability,
)
from console.text import clean_line

_MOST_BYTES = 1 << 50  # a file of more is a slip of the pen
_LONGEST_NAME = 255  # bytes

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPO = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_REVISION = re.compile(r"[\w.+=-]+(/[\w.+=-]+)*", re.ASCII)
_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")


def problems_of(catalog: Catalog) -> Iterator[str]:
    """Give what does not hold together in a catalogue, in words; nothing where all does."""
    named = (("file", catalog.files), ("variant", catalog.variants), ("pair", catalog.pairs))
    for what, entries in named:
        yield from _problems_of_ids(what, [one.id for one in entries])
    for entry in (*catalog.files, *catalog.variants, *catalog.measured, *catalog.pairs):
        for text in _texts_of(entry):
            if clean_line(text) != text:
                yield f"{text!r} holds characters that do not belong there"
    kinds = {one.id: one.kind for one in catalog.files}
    for file in catalog.files:
        yield from _problems_of_file(file, kinds)
    for variant in catalog.variants:
        yield from _problems_of_variant(variant, kinds)
    for measured in catalog.measured:
        yield from _problems_of_speed(measured, catalog)
    for pair in catalog.pairs:
        yield from _problems_of_pair(pair, catalog)


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
    elif twice := [one for one, times in Counter(variant.files).items() if times > 1]:
        yield f"the variant {variant.id} names the file {twice[0]} twice"
    elif has[0] != "diffusion_model":
        yield f"the first file of the variant {variant.id} is not its diffusion model"
    yield from _problems_of_needs(variant)
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


def _problems_of_needs(entry: ModelFile | Variant) -> Iterator[str]:
    """Tell of a card's generation or a ComfyUI's version that is none."""
    for capability in (entry.min_capability, entry.max_capability):
        if capability and parse_capability(capability) is None:
            yield f"{capability} ({entry.id}) is not a capability such as 8.6"
    least, most = map(parse_capability, (entry.min_capability, entry.max_capability))
    if least is not None and most is not None and least > most:
        yield f"no card has a capability of {entry.id}: its least is above its most"
    if entry.min_comfyui and not _VERSION.fullmatch(entry.min_comfyui):
        yield f"{entry.min_comfyui} ({entry.id}) is no version of ComfyUI such as 0.3.60"


def _problems_of_file(file: ModelFile, kinds: Mapping[str, str]) -> Iterator[str]:
    if file.kind not in KINDS:
        yield f"{file.kind} (file {file.id}) is not one of {', '.join(KINDS)}"
    for size in (file.bytes, file.approximate_bytes, file.loaded_bytes):
        if size is not None and not 0 < size <= _MOST_BYTES:
            yield f"the file {file.id} has {size} bytes"
    if file.sha256 is not None and not _SHA256.fullmatch(file.sha256):
        yield f"the sha256 of the file {file.id} is not 64 hexadecimal digits"
    for beside in file.needs:
        if beside == file.id:
            yield f"the file {file.id} needs itself"
        elif beside not in kinds:
            yield f"the file {file.id} needs the file {beside}, which is not there"
    yield from _problems_of_places(file)
    yield from _problems_of_needs(file)


def _problems_of_places(file: ModelFile) -> Iterator[str]:
    """Tell of a place, on the hub or on disk, that leads elsewhere than it should."""
    for folder in (file.folder, *file.also_in):
        if not _goes_down(folder):
            yield f"{folder} (file {file.id}) is not below a models folder"
    if not (_REPO.fullmatch(file.repo) and _goes_down(file.repo)):
        yield f"{file.repo} (file {file.id}) is not a repository such as ORG/NAME"
    if not _goes_down(file.path):
        yield f"{file.path} (file {file.id}) is not a path in a repository"
    if "/" in file.save_as or not _goes_down(file.name):
        yield f"the file {file.id} has no name"
    elif OUR_OWN in file.name:
        yield f"names with {OUR_OWN} are those of unfinished downloads ({file.id})"
    if file.revision and not _REVISION.fullmatch(file.revision):
        yield f"{file.revision} (file {file.id}) is not a commit, tag or branch"


def _goes_down(path: str) -> bool:
    """Tell whether a path leads only down, by names that any disk takes."""
    parts = path.split("/")
    return all(
        part not in {"", ".", ".."} and "\\" not in part and len(part.encode()) <= _LONGEST_NAME
        for part in parts
    )


def _problems_of_pair(pair: Pair, catalog: Catalog) -> Iterator[str]:
    """Tell of a pair that names nothing; one that means no file of this catalogue may stand."""
    for side in (pair.a, pair.b):
        if side == Selection():
            yield f"a side of the pair {pair.id} names nothing"
    ids = [file.id for file in catalog.files]
    for text in pair.instead:
        pattern = text.replace("{a}", "*")
        if not fnmatch.filter(ids, pattern):
            yield f"the pair {pair.id} names {text} instead, which is not there"
