"""Who holds the memory of a card, each with where its figure comes from."""

from typing import NamedTuple

from actions.services.snapshot import ServiceStatus
from actions.snapshot import HostSnapshot
from console.engine.snapshot import UP, Container
from console.gpu.snapshot import Gpu, GpuProcess
from console.unknown import Unknown, known


class Holder(NamedTuple):
    """One holder of VRAM on one card.

    Attributes:
        used_bytes: None where nobody tells how much.
        mark: empty for the driver, `*` the service itself, `~` worked out, `?` declared only.
        how: the same in words.
        container_id: empty for what is neither a container nor a service.
    """

    name: str
    used_bytes: int | None
    mark: str
    how: str
    container_id: str = ""


def holders(snapshot: HostSnapshot, gpu: Gpu) -> list[Holder]:
    """List who holds a card's memory, the largest first, what nobody accounts for last.

    Containers with processes on the card come from the driver, services with what they say of
    themselves; the others that claim the card follow with their claim's source; the rest of the
    used memory is given as `other`.
    """
    by_container, loose = _by_container(gpu)
    services = {one.container_id: one for one in snapshot.services if one.container_id}
    found: list[Holder] = []
    for container in snapshot.engine.containers:
        service = services.get(container.id)
        holder = _container_holder(snapshot, gpu, container, by_container)
        if service is not None:
            holder = _service_holder(gpu, service, holder)
        if holder is not None:
            found.append(holder)
    for service in snapshot.services:
        alone = _service_holder(gpu, service, None) if not service.container_id else None
        if alone is not None:
            found.append(alone)
    found += [_process_holder(process) for process in loose]
    found.sort(key=lambda holder: (holder.used_bytes is None, -(holder.used_bytes or 0)))
    rest = _rest(gpu, found, snapshot.engine.state == "connected")
    return [*found, rest] if rest is not None else found


def _by_container(gpu: Gpu) -> tuple[dict[str, list[GpuProcess]], list[GpuProcess]]:
    grouped: dict[str, list[GpuProcess]] = {}
    loose: list[GpuProcess] = []
    if known(gpu.processes):
        for process in gpu.processes:
            if isinstance(process.container_id, str):
                grouped.setdefault(process.container_id, []).append(process)
            elif known(process.used_bytes):
                loose.append(process)
    return grouped, loose


def _container_holder(
    snapshot: HostSnapshot,
    gpu: Gpu,
    container: Container,
    by_container: dict[str, list[GpuProcess]],
) -> Holder | None:
    processes = by_container.get(container.id)
    if processes:
        sizes = [process.used_bytes for process in processes]
        if all(known(size) for size in sizes):
            total = sum(size for size in sizes if known(size))
            return Holder(container.name, total, "", "driver", container.id)
        return Holder(container.name, None, "", "driver names it, not how much", container.id)
    claim = snapshot.claims.get(container.id)
    if claim is None or gpu.uuid not in claim.gpu_uuids or container.state not in UP:
        return None
    used = claim.used_bytes if known(claim.used_bytes) and len(claim.gpu_uuids) == 1 else None
    mark, how = ("~", "observed") if claim.source == "observed" else ("?", "declared")
    return Holder(container.name, used, mark, how, container.id)


def _service_holder(gpu: Gpu, service: ServiceStatus, by_driver: Holder | None) -> Holder | None:
    """Give a service by its own name: the driver's figure where it has one, else its own."""
    if by_driver is not None and by_driver.how == "driver":
        return by_driver._replace(name=service.name)
    if not service.up or service.gpu_uuid != gpu.uuid:
        seen_elsewhere = service.gpu_source in {"observed", "processes"}
        return (
            None if by_driver is None or seen_elsewhere else by_driver._replace(name=service.name)
        )
    ident = service.container_id or service.name
    used = service.vram_used_bytes
    if known(used):
        if service.vram_used_source == "service":
            return Holder(service.name, used, "*", "service", ident)
        mark, how = ("", "driver") if service.vram_used_source == "driver" else ("~", "worked out")
        return Holder(service.name, used, mark, how, ident)
    declared = service.gpu_source == "declared"
    mark, how = ("?", "declared") if declared else ("", "on it, does not tell how much")
    return Holder(service.name, None, mark, how, ident)


def _process_holder(process: GpuProcess) -> Holder:
    name = process.name if known(process.name) else f"pid {process.pid}"
    used = process.used_bytes if known(process.used_bytes) else None
    return Holder(name, used, "", "driver")


def _rest(gpu: Gpu, found: list[Holder], heard: bool) -> Holder | None:
    """Work out what the listed holders do not account for; little is overhead of the driver.

    Where the engine was not `heard`, containers may be among them that nobody lists.
    """
    if isinstance(gpu.memory_used_bytes, Unknown):
        return None
    told = sum(holder.used_bytes or 0 for holder in found)
    rest = gpu.memory_used_bytes - told
    if rest < 64 * 1024**2:
        return None
    silent = not heard or any(holder.used_bytes is None for holder in found)
    name = "not told apart" if silent else "other"
    return Holder(name, rest, "~", "worked out")
