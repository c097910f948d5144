"""Watching a plan through the journal, whoever runs it, and noticing when nobody does any more."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from actions.dropping import dropped
from actions.endings import as_wished, cancelled
from actions.executor import plan_lock
from actions.journal import FINAL, Journal
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed
from actions.session import Session
from actions.verbs import verbs_for
from actions.wish import CANCEL, PAUSE
from console.store.locks import LockFolder
from console.store.plans import OPEN_STATES
from console.store.rows import PlanRow

_FIRST_PAUSE = 0.015
_LONGEST_PAUSE = 0.1
_LOOK_FOR_LIFE = 0.5
# A runner that was started has taken its lock long before this, on the slowest of hosts.
_START_SECONDS = 30.0
_BACK = {"start": ("stop",), "stop": ("start",), "kill": ("start",)}


class Follower:
    """Reads a plan's events as they are journalled."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal
        self._locks = LockFolder(session.places)
        self._never = threading.Event()

    def follow(
        self,
        plan_id: str,
        process: "subprocess.Popen[bytes] | None" = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[AnyEvent]:
        """Give the events from the first on until the last; `process` is the runner, if ours."""
        after, pause, quiet, asked = 0, _FIRST_PAUSE, 0.0, False
        while True:
            for number, event in self._journal.events(plan_id, after):
                after, pause, quiet = number, _FIRST_PAUSE, 0.0
                yield event
                if isinstance(event, FINAL):
                    if process is not None:
                        # Nobody waits for the runner to leave, but somebody must collect it.
                        threading.Thread(target=process.wait, daemon=True).start()
                    return
            if cancelled is not None and not asked and cancelled():
                asked = self._journal.plans.request_cancel(plan_id, self._session.clock.now())
            ended = process is not None and process.poll() is not None
            if (ended or quiet >= _LOOK_FOR_LIFE) and not self._is_open(plan_id):
                continue
            if ended or quiet >= _LOOK_FOR_LIFE:
                quiet = 0.0
                if process is not None and not self._runs_it(plan_id, process.pid):
                    process = None  # it went on in another process meanwhile
                    continue
                if self.bury_if_dead(plan_id, process.returncode if process else None):
                    continue
            self._never.wait(pause)
            quiet += pause
            pause = min(pause * 1.25, _LONGEST_PAUSE)

    def bury_if_dead(self, plan_id: str, code: int | None = None) -> bool:
        """Journal the end of a plan that nobody runs any more; True where that was so.

        Args:
            plan_id: a plan that the journal says is under way.
            code: exit code of its process, where that is known to have ended.
        """
        found = self._journal.plan(plan_id)
        if found is None or found[1].state not in OPEN_STATES:
            return False
        plan, row = found
        if code == 0:
            # A runner whose disk filled up does its work and cannot write that down.
            text = f"{plan.verb} {plan.target} ended well; the journal could not be written"
            end = PlanDone(at=self._session.clock.now(), plan_id=plan.id, text=text)
            return self._journal.finish(plan, end, {})
        if code is None and not self._is_dead(row):
            return False
        broken = self._died(plan, row) if plan.endless else self._interrupted(plan, row)
        return self._journal.finish(plan, broken, {})

    def _runs_it(self, plan_id: str, pid: int) -> bool:
        """Tell whether the newest attempt at a plan is a process's, begun or not."""
        row = self._journal.plans.get(plan_id)
        return row is None or row.runner_pid == pid or row.attempts == 0

    def _is_open(self, plan_id: str) -> bool:
        row = self._journal.plans.get(plan_id)
        return row is not None and row.state in OPEN_STATES

    def _is_dead(self, row: PlanRow) -> bool:
        """Tell whether the process of a plan is gone: its lock is free, and it had its time."""
        if row.runner_pid is not None and _runs(row.runner_pid, row.id):
            return False  # a lock can be missing, on a full disk for one
        if self._locks.path is not None and not self._locks.is_free(plan_lock(row.id)):
            return False
        if row.runner_pid is not None:
            return True  # also one that had not begun yet
        resumed = self._journal.resumed(row.id) if row.attempts else None
        waited = self._session.clock.now() - (resumed[0] if resumed else row.created_at)
        return waited > timedelta(seconds=_START_SECONDS)

    def _died(self, plan: Plan, row: PlanRow) -> PlanFailed:
        """Give the end of a download whose process is gone, by what was wished of it before."""
        number, step, _ = self._journal.step_reached(plan.id)
        where = "before step 1" if step is None else f"at step {number} of {len(plan.steps)}"
        moved = self._journal.transferred(plan.id)
        text = "what is fetched is kept" if moved is not None and moved.bytes_done else ""
        now = self._session.clock.now()
        if row.cancel_requested:
            verbs = verbs_for(self._session, plan.verb, plan.subject)
            return dropped(verbs, plan, as_wished(cancelled(plan, where, "", now), CANCEL))
        if row.pause_requested:
            return as_wished(cancelled(plan, where, text, now), PAUSE)
        return PlanFailed(
            at=now,
            plan_id=plan.id,
            outcome="interrupted",
            code="plan.interrupted",
            title=f"{plan.verb} {plan.target} was interrupted {where}: its process ended",
            hint=f"gpuconsole jobs resume {plan.id} goes on where it stopped; "
            f"the log {self._session.places.log_file} may say why",
            text=text,
            exit_code=1,
        )

    def _interrupted(self, plan: Plan, row: PlanRow) -> PlanFailed:
        number, step, finished = self._journal.step_reached(plan.id)
        total = len(plan.steps)
        if row.state == "queued" or step is None:
            where, text = "before step 1", f"{plan.target} was not touched"
        elif step.back:
            where = f"while it went back from step {number} of {total}"
            done = "was done" if finished else "was begun; whether it was done is not known"
            text = f"{step.title} {done}"
        elif finished:
            where = f"after step {number} of {total}"
            text = f"{step.title} was done"
        else:
            where = f"at step {number} of {total}"
            text = f"{step.title} was begun; whether it was done is not known"
        hint = f"The log {self._session.places.log_file} may say why"
        ways = f"gpuconsole jobs resume {plan.id} goes on, gpuconsole jobs back {plan.id} goes back"
        return PlanFailed(
            at=self._session.clock.now(),
            plan_id=plan.id,
            outcome="interrupted",
            code="plan.interrupted",
            title=f"{plan.verb} {plan.target} was interrupted {where}: its process ended",
            hint=hint if step is None else f"{ways}; {hint[0].lower()}{hint[1:]}",
            text=text,
            offers=(plan.verb, *_BACK.get(plan.verb, ())) if plan.subject == "container" else (),
            exit_code=1,
        )


def _runs(pid: int, plan_id: str) -> bool:
    """Tell whether a process runs a plan, or is about to: it is this one, or its arguments say so.

    For a moment after its start a process has no arguments yet, but a program; kernel threads and
    processes that have ended have neither.
    """
    arguments = _arguments(pid)
    if pid == os.getpid() or plan_id.encode() in arguments:
        return True
    return not arguments and os.access(f"/proc/{pid}/exe", os.F_OK)


def is_runner(pid: int, plan_id: str) -> bool:
    """Tell whether a process was started for a plan alone, by its arguments.

    That a process has the number proves nothing: numbers are used again.
    """
    return plan_id.encode() in _arguments(pid)


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
