"""The rows of a comparison, from the edits that were made. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actions.compare.model import (
    COLD,
    DONE,
    MORE,
    NOT_COLD,
    NOT_RUN,
    REFUSED,
    SKIPPED,
    WARM,
    Candidate,
    Row,
    Shot,
)
from actions.compare.words import trouble
from console.edits.kept import KeptEdit
from console.unknown import Unknown, known

_CACHED = Unknown(
    "compare.cached", "the service had this very picture already and computed nothing"
)
_UNTIMED = Unknown("compare.not-timed", "nobody could tell how long it took")
_NO_STEPS = Unknown("compare.no-steps", "the service did not tell its steps as they were made")
_NO_LOAD = Unknown("compare.no-load", "the service did not tell when it loaded")
_NO_VRAM = Unknown("compare.no-vram", "the driver did not tell the memory of its card")
_OWN_STEPS = Unknown("compare.own-steps", "the variant's own number, which was not sent")
_NO_PICTURE = Unknown("compare.no-picture", "there is no picture of it to compare")

_FIRST_ONES = (COLD, MORE)
_UNENDED = ("queued", "running")


def rows_of(
    candidates: Sequence[Candidate],
    shots: Sequence[Shot],
    edits: Mapping[int, KeptEdit],
) -> tuple[Row, ...]:
    """Give a row for each case, in the order of the shots; what did not run says so.

    Args:
        candidates: as they were asked for.
        shots: the whole plan's.
        edits: what is kept of each shot, by its number.
    """
    rows = []
    for shot in shots:
        if shot.why not in _FIRST_ONES:
            continue
        candidate, cold = candidates[shot.variant], shot.why == COLD
        warm = _warm_of(shots, shot) if cold else None
        edit = edits.get(shot.number)
        if edit is None or edit.state in _UNENDED:
            failed = not cold and _cold_failed(shot, shots, edits)
            row = _skipped(
                candidate, shot, "compare.cold-failed" if failed else "compare.not-begun"
            )
        else:
            row = _row(candidate, shot, edit)
        if cold:
            row = _with_warm(row, warm, edits.get(warm.number) if warm else None)
        rows.append(row)
    return tuple(rows)


def refused_rows(candidates: Sequence[Candidate], seed: int, steps: int | None) -> tuple[Row, ...]:
    """Give one row for each variant that was left out, with its reason."""
    return tuple(
        Row(
            **_of(one),
            state=REFUSED,
            seed=seed,
            steps=_OWN_STEPS if steps is None else steps,
            error=one.refusal,
        )
        for one in candidates
        if one.refusal is not None
    )


def seconds_of(edit: KeptEdit) -> float | Unknown:
    """Give how long an edit took from being asked for to its picture being here.

    Its place behind other people's edits is taken off. Where nobody here listened all the time,
    such as after a restart, it is the service's own figure, which has no upload and no fetching.
    """
    if edit.cached:
        return _CACHED
    told = edit.timings
    if told.heard and told.total is not None:
        return round(max(0.0, told.total - (told.queued or 0.0)), 3)
    return _UNTIMED if told.run is None else told.run


def _skipped(candidate: Candidate, shot: Shot, code: str) -> Row:
    steps = _OWN_STEPS if shot.steps is None else shot.steps
    return Row(**_of(candidate), state=SKIPPED, seed=shot.seed, steps=steps, error=trouble(code))


def _row(candidate: Candidate, shot: Shot, edit: KeptEdit) -> Row:
    """Give the row of a case from the edit that made its picture."""
    cold, seconds = shot.why == COLD, seconds_of(edit)
    picture = next(iter(edit.of_role("output")), None)
    load = edit.timings.load
    failed = edit.state != DONE
    row = Row(
        **_of(candidate),
        state=edit.state,
        seed=shot.seed if edit.seed is None else edit.seed,
        steps=_steps(edit, shot),
        first_seconds=NOT_RUN if failed else (seconds if cold else NOT_COLD),
        warm_seconds=NOT_RUN if failed or cold else seconds,
        load_seconds=NOT_COLD if not cold else (_NO_LOAD if load is None else load),
        seconds_per_step=_per_step(edit),
        vram_before_bytes=_bytes(edit.vram_before_bytes),
        vram_peak_bytes=_bytes(edit.vram_peak_bytes),
        psnr_db=_NO_PICTURE,
        gpu_uuid=edit.gpu_uuid,
        gpu_name=edit.gpu_name,
        edit=edit.id,
        error=edit.error,
        notes=_notes(edit),
    )
    if picture is None or failed:
        return row
    return msgspec.structs.replace(
        row,
        path=picture.path,
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
    )


def _with_warm(row: Row, shot: Shot | None, edit: KeptEdit | None) -> Row:
    """Add what the warm run of a case tells; the case itself stands without it."""
    if shot is None or edit is None:
        return row
    changes: dict[str, object] = {"warm_edit": edit.id, "warm_seed": shot.seed}
    if edit.state != DONE:
        why = edit.error
        title = why.title if why is not None else f"it ended {edit.state}"
        changes["warm_seconds"] = Unknown(why.code if why else "compare.warm", title)
        changes["notes"] = (*row.notes, f"its warm run has no result: {title}")
        return msgspec.structs.replace(row, **changes)
    changes["warm_seconds"] = seconds_of(edit)
    per_step = _per_step(edit)
    if known(per_step):
        changes["seconds_per_step"] = per_step
    peak = _bytes(edit.vram_peak_bytes)
    if known(peak) and (not known(row.vram_peak_bytes) or peak > row.vram_peak_bytes):
        changes["vram_peak_bytes"] = peak
    return msgspec.structs.replace(row, **changes)


def _of(candidate: Candidate) -> dict[str, Any]:
    return {
        "variant": candidate.id,
        "title": candidate.title,
        "family": candidate.family,
        "quant": candidate.quant,
        "fit": candidate.fit,
        "fit_reason": candidate.reason,
    }


def _warm_of(shots: Sequence[Shot], cold: Shot) -> Shot | None:
    return next((one for one in shots if one.why == WARM and one.variant == cold.variant), None)


def _cold_failed(shot: Shot, shots: Sequence[Shot], edits: Mapping[int, KeptEdit]) -> bool:
    """Tell whether the first run of its variant was made and has no picture."""
    cold = next(one for one in shots if one.why == COLD and one.variant == shot.variant)
    edit = edits.get(cold.number)
    return edit is not None and edit.state != DONE


def _steps(edit: KeptEdit, shot: Shot) -> int | Unknown:
    steps = edit.steps or edit.timings.steps or shot.steps
    return _OWN_STEPS if steps is None else steps


def _per_step(edit: KeptEdit) -> float | Unknown:
    per_step = edit.timings.per_step
    return _NO_STEPS if per_step is None or edit.cached else per_step


def _bytes(size: int | None) -> int | Unknown:
    return _NO_VRAM if size is None else size


def _notes(edit: KeptEdit) -> tuple[str, ...]:
    notes = list(edit.warnings)
    if not edit.timings.heard and edit.state == DONE:
        notes.append("its times are the service's own: nobody listened all the while")
    return tuple(notes)
