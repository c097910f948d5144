"""The pre-checks of a switch's starts, and what each card holds on the way."""

import msgspec

from actions.fit.model import Fit
from actions.plan import Check
from actions.service_verbs.around import Around
from actions.service_verbs.course import Leg, Load, Peak, Place, peak_text, peaks
from actions.service_verbs.goal import CONFIGURED, Goal
from actions.service_verbs.layout_words import check
from actions.service_verbs.start import fit_words
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.gpu.snapshot import Gpu
from console.units import MIB, format_bytes
from console.unknown import Unknown, known

_CONTEXT = 450 * MIB


class OnTheWay:
    """What a way asks of the cards.

    Attributes:
        fits: pre-check of each start, by the number of its leg from 0.
        checks: what is to be said of them.
    """

    def __init__(
        self,
        session: Session,
        around: Around,
        goal: Goal,
        now: dict[str, Place],
        legs: tuple[Leg, ...],
    ) -> None:
        self._session = session
        self._around = around
        self._goal = goal
        self._now = now
        self._legs = legs
        self._status = {status.name: status for status in around.snapshot.services}
        self.fits: dict[int, Fit] = {}
        self.checks: list[Check] = []

    def fit_all(self, *, force: bool) -> None:
        """Pre-check each start with what will have stopped, unloaded and started before it."""
        from actions.fit.service import fit_service

        stopped: set[str] = set()
        freed: set[str] = set()
        started: set[str] = set()
        for number, leg in enumerate(self._legs):
            if leg.kind == "stop":
                stopped.add(leg.service)
            elif leg.kind == "free":
                freed.add(leg.service)
            elif leg.kind == "start":
                if self._uses_card(leg):
                    self.fits[number] = fit_service(
                        self._session,
                        self._thought(started),
                        leg.service,
                        gpu_uuid=leg.gpu_uuid,
                        variant=self._goal.variants.get(leg.service),
                        stopped=frozenset(stopped),
                        freed=frozenset(freed),
                        started=frozenset(_twin(name, stopped) for name in started),
                    )
                    self._tell_fit(leg, self.fits[number], force=force)
                started.add(leg.service)

    def _uses_card(self, leg: Leg) -> bool:
        service = self._status[leg.service].service
        return bool(leg.gpu_uuid or service.kind != "other" or service.variant or service.gpu)

    def _thought(self, started: set[str]) -> HostSnapshot:
        """Give the host with those that moved before thought on their new cards.

        One that has moved stands twice: as itself, whose VRAM comes back, and as its twin.
        """
        snapshot = self._around.snapshot
        more = []
        for name in started:
            place = self._goal.places[name]
            status = self._status[name]
            if self._now[name].running:
                service = msgspec.structs.replace(status.service, name=_moved(name), container="")
                status = msgspec.structs.replace(
                    status, service=service, container_id="", state="stopped", activity=""
                )
                more.append(_placed(status, place.gpu_uuid))
        services = tuple(
            _placed(status, self._goal.places[status.name].gpu_uuid)
            if status.name in started and not self._now[status.name].running
            else status
            for status in snapshot.services
        )
        return msgspec.structs.replace(snapshot, services=(*services, *more))

    def _tell_fit(self, leg: Leg, fit: Fit, *, force: bool) -> None:
        for one in fit_words(fit, force=force):
            if one.id == "service.not-forced":
                continue
            title = f"{leg.service}: {one.title}"
            self.checks.append(msgspec.structs.replace(one, title=title))
        if fit.verdict != "resident":
            self._tell_discovered(fit.gpu_uuid)

    def _tell_discovered(self, gpu_uuid: str) -> None:
        """Name what holds VRAM on a card and is no service of the config."""
        for status in self._status.values():
            held = status.vram_used_bytes
            here = status.up and status.gpu_uuid == gpu_uuid
            if status.service.source != CONFIGURED and here and isinstance(held, int) and held:
                card = self._around.card_name(gpu_uuid)
                values = {"name": status.name, "held": format_bytes(held), "card": card}
                self.checks.append(check("layout.discovered", "warn", **values))

    def peaks(self) -> tuple[Peak, ...]:
        """Work out what each card holds on the way, and say it."""
        loads = {name: self._load(status) for name, status in self._status.items()}
        others = {
            gpu.uuid: used
            for gpu in self._around.snapshot.gpu.gpus
            if (used := self._others(gpu, loads)) is not None
        }
        found = peaks(self._now, self._legs, loads, others)
        touched = {leg.gpu_uuid for leg in self._legs}
        found = tuple(peak for peak in found if peak.gpu_uuid in touched)
        for peak in found:
            gpu = self._around.gpu(peak.gpu_uuid)
            total = gpu.memory_total_bytes if gpu is not None else None
            whole = total if isinstance(total, int) else None
            name = self._around.card_name(peak.gpu_uuid)
            text = peak_text(peak, name, whole, self._legs)
            if whole is not None and max(peak.peak_bytes, peak.after_bytes) > whole:
                self.checks.append(check("layout.over", "warn", text=text))
            else:
                self.checks.append(check("layout.peak", text=text))
        return found

    def _load(self, status: ServiceStatus) -> Load:
        held = status.vram_used_bytes
        fits = (fit for fit in self.fits.values() if fit.service == status.name)
        fit = next(fits, None)
        takes = fit.expected_use_bytes if fit is not None else status.vram_budget_bytes
        holds = held if isinstance(held, int) else None if status.up else 0
        rests = min(holds or 0, _CONTEXT)
        return Load(holds=holds, takes=takes if isinstance(takes, int) else None, rests=rests)

    def _others(self, gpu: Gpu, loads: dict[str, Load]) -> int | None:
        """Give what of a card no service holds; None where the driver does not tell."""
        if not known(gpu.memory_used_bytes):
            return None
        here = (
            loads[name].holds or 0
            for name, place in self._now.items()
            if place.running and place.gpu_uuid == gpu.uuid
        )
        return max(0, gpu.memory_used_bytes - sum(here))


def _moved(name: str) -> str:
    return f"{name} (moved)"


def _twin(name: str, stopped: set[str]) -> str:
    return _moved(name) if name in stopped else name


def _placed(status: ServiceStatus, gpu_uuid: str | Unknown | None) -> ServiceStatus:
    if gpu_uuid is None:
        return status
    return msgspec.structs.replace(
        status, gpu_uuid=gpu_uuid, gpu_expected_uuid=gpu_uuid, gpu_declared_uuid=gpu_uuid
    )
