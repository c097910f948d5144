"""Carrying a load run out: its requests, then its report; both go on after a kill."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from actions.load.carried import carried
from actions.load.course import CANCEL, LEAVE, Course, Turn
from actions.load.finishing import Seen, finish
from actions.load.kinds import course
from actions.load.ledger import Begun, Happened, Ledger, Past, Read
from actions.load.model import Incident, LoadRequest, Result, Sample
from actions.load.planning import load_plan
from actions.load.sending import EditSender
from actions.load.telling import now_of, words_of
from actions.load.watch import Told, Watch
from actions.plan import Asker, Plan, Step
from actions.session import Session
from actions.step_thread import Outcome, Talk, Work
from actions.trouble import DroppedStepError, PausedStepError
from console.errors import RefusedError
from console.store.edits import EditRecords, Filter
from console.unknown import plain

_TELL_SECONDS = 0.25
_FIRST_LOOK_SECONDS = 8.0


class LoadVerbs:
    """Plans and performs `load`; what a run has seen is kept here from step to step."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: dict[str, Seen] = {}

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan of a load run; nothing is sent by it.

        Raises:
            UsageError: no such workflow or service, or an option that makes no sense.
            ConsoleError: a picture cannot be used, or a service does not answer.
        """
        return load_plan(self._session, verb, name, options, asker)

    def replan(self, plan: Plan) -> Plan:
        """Give the plan itself: its steps look at what is true when they begin."""
        return plan

    def work(self, plan: Plan, step: Step) -> Work:
        """Give what carries a step out."""
        if step.id == "report":
            return ReportWork(self._session, plan, self._seen.get(plan.id))
        return LoadWork(self._session, plan, self._seen)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say how far a run came."""
        past = Ledger(self._session.places.state_dir, plan.id).read()
        return {"text": f"{len(past.results)} of {carried(plan.options).requests} are over"}

    def rollback(self, plan: Plan, done: Sequence[Step], broken: Step | None) -> tuple[Step, ...]:  # noqa: ARG002 -- nothing is taken back
        """Give no steps: pictures that were made are kept."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002 -- see below
        """Refuse: edits are removed by a plan of their own.

        Raises:
            RefusedError: always (`undo.none`).
        """
        raise RefusedError(
            "undo.none",
            f"the last plan was load {plan.target}: its pictures are kept as edits",
            f"gpuconsole gallery list --group {plan.id} lists them",
        )

    def drop(self, plan: Plan) -> str:
        """Cancel what nobody watches any more, and write the report of what the run came to."""
        _cancel_left(self._session, plan)
        seen = self._seen.get(plan.id)
        if seen is None:
            request = carried(plan.options)
            past = Ledger(self._session.places.state_dir, plan.id).read()
            seen = Seen(
                results=_with_the_rest(request, tuple(past.results.values())),
                samples=tuple(past.samples),
                incidents=tuple(past.incidents),
            )
        made = finish(self._session, plan, seen)
        where = f"; the report is {made.report}" if made.report else ""
        return f"{made.sentence}{where}"


class LoadWork:
    """Sends the requests of a run, and watches the host meanwhile."""

    def __init__(self, session: Session, plan: Plan, seen: dict[str, Seen]) -> None:
        self._session = session
        self._plan = plan
        self._request = carried(plan.options)
        self._seen = seen
        self._aborted = threading.Event()
        self._ledger = Ledger(session.places.state_dir, plan.id)

    def run(self, talk: Talk) -> Outcome:
        """Send them all, and give how many succeeded.

        Raises:
            DroppedStepError: somebody cancelled; those under way were broken off.
            PausedStepError: this process has to go; what was sent is looked for by the next.
        """
        past = self._ledger.read()
        self._ledger.open()
        now = self._session.clock.now()
        self._ledger.write(Begun(at=now))
        # The clock may have been set back meanwhile: time goes on all the same.
        since = 0.0 if past.begun_at is None else (now - past.begun_at).total_seconds()
        with self._host(max(since, past.last), past) as watch:
            results = self._send(watch, past, talk)
        watch.see()
        seen = Seen(
            results=results,
            samples=watch.samples(),
            incidents=watch.incidents(),
            cards={edit.service: watch.card_of(edit.service) for edit in self._request.edits},
        )
        return self._ended(seen, self._stop(talk))

    def abort(self) -> None:
        """Let this process go: what was sent goes on at its service."""
        self._aborted.set()

    def _ended(self, seen: Seen, stopped: str) -> Outcome:
        if stopped == LEAVE and len(seen.results) < self._request.requests:
            self._ledger.close()
            over = f"{len(seen.results)} of {self._request.requests} are over"
            raise PausedStepError("load.left", f"{over}; the rest goes on with the next gpuconsole")
        self._seen[self._plan.id] = seen
        self._ledger.close()
        done = sum(one.state == "done" for one in seen.results)
        if stopped == CANCEL:
            cancelled = sum(one.state == "cancelled" for one in seen.results)
            raise DroppedStepError("load.cancelled", f"{done} were done, {cancelled} cancelled")
        return Outcome(f"{done} of {self._request.requests} succeeded", {})

    @contextlib.contextmanager
    def _host(self, offset: float, past: Past) -> "Iterator[Watch]":
        """Watch the host for as long as the block lasts."""
        from actions.live import LiveHost

        every = course().look_seconds
        live = LiveHost(self._session, min(every, self._session.settings.ui.interval))
        watch = Watch(
            live.snapshot,
            [edit.service for edit in self._request.edits],
            self._session.clock,
            offset,
            _Noted(self._ledger),
        )
        watch.take(past.samples, past.incidents)
        if past.begun_at is not None and offset > past.last:
            watch.add(Incident(kind="console-away", begun=past.last, ended=round(offset, 2)))
        live.subscribe(watch.stir)
        live.start()
        thread = threading.Thread(target=watch.run, args=(every,), name="load-watch", daemon=True)
        try:
            self._first_look(watch)
            thread.start()
            yield watch
        finally:
            watch.end()
            live.stop()

    def _first_look(self, watch: Watch) -> None:
        """Look until each service has answered, or had its time: what comes is compared to it."""
        clock, pause = self._session.clock, threading.Event()
        until = clock.monotonic() + _FIRST_LOOK_SECONDS
        names = [edit.service for edit in self._request.edits]
        while clock.monotonic() < until:
            watch.see()
            several = [watch.status(name) for name in names]
            if watch.samples() and all(one is not None and one.reading for one in several):
                return
            pause.wait(0.05)

    def _send(self, watch: Watch, past: Past, talk: Talk) -> tuple[Result, ...]:
        request = self._request
        sender = EditSender(self._session, self._plan.id, request, watch.host)
        services = [edit.service for edit in request.edits]
        if request.discard:
            sender.discard_all()
        run = Course(
            services,
            request.at_once,
            sender,
            watch,
            self._ledger,
            patience=request.patience,
            discard=request.discard,
            stop=partial(self._stop, talk),
        )
        results: list[Result] = []

        def work() -> None:
            results.extend(run.run(_turns(request, services, past), tuple(past.results.values())))

        thread = threading.Thread(target=work, name="load-course", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_TELL_SECONDS)
            progress = run.progress()
            talk.tell(words_of(progress))
            talk.report(now_of(self._plan.id, progress, watch))
        sender.tidy()
        return tuple(results)

    def _stop(self, talk: Talk) -> str:
        if self._aborted.is_set():
            return LEAVE
        if not talk.cancelled():
            return ""
        return LEAVE if talk.pausing() else CANCEL


class ReportWork:
    """Works the figures out, and writes the report."""

    def __init__(self, session: Session, plan: Plan, seen: Seen | None) -> None:
        self._session = session
        self._plan = plan
        self._seen = seen

    def run(self, talk: Talk) -> Outcome:
        """Write it, and give the run's figures as data."""
        talk.tell("writing the report")
        seen = self._seen
        if seen is None:  # the process that sent them was killed before it wrote this
            past = Ledger(self._session.places.state_dir, self._plan.id).read()
            seen = Seen(
                results=tuple(past.results[number] for number in sorted(past.results)),
                samples=tuple(past.samples),
                incidents=tuple(past.incidents),
            )
        made = finish(self._session, self._plan, seen)
        where = f" The report is {made.report}." if made.report else ""
        return Outcome(f"{made.sentence}{where}", plain(made))

    def abort(self) -> None:
        """Nothing of it waits for anybody."""


