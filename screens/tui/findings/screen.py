"""The findings view: examines the host when opened, and leads from what is wrong to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from console.engine.snapshot import Container
from screens.tui.findings.keys import FINDINGS
from screens.tui.findings.layout import Drawing
from screens.tui.findings.list_panel import name_of
from screens.tui.findings.state import State
from screens.tui.findings.text import fix_text, whole_text
from screens.tui.keys import bindings
from screens.tui.live_screen import LiveScreen
from screens.tui.view import Block

WHEEL = 3


class FindingsScreen(LiveScreen):
    """Nothing is examined before the view is opened, nor again but by `r` and after a plan."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(FINDINGS)

    def __init__(self) -> None:
        super().__init__()
        self._drawing: Drawing | None = None

    @property
    def state(self) -> State:
        """Give the view's state, which outlives this screen."""
        return self.console_app.findings.state

    @property
    def drawing(self) -> Drawing:
        """Give what draws this screen, and knows what is on it."""
        if self._drawing is None:
            self._drawing = Drawing(self.console_app, self.state)
        return self._drawing

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, list, details, status line and keys."""
        return self.drawing.blocks(width, height)

    def on_screen_resume(self) -> None:
        """Examine the host when the view is opened first."""
        findings = self.console_app.findings
        if findings.progress is None:
            findings.begin()
        super().on_screen_resume()

    def action_reload(self) -> None:
        """Examine the host again after a plan has ended."""
        self.console_app.findings.begin()
        self.paint()

    def action_again(self) -> None:
        """Examine the host again, now."""
        findings = self.console_app.findings
        if findings.examining:
            self.console_app.say("it is being examined", "text", "·")
            return
        self.console_app.fits.expire()
        self.action_reload()

    # -- moving ---------------------------------------------------------------------------------

    def select(self, place: int) -> None:
        """Put the cursor on a row of the list."""
        rows, state = self.drawing.listed().rows, self.state
        self.console_app.findings.let_go()
        if rows:
            state.place = max(0, min(len(rows) - 1, place))
            key = rows[state.place].key
            if key != state.finding:
                state.finding, state.top, state.step = key, 0, 0
                state.alert = None
        self.paint()

    def action_move(self, step: int) -> None:
        """Move the cursor; where the details have the whole screen, scroll them."""
        if self.state.full or not self.drawing.listed().rows:
            self.state.top += step
            self.paint()
        else:
            self.select(self.drawing.place() + step)

    def action_edge(self, step: int) -> None:
        """Move to the first or the last finding."""
        self.select(0 if step < 0 else len(self.drawing.listed().rows))

    def action_scroll(self, step: int) -> None:
        """Scroll the details by most of a page."""
        self.state.top += step * max(1, self.drawing.page - 2)
        self.paint()

    def on_mouse_scroll_down(self) -> None:
        """Scroll the details with the wheel."""
        self.state.top += WHEEL
        self.paint()

    def on_mouse_scroll_up(self) -> None:
        """Scroll the details with the wheel."""
        self.state.top -= WHEEL
        self.paint()

    def press(self, verb: str, argument: str, times: int) -> None:
        """Select a finding or a step by a click; a double click gives the details the screen."""
        if verb == "row":
            place = self.drawing.listed().places.get(argument)
            if place is not None:
                self.select(place)
            if times >= 2:
                self.action_full()
        elif verb == "step":
            self._choose(int(argument))

    # -- looking --------------------------------------------------------------------------------

    def action_full(self) -> None:
        """Give the details the whole screen, or take it back."""
        self.state.full = not self.state.full
        self.state.top = 0
        self.paint()

    def action_changes(self) -> None:
        """Show all that changed, or what matters most."""
        self.state.whole, self.state.checks = not self.state.whole, False
        self.state.seek = self.state.whole
        self.paint()

    def action_checks(self) -> None:
        """Show the checks in place of the finding, or the finding again."""
        self.state.checks, self.state.top = not self.state.checks, 0
        self.paint()

    def action_back(self) -> None:
        """Leave, one thing at a time: search, notice, checks, full size, step; else the view."""
        state, view = self.state, self.console_app.view
        if state.typing or state.search:
            state.typing, state.search = False, ""
        elif view.notice is not None:
            view.notice = None
        elif state.checks or state.full:
            state.checks, state.full, state.top = False, False, 0
        elif state.step or state.whole:
            state.step, state.whole = 0, False
        else:
            self.console_app.action_view(1)
            return
        self.paint()

    def action_subject(self) -> None:
        """Open what the finding is about, or what the verdict spoke of where none explains it."""
        app = self.console_app
        if self.state.alert is not None:
            alert, self.state.alert = self.state.alert, None
            app.open_subject(alert)
            return
        row = self.drawing.row()
        if row is None:
            app.say("no finding is selected", "warning", "▲")
            return
        subject = row.finding.subject
        container = self._container()
        card = next((one for one in app.snapshot.gpu.gpus if subject in {one.uuid, one.name}), None)
        if app.service(subject) is not None:
            app.open_service(subject)
        elif container is not None:
            app.open_container(container.id)
        elif card is not None:
            app.open_details("gpu", card.uuid)
        else:
            app.open_details("host", "")

    def action_logs(self) -> None:
        """Open the log of the container that the finding is about."""
        container = self._container()
        if container is None:
            self.console_app.say("it is about no container that has a log", "warning", "▲")
            return
        self.console_app.open_container(container.id, "logs")

    def _container(self) -> Container | None:
        app, row = self.console_app, self.drawing.row()
        subject = row.finding.subject if row is not None else ""
        service = app.service(subject)
        if service is not None and service.container_id:
            return app.container(service.container_id)
        return app.container_by_name(subject)

    # -- mending --------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Ask for the plan that mends the finding; it is shown before anything is changed."""
        row = self.drawing.row()
        if row is None:
            self.console_app.say("nothing is to be mended", "text", "·")
        elif row.earlier:
            self.console_app.say("it is being looked at again: a moment", "text", "·")
        else:
            self.console_app.findings.mend(row.finding)

    def action_copy(self) -> None:
        """Copy the chosen step, the plan's command, or the fix."""
        row = self.drawing.row()
        if row is not None:
            text, what = fix_text(row.finding, self.state.step)
            self.console_app.copy_to_clipboard(text)
            shown = f": {text}" if "\n" not in text else ""
            self.console_app.say(f"copied {what}{shown}", "ok", "✔")

    def action_copy_all(self) -> None:
        """Copy the whole finding."""
        row = self.drawing.row()
        if row is not None:
            self.console_app.copy_to_clipboard(whole_text(row.finding))
            self.console_app.say(f"copied the finding {row.finding.id}", "ok", "✔")

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def _choose(self, number: int) -> None:
        self.state.step = 0 if self.state.step == number else number
        self.paint()

    # -- typing ---------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Open the search line."""
        self.state.typing, self.state.search = True, ""
        self.console_app.view.notice = None
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """Take every key while the search line is open; numbers choose steps."""
        state, view = self.state, self.console_app.view
        if state.typing:
            event.stop()
            event.prevent_default()
            self._type(event)
            return
        if view.notice is not None and event.key != "escape":
            view.notice = None
        if event.key.isdigit() and 1 <= int(event.key) <= self.drawing.steps():
            event.stop()
            event.prevent_default()
            self._choose(int(event.key))
            return
        self.run_key(event)

    def _type(self, event: events.Key) -> None:
        state = self.state
        if event.key in {"enter", "escape"}:
            state.typing = False
            state.search = state.search if event.key == "enter" else ""
        elif event.key == "backspace":
            state.search = state.search[:-1]
        elif event.key == "ctrl+u":
            state.search = ""
        elif event.character and event.is_printable:
            state.search += event.character
        self._find(1, inclusive=True)

    def action_match(self, step: int) -> None:
        """Move to the next or the last match."""
        self._find(step, inclusive=False)

    def _find(self, step: int, inclusive: bool) -> None:
        wanted, rows = self.state.search.casefold(), self.drawing.listed().rows
        if not wanted or not rows:
            self.paint()
            return
        place = self.drawing.place()
        order = [
            (place + step * offset) % len(rows)
            for offset in range(0 if inclusive else 1, len(rows) + 1)
        ]
        found = next((at for at in order if wanted in name_of(rows[at]).casefold()), None)
        if found is not None:
            self.select(found)
            return
        if not self.state.typing:
            self.console_app.say(f"nothing matches {self.state.search}", "warning", "▲")
        self.paint()
