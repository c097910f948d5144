"""Walking through setup: each step looks, and does what is needed once it is agreed to."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from actions.gate import as_error, refusal
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed
from actions.session import Session
from actions.setup.answers import Answers
from actions.setup.answers_file import save_answers
from actions.setup.cards_step import look_at_cards
from actions.setup.comfyui_step import look_at_comfyui
from actions.setup.duty_step import look_at_duty
from actions.setup.existing_step import look_at_existing
from actions.setup.fetch_step import look_at_files
from actions.setup.first_edit import look_at_first_edit
from actions.setup.ground import Ground
from actions.setup.host_step import look_at_host
from actions.setup.layout_step import look_at_layout
from actions.setup.layouts import layout_values
from actions.setup.outside_step import look_at_outside
from actions.setup.report import Ask, Look, StepReport
from actions.setup.reporting import failed, report_of
from actions.setup.sharing_step import look_at_sharing
from actions.setup.start_step import look_at_start
from actions.setup.turn import take_turn
from actions.setup.variant_step import look_at_variant
from actions.setup.verify_step import look_at_card
from actions.setup.words import words
from console.errors import ConsoleError, ExitCode, UsageError

_LOOKS: dict[str, Callable[[Ground], Look]] = {
    "host": look_at_host,
    "cards": look_at_cards,
    "existing": look_at_existing,
    "layout": look_at_layout,
    "variant": look_at_variant,
    "comfyui": look_at_comfyui,
    "sharing": look_at_sharing,
    "fetch": look_at_files,
    "start": look_at_start,
    "verify": look_at_card,
    "first-edit": look_at_first_edit,
    "outside": look_at_outside,
    "keep-running": look_at_duty,
}
_UNDER_WAY = frozenset({"queued", "running"})
_BAD = frozenset({"blocked", "failed"})
_PAUSE_SECONDS = 0.5
_LOOKS_AGAIN = 40
"""A step that did something is looked at once more, and may find more to do; so often at most."""

Agree = Callable[[StepReport], bool]
Tell = Callable[[Plan, AnyEvent], None]
Decide = Callable[[StepReport], dict[str, Any]]


def _silent(_plan: Plan, _event: AnyEvent) -> None:
    return


class Course:
    """One person's way through setup; both views walk it. Its methods block while they look or do.

    Attributes:
        steps: ids of all steps, in their order.
        reports: how each step stood when it was last looked at or done.
        answers: what was answered so far.
    """

    def __init__(
        self, session: Session, answers: Answers, *, applies: bool, tell: Tell = _silent
    ) -> None:
        """Begin, or go on where an earlier run ended.

        Args:
            session: whose host.
            answers: what was answered.
            applies: what is agreed to is done and remembered; else everything is only shown.
            tell: told what happens in a step's job.

        Raises:
            ConsoleError: it is to apply, and nothing may be changed (read-only, or a config with
                mistakes), or the state directory cannot be written.
        """
        if applies and (reason := refusal(session)) is not None:
            raise as_error(reason)
        self._ground = Ground(session, answers, applies=applies)
        self._tell = tell
        self._shown: dict[str, Look] = {}
        self._wrote: dict[str, tuple[str, ...]] = {}
        self._stale: set[str] = set()
        self.steps = tuple(_LOOKS)
        self.reports: dict[str, StepReport] = {}
        self.answers = answers
        if applies:
            self._keep_answers()

    @property
    def at(self) -> str:
        """Give the step at which the last run stood; the first one where there was none."""
        at = self._ground.memory.now.at
        return at if at in self.steps else self.steps[0]

    def look(self, ident: str, *, anew: bool = False) -> StepReport:
        """Look at a step; nothing is changed. What keeps it from being looked at blocks it.

        Args:
            ident: of the step.
            anew: read the host again first.
        """
        if anew:
            self._changed()
        if self._ground.applies:
            self._ground.memory.keep_at(ident)
        return self._look(ident)

    def _look(self, ident: str) -> StepReport:
        look, diff = self._looked(ident)
        self._shown[ident] = look
        report = report_of(ident, look, diff)
        return self._noted(msgspec.structs.replace(report, wrote=self._wrote.get(ident, ())))

    def _changed(self) -> None:
        """What was seen may be otherwise now: the host, the config, or what was answered."""
        self._ground.changed()
        self._stale = set(self.reports)

    def do(self, ident: str) -> StepReport:
        """Do what the last look at a step proposed, and look again: there may be more to do.

        Where another setup is doing something, it is waited for, and a job of this step is
        followed meanwhile; what is not to be done any more as it was agreed to is not done.
        """
        agreed, waited = self.reports[ident], False
        while (turn := take_turn(self._ground.session, ident)) is None:
            waited = True
            self.look(ident, anew=True)
            time.sleep(_PAUSE_SECONDS)
        with turn:
            now = self.look(ident, anew=True) if waited else agreed
            same = (now.state, now.diff, now.steps) == (agreed.state, agreed.diff, agreed.steps)
            return self._do_alone(ident) if same else now

    def _do_alone(self, ident: str) -> StepReport:
        look, before = self._shown[ident], self.reports[ident]
        try:
            plan = self._do(ident, look)
        except ConsoleError as error:
            wrote = self._wrote.get(ident, ())
            return self._noted(msgspec.structs.replace(failed(before, error), wrote=wrote))
        after = self.look(ident)
        if plan:
            brought = [one for one in self._shown[ident].there if one not in look.there]
            self._note_wrote(ident, tuple(brought))
        wrote = self._wrote.get(ident, ())
        return self._noted(msgspec.structs.replace(after, plan=plan or before.plan, wrote=wrote))

    def skip(self, ident: str) -> StepReport:
        """Leave a step out, until it is looked at again by `back_to`."""
        self.answer("skip", list(dict.fromkeys((*self.answers.names("skip"), ident))))
        return self.look(ident)

    def back_to(self, ident: str) -> StepReport:
        """Take a step up again, also one that was left out."""
        left = [one for one in self.answers.names("skip") if one != ident]
        if len(left) < len(self.answers.names("skip")):
            self.answer("skip", left)
        return self.look(ident)

    def answer(self, key: str, value: Any) -> None:
        """Take an answer, and remember it.

        Raises:
            UsageError: there is no such answer, or it cannot be that (`answers.wrong`).
            ConsoleError: the state directory cannot be written.
        """
        self.answers.take(key, value)
        self._changed()
        if self._ground.applies:
            self._keep_answers()

    def effective(self) -> Answers:
        """Give every answer that was given, and what was proposed where a step put a question.

        Only of the steps that were looked at; with it, the same is done without a question.
        """
        made = Answers(self.answers.given)
        for ident in self.steps:
            report = self.reports.get(ident)
            for one in report.asks if report is not None else ():
                if one.key not in made.given and one.value not in {"", False}:
                    _take_if_right(made, one.key, one.value)
        return made

    def save(self, path: Path) -> None:
        """Write the effective answers as an answers file.

        Raises:
            UsageError: something else is there (`answers.in-the-way`); a file that was written so
                before is written anew.
            ConsoleError: it cannot be written (`answers.unwritable`).
        """
        save_answers(path, self.effective())

    def _keep_answers(self) -> None:
        known = words().answers
        kept = {key: value for key, value in self.answers.given.items() if not known[key].once}
        self._ground.memory.keep_answers(kept)

    def take_as_written(self, ident: str) -> None:
        """Count what a step would write for the steps after it; only where nothing applies."""
        values = self._shown[ident].values
        if values:
            self._ground.draft.take(values)
            self._changed()

    def _looked(self, ident: str) -> tuple[Look, str]:
        if ident in self.answers.names("skip"):
            return Look(state="skipped", detail="it was left out"), ""
        waits = self._waits_for(ident)
        if waits:
            return Look(state="blocked", detail=f"it waits for the step {waits}"), ""
        try:
            before = self._join(ident)
            look = _LOOKS[ident](self._ground)
            if before:
                look = msgspec.structs.replace(look, found=(before, *look.found))
            if ident == "comfyui" and look.values and self._ground.service is None:
                look = _with_layout(self._ground, look)
            return look, self._ground.draft.diff(look.values) if look.values else ""
        except ConsoleError as error:
            return self._kept_from(error), ""

    def _kept_from(self, error: ConsoleError) -> Look:
        """Give the look of a step that cannot be looked at; an answer that is why is asked anew."""
        key = words().mends.get(error.code, "")
        asks: tuple[Ask, ...] = ()
        if key:
            title, value = words().answers[key].about, self.answers.text(key)
            asks = (Ask(key=key, title=title, kind="text", value=value),)
        hint = (error.hint,) if error.hint else ()
        return Look(state="blocked", detail=error.title, commands=hint, asks=asks)

    def _waits_for(self, ident: str) -> str:
        """Give the first step beneath that is blocked or failed by itself; empty where none is."""
        for one in words().steps[ident].needs:
            beneath = self._waits_for(one)
            if beneath or self._state(one) in _BAD:
                return beneath or one
        return ""

    def _state(self, ident: str) -> str:
        """Give how a step stood, or stands where it was blocked; empty: nobody looked at it."""
        report = self.reports.get(ident)
        if report is not None and report.state == "blocked" and ident in self._stale:
            report = self._look(ident)
        return report.state if report is not None else ""

    def _noted(self, report: StepReport) -> StepReport:
        self.reports[report.id] = report
        self._stale.discard(report.id)
        return report

    def _do(self, ident: str, look: Look) -> str:
        """Do one thing; gives the job's id, if any. What was written is noted as it comes."""
        ground, plan = self._ground, ""
        try:
            if look.folder is not None:
                self._note_wrote(ident, _make(look.folder))
            # Files before the config, which names them.
            if look.write is not None:
                self._note_wrote(ident, look.write())
            if look.values:
                self._note_wrote(ident, ground.draft.write(look.values))
            if look.plan is not None:
                plan = look.plan.id
                self._run(ident, look.plan)
        finally:
            self._changed()
        return plan

    def _note_wrote(self, ident: str, paths: tuple[str, ...]) -> None:
        self._wrote[ident] = tuple(dict.fromkeys((*self._wrote.get(ident, ()), *paths)))

    def _run(self, ident: str, plan: Plan) -> None:
        """Run a step's plan; a pull that does the same already is joined.

        Raises:
            ConsoleError: it ended badly.
        """
        operations = self._ground.operations
        job, state = operations.same_job(plan) if plan.verb == "pull" else ("", "")
        if job:
            self._ground.memory.keep_job(ident, job)
            if state not in _UNDER_WAY:
                operations.resume(job)
            self._follow(plan, operations.follow(job))
            return
        self._ground.memory.keep_job(ident, plan.id)
        self._follow(plan, operations.run(plan))

    def _join(self, ident: str) -> str:
        """Wait for the job that an earlier run began and that is under way still.

        One that loses its process meanwhile, and can go on, goes on. Gives how it ended where
        that was badly: what is to be done then, the step itself finds out.
        """
        job = self._ground.memory.now.jobs.get(ident, "")
        if not job or not self._ground.applies:
            return ""
        operations = self._ground.operations
        try:
            plan, under_way = operations.job(job)
        except ConsoleError:
            return ""  # the journal does not know it any more: there is nothing to wait for
        if not under_way:
            return ""
        last = self._watch(plan, operations.follow(job))
        if isinstance(last, PlanFailed) and last.outcome == "interrupted" and plan.endless:
            operations.resume(job)
            last = self._watch(plan, operations.follow(job))
        self._changed()
        return f"{plan.verb}: {last.title}" if isinstance(last, PlanFailed) else ""

    def _watch(self, plan: Plan, events: Iterator[AnyEvent]) -> AnyEvent | None:
        last: AnyEvent | None = None
        for event in events:
            last = event
            self._tell(plan, event)
        return last

    def _follow(self, plan: Plan, events: Iterator[AnyEvent]) -> None:
        last = self._watch(plan, events)
        if isinstance(last, PlanFailed):
            error = ConsoleError(last.code, last.title, last.hint, last.text)
            raise _exits(error, last.exit_code)
        if not isinstance(last, PlanDone):
            raise ConsoleError(
                "setup.left", f"{plan.verb} {plan.target} did not end", "gpuconsole jobs shows it"
            )


