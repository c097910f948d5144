"""The journal of plans: what was asked, what happened, how it ended, as the store keeps it."""

from datetime import datetime
from typing import Any

import msgspec

from actions.edit_now import EditNow
from actions.plan import (
    AnyEvent,
    Plan,
    PlanDone,
    PlanFailed,
    StepFinished,
    StepProgress,
    StepStarted,
)
from actions.session import Session
from actions.transfer import Transfer
from console.host.boot import boot_id
from console.store.markers import Markers
from console.store.plans import OPEN_STATES, RESUMED, PlanRecords
from console.store.rows import EventRow, PlanRow
from console.store.timeline import TimelineRecords
from console.unknown import iso_time

FINAL = (PlanDone, PlanFailed)
TAKE_UP = "take-up"
OPERATOR = "operator"


class Journal:
    """Writes plans and events in the store's terms and reads them back in ours."""

    def __init__(self, session: Session) -> None:
        self.store = session.store
        self._clock = session.clock
        self._root = session.root
        self.markers = Markers(session.places)
        self.plans = PlanRecords(self.store)
        self.timeline = TimelineRecords(self.store)

    def save(self, plan: Plan) -> None:
        """Save a plan before anything of it happens."""
        boot = boot_id(self._root) if plan.endless else ""
        self.plans.add(plan.id, msgspec.to_builtins(plan), "queued", self._clock.now(), boot)
        if plan.endless:
            self.markers.put(plan.id)

    def begin(self, plan: Plan, pid: int) -> bool:
        """Note that process `pid` runs the plan; False where another one does already."""
        begun = self.plans.begin(plan.id, pid, self._clock.now())
        if begun:
            self._on_timeline(plan, "running", "", None)
        return begun

    def write(self, event: AnyEvent) -> None:
        """Journal an event before anybody else sees it."""
        body = msgspec.to_builtins(event)
        kind = str(body["event"])
        self.plans.add_event(event.plan_id, kind, body.get("step_id", ""), body, event.at)

    def finish(self, plan: Plan, event: PlanDone | PlanFailed, left: dict[str, Any]) -> bool:
        """Journal a plan's end, and in what state it left its target.

        Returns:
            False where it had ended before.
        """
        outcome = "done" if isinstance(event, PlanDone) else event.outcome
        text = event.text if isinstance(event, PlanDone) else _failure_text(event)
        row = self.plans.get(plan.id)
        begun = row.started_at if row else None
        seconds = (event.at - begun).total_seconds() if begun else None
        body = msgspec.to_builtins(event)
        note = _note(plan, outcome, text, event.at)
        ended = self.plans.end(plan.id, outcome, (body["event"], body), event.at, left, note)
        if ended:
            self._on_timeline(plan, outcome, text, seconds)
        if ended and plan.endless:
            self._mark(plan.id, outcome)
        return ended

    def requeue(self, plan: Plan, by: str) -> bool:
        """Make a plan that stopped one that waits for its process again, under its own id.

        Args:
            plan: one without an end of its own, such as a download.
            by: `operator`, or `take-up` where nobody asked for it.

        Returns:
            False where it had not stopped, or another console was faster.
        """
        before, at_bytes = self.resumed(plan.id), self.got_to(plan.id)
        body = {"by": by, "bytes_done": at_bytes, "in_vain": 0}
        if before is not None and by == TAKE_UP and at_bytes <= before[1].get("bytes_done", 0):
            body["in_vain"] = int(before[1].get("in_vain", 0)) + 1
        done = self.plans.requeue(plan.id, body, self._clock.now(), boot_id(self._root))
        if done:
            self.markers.put(plan.id)
        return done

    def give_up(self, plan: Plan, event: PlanFailed) -> bool:
        """Journal that a plan which had stopped is not gone on with any more.

        Returns:
            False where it had not stopped, or another console was faster.
        """
        body = msgspec.to_builtins(event)
        given_up = self.plans.give_up(plan.id, (body["event"], body), event.at)
        if given_up:
            self._on_timeline(plan, event.outcome, _failure_text(event), None)
            self._mark(plan.id, event.outcome)
        return given_up

    def resumed(self, plan_id: str) -> tuple[datetime, dict[str, Any]] | None:
        """Give when a plan was gone on with last under its own id, and how; None for never.

        How is `by`, `bytes_done` then, and `in_vain`: how often in a row it was taken up before
        without a byte more than at the time before that.
        """
        rows = self.plans.events_of_kind(plan_id, RESUMED)
        return (rows[0].at, rows[0].body) if rows else None

    def transferred(self, plan_id: str) -> Transfer | None:
        """Give the newest figures of a download, of whatever attempt; None before the first."""
        for row in self.plans.events_of_kind(plan_id, "step_progress"):
            event = _as_event(row)
            if isinstance(event, StepProgress) and event.transfer is not None:
                return event.transfer
        return None

    def got_to(self, plan_id: str) -> int:
        """Give how far a plan without an end of its own came: bytes on disk, or edits that ended.

        More than before tells that it gets on from attempt to attempt.
        """
        moved = self.transferred(plan_id)
        if moved is not None:
            return moved.bytes_done
        edited = self.edited(plan_id)
        return 0 if edited is None else edited.done

    def edited(self, plan_id: str) -> EditNow | None:
        """Give the newest figures of an edit or a run of several; None before the first."""
        for row in self.plans.events_of_kind(plan_id, "step_progress"):
            event = _as_event(row)
            if isinstance(event, StepProgress) and event.edit is not None:
                return event.edit
        return None

    def refused(self, plan: Plan, event: PlanFailed) -> None:
        """Journal an attempt that was refused before it began."""
        if self.plans.get(plan.id) is None:
            self.save(plan)
        self.finish(plan, event, {})

    def plan(self, plan_id: str) -> tuple[Plan, PlanRow] | None:
        """Give a journalled plan and its row; None where the id is unknown or not readable."""
        row = self.plans.get(plan_id)
        plan = None if row is None else as_plan(row)
        return None if row is None or plan is None else (plan, row)

    def events(self, plan_id: str, after: int = 0) -> tuple[tuple[int, AnyEvent], ...]:
        """Give a plan's events after number `after`, each with its number, oldest first."""
        decoded = ((row.number, _as_event(row)) for row in self.plans.events(plan_id, after))
        return tuple((number, event) for number, event in decoded if event is not None)

    def under_way(self) -> tuple[PlanRow, ...]:
        """Give the plans that are queued or running as far as the journal knows."""
        return self.plans.newest(OPEN_STATES)

    def step_reached(self, plan_id: str) -> tuple[int, StepStarted | None, bool]:
        """Tell how far a plan came: the number of steps begun, the last, whether it finished.

        Steps that go back do not count, but the last may be one: it says so.
        """
        number, last, finished = 0, None, False
        for _, event in self.events(plan_id):
            if isinstance(event, StepStarted):
                number += not event.back
                last, finished = event, False
            elif isinstance(event, StepFinished):
                finished = True
        return number, last, finished

    def last_told(self, plan_id: str) -> str:
        """Give the newest of what a plan's steps told; empty before the first word."""
        told = [event for _, event in self.events(plan_id) if isinstance(event, StepProgress)]
        return told[-1].text if told else ""

    def end_of(self, plan_id: str) -> PlanDone | PlanFailed | None:
        """Give how a plan ended; None while it has not, and where nobody can read it any more."""
        ends = (event for _, event in self.events(plan_id) if isinstance(event, FINAL))
        return next(ends, None)

    def first_of(self, plan: Plan) -> Plan:
        """Give the plan that was interrupted first, where `plan` goes on with an interrupted one.

        Gives the plan itself where it goes on with none.
        """
        seen = {plan.id}
        while plan.continues and plan.continues not in seen:
            seen.add(plan.continues)
            found = self.plan(plan.continues)
            if found is None:
                break
            plan = found[0]
        return plan

    def _mark(self, plan_id: str, outcome: str) -> None:
        """Leave beside the database whether a plan waits to be taken up, or to be gone on with."""
        if outcome in {"interrupted", "needs_token"}:
            self.markers.put(plan_id)
        elif outcome == "paused":
            self.markers.hold(plan_id)
        else:
            self.markers.remove(plan_id)

    def _on_timeline(self, plan: Plan, outcome: str, text: str, seconds: float | None) -> None:
        self.timeline.put(
            at=self._clock.now(),
            kind="plan",
            subject=plan.target,
            subject_id=plan.target_id,
            plan_id=plan.id,
            body={
                "verb": plan.verb,
                "command": " && ".join(step.command for step in plan.steps),
                "user": plan.asker.user,
                "ssh_origin": plan.asker.ssh_origin,
                "via": plan.asker.via,
                "outcome": outcome,
                "text": text,
                "duration_seconds": seconds,
                "undoes": plan.undoes,
                "endless": plan.endless,
            },
        )


def as_plan(row: PlanRow) -> Plan | None:
    """Read a plan back from its row; None where it is not one of ours."""
    try:
        return msgspec.convert(row.body, Plan)
    except msgspec.ValidationError:
        return None


def _as_event(row: EventRow) -> AnyEvent | None:
    try:
        event: AnyEvent = msgspec.convert(row.body, AnyEvent)
    except msgspec.ValidationError:
        return None
    return event


def _failure_text(event: PlanFailed) -> str:
    return f"{event.title}; {event.text}" if event.text else event.title


def _note(plan: Plan, outcome: str, text: str, at: datetime) -> str:
    origin = f" from {plan.asker.ssh_origin}" if plan.asker.ssh_origin else ""
    return (
        f"{iso_time(at)} {plan.verb} {plan.target} {outcome}: {text} "
        f"[{plan.asker.user}{origin} by {plan.asker.via}, plan {plan.id}]"
    )
