"""What the application keeps of guided setup: its thread, its state, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events

from actions.plan import AnyEvent, Plan
from console.errors import ConsoleError
from console.paths import expand
from screens.tui.background import start, tell
from screens.tui.setup.state import State
from screens.tui.setup.walk import Walk

if TYPE_CHECKING:
    from actions.setup.course import Course
    from screens.tui.application import Console


class SetupFlow:
    """Made when setup is opened first; outlives its screen, as what it has begun does.

    Attributes:
        state: what the operator looks at.
        walk: the thread.
    """

    def __init__(self, app: Console) -> None:
        self._app = app
        self.state = State()
        self._waking = False
        self.walk = self._new()

    def _new(self) -> Walk:
        session = self._app.session
        return Walk(self._open, session.places, session.clock.monotonic, self._wake)

    def begin(self) -> None:
        """Open the course, unless it is; one that could not be opened is tried again."""
        if self.walk.doing is None and not self.walk.steps:
            self.walk = self._new()
        if not self.walk.begun:
            self.walk.begun = True
            start(self.walk.run, "setup")

    def _open(self, applies: bool, told: Callable[[Plan, AnyEvent], None]) -> Course:
        from actions.setup.course import Course, remembered_answers

        session = self._app.session
        return Course(session, remembered_answers(session), applies=applies, tell=told)

    def _wake(self) -> None:
        """Have the screen painted; from any thread, and once for much that happens at once."""
        if not self._waking:
            self._waking = True
            tell(self._app, events.Callback(callback=self._take))

    def _take(self) -> None:
        from screens.tui.setup.screen import SetupScreen

        self._waking = False
        for said in self.walk.said():
            if isinstance(said, ConsoleError):
                hint = f"; {said.hint}" if said.hint else ""
                self._app.say(f"{said.title}{hint}", "warning", "▲")
            else:
                self._app.say(said, "ok", "✔")
        if isinstance(self._app.screen, SetupScreen):
            self._app.screen.paint()

    # -- what is wished for ---------------------------------------------------------------------

    def go(self, ident: str) -> None:
        """Show a step as it is now."""
        self.walk.wish(ident, "look", lambda course: course.look(ident))

    def again(self, ident: str) -> None:
        """Read the host and look again; a step that was left out is taken up."""

        def work(course: Course) -> None:
            course.back_to(ident)
            course.look(ident, anew=True)

        self.walk.wish(ident, "again", work)

    def do(self, ident: str) -> None:
        """Do what the step proposes."""
        self.walk.wish(ident, "do", lambda course: course.do(ident))

    def skip(self, ident: str, then: str) -> None:
        """Leave a step out and show the one after it."""

        def work(course: Course) -> None:
            course.skip(ident)
            course.look(then)

        self.walk.wish(then, "skip", work)

    def answer(self, ident: str, key: str, value: Any) -> None:
        """Take an answer, and look at the step again."""

        def work(course: Course) -> None:
            try:
                course.answer(key, value)
            finally:
                course.look(ident)

        self.walk.wish(ident, "answer", work)

    def save(self, path: str) -> None:
        """Write the answers into a file that the command line takes."""

        def work(course: Course) -> None:
            file = Path(expand(path, self._app.session.environ)).absolute()
            course.save(file)
            self.walk.say(f"written: {file}; `gpuconsole setup --answers {file} --yes` takes it")

        self.walk.wish(self.walk.at, "save", work)

    def stop(self, word: str) -> None:
        """Ask the job that is under way to `cancel` or to `pause`."""
        running = self.walk.running
        ident = self.walk.ask(word)
        if running is None or not ident:
            return
        if word == "pause":
            self._app.desk.pause(ident, running.plan.target)
        else:
            self._app.desk.cancel(ident)


def setup_flow(app: Console) -> SetupFlow:
    """Give what an application keeps of setup; made at first use."""
    return app.kept.get("setup", (), partial(SetupFlow, app))


def open_setup(app: Console) -> None:
    """Open guided setup over the view that is shown, unless it is open."""
    from screens.tui.setup.screen import SetupScreen

    setup_flow(app).begin()
    if not isinstance(app.screen, SetupScreen):
        app.push_screen(SetupScreen())


def note_offered(app: Console) -> None:
    """Remember that setup was offered; who cannot remember it offers it again."""
    from actions.setup.memory import Memory

    with suppress(ConsoleError):
        Memory(app.session.places).keep_offered()
