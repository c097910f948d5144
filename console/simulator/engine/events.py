"""The stream of events: the remembered ones first, then each as it happens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from console.simulator.engine.flavours import Flavour
from console.simulator.engine.query import Filters, label_matches
from console.simulator.happenings import Happening
from console.simulator.world import World

FILTERS = frozenset(
    {
        "config", "container", "daemon", "event", "image", "label", "network", "node", "plugin",
        "scope", "secret", "service", "type", "volume",
    }
)  # fmt: skip


def told(world: World, happening: Happening, flavour: Flavour) -> dict[str, Any]:
    """Give an event as the engine tells it; modern ones leave out what was deprecated."""
    attributes = dict(happening.attributes)
    entry: dict[str, Any] = {}
    if not flavour.new:
        attributes.pop("execDuration", None)
    if not flavour.modern and happening.sort == "container":
        entry = {"status": happening.action, "id": happening.actor_id, "from": happening.image}
    nano = world.stage.nanoseconds(happening.at)
    return {
        **entry,
        "Type": happening.sort,
        "Action": happening.action,
        "Actor": {"ID": happening.actor_id, "Attributes": attributes},
        "scope": "local",
        "time": nano // 1_000_000_000,
        "timeNano": nano,
    }


def matches(happening: Happening, wanted: Filters) -> bool:
    """Tell whether an event passes the filters."""
    attributes = happening.attributes
    for name, values in wanted.items():
        if name == "label":
            passes = label_matches(attributes, values)
        elif name == "type":
            passes = happening.sort in values
        elif name == "event":
            action = happening.action
            passes = any(action == value or action.startswith(f"{value}:") for value in values)
        elif name in {"container", "image", "network"}:
            passes = any(_is(happening, name, value) for value in values)
        else:
            passes = name == "scope" and "local" in values
        if not passes:
            return False
    return True


def _is(happening: Happening, name: str, value: str) -> bool:
    attributes = happening.attributes
    if name == "image":
        image = attributes.get("image", "")
        return value in {image, image.partition(":")[0]}
    if happening.sort != name:
        return False
    return happening.actor_id.startswith(value) or attributes.get("name") == value


async def stream(
    world: World, wanted: Filters, since: float | None, until: float | None
) -> AsyncIterator[Happening]:
    """Give the events from `since` (only new ones where None) until `until` (for ever)."""
    queue: asyncio.Queue[Happening] = asyncio.Queue()
    stop = world.stage.happenings.listen(queue.put_nowait)
    try:
        for happening in world.stage.happenings.since(since) if since is not None else []:
            if matches(happening, wanted) and (until is None or happening.at <= until):
                yield happening
        while until is None or world.stage.now < until:
            try:
                happening = await asyncio.wait_for(queue.get(), 0.25 if until else None)
            except TimeoutError:
                continue
            if matches(happening, wanted):
                yield happening
    finally:
        stop()
