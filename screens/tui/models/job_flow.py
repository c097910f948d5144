"""What keys do to a job: pause it, go on with it, cancel it after a question, go back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.units import format_bytes
from screens.tui.models.jobs_panel import OPEN, WAITING, Shown

if TYPE_CHECKING:
    from screens.tui.application import Console


def pause_or_resume(app: Console, one: Shown | None) -> None:
    """Pause a download that runs, go on with one that waits; say so where neither can be."""
    if one is None:
        app.say("no job is selected", "warning", "▲")
        return
    job = one.job
    if job.kind == "edit" and "resume" in job.can:
        app.desk.resume(job.id, job.target)
    elif job.kind != "download":
        app.say("only downloads can be paused; c cancels this one", "warning", "▲")
    elif job.state in OPEN:
        app.desk.pause(job.id, job.target)
    elif job.state in WAITING or "resume" in job.can:
        app.desk.resume(job.id, job.target)
    else:
        app.say(f"{job.verb} {job.target} is {job.state}: nothing to go on with", "warning", "▲")


def cancel(app: Console, one: Shown | None) -> None:
    """Ask whether a job is to be cancelled, saying what is lost; then cancel it."""
    if one is None or "cancel" not in one.job.can:
        what = f"{one.job.verb} {one.job.target} is over" if one is not None else "no job"
        app.say(f"nothing to cancel: {what}", "warning", "▲")
        return
    from screens.tui.ask_dialog import AskDialog

    job = one.job

    def answered(yes: bool | None) -> None:
        if yes:
            app.desk.cancel(job.id)
            app.say(f"asked to cancel {job.verb} {job.target}", "warning", "▲")

    title = f"Cancel {job.verb} {job.target}"
    app.push_screen(AskDialog(title, _lost(one), "Cancel it"), answered)


def _lost(one: Shown) -> str:
    job, transfer = one.job, one.transfer
    if job.kind == "edit":
        return "Its service is told to stop; pictures that are here already stay."
    if job.kind != "download":
        return "What it has done so far is taken back where that is possible; else it is left."
    done = transfer.bytes_done if transfer is not None else 0
    lost = f"The {format_bytes(done)} that are there so far are removed" if done else "It ends"
    return (
        f"{lost}; files that are whole already stay. To keep what is there and go on later, "
        "pause it instead: p."
    )


def go_on(app: Console, one: Shown | None) -> None:
    """Go on with a job that was left: a download as it is, another by a plan that is shown."""
    if one is None or (one.job.kind != "download" and "resume" not in one.job.can):
        app.say("nothing is left to go on with here", "warning", "▲")
    elif one.job.kind in {"download", "edit"}:
        pause_or_resume(app, one)
    else:
        app.desk.propose_on(one.job.id)


def go_back(app: Console, one: Shown | None) -> None:
    """Propose to restore what was before a job."""
    if one is None or "back" not in one.job.can:
        app.say("there is nothing to go back to here", "warning", "▲")
    else:
        app.desk.propose_back(one.job.id)
