"""Jobs as text for people and as data for scripts."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from actions.transfer import Transfer
from console.units import format_age, format_bytes, format_duration
from console.unknown import plain
from screens.cli.table import columns

if TYPE_CHECKING:
    from actions.jobs import Job


def job_data(job: "Job", now: datetime) -> dict[str, Any]:
    """Give a job as an entry of `data.jobs[]`; `age_seconds` counts from when it was asked for."""
    return {**plain(job), "age_seconds": round(_age(job, now), 1)}


def job_lines(found: "tuple[Job, ...]", now: datetime) -> list[str]:
    """Give the jobs as lines that line up; what can be done about one stands below it."""
    lines = columns([_row(job, now) for job in found])
    shown = []
    for job, line in zip(found, lines, strict=True):
        shown.append(line)
        ways = [way for way in job.can if way in {"resume", "back"}]
        if ways and job.kind in {"download", "edit"}:
            ways.append("cancel")
        if ways:
            said = " or ".join(f"gpuconsole jobs {way} {job.id}" for way in ways)
            shown.append(f"    {said}")
    return shown


def job_text(job: "Job", now: datetime) -> str:
    """Give all of one job as lines."""
    lines = [f"{job.verb} {job.target}  ({job.kind} {job.id})"]
    lines.append(f"  state     {_state(job)}, {format_age(_age(job, now))} old")
    if job.step:
        lines.append(f"  step      {job.step} of {job.steps}: {job.title}")
    lines += [f"  {line}" for line in _moved(job)]
    if job.pid:
        lines.append(f"  process   {job.pid}")
    if job.attempts > 1:
        lines.append(f"  attempts  {job.attempts}")
    if job.text:
        lines.append(f"  told      {job.text}")
    if job.hint:
        lines.append(f"            {job.hint}")
    lines += [f"  can       gpuconsole jobs {way} {job.id}" for way in job.can]
    return "\n".join(lines)


def transfer_text(moved: Transfer) -> str:
    """Give the figures of a whole download: how much of what, how fast, how long still."""
    parts = [_of(moved.bytes_done, moved.bytes_total)]
    if moved.rate_bytes_per_second:
        parts.append(f"{format_bytes(moved.rate_bytes_per_second)}/s")
    if moved.eta_seconds is not None:
        parts.append(f"{format_duration(moved.eta_seconds)} left")
    parts += [moved.note] if moved.note else []
    return ", ".join(parts)


def _moved(job: "Job") -> list[str]:
    """Give what only a download has; nothing of other jobs."""
    if job.bytes_done is None or job.bytes_total is None:
        return []
    moved = Transfer(
        bytes_done=job.bytes_done,
        bytes_total=job.bytes_total,
        rate_bytes_per_second=job.rate_bytes_per_second,
        eta_seconds=job.eta_seconds,
    )
    lines = [f"fetched   {transfer_text(moved)}"]
    if job.resumed_from_bytes:
        lines.append(
            f"          {format_bytes(job.resumed_from_bytes)} were there before it went on"
        )
    for file in job.files:
        note = f": {file.note}" if file.note else ""
        done = _of(file.bytes_done, file.bytes_total)
        lines.append(f"file      {file.path}  {done}, {file.state}{note}")
    return lines


def _of(done: int, total: int) -> str:
    share = f" ({done * 100 // total} %)" if total else ""
    return f"{format_bytes(done)} of {format_bytes(total)}{share}"


def _row(job: "Job", now: datetime) -> list[str]:
    where = f"step {job.step}/{job.steps}" if job.step else ""
    process = f"pid {job.pid}" if job.pid else ""
    told = job.text or job.title
    if job.kind == "download" and job.bytes_total and job.bytes_done is not None:
        where = _of(job.bytes_done, job.bytes_total)
    what = f"{job.verb} {job.target}"
    if job.undoes or job.continues:
        what += " (back)" if job.undoes else " (on)"
    return [
        job.id, what, _state(job), where, format_age(_age(job, now)), process, told,
    ]  # fmt: skip


def _state(job: "Job") -> str:
    if job.pid and job.cancel_requested:
        return "asked to end"
    if job.pid and job.pause_requested:
        return "asked to pause"
    return job.state


def _age(job: "Job", now: datetime) -> float:
    return max(0.0, (now - (job.since or job.created_at)).total_seconds())
