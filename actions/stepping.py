"""Doing one step of a plan: its thread, its limit, what it tells, all of it journalled."""

import threading
from collections.abc import Callable
from datetime import datetime

from actions import endings
from actions.edit_now import EditNow
from actions.journal import Journal
from actions.plan import Plan, Step, StepFinished, StepProgress, StepStarted
from actions.session import Session
from actions.step_thread import Outcome, StepThread, Talk
from actions.transfer import Transfer
from actions.verbs import Verbs
from actions.wish import CANCEL, Wish
from console.mask import mask_text
from console.text import clean_line

_TICK_SECONDS = 0.1
_TOLD_SECONDS = 0.2
_LET_GO_SECONDS = 5.0
_LONGEST_TEXT = 300


class Stepper:
    """Does steps one after another, for the executor of their plan.

    Attributes:
        touched: a step was begun, so things may not be any more as they were.
    """

    def __init__(
        self,
        session: Session,
        journal: Journal,
        verbs: Verbs,
        plan: Plan,
        told_to_end: Callable[[], bool],
    ) -> None:
        self._session = session
        self._journal = journal
        self._verbs = verbs
        self._plan = plan
        self._doing: StepThread | None = None
        self.wish = Wish(journal, plan, session.clock, told_to_end)
        self.touched = False

    def do(self, step: Step, *, back: bool = False) -> Outcome:
        """Do one step and give its result.

        Args:
            step: of the plan, or one that goes `back`; the latter hears no wish to cancel.
            back: whether it restores what was before.

        Raises:
            StepError: it was not over within its limit (`plan.outlasted`), or failed.
            CancelledStepError: it ended early, as somebody wished.
            ConsoleError: something outside did not answer as it should.
        """
        plan_id = self._plan.id
        self._journal.write(
            StepStarted(
                at=self._now(), plan_id=plan_id, step_id=step.id, title=step.title, back=back
            )
        )
        self.touched = True
        self.wish.heeded = False
        said = _Said()
        if back:
            talk = Talk(said.tell, _never, said.report)
        else:
            talk = Talk(said.tell, self.wish.heed, said.report, self.wish.pausing)
        self._doing = StepThread(self._verbs.work(self._plan, step), talk)
        self._wait(step, said, self._doing, back)
        text, result = self._doing.result()
        self._journal.write(
            StepFinished(at=self._now(), plan_id=plan_id, step_id=step.id, text=text, result=result)
        )
        return Outcome(text, result)

    def let_go(self) -> None:
        """Wait a moment for a step that was told to end, so that what follows meets no rival."""
        if self._doing is not None:
            self._doing.ended.wait(_LET_GO_SECONDS)

    def _wait(self, step: Step, said: "_Said", doing: StepThread, back: bool) -> None:
        """Wait for a step's end and tell how it goes, each second and whenever it says something.

        Raises:
            StepError: `plan.outlasted`.
        """
        begun = self._session.clock.monotonic()
        longest = _limit(self._plan, step)
        told, warned = 0.0, ""
        while not doing.ended.wait(_TICK_SECONDS):
            if self._plan.interactive:
                continue
            elapsed = self._session.clock.monotonic() - begun
            if longest is not None and elapsed > longest:
                doing.work.abort()
                raise endings.outlasted(self._plan, step, longest, said.last)
            wish = "" if back else self.wish.kind()
            if wish != warned:
                warned = wish
                said.tell(_on_wish(step, wish, self.wish.heeded))
            if (said.new and elapsed - told >= _TOLD_SECONDS) or int(elapsed) > int(told):
                told = elapsed
                self._progress(step, said, elapsed, longest)
        if said.new:
            self._progress(step, said, self._session.clock.monotonic() - begun, longest)

    def _progress(self, step: Step, said: "_Said", elapsed: float, longest: float | None) -> None:
        text, figures = said.take()
        self._journal.write(
            StepProgress(
                at=self._now(),
                plan_id=self._plan.id,
                step_id=step.id,
                text=text or step.title,
                elapsed_seconds=round(elapsed, 1),
                longest_seconds=longest,
                transfer=figures if isinstance(figures, Transfer) else None,
                edit=figures if isinstance(figures, EditNow) else None,
            )
        )

    def _now(self) -> datetime:
        return self._session.clock.now()


class _Said:
    """The newest of what a step says; what came in between is not worth a line in the journal.

    Attributes:
        last: what it said last, cleaned and masked; empty before the first word.
        new: nobody has taken it yet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last = ""
        self.new = False
        self._figures: Transfer | EditNow | None = None

    def tell(self, text: str) -> None:
        """Say something; belongs to any thread."""
        line = mask_text(clean_line(text, _LONGEST_TEXT))
        with self._lock:
            if line and line != self.last:
                self.last, self.new = line, True

    def report(self, figures: Transfer | EditNow) -> None:
        """Say it in figures; belongs to any thread."""
        with self._lock:
            self._figures, self.new = figures, True

    def take(self) -> tuple[str, Transfer | EditNow | None]:
        """Give the newest words and figures, which are old from then on."""
        with self._lock:
            self.new = False
            return self.last, self._figures


def _limit(plan: Plan, step: Step) -> float | None:
    """Give how long a step may take; None is as long as it likes."""
    if plan.interactive or plan.endless:
        return None
    return plan.longest_seconds if step.longest_seconds is None else step.longest_seconds


def _on_wish(step: Step, wish: str, heeded: bool) -> str:
    if not heeded:
        return f"{step.title}: cannot be taken back once sent; waiting for its end"
    what = "cancel" if wish == CANCEL else "pause"
    return f"{step.title}: asked to {what}; it ends as soon as it can"


def _never() -> bool:
    return False
