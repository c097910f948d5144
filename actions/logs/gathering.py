"""The readers of several containers and what they bring, as one."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from actions.logs.line import Entry
from actions.logs.merge import Merge
from actions.logs.query import Query
from actions.logs.reader import Reader, State
from actions.session import Session
from console.engine.faults import EngineError
from console.unknown import Unknown

_OVER = frozenset({"ended", "removed"})
# Of several states, the first that any reader is in tells most.
_TELLING: tuple[State, ...] = ("lost", "reading", "following", "removed", "ended")


class Gathering:
    """Reads the logs of some containers and gives their entries in the order of their times.

    Args:
        session: for the engine's address and the clock.
        containers: ids or names.
        query: which part of each log.
    """

    def __init__(self, session: Session, containers: Sequence[str], query: Query) -> None:
        self._merge = Merge(len(containers))
        self._readers = [
            Reader(number, session.endpoint, container, query, self, session.clock)
            for number, container in enumerate(containers)
        ]

    @property
    def state(self) -> State:
        """Give the state of the readers, of several the one that tells most."""
        states = {reader.state for reader in self._readers}
        return next((state for state in _TELLING if state in states), "ended")

    @property
    def problem(self) -> Unknown | None:
        """Give the first problem that a reader has."""
        return next((one.problem for one in self._readers if one.problem is not None), None)

    @property
    def problems(self) -> tuple[Unknown, ...]:
        """Give every reader's problem."""
        return tuple(one.problem for one in self._readers if one.problem is not None)

    @property
    def error(self) -> EngineError | None:
        """Give the first error that ended a reader."""
        return next((one.error for one in self._readers if one.error is not None), None)

    @property
    def removed(self) -> tuple[str, ...]:
        """Give the names of the containers that were removed."""
        return tuple(one.name for one in self._readers if one.state == "removed")

    def starts(self) -> Iterator[tuple[str, datetime]]:
        """Give when each container was last started, as far as that is known."""
        for reader in self._readers:
            if reader.started is not None:
                yield reader.name, reader.started

    def start(self) -> None:
        """Begin to read, in the background."""
        for reader in self._readers:
            reader.start()

    def stop(self) -> None:
        """End at once, from any thread; never waits."""
        self._merge.close()
        for reader in self._readers:
            reader.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the readers to end after `stop`; False where one has not in time."""
        return all(reader.join(timeout) for reader in self._readers)

    def take(self, wait: float) -> list[Entry] | None:
        """Give the next entries; none where none came in time, None where none will come."""
        return self._merge.take(wait)

    def put(self, reader: int, entries: list[Entry]) -> None:
        """Take a reader's entries; for readers."""
        self._merge.put(reader, entries)

    def told(self, reader: int) -> None:
        """Hear that a reader's state changed; for readers."""
        one = self._readers[reader]
        self._merge.mark(
            reader,
            caught_up=one.state != "reading",
            over=one.over,
        )
