"""A container's counters, as `docker stats` reads them: cgroup v1 on 20.10, v2 on 29."""

from typing import Any

from console.simulator.actor import Actor
from console.simulator.engine.flavours import Flavour
from console.simulator.engine.wire import ZERO_TIME, go_time
from console.simulator.scene import GIB, seconds
from console.simulator.stage import Stage

_BLKIO = (
    "io_service_bytes_recursive", "io_serviced_recursive", "io_queue_recursive",
    "io_service_time_recursive", "io_wait_time_recursive", "io_merged_recursive",
    "io_time_recursive", "sectors_recursive",
)  # fmt: skip
_CACHED = 0.06
"""Share of a container's memory that is page cache, which `docker stats` leaves out."""

_NANO = 1_000_000_000


def sample(
    stage: Stage, actor: Actor, flavour: Flavour, at: float, before: float | None
) -> dict[str, Any]:
    """Give the counters at a moment; `before` is that of the sample to compare with, if any."""
    alive = actor.alive
    answer: dict[str, Any] = {
        "read": go_time(stage, at) if alive else ZERO_TIME,
        "preread": go_time(stage, before) if alive and before is not None else ZERO_TIME,
        "pids_stats": {"current": 2 + len(actor.spec.phases) * 9} if alive else {},
        "blkio_stats": dict.fromkeys(_BLKIO, [] if alive else None),
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": _cpu(stage, actor, flavour, at) if alive else _no_cpu(),
        "precpu_stats": _no_cpu(),
        "memory_stats": _memory(stage, actor, flavour, at) if alive else {},
        "name": "/" + actor.name,
        "id": actor.id,
    }
    if alive and before is not None:
        answer["precpu_stats"] = _cpu(stage, actor, flavour, before)
    if alive and actor.spec.network == "bridge":
        answer["networks"] = {"eth0": _traffic(actor, at)}
    if flavour.new:
        answer["os_type"] = "linux"
    return answer


def _no_cpu() -> dict[str, Any]:
    return {
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def _cpu(stage: Stage, actor: Actor, flavour: Flavour, at: float) -> dict[str, Any]:
    used = round(actor.cpu_seconds(at) * _NANO)
    cpus = stage.scene.host.cpus
    usage: dict[str, Any] = {"total_usage": used}
    if not flavour.new:
        usage["percpu_usage"] = [used // cpus] * cpus
    usage |= {"usage_in_kernelmode": used // 5, "usage_in_usermode": used - used // 5}
    return {
        **_no_cpu(),
        "cpu_usage": usage,
        "system_cpu_usage": round((seconds(stage.scene.host.uptime) + at) * cpus * _NANO),
        "online_cpus": cpus,
    }


def _memory(stage: Stage, actor: Actor, flavour: Flavour, at: float) -> dict[str, Any]:
    moment = actor.moment(at)
    resident = moment.memory_bytes if moment else 0
    cached = int(resident * _CACHED)
    limit = int(stage.scene.host.memory * GIB)
    if flavour.new:
        stats = {"anon": resident, "file": cached, "inactive_file": cached, "active_file": 0}
        return {"usage": resident + cached, "stats": stats, "limit": limit}
    stats = {
        "rss": resident,
        "cache": cached,
        "inactive_file": cached,
        "total_rss": resident,
        "total_cache": cached,
        "total_inactive_file": cached,
    }
    usage = resident + cached
    return {"usage": usage, "max_usage": usage, "stats": stats, "limit": limit}


def _traffic(actor: Actor, at: float) -> dict[str, int]:
    sent = int(actor.cpu_seconds(at) * 9000)
    return {
        "rx_bytes": sent // 3,
        "rx_packets": sent // 900,
        "rx_errors": 0,
        "rx_dropped": 0,
        "tx_bytes": sent,
        "tx_packets": sent // 1100,
        "tx_errors": 0,
        "tx_dropped": 0,
    }
