"""Answers a question: demand, room and reserve put together into one Fit."""

import msgspec

from actions.fit.arithmetic import judge
from actions.fit.asleep import without_model
from actions.fit.budget import demand_of, reserve_of
from actions.fit.case import Ask, Case
from actions.fit.demand import Demand, unknown_demand, variant_demand
from actions.fit.model import Fit
from actions.fit.room import ram_for, room_on
from actions.services.snapshot import ServiceStatus
from console.models.catalog import Catalog, Measured
from console.units import format_duration
from console.unknown import Unknown

RANKS = {"resident": 0, "offload": 1, "refused": 3}
_DOUBTFUL = 2


def rank(verdict: str | Unknown) -> int:
    """Give how bad a verdict is, 0 the best; Unknown stands between offload and refused."""
    return _DOUBTFUL if isinstance(verdict, Unknown) else RANKS[verdict]


def answer(case: Case, ask: Ask) -> Fit:
    """Give the verdict of one question, with its arithmetic, without ways out."""
    if ask.status is not None and uses_no_card(ask):
        return Fit(
            variant="",
            service=ask.service,
            gpu_uuid="",
            task=ask.task,
            verdict="resident",
            reason="it uses no card, as far as known",
            need_bytes=0,
            expected_use_bytes=0,
            available_bytes=0,
        )
    demand = _demand(case, ask)
    kind = ask.status.service.kind if ask.status else "comfyui"
    reserve = reserve_of(case.vram_reserve, kind, ask.status, case.snapshot)
    ram = ram_for(case, ask)
    fit = judge(demand, room_on(case, ask), ram, ask.task, reserve, ask.service)
    asleep = _asleep(case, ask)
    if asleep and rank(fit.verdict) > 0:
        left = msgspec.structs.replace(ask, freed=ask.freed | asleep)
        then = judge(demand, room_on(case, left), ram, ask.task, reserve, ask.service)
        if rank(then.verdict) < rank(fit.verdict):
            names = " and ".join(sorted(asleep))
            stay = "stays" if len(asleep) == 1 else "stay"
            note = f"as long as {names} {stay} without a model: {then.verdict}"
            fit = msgspec.structs.replace(fit, notes=(*fit.notes, note))
    if fit.verdict == "offload":
        fit = _with_cost(fit, case.catalog)
    runs = _runs_already(case, ask)
    if runs:
        note = f"{runs} runs it there already: this is about one more beside that"
        fit = msgspec.structs.replace(fit, notes=(note, *fit.notes))
    return fit


def _runs_already(case: Case, ask: Ask) -> str:
    """Give the services that run a variant on the card it is asked about, where it is about now."""
    if ask.status is not None or ask.empty:
        return ""
    gone = ask.stopped | ask.freed
    return " and ".join(
        one.name
        for one in case.snapshot.services
        if one.up
        and one.name not in gone
        and one.service.variant == ask.variant
        and one.gpu_uuid == ask.gpu_uuid
    )


def _asleep(case: Case, ask: Ask) -> frozenset[str]:
    """Give the services that idle without a model, where what they will take is counted."""
    if ask.empty:
        return frozenset()
    left_out = ask.stopped | ask.freed | case.put_to_sleep | {ask.service}
    return without_model(case.snapshot.services) - left_out


def uses_no_card(ask: Ask) -> bool:
    """Tell whether a service is one that nothing connects with a card, such as a web front."""
    status = ask.status
    if status is None or ask.variant or ask.gpu_uuid or isinstance(ask.gpu_uuid, Unknown):
        return False
    return _says_nothing(status)


def _says_nothing(status: ServiceStatus) -> bool:
    service = status.service
    return not (service.variant or service.vram_budget is not None or service.gpu)


def _demand(case: Case, ask: Ask) -> Demand:
    disk = dict(case.on_disk)
    if ask.status is not None:
        other = ask.variant or ask.variants.get(ask.service, "")
        return demand_of(ask.status.service, case.catalog, other, ask.extras, disk)
    variant = case.catalog.variant(ask.variant)
    if variant is None:
        return unknown_demand(
            Unknown("variant.unknown", f"the catalogue has no variant {ask.variant!r}")
        )
    return variant_demand(variant, case.catalog, ask.extras, disk)


def _with_cost(fit: Fit, catalog: Catalog) -> Fit:
    """Say what offloading costs, where somebody measured it."""
    measured = [one for one in catalog.measured if one.variant == fit.variant]
    streamed = [one for one in measured if one.offload]
    if not streamed:
        return fit
    whole = [one for one in measured if not one.offload]
    text = "measured: " + "; ".join(
        [f"{_speed(one)} streaming ({one.source})" for one in streamed]
        + [f"{_speed(one)} resident ({one.source})" for one in whole]
    )
    return msgspec.structs.replace(fit, cost=text)


def _speed(one: Measured) -> str:
    return f"{format_duration(one.seconds)} for {one.steps} steps on an {one.card}"
