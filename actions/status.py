"""`status`: the host at one moment, and the exit code that tells of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

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

if TYPE_CHECKING:
    from actions.services.known import KnownServices
    from console.services.look import Look, Looked

T = TypeVar("T")
D = TypeVar("D")

PATIENCE = 4.0
SERVICE_PATIENCE = 2.0
NO_ANSWER = Unknown("host.no-answer", "it did not answer in time", "look again; something hangs")


def read_status(session: Session, engine_limit: float | None = None) -> HostSnapshot:
    """Read driver, engine, host and services once; a source that fails leaves the others.

    Driver, host and engine are read side by side, with the services that need no login and whose
    address is known; the others once the engine has told that they run. The driver and a dead mount
    may hang for good, so both are given up after `PATIENCE` seconds, a service after
    `SERVICE_PATIENCE`; the engine door keeps its own limits.

    Args:
        session: whose host.
        engine_limit: seconds for the engine, for who would rather wait for a slow one than do
            without it; None is what a screen waits.
    """
    gpu = _begin(lambda: _read_gpus(session))
    host = _begin(lambda: read_facts(session.root, paths_that_matter(session)))
    look = _ask_ahead(session)
    engine = _read_engine(session, engine_limit)
    known, looked = _look_at_services(session, engine, look)
    merger = Merger(session.clock, AlertBook(standing_notes(session)))
    return merger.merge(
        gpu(GpuSnapshot(problem=NO_ANSWER)),
        engine,
        host(NO_ANSWER),
        usage={},
        services=known,
        readings=looked.readings if looked is not None else None,
        start_logs=looked.start_logs if looked is not None else None,
    )


def _ask_ahead(session: Session) -> Look | None:
    """Ask the services whose address the config has, while the engine is asked for the rest.

    One whose container turns out not to run was asked in vain: what answered there is not it. So
    those that need a login wait for the engine's word: it goes to no stranger at their address.
    """
    if not any(one.url for one in session.settings.services.values()):
        return None
    from actions.services.find import services_of
    from actions.services.targets import targets_of
    from console.services.look import Look

    # First of all, so that the services think while the engine's library is imported. What cannot
    # be imported is told where it is used.
    with contextlib.suppress(ImportError):
        import console.web.transport  # noqa: F401
    look = Look(session.endpoint, session.environ, session.clock, SERVICE_PATIENCE)
    services = services_of(session.settings, ())
    found = targets_of(services, (), engine_known=False)
    look.ask([one for one in found if one.url and not one.scheme])
    return look


def _look_at_services(
    session: Session, engine: EngineSnapshot, look: Look | None
) -> tuple[KnownServices | None, Looked | None]:
    """Find the services and ask them, all at once; nothing is imported where there are none."""
    if not engine.containers and not session.settings.services:
        return None, None
    from actions.services.known import KnownServices

    known = KnownServices(session, once=True)
    targets = [one for one in known.targets(engine) if one.running]
    if not targets:
        return known, None
    if look is None:
        from console.services.look import Look

        look = Look(session.endpoint, session.environ, session.clock, SERVICE_PATIENCE)
    return known, look.finish(targets)


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


def _read_engine(session: Session, limit: float | None) -> EngineSnapshot:
    from console.engine.reader import read_once

    if limit is None:
        return read_once(session.endpoint, session.clock)
    return read_once(session.endpoint, session.clock, limit)


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
