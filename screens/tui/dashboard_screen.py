"""The dashboard: moves the cursor, opens things, hands changes to the plan desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from actions.snapshot import Alert
from console.gpu.snapshot import Gpu
from screens.tui.cursor import alert_key, settle_alert
from screens.tui.keys import DASHBOARD, bindings
from screens.tui.layout import Dashboard, dashboard, nothing_here
from screens.tui.live_screen import LiveScreen
from screens.tui.panels.cards import selected_gpu
from screens.tui.panels.footer import Key, keys
from screens.tui.rows import Item, container_rows, next_match, service_key
from screens.tui.view import FOLD, PANELS, Block, Notice, Scene, View

FOOTER = (
    Key("↵", "open", "key enter"),
    Key("s", "start/stop", "key s"),
    Key("r", "restart", "key r"),
    Key("x", "actions", "key x"),
    Key("/", "search", "key slash"),
    Key("u", "undo", "key u"),
    Key("Tab", "panel", "key tab"),
    Key("f", "full", "key f"),
    Key("m", "mouse", "key m"),
    Key("q", "quit", "key q"),
)
REHEARSE = Key("d", "rehearsal host", "key d")
MORE = Key("?", "help", "key question_mark")


class DashboardScreen(LiveScreen):
    """Cards, containers, alerts; the cursor is in one of them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(DASHBOARD)

    def __init__(self) -> None:
        super().__init__()
        self._laid_out: Dashboard | None = None

    @property
    def view(self) -> View:
        """Give the state of the view, which the application keeps."""
        return self.console_app.view

    @property
    def scene(self) -> Scene:
        """Give what the panels draw from."""
        app = self.console_app
        return Scene(app.snapshot, app.view, app.history, app.kept)

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Lay out the dashboard; tells the host which containers are in sight."""
        self._laid_out = dashboard(self.scene, width, height, self._keys(width))
        self.console_app.watch_usage(self._laid_out.watched)
        return self._laid_out.blocks

    def _keys(self, width: int) -> tuple:  # type: ignore[type-arg]
        app = self.console_app
        shown = (*app.view_keys(), *FOOTER)
        if nothing_here(self.console_app.snapshot):
            shown = (REHEARSE, *app.view_keys(), FOOTER[-1])
        return keys(width, shown, MORE)

    def _rows(self) -> Dashboard:
        if self._laid_out is None:
            size = self.app.size
            self._laid_out = dashboard(self.scene, size.width, size.height)
        return self._laid_out

    def selected_item(self) -> Item | None:
        """Give the row that the cursor means: of the table, or of what the alert is about."""
        rows = self._rows().rows
        if self.view.focus == "containers":
            return rows.item(self.view.container)
        alert = self.selected_alert() if self.view.focus == "alerts" else None
        if alert is None:
            return None
        service = self.console_app.service_of(alert)
        if service is not None:
            container = self.console_app.container(service.container_id)
            key = container.id if container is not None else service_key(service.name)
            return Item(key, service.name, container, service)
        container = self.console_app.container(alert.subject_id)
        return Item(container.id, container.name, container) if container is not None else None

    def selected_alert(self) -> Alert | None:
        """Give the alert under the cursor of the alerts."""
        alerts = self.console_app.snapshot.alerts
        return alerts[settle_alert(self.view, alerts)] if alerts else None

    def _select_alert(self, place: int) -> None:
        alerts = self.console_app.snapshot.alerts
        if alerts:
            self.view.alert = alert_key(alerts[max(0, min(len(alerts) - 1, place))])

    def selected_card(self) -> Gpu | None:
        """Give the card under the cursor of the cards."""
        return selected_gpu(self.scene)

    # -- moving ---------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        """Move the cursor in the focused panel; off the end of the cards it goes on below."""
        if self.view.focus == "cards":
            self._move_card(step)
        elif self.view.focus == "alerts":
            place = settle_alert(self.view, self.console_app.snapshot.alerts)
            self._select_alert(place + step)
        else:
            rows = self._rows().rows
            place = rows.place(self.view.container) + step
            if place < 0 and step == -1 and not self.view.full:
                self.view.focus = "cards" if self.console_app.snapshot.gpu.gpus else "containers"
            self.view.container = rows.key(max(0, min(rows.lines - 1, place)))
        self.paint()

    def _move_card(self, step: int) -> None:
        gpus = self.console_app.snapshot.gpu.gpus
        place = self._card_place() + step
        listed = self._rows().blocks[-1].name and any(
            block.name == "cards" for block in self._rows().blocks
        )
        if (place >= len(gpus) or not listed) and step > 0 and not self.view.full:
            self.view.focus = "containers"
        elif gpus:
            self.view.gpu = gpus[max(0, min(len(gpus) - 1, place))].uuid

    def _card_place(self) -> int:
        chosen = self.selected_card()
        gpus = self.console_app.snapshot.gpu.gpus
        return next((at for at, gpu in enumerate(gpus) if chosen and gpu.uuid == chosen.uuid), 0)

    def action_sideways(self, step: int) -> None:
        """Move to the card at the left or right; from another panel into the cards."""
        gpus = self.console_app.snapshot.gpu.gpus
        if not gpus:
            return
        if self.view.focus == "cards":
            self.view.gpu = gpus[max(0, min(len(gpus) - 1, self._card_place() + step))].uuid
        self.view.focus = "cards"
        self.paint()

    def action_page(self, step: int) -> None:
        """Move by a page."""
        if self.view.focus == "containers":
            self.action_move(step * max(1, self._rows().page - 1))
        else:
            self.action_move(step * 5)

    def action_edge(self, step: int) -> None:
        """Move to the first or the last row."""
        snapshot = self.console_app.snapshot
        if self.view.focus == "containers":
            rows = self._rows().rows
            self.view.container = rows.key(0 if step < 0 else rows.lines - 1)
        elif self.view.focus == "cards" and snapshot.gpu.gpus:
            self.view.gpu = snapshot.gpu.gpus[0 if step < 0 else -1].uuid
        else:
            self._select_alert(0 if step < 0 else len(snapshot.alerts))
        self.paint()

    def action_panel(self, step: int) -> None:
        """Move the focus to the next panel."""
        place = PANELS.index(self.view.focus)
        self.view.focus = PANELS[(place + step) % len(PANELS)]
        self.paint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll the panel under the mouse."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll the panel under the mouse."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        widget, _ = self.get_widget_at(int(event.screen_x), int(event.screen_y))
        panel = {"table": "containers", "usage": "containers", "alerts": "alerts", "cards": "cards"}
        self.view.focus = panel.get(widget.id or "", self.view.focus)
        for _time in range(3 if self.view.focus == "containers" else 1):
            if (
                self.view.focus != "containers"
                or self._rows().rows.place(self.view.container) + step >= 0
            ):
                self.action_move(step)

    # -- looking --------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Open what is selected: details, the subject of an alert, or the folded rest."""
        app, view = self.console_app, self.view
        if view.focus == "cards":
            card = self.selected_card()
            if card is not None:
                app.open_details("gpu", card.uuid)
        elif view.focus == "alerts":
            alert = self.selected_alert()
            if alert is not None and app.findings.finding_of(alert) is not None:
                app.findings.open_at(alert)
            elif alert is not None:
                app.open_subject(alert)
        elif view.container == FOLD:
            view.unfolded = True
            rows = self._rows().rows
            self.paint()
            fresh = self._rows().rows
            view.container = fresh.key(min(len(rows.items), fresh.lines - 1))
            self.paint()
        else:
            item = self.selected_item()
            if item is not None and item.container is not None:
                app.open_details("container", item.container.id)
            elif item is not None:
                app.open_service(item.name)

    def action_verdict(self) -> None:
        """Open the finding that the verdict speaks of."""
        alert = self.console_app.snapshot.verdict.alert
        if alert is not None:
            self.console_app.findings.open_at(alert)

    def action_host(self) -> None:
        """Open what is known of the host itself."""
        self.console_app.open_details("host", "")

    def action_back(self) -> None:
        """Leave, one thing at a time: search, notice, full size, unfolded list; else cancel."""
        view = self.view
        if view.typing or view.search:
            self._end_search()
        elif view.notice is not None and not view.cancellable:
            view.notice = None
        elif view.full:
            view.full = False
        elif view.cancellable:
            self.console_app.flow.cancel_asked()
            return
        elif view.unfolded:
            view.unfolded = False
        self.paint()

    def action_full(self) -> None:
        """Give the focused panel the whole screen, or take it back."""
        self.view.full = not self.view.full
        self.paint()

    def action_copy(self) -> None:
        """Copy the selected name."""
        if self.view.focus == "cards":
            card = self.selected_card()
            self.console_app.copy(card.uuid if card is not None else "")
            return
        item = self.selected_item()
        self.console_app.copy(item.name if item is not None else "")

    def action_copy_id(self) -> None:
        """Copy the selected id or UUID."""
        if self.view.focus == "cards":
            self.action_copy()
            return
        item = self.selected_item()
        self.console_app.copy(item.key if item is not None and item.container is not None else "")

    # -- searching ------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Open the search line."""
        self.view.focus = "containers"
        self.view.typing, self.view.search, self.view.notice = True, "", None
        self.view.searched_from = self.view.container
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """Take every key while the search line is open."""
        view = self.view
        if not view.typing:
            if view.notice is not None and event.key != "escape":
                view.notice = None
            self.run_key(event)
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            view.typing = False
        elif event.key == "escape":
            view.typing, view.search, view.container = False, "", view.searched_from
        elif event.key == "backspace":
            view.search = view.search[:-1]
        elif event.key == "ctrl+u":
            view.search = ""
        elif event.character and event.is_printable:
            view.search += event.character
        self._find(1, inclusive=True)

    def _end_search(self) -> None:
        """Forget what was searched; what was found stays in sight, though it be of the folded."""
        view = self.view
        view.typing, view.search = False, ""
        rows = container_rows(self.console_app.snapshot, view)
        if rows.folded and view.container not in {"", FOLD, *(one.key for one in rows.items)}:
            view.unfolded = True

    def action_match(self, step: int) -> None:
        """Move to the next or the last match."""
        self._find(step, inclusive=False)

    def _find(self, step: int, inclusive: bool) -> None:
        view = self.view
        if view.search:
            size = self.app.size
            rows = dashboard(self.scene, size.width, size.height).rows
            found = next_match(rows, rows.place(view.container), view.search, step, inclusive)
            if found is not None:
                view.container = rows.key(found)
            elif not view.typing:
                text = f"nothing matches {view.search}"
                view.notice = Notice(text=text, role="warning", symbol="▲")
        self.paint()

    # -- changing -------------------------------------------------------------------------------

    def action_verb(self, key: str) -> None:
        """Propose what a key does to the selected service or container in its actual state."""
        item = self._chosen()
        if item is not None and item.service is not None:
            self.console_app.services.propose_key(item.service, key)
        elif item is not None and item.container is not None:
            self.console_app.flow.propose_key(item.container.id, key)

    def _chosen(self) -> Item | None:
        item = self.selected_item()
        if item is None:
            self.console_app.say(
                "nothing is selected that can be changed: Tab goes there", "warning", "▲"
            )
        elif self.view.focus == "containers":
            # What was acted on keeps the cursor, wherever its row goes.
            self.view.container = item.key
        return item

    def action_menu(self) -> None:
        """Open the menu of what can be done with the selected service or container."""
        item = self._chosen()
        if item is not None and item.service is not None:
            self.console_app.services.open_menu(item.service)
        elif item is not None and item.container is not None:
            self.console_app.flow.open_menu(item.container.id)

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def action_setup(self) -> None:
        """Open guided setup."""
        from screens.tui.setup.flow import open_setup

        open_setup(self.console_app)

    def action_rehearse(self) -> None:
        """Leave for the rehearsal host, where there is nothing to look at here."""
        if nothing_here(self.console_app.snapshot):
            self.console_app.leave_for_rehearsal()

    def press(self, verb: str, argument: str, times: int) -> None:
        """Select by a click, open by a double click."""
        if verb == "verdict":
            self.action_verdict()
            return
        if verb == "container":
            self.view.focus, self.view.container = "containers", argument
        elif verb == "gpu":
            self.view.focus, self.view.gpu = "cards", argument
        elif verb == "alert":
            self.view.focus = "alerts"
            self._select_alert(int(argument))
        if times >= 2:
            self.action_open()
        self.paint()
