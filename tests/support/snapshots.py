"""Hand-made pictures of hosts for tests of views: cards, containers, claims, alerts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from actions.services.snapshot import Evidence, Service, ServiceStatus
from actions.snapshot import Alert, ChainStep, Claim, HostSnapshot, Verdict
from console.engine.snapshot import (
    Compose,
    Container,
    ContainerUsage,
    EngineEvent,
    EngineSnapshot,
    Port,
)
from console.gpu.snapshot import Gpu, GpuDriver, GpuProcess, GpuSnapshot
from console.host.snapshot import Disk, HostFacts
from console.services.reading import Device, Reading
from console.unknown import Unknown

NOW = datetime(2026, 11, 22, 22, 41, 7, tzinfo=UTC)
GIB = 1024**3
NOT_SUPPORTED = Unknown("nvml.not-supported", "not supported by this card's driver")
NO_DRIVER = Unknown(
    "nvml.driver-not-loaded",
    "The NVIDIA driver is not loaded",
    "load it with `modprobe nvidia`; on WSL install the driver on Windows, then `wsl --shutdown`",
)
NO_ENGINE = Unknown(
    "engine.absent",
    "Nothing listens at /var/run/docker.sock",
    "start the engine: `sudo systemctl start docker`, or set DOCKER_HOST",
)


def ident(name: str) -> str:
    """Give a 64-digit id that is the same for the same name."""
    return (name.encode().hex() * 64)[:64]


def gpu(
    index: int = 0,
    name: str = "NVIDIA GeForce RTX 3090",
    total: float = 24,
    used: float = 8,
    **changes: Any,
) -> Gpu:
    """Make a healthy card; sizes in GiB, everything else by field name."""
    values: dict[str, Any] = {
        "uuid": f"GPU-{index:08d}-aaaa-bbbb-cccc-000000000000",
        "index": index,
        "cuda_ordinal": index,
        "pci_bus_id": f"00000000:{index + 1:02X}:00.0",
        "name": name,
        "compute_capability": "8.6",
        "memory_total_bytes": int(total * GIB),
        "memory_used_bytes": int(used * GIB),
        "memory_free_bytes": int((total - used) * GIB),
        "utilization_percent": 37,
        "memory_utilization_percent": 20,
        "temperature_celsius": 58,
        "power_watts": 142.0,
        "power_limit_watts": 350.0,
        "clock_graphics_mhz": 1_700,
        "clock_memory_mhz": 9_501,
        "fan_percent": 40,
        "throttle_reasons": (),
        "pcie_generation": 4,
        "pcie_width": 16,
        "ecc_mode": NOT_SUPPORTED,
        "ecc_errors": NOT_SUPPORTED,
        "performance_state": "P2",
        "processes": (),
    }
    return Gpu(**{**values, **changes})


def process(name: str, used: float | None, container: str | None, pid: int = 4_242) -> GpuProcess:
    """Make a process on a card; `used` in GiB or None for what WSL says, `container` by name."""
    return GpuProcess(
        pid=pid,
        name=name,
        used_bytes=int(used * GIB) if used is not None else NOT_SUPPORTED,
        kind="compute",
        container_id=ident(container) if container else None,
    )


def container(name: str, state: str = "running", **changes: Any) -> Container:
    """Make an inspected container that started three hours ago."""
    ended = state in {"exited", "dead"}
    values: dict[str, Any] = {
        "id": ident(name),
        "name": name,
        "image": "busybox:test",
        "state": state,
        "status": "Up 3 hours" if state == "running" else state,
        "created_at": NOW - timedelta(days=5),
        "ports": (),
        "compose": None,
        "health": "none",
        "exit_code": 0 if ended else None,
        "error": "",
        "oom_killed": False,
        "restart_count": 0,
        "restart_policy": "unless-stopped",
        "started_at": NOW - timedelta(hours=3),
        "finished_at": NOW - timedelta(hours=2) if ended else None,
        "stop_timeout": None,
        "pid": None if ended else 4_242,
    }
    return Container(**{**values, **changes})


def port(inside: int, outside: int | None = None) -> Port:
    """Make a TCP port, published on all addresses if `outside` is given."""
    return Port(
        container_port=inside,
        protocol="tcp",
        host_ip="0.0.0.0" if outside else None,
        host_port=outside,
    )


def declared(*cards: Gpu, setting: str = "--cuda-device", value: str = "0") -> Claim:
    """Make a claim that rests on settings alone."""
    step = ChainStep(
        setting=setting, value=value, effect="sets CUDA_VISIBLE_DEVICES, a CUDA ordinal"
    )
    return Claim(
        gpu_uuids=tuple(card.uuid for card in cards),
        source="declared",
        uses_gpu=True,
        chain=(step,),
    )


def by_process(*cards: Gpu, used: float = 5.6) -> Claim:
    """Make a claim that the driver proves."""
    return Claim(
        gpu_uuids=tuple(card.uuid for card in cards),
        source="processes",
        uses_gpu=True,
        used_bytes=int(used * GIB),
    )


NO_GPU = Claim(gpu_uuids=(), source="unknown", uses_gpu=False)


def usage(cpu: float, memory_gib: float) -> ContainerUsage:
    """Make a container's CPU and memory figures."""
    return ContainerUsage(
        cpu_percent=cpu,
        memory_bytes=int(memory_gib * GIB),
        memory_limit_bytes=Unknown("engine.no-limit", "no limit of its own"),
        taken_monotonic=1_000.0,
    )


