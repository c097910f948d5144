"""`gpuconsole timeline`: what happened on the host, newest first."""

from datetime import datetime
from typing import Any

import click
import msgspec

from actions.operations import Operations
from actions.timeline import KINDS, TimelineEntry
from console.errors import ExitCode, UsageError
from console.units import format_age, format_duration
from console.unknown import Unknown, plain
from screens.cli.context import Cli
from screens.cli.moment import moment
from screens.cli.output import emit, say, write

_HELP = (
    "What operators did is always there. What else happened to the host (containers, images and "
    "settings, driver, models, alerts) is there as far as a console or `gpuconsole watch` was "
    "running, or the engine still remembered it when one was started."
)


@click.command(epilog=_HELP)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="At most so many entries.",
)
@click.option("--since", metavar="TIME", help="Nothing older: 2h, 3d, 14:30, 2026-11-22.")
@click.option("--container", metavar="NAME", default="", help="Only what is about this one.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Only this kind; may be given again.",
)
@click.option("--vram", is_flag=True, help="The history of the cards' VRAM instead.")
@click.pass_obj
def timeline(
    cli: Cli, limit: int, since: str | None, container: str, kinds: tuple[str, ...], vram: bool
) -> int:
    """Show what happened on this host, what was done, by whom and with what result."""
    session = cli.session
    now = session.clock.now()
    begin = moment(since, now, "--since")
    if vram:
        if container or kinds:
            raise UsageError("usage.bad-options", "--vram goes with --since only")
        from screens.cli.vram import vram_history

        return vram_history(cli, begin)
    operations = Operations(session, via="cli")
    entries = operations.timeline(limit, begin, container, kinds=kinds)
    problem = session.store.problem
    if cli.as_json:
        data: dict[str, Any] = {"entries": [plain(entry) for entry in entries]}
        if problem is not None:
            data["unavailable"] = [unavailable(problem)]
        return emit(data)
    if session.rehearsal:
        say(f"REHEARSAL ({session.rehearsal})")
    if problem is not None:
        say(f"gpuconsole: {problem.title}")
    if not entries and problem is None:
        say("Nothing was done here yet." if not (since or container or kinds) else "Nothing fits.")
    for entry in entries:
        write(entry_text(entry, now))
    return ExitCode.DONE


def unavailable(problem: Unknown) -> dict[str, str]:
    """Give why the journal is not what it should be, as JSON tells it."""
    return {"source": "journal", **msgspec.structs.asdict(problem)}


def entry_text(entry: TimelineEntry, now: datetime) -> str:
    """Give one entry as a line: local time, age, what, how it ended, who asked."""
    last = entry.until or entry.at
    when = last.astimezone()
    age = format_age(max(0.0, (now - last).total_seconds()))
    head = f"{when:%Y-%m-%d %H:%M:%S}  {age:>4}"
    if entry.plan_id is None:
        return f"{head}  {entry.kind:<9}  {entry.target}  {entry.outcome}: {_happened(entry)}"
    took = (
        "" if entry.duration_seconds is None else f" in {format_duration(entry.duration_seconds)}"
    )
    origin = f" from {entry.ssh_origin}" if entry.ssh_origin else ""
    return (
        f"{head}  {entry.verb:<9}  {entry.target}  "
        f"{entry.outcome}{took}: {entry.text or '…'}  ({entry.user}{origin}, {entry.via})"
    )


def _happened(entry: TimelineEntry) -> str:
    """Give what happened, and how often since when where the entry stands for several."""
    if entry.count == 1:
        return entry.text
    return f"{entry.text} ({entry.count} times since {entry.at.astimezone():%H:%M:%S})"
