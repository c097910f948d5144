"""Which container uses which card, and how we know: processes first, then what it declares."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from actions.declared import GpuOrder, declared_claim
from actions.snapshot import Claim
from console.engine.snapshot import Container
from console.gpu.snapshot import Gpu, GpuProcess
from console.unknown import Unknown, known

NOT_INSPECTED = Claim(gpu_uuids=(), source="unknown", uses_gpu=False)


def assign(
    containers: Iterable[Container], gpus: Sequence[Gpu], wsl: bool | None
) -> dict[str, Claim]:
    """Give each container's claim by container id.

    On native Linux the driver names the processes on a card and their cgroup names the container:
    source `processes`. Where it names none, and on WSL2, whose numbers of processes mean nothing
    here, the claim is `declared`: the chain of settings is followed as the driver and CUDA would.
    `unknown` is what remains.

    Args:
        containers: all containers of the engine.
        gpus: all cards.
        wsl: None where nobody can tell.
    """
    order = GpuOrder(gpus)
    held = {} if wsl else _held_by_container(gpus)
    return {item.id: _claim(item, held.get(item.id), order, wsl) for item in containers}


def _claim(
    container: Container,
    held: dict[str, list[GpuProcess]] | None,
    order: GpuOrder,
    wsl: bool | None,
) -> Claim:
    if isinstance(container.gpu, Unknown):
        declared = NOT_INSPECTED
    else:
        declared = declared_claim(container.gpu, order, wsl)
    if not held:
        return declared
    uuids = tuple(gpu.uuid for gpu in order.by_index if gpu.uuid in held)
    return Claim(
        gpu_uuids=uuids,
        source="processes",
        uses_gpu=True,
        chain=declared.chain,
        used_bytes=_sum_of(held),
        declared_uuids=declared.declared_uuids,
    )


def _held_by_container(gpus: Sequence[Gpu]) -> dict[str, dict[str, list[GpuProcess]]]:
    held: dict[str, dict[str, list[GpuProcess]]] = defaultdict(lambda: defaultdict(list))
    for gpu in gpus:
        for process in gpu.processes if known(gpu.processes) else ():
            if isinstance(process.container_id, str):
                held[process.container_id][gpu.uuid].append(process)
    return held


def _sum_of(held: dict[str, list[GpuProcess]]) -> int | Unknown:
    total = 0
    for processes in held.values():
        for process in processes:
            if isinstance(process.used_bytes, Unknown):
                return process.used_bytes
            total += process.used_bytes
    return total
