"""`gpuconsole watch`: keeps the timeline and tells alerts, without a screen, until it is ended."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from console.errors import ExitCode, UsageError
from console.late_log import log_when_needed
from console.unknown import iso_time
from screens.cli.context import Cli
from screens.cli.log_text import reader_is_gone
from screens.cli.output import OutputError, ReaderGone, abandon, emit, emit_line, say, write

if TYPE_CHECKING:
    from actions.watching.stop import Stop

_HELP = (
    "What happens to the host goes on the timeline (`gpuconsole timeline`), together with the "
    "history of VRAM (`timeline --vram`). Alerts that stand for a while are told to the command or "
    "the webhook under [watch] in the config, with the event as JSON, and again when they are "
    "over. It bears an engine, a driver or a disk that is away, and goes on when they are back. "
    "TERM and Ctrl-C end it; HUP only lets it read its config again, unless its terminal is gone."
)


@click.command(epilog=_HELP)
@click.option("--install", is_flag=True, help="Write the systemd user unit that runs it.")
@click.option("--test", "test", is_flag=True, help="Tell a test alert every way that is set.")
@click.option("--dry-run", is_flag=True, help="With --install: show the unit, write nothing.")
@click.option("--yes", "-y", is_flag=True, help="With --install: do not ask.")
@click.pass_obj
def watch(cli: Cli, install: bool, test: bool, dry_run: bool, yes: bool) -> int:
    """Watch the host without a screen: keep its timeline, tell its alerts."""
    if install:
        if test:
            raise UsageError("usage.bad-options", "--install and --test do not go together")
        from screens.cli.watch_install import install_unit

        return install_unit(cli, dry_run=dry_run, yes=yes)
    if dry_run or yes:
        raise UsageError(
            "usage.bad-options", "--dry-run and --yes go with --install: watching changes nothing"
        )
    return _test(cli) if test else _watch(cli)


def _test(cli: Cli) -> int:
    """Tell a test alert, and what came of it."""
    from actions.gate import as_error, refusal
    from actions.watching.watch import try_ways

    reason = refusal(cli.session)
    if reason is not None and cli.session.config.findings:
        raise as_error(reason)
    ends = list(try_ways(cli.session))
    if not ends:
        raise UsageError(
            "watch.no-way",
            "neither a command nor a webhook is set",
            "Set command or webhook under [watch] in the config",
        )
    bad = any(end.problem is not None for end in ends)
    code = ExitCode.FAILED if bad else ExitCode.DONE
    if cli.as_json:
        rows = [
            {
                "way": end.way,
                "ok": end.problem is None,
                "title": "told" if end.problem is None else end.problem.title,
                "hint": "" if end.problem is None else end.problem.hint,
            }
            for end in ends
        ]
        return emit({"ways": rows, "event": ends[0].data}, code)
    for end in ends:
        if end.problem is None:
            write(f"told the {end.way}")
        else:
            say(f"gpuconsole: {end.problem.title}")
            if end.problem.hint:
                say(f"  {end.problem.hint}")
    return int(code)


def _watch(cli: Cli) -> int:
    from actions.watching.stop import Stop
    from actions.watching.watch import Told, Watch

    session = cli.session
    stop = Stop()
    ended_by: list[int] = []
    voice = _Voice(cli, stop)

    def end(number: int, _frame: FrameType | None) -> None:
        ended_by.append(number)
        stop.set()

    def hung_up(number: int, frame: FrameType | None) -> None:
        # A service has no terminal that could be gone: there it is a word to look at the config,
        # which is looked at anyway.
        if _has_terminal():
            end(number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, hung_up)
    log_when_needed(lambda: session.places)
    if session.rehearsal and not cli.as_json:
        say(f"REHEARSAL ({session.rehearsal})")

    def told(one: Told) -> None:
        voice.tell(one.event, one.text, one.severity, one.data)

    Watch(session, told, idle=voice.listen).run(stop)
    interrupted = signal.SIGINT in ended_by
    voice.end(interrupted)
    return ExitCode.INTERRUPTED if interrupted else ExitCode.DONE


class _Voice:
    """Says what happens on stdout, a line each; one that nobody can hear is no reason to end.

    Unless somebody listened by a pipe and went: `watch | head` ends.
    """

    def __init__(self, cli: Cli, stop: "Stop") -> None:
        self._as_json = cli.as_json
        self._clock = cli.session.clock
        self._stop = stop
        self._deaf = False
        self._service = bool({"INVOCATION_ID", "JOURNAL_STREAM"} & cli.session.environ.keys())

    def tell(self, event: str, text: str, severity: str, data: dict[str, Any]) -> None:
        """Say one thing; any thread, one at a time."""
        if self._deaf or (self._as_json and event == "stopped"):
            return
        now = self._clock.now()
        try:
            if self._as_json:
                facts = {"event": event, "at": iso_time(now), "severity": severity, "title": text}
                emit_line({**data, **facts})
            else:
                write(f"{now.astimezone():%Y-%m-%d %H:%M:%S}  {severity:<7}  {text}")
        except ReaderGone:
            self._hear_no_more()
            if not self._service:
                self._stop.set()
        except OutputError as error:
            self._hear_no_more()
            say(f"gpuconsole: stdout cannot be written ({error}); watching goes on without")

    def listen(self) -> None:
        """End where whoever read our pipe is gone; said here because we may be silent for days."""
        if not (self._deaf or self._service) and reader_is_gone():
            self._hear_no_more()
            self._stop.set()

    def end(self, interrupted: bool) -> None:
        """Say the last word of a stream."""
        if not self._as_json or self._deaf:
            return
        outcome = "interrupted" if interrupted else "stopped"
        try:
            if interrupted:
                from console.errors import InterruptedByUser

                error = InterruptedByUser("interrupted", "interrupted")
                emit_line({"event": "failed", "outcome": outcome}, error=error)
            else:
                emit_line({"event": "done", "outcome": outcome})
        except (ReaderGone, OutputError):
            self._hear_no_more()

    def _hear_no_more(self) -> None:
        self._deaf = True
        abandon()


def _has_terminal() -> bool:
    """Tell whether we were started from a terminal, be it gone by now."""
    try:
        number = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return any(_was_terminal(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))
    os.close(number)
    return True


def _was_terminal(stream: Any) -> bool:
    """Tell whether a stream leads to a terminal, which after a hang-up only its name tells."""
    try:
        leads_to = str(Path(f"/proc/self/fd/{stream.fileno()}").readlink())
    except (AttributeError, OSError, ValueError):
        return False
    return leads_to.startswith(("/dev/pts/", "/dev/tty"))
