"""One picture on one Forge, from the request to its end.

Forge gives the picture in the answer to the request, which takes as long as the picture does; what
happens meanwhile is asked for beside it. There is no queue to look into: others' jobs come first.
"""

import threading
from collections.abc import Callable, Iterator

import msgspec

from console.clock import Clock, SystemClock
from console.edits.events import (
    NO_ESTIMATE,
    AnyEvent,
    Failed,
    Finished,
    Interrupted,
    Preview,
    Progress,
    Queued,
    Started,
)
from console.edits.result import Picture
from console.edits.words import Trouble, refused, trouble
from console.forge.pictures import Made, Now, PictureRequest, parse_made, parse_now
from console.unknown import Unknown
from console.web.client import WebClient
from console.web.faults import (
    BadStatusError,
    NeedsAuthError,
    ServiceFault,
    ServiceUnreachableError,
)

_NOT_SENT = {"web.refused", "web.no-host", "web.address", "web.connect-timeout", "web.tls"}
_LARGE = 256 << 20
_ASK_PATIENCE = 5.0
_UNKNOWN_AHEAD = Unknown("forge.no-queue", "Forge does not tell how many wait before it")


class ForgePace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between two looks at the progress, and the most that a picture may take.

    A run that was to be cancelled is given up once Forge has not answered for `heed` seconds.
    """

    look: float = 1.0
    longest: float = 3600.0
    heed: float = 30.0


class ForgeRun:
    """One run; `events()` is walked once, by one thread; the rest is for any thread.

    Args:
        connect: makes a client of the service; called twice: the request holds one of them.
        request: what to make.
    """

    def __init__(
        self,
        connect: Callable[[], WebClient],
        request: PictureRequest,
        *,
        clock: Clock | None = None,
        pace: ForgePace | None = None,
    ) -> None:
        self.request = request
        self._clock = clock or SystemClock()
        self._pace = pace or ForgePace()
        self._asking, self._making = connect(), connect()
        self._stop = threading.Event()
        self._left = threading.Event()
        self._answered = threading.Event()
        self._made: Made | None = None
        self._fault: ServiceFault | None = None
        self._others_mark: str | None = None
        self._started_at: float | None = None
        self._interrupted = False
        self._silent_since: float | None = None
        self._queued = False
        self._step = (0, 0)
        self._picture = b""

    def cancel(self) -> None:
        """Have it broken off; while somebody else's picture is made first, as soon as it begins."""
        self._stop.set()

    def leave(self) -> None:
        """Stop watching at once. Forge goes on, but nobody gets the picture: it lies there only."""
        self._left.set()
        self._answered.set()
        self._asking.abort()
        self._making.abort()

    def events(self) -> Iterator[AnyEvent]:
        """Ask for the picture, and give what happens until the run's last event.

        Raises:
            ServiceFault: the request was not taken: refused (`forge.refused`), a login in the way,
                or no service to take it. Whatever happens later is an event.
        """
        try:
            yield from self._walk()
        finally:
            self._asking.close()

    def _walk(self) -> Iterator[AnyEvent]:
        if self._stop.is_set():
            yield Interrupted(ident=self.request.ident, asked=True)
            return
        before = self._look()
        if before is not None and before.busy and not isinstance(before.busy, Unknown):
            self._others_mark = before.begun
        threading.Thread(target=self._make, name="forge-picture", daemon=True).start()
        while not self._answered.wait(self._pace.look):
            yield from self._watch()
            if self._unheeded():
                self.leave()
                yield Interrupted(ident=self.request.ident, asked=True, heard=self._interrupted)
        if self._left.is_set():
            return
        if self._started_at is None and self._fault is None:
            yield Started(ident=self.request.ident)
        yield self._last()

    def _make(self) -> None:
        """Send the request and wait for its answer, in a thread of its own."""
        path = f"/sdapi/v1/{self.request.kind}"
        try:
            answer = self._making.ask(
                "POST", path, self.request.body(), limit=_LARGE, patience=self._pace.longest
            )
            self._made = parse_made(self._making.parsed(self._making.judged(answer)))
        except ServiceFault as error:
            self._fault = error
        finally:
            self._making.close()
            self._answered.set()

    def _look(self) -> Now | None:
        """Ask for the progress; None where Forge does not answer, which it may be too busy to."""
        try:
            answer = self._asking.get("/sdapi/v1/progress", limit=_LARGE, patience=_ASK_PATIENCE)
            return parse_now(self._asking.parsed(answer))
        except ServiceFault:
            return None

    def _watch(self) -> Iterator[AnyEvent]:
        now = self._look()
        if now is None and self._stop.is_set():
            self._silent_since = self._silent_since or self._clock.monotonic()
        if now is None or self._answered.is_set():
            return
        self._silent_since = None
        if not self._is_ours(now):
            if now.busy is True and not self._queued:
                self._queued = True
                yield Queued(ident=self.request.ident, ahead=_UNKNOWN_AHEAD)
            return
        if self._started_at is None:
            self._started_at = self._clock.monotonic()
            yield Started(ident=self.request.ident)
        self._interrupt_where_asked()
        yield from self._progress(now)

    def _unheeded(self) -> bool:
        """Tell whether Forge has not answered for too long since this was to be broken off."""
        since = self._silent_since
        return since is not None and self._clock.monotonic() - since >= self._pace.heed

    def _is_ours(self, now: Now) -> bool:
        """Tell whether the job under way is this one: by its name, else by its being a new one."""
        if now.busy is not True:
            return False
        if now.task:
            return now.task == self.request.ident
        if self._others_mark is not None and now.begun == self._others_mark:
            return False
        self._others_mark = None
        return True

    def _progress(self, now: Now) -> Iterator[AnyEvent]:
        job = now.job
        if job is not None and isinstance(job.step, int) and isinstance(job.steps, int):
            step = (job.step, job.steps)
            if step != self._step and job.step > 0:
                self._step = step
                yield Progress(
                    ident=self.request.ident, node="", step=job.step, steps=job.steps,
                    left_seconds=job.left_seconds,
                )  # fmt: skip
        if now.preview is not None and now.preview.data != self._picture:
            self._picture = now.preview.data
            yield Preview(ident=self.request.ident, data=now.preview.data, media=now.preview.media)

    def _interrupt_where_asked(self) -> None:
        """Break off our own job; Forge breaks off whatever runs, so it has to be ours."""
        if not self._stop.is_set() or self._interrupted:
            return
        try:
            self._asking.post("/sdapi/v1/interrupt", patience=_ASK_PATIENCE)
        except ServiceFault:
            # Asked again at the next look.
            return
        self._interrupted = True

    def _last(self) -> Finished | Failed | Interrupted:
        if self._fault is not None:
            return self._failed(self._fault)
        made = self._made or Made(pictures=())
        if self._interrupted:
            return Interrupted(ident=self.request.ident, asked=True, pictures=made.pictures)
        if not made.pictures:
            told = trouble("forge.no-picture", made.info, address=self._making.address)
            return self._ended(told)
        return self._finished(made.pictures, made.info)

    def _finished(self, pictures: tuple[Picture, ...], info: str) -> Finished:
        since = self._started_at
        seconds = NO_ESTIMATE if since is None else self._clock.monotonic() - since
        return Finished(ident=self.request.ident, pictures=pictures, seconds=seconds, info=info)

    def _failed(self, error: ServiceFault) -> Failed:
        """Tell how the request failed.

        Raises:
            ServiceFault: it was never taken.
        """
        address = self._making.address
        if isinstance(error, NeedsAuthError) or error.code in _NOT_SENT:
            raise error
        if isinstance(error, BadStatusError) and error.status in {400, 404, 405, 413, 422}:
            raise refused("forge.refused", error.detail, address=address, said=error.detail)
        if "out of memory" in error.detail.lower() or "OutOfMemory" in error.detail:
            return self._ended(trouble("edit.out-of-memory", error.detail, kind="Forge"))
        if isinstance(error, ServiceUnreachableError):
            return self._ended(trouble("forge.lost-answer", error.title, address=address))
        return self._ended(
            Trouble(code=error.code, title=error.title, hint=error.hint, detail=error.detail)
        )

    def _ended(self, told: Trouble) -> Failed:
        return Failed(
            ident=self.request.ident, code=told.code, title=told.title, hint=told.hint,
            detail=told.detail,
        )  # fmt: skip
