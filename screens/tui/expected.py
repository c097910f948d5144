"""The services of the config before anybody has looked: rows for the first frame."""

import msgspec

from actions.services.snapshot import Evidence, Service, ServiceStatus
from actions.snapshot import HostSnapshot
from console.config.schema import ServiceSettings, Settings
from console.unknown import Unknown

NOT_LOOKED = "looking"
"""Stands where the state will be; it is none of the states a service can be in."""
_NOT_YET = Unknown("service.not-looked", "nobody has looked yet")


def expected_services(settings: Settings) -> tuple[ServiceStatus, ...]:
    """Give the config's services, of which nothing is known but their names and budgets."""
    return tuple(_expected(name, one) for name, one in settings.services.items())


def _expected(name: str, wanted: ServiceSettings) -> ServiceStatus:
    budget = wanted.vram_budget
    return ServiceStatus(
        service=Service(name=name, kind=wanted.kind, variant=wanted.variant or ""),
        state=NOT_LOOKED,
        evidence=(Evidence(source="config", text="it is in the config"),),
        gpu_uuid=_NOT_YET,
        vram_budget_bytes=budget if budget is not None else _NOT_YET,
        vram_budget_source="config" if budget is not None else "",
    )


def with_expected(snapshot: HostSnapshot, expected: tuple[ServiceStatus, ...]) -> HostSnapshot:
    """Give a host on which the engine was not heard yet the services that are expected of it."""
    engine = snapshot.engine
    if snapshot.services or engine.state != "connecting" or engine.problem is not None:
        return snapshot
    return msgspec.structs.replace(snapshot, services=expected)
