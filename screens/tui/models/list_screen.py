"""The base of the views of models and jobs: a cursor in a list, details, a search line."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from screens.tui.live_screen import LiveScreen
from screens.tui.models.layout import Drawing
from screens.tui.models.state import State
from screens.tui.view import Block

WHEEL = 3


class ListScreen(LiveScreen):
    """Moves the cursor, scrolls, searches; subclasses say what keys do to what is selected."""

    ALONE = False

    def __init__(self) -> None:
        super().__init__()
        self.state = State(panel="jobs" if self.ALONE else "catalogue")
        self._drawing: Drawing | None = None

    @property
    def drawing(self) -> Drawing:
        """Give what draws this screen, and knows what is on it."""
        if self._drawing is None:
            self._drawing = Drawing(self.console_app, self.state, self.ALONE)
        return self._drawing

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, panel, list, details, status line and keys."""
        return self.drawing.blocks(width, height)

    # -- moving ---------------------------------------------------------------------------------

    def select(self, key: str) -> None:
        """Put the cursor on a row of the panel."""
        if self.state.panel == "catalogue":
            self.state.variant = key
        elif self.state.panel == "inventory":
            self.state.file = key
        else:
            self.state.job = key
        self.state.top = 0

    def _move_to(self, step: int | None, edge: int = 0) -> None:
        known = self.drawing.keys_of_rows()
        if known and step is None:
            self.select(known[0 if edge < 0 else -1])
        elif known:
            place = known.index(self.drawing.chosen()) + (step or 0)
            self.select(known[max(0, min(len(known) - 1, place))])
        self.paint()

    def action_move(self, step: int) -> None:
        """Move the cursor; where the details have the whole screen, scroll them."""
        if self.state.full:
            self.state.top += step
            self.paint()
        else:
            self._move_to(step)

    def action_edge(self, step: int) -> None:
        """Move to the first or the last line of the list."""
        self._move_to(None, step)

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
        """Select by a click, open by a double click."""
        if verb == "row":
            self.select(argument)
        if times >= 2:
            self.action_open()
        self.paint()

    # -- looking --------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Give the details the whole screen, or take it back."""
        self.action_full()

    def action_full(self) -> None:
        """Give the details the whole screen, or take it back."""
        self.state.full = not self.state.full
        self.state.top = 0
        self.paint()

    def action_back(self) -> None:
        """Leave, one thing at a time: search, notice, full size, marks; else to the dashboard."""
        state, view = self.state, self.console_app.view
        if state.typing or state.search:
            state.typing, state.search = False, ""
        elif view.notice is not None:
            view.notice = None
        elif state.full:
            state.full, state.top = False, 0
        elif state.marked:
            state.marked.clear()
        elif not self.back_further():
            self.console_app.action_view(1)
            return
        self.paint()

    def back_further(self) -> bool:
        """Go back by a step that only a subclass knows; False where there is none."""
        return False

    def action_copy(self) -> None:
        """Copy the id or the path of what is selected."""
        self.console_app.copy(self.drawing.chosen())

    def action_ended(self) -> None:
        """List jobs that are over too, or no longer."""
        self.state.ended = not self.state.ended
        self.read_jobs()
        self.paint()

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def read_jobs(self) -> None:
        """Have the jobs read from the journal in a thread."""
        self.console_app.desk.read_jobs(everything=self.state.ended)

    # -- searching ------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Open the search line."""
        self.state.typing, self.state.search = True, ""
        self.console_app.view.notice = None
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """Take every key while the search line is open."""
        state, view = self.state, self.console_app.view
        if not state.typing:
            if view.notice is not None and event.key != "escape":
                view.notice = None
            if not self.take_key(event):
                self.run_key(event)
            return
        event.stop()
        event.prevent_default()
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

    def take_key(self, event: events.Key) -> bool:  # noqa: ARG002 -- for subclasses
        """Take a key that is bound to nothing; False where it is not wanted."""
        return False

    def action_match(self, step: int) -> None:
        """Move to the next or the last match."""
        self._find(step, inclusive=False)

    def _find(self, step: int, inclusive: bool) -> None:
        wanted = self.state.search.casefold()
        known, names = self.drawing.keys_of_rows(), self.drawing.names_of_rows()
        if wanted and known:
            place = known.index(self.drawing.chosen())
            order = [
                (place + step * offset) % len(known)
                for offset in range(0 if inclusive else 1, len(known) + 1)
            ]
            found = next((at for at in order if wanted in names[at].casefold()), None)
            if found is not None:
                self.select(known[found])
            elif not self.state.typing:
                self.console_app.say(f"nothing matches {self.state.search}", "warning", "▲")
        self.paint()
