"""Workflows, edits and pictures by hand, for what the lab shows of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from actions.edit_now import EditNow
from actions.edits.request import EditRequest
from actions.fit.matrix import matrix
from actions.fit.model import Fit
from actions.plan import Check, Refusal
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.workflows.shelf import packaged_workflows
from console.edits.kept import EditError, KeptEdit, KeptPicture, Timings
from console.errors import ConsoleError
from console.models.catalog import packaged_catalog
from console.pictures.look import PictureFacts, look
from console.unknown import Unknown
from screens.tui.lab.source import Bench, Checked
from screens.tui.view import Job
from tests.support.hosts import BIG
from tests.support.snapshots import NOW

GIB = 1024**3
EDIT_ID = "0b5e7f3a9c21"


def png(width: int, height: int, colour: Callable[[int, int], tuple[int, int, int]]) -> bytes:
    """Make a small PNG, the same bytes each time and with every zlib."""
    rows = b"".join(
        b"\0" + bytes(part for x in range(width) for part in colour(x, y)) for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def before_picture(width: int = 48, height: int = 36) -> bytes:
    """Make what somebody wants edited: a light disc on a blue ground."""

    def colour(x: int, y: int) -> tuple[int, int, int]:
        inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
        return (230, 210, 160) if inside else (30 + x, 60 + y, 120)

    return png(width, height, colour)


def after_picture(width: int = 48, height: int = 36) -> bytes:
    """Make the same, edited: the disc is red, the ground is wood."""

    def colour(x: int, y: int) -> tuple[int, int, int]:
        inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
        return (200, 60, 50) if inside else (120 + (y % 6) * 6, 80 + (y % 6) * 4, 40)

    return png(width, height, colour)


class Files:
    """Pictures in a folder of their own; a relative one is the same on every machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = self.put("mug.png", before_picture())
        self.after = self.put("result.png", after_picture())
        self.live = self.put("live.png", after_picture(24, 18))

    def put(self, name: str, data: bytes) -> str:
        """Write a file and give its path."""
        path = self.folder / name
        path.write_bytes(data)
        return str(path)


TIMES = Timings(
    queued=0.4, load=41.2, encode=3.1, sample=302.0, decode=1.9, other=0.2, steps=20,
    per_step=15.1, run=348.4, fetch=0.3, total=349.5, heard=True,
)  # fmt: skip


def kept(files: Files | None = None, **changes: Any) -> KeptEdit:
    """Make an edit that ended well, four minutes ago."""
    pictures: tuple[KeptPicture, ...] = ()
    if files is not None:
        pictures = (
            KeptPicture(role="input", number=0, path=files.before, source=files.before,
                        sha256="11" * 32, size=900, width=48, height=36, media="image/png"),
            KeptPicture(role="output", number=0, path=files.after, source="edit_00001_.png",
                        sha256="22" * 32, size=800, width=48, height=36, media="image/png"),
        )  # fmt: skip
    values: dict[str, Any] = {
        "id": EDIT_ID,
        "state": "done",
        "service": "comfyui-qwen",
        "kind": "comfyui",
        "workflow": "edit-single",
        "variant": "qwen-edit-2509-fp8",
        "prompt": "put the mug on a wooden table, morning light",
        "seed": 81421,
        "steps": 20,
        "cfg": 4.0,
        "recipe": {"request": {"workflow": "edit-single", "images": ["/home/jesse/mug.png"]}},
        "submitted": True,
        "created_at": NOW - timedelta(minutes=10),
        "ended_at": NOW - timedelta(minutes=4),
        "timings": TIMES,
        "gpu_uuid": BIG.uuid,
        "gpu_name": "NVIDIA GeForce RTX 3090",
        "vram_before_bytes": int(0.6 * GIB),
        "vram_peak_bytes": int(20.9 * GIB),
        "power_peak_watts": 347.0,
        "temperature_peak_celsius": 74.0,
        "fit": "resident",
        "pictures": pictures,
    }
    return KeptEdit(**{**values, **changes})


FAILED = kept(
    id="1c6e", state="failed", created_at=NOW - timedelta(minutes=30), timings=Timings(),
    vram_peak_bytes=int(23.8 * GIB), variant="qwen-edit-2509-bf16",
    error=EditError(code="edit.out-of-memory", title="the card ran out of memory at KSampler",
                    hint="take a smaller variant, or free the card first",
                    detail="Allocation on device would exceed allowed memory"),
)  # fmt: skip
UNCOLLECTED = kept(
    id="2d7f", state="uncollected", created_at=NOW - timedelta(minutes=40),
    error=EditError(code="edits.disk-full", title="no room for the result in ~/SD/outputs",
                    hint="free some, then gpuconsole gallery collect"),
)  # fmt: skip
CANCELLED = kept(id="3e80", state="cancelled", created_at=NOW - timedelta(hours=2))