class _Noted(Told):
    """Writes down what a watch sees."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def read(self, sample: Sample) -> None:
        """Write a reading of the cards down."""
        self._ledger.write(Read(at=sample.at, cards=sample.cards))

    def happened(self, number: int, incident: Incident) -> None:
        """Write an incident down."""
        self._ledger.write(Happened(key=number, incident=incident))


def _turns(request: LoadRequest, services: Sequence[str], past: Past) -> tuple[Turn, ...]:
    """Give what is to be sent still; what an earlier process has sent is looked for first."""
    turns = []
    for number in range(1, request.requests + 1):
        if number in past.results:
            continue
        seed, sent = request.seed + number - 1, past.sent.get(number)
        if sent is None or sent.service not in services:
            turns.append(Turn(number, seed))
        else:
            lane = services.index(sent.service)
            turns.append(Turn(number, seed, sent.attempt - 1, sent.edit_id, lane))
    return tuple(sorted(turns, key=lambda turn: not turn.edit_id))


def _cancel_left(session: Session, plan: Plan) -> None:
    """Cancel the edits of a run that stopped, at their services too where those answer."""
    from actions.edits.running import cancel_left

    open_ones = Filter(group=plan.id, states=("queued", "running"))
    for edit in EditRecords(session.store).find(open_ones, limit=-1):
        cancel_left(session, edit)


def _with_the_rest(request: LoadRequest, results: Sequence[Result]) -> tuple[Result, ...]:
    """Give what came of all requests, where those that are not over were given up."""
    by_number = {one.number: one for one in results}
    return tuple(
        by_number.get(number)
        or Result(number=number, seed=request.seed + number - 1, service="", state="cancelled")
        for number in range(1, request.requests + 1)
    )
