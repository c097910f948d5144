"""Guided setup by keyboard and mouse: one step at a time, gone back to and left as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType

from console.paths import find_home
from screens.tui.keys import bindings
from screens.tui.lab.typing import Typing
from screens.tui.pictures.frame import Frame
from screens.tui.pictures.screen import PictureScreen
from screens.tui.setup.asks import Row, answered_row, next_ask, rows_of
from screens.tui.setup.flow import SetupFlow, setup_flow
from screens.tui.setup.keys import SETUP
from screens.tui.setup.layout import Drawing
from screens.tui.setup.state import BUTTON, State
from screens.tui.setup.walk import Walk
from screens.tui.setup.words import PASSED, ready
from screens.tui.view import Block

if TYPE_CHECKING:
    from actions.setup.report import StepReport

WHEEL = 3
LONGEST = 4096
LEFT = "setup goes on here the next time: `gpuconsole setup`, or the palette (Ctrl-P)"
LOOKING = "the steps before are looked at still: ↵ once more in a moment"
AGAIN = "`gpuconsole setup` looks again, at any time"
LAB, DASHBOARD = 4, 1
"""The numbers of two views."""
BUSY = "it is under way: Esc leaves it running, or cancels it"
WHERE = "Into which file? `gpuconsole setup --answers FILE` takes it, here or on another host."
ANSWERS = "~/gpuconsole-answers.toml"


class SetupScreen(PictureScreen):
    """Shows the step that the walk is at; what a key wishes for is done in the walk's thread."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SETUP)

    def __init__(self) -> None:
        super().__init__()
        self._drawing: Drawing | None = None

    @property
    def flow(self) -> SetupFlow:
        """Give what outlives this screen."""
        return setup_flow(self.console_app)

    @property
    def walk(self) -> Walk:
        """Give the course's thread."""
        return self.flow.walk

    @property
    def state(self) -> State:
        """Give what the operator looks at."""
        return self.flow.state

    @property
    def drawing(self) -> Drawing:
        """Give what draws this screen, and knows what is on it."""
        if self._drawing is None:
            self._drawing = Drawing(self.console_app, self.state)
        return self._drawing

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, steps, the step that is shown, its button and the keys."""
        return self.drawing.blocks(self.walk, width, height)

    def frames(self, width: int, height: int) -> Sequence[Frame]:  # noqa: ARG002 -- as drawn
        """Give the pictures below the step."""
        return self.drawing.frames()

    @property
    def report(self) -> StepReport | None:
        """Give the step that is shown, where it was looked at."""
        return self.walk.report

    def _rows(self) -> tuple[Row, ...]:
        return rows_of(self.report.asks) if self.report is not None else ()

    def _free(self) -> bool:
        """Tell whether something else may begin; say why not."""
        if not self.walk.steps:
            # What kept the course from being opened may be over by now.
            self.flow.begin()
            return False
        if self.walk.working:
            self.console_app.say(BUSY, "text", "·")
            return False
        return True

    # -- moving ---------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Move the cursor through the answers down to the button; where there is none, scroll."""
        state, count = self.state, len(self._rows())
        if state.full or not count:
            state.top += step
        else:
            place = count if state.row == BUTTON else state.row
            there = place + step
            if 0 <= there < count:
                state.row, state.seek = there, True
            elif there == count:
                state.row = BUTTON
            else:
                state.top += step
        self.paint()

    def action_ask(self, step: int) -> None:
        """Go to the next question, after the last one to the button."""
        state = self.state
        state.row, state.seek = next_ask(self._rows(), state.row, step), True
        self.paint()

    def action_scroll(self, step: int) -> None:
        """Scroll by most of a page."""
        self.state.top += step * max(1, self.drawing.page - 2)
        self.paint()

    def action_edge(self, step: int) -> None:
        """Go to the beginning or the end of the step."""
        self.state.top = 0 if step < 0 else 1 << 20
        self.paint()

    def on_mouse_scroll_down(self) -> None:
        """Scroll with the wheel."""
        self.state.top += WHEEL
        self.paint()

    def on_mouse_scroll_up(self) -> None:
        """Scroll with the wheel."""
        self.state.top -= WHEEL
        self.paint()

    def press(self, verb: str, argument: str, times: int) -> None:  # noqa: ARG002 -- one is enough
        """Press the button, choose an answer or go to a step by a click."""
        if self.state.typing is not None and not self._end_typing(leave=True):
            return
        if verb == "button":
            self.state.row = BUTTON
            self.action_press()
        elif verb == "ask" and argument.isdigit():
            self.state.row, self.state.seek = answered_row(self._rows(), int(argument)), True
            self.paint()
        elif verb == "row" and argument.isdigit():
            self.state.row = int(argument)
            self.action_press()
        elif verb == "step" and self._free():
            self._go(argument)

    # -- steps ----------------------------------------------------------------------------------

    def _go(self, ident: str) -> None:
        self.flow.go(ident)
        self.paint()

    def _neighbour(self, by: int) -> str:
        """Give the step before or after; empty where there is none."""
        steps = self.walk.steps
        place = steps.index(self.walk.at) + by if self.walk.at in steps else -1
        return steps[place] if 0 <= place < len(steps) else ""

    def action_before(self) -> None:
        """Go back one step."""
        if self.state.full:
            self.action_full()
        elif self._free() and (ident := self._neighbour(-1)):
            self._go(ident)

    def action_after(self) -> None:
        """Go on one step, where this one is behind us."""
        report = self.report
        if not self._free() or report is None:
            return
        if report.state not in PASSED and self.walk.applies:
            self.console_app.say("↵ does this step, s leaves it out", "text", "→")
        elif ident := self._neighbour(1):
            self._go(ident)

    def action_skip(self) -> None:
        """Leave the step out and go on."""
        if not self._free() or self.report is None:
            return
        if not self.walk.applies or self.report.state in PASSED:
            self._on()
            return
        self.flow.skip(self.walk.at, self._neighbour(1) or self.walk.at)
        self.paint()

    def action_again(self) -> None:
        """Check again."""
        if self._free():
            self.flow.again(self.walk.at)
            self.paint()

    def action_press(self) -> None:
        """Do what the cursor is on: an answer, or the button."""
        if not self._free():
            return
        state, report = self.state, self.report
        if not state.full and 0 <= state.row < len(self._rows()):
            self.action_choose()
            return
        if report is None or self.walk.doing is not None:
            return
        if not self.walk.applies or not ready(report):
            self._not_to_do(report)
        elif report.diff and report.diff != state.seen:
            self.action_full()
        else:
            state.full, state.top = False, 0
            self.flow.do(self.walk.at)
        self.paint()

    def _not_to_do(self, report: StepReport) -> None:
        """Come back from full size, go on, or look again: the step has nothing to be done."""
        if self.state.full:
            self.action_full()
        elif report.state in PASSED or not self.walk.applies:
            self._on()
        else:
            self.flow.again(self.walk.at)

    def _on(self) -> None:
        """Go to the step after; after the last one say what there is now."""
        if ident := self._neighbour(1):
            self._go(ident)
            return
        from screens.tui.setup.ending import ending

        walk = self.walk
        if any(ident not in walk.reports for ident in walk.steps):
            self.console_app.say(LOOKING, "text", "◐")
            return
        box = ending(walk.steps, walk.reports, find_home(self.console_app.session.environ))
        self.console_app.push_screen(box, self._end)

    def _end(self, word: str | None) -> None:
        app = self.console_app
        if word in self.walk.steps:
            self._go(str(word))
        elif word:
            app.leave(self)
            app.action_view(LAB if word == "lab" else DASHBOARD)
            app.say(AGAIN, "text", "→")

    # -- answers --------------------------------------------------------------------------------

    def action_choose(self) -> None:
        """Choose the answer under the cursor, switch a flag, or begin to type."""
        rows = self._rows()
        if not 0 <= self.state.row < len(rows) or not self._free():
            return
        row = rows[self.state.row]
        if row.kind == "text":
            value = str(row.ask.value)
            self.state.typing = Typing(
                field=row.ask.key, text=value, at=len(value), before=value, longest=LONGEST
            )
        elif row.kind == "flag":
            self.flow.answer(self.walk.at, row.ask.key, not row.ask.value)
        elif row.chosen:
            self.action_ask(1)
        elif row.option is not None:
            self.flow.answer(self.walk.at, row.ask.key, row.option.value)
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """Take every key while an answer is typed."""
        view = self.console_app.view
        if self.state.typing is not None:
            event.stop()
            event.prevent_default()
            self._type(event)
            self.paint()
            return
        if view.notice is not None and event.key != "escape":
            view.notice = None
        if event.key.isdigit():
            # A number that is meant as an answer does not open another view.
            event.stop()
            event.prevent_default()
            self._digit(event)
            return
        self.run_key(event)

    def _digit(self, event: events.Key) -> None:
        """Begin to type with a digit where a text is asked for."""
        rows = self._rows()
        if 0 <= self.state.row < len(rows) and rows[self.state.row].kind == "text":
            self.action_choose()
            if self.state.typing is not None:
                self.state.typing.press("ctrl+u")
                self._type(event)
        else:
            self.console_app.say("Esc leaves setup; then numbers open views", "text", "→")
        self.paint()

    def _type(self, event: events.Key) -> None:
        typing = self.state.typing
        if typing is None:
            return
        if event.key in {"enter", "escape"}:
            self._end_typing(leave=event.key == "escape")
        elif not typing.press(event.key) and event.character and event.is_printable:
            typing.insert(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted into the answer that is typed."""
        event.stop()
        if self.state.typing is not None:
            self.state.typing.insert((event.text.strip().splitlines() or [""])[0])
            self.paint()

    def _end_typing(self, leave: bool) -> bool:
        typing, self.state.typing = self.state.typing, None
        if typing is not None and not leave and typing.text.strip() != typing.before:
            self.flow.answer(self.walk.at, typing.field, typing.text.strip())
        return True

    # -- odds and ends --------------------------------------------------------------------------

    def action_full(self) -> None:
        """Show what would be written in full size, or the step again; pictures change places."""
        state = self.state
        if state.full or (self.report is not None and self.report.diff):
            state.full, state.top = not state.full, 0
        elif self.drawing.frames():
            state.flipped = not state.flipped
        else:
            self.console_app.say("this step writes no file", "text", "·")
        self.paint()

    def action_copy(self) -> None:
        """Copy the commands that only a person can run, else those of the step's plan."""
        report = self.report
        lines = (report.commands or report.steps) if report is not None else ()
        if not lines:
            self.console_app.say("there is no command to copy", "text", "·")
            return
        self.console_app.copy_to_clipboard("\n".join(lines))
        count = len(lines)
        self.console_app.say(f"copied {count} line{'s' if count > 1 else ''}", "ok", "✔")

    def action_save(self) -> None:
        """Ask where the answers are to be written, and write them."""
        if not self._free():
            return
        from screens.tui.typed_dialog import LONGEST_PATH, TypedDialog

        def typed(path: str | None) -> None:
            if path:
                self.flow.save(path)
                self.paint()

        dialog = TypedDialog(
            "Write the answers",
            WHERE,
            lambda said: "" if said else "name a file",
            ANSWERS,
            LONGEST_PATH,
        )
        self.console_app.push_screen(dialog, typed)

    def action_back(self) -> None:
        """Leave, one thing at a time: notice, full size, answers; then setup itself."""
        state, view = self.state, self.console_app.view
        if view.notice is not None:
            view.notice = None
        elif state.full:
            state.full, state.top = False, 0
        elif state.row != BUTTON:
            state.row = BUTTON
        elif self.walk.running is not None:
            self._leave_job()
        else:
            self._leave()
            return
        self.paint()

    def _leave(self) -> None:
        self.console_app.leave(self)
        self.console_app.say(LEFT, "text", "→")

    def _leave_job(self) -> None:
        running = self.walk.running
        if running is None:
            return
        from screens.tui.setup.dialogs import leave

        plan = running.plan

        def answered(word: str | None) -> None:
            if word == "leave":
                self._leave()
            elif word in {"cancel", "pause"}:
                self.flow.stop(word)
            self.paint()

        what = f"{plan.verb} {plan.target}"
        pausable = plan.endless and plan.pausable
        self.console_app.push_screen(leave(what, pausable, plan.detached), answered)
