"""The step `first-edit`: one picture, and whether it took what the pre-check expected."""

import shlex
from collections.abc import Iterator

from actions.edits.data import facts_text
from actions.setup.choosing import NO_COMFYUI
from actions.setup.ground import Ground
from actions.setup.report import Look
from actions.setup.running import planned
from console.edits.kept import KeptEdit
from console.packaged import packaged
from console.paths import expand
from console.store.edits import EditRecords, Filter
from console.units import format_bytes
from console.unknown import known

_SAMPLE = "pictures/mug.png"
_UP = frozenset({"ready", "busy"})
_OFF_BY = 0.15
"""By so much of what was expected may the VRAM differ before it is said."""


def look_at_first_edit(ground: Ground) -> Look:
    """Say whether ComfyUI has made a picture, and how the first would be made."""
    service = ground.service
    if service is None:
        return NO_COMFYUI
    wanted = Filter(service=service.name, states=("done",))
    made = EditRecords(ground.session.store).find(wanted, limit=1)
    if made:
        return Look(
            state="done",
            detail=f"{service.name} has made a picture: {facts_text(made[0])}",
            found=(*(one.path for one in made[0].of_role("output")), *_compared(ground, made[0])),
        )
    workflow, image = ground.answers.text("edit.workflow"), ground.answers.text("edit.image")
    prompt = ground.answers.text("edit.prompt")
    path = expand(image, ground.session.environ).absolute() if image else packaged(_SAMPLE)
    words = ["gpuconsole", "edit", "--workflow", workflow, "--image", str(path), "--prompt", prompt]
    command = shlex.join([*words, "--service", service.name])
    if service.state not in _UP:
        detail = f"sent once {service.name} is ready ({service.state})"
        return Look(state="needed", detail=detail, command=command)
    plan = ground.operations.plan(
        "edit", workflow, images=(str(path),), prompt=prompt, service=service.name
    )
    return planned(plan, f"{workflow} with {path.name}, on {service.name}")


def _compared(ground: Ground, edit: KeptEdit) -> Iterator[str]:
    """Say what the pre-check had expected it to take, and that it was off where it was by much."""
    peak = edit.vram_peak_bytes
    fit = next(
        (o for o in ground.fits if (o.variant, o.gpu_uuid) == (edit.variant, edit.gpu_uuid)), None
    )
    if peak is None or fit is None or edit.cached or fit.verdict != "resident":
        return
    expected = fit.expected_use_bytes
    if not known(expected):
        return
    shown = (
        f"VRAM at most {format_bytes(peak)} on the whole card, expected {format_bytes(expected)}"
    )
    off = abs(peak - expected) > _OFF_BY * expected
    more = ": not as expected, other programs on the card count too" if off else ""
    yield f"{shown}{more}"
