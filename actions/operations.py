"""What an operator can do and watch: plan, run, follow, cancel, undo; the same for every view."""

import subprocess
import threading
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from actions import endings, gate
from actions.executor import Executor
from actions.follow import Follower
from actions.journal import Journal
from actions.plan import AnyEvent, Plan, PlanDone, StepProgress
from actions.session import Session
from actions.timeline import TimelineEntry, read_timeline
from actions.verbs import locking_service, verbs_for, verbs_of
from console.errors import ConsoleError
from console.log import log_crash
from console.store.locks import LockFolder
from console.store.plans import OPEN_STATES
from console.unknown import Unknown

if TYPE_CHECKING:
    from actions.downloads import Download
    from actions.jobs import Job
    from actions.take_up import TakenUp


class RunningPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan under way.

    Attributes:
        since: when it began; None while it waits for its process.
        step: number of the step it is at, from 1; 0 before the first.
        text: what it last told.
        cancel_requested: somebody asked to cancel it.
    """

    plan: Plan
    since: datetime | None
    step: int
    text: str
    pid: int | None
    cancel_requested: bool


class Operations:
    """Plans and their runs, for one session; safe to use from several threads.

    Attributes:
        via: through what the operator asks: `cli` or `tui`.
    """

    def __init__(self, session: Session, via: str = "cli") -> None:
        self._session = session
        self.via = via

    @property
    def problem(self) -> Unknown | None:
        """Say what is wrong with journal or locks; None while all is well."""
        problem = self._session.store.problem
        return LockFolder(self._session.places).problem if problem is None else problem

    def survives(self, plan: Plan) -> bool:
        """Tell whether the run of a plan goes on when this program ends.

        It does not where the journal, through which its process learns of it, cannot be kept.
        """
        return plan.detached and self._session.store.durable

    def plan(self, verb: str, name: str, **options: Any) -> Plan:
        """Make the plan of a verb for what `name` means; nothing is changed by it.

        A name is a service's first, then a container's; a service's container by whatever name is
        the service.

        Args:
            verb: `start`, `stop`, `restart`, `move`, `set`, `free`, `switch`, `kill` or `shell`.
            name: of a service, a layout (`switch`) or a container, or a container's id or
                unambiguous beginning of an id.
            options: the verb's own, such as `timeout` in seconds (stop, restart) or `signal`
                (kill); None is not set.

        Raises:
            UsageError: unknown verb, name or option; ambiguous name.
            EngineError: the engine cannot be asked.
            RefusedError, UsageError: the gate's, where no plan can be made and none would run.
        """
        asker = self._session.asker(self.via)

        def make() -> Plan:
            verbs = verbs_of(self._session, verb, name)
            return locking_service(self._session, verbs.plan(verb, name, options, asker))

        return self._through_gate(make)

    def run(self, plan: Plan, cancelled: Callable[[], bool] | None = None) -> Iterator[AnyEvent]:
        """Run a plan and give its events as they come; the last is `PlanDone` or `PlanFailed`.

        A plan that may take long runs in a process of its own, a short one in a thread of this
        process; either goes on when the iterator is dropped. A refused plan, whether by the gate or
        by its checks, gives its refusal as the only event, and is journalled.

        Args:
            plan: as `plan()` gave it.
            cancelled: asked every moment; once true, the plan is asked to cancel.
        """
        journal = Journal(self._session)
        verbs = verbs_for(self._session, plan.verb, plan.subject)
        executor = Executor(self._session, journal, verbs)
        reason = gate.refusal(self._session) or plan.refusal
        if reason is not None:
            event = endings.refused(plan, reason, self._session.clock.now())
            journal.refused(plan, event)
            yield event
            return
        if not plan.steps:
            text = plan.checks[0].title if plan.checks else "nothing is to be done"
            now = self._session.clock.now()
            yield PlanDone(at=now, plan_id=plan.id, text=f"{plan.target}: {text}")
            return
        journal.save(plan)
        process: subprocess.Popen[bytes] | None = None
        if self.survives(plan):
            from actions.runner import start_runner

            try:
                process = start_runner(self._session, plan.id)
            except ConsoleError as error:
                journal.finish(
                    plan, endings.failed(plan, "failed", error, self._session.clock.now()), {}
                )
        else:
            if plan.detached:
                yield self._not_detached(plan)
            # No daemon thread: a program that ends waits for the few seconds this may take. But
            # nobody waits for a download, which keeps what it has.
            work = partial(_carry_out, self._session, executor, plan)
            name = f"plan-{plan.id}"
            threading.Thread(target=work, name=name, daemon=plan.endless).start()
        yield from Follower(self._session, journal).follow(plan.id, process, cancelled)

    def follow(
        self, plan_id: str, cancelled: Callable[[], bool] | None = None
    ) -> Iterator[AnyEvent]:
        """Give the events of a journalled plan from its first on, live until its last.

        Raises:
            UsageError: there is no such plan.
        """
        journal = Journal(self._session)
        from actions.undo import row_of

        row = row_of(journal, plan_id)
        yield from Follower(self._session, journal).follow(row.id, None, cancelled)

    def cancel(self, plan_id: str) -> bool:
        """Ask whoever runs a plan to cancel it; False where it is not under way.

        A download that has stopped is given up here and now: what it had is removed.

        Raises:
            RefusedError: this session may change nothing.
            UsageError: there is no such plan.
        """
        from actions.going_on import cancel

        return cancel(self._session, plan_id)

    def pause(self, plan_id: str) -> bool:
        """Ask a download to pause, which keeps what it has; False where it is not under way.

        Raises:
            RefusedError: it cannot be paused (`plan.not-pausable`), or this session may change
                nothing.
            UsageError: there is no such plan.
        """
        from actions.going_on import pause

        return pause(self._session, plan_id)

    def resume(self, plan_id: str) -> bool:
        """Go on with a download that has stopped, under its own id; False where it is under way.

        Args:
            plan_id: its id, the only beginning of one, or `last`.

        Raises:
            RefusedError: it ended for good, it is no download (`plan.not-resumable`: see
                `resume_plan`), or this session may change nothing.
            UsageError: there is no such plan.
            ConsoleError: its process cannot be started.
        """
        from actions.going_on import resume

        return resume(self._session, plan_id)

    def same_job(self, plan: Plan) -> tuple[str, str]:
        """Give the id and the state of a job that does exactly what a pull would; else empty."""
        from actions.models.rivals import same_job

        return same_job(self._session, plan)

    def take_up(self) -> "tuple[TakenUp, ...]":
        """Go on with the downloads that nobody runs any more; a look at a folder where none is."""
        from actions.take_up import take_up

        return take_up(self._session)

    def running_downloads(self) -> "tuple[Download, ...]":
        """Give the downloads that have not ended for good, newest first; cheap where none has.

        It asks the database once at most, and takes the journal's word that their processes live.
        """
        from actions.downloads import read_downloads

        return read_downloads(self._session)

    def running(self) -> tuple[RunningPlan, ...]:
        """Give the plans under way in any process of this user, newest first.

        A plan whose process died is journalled as interrupted and not given.
        """
        journal = Journal(self._session)
        follower = Follower(self._session, journal)
        found = []
        for row in journal.under_way():
            entry = journal.plan(row.id)
            if entry is None or follower.bury_if_dead(row.id):
                continue
            step, begun, _ = journal.step_reached(row.id)
            found.append(
                RunningPlan(
                    plan=entry[0],
                    since=row.started_at,
                    step=step,
                    text=journal.last_told(row.id) or (begun.title if begun else ""),
                    pid=row.runner_pid,
                    cancel_requested=row.cancel_requested,
                )
            )
        return tuple(found)

    def resume_plan(self, plan_id: str) -> Plan:
        """Make the plan that goes on where an interrupted or failed one was left.

        Args:
            plan_id: its id, the only beginning of one, or `last`.

        Raises:
            UsageError: there is no such plan, or its target is gone.
            RefusedError: it is under way, or ended well.
            EngineError: the engine cannot be asked.
        """
        from actions.undo import resume_plan, row_of

        self.running()  # a plan whose process died is interrupted, not under way
        journal = Journal(self._session)
        row = row_of(journal, plan_id)
        return self._through_gate(lambda: resume_plan(self._session, journal, row, self.via))

    def back_plan(self, plan_id: str) -> Plan:
        """Make the plan that restores what was before an earlier one.

        Args:
            plan_id: its id, the only beginning of one, or `last`.

        Raises:
            UsageError: there is no such plan, or its target is gone.
            RefusedError: it is under way (`plan.under-way`), touched nothing (`undo.nothing`), has
                nothing to go back to (`undo.none`), or others have changed things since
                (`undo.changed`).
            EngineError: the engine cannot be asked.
        """
        from actions.undo import back_plan, row_of

        self.running()
        journal = Journal(self._session)
        row = row_of(journal, plan_id)
        return self._through_gate(lambda: back_plan(self._session, journal, row, self.via))

    def undo(self) -> Plan:
        """Make the plan that restores the state before the last plan that changed something.

        Raises:
            RefusedError: there is none (`undo.nothing`), it has nothing to go back to
                (`undo.none`), or others have changed its target since (`undo.changed`).
            EngineError: the engine cannot be asked.
        """
        from actions.undo import undo_plan

        self.running()  # a plan whose process died counts too, as interrupted
        journal = Journal(self._session)
        return self._through_gate(lambda: undo_plan(self._session, journal, self.via))

    def jobs(self, *, everything: bool = False) -> "tuple[Job, ...]":
        """Give what is under way and what was left in the middle, newest first.

        Args:
            everything: also what has ended otherwise.
        """
        from actions.jobs import read_jobs

        return read_jobs(self._session, everything=everything)

    def one_job(self, plan_id: str) -> "Job":
        """Give a job by its id, the only beginning of one, or `last`.

        Raises:
            UsageError: there is no such job, or more than one.
        """
        from actions.jobs import read_job

        return read_job(self._session, plan_id)

    def job(self, plan_id: str) -> tuple[Plan, bool]:
        """Give a journalled plan, by its id, the only beginning of one, or `last`.

        Returns:
            The plan, and whether it is under way.

        Raises:
            UsageError: there is no such plan, or more than one.
        """
        from actions.undo import readable, row_of

        self.running()
        row = row_of(Journal(self._session), plan_id)
        return readable(row), row.state in OPEN_STATES

    def timeline(
        self,
        limit: int = 100,
        since: datetime | None = None,
        container: str = "",
        *,
        kinds: Collection[str] = (),
        plans: int = 0,
    ) -> tuple[TimelineEntry, ...]:
        """Give what happened, newest first; dead runners are journalled as interrupted before.

        The arguments are those of `actions.timeline.read_timeline`.
        """
        self.running()
        return read_timeline(self._session, limit, since, container, kinds=kinds, plans=plans)

    def _through_gate(self, make: Callable[[], Plan]) -> Plan:
        """Make a plan, refused where this session may change nothing at all.

        Where it cannot even be made, the gate's refusal is told rather than why: a read-only
        console says so also while the engine is away.
        """
        reason = gate.refusal(self._session)
        try:
            plan = make()
        except ConsoleError as error:
            if reason is None:
                raise
            raise gate.as_error(reason) from error
        if reason is None:
            return plan
        return msgspec.structs.replace(plan, verdict="refused", refusal=reason)

    def _not_detached(self, plan: Plan) -> AnyEvent:
        problem = self._session.store.problem
        why = "the journal is not on disk" if problem is None else problem.title
        return StepProgress(
            at=self._session.clock.now(),
            plan_id=plan.id,
            step_id=plan.steps[0].id,
            text=f"runs inside this console and ends with it: {why}",
            longest_seconds=plan.longest_seconds,
        )


def _carry_out(session: Session, executor: Executor, plan: Plan) -> None:
    """Carry a plan out in this thread; a fault of ours is journalled as its end, and logged."""
    try:
        executor.run(plan)
    except Exception as error:  # noqa: BLE001 -- a traceback would break the screen we share
        log_crash(session.places, error)
