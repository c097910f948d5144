"""Reads one container's log in a thread of its own, over every loss of the engine."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from actions.logs.bookmark import Bookmark
from actions.logs.driver import driver_of, keeps_nothing
from actions.logs.line import Entry
from actions.logs.query import Query, unix
from actions.logs.runs import run_of
from actions.logs.splitter import Splitter
from console.clock import Clock, SystemClock
from console.engine.client import EngineClient
from console.engine.endpoint import Endpoint
from console.engine.faults import (
    EngineError,
    EngineRefusedError,
    EngineUnreachableError,
    NoSuchContainerError,
    fault,
)
from console.engine.logs import LogStream
from console.text import clean_line
from console.unknown import Unknown

State = Literal["reading", "following", "ended", "removed", "lost"]

# Nothing for so long means that what was there is read, and that one now waits for more.
_IDLE = 0.15
# While following, what comes within this is taken together: one wake-up for many lines.
_GATHER = 0.03
_LARGE = 500
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_LOOK_AGAIN = 0.5
_REMOVAL_LOOKS = 20
_NANO = 1_000_000_000


class Sink(Protocol):
    """Where a reader brings what it read."""

    def put(self, reader: int, entries: list[Entry]) -> None:
        """Take entries; waits while there is no room."""
        ...

    def told(self, reader: int) -> None:
        """Hear that the reader's state or problem changed."""
        ...


