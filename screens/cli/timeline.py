"""`gpuconsole timeline`: what happened on the host, newest first."""

from datetime import datetime
from typing import Any

import click
import msgspec

from actions.operations import Operations
from actions.timeline import TimelineEntry
from console.errors import ExitCode
from console.units import format_age, format_duration
from console.unknown import plain
from screens.cli.context import Cli
from screens.cli.moment import moment
from screens.cli.output import emit, say, write


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="At most so many entries.",
)
@click.option("--since", metavar="TIME", help="Nothing older: 2h, 3d, 14:30, 2026-11-22.")
@click.option("--container", metavar="NAME", default="", help="Only what was done to this one.")
@click.pass_obj
def timeline(cli: Cli, limit: int, since: str | None, container: str) -> int:
    """Show what was done on this host, by whom and with what result, newest first."""
    session = cli.session
    operations = Operations(session, via="cli")
    now = session.clock.now()
    entries = operations.timeline(limit, moment(since, now, "--since"), container)
    problem = session.store.problem
    if cli.as_json:
        data: dict[str, Any] = {"entries": [plain(entry) for entry in entries]}
        if problem is not None:
            data["unavailable"] = [{"source": "journal", **msgspec.structs.asdict(problem)}]
        return emit(data)
    if session.rehearsal:
        say(f"REHEARSAL ({session.rehearsal})")
    if problem is not None:
        say(f"gpuconsole: {problem.title}")
    if not entries and problem is None:
        say("Nothing was done here yet." if not (since or container) else "Nothing fits.")
    for entry in entries:
        write(entry_text(entry, now))
    return ExitCode.DONE


def entry_text(entry: TimelineEntry, now: datetime) -> str:
    """Give one entry as a line: local time, age, what, how it ended, who asked."""
    when = entry.at.astimezone()
    age = format_age(max(0.0, (now - entry.at).total_seconds()))
    took = (
        "" if entry.duration_seconds is None else f" in {format_duration(entry.duration_seconds)}"
    )
    origin = f" from {entry.ssh_origin}" if entry.ssh_origin else ""
    return (
        f"{when:%Y-%m-%d %H:%M:%S}  {age:>4}  {entry.verb:<7}  {entry.target}  "
        f"{entry.outcome}{took}: {entry.text or '…'}  ({entry.user}{origin}, {entry.via})"
    )
