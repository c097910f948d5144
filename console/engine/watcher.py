"""The live engine door: one list, then events, each change inspected once, published as pictures.

Threads: the watcher's own (lists and putting the picture together), one that listens to events, one
that inspects. Each has a client of its own; none waits for another.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from console.clock import Clock, SystemClock
from console.engine.client import LIMIT, EngineClient, unix_seconds
from console.engine.endpoint import Endpoint
from console.engine.faults import EngineError, EngineTimeoutError
from console.engine.feed import Feed
from console.engine.inbox import Ended, Heard, Inbox, Item, Looked, NotTold, Vanished
from console.engine.inspector import Inspector
from console.engine.parse import event as parse_event
from console.engine.picture import Picture
from console.engine.snapshot import EngineSnapshot
from console.engine.tape import Tape
from console.engine.texts import words
from console.unknown import Unknown

POLL_SECONDS = 10.0
# A list is asked for early when an inspect hangs while things change.
_HURRY_SECONDS = 2.0
_PUBLISH_SPACING = 0.2
_SLOW_SECONDS = 3.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
# An engine that needs longer than the limit gets more time at each new attempt.
_LONGEST_LIMIT = 60.0
_REMEMBERED = timedelta(hours=1)
# A reconnect asks for events from a moment before the last one, so that none falls in between.
_OVERLAP_NANOSECONDS = 1_000_000_000
_JOIN_SECONDS = 30.0
# These change nothing that an inspect would tell.
_QUIET = frozenset({"kill"})


class EngineWatcher:
    """Keeps an EngineSnapshot up to date until stopped.

    Args:
        endpoint: where the engine is.
        clock: for times in the snapshot; the watcher's pace is real time even where it is held.
        on_change: called without arguments from the watcher's threads after something changed.
        poll_seconds: between the safety lists that repair what the events did not tell.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        on_change: Callable[[], None] | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._pace: Clock = SystemClock()
        self._on_change = on_change
        self._poll_seconds = poll_seconds
        self._tape = Tape()
        self._picture = Picture(self._tape.last_exit_code)
        self._inbox = Inbox()
        self._stopping = threading.Event()
        self._publishing = threading.Lock()
        self._published_at = 0.0
        self._changed = False
        self._limit = LIMIT
        self._live: tuple[Feed | Inspector | _Lists, ...] = ()
        self._thread = threading.Thread(target=self._run, name="engine-watcher", daemon=True)
        self._snapshot = EngineSnapshot(
            endpoint=endpoint.shown,
            endpoint_source=endpoint.source,
            state="connecting",
            problem=endpoint.problem,
        )

    def start(self) -> None:
        """Begin to watch, in the background; does nothing where it has begun."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End watching at once, also in the middle of a call; never waits."""
        self._stopping.set()
        self._inbox.wake()
        self._cancel()

    def join(self, timeout: float) -> bool:
        """Wait for the threads to end after `stop`; False where they have not after `timeout`."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def snapshot(self) -> EngineSnapshot:
        """Give the newest picture; cheap, from any thread."""
        return self._snapshot

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                self._live_once()
            except EngineError as error:
                if self._snapshot.state == "connected":
                    pause = _FIRST_PAUSE
                if isinstance(error, EngineTimeoutError):
                    self._limit = min(self._limit * 3, _LONGEST_LIMIT)
                if not self._stopping.is_set():
                    self._publish(state="lost", problem=error.unknown())
            except BaseException as error:
                # A fault of ours must not leave a picture that looks alive.
                self._publish(state="lost", problem=_broken(error))
                raise
            self._stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _live_once(self) -> None:
        """Live through one connection: from its beginning to the error that ends it."""
        client = EngineClient(self._endpoint, self._limit)
        self._live = (_Lists(client),)
        if self._stopping.is_set():
            return
        slow = threading.Timer(_SLOW_SECONDS, self._tell_slow)
        slow.daemon = True
        slow.start()
        try:
            with client:
                began = self._pace.monotonic()
                version = client.version()
                self._picture.take_list(client.list())
                slow.cancel()
                if self._pace.monotonic() - began < LIMIT / 2:
                    self._limit = client.limit = LIMIT
                self._publish(
                    state="connected",
                    problem=None,
                    version=version.version,
                    api_version=version.api,
                )
                self._follow(client)
        finally:
            slow.cancel()
            self._settle()

    def _follow(self, client: EngineClient) -> None:
        """Keep the first list true by events, inspects and safety lists."""
        feed = Feed(self._endpoint, self._inbox, self._since(), self._limit)
        inspector = Inspector(self._endpoint, self._inbox, self._limit)
        self._live = (_Lists(client), feed, inspector)
        feed.start()
        inspector.start()
        # Whatever happened while nobody listened, an inspect tells.
        running = {"running", "restarting"}
        for container in self._picture.containers():
            inspector.look_at((container.id,), urgent=container.state in running)
        poll_at = self._pace.monotonic() + self._poll_seconds
        complete = told = False
        while not self._stopping.is_set():
            now = self._pace.monotonic()
            if now >= poll_at:
                self._poll(client, inspector)
                poll_at = self._pace.monotonic() + self._poll_seconds
            wait_until = poll_at
            if self._changed:
                wait_until = min(poll_at, self._published_at + _PUBLISH_SPACING)
            items = self._inbox.take(wait_until - now)
            if self._take_all(items, inspector) and inspector.busy_seconds() > 1:
                poll_at = min(poll_at, now + _HURRY_SECONDS)
            complete = complete or inspector.idle()
            self._publish_when_due(heard=bool(items), now=complete and not told)
            told = complete

    def _take_all(self, items: Sequence[Item], inspector: Inspector) -> bool:
        """Take in what the helpers heard; tells whether there were events among it."""
        touched: dict[str, None] = {}
        for item in items:
            match item:
                case Heard(event):
                    self._take_event(event, touched)
                case Looked(_, answer):
                    self._picture.take_inspect(answer, self._clock.now())
                case Vanished(container_id):
                    self._picture.drop(container_id)
                case NotTold(container_id, error):
                    self._picture.not_told(container_id, error.unknown())
                case Ended(error):
                    raise error
        inspector.look_at(touched)
        self._changed = self._changed or bool(items)
        return bool(touched)

    def _take_event(self, told: Any, touched: dict[str, None]) -> None:
        """Remember an event; `touched` collects the containers that it calls to inspect."""
        parsed = parse_event(told)
        if parsed is None or parsed[1].action.startswith("exec_") or not self._tape.add(*parsed):
            return
        event = parsed[1]
        if event.action == "destroy":
            self._picture.drop(event.container_id)
            touched.pop(event.container_id, None)
        elif event.action not in _QUIET:
            touched[event.container_id] = None

    def _poll(self, client: EngineClient, inspector: Inspector) -> None:
        before = self._picture.containers()
        to_inspect = self._picture.take_list(client.list())
        inspector.look_at(container.id for container in to_inspect)
        inspector.keep_only(self._picture.ids())
        self._changed = self._changed or self._picture.containers() != before
        self._publish_when_due(heard=True)

    def _since(self) -> float:
        """Give from when on events are wanted: the engine remembers its last 256."""
        if self._tape.newest_nanoseconds:
            return (self._tape.newest_nanoseconds - _OVERLAP_NANOSECONDS) / 1e9
        return unix_seconds(self._clock.now() - _REMEMBERED)

    def _publish_when_due(self, *, heard: bool, now: bool = False) -> None:
        """Publish what changed, but not more often than views can use; note a sign of life."""
        if self._changed:
            if now or self._pace.monotonic() - self._published_at >= _PUBLISH_SPACING:
                self._publish()
        elif heard:
            with self._publishing:
                self._snapshot = msgspec.structs.replace(
                    self._snapshot, heard_monotonic=self._clock.monotonic()
                )

    def _publish(self, **changes: Any) -> None:
        """Make the present state the snapshot that everybody sees, and say so."""
        with self._publishing:
            state = changes.get("state", self._snapshot.state)
            if changes.get("problem") is None:
                changes["heard_monotonic"] = self._clock.monotonic()
            self._snapshot = msgspec.structs.replace(
                self._snapshot,
                containers=self._picture.containers(),
                events=self._tape.events(),
                asked_to_stop=self._tape.asked_to_stop(),
                taken_at=self._clock.now(),
                **{**changes, "state": state},
            )
            self._changed = False
            self._published_at = self._pace.monotonic()
        if self._on_change is not None:
            self._on_change()

    def _tell_slow(self) -> None:
        """Say that the engine keeps us waiting, while it does."""
        if self._snapshot.state == "connecting" and not self._stopping.is_set():
            title, hint = words("engine.slow", limit=f"{_SLOW_SECONDS:g}", what="first answer")
            self._publish(problem=Unknown("engine.slow", title, hint))

    def _cancel(self) -> None:
        """Cut every call and stream under way; any thread."""
        for helper in self._live:
            helper.cancel()

    def _settle(self) -> None:
        """End the helpers of a connection before there may be another: they never pile up."""
        helpers, self._live = self._live, ()
        for helper in helpers:
            helper.cancel()
            helper.join(_JOIN_SECONDS)
        self._inbox.take(0)


class _Lists:
    """The watcher's own client, ended like the helper threads."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client

    def cancel(self) -> None:
        self._client.abort()

    def join(self, timeout: float) -> None:
        """Its thread is the one that would wait."""


def _broken(error: BaseException) -> Unknown:
    return Unknown(
        "engine.internal",
        f"the watcher of the engine broke down ({type(error).__name__})",
        "this is a fault of gpuconsole; restart it",
    )
