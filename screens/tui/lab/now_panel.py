"""An edit that is under way: its place in the queue, node and step, time left, and the card."""

from __future__ import annotations

from actions.edit_now import EditNow
from actions.snapshot import HostSnapshot
from console.text import clean_line
from console.unknown import Unknown, known
from screens.tui.bars import bar
from screens.tui.lab.words import phase_words, step_words
from screens.tui.paint import UNKNOWN, Line, Span, fit, line_width
from screens.tui.transfer_words import left_text
from screens.tui.view import Job
from screens.tui.words import figure, gib

BAR_MOST = 24


def now_lines(job: Job, snapshot: HostSnapshot, width: int) -> list[Line]:
    """Give two lines of `width`: what it is at, and how the card is meanwhile.

    Args:
        job: its plan.
        snapshot: the host, for what the edit does not tell of its card.
        width: columns.
    """
    now = job.edit
    if now is None:
        doing = Span(f"  {clean_line(job.text, 200) or 'begins'}", "text")
        begun = (Span(f" ▶ {clean_line(job.target, 60)}", "accent"), doing)
        return [_with_tail(begun, job, width)]
    head = [Span(" ▶ ", "accent"), Span(phase_words(now), "strong")]
    if now.of:
        head[1] = Span(f"{now.done} of {now.of} done, {phase_words(now)}", "strong")
    if now.steps and now.phase in {"sampling", "working"}:
        filled, track = bar(now.step / now.steps, min(BAR_MOST, max(6, width // 6)))
        head += [Span(" "), Span(filled, "bar"), Span(track, "track")]
    each = step_words(now.seconds_per_step)
    head += [Span(f"  {each}", "text")] if each else []
    left = left_text(now.left_seconds)
    head += [Span(f"  {left}", "text")] if left else []
    return [_with_tail(tuple(head), job, width), fit(card_line(now, snapshot), width)]


def _with_tail(head: Line, job: Job, width: int) -> Line:
    cancel = "cancelling …" if job.cancelling else "Esc cancels"
    tail = Span(f"  {cancel} ", "dim")
    room = width - line_width((tail,))
    return (*fit(head, max(4, room)), tail) if room > 20 else fit(head, width)


def card_line(now: EditNow, snapshot: HostSnapshot) -> Line:
    """Say how the card is that it runs on: VRAM with its peak, power, temperature; and the node."""
    used: float | None = now.vram_used_bytes
    total: float | None = now.vram_total_bytes
    watts, degrees = now.power_watts, now.temperature_celsius
    gpu = next((one for one in snapshot.gpu.gpus if one.uuid == now.gpu_uuid), None)
    if gpu is not None:
        used = used if used is not None else _known(gpu.memory_used_bytes)
        total = total if total is not None else _known(gpu.memory_total_bytes)
        watts = watts if watts is not None else _known(gpu.power_watts)
        degrees = degrees if degrees is not None else _known(gpu.temperature_celsius)
    spans = [Span("   ")]
    if now.note:
        spans += [Span(f"▲ {clean_line(now.note, 200)}  ", "warning")]
    name = f"GPU {gpu.index} " if gpu is not None else ""
    peak = f" peak {gib(now.vram_peak_bytes)}" if now.vram_peak_bytes is not None else ""
    spans += [
        Span(f"{name}VRAM ", "dim"),
        Span(f"{_gib(used)}/{_gib(total)} GiB", "strong" if used is not None else "dim"),
        Span(peak, "text"),
        Span(f"  {figure(watts)} W", "text"),
        Span(f"  {figure(degrees)} °C", "text"),
    ]
    if now.node:
        place = f" {now.number}/{now.total}" if now.total else ""
        spans.append(Span(f"  node {clean_line(now.node, 60)}{place}", "dim"))
    return tuple(spans)


def _known(value: object) -> float | int | None:
    if isinstance(value, Unknown) or not known(value):
        return None
    return value if isinstance(value, int | float) else None


def _gib(size: float | None) -> str:
    return gib(None if size is None else int(size))


def in_short(job: Job) -> str:
    """Say how an edit goes in a few words, for a row of a list and the line above the keys."""
    now = job.edit
    if now is None:
        return clean_line(job.text, 60) or UNKNOWN
    left = left_text(now.left_seconds)
    runs = f"{now.done}/{now.of} " if now.of else ""
    return f"{runs}{phase_words(now)}" + (f"  {left}" if left else "")
