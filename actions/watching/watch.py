"""`gpuconsole watch`: looks at the host until it is told to end, whatever the host does."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from actions.live import LiveHost
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.watching.delivery import PAUSES, Delivered, Delivery
from actions.watching.hysteresis import Change, Hysteresis, unseen_of
from actions.watching.recorder import Recorder
from actions.watching.stop import Stop
from actions.watching.telling import TEST, Teller, event_data, ways_of
from console.config.schema import WatchSettings
from console.errors import RefusedError
from console.files import read_limited, write_aside
from console.paths import ensure_private_dir
from console.store.bodies import safe, safe_text
from console.store.locks import Held, Holder, LockFolder
from console.store.rows import Happening
from console.unknown import Unknown, iso_time

log = logging.getLogger("gpuconsole.watching")

LOOK_SECONDS = 2.0
END_PATIENCE_SECONDS = 2.0
OLD_SECONDS = 60.0
"""What happened so long before it is said is said with its time."""
BROKEN = "engine.internal"
_FAULT_PAUSE_SECONDS = 10.0
_STATE_LIMIT = 1 << 20


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a watch says as it goes.

    Attributes:
        event: `started`, `happened`, `raised`, `worse`, `cleared`, `told`, `not-told`, `problem`,
            `well`, `timeline` (who keeps it now), or `stopped`.
        text: the same for people.
        severity: of an alert or a happening: `error`, `warning`, `info` or `ok`.
        data: the rest of it.
    """

    event: str
    text: str
    severity: str = "info"
    data: dict[str, Any] = {}


def _nothing() -> None:
    """Do nothing between two looks."""