def remembered_answers(session: Session) -> Answers:
    """Give the answers that setup was given last on this host; none where it never was.

    What is no answer any more, or never was one, is left out: the file is not for people to edit.
    """
    from actions.setup.memory import Memory

    made = Answers()
    for key, value in Memory(session.places).now.answers.items():
        _take_if_right(made, key, value)
    return made


def show(session: Session, answers: Answers) -> Iterator[StepReport]:
    """Give how each step stands and what it would do; nothing is changed.

    What an earlier step would write counts for the later ones.
    """
    course = Course(session, answers, applies=False)
    for ident in course.steps:
        yield course.look(ident)
        course.take_as_written(ident)


def carry_out(
    session: Session, answers: Answers, agree: Agree, tell: Tell, decide: Decide | None = None
) -> Iterator[StepReport]:
    """Do what is needed, step by step, and give how each stands then.

    Args:
        session: whose host.
        answers: what was answered; they are remembered for the next run.
        agree: asked before a step changes something; False leaves it out this time.
        tell: told what happens in a step's job.
        decide: asked for a step's questions, and gives what is answered otherwise than it stands,
            by key; it is asked again while that brings new ones.

    Raises:
        ConsoleError: nothing may be changed (read-only, or a config with mistakes), or the state
            directory cannot be written.
    """
    course = Course(session, answers, applies=True, tell=tell)
    for ident in course.steps:
        report = course.look(ident)
        while decide is not None and (answered := decide(report)):
            for key, value in answered.items():
                course.answer(key, value)
            report = course.look(ident)
        yield _carried(course, report, agree)


def _carried(course: Course, report: StepReport, agree: Agree) -> StepReport:
    """Do what a step proposes until it proposes nothing more, or what it has just done."""
    done = set[tuple[str, tuple[str, ...]]]()
    for _ in range(_LOOKS_AGAIN):
        proposed = (report.detail, report.steps)
        if report.state != "needed" or not report.able or proposed in done or not agree(report):
            break
        done.add(proposed)
        report = course.do(report.id)
    return report


def _take_if_right(answers: Answers, key: str, value: Any) -> None:
    """Take what a step proposes, or what was kept; what is no answer is left out."""
    with suppress(UsageError):
        answers.take(key, value)


def _with_layout(ground: Ground, look: Look) -> Look:
    """Write the layout together with the ComfyUI that it needs, and that was not there before."""
    return msgspec.structs.replace(look, values={**look.values, **layout_values(ground)})


def _exits(error: ConsoleError, code: int) -> ConsoleError:
    error.exit_code = ExitCode(code)
    return error


def _make(path: Path) -> tuple[str, ...]:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConsoleError(
            "setup.folder",
            f"{path} cannot be made: {error.strerror or error}",
            "Make it as its owner, or name another: existing.models in the answers",
        ) from error
    return (str(path),)
