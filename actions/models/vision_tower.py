"""Text encoders in GGUF and the vision tower (mmproj) that has to lie beside each.

ComfyUI-GGUF takes a `.gguf` of the encoder's own folder whose name contains `mmproj` and the
encoder's name without its quantization (city96/ComfyUI-GGUF, loader.py). Without one the edit
ignores its pictures, or breaks.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from actions.models.model import Fix, Issue
from console.models.catalog import Catalog
from console.models.inventory.found import FoundFile, Inventory
from console.text import clean_line

_SEEING = ("qwen2.5-vl", "qwen3-vl")
_QUANT = re.compile(r"[-_]?(?:ud-)?i?q[0-9]_[a-z0-9_\-]{1,8}$", re.IGNORECASE)
_PRECISION = re.compile(r"(?<![a-z0-9])(bf16|f16|f32|fp16|fp32|q8_0)(?![a-z0-9])", re.IGNORECASE)


def vision_towers(inventory: Inventory, catalog: Catalog) -> Iterator[Issue]:
    """Give every GGUF text encoder that would not find its mmproj, or finds two."""
    beside: defaultdict[str, list[FoundFile]] = defaultdict(list)
    for file in inventory.files:
        if file.format == "gguf":
            beside[_folder(file)].append(file)
    for folder, files in beside.items():
        for encoder in files:
            if encoder.kind == "text_encoder" and encoder.family.startswith(_SEEING):
                yield from _of(encoder, folder, beside, catalog)


def _of(
    encoder: FoundFile, folder: str, beside: dict[str, list[FoundFile]], catalog: Catalog
) -> Iterator[Issue]:
    base = _base(encoder)
    here = beside[folder]
    matching = [one for one in here if _matches(one, base)]
    if len(matching) == 1:
        return
    if matching:
        names = ", ".join(clean_line(_name(one), 80) for one in matching)
        yield Issue(
            code="mmproj-misnamed",
            severity="warning",
            title=f"two vision towers match this encoder: the first is used ({names})",
            hint="keep one of them here",
            paths=(encoder.path, *(one.path for one in matching)),
        )
        return
    others = [one for one in here if one.kind == "mmproj" and one is not encoder]
    if others:
        yield _misnamed(encoder, base, others)
    else:
        yield _missing(encoder, base, folder, beside, catalog)


def _misnamed(encoder: FoundFile, base: str, others: Sequence[FoundFile]) -> Issue:
    tower = others[0]
    name = _right_name(tower, base)
    return Issue(
        code="mmproj-misnamed",
        severity="error",
        title=f"its vision tower is not found: it would have to be called {name}",
        hint="the edit would ignore its pictures, or break",
        paths=(tower.path, encoder.path),
        fixes=(
            Fix(
                verb="move",
                path=tower.path,
                to=str(Path(tower.path).with_name(name)),
                title=f"rename it to {name}",
            ),
        ),
    )


def _missing(
    encoder: FoundFile,
    base: str,
    folder: str,
    beside: dict[str, list[FoundFile]],
    catalog: Catalog,
) -> Issue:
    fixes = [*_from_elsewhere(base, folder, beside), *_from_hub(encoder, base, folder, catalog)]
    return Issue(
        code="mmproj-missing",
        severity="error",
        title="its vision tower (mmproj) does not lie beside it",
        hint="the edit would ignore its pictures, or break",
        paths=(encoder.path,),
        fixes=tuple(fixes[:2]),
    )


def _from_elsewhere(base: str, folder: str, beside: dict[str, list[FoundFile]]) -> Iterator[Fix]:
    """Give the move of a vision tower that lies where no encoder needs it."""
    for files in beside.values():
        if any(one.kind == "text_encoder" for one in files):
            continue
        for one in files:
            if one.kind == "mmproj":
                to = f"{folder}/{_right_name(one, base)}"
                yield Fix(verb="move", path=one.path, to=to, title="move it beside the encoder")


def _from_hub(encoder: FoundFile, base: str, folder: str, catalog: Catalog) -> Iterator[Fix]:
    entry = catalog.file(encoder.catalog_id)
    needed = entry.needs if entry is not None else ()
    fitting = [
        one
        for one in catalog.files
        if one.kind == "mmproj"
        and "mmproj" in one.name.lower()
        and base.lower() in one.name.lower()
    ]
    for one in sorted(fitting, key=lambda one: one.id not in needed)[:1]:
        yield Fix(verb="pull", path=one.id, to=folder, title=f"fetch {one.id}")


def _matches(file: FoundFile, base: str) -> bool:
    stem = _name(file).rpartition(".")[0].lower()
    return "mmproj" in stem and base.lower() in stem


def _base(encoder: FoundFile) -> str:
    """Give an encoder's name without ending and quantization, as ComfyUI-GGUF cuts it."""
    return _QUANT.sub("", _name(encoder).rpartition(".")[0])


def _right_name(tower: FoundFile, base: str) -> str:
    told = _PRECISION.search(_name(tower)) or _PRECISION.search(tower.precision)
    precision = told[1].upper().replace("FP", "F") if told else "F16"
    return f"{base}-mmproj-{precision}.gguf"


def _name(file: FoundFile) -> str:
    return file.path.rpartition("/")[2]


def _folder(file: FoundFile) -> str:
    return file.path.rpartition("/")[0]
