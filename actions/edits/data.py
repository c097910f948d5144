"""Edits as data of the command line: what was prepared, and what an edit came to."""

from typing import Any

import msgspec

from actions.edits.card import NOT_NAMED, NOT_READ
from actions.edits.preparing import Prepared
from actions.gallery.data import edit_data
from actions.workflows.listing import built_data
from console.edits.kept import KeptEdit
from console.units import format_bytes, format_duration
from console.unknown import Unknown, plain, plain_value

NOT_TIMED = Unknown("edit.not-timed", "nobody listened all the while it ran: no part was timed")
NO_PARTS = Unknown("edit.no-parts", "Forge does not tell how long each part of a run took")


def prepared_data(prepared: Prepared) -> dict[str, Any]:
    """Give an edit as it would be sent: `graph`, `fit`, `checks`, and what is to be fetched first.

    Pictures stand under stand-ins: a service names them when they are uploaded.
    """
    return {
        "request": plain(prepared.request),
        "service": prepared.service,
        "kind": prepared.kind,
        "workflow": prepared.workflow.name,
        "seed": prepared.built.seed,
        **built_data(prepared.built),
        "fit": plain(prepared.fit) if prepared.fit is not None else None,
        "checks": [plain_value(one) for one in prepared.checks],
        "problems": [plain_value(one) for one in prepared.problems],
        "fetch": list(prepared.fetch),
    }


def edit_answer(edit: KeptEdit) -> dict[str, Any]:
    """Give what an edit came to.

    `outputs[]` has each picture's `path`: its copy in the folder that was asked for, where there is
    one; `kept` is where the gallery has it. `unavailable[]` says why figures are missing.
    """
    data = edit_data(edit)
    copies = edit.recipe.get("copies") or []
    for number, one in enumerate(data["outputs"]):
        one["kept"] = one["path"]
        if number < len(copies):
            one["path"] = copies[number]
    unavailable: list[dict[str, Any]] = []
    if edit.submitted and edit.vram_peak_bytes is None:
        why = NOT_READ if edit.gpu_uuid else NOT_NAMED
        unavailable.append({"source": "vram_peak_bytes", **msgspec.structs.asdict(why)})
    if edit.state == "done" and not edit.timings.heard:
        untold = NO_PARTS if edit.kind == "forge" else NOT_TIMED
        unavailable.append({"source": "timings", **msgspec.structs.asdict(untold)})
    if unavailable:
        data["unavailable"] = unavailable
    return data


def facts_text(edit: KeptEdit) -> str:
    """Give in one line what an edit took: seed, time by part, the most VRAM."""
    timings = edit.timings
    parts = [f"edit {edit.id}"]
    if edit.seed is not None:
        parts.append(f"seed {edit.seed}")
    if timings.total is not None:
        parts.append(format_duration(timings.total))
    for name in ("load", "encode", "sample", "decode"):
        seconds = getattr(timings, name)
        if seconds is not None and not edit.cached:
            parts.append(f"{name} {format_duration(seconds)}")
    if timings.per_step is not None:
        parts.append(f"{timings.per_step:.2g} s/step")
    if edit.cached:
        parts.append("nothing new to compute: the picture is an earlier run's")
    if edit.vram_peak_bytes is not None:
        parts.append(f"VRAM at most {format_bytes(edit.vram_peak_bytes)}")
    return ", ".join(parts)