def alert(
    kind: str, severity: str, subject: str, title: str, minutes: float = 27, **changes: Any
) -> Alert:
    """Make an alert that began `minutes` before NOW."""
    return Alert(
        id=kind,
        severity=severity,
        subject=subject,
        title=title,
        since=NOW - timedelta(minutes=minutes),
        **changes,
    )


def event(name: str, action: str, minutes: float = 1, exit_code: int | None = None) -> EngineEvent:
    """Make an engine event of a container that happened `minutes` before NOW."""
    return EngineEvent(
        at=NOW - timedelta(minutes=minutes),
        container_id=ident(name),
        container_name=name,
        action=action,
        exit_code=exit_code,
    )


def facts(**changes: Any) -> HostFacts:
    """Make the facts of a WSL2 host."""
    values: dict[str, Any] = {
        "hostname": "studio-wsl",
        "platform": "wsl2",
        "wsl_version": "2.6.1",
        "distribution": "Debian GNU/Linux 12",
        "kernel": "6.6.87.2-microsoft-standard-WSL2",
        "cpu_model": "AMD Ryzen 9 5900HX",
        "cpu_count": 16,
        "memory_total_bytes": 64 * GIB,
        "memory_available_bytes": 41 * GIB,
        "swap_total_bytes": 16 * GIB,
        "swap_free_bytes": 16 * GIB,
        "uptime_seconds": 86_400.0,
        "disks": (
            Disk(
                path="/",
                purpose="root",
                total_bytes=1_000 * GIB,
                free_bytes=412 * GIB,
                read_only=False,
            ),
        ),
    }
    return HostFacts(**{**values, **changes})


def gpu_snapshot(*cards: Gpu, **changes: Any) -> GpuSnapshot:
    """Make a fresh reading of cards."""
    values: dict[str, Any] = {
        "gpus": cards,
        "driver": GpuDriver(
            version="580.97",
            nvml_version="13.580.97",
            cuda_version="13.0",
            library="libnvidia-ml.so.1",
        ),
        "taken_at": NOW,
        "taken_monotonic": 1_000.0,
    }
    return GpuSnapshot(**{**values, **changes})


def engine_snapshot(*containers: Container, **changes: Any) -> EngineSnapshot:
    """Make a connected engine with its containers sorted by name."""
    values: dict[str, Any] = {
        "endpoint": "unix:///var/run/docker.sock",
        "endpoint_source": "default",
        "state": "connected",
        "version": "29.1",
        "api_version": "1.52",
        "containers": tuple(sorted(containers, key=lambda item: item.name)),
        "taken_at": NOW,
        "heard_monotonic": 1_000.0,
    }
    return EngineSnapshot(**{**values, **changes})


