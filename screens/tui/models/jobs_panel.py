"""Jobs: what is under way in any console, what waits to go on, and each file of a download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from actions.transfer import FileTransfer, Transfer
from console.text import clean_line
from console.units import format_bytes
from screens.tui.bars import bar
from screens.tui.details import head, pair
from screens.tui.models.state import State
from screens.tui.models.words import JOBS
from screens.tui.paint import Line, Span, clickable, fit, left, on, right, text_width, wrap
from screens.tui.transfer_words import (
    TRANSFERS,
    done_text,
    file_trouble,
    left_text,
    percent,
    rate_text,
    trouble_text,
)
from screens.tui.words import State as How
from screens.tui.words import local_clock, place_text
from screens.words import age

if TYPE_CHECKING:
    from actions.jobs import Job

NAME_LEAST, NAME_MOST = 16, 44
STATE, BAR, PERCENT, BYTES = 14, 9, 6, 15
OPEN = ("queued", "running", "going-back")
WAITING = ("paused", "interrupted", "needs_token")
HINTS = {
    "paused": "p goes on where it stopped; what it has is kept",
    "interrupted": "its process is gone; p goes on with what it has",
    "needs_token": "set HF_TOKEN, or log in with `hf auth login`; then p goes on",
}


class Shown(NamedTuple):
    """A job with the newest figures of its download; None where it moves no bytes."""

    job: Job
    transfer: Transfer | None


def shown(jobs: Sequence[Job], live: Mapping[str, Transfer | None]) -> tuple[Shown, ...]:
    """Put the figures that are followed in place of those that were read from the journal."""
    return tuple(Shown(job, _transfer(job, live.get(job.id))) for job in jobs)


def _transfer(job: Job, followed: Transfer | None) -> Transfer | None:
    if followed is not None and job.state in OPEN:
        return followed
    if job.kind != "download" or not job.bytes_total:
        return None
    moving = job.state == "running"
    return Transfer(
        files=job.files,
        bytes_done=job.bytes_done or 0,
        bytes_total=job.bytes_total,
        rate_bytes_per_second=job.rate_bytes_per_second if moving else None,
        eta_seconds=job.eta_seconds if moving else None,
        fetched_bytes=job.fetched_bytes or 0,
        resumed_from_bytes=job.resumed_from_bytes or 0,
    )


def how(one: Shown) -> How:
    """Say how a job is; a download that waits for bytes says so."""
    state = JOBS.get(one.job.state, How("·", "dim", one.job.state))
    if one.job.state != "running" or one.transfer is None:
        return state
    if trouble_text(one.transfer):
        held = {file.state for file in one.transfer.files}
        word = "rate-limited" if "rate-limited" in held else "stalled"
        return TRANSFERS[word] if held & {"stalled", "rate-limited"} else state
    return How("⇩", "accent", "fetching")


def table(jobs: Sequence[Shown], state: State, width: int, height: int) -> list[Line]:
    """Give the head and the jobs from `state.list_top` on in `height` lines of `width`."""
    names = max((text_width(_listed(one.job)) for one in jobs), default=NAME_LEAST)
    bar_width = BAR if width >= 70 else 0
    if width >= 120:
        bar_width = 30
    fixed = 5 + STATE + (bar_width + 1 if bar_width else 0) + PERCENT + BYTES
    name = max(NAME_LEAST, min(names, NAME_MOST, width - fixed - (12 if width >= 100 else 0)))
    label = place_text(state.list_top, height - 1, len(jobs)) or "job"
    titles = f"   {left(label, name)}  {left('state', STATE)}"
    lines: list[Line] = [fit((Span(titles, "dim"),), width)]
    top = state.list_top
    for one in jobs[top : top + height - 1]:
        line = fit(_row(one, state, name, bar_width), width)
        chosen = one.job.id == state.job
        lines.append(clickable(on(line, "selected") if chosen else line, f"row {one.job.id}"))
    return lines


def _name(job: Job) -> str:
    return f"{job.verb} {clean_line(job.target, 120)}"


def _listed(job: Job) -> str:
    """Name a job in the list; what a download does is said by its bar."""
    return clean_line(job.target, 120) if job.kind == "download" else _name(job)


def _row(one: Shown, state: State, name: int, bar_width: int) -> Line:
    job = one.job
    told = how(one)
    spans = [
        Span(" ▸ " if job.id == state.job else "   ", "title"),
        Span(left(_listed(job), name), "strong"),
        Span(f"  {left(f'{told.symbol} {told.words}', STATE)}", told.role),
    ]
    transfer = one.transfer
    if transfer is None:
        step = f"{job.step}/{job.steps} " if job.steps > 1 else ""
        return (*spans, Span(f"{step}{clean_line(job.text, 200)}", "dim"))
    if bar_width:
        filled, track = bar(transfer.bytes_done / max(1, transfer.bytes_total), bar_width)
        spans += [Span(filled, "bar"), Span(track, "track"), Span(" ")]
    spans += [
        Span(right(percent(transfer.bytes_done, transfer.bytes_total), PERCENT - 1) + " "),
        Span(right(done_text(transfer.bytes_done, transfer.bytes_total), BYTES - 2), "text"),
    ]
    if transfer.rate_bytes_per_second is not None:
        spans.append(Span(f"  {rate_text(transfer.rate_bytes_per_second)}", "text"))
        spans.append(Span(f"  {left_text(transfer.eta_seconds)}", "dim"))
    elif trouble_text(transfer):
        spans.append(Span(f"  {trouble_text(transfer)}", "warning"))
    return tuple(spans)


def details(one: Shown, now: datetime, width: int) -> list[Line]:
    """Give all about a job: how it is and what may be done, its figures, its files."""
    job, transfer = one.job, one.transfer
    told = how(one)
    lines: list[Line] = [
        (
            Span(f"  {told.symbol} ", told.role),
            Span(_name(job), "title"),
            Span(f"  {told.words}", told.role),
            Span(f"  {job.id}", "dim"),
        )
    ]
    waits = trouble_text(transfer) if transfer is not None and job.state == "running" else ""
    if waits:
        lines += _wrapped(waits, "warning", width)
    if job.state in HINTS and job.kind == "download":
        lines += _wrapped(HINTS[job.state], "text", width)
    told_by_figures = transfer is not None and job.state == "running"
    if job.text and job.text != waits and not told_by_figures:
        lines += _wrapped(clean_line(job.text, 1000), "dim", width)
    if transfer is not None:
        lines += _figures(job, transfer, width)
    lines += pair("began", _began(job, now), width)
    if job.pid is not None:
        lines += pair("process", f"{job.pid}, goes on without this console", width)
    if job.can:
        lines += pair(
            "can", ", ".join(word for word in job.can if word != "watch") or "be watched", width
        )
    if transfer is not None and transfer.files:
        lines += head("Files")
        for file in transfer.files:
            lines += _file(file, job.state, width)
    elif job.title:
        lines += pair("step", f"{job.step} of {job.steps}: {job.title}", width)
    return lines


def _wrapped(text: str, role: str, width: int) -> list[Line]:
    return [(Span("    "), Span(part, role)) for part in wrap(text, width - 6)]


def _began(job: Job, now: datetime) -> str:
    began = job.since or job.created_at
    return f"{local_clock(began, now)}, {age(began, now)} ago"


def _figures(job: Job, transfer: Transfer, width: int) -> list[Line]:
    both = (transfer.bytes_done, transfer.bytes_total)
    done = f"{percent(*both)}, {done_text(*both)}"
    lines = pair("fetched", done, width)
    if job.state == "running":
        rate = rate_text(transfer.rate_bytes_per_second)
        lines += pair("rate", f"{rate}  {left_text(transfer.eta_seconds)}".rstrip(), width)
    if transfer.resumed_from_bytes:
        more = format_bytes(transfer.fetched_bytes)
        text = f"found {format_bytes(transfer.resumed_from_bytes)} there, fetched {more} more"
        lines += pair("this attempt", text, width)
    if (job.attempts or 0) > 1:
        lines += pair("attempts", str(job.attempts), width)
    return lines


def _file(file: FileTransfer, job_state: str, width: int) -> list[Line]:
    state = TRANSFERS.get(file.state, How("·", "dim", file.state))
    if job_state not in OPEN and file.state not in {"fetched", "linked", "kept"}:
        # What a file was at when its job stopped is not what it is at now.
        state = How("◑", "dim", "stopped") if file.bytes_done else TRANSFERS["waiting"]
    name = clean_line(file.path.rpartition("/")[2] or file.id, 255)
    both = (file.bytes_done, file.bytes_total)
    figures = f" {right(percent(*both), 5)} {right(done_text(*both), 15)}"
    tail = f"{figures}  {left(state.words, 12)}"
    room = max(8, width - 4 - text_width(tail))
    lines: list[Line] = [
        (
            Span(f"  {state.symbol} ", state.role),
            Span(left(name, room), "strong"),
            Span(tail, state.role if state.role != "dim" else "text"),
        )
    ]
    note = file_trouble(file) if job_state in OPEN else ""
    if file.note and note:
        lines += [(Span("      "), Span(part, "warning")) for part in wrap(note, width - 8)]
    return lines


class Moved(NamedTuple):
    """What a job has of a file, in per cent, and whether it fetches more of it now."""

    job_id: str
    percent: float
    moving: bool


def fetching(
    live: Mapping[str, Transfer | None], stopped: Mapping[str, Transfer | None]
) -> dict[str, Moved]:
    """Give how far every file is that a download has not done yet, by its path and by its id.

    Args:
        live: the newest figures of what runs, by the job's id.
        stopped: the last ones of what waits to go on.
    """
    found: dict[str, Moved] = {}
    for job_id, transfer in (*stopped.items(), *live.items()):
        for file in transfer.files if transfer is not None else ():
            if file.state in {"fetched", "linked", "kept"} or not file.bytes_total:
                continue
            moving = job_id in live
            if moving or file.bytes_done:
                moved = Moved(job_id, file.bytes_done * 100 / file.bytes_total, moving)
                found[file.path] = found[file.id] = moved
    return found
