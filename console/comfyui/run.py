"""One graph on one ComfyUI from its submission to its end, whatever happens to the connection."""

import threading
from collections.abc import Callable, Iterator

import msgspec

from console.clock import Clock, SystemClock
from console.comfyui.listening import Listener
from console.comfyui.prompts import Place, Prompt, PromptCalls, Taken
from console.comfyui.tracker import Tracker
from console.edits.events import LAST, NO_PLACE, AnyEvent, Interrupted
from console.edits.words import refused
from console.units import format_duration
from console.web.client import WebClient
from console.web.faults import ServiceFault, ServiceTimeoutError, ServiceUnreachableError

_LOOK_AROUND = 0.25
"""Seconds between two looks for a wish to cancel, while nothing is heard."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often is asked beside the WebSocket, in seconds.

    Attributes:
        deaf: while there is no WebSocket. quiet: while there is one, but it says nothing.
        gone: the service has not answered for so long: the run is given up as `edit.gone`.
        sure: after the service let a submission's connection go, until it is sure that the prompt
            is not there.
        heed: it has not answered for so long since the run was to be cancelled: it is given up.
    """

    deaf: float = 1.0
    quiet: float = 5.0
    gone: float = 300.0
    sure: float = 5.0
    heed: float = 10.0


class ComfyRun:
    """One run; `events()` is walked once, by one thread; the rest is for any thread.

    The prompt is submitted at most once, under an id of our own: where nobody can tell whether it
    was taken, queue and history are asked for that id. The WebSocket only makes it faster: how the
    run ended is read from the history, so that a connection that drops or never comes up loses
    nothing.

    Args:
        connect: makes a client of the service; called once for each thread of talk.
        prompt: what to run.
        submitted: it was submitted before, maybe by a console that is gone: only watch it.
    """

    def __init__(
        self,
        connect: Callable[[], WebClient],
        prompt: Prompt,
        *,
        submitted: bool = False,
        clock: Clock | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.prompt = prompt
        self._clock = clock or SystemClock()
        self._pace = pace or Pace()
        self._client = connect()
        self._calls = PromptCalls(self._client)
        self._submitted = submitted
        self._stop = threading.Event()
        self._left = threading.Event()
        self._cancelled = False
        self._cancel_at: float | None = None
        self._listener = Listener(self._client, prompt.client, self._clock, self._rest)
        self._tracker = Tracker(prompt.ident, prompt.graph, self._client.address, self._clock)
        self._asked_at = float("-inf")
        self._answered_at = 0.0
        self._missing_since: float | None = None
        self._was_down = False
        self._running_since: float | None = None

    def cancel(self) -> None:
        """Have the run taken off the queue or broken off; its last event tells how it ended."""
        self._stop.set()

    def leave(self) -> None:
        """Stop watching at once; the run goes on at the service, and no last event comes."""
        self._left.set()
        self._client.abort()
        self._listener.abort()

    def events(self) -> Iterator[AnyEvent]:
        """Submit, and give what happens until the run's last event.

        Raises:
            ServiceFault: the graph was not taken: refused (`GraphRefusedError`), or no service to
                take it. Whatever happens after it was taken is an event.
        """
        try:
            yield from self._walk()
        except ServiceFault:
            if not self._left.is_set():
                raise
        finally:
            self._listener.close()
            self._client.close()

    def _walk(self) -> Iterator[AnyEvent]:
        if self._stop.is_set() and not self._submitted:
            yield Interrupted(ident=self.prompt.ident, asked=True)
            return
        self._listener.open()
        if not self._submitted:
            self._take(self._submit())
        self._answered_at = self._clock.monotonic()
        turn = self._ask
        while not self._left.is_set():
            for event in turn():
                yield event
                if isinstance(event, LAST):
                    return
            turn = self._next

    def _take(self, taken: Taken | None) -> None:
        self._submitted = True
        if taken is None:
            return
        self._tracker.dropped = taken.dropped
        self._tracker.ident = taken.ident

    def _submit(self) -> Taken | None:
        """Submit once; None where the answer was lost and the prompt is there nevertheless."""
        try:
            return self._calls.submit(self.prompt)
        except (ServiceTimeoutError, ServiceUnreachableError) as error:
            if error.code in {"web.refused", "web.no-host", "web.address", "web.connect-timeout"}:
                raise
            self._look_for_it(error)
            return None

    def _look_for_it(self, error: ServiceFault) -> None:
        """Find out whether the service took a submission whose answer never came.

        Raises:
            EditRefusedError: it did not (`edit.not-submitted`), or nobody can tell
                (`edit.submit-unknown`).
        """
        address, until = self._client.address, self._clock.monotonic() + self._pace.sure
        answered = False
        while not self._left.is_set():
            try:
                if self._is_there():
                    return
                answered = True
            except ServiceFault:
                answered = False
            if self._clock.monotonic() >= until:
                break
            self._rest(_LOOK_AROUND)
        code = "edit.not-submitted" if answered else "edit.submit-unknown"
        raise refused(code, error.title, address=address) from error

    def _is_there(self) -> bool:
        ident = self.prompt.ident
        return self._calls.place(ident).where != "nowhere" or self._calls.ended(ident) is not None

    def _next(self) -> list[AnyEvent]:
        """Hear one message, or ask where it is time to; give what that means."""
        before = self._tracker.remaining
        message = self._listener.hear(_LOOK_AROUND)
        events = self._tracker.hear(message) if message is not None else []
        if self._stop.is_set() and not self._cancelled:
            self._try_to_cancel()
        moved = not self._tracker.started and self._tracker.remaining != before
        if self._tracker.over or moved or self._due(heard=message is not None):
            events += self._ask()
        return events

    def _due(self, *, heard: bool) -> bool:
        if heard and self._tracker.started:
            # It is heard and at work: nothing to ask for.
            self._asked_at = self._clock.monotonic()
            return False
        every = self._pace.quiet if self._listener.hears else self._pace.deaf
        return self._clock.monotonic() - self._asked_at >= every

    def _try_to_cancel(self) -> None:
        self._tracker.asked_to_cancel = True
        if self._cancel_at is None:
            self._cancel_at = self._clock.monotonic()
        try:
            self._calls.cancel(self._tracker.ident)
        except ServiceFault:
            # The service is away: asked again at the next turn.
            self._rest(_LOOK_AROUND)
            return
        self._cancelled = True
        self._asked_at = float("-inf")

    def _ask(self) -> list[AnyEvent]:
        """Ask queue and history where it is; in this order, as it goes from one to the other."""
        self._asked_at = self._clock.monotonic()
        ident = self._tracker.ident
        try:
            place = Place("nowhere") if self._tracker.over else self._calls.place(ident)
            ended = self._calls.ended(ident) if place.where == "nowhere" else None
        except ServiceFault as error:
            return self._unanswered(error)
        self._answered_at = self._clock.monotonic()
        if ended is not None:
            return [self._tracker.ended(ended)]
        if place.where == "running":
            self._missing_since = None
            return self._is_running()
        if place.where == "pending":
            self._missing_since = None
            return self._tracker.waits(place.ahead)
        return self._missing()

    def _is_running(self) -> list[AnyEvent]:
        """The queue says that it runs; its messages say more, and have their chance to come."""
        now = self._clock.monotonic()
        if self._running_since is None:
            self._running_since = now
        patient = self._listener.hears and now - self._running_since < self._pace.quiet
        return [] if patient else self._tracker.runs()

    def _missing(self) -> list[AnyEvent]:
        """Neither in the queue nor in the history: look once more before it is given up."""
        now = self._clock.monotonic()
        if self._missing_since is None:
            self._missing_since = now
        if now - self._missing_since < self._pace.deaf:
            self._asked_at = float("-inf")
            self._rest(min(_LOOK_AROUND, self._pace.deaf / 2))
            return []
        # Its queue and history live in the service's memory: gone after a new start.
        code = "edit.restarted" if self._was_down or self._tracker.started else "edit.removed"
        return [self._tracker.gone(code)]

    def _unanswered(self, error: ServiceFault) -> list[AnyEvent]:
        self._was_down = self._was_down or isinstance(error, ServiceUnreachableError)
        now = self._clock.monotonic()
        silent = now - self._answered_at
        if self._cancel_at is not None and min(silent, now - self._cancel_at) >= self._pace.heed:
            ident = self._tracker.ident
            return [Interrupted(ident=ident, asked=True, heard=self._cancelled)]
        if silent >= self._pace.gone:
            return [self._tracker.gone("edit.gone", size=format_duration(silent))]
        if self._tracker.started or self._listener.hears:
            return []
        return self._tracker.waits(NO_PLACE)

    def _rest(self, seconds: float) -> None:
        self._left.wait(seconds)
