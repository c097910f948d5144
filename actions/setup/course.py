"""Walking through setup: each step looks, and does what is needed once it is agreed to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from actions.gate import as_error, refusal
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed
from actions.session import Session
from actions.setup.afterwards import look_at_duty, look_at_outside
from actions.setup.answers import Answers
from actions.setup.choosing import look_at_layout, look_at_variant
from actions.setup.first_edit import look_at_first_edit
from actions.setup.ground import Ground
from actions.setup.host_steps import look_at_cards, look_at_existing, look_at_host
from actions.setup.report import Look, StepReport
from actions.setup.running import look_at_card, look_at_files, look_at_start
from actions.setup.words import words
from console.errors import ConsoleError, ExitCode

_LOOKS: dict[str, Callable[[Ground], Look]] = {
    "host": look_at_host,
    "cards": look_at_cards,
    "existing": look_at_existing,
    "variant": look_at_variant,
    "layout": look_at_layout,
    "fetch": look_at_files,
    "start": look_at_start,
    "verify": look_at_card,
    "first-edit": look_at_first_edit,
    "outside": look_at_outside,
    "keep-running": look_at_duty,
}
_UNDER_WAY = frozenset({"queued", "running"})
_BAD = frozenset({"blocked", "failed"})
_LOOKS_AGAIN = 3
"""A step that did something is looked at once more, and may find more to do."""

Agree = Callable[[StepReport], bool]
Tell = Callable[[Plan, AnyEvent], None]


def remembered_answers(session: Session) -> Answers:
    """Give the answers that setup was given last on this host; none where it never was."""
    from actions.setup.memory import Memory

    known = words().answers
    kept = Memory(session.places).now.answers
    return Answers({key: value for key, value in kept.items() if key in known})


def show(session: Session, answers: Answers) -> Iterator[StepReport]:
    """Give how each step stands and what it would do; nothing is changed.

    What an earlier step would write counts for the later ones.
    """
    yield from _Course(Ground(session, answers, applies=False), lambda _: True, _silent).walk()


def carry_out(session: Session, answers: Answers, agree: Agree, tell: Tell) -> Iterator[StepReport]:
    """Do what is needed, step by step, and give how each stands then.

    Args:
        session: whose host.
        answers: what was answered; they are remembered for the next run.
        agree: asked before a step changes something; False leaves it out this time.
        tell: told what happens in a step's job.

    Raises:
        ConsoleError: nothing may be changed (read-only, or a config with mistakes), or the state
            directory cannot be written.
    """
    reason = refusal(session)
    if reason is not None:
        raise as_error(reason)
    ground = Ground(session, answers, applies=True)
    ground.memory.keep_answers(answers.given)
    yield from _Course(ground, agree, tell).walk()


def _silent(_plan: Plan, _event: AnyEvent) -> None:
    return


class _Course:
    """One walk."""

    def __init__(self, ground: Ground, agree: Agree, tell: Tell) -> None:
        self._ground = ground
        self._agree = agree
        self._tell = tell
        self._states: dict[str, str] = {}

    def walk(self) -> Iterator[StepReport]:
        left_out = self._ground.answers.names("skip")
        for ident in _LOOKS:
            if ident in left_out:
                report = _report(ident, Look(state="skipped", detail="the answers leave it out"))
            else:
                report = self._step(ident)
            self._states[ident] = report.state
            yield report

    def _step(self, ident: str) -> StepReport:
        waits = [one for one in words().steps[ident].needs if self._states.get(one) in _BAD]
        if waits:
            look = Look(state="blocked", detail=f"it waits for the step {waits[0]}")
            return _report(ident, look)
        wrote: tuple[str, ...] = ()
        plan = ""
        for _ in range(_LOOKS_AGAIN):
            report, look = self._look(ident)
            if report.state != "needed" or not self._may(report, look):
                break
            try:
                more, plan = self._do(ident, look)
            except ConsoleError as error:
                return _failed(report, error, wrote)
            wrote += more
        return _with(report, wrote, plan)

    def _look(self, ident: str) -> tuple[StepReport, Look]:
        """Look at a step; what keeps it from being looked at blocks it, with its own words."""
        try:
            self._join(ident)
            look = _LOOKS[ident](self._ground)
            diff = self._ground.draft.diff(look.values) if look.values else ""
        except ConsoleError as error:
            hint = (error.hint,) if error.hint else ()
            look, diff = Look(state="blocked", detail=error.title, commands=hint), ""
        return _report(ident, look, diff), look

    def _may(self, report: StepReport, look: Look) -> bool:
        """Tell whether a step is done now; where it is only shown, its values count from here."""
        able = bool(look.values or look.plan or look.write)
        if not self._ground.applies:
            if look.values:
                self._ground.draft.take(look.values)
                self._ground.changed()
            return False
        return able and self._agree(report)

    def _do(self, ident: str, look: Look) -> tuple[tuple[str, ...], str]:
        """Do one thing; gives the files that were written and the job's id."""
        ground, plan = self._ground, ""
        wrote: tuple[str, ...] = ()
        try:
            if look.folder is not None:
                wrote += _make(look.folder)
            if look.values:
                wrote += ground.draft.write(look.values)
            if look.write is not None:
                wrote += look.write()
            if look.plan is not None:
                plan = look.plan.id
                self._run(ident, look.plan)
        finally:
            ground.changed()
        return wrote, plan

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

    def _join(self, ident: str) -> None:
        """Wait for the job that an earlier run began and that is under way still."""
        job = self._ground.memory.now.jobs.get(ident, "")
        if not job or not self._ground.applies:
            return
        operations = self._ground.operations
        try:
            plan, under_way = operations.job(job)
        except ConsoleError:
            return  # the journal does not know it any more: there is nothing to wait for
        if under_way:
            self._follow(plan, operations.follow(job))
            self._ground.changed()

    def _follow(self, plan: Plan, events: Iterator[AnyEvent]) -> None:
        last: AnyEvent | None = None
        for event in events:
            last = event
            self._tell(plan, event)
        if isinstance(last, PlanFailed):
            error = ConsoleError(last.code, last.title, last.hint, last.text)
            raise _exits(error, last.exit_code)
        if not isinstance(last, PlanDone):
            raise ConsoleError(
                "setup.left", f"{plan.verb} {plan.target} did not end", "gpuconsole jobs shows it"
            )


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


def _report(ident: str, look: Look, diff: str = "") -> StepReport:
    named = words().steps[ident]
    plan = look.plan
    steps = tuple(one.command for one in plan.steps) if plan is not None else ()
    parts = (diff, look.diff, plan.diff if plan is not None else "")
    return StepReport(
        id=ident,
        title=named.title,
        why=named.why,
        state=look.state,
        detail=look.detail,
        found=look.found,
        proposes=look.proposes,
        diff="\n".join(part for part in parts if part),
        steps=steps or ((look.command,) if look.command else ()),
        commands=look.commands,
    )


def _with(report: StepReport, wrote: tuple[str, ...], plan: str) -> StepReport:
    return msgspec.structs.replace(report, wrote=tuple(dict.fromkeys(wrote)), plan=plan)


def _failed(report: StepReport, error: ConsoleError, wrote: tuple[str, ...]) -> StepReport:
    hint = (error.hint,) if error.hint else ()
    return msgspec.structs.replace(
        report,
        state="failed",
        detail=error.title,
        commands=(*hint, *report.commands),
        wrote=tuple(dict.fromkeys(wrote)),
        exit_code=int(error.exit_code),
    )
