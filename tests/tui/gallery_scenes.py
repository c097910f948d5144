"""Edits that were kept, with their files, for what the gallery shows of them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from actions.edits.request import EditRequest
from console.edits.kept import EditError, KeptEdit, KeptPicture, Timings
from console.pictures.look import look
from console.store.edits import EditRecords
from screens.tui.application import Console
from tests.support.snapshots import NOW
from tests.tui.picture_files import write_picture

GIB = 1024**3


def picture(path: Path, role: str, number: int = 0, source: str = "") -> KeptPicture:
    """Give a file as it is kept."""
    facts = look(path)
    return KeptPicture(
        role=role, number=number, path=str(path), source=source, sha256=f"{number:064x}",
        size=facts.size, width=facts.width, height=facts.height, media=facts.media,
    )  # fmt: skip


def edit(number: int, **changes: Any) -> KeptEdit:
    """Make an edit that went well, `number` times seven minutes ago."""
    at = NOW - timedelta(minutes=7 * number + 3)
    request = EditRequest(workflow="single-edit", prompt="put the mug on a wooden table")
    values: dict[str, Any] = {
        "id": f"edit{number:02}a7c4e1",
        "state": "done",
        "service": "comfyui-qwen",
        "kind": "comfyui",
        "workflow": "single-edit",
        "variant": "qwen-edit-2509-fp8",
        "prompt": "put the mug on a wooden table, morning light",
        "seed": 81421 + number,
        "steps": 20,
        "cfg": 4.0,
        "width": 1024,
        "height": 1024,
        "recipe": {"request": {"workflow": request.workflow, "prompt": request.prompt}},
        "created_at": at,
        "ended_at": at + timedelta(seconds=314),
        "timings": Timings(
            queued=1.2, load=41.0, encode=3.4, sample=262.0, decode=2.1, steps=20, per_step=13.1,
            run=309.0, fetch=0.4, total=314.0, heard=True,
        ),
        "gpu_name": "RTX 3090",
        "vram_before_bytes": GIB,
        "vram_peak_bytes": int(20.9 * GIB),
        "fit": "resident",
    }  # fmt: skip
    return KeptEdit(**{**values, **changes})


def with_pictures(one: KeptEdit, folder: Path, turn: int = 0, results: int = 1) -> KeptEdit:
    """Give an edit with an input and results on disk."""
    import msgspec

    before = write_picture(folder / ".inputs" / f"{one.id}.png", 96, 64, turn)
    kept = [picture(before, "input", 0, f"/home/jesse/in/{one.id}.png")]
    for number in range(results):
        after = write_picture(folder / "2026-11-22" / f"{one.id}-{number}.png", 96, 64, turn + 90)
        kept.append(picture(after, "output", number))
    return msgspec.structs.replace(one, pictures=tuple(kept))


FAILED = edit(
    2,
    state="failed",
    workflow="merge-2",
    variant="qwen-edit-2511-bf16",
    prompt="the cat sits on the sofa",
    timings=Timings(),
    vram_peak_bytes=None,
    error=EditError(
        code="edit.out-of-memory",
        title="the card ran out of memory while sampling",
        hint="Take a smaller variant, or a smaller picture",
        detail="CUDA out of memory. Tried to allocate 2.31 GiB",
    ),
)
UNCOLLECTED = edit(
    3,
    state="uncollected",
    service="comfyui-two",
    prompt="a red scarf",
    error=EditError(
        code="edits.disk-full", title="its picture could not be kept: the disk is full",
        hint="Free some room; nothing is lost meanwhile",
    ),
)  # fmt: skip
CANCELLED = edit(4, state="cancelled", prompt="never mind", timings=Timings())


def hang_up(app: Console, folder: Path, many: int = 0) -> list[KeptEdit]:
    """Keep some edits in a console's database, and give them newest first."""
    edits = [
        with_pictures(edit(0), folder, 0),
        with_pictures(edit(1, workflow="pose", prompt="stand like this"), folder, 40, results=2),
        FAILED,
        UNCOLLECTED,
        CANCELLED,
        *(edit(number + 5) for number in range(many)),
    ]
    records = EditRecords(app.session.store)
    for one in reversed(edits):
        records.add(one)
    return edits


def lose(picture: KeptPicture) -> None:
    """Delete a picture behind the gallery's back."""
    Path(picture.path).unlink()
