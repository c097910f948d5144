"""What is remembered of services between two looks: whether one was ready, since when it is so."""

from collections.abc import Iterable
from datetime import datetime, timedelta


class ServiceMemory:
    """Remembers of each service's present run; one look alone has an empty one.

    A run is a container's id with the time of its start. What was never seen to change has no
    beginning: that somebody began to look is none.

    Args:
        once: there will be no other look: what is read now was read together.
    """

    GRACE = timedelta(seconds=10)
    """A log that says "up" may be read a moment before the API is asked again."""

    def __init__(self, once: bool = False) -> None:
        self._once = once
        self._up: dict[str, datetime] = {}
        self._runs: dict[str, str] = {}
        self._ready: set[str] = set()
        self._states: dict[str, tuple[str, datetime | None]] = {}

    def begin(self, name: str, run: str) -> None:
        """Say which run of a service is looked at; another one begins anew."""
        before = self._runs.get(name)
        if before == run:
            return
        self._runs[name] = run
        self._ready.discard(name)
        self._up.pop(name, None)
        if before is not None:
            # Whatever it is next, it is so since this run, which was seen to begin.
            self._states[name] = ("", None)

    def was_ready(self, name: str) -> bool:
        """Tell whether its API has answered as it should in this run."""
        return name in self._ready

    def note_ready(self, name: str) -> None:
        """Note that its API answers as it should."""
        self._ready.add(name)

    def came_up(self, name: str, now: datetime) -> bool:
        """Tell, where its log says that it came up, whether its API has had the time to answer."""
        return self._once or now - self._up.setdefault(name, now) >= self.GRACE

    def since(self, name: str, state: str, now: datetime) -> datetime | None:
        """Give when the state was seen to begin; None where it was so at the first look."""
        before = self._states.get(name)
        if before is None:
            self._states[name] = (state, None)
        elif before[0] != state:
            self._states[name] = (state, now)
        return self._states[name][1]

    def keep(self, names: Iterable[str]) -> None:
        """Forget every service but these."""
        kept = set(names)
        self._runs = {name: run for name, run in self._runs.items() if name in kept}
        self._states = {name: state for name, state in self._states.items() if name in kept}
        self._up = {name: at for name, at in self._up.items() if name in kept}
        self._ready &= kept
