"""`gpuconsole logs NAME...`: what containers wrote, then and now, for people and for programs."""

from collections import deque
from collections.abc import Sequence
from typing import cast

import click

from actions.logs.filtering import Filter, Sieve
from actions.logs.gathering import Gathering
from actions.logs.line import LEVELS, Entry, Level
from actions.logs.names import find_containers
from actions.logs.pattern import Pattern
from actions.logs.query import Query
from actions.session import Session
from console.errors import ConsoleError, ExitCode, InterruptedByUser, UsageError
from console.unknown import Unknown
from screens.cli.context import Cli
from screens.cli.log_text import (
    Judged,
    LogText,
    line_data,
    reader_is_gone,
    sources_hint,
    wants_colour,
)
from screens.cli.moment import moment
from screens.cli.output import ReaderGone, emit_line, emit_lines, say, write

_TICK = 0.5
_HELP = (
    "A line is its time (the engine's, shown as local time), out or err, its level in a word, and "
    "its text; of a container that prints several files (`==> file <==`) also the file. Control "
    "characters are taken out, progress bars shown in their last state, lines over 32 KiB cut. "
    "--json gives one object a line. --tail counts the lines that fit the other options. "
    "With --follow it ends when the containers end, as docker's does, waits through restarts, and "
    "goes on at the same line where the engine was away."
)


@click.command(epilog=_HELP)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--follow", "-f", is_flag=True, help="Wait for more.")
@click.option("--since", metavar="TIME", help="Nothing older: 10m, 14:30, 2026-11-22T14:30.")
@click.option("--until", metavar="TIME", help="Nothing newer.")
@click.option("--tail", "-n", type=click.IntRange(min=0), help="Only so many lines from the end.")
@click.option("--grep", metavar="RE", help="Only lines that hold a match of this expression.")
@click.option("--ignore-case", "-i", is_flag=True, help="--grep takes capitals for small letters.")
@click.option(
    "--level",
    type=click.Choice(LEVELS[1:], case_sensitive=False),
    help="Only lines that say they are at least as bad.",
)
@click.option("--source", "sources", metavar="FILE", multiple=True, help="Only this file's lines.")
@click.option("--last-start", is_flag=True, help="Only what came since the last start.")
@click.pass_obj
def logs(
    cli: Cli,
    names: tuple[str, ...],
    follow: bool,
    since: str | None,
    until: str | None,
    tail: int | None,
    grep: str | None,
    ignore_case: bool,
    level: str | None,
    sources: tuple[str, ...],
    last_start: bool,
) -> int:
    """Show what containers wrote; several are merged by time."""
    session = cli.session
    pattern = Pattern(grep, regex=True, case=not ignore_case).check() if grep else None
    asked = Filter(pattern=pattern, level=cast("Level", level or ""), sources=sources)
    now = session.clock.now()
    begin, end = moment(since, now, "--since"), moment(until, now, "--until")
    if begin is not None and end is not None and begin > end:
        raise UsageError("usage.bad-time", "--since is after --until", "Swap them")
    query = Query(
        since=begin,
        until=end,
        tail=None if asked.asks else tail,
        follow=follow,
        last_start=last_start,
    )
    containers = find_containers(session, names)
    return _Telling(cli, session, containers, query, asked, tail).run()


class _Telling:
    """One run of the verb: entries come, lines go out."""

    def __init__(
        self,
        cli: Cli,
        session: Session,
        containers: Sequence[str],
        query: Query,
        asked: Filter,
        tail: int | None,
    ) -> None:
        self._as_json = cli.as_json
        self._session = session
        self._several = len(containers) > 1
        self._gathering = Gathering(session, containers, query)
        self._asked = asked
        self._sieve = Sieve(asked)
        self._text = LogText(several=self._several, colour=wants_colour(cli.environ))
        # With a filter the engine cannot count: the newest that fit wait until all was read.
        self._last: deque[Judged] | None = (
            deque(maxlen=tail) if asked.asks and tail is not None else None
        )
        self._count = 0
        self._seen: dict[str, None] = {}
        self._said: Unknown | None = None

    def run(self) -> int:
        """Write lines until there are no more; give the exit code."""
        if self._session.rehearsal and not self._as_json:
            say(f"REHEARSAL ({self._session.rehearsal})")
        self._gathering.start()
        try:
            self._write_all()
            return self._end()
        except KeyboardInterrupt:
            return self._interrupted()
        except ConsoleError as error:
            if not self._as_json:
                raise
            emit_line({"event": "failed", "lines": self._count}, error=error)
            return int(error.exit_code)
        finally:
            self._gathering.stop()

    def _write_all(self) -> None:
        caught_up = False
        while (entries := self._gathering.take(_TICK)) is not None:
            if entries:
                self._take(entries)
            if caught_up:
                self._release()
            # Looked at before the next entries are taken: what was there by now is among them.
            caught_up = self._gathering.state != "reading"
            self._tell_trouble()
            if reader_is_gone():
                raise ReaderGone
        self._release()

    def _take(self, entries: Sequence[Entry]) -> None:
        """Let the entries that fit out, or keep the newest of them."""
        for entry in entries if self._asked.sources else ():
            self._seen.setdefault(entry.source)
        fitting = self._sieve.take(entries)
        if self._last is not None:
            self._last.extend(fitting)
        elif fitting:
            self._write(fitting)

    def _release(self) -> None:
        last, self._last = self._last, None
        if last:
            self._write(list(last))

    def _write(self, lines: Sequence[Judged]) -> None:
        self._count += len(lines)
        if self._as_json:
            emit_lines([line_data(line, several=self._several) for line in lines])
        else:
            write("\n".join(map(self._text.line, lines)))

    def _tell_trouble(self) -> None:
        """Say once what is wrong while we wait, such as that the engine is away."""
        problem = self._gathering.problem
        if problem != self._said:
            self._said = problem
            if problem is not None:
                waits = " (waiting for it)" if self._gathering.state == "lost" else ""
                say(f"gpuconsole: {problem.title}{waits}")
            else:
                say("gpuconsole: the engine is back")

    def _end(self) -> int:
        """Say how it ended: what could not be read is a failure, what was removed is not."""
        error = self._failure()
        if error is not None:
            raise error
        if self._as_json:
            emit_line({"event": "done", "lines": self._count, "state": self._gathering.state})
            return ExitCode.DONE
        for name in self._gathering.removed:
            say(f"gpuconsole: {name} was removed")
        if self._asked.sources and not self._count:
            say(f"gpuconsole: {sources_hint(self._asked.sources, [s for s in self._seen if s])}")
        return ExitCode.DONE

    def _failure(self) -> ConsoleError | None:
        if self._gathering.error is not None:
            return self._gathering.error
        problem = self._gathering.problem
        if problem is None:
            return None
        return ConsoleError(problem.code, problem.title, problem.hint)

    def _interrupted(self) -> int:
        stopped = InterruptedByUser("interrupted", "interrupted")
        if self._as_json:
            emit_line({"event": "failed", "lines": self._count}, error=stopped)
        else:
            say()
        return ExitCode.INTERRUPTED
