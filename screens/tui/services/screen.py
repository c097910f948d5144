"""The services view: services, the fit matrix and the layouts, each with details of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from actions.services.snapshot import ServiceStatus
from screens.tui.interrupted import interrupted
from screens.tui.keys import bindings
from screens.tui.live_screen import LiveScreen
from screens.tui.messages import TimelineRead
from screens.tui.services import matrix_panel
from screens.tui.services.keys import SERVICES
from screens.tui.services.layout import Drawing
from screens.tui.services.state import (
    PANELS,
    State,
    bigger,
    more_images,
    read_task,
    task_text,
)
from screens.tui.view import Block

TIMELINE_LOOKED_AT = 50


class ServicesScreen(LiveScreen):
    """What runs and how; what is shown is computed only while it is shown."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SERVICES)

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self._drawing: Drawing | None = None

    @property
    def drawing(self) -> Drawing:
        """Give what draws this screen, and knows what is on it."""
        if self._drawing is None:
            self._drawing = Drawing(self.console_app, self.state)
        return self._drawing

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, panel, list, details, status line and keys."""
        return self.drawing.blocks(width, height)

    # -- what is selected -----------------------------------------------------------------------

    def _names(self) -> tuple[list[str], int]:
        """Give what the cursor moves among in this panel, and where it is."""
        if self.state.panel == "services":
            chosen = self.drawing.selected()
            names = [one.name for one in self.console_app.snapshot.services]
            return names, names.index(chosen.name) if chosen is not None else 0
        if self.state.panel == "layouts":
            names = list(self.drawing.layouts())
            return names, names.index(self.drawing.layout()) if names else 0
        if self.drawing.matrix is None:
            return [], 0
        return list(self.drawing.matrix.variants), matrix_panel.selected(
            self.drawing.matrix, self.state
        )[0]

    def _select(self, name: str) -> None:
        if self.state.panel == "services":
            self.console_app.view.service = name
        elif self.state.panel == "layouts":
            self.state.layout = name
        else:
            self.state.row = name
        self.state.top = 0

    # -- moving ---------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Move the cursor in the list."""
        names, place = self._names()
        if names:
            self._select(names[max(0, min(len(names) - 1, place + step))])
        self.paint()

    def action_edge(self, step: int) -> None:
        """Move to the first or the last line of the list."""
        names, _place = self._names()
        if names:
            self._select(names[0 if step < 0 else -1])
        self.paint()

    def action_sideways(self, step: int) -> None:
        """Move among the cards of the matrix; elsewhere to the panel beside."""
        if self.state.panel == "matrix" and self.drawing.matrix is not None:
            _row, column = matrix_panel.selected(self.drawing.matrix, self.state)
            cards = self.drawing.matrix.cards
            self.state.card = cards[max(0, min(len(cards) - 1, column + step))]
            self.paint()
        elif self.state.panel != "matrix":
            self.action_panel(step)

    def action_panel(self, step: int) -> None:
        """Go to the panel beside."""
        self.show_panel(PANELS[(PANELS.index(self.state.panel) + step) % len(PANELS)])

    def show_panel(self, panel: str) -> None:
        """Go to a panel."""
        self.state.panel = panel
        self.state.top = self.state.list_top = 0
        self.paint()

    def action_scroll(self, step: int) -> None:
        """Scroll the details by most of a page."""
        self.state.top += step * max(1, self.drawing.page - 2)
        self.paint()

    def on_mouse_scroll_down(self) -> None:
        """Scroll the details with the wheel."""
        self.state.top += 3
        self.paint()

    def on_mouse_scroll_up(self) -> None:
        """Scroll the details with the wheel."""
        self.state.top -= 3
        self.paint()

    def press(self, verb: str, argument: str, times: int) -> None:
        """Select by a click, open by a double click; choose a panel."""
        if verb == "panel":
            self.show_panel(argument)
            return
        if verb == "cell":
            self.state.row, _, self.state.card = argument.rpartition(" ")
        elif verb in {"service", "layout"}:
            self._select(argument)
        if times >= 2:
            self.action_open()
        self.paint()

    # -- looking --------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Open the service's container; plan the switch to the layout; explain the cell."""
        app = self.console_app
        if self.state.panel == "matrix":
            self.action_details()
        elif self.state.panel == "layouts":
            name = self.drawing.layout()
            if name:
                app.desk.propose("switch", name, name)
        else:
            chosen = self.drawing.selected()
            if chosen is not None and app.container(chosen.container_id) is not None:
                app.open_details("container", chosen.container_id)
            elif chosen is not None:
                app.say(f"{chosen.name} has no container: s starts it", "text", "→")

    def action_back(self) -> None:
        """Leave, one thing at a time: search, notice, panel; else to the dashboard."""
        view = self.console_app.view
        if self.state.typing or self.state.search:
            self.state.typing, self.state.search = False, ""
            self.paint()
        elif view.notice is not None and not view.cancellable:
            view.notice = None
            self.paint()
        elif self.state.full:
            self.action_full()
        elif self.state.panel != "services":
            self.show_panel("services")
        else:
            self.console_app.action_view(1)

    def action_details(self) -> None:
        """Show the whole arithmetic, or the short form again."""
        self.state.details = not self.state.details
        self.paint()

    def action_full(self) -> None:
        """Give the details, or the matrix, the whole screen, or take it back."""
        self.state.full = not self.state.full
        self.state.top = 0
        self.paint()

    def action_copy(self) -> None:
        """Copy the selected service's URL."""
        chosen = self.drawing.selected()
        if chosen is not None and not chosen.service.url:
            self.console_app.say(f"where {chosen.name} listens is not known", "warning", "▲")
        elif chosen is not None:
            self.console_app.copy(chosen.service.url)

    def action_copy_name(self) -> None:
        """Copy the name of what is selected."""
        names, place = self._names()
        self.console_app.copy(names[place] if names else "")

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

    def action_match(self, step: int) -> None:
        """Move to the next or the last match."""
        self._find(step, inclusive=False)

    def _find(self, step: int, inclusive: bool) -> None:
        names, place = self._names()
        wanted = self.state.search.casefold()
        if wanted:
            order = [
                (place + step * offset) % len(names)
                for offset in range(0 if inclusive else 1, len(names) + 1)
            ]
            found = next((at for at in order if wanted in names[at].casefold()), None)
            if found is not None:
                self._select(names[found])
            elif not self.state.typing:
                self.console_app.say(f"nothing matches {self.state.search}", "warning", "▲")
        self.paint()

    # -- the matrix -----------------------------------------------------------------------------

    def action_empty(self) -> None:
        """Show the matrix as the host is now, or as if nothing ran."""
        self._matrix_key(empty=not self.state.empty)

    def action_images(self) -> None:
        """Compute the matrix for a reference picture more."""
        self._matrix_key(task=more_images(self.state.task))

    def action_size(self, step: int) -> None:
        """Compute the matrix for a bigger or a smaller picture."""
        self._matrix_key(task=bigger(self.state.task, step))

    def _matrix_key(self, **changes: object) -> None:
        """Change what the matrix is computed for; from another panel only go there."""
        if self.state.panel != "matrix":
            self.show_panel("matrix")
            return
        for name, value in changes.items():
            setattr(self.state, name, value)
        self.paint()

    def action_task(self) -> None:
        """Ask for size and number of pictures."""
        from screens.tui.typed_dialog import TypedDialog

        def wrong(typed: str) -> str:
            read = read_task(typed)
            return read if isinstance(read, str) else ""

        def answered(typed: str | None) -> None:
            read = read_task(typed or "")
            if not isinstance(read, str):
                self.state.task = read
                self.show_panel("matrix")

        text = "What is the matrix computed for? Width x height, and the number of pictures."
        self.app.push_screen(
            TypedDialog("Size and pictures", text, wrong, task_text(self.state.task)), answered
        )

    # -- changing -------------------------------------------------------------------------------

    def action_verb(self, key: str) -> None:
        """Propose what a key does to the selected service in its actual state."""
        chosen = self._service_meant()
        if chosen is not None:
            self.console_app.services.propose_key(chosen, key)

    def action_menu(self) -> None:
        """Open the menu of what can be done with the selected service."""
        chosen = self._service_meant()
        if chosen is not None:
            self.console_app.services.open_menu(chosen)

    def _service_meant(self) -> ServiceStatus | None:
        chosen = self.drawing.selected() if self.state.panel == "services" else None
        if chosen is None:
            self.console_app.say("no service is selected: Tab goes there", "warning", "▲")
        return chosen

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def action_cancel(self) -> None:
        """Cancel what runs, at the second press."""
        self.console_app.flow.cancel_asked()

    # -- what was interrupted -------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """Look for a plan that was interrupted."""
        super().on_screen_resume()
        self.action_reload()

    def action_reload(self) -> None:
        """Read the newest entries of the journal in a thread."""
        self.console_app.desk.read_timeline(TIMELINE_LOOKED_AT)

    def take(self, message: TimelineRead) -> None:
        """Keep the plan that was interrupted, if there is one."""
        self.drawing.interrupted = interrupted(message.entries, downloads=False)
        self.paint()

    def action_go_on(self) -> None:
        """Propose to go on with what was interrupted."""
        if self.drawing.interrupted is not None:
            self.console_app.desk.go_on(self.drawing.interrupted)

    def action_go_back(self) -> None:
        """Propose to go back from what was interrupted."""
        if self.drawing.interrupted is not None and self.drawing.interrupted.plan_id:
            self.console_app.desk.propose_back(self.drawing.interrupted.plan_id)
