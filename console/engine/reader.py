"""One look at the engine and all its containers, for commands that print and end."""

from datetime import timedelta

from console.clock import Clock, SystemClock
from console.engine.client import LIMIT, EngineClient, unix_seconds
from console.engine.endpoint import Endpoint
from console.engine.faults import EngineError, EngineTimeoutError, NoSuchContainerError, fault
from console.engine.parse import event as parse_event
from console.engine.picture import Picture
from console.engine.snapshot import EngineSnapshot
from console.engine.tape import Tape
from console.unknown import Unknown

_REMEMBERED = timedelta(hours=1)


def read_once(endpoint: Endpoint, clock: Clock, limit: float = LIMIT) -> EngineSnapshot:
    """Give the engine's version, every container inspected, and the events of the last hour.

    One call after another over one connection: most of the time is ours, not the engine's, so that
    several clients at once gain nothing. Never raises and takes about `limit` seconds at most: what
    came until then is in the snapshot. Its `state` is `lost` where there is not even a list; a
    `problem` beside `connected` says why something is missing.
    """
    look = _Look(endpoint, clock, limit)
    problem: Unknown | None = None
    try:
        look.take()
    except EngineError as error:
        problem = error.unknown()
        look.explain(problem)
    finally:
        look.client.close()
    return look.snapshot(problem)


class _Look:
    """What a look has gathered so far, so that an error in its middle loses nothing."""

    def __init__(self, endpoint: Endpoint, clock: Clock, limit: float) -> None:
        self.client = EngineClient(endpoint, limit)
        self._clock = clock
        # The limit is real time even where the program's clock is held.
        self._pace: Clock = SystemClock()
        self._deadline = self._pace.monotonic() + limit
        self._tape = Tape()
        self._picture = Picture(self._tape.last_exit_code)
        self._state = "lost"
        self._told: dict[str, str] = {}

    def take(self) -> None:
        """Ask for everything, in the order of its worth.

        Raises:
            EngineError: something failed or the time is up; what came before is kept.
        """
        version = self.client.version()
        self._told = {"version": version.version, "api_version": version.api}
        to_inspect = self._picture.take_list(self._in_time("list of containers").list())
        self._state = "connected"
        self._take_events()
        for container in to_inspect:
            self._inspect(container.id)

    def explain(self, problem: Unknown) -> None:
        """Put the reason into the containers that could not be inspected any more."""
        for container_id in self._picture.ids():
            self._picture.not_told(container_id, problem)

    def snapshot(self, problem: Unknown | None) -> EngineSnapshot:
        """Give what came."""
        alive = self._state == "connected"
        return EngineSnapshot(
            endpoint=self.client.endpoint.shown,
            endpoint_source=self.client.endpoint.source,
            state=self._state,
            problem=problem,
            containers=self._picture.containers(),
            events=self._tape.events(),
            asked_to_stop=self._tape.asked_to_stop(),
            taken_at=self._clock.now(),
            heard_monotonic=self._clock.monotonic() if alive else None,
            **self._told,
        )

    def _in_time(self, what: str) -> EngineClient:
        """Give the client with the rest of the time as its limit."""
        rest = self._deadline - self._pace.monotonic()
        if rest <= 0:
            raise fault(EngineTimeoutError, "engine.timeout", what=what, limit="10")
        self.client.limit = rest
        return self.client

    def _take_events(self) -> None:
        now = self._clock.now()
        since, until = unix_seconds(now - _REMEMBERED), unix_seconds(now)
        with self._in_time("events").events(since, until) as stream:
            for told in stream.events():
                parsed = parse_event(told)
                if parsed is not None:
                    self._tape.add(*parsed)

    def _inspect(self, container_id: str) -> None:
        try:
            answer = self._in_time("inspect").inspect(container_id)
        except NoSuchContainerError:
            self._picture.drop(container_id)
        except EngineTimeoutError:
            raise
        except EngineError as error:
            self._picture.not_told(container_id, error.unknown())
        else:
            self._picture.take_inspect(answer, self._clock.now())
