"""The containers as last heard, put together from lists and inspects; one thread's own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from console.engine.parse import inspected, listed
from console.engine.sentence import tells_more
from console.engine.snapshot import NOT_INSPECTED, Container
from console.engine.values import text
from console.unknown import Unknown

# What of a list entry, when it changes, calls for an inspect. Status is compared by its meaning.
_TELLING = ("State", "Names", "Image", "ImageID", "Ports", "Labels")


class Picture:
    """Merges answers into immutable Containers and counts their revisions.

    Args:
        last_exit_code: gives the exit code of a container's last remembered end.
    """

    def __init__(self, last_exit_code: Callable[[str], int | None]) -> None:
        self._containers: dict[str, Container] = {}
        self._entries: dict[str, Mapping[str, Any]] = {}
        self._last_exit_code = last_exit_code
        self._sorted: tuple[Container, ...] | None = ()
        self._revision = 0

    def containers(self) -> tuple[Container, ...]:
        """Give all containers, sorted by name."""
        if self._sorted is None:
            found = self._containers.values()
            self._sorted = tuple(sorted(found, key=lambda one: (one.name, one.id)))
        return self._sorted

    def ids(self) -> set[str]:
        """Give the ids of all containers."""
        return set(self._containers)

    def take_list(self, entries: Sequence[Mapping[str, Any]]) -> list[Container]:
        """Take a list of all containers; gives those that have to be inspected, running first."""
        told = {text(entry.get("Id"), 128): entry for entry in entries}
        told.pop("", None)
        for container_id in self.ids() - told.keys():
            self.drop(container_id)
        changed = [
            container
            for container_id, entry in told.items()
            if (container := self._take_entry(container_id, entry)) is not None
        ]
        return sorted(changed, key=lambda one: one.state not in {"running", "restarting"})

    def take_inspect(self, answer: Mapping[str, Any], now: datetime) -> None:
        """Take the answer to an inspect, which is the whole truth about one container."""
        container = inspected(answer, now)
        if container is None:
            return
        code = self._last_exit_code(container.id)
        looping = isinstance(container.restart_count, int) and container.restart_count > 0
        if container.state == "running" and looping and code is not None:
            container = msgspec.structs.replace(container, exit_code=code)
        self._put(container)

    def not_told(self, container_id: str, reason: Unknown) -> None:
        """Give the reason why what only an inspect tells is still missing."""
        container = self._containers.get(container_id)
        if container is not None:
            missing = [
                name
                for name in container.__struct_fields__
                if getattr(container, name) == NOT_INSPECTED
            ]
            self._put(msgspec.structs.replace(container, **dict.fromkeys(missing, reason)))

    def drop(self, container_id: str) -> None:
        """Forget a container that is gone."""
        self._entries.pop(container_id, None)
        if self._containers.pop(container_id, None) is not None:
            self._sorted = None

    def _take_entry(self, container_id: str, entry: Mapping[str, Any]) -> Container | None:
        """Take one list entry; gives its container where an inspect is called for."""
        before = self._entries.get(container_id)
        self._entries[container_id] = entry
        known = self._containers.get(container_id)
        if known is not None and entry == before:
            return None
        container = listed(entry, known)
        if container is None:
            return None
        self._put(container)
        if known is not None and known.state == container.state:
            if before is None:
                return container if container.gpu == NOT_INSPECTED else None
            same = all(before.get(key) == entry.get(key) for key in _TELLING)
            if same and not tells_more(text(before.get("Status")), text(entry.get("Status"))):
                return None
        return container

    def _put(self, container: Container) -> None:
        known = self._containers.get(container.id)
        if known is not None and known == msgspec.structs.replace(
            container, revision=known.revision
        ):
            return
        self._revision += 1
        container = msgspec.structs.replace(container, revision=self._revision)
        self._containers[container.id] = container
        self._sorted = None
