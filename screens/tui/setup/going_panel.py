"""A step's job while it runs: at which of its steps it is, how far, how fast, and for how long."""

from __future__ import annotations

import re

from actions.plan import StepProgress
from actions.transfer import Transfer
from console.text import clean_line
from console.units import format_duration
from screens.tui.bars import bar
from screens.tui.lab.words import phase_words, step_words
from screens.tui.paint import Line, Span, wrap
from screens.tui.setup.walk import Running
from screens.tui.transfer_words import done_text, left_text, percent, rate_text, trouble_text
from screens.tui.words import gib

BAR_MOST = 40
_COUNTED = re.compile(r"\bstep (\d{1,4})/(\d{1,4})\b", re.IGNORECASE)
"""As builds tell how far they are."""
ASKED = {"cancel": "cancelling …", "pause": "pausing …"}


def going_lines(running: Running, now: float, width: int) -> list[Line]:
    """Give what a job is at, in lines of at most `width`; `now` is in monotonic seconds."""
    plan, progress = running.plan, running.progress
    elapsed = max(0.0, now - running.began)
    number = f" {running.number}/{len(plan.steps)}" if len(plan.steps) > 1 else ""
    doing = clean_line(running.title, 200) or f"{plan.verb} {plan.target}"
    head = f"{doing}  {format_duration(float(int(elapsed)))}"
    if running.asked:
        head += f"  {ASKED[running.asked]}"
    lines: list[Line] = [
        (Span(f"▶{number} " if not place else "  ", "accent"), Span(part, "strong"))
        for place, part in enumerate(wrap(head, width - 2 - len(number)))
    ]
    if progress is None:
        return lines
    if progress.edit is not None:
        return lines + _edit(progress, width)
    if progress.transfer is not None and progress.transfer.bytes_total:
        return lines + _transfer(progress.transfer, width)
    return lines + _words(progress, width)


def _transfer(transfer: Transfer, width: int) -> list[Line]:
    done, total = transfer.bytes_done, transfer.bytes_total or 1
    filled, track = bar(done / total, max(8, min(BAR_MOST, width - 8)))
    figures = [done_text(done, total)]
    trouble = trouble_text(transfer)
    if not trouble and transfer.rate_bytes_per_second is not None:
        figures += [rate_text(transfer.rate_bytes_per_second), left_text(transfer.eta_seconds)]
    lines: list[Line] = [
        (Span("  "), Span(filled, "bar"), Span(track, "track"), Span(f" {percent(done, total)}"))
    ]
    lines += _indented("  ".join(one for one in figures if one), width, "text")
    return lines + _indented(f"▲ {trouble}" if trouble else "", width, "warning")


def _edit(progress: StepProgress, width: int) -> list[Line]:
    now = progress.edit
    if now is None:
        return []
    lines: list[Line] = []
    if now.steps:
        filled, track = bar(now.step / now.steps, max(8, min(BAR_MOST, width - 8)))
        lines.append((Span("  "), Span(filled, "bar"), Span(track, "track")))
    said = [phase_words(now), step_words(now.seconds_per_step), left_text(now.left_seconds)]
    if now.vram_used_bytes is not None:
        said.append(f"VRAM {gib(now.vram_used_bytes)} of {gib(now.vram_total_bytes)} GiB")
    lines += _indented("  ".join(one for one in said if one), width, "text")
    return lines + _indented(f"▲ {clean_line(now.note, 200)}" if now.note else "", width, "warning")


def _words(progress: StepProgress, width: int) -> list[Line]:
    lines: list[Line] = []
    room = max(8, min(BAR_MOST, width - 8))
    counted = _COUNTED.search(progress.text)
    if counted is not None and int(counted[2]) >= int(counted[1]) > 0:
        filled, track = bar((int(counted[1]) - 0.5) / int(counted[2]), room)
        lines.append((Span("  "), Span(filled, "bar"), Span(track, "track")))
    elif progress.longest_seconds:
        filled, track = bar(min(1.0, progress.elapsed_seconds / progress.longest_seconds), room)
        most = Span(f" of at most {format_duration(progress.longest_seconds)}", "dim")
        lines.append((Span("  "), Span(filled, "history"), Span(track, "track"), most))
    return lines + _indented(clean_line(progress.text, 400), width, "text")


def _indented(text: str, width: int, role: str) -> list[Line]:
    return [(Span("  "), Span(part, role)) for part in wrap(text, width - 2) if part]
