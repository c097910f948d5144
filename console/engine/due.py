"""Which containers to inspect next, and when: changes in quick succession count as one."""

import math

SPACING = 0.5


class Due:
    """A queue of container ids; each comes at once, and then at most every half second.

    A mark that arrives while its container is looked at, or too soon after, is kept until its time
    has come: the last state is never lost. Not safe for several threads.
    """

    def __init__(self, spacing: float = SPACING) -> None:
        self._spacing = spacing
        self._waiting: dict[str, tuple[float, int]] = {}
        self._looked: dict[str, float] = {}

    def mark(self, container_id: str, now: float, *, urgent: bool = True, delay: float = 0) -> None:
        """Ask for a look at a container, `delay` seconds from now at the earliest."""
        at, rank = self._waiting.get(container_id, (math.inf, 1))
        ready = max(now + delay, self._looked.get(container_id, -math.inf) + self._spacing)
        self._waiting[container_id] = (min(at, ready), min(rank, 0 if urgent else 1))

    def pop(self, now: float) -> str | None:
        """Take the next container whose time has come: urgent ones first, then first come."""
        ready = [(rank, name) for name, (at, rank) in self._waiting.items() if at <= now]
        if not ready:
            return None
        _, container_id = min(ready, key=lambda pair: pair[0])
        del self._waiting[container_id]
        self._looked[container_id] = now
        return container_id

    def next_at(self) -> float | None:
        """Give when the next container's time comes; None when nothing waits."""
        return min((at for at, _ in self._waiting.values()), default=None)

    def keep_only(self, container_ids: set[str]) -> None:
        """Forget when containers that are gone were looked at; what waits stays."""
        self._looked = {name: at for name, at in self._looked.items() if name in container_ids}
