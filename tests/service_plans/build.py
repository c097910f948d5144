"""Hand-made services, readings and looks at a host, for drafts of plans."""

from typing import Any

from actions.containers.facts import ContainerFacts, facts_of
from actions.fit.model import Fit, WayOut
from actions.service_verbs.around import Around
from actions.services.snapshot import Evidence, Service, ServiceStatus
from console.services.reading import Job, Reading
from tests.support.snapshots import (
    changed,
    container,
    engine_snapshot,
    gpu,
    gpu_snapshot,
    host,
    ident,
)

GIB = 1024**3
CARD = gpu(1, "NVIDIA GeForce RTX 3090")
SMALL = gpu(0, "NVIDIA GeForce RTX 3080 Laptop GPU", total=16, used=6)


def reading(**changes: Any) -> Reading:
    """Make what an idle ComfyUI says."""
    values: dict[str, Any] = {
        "answer": "ready",
        "problem": None,
        "queue_running": 0,
        "queue_pending": 0,
        "vram_own_bytes": 12 * GIB,
    }
    return Reading(**(values | changes))


def at_work(pending: int = 2) -> Reading:
    """Make what a ComfyUI says that is four minutes into an edit."""
    job = Job(what="edit", ident="a1", percent=62.0, running_seconds=250.0)
    return reading(queue_running=1, queue_pending=pending, job=job)


def status(state: str = "ready", *, kind: str = "comfyui", **changes: Any) -> ServiceStatus:
    """Make a service on the 3090, and its container `comfyui-qwen`."""
    service = Service(
        name="qwen", kind=kind, container="comfyui-qwen", url="http://127.0.0.1:8188", gpu="3090"
    )
    values: dict[str, Any] = {
        "service": service,
        "container_id": ident("comfyui-qwen"),
        "state": state,
        "activity": state if state in {"ready", "busy"} else "",
        "evidence": (Evidence(source="service", text="seen"),),
        "reading": reading() if state in {"ready", "busy"} else None,
        "gpu_uuid": CARD.uuid,
        "gpu_source": "observed",
        "gpu_expected_uuid": CARD.uuid,
        "vram_used_bytes": 12 * GIB,
        "vram_used_source": "service",
    }
    return ServiceStatus(**(values | changes))


def facts(state: str = "running", **changes: Any) -> ContainerFacts:
    """Make the facts of the service's container, as inspected."""
    inspected = {
        "Id": ident("comfyui-qwen"),
        "Name": "/comfyui-qwen",
        "State": {"Status": state, "StartedAt": "s", "FinishedAt": "f", "ExitCode": 0},
        "Config": {"Image": "comfyui"},
        "HostConfig": changes,
    }
    return facts_of(inspected)


def around(*statuses: ServiceStatus, of: ContainerFacts | None = None) -> Around:
    """Make a look at a host with both cards."""
    engine = engine_snapshot(container("comfyui-qwen"))
    snapshot = host(gpu_snapshot(SMALL, CARD), engine)
    return Around(
        snapshot=changed(snapshot, services=statuses),
        facts={of.id: of} if of is not None else {},
    )


def fit(verdict: Any, **changes: Any) -> Fit:
    """Make a pre-check on the 3090 that needs 21 GiB."""
    values: dict[str, Any] = {
        "variant": "qwen-edit-2509-fp8",
        "service": "qwen",
        "gpu_uuid": CARD.uuid,
        "gpu_name": "NVIDIA GeForce RTX 3090",
        "verdict": verdict,
        "reason": f"21 GiB of 24 GiB: {verdict}",
        "need_bytes": 21 * GIB,
        "expected_use_bytes": 20 * GIB,
        "available_bytes": 23 * GIB,
    }
    return Fit(**(values | changes))


WAY = WayOut(
    kind="stop",
    title="stop myia-turbo first",
    verdict="resident",
    command="gpuconsole stop myia-turbo",
    target="myia-turbo",
)
