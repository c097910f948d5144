"""VRAM that stayed on a card though the container that held it is gone."""

from typing import TYPE_CHECKING

import msgspec

from console.simulator.actor import Actor

if TYPE_CHECKING:
    from console.simulator.stage import Stage


class Remains(msgspec.Struct, frozen=True):
    """What a dead process still holds: on which card, how many bytes, and who it was."""

    card: int
    held: int
    pid: int
    container: str
    container_id: str


def leave_behind(stage: "Stage", actor: Actor) -> None:
    """Let a container's VRAM stay on its card when it ends, where it is one that sticks."""
    moment = actor.moment(stage.now)
    if not actor.sticks or moment is None or actor.spec.card is None or not moment.vram_bytes:
        return
    stage.remains.append(
        Remains(actor.spec.card, moment.vram_bytes, actor.gpu_pid, actor.name, actor.id)
    )


def give_back(stage: "Stage", container: str) -> None:
    """Let a container's VRAM go, at last."""
    stage.remains = [left for left in stage.remains if left.container != container]
