"""A container's runs, as far as an inspect answer tells: which one it is in, and since when."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from actions.logs.line import time_of
from console.engine.snapshot import UP

# The engine notes a start only after the process runs and may have written lines already.
_EARLIER = timedelta(milliseconds=50)
_MUCH_EARLIER = timedelta(seconds=2)


class Run(NamedTuple):
    """The state a container is in, and the engine's own stamps of its last start and end."""

    state: str
    started: str
    finished: str

    @property
    def up(self) -> bool:
        """Tell whether it runs, or will again by itself."""
        return self.state in UP

    @property
    def begin(self) -> datetime | None:
        """Give a moment between the end of the run before and this run's first line.

        The stamp of the start is a little late for that. While a container runs, the stamp of the
        end is that of the run before: the middle of the pause parts them. None where the container
        was never started.
        """
        started, finished = time_of(self.started), time_of(self.finished)
        if started is None:
            return None
        if finished is None:
            return started - _MUCH_EARLIER
        if finished >= started:
            return started - _EARLIER
        return started - min((started - finished) / 2, _MUCH_EARLIER)


def run_of(inspected: Mapping[str, Any]) -> Run:
    """Give the run of an inspect answer."""
    state = inspected.get("State")
    told = state if isinstance(state, dict) else {}
    return Run(*(str(told.get(key) or "") for key in ("Status", "StartedAt", "FinishedAt")))
