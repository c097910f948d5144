"""An edit that was kept: what it was asked for with, what it took, and what is wrong with it."""

from __future__ import annotations

from datetime import datetime

from console.edits.kept import KeptEdit, KeptPicture
from console.text import clean, clean_line
from console.units import format_bytes
from screens.tui.details import head, pair
from screens.tui.lab.fields import number_words
from screens.tui.lab.sizes import size_words
from screens.tui.lab.words import edit_state, seconds_words, step_words, took
from screens.tui.paint import Line, Span, wrap
from screens.tui.words import figure, gib, local_clock

TIMINGS = (
    ("queued", "waited"),
    ("load", "load"),
    ("encode", "encode"),
    ("sample", "sample"),
    ("decode", "decode"),
    ("other", "other nodes"),
    ("fetch", "fetch"),
    ("run", "run, by the service"),
    ("total", "in all"),
)
COLLECT_HINT = "gpuconsole gallery collect fetches what the service still has"


def summary(edit: KeptEdit, now: datetime) -> Line:
    """Give one line: seed, time, peak; of one that has no picture, how it is."""
    told = edit_state(edit)
    spans = [Span(f" {told.symbol} ", told.role)]
    if edit.state != "done":
        title = f": {edit.error.title}" if edit.error is not None else ""
        spans.append(Span(f"{told.words}{clean_line(title, 300)}", told.role))
    else:
        spans.append(Span(f"seed {edit.seed}" if edit.seed is not None else "done", "strong"))
        spans.append(Span(f"  {seconds_words(took(edit))}", "text"))
        if edit.vram_peak_bytes is not None:
            spans.append(Span(f"  peak {gib(edit.vram_peak_bytes)} GiB", "text"))
        each = step_words(edit.timings.per_step)
        spans.append(Span(f"  {each}" if each else "", "text"))
        if edit.cached:
            spans.append(Span("  nothing was computed: an earlier run's", "warning"))
    spans.append(Span(f"  {local_clock(edit.created_at, now)}", "dim"))
    return tuple(spans)


def details(edit: KeptEdit, now: datetime, width: int) -> list[Line]:
    """Give all about an edit in lines of `width`."""
    told = edit_state(edit)
    lines: list[Line] = [
        (
            Span(f"  {told.symbol} ", told.role),
            Span(clean_line(edit.workflow, 60), "title"),
            Span(f"  {told.words}", told.role),
            Span(f"  {clean_line(edit.id, 40)}", "dim"),
        )
    ]
    lines += _trouble(edit, width)
    for text in edit.warnings:
        lines += _wrapped(f"▲ {clean_line(text, 500)}", "warning", width)
    lines += _asked(edit, now, width)
    lines += _took(edit, width)
    lines += head("Pictures")
    for picture in edit.pictures:
        lines += _picture(picture, width)
    if not edit.pictures:
        lines += _wrapped("none is kept", "dim", width)
    return lines


def _trouble(edit: KeptEdit, width: int) -> list[Line]:
    error = edit.error
    if error is None:
        return []
    lines = _wrapped(clean_line(error.title, 500), "error", width)
    hint = error.hint or (COLLECT_HINT if edit.state == "uncollected" else "")
    lines += _wrapped(clean_line(hint, 500), "text", width) if hint else []
    lines += _wrapped(clean_line(error.detail, 2000), "dim", width) if error.detail else []
    return lines


def _asked(edit: KeptEdit, now: datetime, width: int) -> list[Line]:
    lines = pair("prompt", clean(edit.prompt[:4000]) or "none", width)
    if edit.negative:
        lines += pair("negative", clean(edit.negative[:4000]), width)
    lines += pair("seed", "none" if edit.seed is None else str(edit.seed), width)
    where = edit.service + (f", {edit.gpu_name}" if edit.gpu_name else "")
    lines += pair("service", clean_line(where, 200), width)
    if edit.variant:
        more = f", Lightning {edit.lightning} steps" if edit.lightning is not None else ""
        lines += pair("variant", f"{clean_line(edit.variant, 100)}{more}", width)
    numbers = [
        f"{name} {number_words(value)}"
        for name, value in (("steps", edit.steps), ("cfg", edit.cfg))
        if value is not None
    ]
    size = (edit.width, edit.height)
    if size[0] is not None and size[1] is not None:
        numbers.append(f"size {size_words((size[0], size[1]))}")
    lines += pair("numbers", "  ".join(numbers) or "the workflow's own", width)
    lines += pair("asked", f"{local_clock(edit.created_at, now)}", width)
    return lines


def _took(edit: KeptEdit, width: int) -> list[Line]:
    times = edit.timings
    lines = head("What it took")
    for name, label in TIMINGS:
        value = getattr(times, name)
        if value is None:
            continue
        text = seconds_words(value)
        if name == "sample" and times.per_step is not None:
            count = f"{times.steps} steps of " if times.steps else ""
            text += f": {count}{step_words(times.per_step)}"
        lines += pair(label, text, width)
    if not times.heard and edit.state == "done":
        lines += pair("phases", "not heard as they happened: only the whole is known", width)
    peak = edit.vram_peak_bytes
    if peak is not None:
        before = edit.vram_before_bytes
        more = f", before {format_bytes(before)}" if before is not None else ""
        lines += pair("VRAM peak", f"{format_bytes(peak)} of the whole card{more}", width)
    if edit.power_peak_watts is not None or edit.temperature_peak_celsius is not None:
        text = f"{figure(edit.power_peak_watts)} W, {figure(edit.temperature_peak_celsius)} °C"
        lines += pair("at most", text, width)
    if edit.fit:
        lines += pair("pre-check said", edit.fit, width)
    return lines


def _picture(picture: KeptPicture, width: int) -> list[Line]:
    size = ""
    if picture.width and picture.height:
        size = f"{picture.width}x{picture.height}  "
    label = "result" if picture.role == "output" else f"input {picture.number + 1}"
    lines = pair(label, f"{size}{format_bytes(picture.size)}", width)
    lines += _wrapped(clean_line(picture.path, 1000), "dim", width)
    if picture.role == "input" and picture.source and picture.source != picture.path:
        lines += _wrapped(f"from {clean_line(picture.source, 1000)}", "dim", width)
    return lines


def _wrapped(text: str, role: str, width: int) -> list[Line]:
    return [(Span("    "), Span(part, role)) for part in wrap(text, max(8, width - 6))]
