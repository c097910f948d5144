"""A comparison that was made: two variants that ran, one that broke, one that was left out."""

from datetime import UTC, datetime
from pathlib import Path

from actions.compare.apart import with_psnr
from actions.compare.model import DONE, REFUSED, Candidate, Row
from actions.compare.ranking import advise, reference_of
from actions.compare.report import Compared
from actions.edits.request import EditRequest
from console.edits.kept import EditError
from tests.support.edits import a_png

OOM = EditError(code="edit.out-of-memory", title="out of memory on the card", hint="take q4_0")
NO_FIT = EditError(code="fit.refused", title="it does not fit", hint="take another card")
PROMPT = "make it blue"


def compared(folder: Path, prompt: str = PROMPT, note: str = "") -> Compared:
    """Give it, with real pictures in `folder`."""
    folder.mkdir(exist_ok=True)
    for name, shade in (("photo", 1), ("fp8", 90), ("q4", 94)):
        (folder / f"{name}.png").write_bytes(a_png(48, 32, shade))
    request = EditRequest(
        workflow="edit-single", service="comfyui-qwen", images=(str(folder / "photo.png"),),
        prompt=prompt,
    )  # fmt: skip
    candidates = tuple(
        Candidate(id=f"edit-{name}", family="2509", quality=rank, fit=fit)
        for rank, (name, fit) in enumerate(
            (("bf16", "refused"), ("fp8", "resident"), ("q8", "resident"), ("q4", "resident")), 1
        )
    )

    def row(name: str, path: str = "", **fields: object) -> Row:
        state = fields.pop("state", DONE)
        return Row(
            variant=f"edit-{name}", state=str(state), seed=7, steps=20, fit="resident",
            path=str(folder / path) if path else "", gpu_name="RTX 3090", **fields,  # type: ignore[arg-type]
        )  # fmt: skip

    measured = {"first_seconds": 81.0, "seconds_per_step": 1.9, "vram_peak_bytes": 21 << 30}
    rows: tuple[Row, ...] = (
        row("fp8", "fp8.png", warm_seconds=40.0, **measured),
        row("q8", state="failed", error=OOM),
        row("q4", "q4.png", warm_seconds=20.0, **measured),
    )
    reference = reference_of(candidates, rows)
    left_out = row("bf16", state=REFUSED, error=NO_FIT)
    rows = (*with_psnr(rows, reference), left_out)
    return Compared(
        ident="20261127T090000-abc123",
        at=datetime(2026, 11, 27, 9, 0, tzinfo=UTC),
        request=request,
        service="comfyui-qwen",
        card="RTX 3090",
        candidates=candidates,
        rows=rows,
        reference=reference,
        advice=advise(candidates, rows, "RTX 3090"),
        note=note,
    )