class Reader:
    """One container's log, brought to a sink as entries.

    Args:
        number: which reader it is, for the sink.
        endpoint: where the engine is.
        container: id or name.
        query: which part of the log.
        sink: where entries go.
        clock: to notice that the host's clock was set back.

    Attributes:
        name: the container's name, once known.
        state: `reading` what is there, `following`, `ended`, `removed`, or `lost` engine.
        problem: why nothing (more) comes, where that is so.
        error: the same as the error that ended it.
        started: when its newest run began.
        over: it brings nothing more, ever.
    """

    def __init__(
        self,
        number: int,
        endpoint: Endpoint,
        container: str,
        query: Query,
        sink: Sink,
        clock: Clock,
    ) -> None:
        self.name = clean_line(container, 300)
        self.state: State = "reading"
        self.problem: Unknown | None = None
        self.error: EngineError | None = None
        self.started: datetime | None = None
        self.over = False
        self._number = number
        self._endpoint = endpoint
        self._container = container
        self._query = query
        self._sink = sink
        self._clock = clock
        self._pace: Clock = SystemClock()
        self._stopping = threading.Event()
        self._client: EngineClient | None = None
        self._stream: LogStream | None = None
        self._bookmark = Bookmark()
        self._splitter: Splitter | None = None
        self._lost_at = 0.0
        self._torn = 0
        self._thread = threading.Thread(target=self._run, name=f"log-{number}", daemon=True)

    def start(self) -> None:
        """Begin to read, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End at once, from any thread; never waits."""
        self._stopping.set()
        stream, client = self._stream, self._client
        if stream is not None:
            stream.cancel()
        if client is not None:
            client.abort()

    def join(self, timeout: float) -> bool:
        """Wait for the end after `stop`; False where it has not come after `timeout` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._read_on()
        except Exception as error:
            # A fault of ours must not look like the end of the log.
            self.error = fault(EngineError, "logs.internal", detail=type(error).__name__)
            self.problem, self.state = self.error.unknown(), "ended"
            raise
        finally:
            self.over = True
            self._sink.told(self._number)

    def _read_on(self) -> None:
        """Read until nothing more can come, over every loss of the engine."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                with EngineClient(self._endpoint) as self._client:
                    self._read(self._client)
                return
            except NoSuchContainerError as error:
                # One that was never there is an error; one that went away has ended.
                known = self._splitter is not None
                self._end("removed", None if known else error)
                return
            except EngineUnreachableError as error:
                if not self._query.follow or (self._splitter is None and not self._query.stay):
                    self._end("lost", error)
                    return
                if self.state != "lost":
                    pause = _FIRST_PAUSE
                    self._lose()
                self._tell("lost", error)
            except EngineError as error:
                self._end("ended", error)
                return
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _read(self, client: EngineClient) -> None:
        """Read over one connection, until there is nothing more to expect."""
        while not self._stopping.is_set():
            inspected = client.inspect(self._container)
            self._learn(inspected)
            self._read_once(client, inspected)
            if not self._query.follow or self._is_past() or self._stopping.is_set():
                self._end("ended")
                return
            if not self._goes_on(client):
                return

    def _goes_on(self, client: EngineClient) -> bool:
        """Tell, after a followed log's end, whether to read on; waits where that is asked for."""
        known = run_of(self._settled(client))
        if known.up:
            self._lose()
            self._stopping.wait(_LOOK_AGAIN)
            return True
        self._end("ended")
        if not self._query.stay:
            return False
        while not self._stopping.wait(_LOOK_AGAIN):
            if run_of(client.inspect(self._container)).started != known.started:
                self._lose()
                self._tell("reading")
                return True
        return False

    def _settled(self, client: EngineClient) -> dict[str, Any]:
        """Inspect once a removal under way is through: its kill ends the log before it is gone.

        Raises:
            NoSuchContainerError: it was removed.
        """
        inspected = client.inspect(self._container)
        for _ in range(_REMOVAL_LOOKS):
            state = inspected.get("State")
            if not isinstance(state, dict) or state.get("Status") != "removing":
                break
            self._stopping.wait(_LOOK_AGAIN)
            inspected = client.inspect(self._container)
        return inspected

    def _is_past(self) -> bool:
        """Tell whether the end that was asked for has come."""
        return self._query.until is not None and self._clock.now() >= self._query.until

    def _learn(self, inspected: dict[str, Any]) -> None:
        """Take from the inspect answer what does not change; say where there is no log."""
        self.started = run_of(inspected).begin
        if self._splitter is None:
            self.name = clean_line(str(inspected.get("Name") or ""), 300).lstrip("/") or self.name
            self._container = str(inspected.get("Id") or self._container)
            self._splitter = Splitter(self.name)
        self._tell(self.state if self.state != "lost" else "reading")

    def _read_once(self, client: EngineClient, inspected: dict[str, Any]) -> None:
        driver, options = driver_of(inspected)
        if driver == "none":
            self._tell(self.state, problem=keeps_nothing(self.name, driver, options))
            self._query = _once(self._query)
            return
        config = inspected.get("Config")
        try:
            self._stream = client.log_stream(
                self._container,
                tty=bool(isinstance(config, dict) and config.get("Tty")),
                tail=self._query.tail if self._bookmark.nanos < 0 else None,
                since=self._since(),
                until=unix(self._query.until),
                follow=self._query.follow,
            )
        except EngineRefusedError as error:
            if "does not support reading" not in error.detail:
                raise
            detail = error.detail
            self._tell(self.state, problem=keeps_nothing(self.name, driver, options, detail))
            self._query = _once(self._query)
            return
        with self._stream as stream:
            try:
                self._drain(stream)
            finally:
                self._torn = stream.torn

    def _drain(self, stream: LogStream) -> None:
        """Bring everything a stream gives, to its end."""
        splitter = self._splitter
        assert splitter is not None  # noqa: S101 -- _learn made it
        if self._stopping.is_set():
            stream.cancel()
        begun = int(self._clock.now().timestamp() * _NANO)
        while not stream.ended and not self._stopping.is_set():
            # The engine itself ends at `until` only when the next line comes.
            calm = None if self._query.until is None else _LOOK_AGAIN
            batch = stream.read(_IDLE if self.state == "reading" else calm)
            if batch is None:
                if self._is_past():
                    return
                self._bookmark.not_found()
                self._tell("following")
                continue
            entries = splitter.feed(self._bookmark.take(batch))
            if entries:
                self._sink.put(self._number, entries)
            if stream.problems:
                self._tell(self.state, problem=_said(self.name, stream.problems))
            if self.state == "reading" and self._query.follow and self._bookmark.nanos >= begun:
                # It writes all the time, but this was written after we began to read.
                self._tell("following")
            if self.state == "following" and len(entries) < _LARGE:
                self._stopping.wait(_GATHER)

    def _since(self) -> str:
        """Give from when on to ask: where reading stopped, else what the query says."""
        nanos = self._bookmark.nanos
        if nanos >= 0:
            now = int(self._clock.now().timestamp() * _NANO)
            if now < nanos:
                # The clock was set back: what was written since bears times before the newest's.
                away = self._pace.monotonic() - self._lost_at + 5
                nanos = now - int(away * _NANO)
            return f"{nanos // _NANO}.{nanos % _NANO:09d}"
        since = self._query.since
        if self._query.last_start and self.started and (since is None or since < self.started):
            since = self.started
        return unix(since)

    def _lose(self) -> None:
        """Note that the connection is gone, and where reading has to go on."""
        self._lost_at = self._pace.monotonic()
        self._bookmark.lost(self._torn)
        self._torn = 0

    def _end(self, state: State, error: EngineError | None = None) -> None:
        """Bring what was held back, and end."""
        if self._splitter is not None:
            held = self._splitter.finish()
            if held:
                self._sink.put(self._number, held)
        self._tell(state, error)

    def _tell(
        self, state: State, error: EngineError | None = None, problem: Unknown | None = None
    ) -> None:
        if problem is None and error is not None:
            problem = error.unknown()
        changed = state != self.state or (problem is not None and problem != self.problem)
        self.error = error
        if problem is not None or self.state == "lost":
            self.problem = problem
        self.state = state
        if changed:
            self._sink.told(self._number)


def _once(query: Query) -> Query:
    """Give the query without waiting for more: there is nothing that could come."""
    return msgspec.structs.replace(query, follow=False)


def _said(container: str, words: Sequence[str]) -> Unknown:
    return Unknown(
        "logs.engine",
        f"the engine has trouble with the log of {container}",
        f"its own words: {clean_line(words[-1], 300)}",
    )
