"""What a service will take when it works, without the reserve."""

import re

from actions.fit.arithmetic import need_terms, total
from actions.fit.case import variant_of
from actions.fit.demand import Demand, budget_demand, unknown_demand, variant_demand
from actions.fit.model import USUAL_TASK, Task, Term
from actions.flags import split_words
from actions.services.snapshot import NO_BUDGET, Service, ServiceStatus
from actions.snapshot import HostSnapshot
from console.models.catalog import Catalog
from console.models.disk import OnDisk
from console.units import GIB, MIB
from console.unknown import Unknown, known

COMFYUI_KEEPS = 400 * MIB
"""What ComfyUI itself leaves free on Linux and WSL, unless told another figure."""

_GIGABYTES = re.compile(r"\d{1,4}(\.\d{1,6})?", re.ASCII)
_NO_RESERVE = Term(name="reserve", title="", bytes=0, source="computed")


def budget_of(
    service: Service, catalog: Catalog, task: Task = USUAL_TASK
) -> tuple[int | Unknown, str]:
    """Give what a service takes when it works, and where that is from.

    The bytes are without the reserve; the source is `config` (its `vram_budget`, which wins),
    `variant` (computed for `task`), or empty where nothing says.
    """
    if service.vram_budget is not None:
        return service.vram_budget, "config"
    demand = demand_of(service, catalog)
    terms = need_terms(demand, task, _NO_RESERVE)
    if isinstance(terms, Unknown):
        return terms, ""
    return total(terms), "variant"


def demand_of(
    service: Service,
    catalog: Catalog,
    other: str = "",
    extras: tuple[str, ...] = (),
    on_disk: dict[str, OnDisk] | None = None,
) -> Demand:
    """Give what a service demands: of another variant if asked, its budget, or its variant's."""
    if service.vram_budget is not None and not other:
        both = ("vram_budget decides, not the variant",) if service.variant else ()
        return budget_demand(service.vram_budget, both)
    variant = variant_of(service, catalog, other)
    if variant is None:
        return unknown_demand(NO_BUDGET)
    if isinstance(variant, Unknown):
        return unknown_demand(variant)
    return variant_demand(variant, catalog, extras, on_disk)


def reserve_of(
    policy: int, kind: str, status: ServiceStatus | None, snapshot: HostSnapshot
) -> Term:
    """Give what has to stay free: the policy's figure, or what ComfyUI keeps itself, if more.

    ComfyUI's is read from its start log, its arguments, or its container's command.
    """
    term = Term(name="reserve", title="reserve (policy)", bytes=max(0, policy), source="config")
    if kind != "comfyui":
        return term
    own, said = _comfyui_keeps(status, snapshot)
    if own <= term.bytes:
        return term
    return Term(name="reserve", title=f"reserve (ComfyUI{said})", bytes=own, source="comfyui")


def _comfyui_keeps(status: ServiceStatus | None, snapshot: HostSnapshot) -> tuple[int, str]:
    if status is None:
        return COMFYUI_KEEPS, ""
    if status.start_log is not None and known(status.start_log.reserve_bytes):
        return max(0, status.start_log.reserve_bytes), "'s start log"
    told = _reserve_flag(_arguments(status, snapshot))
    return (COMFYUI_KEEPS, "") if told is None else (told, "'s --reserve-vram")


def _arguments(status: ServiceStatus, snapshot: HostSnapshot) -> tuple[str, ...]:
    if status.reading is not None and known(status.reading.arguments):
        return status.reading.arguments
    for container in snapshot.engine.containers:
        if container.id == status.container_id and known(container.gpu):
            return tuple(split_words(container.gpu.arguments))
    return ()


def _reserve_flag(arguments: tuple[str, ...]) -> int | None:
    """Read the last `--reserve-vram GB`, as argparse does; None where there is none."""
    found = None
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name != "--reserve-vram":
            continue
        if not equals:
            value = arguments[place + 1] if place + 1 < len(arguments) else ""
        if _GIGABYTES.fullmatch(value):
            found = int(float(value) * GIB)
    return found
