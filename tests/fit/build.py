"""Services and hosts for tests of the pre-check, in GiB and in words."""

from datetime import timedelta
from typing import Any

from actions.services.snapshot import Evidence, Service, ServiceStatus
from actions.session import Session, open_session
from actions.snapshot import HostSnapshot
from console.gpu.snapshot import Gpu
from console.services.reading import Job, Reading
from console.unknown import Unknown
from tests.support import snapshots

GIB = 1024**3
MIB = 1024**2
SMALL = snapshots.gpu(
    0, "NVIDIA GeForce RTX 3080 Ti Laptop GPU", total=16, used=0.25, memory_free_bytes=15 * GIB
)
BIG = snapshots.gpu(1, "NVIDIA GeForce RTX 3090", total=24, used=0)
NOBODY_TELLS = Unknown("vram.unattributed", "nobody tells")


def card(total: float, used: float = 0.0, kept: float = 0.0, **changes: Any) -> Gpu:
    """Make an RTX 3090-like card of a size; `kept` is what the driver keeps for itself."""
    values = {"memory_free_bytes": int((total - used - kept) * GIB), **changes}
    return snapshots.gpu(1, "NVIDIA GeForce RTX 3090", total=total, used=used, **values)


def service(
    name: str,
    kind: str = "forge",
    *,
    on: Gpu | None = None,
    state: str = "ready",
    budget: float | None = None,
    used: float | Unknown = 0.0,
    idle_minutes: float = 120,
    **changes: Any,
) -> ServiceStatus:
    """Make a service's status; sizes in GiB; `changes` are of the status or of the service."""
    whose = {key: changes.pop(key) for key in ("variant", "gpu", "source") if key in changes}
    up = state not in {"absent", "stopped", "created", "crash-looping"}
    uuid = on.uuid if on is not None else None
    budget_bytes = None if budget is None else int(budget * GIB)
    values: dict[str, Any] = {
        "service": Service(name=name, kind=kind, vram_budget=budget_bytes, **whose),
        "container_id": snapshots.ident(name),
        "state": state,
        "activity": state if state in {"ready", "busy"} else "",
        "since": snapshots.NOW - timedelta(minutes=idle_minutes),
        "evidence": (Evidence(source="service", text="GET / 200"),),
        "gpu_uuid": uuid if up else Unknown("gpu.not-running", "it does not run"),
        "gpu_source": "observed",
        "gpu_expected_uuid": uuid,
        "vram_used_bytes": used if isinstance(used, Unknown) else int(used * GIB),
        "vram_used_source": "" if isinstance(used, Unknown) else "driver",
    }
    if budget_bytes is not None:
        values |= {"vram_budget_bytes": budget_bytes, "vram_budget_source": "config"}
    if state == "busy":
        values["reading"] = Reading(answer="ready", queue_running=1, job=Job(what="edit"))
    return ServiceStatus(**{**values, **changes})


def host(*cards: Gpu, services: tuple[ServiceStatus, ...] = (), **changes: Any) -> HostSnapshot:
    """Make a host with cards and services; `ram` and `ram_free` are in GiB."""
    ram, free = changes.pop("ram", 64), changes.pop("ram_free", 41)
    values: dict[str, Any] = {
        "gpus": snapshots.gpu_snapshot(*cards),
        "services": services,
        "host": snapshots.facts(
            memory_total_bytes=int(ram * GIB), memory_available_bytes=int(free * GIB)
        ),
    }
    return snapshots.host(**{**values, **changes})


def session(tmp_path: Any, config: str = "", catalog: str | None = None) -> Session:
    """Open a session with a config of its own."""
    folder = tmp_path / "config" / "gpuconsole"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(config, encoding="utf-8")
    environ = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    return open_session(environ, catalog=catalog)