def host(
    gpus: GpuSnapshot | None = None,
    engine: EngineSnapshot | None = None,
    claims: dict[str, Claim] | None = None,
    alerts: tuple[Alert, ...] = (),
    **changes: Any,
) -> HostSnapshot:
    """Make a host; claims and usage are by container name."""
    engine = engine or engine_snapshot()
    worst = min(
        alerts, key=lambda item: ("error", "warning", "info").index(item.severity), default=None
    )
    verdict = (
        Verdict(severity=worst.severity, text=f"{worst.subject} {worst.title}", alert=worst)
        if worst is not None
        else Verdict(severity="ok", text=f"all is well: {len(engine.containers)} containers")
    )
    named = {ident(name): claim for name, claim in (claims or {}).items()}
    values: dict[str, Any] = {
        "taken_at": NOW,
        "gpu": gpus or gpu_snapshot(),
        "gpus_age_seconds": 0.4,
        "gpus_stale": False,
        "engine": engine,
        "host": facts(),
        "claims": {**{item.id: NO_GPU for item in engine.containers}, **named},
        "usage": {},
        "alerts": alerts,
        "verdict": verdict,
    }
    if "usage" in changes:
        changes["usage"] = {ident(name): value for name, value in changes["usage"].items()}
    return HostSnapshot(**{**values, **changes})


def changed(snapshot: HostSnapshot, **changes: Any) -> HostSnapshot:
    """Give a copy of a host with some fields replaced."""
    return msgspec.structs.replace(snapshot, **changes)


def compose_of(project: str, service: str) -> Compose:
    """Make the compose labels of a container."""
    return Compose(project=project, service=service)


def reading(**changes: Any) -> Reading:
    """Make what a ComfyUI says that answered well; `device` by name."""
    values: dict[str, Any] = {
        "answer": "ready",
        "detail": "GET /system_stats: 200",
        "problem": None,
        "version": "0.3.60",
        "queue_running": 0,
        "queue_pending": 0,
        "taken_monotonic": 1_000.0,
    }
    if isinstance(changes.get("device"), str):
        changes["device"] = Device(name=changes["device"], ordinal=0)
    return Reading(**{**values, **changes})


def service(
    name: str,
    state: str = "ready",
    kind: str = "comfyui",
    card: Gpu | None = None,
    used: float | None = None,
    budget: float | None = None,
    **changes: Any,
) -> ServiceStatus:
    """Make a service at a moment; sizes in GiB, the container is the one of that name.

    What belongs to the service itself (`url`, `variant`, `source`, ...) may stand among `changes`.
    """
    fields = set(Service.__struct_fields__)
    own = {key: changes.pop(key) for key in list(changes) if key in fields}
    alone = state == "absent"
    values: dict[str, Any] = {
        "service": Service(
            **{"name": name, "kind": kind, "container": name, "url_source": "config", **own}
        ),
        "container_id": "" if alone else ident(name),
        "container_state": "" if alone else "running",
        "state": state,
        "activity": state if state in {"ready", "busy"} else "",
        "since": NOW - timedelta(hours=2),
        "evidence": (Evidence(source="service", text="GET /system_stats: 200", at=NOW),),
        "gpu_uuid": card.uuid if card is not None else None,
        "gpu_expected_uuid": card.uuid if card is not None else None,
        "gpu_declared_uuid": card.uuid if card is not None else None,
        "gpu_source": "observed" if card is not None else "unknown",
    }
    if used is not None:
        values |= {"vram_used_bytes": int(used * GIB), "vram_used_source": "service"}
    if budget is not None:
        values |= {"vram_budget_bytes": int(budget * GIB), "vram_budget_source": "variant"}
    return ServiceStatus(**{**values, **changes})
