"""Everything known about the host itself: platform, driver, engine, memory, disks."""

from collections.abc import Iterable
from typing import Any

from actions.snapshot import HostSnapshot
from console.host.snapshot import Disk
from console.units import format_bytes, format_duration
from console.unknown import Unknown, known
from screens.tui.details import formatted, head, pair
from screens.tui.paint import Line


def host_details(snapshot: HostSnapshot, _ident: str, width: int) -> list[Line]:
    """Give all about the host in lines of `width`."""
    lines: list[Line] = []
    for title, facts in (
        ("Host", _host(snapshot)),
        ("Driver", _driver(snapshot)),
        ("Engine", _engine(snapshot)),
        ("Memory and disks", _space(snapshot)),
    ):
        lines += head(title)
        for label, value in facts:
            lines += pair(label, value, width)
    return lines


def _host(snapshot: HostSnapshot) -> Iterable[tuple[str, Any]]:
    host = snapshot.host
    if isinstance(host, Unknown):
        yield "host", host
        return
    yield "name", host.hostname
    yield "platform", host.platform
    if host.wsl_version is not None:
        yield "WSL", host.wsl_version
    yield "distribution", host.distribution
    yield "kernel", host.kernel
    yield "processor", host.cpu_model
    yield "logical processors", host.cpu_count
    up = host.uptime_seconds
    yield "up for", format_duration(up) if known(up) else up


def _driver(snapshot: HostSnapshot) -> Iterable[tuple[str, Any]]:
    driver = snapshot.gpu.driver
    if snapshot.gpu.problem is not None:
        yield "problem", snapshot.gpu.problem
    if isinstance(driver, Unknown):
        yield "driver", driver
        return
    yield "version", driver.version
    yield "newest CUDA", driver.cuda_version
    yield "NVML", driver.nvml_version
    yield "library", driver.library


def _engine(snapshot: HostSnapshot) -> Iterable[tuple[str, Any]]:
    engine = snapshot.engine
    if engine.problem is not None:
        yield "problem", engine.problem
    yield "state", engine.state
    yield "endpoint", f"{engine.endpoint}  (from {engine.endpoint_source})"
    yield "version", engine.version
    yield "API", engine.api_version
    running = sum(1 for item in engine.containers if item.state == "running")
    yield "containers", f"{running} of {len(engine.containers)} running"


def _space(snapshot: HostSnapshot) -> Iterable[tuple[str, Any]]:
    host = snapshot.host
    if isinstance(host, Unknown):
        return
    yield "memory in all", formatted(host.memory_total_bytes, "bytes")
    yield "memory to be had", formatted(host.memory_available_bytes, "bytes")
    yield "swap in all", formatted(host.swap_total_bytes, "bytes")
    yield "swap free", formatted(host.swap_free_bytes, "bytes")
    for disk in host.disks:
        yield disk.purpose, _disk(disk)


def _disk(disk: Disk) -> Any:
    if isinstance(disk.free_bytes, Unknown):
        return disk.free_bytes
    total = f" of {format_bytes(disk.total_bytes)}" if known(disk.total_bytes) else ""
    locked = ", read-only" if disk.read_only is True else ""
    return f"{format_bytes(disk.free_bytes)} free{total}{locked}  {disk.path}"
