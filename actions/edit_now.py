"""How an edit, or a run of several, goes: what every view shows of it while it is under way."""

import msgspec


class EditNow(msgspec.Struct, frozen=True, kw_only=True):
    """Where one edit is.

    Attributes:
        edit_id: as the gallery knows it.
        phase: `preparing`, `uploading`, `queued`, `loading`, `encoding`, `sampling`, `decoding`,
            `saving`, `fetching`, or `working` where the service does not tell what it is at.
        ahead: how many come before it in the service's queue; None where nobody tells.
        node: title of the node that is computed; empty where there is none.
        number, total: which node of how many; 0 where nobody tells.
        step, steps: of the sampler; 0 before the first.
        seconds_per_step: measured over the last steps; None before there are two.
        left_seconds: until the picture is there, worked out; None while it cannot be told.
        preview: file of the newest live picture, replaced by rename; empty where there is none.
        previews: how many there were; another number, another picture.
        gpu_uuid: the card whose figures follow; empty where it is not known.
        vram_used_bytes, vram_total_bytes, power_watts, temperature_celsius: of that card now, from
            the driver; None where it does not tell.
        vram_peak_bytes: the most that this card held since the edit began.
        done, of: of a run of several edits, how many have ended, and of how many; 0 for one.
        note: what else to know, such as that the service does not answer; may be empty.
    """

    edit_id: str
    phase: str = "preparing"
    ahead: int | None = None
    node: str = ""
    number: int = 0
    total: int = 0
    step: int = 0
    steps: int = 0
    seconds_per_step: float | None = None
    left_seconds: float | None = None
    preview: str = ""
    previews: int = 0
    gpu_uuid: str = ""
    vram_used_bytes: int | None = None
    vram_total_bytes: int | None = None
    power_watts: float | None = None
    temperature_celsius: float | None = None
    vram_peak_bytes: int | None = None
    done: int = 0
    of: int = 0
    note: str = ""
