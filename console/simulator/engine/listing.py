"""The list of containers, and the filters that narrow it."""

import re
from collections.abc import Callable
from typing import Any

from console.simulator.actor import Actor
from console.simulator.engine import parts
from console.simulator.engine.flavours import Flavour
from console.simulator.engine.query import Filters, label_matches
from console.simulator.engine.sentences import status
from console.simulator.refusal import Refusal
from console.simulator.stage import Stage

FILTERS = frozenset(
    {
        "ancestor", "before", "expose", "exited", "health", "id", "isolation", "is-task", "label",
        "name", "network", "publish", "since", "status", "volume",
    }
)  # fmt: skip
_STATES = frozenset({"paused", "restarting", "removing", "running", "dead", "created", "exited"})
_HEALTHS = frozenset({"starting", "healthy", "unhealthy", "none"})


def selected(stage: Stage, wanted: Filters, everything: bool, limit: int | None) -> list[Actor]:
    """Give the containers a client asked for, the newest first.

    Raises:
        Refusal: a filter has a value that cannot be.
    """
    _check(wanted)
    newest = sorted(stage.actors.values(), key=lambda actor: (-actor.created_at, actor.name))
    limited = limit is not None and limit > 0
    shows_stopped = everything or limited or "status" in wanted or "exited" in wanted
    found = [actor for actor in newest if shows_stopped or actor.running]
    found = [actor for actor in found if _matches(actor, wanted)]
    return found[:limit] if limited else found


def _check(wanted: Filters) -> None:
    for name, allowed in (("status", _STATES), ("health", _HEALTHS)):
        for value in wanted.get(name, []):
            if value not in allowed:
                raise Refusal("bad-filter-value", name=name, value=value)


def _matches(actor: Actor, wanted: Filters) -> bool:
    health = actor.health.status if actor.health else "none"
    image = actor.spec.image
    tests: dict[str, Callable[[str], bool]] = {
        "name": lambda value: (
            bool(re.search(value.removeprefix("/"), actor.name))
            or bool(re.search(value, "/" + actor.name))
        ),
        "id": actor.id.startswith,
        "status": lambda value: value == actor.status,
        "health": lambda value: value == health,
        "exited": lambda value: not actor.running and str(actor.exit_code) == value,
        "ancestor": lambda value: value in {image, image.partition(":")[0]},
        "network": lambda value: value == actor.spec.network,
        "publish": lambda value: any(value.split("/")[0] == port[1] for port in parts.ports(actor)),
        "expose": lambda value: any(value.split("/")[0] == port[2] for port in parts.ports(actor)),
    }
    for name, values in wanted.items():
        if name == "label":
            if not label_matches(actor.spec.labels, values):
                return False
        elif name in tests and not any(tests[name](value) for value in values):
            return False
    return True


def listed(stage: Stage, actor: Actor, flavour: Flavour) -> dict[str, Any]:
    """Give one container as the list has it."""
    entry: dict[str, Any] = {
        "Id": actor.id,
        "Names": ["/" + actor.name],
        "Image": actor.spec.image,
        "ImageID": parts.image_id(actor.spec.image),
        "Command": parts.command_line(actor),
        "Created": int(stage.wall(actor.created_at).timestamp()),
        "Ports": parts.listed_ports(actor),
        "Labels": actor.spec.labels,
        "State": actor.status,
        "Status": status(actor, stage.now),
        "HostConfig": {"NetworkMode": actor.spec.network},
        "NetworkSettings": {"Networks": parts.networks(actor, flavour)},
        "Mounts": parts.mounts(actor),
    }
    if flavour.modern:
        health = actor.health
        entry["Health"] = {
            "Status": health.status if health else "none",
            "FailingStreak": health.streak if health else 0,
        }
    return entry
