"""Telling how a run goes: as JSON lines or for people, and never at the cost of the run itself."""

import contextlib
import sys
from collections.abc import Callable
from typing import Protocol

from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, StepFinished, StepProgress
from screens.cli.output import (
    OutputError,
    ReaderGone,
    abandon,
    emit_error,
    emit_line,
    say,
    write,
)
from screens.cli.plan_view import event_data, event_error, event_text, plan_data, plan_text

_SELDOM_SECONDS = 10.0
_HELD_UP = frozenset({"waiting", "stalled", "rate-limited"})


class Teller(Protocol):
    """Tells one plan's run."""

    def begin(self) -> None:
        """Tell that it is about to run."""
        ...

    def event(self, event: AnyEvent) -> None:
        """Tell an event."""
        ...


class Audience:
    """Whoever is told about the runs of one command; it may leave while they go on.

    Somebody who says `stop a b --yes | head -1` has asked for two stops all the same: a reader that
    went away ends the telling, not the changes.
    """

    def __init__(self) -> None:
        self._failure: OutputError | None = None

    def tell(self, telling: Callable[[], None]) -> None:
        """Do `telling`; from its first failure on stdout leads nowhere, and stderr as before."""
        try:
            telling()
        except ReaderGone:
            abandon()
        except OutputError as error:
            self._failure = error
            abandon()

    def complain(self) -> None:
        """Say that something could not be told; called before each plan and at the end.

        Raises:
            OutputError: stdout was there and could not be written.
        """
        if self._failure is not None:
            raise self._failure


class JsonTeller:
    """Tells a run as one envelope a line, the plan first."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def begin(self) -> None:
        """Tell the plan."""
        plan = self._plan
        emit_line({"event": "planned", "plan_id": plan.id, "plan": plan_data(plan)})

    def event(self, event: AnyEvent) -> None:
        """Tell an event."""
        target = self._plan.target
        error = event_error(event, target) if isinstance(event, PlanFailed) else None
        emit_line(event_data(event), error=error)


class TextTeller:
    """Tells a run to a person: progress on stderr in one line, the result on stdout."""

    def __init__(self, plan: Plan) -> None:
        self._target = plan.target
        self._last_step = plan.steps[-1].id if plan.steps else ""
        self._in_place = bool(sys.stderr and sys.stderr.isatty())
        self._open_line = False
        self._told = -_SELDOM_SECONDS
        self._held_up: frozenset[str] = frozenset()

    def begin(self) -> None:
        """Say nothing: the plan was shown with the question."""

    def event(self, event: AnyEvent) -> None:
        """Tell an event."""
        text = event_text(event)
        if isinstance(event, PlanDone):
            self._end_line()
            write(text)
        elif isinstance(event, PlanFailed):
            self._end_line()
            emit_error(event_error(event, self._target))
            if event.plan is not None:
                say(f"\nHow it would be planned now:\n{plan_text(event.plan)}")
        elif text and self._in_place and isinstance(event, StepProgress):
            with contextlib.suppress(OSError):  # the terminal went away, the run goes on
                sys.stderr.write(f"\r\x1b[K{text}")
                sys.stderr.flush()
            self._open_line = True
        elif isinstance(event, StepFinished) and event.step_id != self._last_step:
            # What the last step gives is what the plan ends with.
            self._end_line()
            say(f"  {event.text}")
        elif text and not self._too_soon(event):
            self._end_line()
            say(text)

    def settle(self) -> None:
        """End a line that was written in place, before something else is told."""
        self._end_line()

    def _too_soon(self, event: AnyEvent) -> bool:
        """Tell whether the figures of a long job would only fill a file that nobody reads live.

        What holds a download up, what an edit is at, and that it goes on, is told at once.
        """
        if not isinstance(event, StepProgress):
            return False
        before, edit = self._held_up, event.edit
        if edit is not None:
            self._held_up = frozenset({edit.phase, edit.note, f"{edit.done} of {edit.of}"})
        elif event.transfer is not None:
            self._held_up = _HELD_UP & {one.state for one in event.transfer.files if one.note}
        else:
            return False
        if self._held_up == before and 0 <= event.elapsed_seconds - self._told < _SELDOM_SECONDS:
            return True
        self._told = event.elapsed_seconds
        return False

    def _same_phase(self, event: StepProgress) -> bool:
        """Tell it of an edit: what it is at is told once, and then every ten seconds."""
        now = event.edit
        at = frozenset({f"{now.phase} {now.done}"} if now is not None else ())
        if at == self._held_up and 0 <= event.elapsed_seconds - self._told < _SELDOM_SECONDS:
            return True
        self._held_up, self._told = at, event.elapsed_seconds
        return False

    def _end_line(self) -> None:
        if self._open_line:
            say()
        self._open_line = False
