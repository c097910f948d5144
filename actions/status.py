"""`status`: the host at one moment, and the same as the JSON contract."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from actions.alerts import AlertBook
from actions.container_alerts import exit_meaning
from actions.merge import Merger
from actions.notes import standing_notes
from actions.paths import paths_that_matter
from actions.session import Session
from actions.snapshot import Alert, Claim, HostSnapshot
from console.engine.snapshot import Container, EngineSnapshot
from console.errors import ExitCode, UnreachableError
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.host.facts import read_facts
from console.host.snapshot import HostFacts
from console.unknown import Unknown, iso_time, plain, plain_value

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
    if not snapshot.gpu.gpus and snapshot.engine.state != "connected":
        return ExitCode.UNREACHABLE
    if any(alert.severity == "error" for alert in snapshot.alerts):
        return ExitCode.FINDINGS
    return ExitCode.DONE


def status_data(snapshot: HostSnapshot) -> dict[str, Any]:
    """Give `data` of `status --json`: sizes in bytes, times ISO 8601 UTC, unknown is null."""
    engine = snapshot.engine
    return {
        "taken_at": iso_time(snapshot.taken_at),
        "verdict": {"severity": snapshot.verdict.severity, "text": snapshot.verdict.text},
        "gpus": [_gpu(gpu, snapshot) for gpu in snapshot.gpu.gpus],
        "containers": [_container(item, snapshot) for item in engine.containers],
        "engine": _engine(engine),
        "driver": _or_null(snapshot.gpu.driver),
        "host": _or_null(snapshot.host),
        "alerts": [_alert(alert) for alert in snapshot.alerts],
        "unavailable": [
            {"source": source, "code": why.code, "title": why.title, "hint": why.hint}
            for source, why in snapshot.unavailable
        ],
    }


def _or_null(value: HostFacts | Unknown | Any) -> dict[str, Any] | None:
    return None if isinstance(value, Unknown) else plain(value)


def _gpu(gpu: Gpu, snapshot: HostSnapshot) -> dict[str, Any]:
    data = plain(gpu)
    lost = data.pop("lost")
    data["age_seconds"] = snapshot.gpus_age_seconds and round(snapshot.gpus_age_seconds, 3)
    data["stale"] = snapshot.gpus_stale
    data["state"] = "lost" if lost else "ok"
    names = {item.id: item.name for item in snapshot.engine.containers}
    for process in data["processes"] or ():
        container_id = process.pop("container_id")
        process["container"] = names.get(container_id, container_id) if container_id else None
    unavailable = data.pop("unavailable", [])
    if lost:
        unavailable = [{"field": "state", **lost}, *unavailable]
    data["unavailable"] = unavailable
    return data


def _container(container: Container, snapshot: HostSnapshot) -> dict[str, Any]:
    claim = snapshot.claims.get(container.id)
    asked = container.id in snapshot.engine.asked_to_stop
    data = plain(container)
    for internal in ("gpu", "labels", "revision"):
        data.pop(internal, None)
    data["exit_meaning"] = exit_meaning(container, asked)
    data.update(_claim(claim))
    if container.compose is not None:
        data["compose"] = {
            "project": container.compose.project,
            "service": container.compose.service,
        }
    data.setdefault("unavailable", [])
    return data


def _claim(claim: Claim | None) -> dict[str, Any]:
    if claim is None:
        return {"gpu_uuids": [], "gpu_source": "unknown", "gpu_chain": []}
    return {
        "gpu_uuids": list(claim.gpu_uuids),
        "gpu_source": claim.source,
        "gpu_chain": [plain(step) for step in claim.chain],
    }


def _engine(engine: EngineSnapshot) -> dict[str, Any]:
    data = plain(engine)
    for elsewhere in ("containers", "events", "asked_to_stop", "heard_monotonic", "taken_at"):
        data.pop(elsewhere, None)
    data["problem"] = plain_value(engine.problem) if engine.problem is not None else None
    data.setdefault("unavailable", [])
    return data


def _alert(alert: Alert) -> dict[str, Any]:
    return plain(alert)
