"""A step that is done on a host whose every look is written down, with a clock that is held."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from actions.plan import Asker, Plan, Step
from actions.service_verbs.doing import Doing, Seen
from actions.services.snapshot import ServiceStatus
from actions.session import Session, open_session
from actions.step_thread import Talk
from console.clock import HeldClock
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.unknown import Unknown
from tests.service_plans.build import CARD, SMALL
from tests.support.snapshots import changed, container, engine_snapshot, gpu_snapshot, host, ident

LOST = Unknown("engine.absent", "nothing listens at the socket", "start the engine")


def moment(
    *statuses: ServiceStatus,
    cards: Sequence[Gpu] = (SMALL, CARD),
    lost: Unknown | None = None,
    **of_container: Any,
) -> Seen:
    """Make one look: services, cards, and the state of the container `comfyui-qwen`."""
    engine = engine_snapshot(container("comfyui-qwen", **of_container))
    snapshot = changed(host(gpu_snapshot(*cards), engine), services=statuses)
    status = next((one for one in statuses if one.name == "qwen"), None)
    return Seen(snapshot=snapshot, status=None if lost else status, problem=lost)


class FakeDoor:
    """Takes orders and keeps them."""

    def __init__(self, orders: list[str]) -> None:
        self._orders = orders

    def free(self) -> None:
        self._orders.append("free")

    def interrupt(self) -> None:
        self._orders.append("interrupt")


class Scripted(Doing):
    """A step whose looks are the given moments, the last one again and again; a second each.

    Attributes:
        told: what it said.
        orders: what was asked of the service.
        cancel_at: number of the look after which somebody asks to cancel.
    """

    def __init__(self, moments: Sequence[Seen], do: str, **options: Any) -> None:
        self.clock = HeldClock(datetime(2026, 11, 27, tzinfo=UTC))
        self.told: list[str] = []
        self.orders: list[str] = []
        self.cancel_at: int | None = None
        self.looks = 0
        self._moments = list(moments)
        super().__init__(
            _session(self.clock),
            _plan(),
            _step(do, options),
            Talk(self.told.append, self._wish),
        )

    def look(self) -> Seen:
        """Give the next moment."""
        seen = self._moments[min(self.looks, len(self._moments) - 1)]
        self.looks += 1
        return seen

    def cards(self) -> GpuSnapshot:
        """Give the cards of the next moment."""
        return self.look().snapshot.gpu

    @contextlib.contextmanager
    def door(self, status: ServiceStatus) -> Iterator[Any]:  # type: ignore[override]
        """Give a door that keeps what it is told."""
        del status
        yield FakeDoor(self.orders)

    def pause(self, seconds: float, left: str) -> None:
        """Let a second pass."""
        super().pause(0.0, left)
        self.clock.advance(max(seconds, 1.0))

    def _wish(self) -> bool:
        return self.cancel_at is not None and self.looks >= self.cancel_at


def _session(clock: HeldClock) -> Session:
    return open_session({"HOME": "/nonexistent"}, clock=clock)


def _plan() -> Plan:
    return Plan(
        id="20261127T000000-abcdef",
        verb="stop",
        target="qwen",
        target_id="qwen",
        steps=(),
        created_at=datetime(2026, 11, 27, tzinfo=UTC),
        asker=Asker(user="op"),
    )


def _step(do: str, options: dict[str, Any]) -> Step:
    named = {"do": do, "service": "qwen", "container": ident("comfyui-qwen"), **options}
    return Step(id=do, title=do, touches=(), command="", options=named)


def using(card: Gpu, gib: float) -> tuple[Gpu, Gpu]:
    """Give both cards, the 3090 with so much in use."""
    size = 1024**3
    return SMALL, msgspec.structs.replace(card, memory_used_bytes=int(gib * size))
