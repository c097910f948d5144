"""Who holds VRAM on a card now, and what each will still take when it wakes."""

import msgspec

from actions.fit.arithmetic import CONTEXT, need_terms, total
from actions.fit.budget import demand_of
from actions.fit.case import Ask, Case
from actions.fit.model import USUAL_TASK, Term
from actions.services.snapshot import ServiceStatus
from console.unknown import Unknown, known

NOT_TOLD = Unknown(
    "gpu.not-told", "nothing tells which card it uses", 'set `gpu = "…"` in the config'
)
_NO_RESERVE = Term(name="reserve", title="", bytes=0, source="computed")


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """One service that runs, or is thought to; sizes in bytes.

    Attributes:
        up: it runs now; otherwise it is thought started.
        sits: it is on the card in question now; None where that cannot be told.
        there: it counts there: it is, or will be, on that card; None likewise.
        used: what it holds there by its own word or the driver's.
        context: of CUDA, which a service does not count in its own figure.
        budget: what it takes when it works.
    """

    name: str
    up: bool
    sits: bool | None
    there: bool | None
    used: int | Unknown
    context: int
    budget: int | Unknown

    @property
    def held(self) -> int | Unknown:
        """What comes back when it stops."""
        return self.used if isinstance(self.used, Unknown) else self.used + self.context


def holders_on(case: Case, ask: Ask, uuid: str) -> tuple[Holder, ...]:
    """Give every service that may hold VRAM on a card, the one in question included."""
    found = []
    for status in case.snapshot.services:
        if not status.up and status.name not in ask.started:
            continue
        meant = ask.gpus.get(status.name, card_of(case, status))
        on = status.gpu_uuid if isinstance(status.gpu_uuid, str) else card_of(case, status)
        sits = _is(on, uuid) if status.up else False
        there = _is(meant, uuid) if ask.empty or not status.up else sits
        if sits is False and there is False:
            continue
        found.append(
            Holder(
                name=status.name,
                up=status.up,
                sits=sits,
                there=there,
                used=_used(status) if status.up else 0,
                context=_context(status),
                budget=budget_in(case, ask, status),
            )
        )
    return tuple(found)


def card_of(case: Case, status: ServiceStatus) -> str | Unknown | None:
    """Give the card that a service is meant for, else the one its settings lead to.

    None where nothing says that it uses one; Unknown where it uses one and nobody tells which.
    """
    for value in (status.gpu_expected_uuid, status.gpu_declared_uuid, status.gpu_uuid):
        if isinstance(value, str):
            return value
        if isinstance(value, Unknown) and value is status.gpu_expected_uuid:
            return value  # the config names a card that is not here: no other stands in for it
    sits = status.gpu_uuid if status.up else None  # what does not run says nothing by being nowhere
    unclear = next((v for v in (status.gpu_declared_uuid, sits) if isinstance(v, Unknown)), None)
    service = status.service
    uses = service.variant or service.vram_budget is not None or service.kind != "other"
    if unclear is None and not uses:
        return None
    only = _only_card(case)
    if only is not None:
        return only
    return NOT_TOLD if unclear is None else unclear


def budget_in(case: Case, ask: Ask, status: ServiceStatus) -> int | Unknown:
    """Give what a service takes when it works, with the variant that it is thought to load."""
    other = ask.variants.get(status.name, "")
    if not other and known(status.vram_budget_bytes):
        return max(0, status.vram_budget_bytes)
    demand = demand_of(status.service, case.catalog, other, on_disk=dict(case.on_disk))
    terms = need_terms(demand, USUAL_TASK, _NO_RESERVE)
    return terms if isinstance(terms, Unknown) else total(terms)


def _only_card(case: Case) -> str | None:
    cards = case.snapshot.gpu.gpus
    return cards[0].uuid if len(cards) == 1 else None


def _is(where: str | Unknown | None, uuid: str) -> bool | None:
    if isinstance(where, Unknown):
        # Whoever names a card that is not here (a lost one has no name) is on none that is.
        return False if where.code == "gpu.not-here" else None
    return where == uuid


def _used(status: ServiceStatus) -> int | Unknown:
    used = status.vram_used_bytes
    return used if isinstance(used, Unknown) else max(0, used)


def _context(status: ServiceStatus) -> int:
    used = status.vram_used_bytes
    tells_itself = status.vram_used_source == "service"
    return CONTEXT if tells_itself and isinstance(used, int) and used > 0 else 0
