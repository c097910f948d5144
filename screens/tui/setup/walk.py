"""The thread that walks the course of setup, and what the screen may read of it meanwhile."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from actions.plan import AnyEvent, Plan, StepProgress, StepStarted
from console.errors import ConsoleError
from console.log import log_crash
from console.paths import Places

if TYPE_CHECKING:
    from actions.setup.course import Course
    from actions.setup.report import StepReport

Open = Callable[[bool, Callable[[Plan, AnyEvent], None]], "Course"]
"""Opens the course: whether it applies, and who is told of its jobs."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A job of a step.

    Attributes:
        title: of the plan's step that is under way; empty before the first.
        number: of that step, from 1; 0 before the first.
        progress: what it told last.
        began: monotonic seconds.
        asked: `cancel` or `pause` once that was asked for; else empty.
    """

    plan: Plan
    title: str = ""
    number: int = 0
    progress: StepProgress | None = None
    began: float
    asked: str = ""


class Doing(NamedTuple):
    """What the thread is at: a step, what it does with it, and since when in monotonic seconds."""

    ident: str
    word: str
    since: float


class _Wish(NamedTuple):
    ident: str
    word: str
    work: Callable[[Course], object]


class Walk:
    """One course in one thread; everything the screen reads is replaced whole, never changed.

    Attributes:
        steps: ids of all steps; empty until the course is open.
        at: the step that is shown.
        reports: how each step stood when it was last looked at.
        doing: what the thread is at; None while it waits.
        running: the job that is under way.
        problem: why nothing can be done but looking, or not even that; None while all is well.
        applies: what is agreed to is done.
        begun: its thread was started.
        left_out: the steps that somebody has left out.
    """

    def __init__(
        self,
        opens: Open,
        places: Places,
        monotonic: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._opens = opens
        self._monotonic = monotonic
        self._places = places
        self._wake = wake
        self._wishes: queue.SimpleQueue[_Wish] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[ConsoleError | str] = queue.SimpleQueue()
        self._fills = True
        self.steps: tuple[str, ...] = ()
        self.at = ""
        self.reports: Mapping[str, StepReport] = {}
        self.doing: Doing | None = Doing("", "open", self._monotonic())
        self.running: Running | None = None
        self.problem: ConsoleError | None = None
        self.applies = True
        self.begun = False
        self.left_out: frozenset[str] = frozenset()

    # -- for the screen -------------------------------------------------------------------------

    @property
    def report(self) -> StepReport | None:
        """Give how the step that is shown stood last; None before its first look."""
        return self.reports.get(self.at)

    @property
    def working(self) -> bool:
        """Whether something is being written or a job is followed: nothing else begins then."""
        doing = self.doing
        return self.running is not None or (doing is not None and doing.word == "do")

    @property
    def idle(self) -> bool:
        """Whether the thread waits, and nothing is wished for."""
        return self.doing is None and self._wishes.empty()

    def wish(self, ident: str, word: str, work: Callable[[Course], object]) -> None:
        """Have something done with a step, after what was wished for before.

        Args:
            ident: of the step, which is shown from now on.
            word: what it is: `look`, which a later wish may take the place of, `again`, `do`,
                `skip`, `answer` or `save`.
            work: does it.
        """
        self.at = ident
        self.doing = self.doing or Doing(ident, word, self._monotonic())
        self._wishes.put(_Wish(ident, word, work))

    def said(self) -> list[ConsoleError | str]:
        """Give what went wrong or was done since the last time, oldest first."""
        found = []
        while not self._said.empty():
            found.append(self._said.get())
        return found

    def ask(self, word: str) -> str:
        """Note that the job is asked to `cancel` or to `pause`; gives its id, empty for none."""
        running = self.running
        if running is None:
            return ""
        self.running = msgspec.structs.replace(running, asked=word)
        return running.plan.id

    # -- in the thread --------------------------------------------------------------------------

    def run(self) -> None:
        """Open the course and do what is wished for; never comes back."""
        course = self._open()
        if course is None:
            return
        while True:
            self._fill(course)
            wish = self._wishes.get()
            if wish.word == "look" and not self._wishes.empty():
                continue  # whoever leafs on does not wait for what they left
            self._do(course, wish)

    def _open(self) -> Course | None:
        course = self._opened(True)
        if course is None:
            self.applies = False
            course = self._opened(False)
        if course is None:
            self.doing = None
            self._wake()
            return None
        self.steps = course.steps
        at = course.at
        if self.at not in self.steps:
            self.at = at
        self._do(course, _Wish(self.at, "look", lambda one: one.look(at)))
        return course

    def _opened(self, applies: bool) -> Course | None:
        try:
            return self._opens(applies, self._tell)
        except ConsoleError as error:
            self.problem = self.problem or error
        except Exception as error:  # noqa: BLE001 -- a traceback would break the screen
            self.problem = self._fault(error)
        return None

    def _fill(self, course: Course) -> None:
        """Look at the steps before the one that is shown, as far as nobody has, for the list.

        Whatever is wished for meanwhile comes first. Nothing is remembered.
        """
        before = course.steps[: course.steps.index(self.at)]
        missing = [ident for ident in before if ident not in self.reports]
        if not missing or not self._fills:
            return
        aside = self._opened(False)
        for ident in missing:
            if aside is None or not self._wishes.empty():
                return
            try:
                report = aside.look(ident)
            except Exception as error:  # noqa: BLE001 -- the list does without it
                self._fault(error)
                self._fills = False
                return
            course.reports.setdefault(ident, report)
            self.reports = {**self.reports, ident: course.reports[ident]}
            self._wake()

    def _do(self, course: Course, wish: _Wish) -> None:
        self.doing = Doing(wish.ident, wish.word, self._monotonic())
        self._wake()
        try:
            wish.work(course)
        except ConsoleError as error:
            self._said.put(error)
        except Exception as error:  # noqa: BLE001 -- a traceback would break the screen
            self._said.put(self._fault(error))
        self.reports = dict(course.reports)
        self.left_out = frozenset(course.answers.names("skip"))
        self.running = self.doing = None
        self._wake()

    def say(self, text: str) -> None:
        """Leave a sentence for the screen; from any thread."""
        self._said.put(text)

    def _tell(self, plan: Plan, event: AnyEvent) -> None:
        before = self.running
        if before is None or before.plan.id != plan.id:
            before = Running(plan=plan, began=self._monotonic())
        changes: dict[str, Any] = {}
        if isinstance(event, StepStarted):
            changes = {"title": event.title, "progress": None, "number": before.number + 1}
        elif isinstance(event, StepProgress):
            changes = {"progress": event}
        self.running = msgspec.structs.replace(before, **changes)
        self._wake()

    def _fault(self, error: Exception) -> ConsoleError:
        written = log_crash(self._places, error)
        where = f"it is written down in {written}" if written is not None else ""
        return ConsoleError("setup.fault", "a fault of gpuconsole: it cannot be done", where)
