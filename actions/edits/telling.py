"""How an edit goes, as one line of words, and what it came to."""

from actions.edit_now import EditNow
from console.edits.kept import KeptEdit
from console.units import format_bytes, format_duration

_PHASES = {
    "preparing": "looks at it",
    "uploading": "uploads its pictures",
    "queued": "waits in the queue",
    "loading": "loads",
    "encoding": "encodes",
    "sampling": "samples",
    "decoding": "decodes",
    "saving": "saves",
    "fetching": "fetches the picture",
    "working": "works",
}


def now_text(now: EditNow) -> str:
    """Give where an edit is, how long it still takes, and what the card says."""
    parts = [_PHASES.get(now.phase, now.phase)]
    if now.phase == "queued" and now.ahead is not None:
        parts[0] = f"waits in the queue, {now.ahead} before it" if now.ahead else "is next"
    if now.node and now.phase not in {"queued", "fetching", "sampling"}:
        parts[0] += f": {now.node}"
    if now.phase == "sampling" and now.steps:
        parts[0] += f" step {now.step} of {now.steps}"
        if now.seconds_per_step is not None:
            parts.append(f"{now.seconds_per_step:.2g} s/step")
    if now.left_seconds is not None:
        parts.append(f"about {format_duration(max(1.0, now.left_seconds))} left")
    if now.vram_used_bytes is not None:
        whole = f" of {format_bytes(now.vram_total_bytes)}" if now.vram_total_bytes else ""
        parts.append(f"VRAM {format_bytes(now.vram_used_bytes)}{whole}")
    if now.power_watts is not None:
        parts.append(f"{now.power_watts:.0f} W")
    parts += [now.note] if now.note else []
    return ", ".join(parts)


def end_text(edit: KeptEdit) -> str:
    """Give what an edit that is done came to, in one line."""
    pictures = edit.of_role("output")
    count = "1 picture" if len(pictures) == 1 else f"{len(pictures)} pictures"
    took = edit.timings.total
    time = f" in {format_duration(took)}" if took is not None else ""
    cached = ", nothing new to compute" if edit.cached else ""
    where = f": {pictures[0].path}" if pictures else ""
    return f"{edit.workflow}: {count}{time}{cached}{where}"
