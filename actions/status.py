"""`status`: the host at one moment, and the exit code that tells of it."""

import threading
from collections.abc import Callable
from typing import TypeVar

from actions.alerts import AlertBook
from actions.merge import Merger
from actions.notes import standing_notes
from actions.paths import paths_that_matter
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.engine.snapshot import EngineSnapshot
from console.errors import ExitCode, UnreachableError
from console.gpu.snapshot import GpuSnapshot
from console.host.facts import read_facts
from console.unknown import Unknown

T = TypeVar("T")
D = TypeVar("D")

PATIENCE = 4.0
NO_ANSWER = Unknown("host.no-answer", "it did not answer in time", "look again; something hangs")


def read_status(session: Session) -> HostSnapshot:
    """Read driver, engine and host once, side by side; a source that fails leaves the others.

    The driver and a dead mount may hang for good, so both are given up after `PATIENCE` seconds;
    the engine door keeps its own time limits.
    """
    gpu = _begin(lambda: _read_gpus(session))
    host = _begin(lambda: read_facts(session.root, paths_that_matter(session)))
    engine = _read_engine(session)
    merger = Merger(session.clock, AlertBook(standing_notes(session)))
    return merger.merge(gpu(GpuSnapshot(problem=NO_ANSWER)), engine, host(NO_ANSWER), usage={})


def _begin(read: Callable[[], T]) -> Callable[[D], T | D]:
    """Read in a daemon thread; the returned function waits for it, or gives its default."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(read()), daemon=True)
    thread.start()

    def result(default: D) -> T | D:
        thread.join(PATIENCE)
        return found[0] if found else default

    return result


def _read_gpus(session: Session) -> GpuSnapshot:
    from console.gpu.once import read_once

    return read_once(session.clock, session.environ)


def _read_engine(session: Session) -> EngineSnapshot:
    from console.engine.reader import read_once

    return read_once(session.endpoint, session.clock)


def status_error(snapshot: HostSnapshot) -> UnreachableError | None:
    """Give the error of a host where neither a card nor the engine can be reached, else None."""
    if status_exit_code(snapshot) is not ExitCode.UNREACHABLE:
        return None
    titles = "; ".join(why.title for _, why in snapshot.unavailable)
    hints = " ".join(why.hint for _, why in snapshot.unavailable if why.hint)
    return UnreachableError(
        "host.unreachable",
        "neither a card nor an engine can be reached",
        f"{hints} `gpuconsole demo` shows the program on a rehearsal host.".strip(),
        titles,
    )


def status_exit_code(snapshot: HostSnapshot) -> ExitCode:
    """Give 4 with neither card nor engine, 5 with an alert of severity error, else 0."""
    cards = any(gpu.lost is None for gpu in snapshot.gpu.gpus)
    if not cards and snapshot.engine.state != "connected":
        return ExitCode.UNREACHABLE
    if any(alert.severity == "error" for alert in snapshot.alerts):
        return ExitCode.FINDINGS
    return ExitCode.DONE
