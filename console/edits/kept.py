"""What is kept of an edit once it was asked for: its recipe, its pictures, what it took."""

from datetime import datetime
from typing import Any

import msgspec

STATES = (
    "queued",
    "running",
    "uncollected",
    "done",
    "failed",
    "cancelled",
    "interrupted",
)
"""`uncollected`: the service has made it, but its pictures could not be brought here yet;
`interrupted`: broken off by somebody else."""
OPEN_STATES = frozenset({"queued", "running", "uncollected"})


class KeptPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of an edit, on this host's disk.

    Attributes:
        role: `input`, as it was sent, or `output`.
        number: its place among those of its role, from 0.
        path: absolute.
        source: of an input, the file that the operator chose; of an output, its name there.
        sha256: of the file at `path`.
        size: in bytes.
        width, height: in pixels; None where the file cannot be read as a picture.
        media: such as `image/png`.
    """

    role: str
    number: int
    path: str
    source: str = ""
    sha256: str = ""
    size: int = 0
    width: int | None = None
    height: int | None = None
    media: str = ""


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """How long each part took, in seconds; None where nobody could tell.

    Attributes:
        queued: from submission to its turn.
        load, encode, sample, decode, other: of the nodes of each kind, as seen from here.
        steps, per_step: of the sampler.
        run: from its turn to its end, by the service's own clock where that tells.
        fetch: bringing the pictures here.
        total: from being asked for to the picture being here.
        heard: whether the phases were heard as they happened; else they are None.
    """

    queued: float | None = None
    load: float | None = None
    encode: float | None = None
    sample: float | None = None
    decode: float | None = None
    other: float | None = None
    steps: int | None = None
    per_step: float | None = None
    run: float | None = None
    fetch: float | None = None
    total: float | None = None
    heard: bool = False


class EditError(msgspec.Struct, frozen=True, kw_only=True):
    """Why an edit has no result, or none here yet; in words of `assets/edits.toml`."""

    code: str
    title: str
    hint: str = ""
    detail: str = ""


class KeptEdit(msgspec.Struct, frozen=True, kw_only=True):
    """One edit as the database has it.

    Attributes:
        id: of the edit; where a plan of its own runs it, the plan's id.
        group: id of the comparison or load run that it belongs to; empty for one on its own.
        state: one of `STATES`.
        service, kind: whose, and `comfyui` or `forge`.
        variant: of the catalogue; empty where none is meant.
        steps, cfg, seed, width, height: as they were sent; None where the workflow has none.
        lightning: steps of a Lightning LoRA; None for none.
        recipe: the whole request as data (`EditRequest`), and `graph` as it was sent.
        prompt_ident, client_ident: under which the service knows it; empty before it was sent.
        submitted: it was, or may have been, sent: it is never sent again, only looked for.
        cached: the service had nothing to compute: its pictures are an earlier run's.
        gpu_uuid, gpu_name: the card it ran on, where that was known.
        vram_before_bytes, vram_peak_bytes: of that whole card, from the driver.
        power_peak_watts, temperature_peak_celsius: likewise.
        fit: verdict of the pre-check when it was asked for; empty where there was none.
        pictures: inputs, then outputs.
    """

    id: str
    group: str = ""
    state: str
    service: str
    kind: str
    workflow: str
    variant: str = ""
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    width: int | None = None
    height: int | None = None
    lightning: int | None = None
    recipe: dict[str, Any] = {}
    prompt_ident: str = ""
    client_ident: str = ""
    submitted: bool = False
    cached: bool = False
    created_at: datetime
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    timings: Timings = Timings()
    gpu_uuid: str = ""
    gpu_name: str = ""
    vram_before_bytes: int | None = None
    vram_peak_bytes: int | None = None
    power_peak_watts: float | None = None
    temperature_peak_celsius: float | None = None
    fit: str = ""
    error: EditError | None = None
    warnings: tuple[str, ...] = ()
    pictures: tuple[KeptPicture, ...] = ()

    def of_role(self, role: str) -> tuple[KeptPicture, ...]:
        """Give its pictures of one role, in order."""
        return tuple(one for one in self.pictures if one.role == role)
