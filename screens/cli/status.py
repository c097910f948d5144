"""`gpuconsole status`: the host now, as text, as JSON, as one line, or again and again."""

import contextlib
import gc
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.status import read_status, status_error, status_exit_code
from actions.status_data import status_data
from console.errors import ExitCode, InterruptedByUser
from screens.cli.context import Cli
from screens.cli.output import ReaderGone, abandon, emit, emit_line, say, write
from screens.cli.status_text import status_line, status_text

if TYPE_CHECKING:
    from actions.live import LiveHost

HOME_AND_CLEAR = "\x1b[H\x1b[J"


def _number(_context: click.Context, parameter: click.Parameter, value: float) -> float:
    if math.isnan(value):  # it lies outside of no range
        raise click.BadParameter("nan is not a number of seconds", param=parameter)
    return value


@click.command(
    epilog="Exit codes: 0 all is well or only warnings, 5 something is wrong, 4 neither a card "
    "nor the engine can be reached."
)
@click.option("--line", "as_line", is_flag=True, help="One short line, for a tmux status bar.")
@click.option("--check", is_flag=True, help="Only the verdict and the exit code, for scripts.")
@click.option("--watch", is_flag=True, help="Stay and show it again and again until Ctrl-C.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.5, max=86_400),
    callback=_number,
    default=2.0,
    show_default=True,
    help="Seconds between two looks of --watch.",
)
@click.option("--count", type=click.IntRange(min=1), help="End --watch after so many looks.")
@click.pass_obj
def status(
    cli: Cli,
    as_line: bool,
    check: bool,
    watch: bool,
    interval: float,
    count: int | None,
) -> int:
    """Show every card's VRAM, every container, and what is wrong."""
    session = cli.session
    view: Callable[[HostSnapshot], str] = status_text
    if check:
        view = _verdict
    elif as_line:
        view = status_line
    if watch:
        return _watch(session, view, cli.as_json, interval, count)
    with _uncollected():
        snapshot = read_status(session)
    code = status_exit_code(snapshot)
    # A script that reads only the exit code may have closed stdout; that changes no fact.
    with contextlib.suppress(ReaderGone):
        if cli.as_json:
            return emit(status_data(snapshot), code, status_error(snapshot))
        write(_marked(session, view(snapshot)))
        return code
    abandon()
    return code


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Let garbage lie for one look: collecting it while modules load is a tenth of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _verdict(snapshot: HostSnapshot) -> str:
    return f"{snapshot.verdict.severity}: {snapshot.verdict.text}"


def _marked(session: Session, text: str) -> str:
    return f"REHEARSAL ({session.rehearsal})  {text}" if session.rehearsal else text


def _watch(
    session: Session,
    view: Callable[[HostSnapshot], str],
    as_json: bool,
    interval: float,
    count: int | None,
) -> int:
    """Look again and again over one set of connections; Ctrl-C ends it with 130."""
    from actions.live import LiveHost  # its samplers are not for one look

    live = LiveHost(session)
    live.start()
    code = ExitCode.DONE
    looks = 0
    try:
        _settle(live)
        while count is None or looks < count:
            if looks:
                time.sleep(interval)
            snapshot = live.snapshot()
            code = status_exit_code(snapshot)
            _show(session, snapshot, view, as_json)
            looks += 1
    except KeyboardInterrupt:
        stopped = InterruptedByUser("interrupted", "interrupted")
        if as_json:
            emit_line({"event": "failed"}, error=stopped)
        else:
            say()
        return ExitCode.INTERRUPTED
    finally:
        live.stop()
    if as_json:
        emit_line({"event": "done"}, code)
    return code


def _settle(live: "LiveHost", seconds: float = 3.0) -> None:
    """Wait until driver, engine and services have answered, or not much longer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        snapshot = live.snapshot()
        gpu_heard = snapshot.gpu.taken_monotonic is not None or snapshot.gpu.problem is not None
        engine_heard = snapshot.engine.state != "connecting" and _inspected(snapshot)
        if gpu_heard and engine_heard and all(map(_was_asked, snapshot.services)):
            return
        time.sleep(0.05)


def _inspected(snapshot: HostSnapshot) -> bool:
    return all(isinstance(item.restart_count, int) for item in snapshot.engine.containers)


def _was_asked(status: ServiceStatus) -> bool:
    """Tell whether a service has been asked, or is one that nobody would ask."""
    asks = status.service.url and (status.container_state in {"running", ""})
    return not asks or status.reading is not None or status.state == "absent"


def _show(
    session: Session, snapshot: HostSnapshot, view: Callable[[HostSnapshot], str], as_json: bool
) -> None:
    if as_json:
        data = {"event": "status", **status_data(snapshot)}
        emit_line(data, status_exit_code(snapshot), status_error(snapshot))
        return
    page = view is status_text and sys.stdout.isatty()
    write((HOME_AND_CLEAR if page else "") + _marked(session, view(snapshot)))