def now(phase: str = "sampling", **changes: Any) -> EditNow:
    """Make the figures of an edit under way."""
    values: dict[str, Any] = {
        "edit_id": EDIT_ID,
        "phase": phase,
        "node": "KSampler",
        "number": 11,
        "total": 13,
        "step": 12,
        "steps": 20,
        "seconds_per_step": 15.1,
        "left_seconds": 120.0,
        "gpu_uuid": BIG.uuid,
        "vram_used_bytes": int(21.1 * GIB),
        "vram_total_bytes": 24 * GIB,
        "power_watts": 341.0,
        "temperature_celsius": 71.0,
        "vram_peak_bytes": int(21.3 * GIB),
    }
    return EditNow(**{**values, **changes})


def job(edit: EditNow | None = None, **changes: Any) -> Job:
    """Make the plan of an edit that runs."""
    values: dict[str, Any] = {
        "plan_id": EDIT_ID,
        "verb": "edit",
        "target": "edit-single",
        "text": "sampling",
        "started_monotonic": 900.0,
        "detached": True,
        "endless": True,
        "subject": "edits",
        "edit": now() if edit is None else edit,
    }
    return Job(**{**values, **changes})


class StillLab:
    """Workflows as they ship, edits and verdicts as a test says."""

    def __init__(self, session: Session, edits: Sequence[KeptEdit] = ()) -> None:
        self._session = session
        self.kept = tuple(edits)
        self.checked: Checked | ConsoleError | None = None
        self.asked: list[EditRequest] = []
        self.saved: list[tuple[tuple[str, ...], str]] = []
        self.history = ("put the mug on a wooden table, morning light", "make it blue")
        self.problems: tuple[tuple[str, Unknown], ...] = ()

    def bench(self) -> Bench:
        return Bench(
            workflows=packaged_workflows(), problems=self.problems, catalog=packaged_catalog()
        )

    def edits(self, limit: int) -> tuple[KeptEdit, ...]:
        return self.kept[:limit]

    def words(self, workflow: str, negative: bool) -> tuple[str, ...]:
        return ("blurry",) if negative else self.history

    def check(self, request: EditRequest, snapshot: HostSnapshot) -> Checked:
        self.asked.append(request)
        if isinstance(self.checked, ConsoleError):
            raise self.checked
        if self.checked is not None:
            return self.checked
        return good(self._session, snapshot, request)

    def facts(self, path: str) -> PictureFacts:
        return look(Path(path))

    def again(self, edit: KeptEdit) -> EditRequest:
        return EditRequest(
            workflow=edit.workflow, service=edit.service, variant=edit.variant,
            images=tuple(one.path for one in edit.of_role("input")), prompt=edit.prompt,
            seed=edit.seed, steps=edit.steps, cfg=edit.cfg,
        )  # fmt: skip

    def save(self, pictures: Sequence[KeptPicture], folder: str) -> Sequence[str]:
        self.saved.append((tuple(one.path for one in pictures), folder))
        return [f"{folder}/{Path(one.path).name}" for one in pictures]


def fit(session: Session, snapshot: HostSnapshot, variant: str) -> Fit:
    """Work out whether a variant fits the big card, on a host where nothing else runs."""
    found = matrix(session, snapshot, (variant,), gpu="3090", empty=True)
    return msgspec.structs.replace(found[0], service="comfyui-qwen")


def good(session: Session, snapshot: HostSnapshot, request: EditRequest, **changes: Any) -> Checked:
    """Give what is known of an edit that may be sent."""
    variant = request.variant or "qwen-edit-2509-fp8"
    values: dict[str, Any] = {
        "service": request.service or "comfyui-qwen",
        "variant": variant,
        "fit": fit(session, snapshot, variant),
        "checks": (
            Check(id="edit.service", title="comfyui-qwen answers (0.3.64)", verdict="pass"),
            Check(id="edit.graph", title="comfyui-qwen takes this graph", verdict="pass"),
        ),
        "steps": request.steps or 20,
        "cfg": request.cfg or 4.0,
        "size": request.size,
    }
    return Checked(**{**values, **changes})


MISSING_FILE = Checked(
    service="comfyui-qwen",
    variant="qwen-edit-2511-fp8mixed",
    checks=(
        Check(
            id="workflow.file",
            title="comfyui-qwen has no qwen_image_edit_2511_fp8mixed.safetensors",
            verdict="refuse",
            detail="gpuconsole models pull qwen-edit-2511-fp8mixed",
        ),
    ),
    refusal=Refusal(
        code="workflow.file",
        title="comfyui-qwen has no qwen_image_edit_2511_fp8mixed.safetensors",
        hint="`gpuconsole models pull qwen-edit-2511-fp8mixed` fetches it",
    ),
    pulls=("qwen-edit-2511-fp8mixed",),
    verdict="refused",
)
STOPPED = ConsoleError(
    "service.not-running",
    "comfyui-qwen does not run (stopped)",
    "`gpuconsole start comfyui-qwen` starts it",
)
