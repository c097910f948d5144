"""Merging what the samplers published into one picture of the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from actions.alerts import AlertBook
from actions.snapshot import Claim, HostSnapshot
from actions.verdict import pass_verdict
from console.clock import Clock
from console.engine.snapshot import ContainerUsage, EngineSnapshot
from console.gpu.snapshot import OVERDUE_SECONDS, Gpu, GpuSnapshot
from console.host.snapshot import HostFacts
from console.unknown import Unknown

if TYPE_CHECKING:
    from actions.services.known import KnownServices
    from actions.services.snapshot import ServiceStatus
    from console.services.reading import Reading, StartLog


class Merger:
    """Puts snapshots together; keeps claims as long as nothing they rest on has changed."""

    def __init__(self, clock: Clock, book: AlertBook, interval: float = 1.0) -> None:
        self._clock = clock
        self._book = book
        self._interval = interval
        self._claims: dict[str, Claim] = {}
        self._claims_rest_on: object = None

    def merge(
        self,
        gpu: GpuSnapshot,
        engine: EngineSnapshot,
        host: HostFacts | Unknown,
        usage: dict[str, ContainerUsage],
        services: KnownServices | None = None,
        readings: Mapping[str, Reading] | None = None,
        start_logs: Mapping[str, StartLog] | None = None,
    ) -> HostSnapshot:
        """Give the picture at this moment; the same snapshots may be merged again later.

        `services` is None before anybody looks for them; `readings` are what their APIs said, by
        service, and `start_logs` are by container id.
        """
        now = self._clock.now()
        claims = self._claims_of(gpu, engine, host)
        standing: tuple[ServiceStatus, ...] = ()
        if services is not None:
            standing = services.statuses(
                gpu, engine, claims, on_wsl(host), readings or {}, start_logs or {}
            )
        alerts = self._book.look(gpu, engine, claims, now, standing)
        age = None
        if gpu.taken_monotonic is not None:
            age = max(0.0, self._clock.monotonic() - gpu.taken_monotonic)
        unavailable: list[tuple[str, Unknown]] = []
        if gpu.problem is not None:
            unavailable.append(("gpu", gpu.problem))
        if engine.problem is not None:
            unavailable.append(("engine", engine.problem))
        if isinstance(host, Unknown):
            unavailable.append(("host", host))
        return HostSnapshot(
            taken_at=now,
            gpu=gpu,
            gpus_age_seconds=age,
            gpus_stale=age is not None and age > self._interval + OVERDUE_SECONDS,
            engine=engine,
            host=host,
            claims=claims,
            usage=usage,
            alerts=alerts,
            verdict=pass_verdict(alerts, gpu, engine),
            services=standing,
            unavailable=tuple(unavailable),
        )

    def _claims_of(
        self, gpu: GpuSnapshot, engine: EngineSnapshot, host: HostFacts | Unknown
    ) -> dict[str, Claim]:
        if not engine.containers:
            return {}
        # Imported here: a first frame has no containers yet, and should not wait for this.
        from actions.assignment import assign

        wsl = on_wsl(host)
        rest_on = (engine.containers, tuple(_card_facts(card) for card in gpu.gpus), wsl)
        if rest_on != self._claims_rest_on:
            self._claims = assign(engine.containers, gpu.gpus, wsl)
            self._claims_rest_on = rest_on
        return self._claims


def on_wsl(host: HostFacts | Unknown) -> bool | None:
    """Tell whether the engine's choice of card is not honoured here; None where nobody knows."""
    if isinstance(host, Unknown) or isinstance(host.platform, Unknown):
        return None
    return host.platform in {"wsl1", "wsl2"}


def _card_facts(gpu: Gpu) -> tuple[object, ...]:
    """Give what of a card a claim can rest on; VRAM in use by the card as a whole is not."""
    return (gpu.uuid, gpu.index, gpu.name, gpu.cuda_ordinal, gpu.pci_bus_id, gpu.processes)
