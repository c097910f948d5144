"""What the plans of all verbs of services are made of before they are plans."""

from collections.abc import Mapping
from typing import Any

import msgspec

from actions.fit.model import Fit
from actions.plan import Check, Refusal, Step
from actions.service_verbs.around import Around
from actions.service_verbs.jobs import busy, pending
from actions.services.snapshot import ServiceStatus
from console.unknown import Unknown

# A check that refuses for one of these may be overruled by --force.
FORCEABLE = frozenset({"vram", "ram", "card-too-small"})


class ServiceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a plan that depends on verb and state; without steps there is nothing to do.

    Attributes:
        cards: UUIDs of the cards that something is started on: they are locked.
        facts: what the verdict rests on, beside the container.
        diff: of a file that is changed.
    """

    steps: tuple[Step, ...] = ()
    checks: tuple[Check, ...] = ()
    fits: tuple[Fit, ...] = ()
    cards: tuple[str, ...] = ()
    facts: dict[str, Any] = {}
    diff: str = ""

    @property
    def refused(self) -> Check | None:
        """Give the first check that refuses, if any."""
        return next((one for one in self.checks if one.verdict == "refuse"), None)

    @property
    def verdict(self) -> str:
        """Give the plan's verdict: the worst of its checks."""
        warned = any(one.verdict == "warn" for one in self.checks)
        return "refused" if self.refused else "warned" if warned else "ready"

    def refusal(self, name: str) -> Refusal | None:
        """Give why a plan for `name` will not run; None where it will."""
        said = self.refused
        if said is None:
            return None
        return Refusal(code=said.id, title=f"{name}: {said.title}", hint=said.detail)


def facts_of_service(around: Around, status: ServiceStatus) -> dict[str, Any]:
    """Give what a plan for a service rests on, as plain data: container, card, queue."""
    facts = around.container(status)
    reading = status.reading
    return {
        **(facts.resting_on() if facts is not None else NO_CONTAINER),
        "service": status.name,
        "service_state": status.state,
        "gpu_uuid": plain_value(status.gpu_uuid),
        "gpu_expected_uuid": plain_value(status.gpu_expected_uuid),
        "vram_used_bytes": plain_value(status.vram_used_bytes),
        "vram_used_source": status.vram_used_source,
        "busy": busy(status),
        "queue_pending": pending(status),
        "answer": reading.answer if reading else "",
    }


NO_CONTAINER: Mapping[str, Any] = {
    "id": "",
    "name": "",
    "state": "absent",
    "started_at": "",
    "finished_at": "",
    "restart_count": 0,
}
"""Stands where a service has no container."""


def fit_facts(fits: tuple[Fit, ...]) -> list[dict[str, Any]]:
    """Give verdict and figures of the pre-checks, as plain data."""
    return [
        {
            "service": fit.service,
            "gpu_uuid": fit.gpu_uuid,
            "verdict": plain_value(fit.verdict),
            "need_bytes": plain_value(fit.need_bytes),
            "available_bytes": plain_value(fit.available_bytes),
        }
        for fit in fits
    ]


def plain_value(value: Any) -> Any:
    """Give a value as it may stand in a journal; unknown is null."""
    return None if isinstance(value, Unknown) else value
