"""One look at the engine and all its containers, for commands that print and end."""

import threading
from datetime import timedelta

from console.clock import Clock, SystemClock
from console.engine.client import LIMIT, EngineClient, unix_seconds
from console.engine.endpoint import Endpoint
from console.engine.faults import (
    EngineError,
    EngineTimeoutError,
    EngineUnreachableError,
    NoSuchContainerError,
    fault,
)
from console.engine.parse import event as parse_event
from console.engine.picture import Picture
from console.engine.snapshot import EngineSnapshot
from console.engine.tape import Tape
from console.unknown import Unknown

_REMEMBERED = timedelta(hours=1)
# The SDK's time limits are for each piece of an answer: one that drips would never be over.
_MARGIN = 0.5
# What part of the time the engine may take to tell what happened before.
_EVENTS_SHARE = 1 / 3


def read_once(endpoint: Endpoint, clock: Clock, limit: float = LIMIT) -> EngineSnapshot:
    """Give the engine's version, every container inspected, and the events of the last hour.

    One call after another over one connection: most of the time is ours, not the engine's, so that
    several clients at once gain nothing. Never raises and takes about `limit` seconds at most: what
    came until then is in the snapshot. Its `state` is `lost` where there is not even a list; a
    `problem` beside `connected` says why something is missing.
    """
    look = _Look(endpoint, clock, limit)
    worker = threading.Thread(target=look.run, name="engine-once", daemon=True)
    worker.start()
    worker.join(limit + _MARGIN)
    if worker.is_alive():
        look.give_up()
        worker.join(_MARGIN)
    return look.snapshot()


class _Look:
    """What a look has gathered so far, so that an error in its middle loses nothing."""

    def __init__(self, endpoint: Endpoint, clock: Clock, limit: float) -> None:
        self.client = EngineClient(endpoint, limit)
        self._clock = clock
        # The limit is real time even where the program's clock is held.
        self._pace: Clock = SystemClock()
        self._limit = limit
        self._deadline = self._pace.monotonic() + limit
        self._tape = Tape()
        self._picture = Picture(self._tape.last_exit_code)
        self._state = "lost"
        self._told: dict[str, str] = {}
        self._asked = "version"
        self._problem: Unknown | None = None
        self._fault: Exception | None = None
        self._late = False

    def run(self) -> None:
        """Take the look, in a thread of its own; what goes wrong is kept for `snapshot`."""
        try:
            self.take()
        except EngineError as error:
            self._note(error)
        except Exception as error:  # noqa: BLE001 -- raised again in the caller's thread
            self._fault = error
        finally:
            self.client.close()

    def give_up(self) -> None:
        """End a look whose time is over, from another thread."""
        self._note(self._timeout())
        self._late = True
        self.client.abort()

    def take(self) -> None:
        """Ask for everything, in the order of its worth.

        Raises:
            EngineError: something failed or the time is up; what came before is kept.
        """
        version = self.client.version()
        self._told = {"version": version.version, "api_version": version.api}
        to_inspect = self._picture.take_list(self._in_time("list of containers").list())
        self._state = "connected"
        try:
            self._take_events()
        except EngineError as error:
            self._note(error)
        for container in to_inspect:
            self._inspect(container.id)

    def snapshot(self) -> EngineSnapshot:
        """Give what came, with the reason in the containers that could not be inspected."""
        if self._fault is not None:
            raise self._fault
        problem = self._problem
        if problem is not None:
            for container_id in self._picture.ids():
                self._picture.not_told(container_id, problem)
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

    def _note(self, error: EngineError) -> None:
        """Keep the first thing that went wrong; what follows giving up is no news."""
        if self._problem is None and not self._late:
            self._problem = error.unknown()

    def _timeout(self, limit: float | None = None) -> EngineError:
        seconds = f"{self._limit if limit is None else limit:.3g}"
        return fault(EngineTimeoutError, "engine.timeout", what=self._asked, limit=seconds)

    def _in_time(self, what: str) -> EngineClient:
        """Give the client with the rest of the time as its limit."""
        self._asked = what
        rest = self._deadline - self._pace.monotonic()
        if rest <= 0 or self._late:
            raise self._timeout()
        self.client.limit = rest
        return self.client

    def _take_events(self) -> None:
        now = self._clock.now()
        since, until = unix_seconds(now - _REMEMBERED), unix_seconds(now)
        client = self._in_time("events")
        client.limit = min(client.limit, self._limit * _EVENTS_SHARE)
        with client.events(since, until) as stream:
            # An engine ends this stream by itself; what stands before one may not.
            timer = threading.Timer(client.limit, stream.cancel)
            timer.daemon = True
            timer.start()
            for told in stream.events():
                parsed = parse_event(told)
                if parsed is not None:
                    self._tape.add(*parsed)
            timer.cancel()
            if stream.cancelled:
                raise self._timeout(client.limit)

    def _inspect(self, container_id: str) -> None:
        try:
            answer = self._in_time("inspect").inspect(container_id)
        except NoSuchContainerError:
            self._picture.drop(container_id)
        except EngineTimeoutError:
            raise
        except EngineError as error:
            self._picture.not_told(container_id, error.unknown())
            if isinstance(error, EngineUnreachableError):
                self._note(error)
        else:
            self._picture.take_inspect(answer, self._clock.now())
