"""A studio with services: containers as compose makes them, looks at their APIs, statuses."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from actions.assignment import assign
from actions.declared import GpuOrder
from actions.services.find import services_of
from actions.services.memory import ServiceMemory
from actions.services.snapshot import ServiceStatus
from actions.services.status import Look, statuses
from actions.services.targets import started_at
from actions.snapshot import Alert, HostSnapshot
from console.config.load import load_text
from console.config.schema import Settings
from console.engine.snapshot import (
    Compose,
    Container,
    DeviceRequest,
    EngineSnapshot,
    GpuDeclaration,
)
from console.gpu.snapshot import Gpu
from console.models.catalog import packaged_catalog
from console.services.reading import Device, Job, Reading, StartLog
from console.unknown import Unknown
from tests.actions.build import make_3090, make_container, make_gpu
from tests.support.snapshots import GIB, NOW, engine_snapshot, ident, port

MONOTONIC = 10_000.0
FORGE_IMAGE = "ghcr.io/ai-dock/stable-diffusion-webui-forge:latest-cuda"
ALL = DeviceRequest(driver="nvidia", count=-1, device_ids=(), capabilities=("gpu",))
REFUSED = Unknown("web.refused", "nothing listens at http://127.0.0.1:8188", "see its log")
TIMEOUT = Unknown("web.timeout", "http://127.0.0.1:8188 did not answer within 2 s", "see its log")
FRONT = Unknown("web.front-only", "a front answers with 502, the service behind it does not")
LOGIN = Unknown("web.needs-auth", "http://127.0.0.1:7860 wants a login", "set auth for it")
HTML = Unknown("web.html", "http://127.0.0.1:8188 answers with a web page, not with data")


def request(*devices: str) -> DeviceRequest:
    """Make a reservation of devices, as compose's `device_ids` does."""
    return DeviceRequest(driver="nvidia", count=0, device_ids=devices, capabilities=("gpu",))


def settings(text: str) -> Settings:
    """Read a config; it must be without a mistake."""
    loaded = load_text(Path("/etc/gpuconsole.toml"), text)
    assert loaded.findings == ()
    return loaded.settings


def forge(name: str = "myia", args: str = "--gpu-device-id 0 --api", **changes: Any) -> Container:
    """Make a Forge of the ai-dock image, made by compose, its front at 7860."""
    order = changes.pop("order", "")
    environment = [("FORGE_ARGS", args)]
    if order:
        environment.insert(0, ("CUDA_DEVICE_ORDER", order))
    devices = changes.pop("devices", None)
    declaration = GpuDeclaration(
        requests=(request(*devices) if devices else ALL,),
        environment=tuple(environment),
        arguments=("init.sh",),
    )
    return make_container(
        name,
        **{
            "image": FORGE_IMAGE,
            "gpu": declaration,
            "ports": (port(7860, 7860), port(1111, 1111)),
            "compose": made_by("sd", name.replace("myia", "forge")),
            **changes,
        },
    )


def comfyui(name: str = "comfyui-qwen", *flags: str, **changes: Any) -> Container:
    """Make a ComfyUI that compose made, published at 8188."""
    command = ("python", "main.py", "--listen", "0.0.0.0", "--port", "8188", *flags)
    declaration = GpuDeclaration(requests=(ALL,), arguments=command)
    return make_container(
        name,
        **{
            "image": "comfyui-qwen:local",
            "gpu": declaration,
            "ports": (port(8188, 8188),),
            "compose": made_by("comfyui", "comfyui"),
            **changes,
        },
    )


def made_by(project: str, service: str) -> Compose:
    """Make the labels of compose, its file in the project's folder."""
    return Compose(
        project=project,
        service=service,
        working_dir=f"/srv/{project}",
        config_files=(f"/srv/{project}/docker-compose.yml",),
    )


def ready(**changes: Any) -> Reading:
    """Make a look at an API that answers as it should."""
    return seen("ready", None, detail="GET /system_stats: 200", **changes)


def busy(percent: float = 15.0, waiting: int = 2, **changes: Any) -> Reading:
    """Make a look at a service in the middle of a job."""
    job = Job(what="edit", step=3, steps=20, percent=percent, running_seconds=61.0)
    return ready(job=job, queue_running=1, queue_pending=waiting, **changes)


def seen(answer: str, problem: Unknown | None, age: float = 0.5, **changes: Any) -> Reading:
    """Make a look at an API, `age` seconds ago."""
    return Reading(
        answer=answer,
        problem=problem,
        taken_monotonic=MONOTONIC - age,
        took_seconds=0.01,
        **changes,
    )


def device(name: str, total: float | None = None, source: str = "service") -> Device:
    """Make the card as a service names it; its VRAM in GiB."""
    values: dict[str, Any] = {"name": name, "ordinal": 0, "source": source}
    if total is not None:
        values["total_bytes"] = int(total * GIB)
    return Device(**values)


def start_log(container: Container, **changes: Any) -> StartLog:
    """Make what a container's log of its present run says."""
    return StartLog(container_id=container.id, started_at=started_at(container), **changes)


class Studio:
    """The two cards of the studio and some containers, looked at again and again."""

    def __init__(
        self,
        *containers: Container,
        config: str = "",
        gpus: tuple[Gpu, ...] | None = None,
        wsl: bool | None = True,
        **engine: Any,
    ) -> None:
        self.settings = settings(config)
        self.gpus = gpus if gpus is not None else (make_gpu(), make_3090())
        self.wsl = wsl
        self.engine: EngineSnapshot = engine_snapshot(*containers, **engine)
        self.memory = ServiceMemory()

    def look(
        self,
        readings: dict[str, Reading] | None = None,
        logs: tuple[StartLog, ...] = (),
        now: datetime = NOW,
    ) -> dict[str, ServiceStatus]:
        """Give the services' statuses by name."""
        return {one.name: one for one in self.all(readings, logs, now)}

    def all(
        self,
        readings: dict[str, Reading] | None = None,
        logs: tuple[StartLog, ...] = (),
        now: datetime = NOW,
    ) -> tuple[ServiceStatus, ...]:
        """Give the services' statuses in order."""
        containers = self.engine.containers
        look = Look(
            engine=self.engine,
            order=GpuOrder(self.gpus),
            claims=assign(containers, self.gpus, self.wsl),
            readings=readings or {},
            start_logs={log.container_id: log for log in logs},
            wsl=self.wsl,
            now=now,
            monotonic=MONOTONIC + (now - NOW).total_seconds(),
            catalog=packaged_catalog(),
        )
        return statuses(services_of(self.settings, containers), look, self.memory)


def one_status(
    container: Container, reading: Reading | None = None, config: str = "", **changes: Any
) -> ServiceStatus:
    """Give the status of the one service there is."""
    (status,) = Studio(container, config=config, **changes).all(
        {container.name: reading} if reading is not None else {}
    )
    return status


def evidence(status: ServiceStatus) -> str:
    """Give all that speaks for a state, as one text."""
    return " | ".join(f"{one.source}: {one.text}" for one in status.evidence)


__all__ = [
    "GIB", "MONOTONIC", "NOW", "Alert", "HostSnapshot", "Studio", "busy", "comfyui", "device",
    "evidence", "forge", "ident", "made_by", "one_status", "port", "ready", "request", "seen",
    "settings", "start_log", "timedelta",
]  # fmt: skip