class Watch:
    """One watch: keeps the timeline if nobody else does, and tells alerts.

    Args:
        session: whose host and config it is.
        say: is called with what happens, from several threads, one at a time.
        idle: is called after each look, from the watch's own thread.
        look_seconds: between two looks.
        pauses: seconds between the tries to tell an event.
    """

    def __init__(
        self,
        session: Session,
        say: Callable[[Told], None],
        *,
        idle: Callable[[], None] = _nothing,
        look_seconds: float = LOOK_SECONDS,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._session = session
        self._say_it = say
        self._idle = idle
        self._saying = threading.Lock()
        self._look_seconds = look_seconds
        self._delivery = Delivery(session, self._delivered, pauses)
        self._settings: WatchSettings | None = None
        self._alerts: Hysteresis | None = None
        self._problem: Unknown | None = None
        self._writes = True
        self._memory = session.places.state_dir / "watch.json"
        self._live: LiveHost | None = None

    def run(self, stop: Stop) -> None:
        """Watch until `stop` is set.

        Raises:
            RefusedError: another watch of this user runs (`watch.running`).
        """
        lock = only_one(self._session)
        recorder = Recorder(self._session, "a watch keeps the timeline")
        try:
            self._begin(recorder)
            while not stop.is_set():
                pause = self._look(recorder)
                self._idle()
                stop.wait(pause)
        finally:
            self._end(recorder)
            lock.release()

    # -- looking ------------------------------------------------------------------------------

    def _begin(self, recorder: Recorder) -> None:
        self._live = self._open()
        ways = ways_of(self._session.settings.watch)
        tells = f"alerts go to the {' and the '.join(ways)}" if ways else "alerts go nowhere else"
        self._say(Told(event="started", text=f"watching; {tells}", data={"ways": list(ways)}))
        findings = self._session.config.findings
        if findings:
            title = f"the config has mistakes: {findings[0].where}{findings[0].title}"
            self._say(Told(event="problem", text=title, severity="error"))
        recorder.note("started", "gpuconsole watch was started")

    def _open(self) -> LiveHost:
        live = LiveHost(self._session)
        live.start()
        return live

    def _look(self, recorder: Recorder) -> float:
        """Look once; a fault of ours is logged and not the end. Gives the pause after it."""
        try:
            assert self._live is not None  # noqa: S101 -- opened at the beginning
            snapshot = self._live.snapshot()
            # First the alerts: whatever keeps the timeline from being written is no reason to keep
            # them back.
            self._tell(snapshot)
            for happening in recorder.look(snapshot):
                self._happened(happening)
            self._note_problem(recorder.problem)
            self._note_writer(recorder.writes)
            if snapshot.engine.problem is not None and snapshot.engine.problem.code == BROKEN:
                self._live.stop()
                self._live = self._open()
        except Exception as error:
            log.exception("a look of the watch failed")
            name = type(error).__name__
            title = f"something went wrong inside gpuconsole ({name}); watching goes on"
            self._say(Told(event="problem", text=title, severity="error"))
            return _FAULT_PAUSE_SECONDS
        return self._look_seconds

    def _end(self, recorder: Recorder) -> None:
        if self._live is not None:
            self._live.stop()
        self._delivery.stop(END_PATIENCE_SECONDS)
        try:
            recorder.note("stopped", "gpuconsole watch was stopped")
            recorder.close()
        except Exception:
            log.exception("the end of the watch could not be written")
        self._say(Told(event="stopped", text="stopped"))

    # -- alerts -------------------------------------------------------------------------------

    def _tell(self, snapshot: HostSnapshot) -> None:
        now = self._session.clock.monotonic()
        alerts = self._hysteresis()
        changes = alerts.look(snapshot.alerts, now, unseen_of(snapshot.unavailable))
        if not changes:
            return
        self._remember(alerts)
        for change in changes:
            self._delivery.send(event_data(self._session, change))
            self._say(_said(change))

    def _hysteresis(self) -> Hysteresis:
        """Give what decides, made anew when the config changed; what was told stays told."""
        settings = self._session.settings.watch
        if self._alerts is None or settings != self._settings:
            told = self._alerts.told() if self._alerts is not None else self._recall()
            self._settings = settings
            self._alerts = Hysteresis(
                settings.raise_after, settings.clear_after, settings.severity, settings.ignore
            )
            self._alerts.remember(told)
        return self._alerts

    def _recall(self) -> dict[str, Any]:
        """Give what an earlier watch has told: a restart of ours is no news to anybody."""
        try:
            told = msgspec.json.decode(read_limited(self._memory, _STATE_LIMIT))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _remember(self, alerts: Hysteresis) -> None:
        if ensure_private_dir(self._memory.parent) is not None:
            return
        try:
            write_aside(self._memory, msgspec.json.encode(alerts.told()), durable=False)
        except OSError as error:
            log.warning("what was told cannot be kept: %s", error.strerror or error)

    def _delivered(self, end: Delivered) -> None:
        about = _about(end.data)
        if end.problem is None:
            self._say(
                Told(event="told", text=f"told the {end.way}: {about}", data={"way": end.way})
            )
            return
        more = "" if end.again is None else f"; again in {end.again:g} s"
        given_up = "" if end.again is not None else "; given up"
        text = f"the {end.way} was not told ({about}): {end.problem.title}{more}{given_up}"
        data = {"way": end.way, "again_seconds": end.again, **msgspec.structs.asdict(end.problem)}
        self._say(Told(event="not-told", text=text, severity="error", data=data))
        log.warning("%s", text)

    # -- saying -------------------------------------------------------------------------------

    def _happened(self, one: Happening) -> None:
        # Alerts are said by whoever tells them; the timeline has its own idea of when.
        if one.kind in {"alert", "watch"}:
            return
        # The engine remembers what happened hours ago: it is said now, but is no news.
        old = (self._session.clock.now() - one.at).total_seconds() >= OLD_SECONDS
        when = f" (at {one.at.astimezone():%Y-%m-%d %H:%M:%S})" if old else ""
        self._say(
            Told(
                event="happened",
                text=f"{one.subject}: {one.body['text']}{when}",
                severity=str(one.body["outcome"]),
                data={
                    "kind": one.kind,
                    "subject": one.subject,
                    "subject_id": one.subject_id,
                    "happened_at": iso_time(one.at),
                    "verb": one.body["verb"],
                },
            )
        )

    def _note_problem(self, problem: Unknown | None) -> None:
        """Say once that nothing is kept, and once that it is again."""
        before, self._problem = self._problem, problem
        if problem is not None and (before is None or before.code != problem.code):
            data = msgspec.structs.asdict(problem)
            self._say(Told(event="problem", text=problem.title, severity="error", data=data))
        elif problem is None and before is not None:
            self._say(Told(event="well", text="what happened is kept on the disk again"))

    def _note_writer(self, writes: bool) -> None:
        """Say where the timeline is kept when that is elsewhere, or here again."""
        before, self._writes = self._writes, writes
        if writes != before:
            text = "an open console keeps the timeline and its happenings; alerts are told here"
            text = "the timeline is kept here again" if writes else text
            self._say(Told(event="timeline", text=text, data={"here": writes}))

    def _say(self, told: Told) -> None:
        masked = msgspec.structs.replace(told, text=safe_text(told.text), data=safe(told.data))
        with self._saying:
            self._say_it(masked)


def only_one(session: Session) -> Held:
    """Take the lock of the one watch.

    Raises:
        RefusedError: another one has it (`watch.running`).
    """
    asker = session.asker("")
    holder = Holder(
        pid=os.getpid(),
        user=asker.user,
        host=socket.gethostname(),
        plan_id="",
        since=iso_time(session.clock.now()),
        what="gpuconsole watch",
    )
    got = LockFolder(session.places).acquire(["watch"], holder)
    if isinstance(got, Held):
        return got
    who = "" if got.holder is None else f" (process {got.holder.pid}, since {got.holder.since})"
    raise RefusedError(
        "watch.running",
        f"a watch of this user runs already{who}",
        "One is enough: `systemctl --user status gpuconsole-watch` shows it if it is the service",
    )


def try_ways(session: Session) -> Iterator[Delivered]:
    """Tell a test event by every way that is set, once, and give what came of each."""
    data = event_data(session, Change(event="test", alert=TEST))
    for way in ways_of(session.settings.watch):
        yield Delivered(way=way, data=data, problem=Teller(session, way).tell(data))


def _said(change: Change) -> Told:
    alert = change.alert
    over = change.event == "cleared"
    text = f"{alert.subject.rstrip(':')} {alert.title}".strip()
    return Told(
        event=change.event,
        text=f"over: {text}" if over else text,
        severity="ok" if over else alert.severity,
        data={
            "id": alert.id,
            "subject": alert.subject.rstrip(":"),
            "subject_id": alert.subject_id,
            "title": alert.title,
            "hint": alert.hint,
        },
    )


def _about(data: object) -> str:
    inner = data.get("data") if isinstance(data, dict) else None
    return f"{inner.get('event')} {inner.get('id')}" if isinstance(inner, dict) else "an event"
