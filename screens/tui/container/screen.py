"""One container, full screen: its tabs, its title, and what happens while it is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from actions.details.snapshot import ContainerDetails
from console.engine.snapshot import Container
from console.errors import ConsoleError
from screens.tui.container.environment_tab import EnvironmentTab
from screens.tui.container.keys import BOUND
from screens.tui.container.logs_tab import LogsTab
from screens.tui.container.messages import (
    DetailsRead,
    LogChanged,
    LogSaved,
    LogScanned,
    MountsRead,
    ReadFailed,
    Revealed,
    TopRead,
)
from screens.tui.container.mounts_tab import MountsTab
from screens.tui.container.overview_tab import OverviewTab
from screens.tui.container.raw_tab import RawTab
from screens.tui.container.source import Questions
from screens.tui.container.tab import Tab
from screens.tui.container.top_tab import TopTab
from screens.tui.keys import bindings
from screens.tui.live_screen import LiveScreen
from screens.tui.paint import BLANK, Line, Span, clickable, cut, fit, line_width
from screens.tui.panels.footer import Key, keys, status_lines
from screens.tui.rows import alerts_by_subject
from screens.tui.view import Block
from screens.tui.words import container_state

ALL = (OverviewTab, LogsTab, EnvironmentTab, MountsTab, TopTab, RawTab)
LOOK_SECONDS = 5.0
"""How often an open container is inspected again, for its health log above all."""
COMMON = (Key("Esc", "back", "key escape"), Key("Tab", "next tab", "key tab"))
CHANGES = (
    Key("e", "shell", "key e"),
    Key("s", "start/stop", "key s"),
    Key("r", "restart", "key r"),
    Key("x", "actions", "key x"),
)


class ContainerScreen(LiveScreen):
    """Shows a container by its id, or with `together` the merged logs of several.

    Attributes:
        details: what was last read of it; None before the first answer.
        problem: why the last reading failed; None once one succeeds.
        questions: asks for everything that may take its time.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(BOUND)

    def __init__(
        self, ident: str, tab: str = "overview", together: Sequence[str] = (), title: str = ""
    ) -> None:
        super().__init__()
        self.ident = ident
        self.together = tuple(together)
        self.details: ContainerDetails | None = None
        self.problem: ConsoleError | None = None
        self._title = title
        self._wanted = "logs" if together else tab
        self._seen: Container | None = None
        self.tabs: tuple[Tab, ...] = ()
        self.current: Tab

    def compose(self):  # type: ignore[no-untyped-def]
        """Make the tabs, then the panes."""
        app = self.console_app
        self.questions = Questions(self, app.source, self.ident)
        shown = (LogsTab,) if self.together else ALL
        self.tabs = tuple(kind(self) for kind in shown)
        self.current = next(tab for tab in self.tabs if tab.name == self._wanted)
        yield from super().compose()

    def on_mount(self) -> None:
        """Read the container, now and every few seconds while it is in sight."""
        self.current.opened()
        if not self.together:
            self.questions.details()
            self.set_interval(LOOK_SECONDS, self._look_again)

    def on_unmount(self) -> None:
        """Leave the tab: it may follow something."""
        for tab in self.tabs:
            tab.closed()
            tab.ended()

    def on_screen_suspend(self) -> None:
        """Hide what was revealed as soon as another screen covers this one."""
        self.hide_secrets()

    @property
    def container(self) -> Container | None:
        """Give the container as the host's picture has it; None once it is gone."""
        return self.console_app.container(self.ident)

    @property
    def is_gone(self) -> bool:
        """Whether it is removed; while the engine is lost nobody knows."""
        snapshot = self.console_app.snapshot
        return self.container is None and snapshot.engine.state == "connected"

    @property
    def shown_name(self) -> str:
        """Give the container's name, also after it is gone."""
        known = self.container or (self.details.container if self.details else None)
        return known.name if known is not None else self._title or self.ident[:12]

    # -- what is shown --------------------------------------------------------------------------

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, tabs, the current tab's lines, status and keys."""
        self._notice_changes()
        tall = height >= 8
        top = 2 if tall else 1
        # What the tab itself has to say may change while it is drawn.
        rows = len(self._status(width, height))
        room = max(1, height - top - 1 - rows)
        body = self.current.body(width, room)
        said = self._status(width, height)[:rows]
        blocks = [Block("title", 0, 0, width, 1, [self._heading(width)])]
        if tall:
            blocks.append(Block("tabs", 0, 1, width, 1, [self._tab_line(width)]))
        blocks.append(Block("body", 0, top, width, room, body))
        blocks.append(Block("status", 0, height - 1 - rows, width, rows, said))
        blocks.append(Block("keys", 0, height - 1, width, 1, [self._footer(width)]))
        return blocks

    def _heading(self, width: int) -> Line:
        if self.together:
            names = f"{len(self.together)} containers: {', '.join(self.log_names())}"
            head = (Span(f" {self._title}  ", "title"), Span(names, "dim"))
            return self._with_badges(head, width)
        container = self.container
        line = [Span(" container ", "dim"), Span(cut(self.shown_name, max(8, width // 2)), "title")]
        if self.is_gone:
            line.append(Span("  ✖ removed: the engine no longer lists it", "warning"))
        elif container is not None:
            alert = alerts_by_subject(self.console_app.snapshot).get(container.id)
            state = container_state(container, alert)
            line += [Span(f"  {state.symbol} {state.words}", state.role)]
        if self.console_app.snapshot.engine.state != "connected":
            line.append(Span("  ▲ engine lost", "warning"))
        return self._with_badges(line, width)

    def _with_badges(self, line: Sequence[Span], width: int) -> Line:
        """Say at the right that this is a rehearsal, or that nothing can be changed."""
        view = self.console_app.view
        badges: list[Span] = []
        if view.rehearsal:
            badges += [Span(" "), Span(" REHEARSAL ", "badge-warning")]
        if view.read_only:
            badges += [Span(" "), Span(" READ-ONLY ", "badge")]
        return fit((*fit(line, max(0, width - line_width(badges))), *badges), width)

    def _tab_line(self, width: int) -> Line:
        spans: list[Span] = [Span(" ")]
        place = self.current.place()
        room = width - len(place) - 1
        short = len(self.tabs) > 1 and sum(len(tab.title) + 4 for tab in self.tabs) > room
        for tab in self.tabs:
            chosen = tab is self.current
            text = f" {tab.letter if short and not chosen else tab.title} "
            text = f"[{text.strip()}]" if chosen else text
            spans += clickable((Span(text, "title" if chosen else "dim"),), f"tab {tab.name}")
            spans.append(Span(" "))
        line = fit(spans, max(0, room))
        return (*line, Span(f"{place} ", "dim"))

    def _status(self, width: int, height: int) -> list[Line]:
        view = self.console_app.view
        own = self.current.status(width)
        if self.current.prompt is None and (view.notice is not None or view.jobs):
            return status_lines(view, width, height)
        return [own if own is not None else BLANK]

    def _footer(self, width: int) -> Line:
        more = Key("?", "help", "key question_mark")
        several = COMMON[:1] if self.together else COMMON
        changes = () if self.together else CHANGES
        line = keys(width, (*several, *self.current.keys, *changes), more)
        return line if line_width(line) <= width else fit(line, width)

    def _notice_changes(self) -> None:
        """Inspect anew when the engine's picture of the container is another one."""
        container = self.container
        if container is None or self.together or not self.is_mounted:
            return
        before, self._seen = self._seen, container
        if before is not None and before != container:
            self.questions.details()

    def _look_again(self) -> None:
        if self.is_current and self.container is not None and self.current.name != "logs":
            self.questions.details()

    def log_names(self) -> tuple[str, ...]:
        """Give the names of the containers whose logs are shown."""
        idents = self.together or (self.ident,)
        found = (self.console_app.container(ident) for ident in idents)
        return tuple(
            one.name if one is not None else ident[:12]
            for one, ident in zip(found, idents, strict=True)
        )

    # -- answers --------------------------------------------------------------------------------

    def on_details_read(self, message: DetailsRead) -> None:
        """Take what was read."""
        self.details, self.problem = message.details, None
        self._tell("details_read", message)

    def on_mounts_read(self, message: MountsRead) -> None:
        """Take how the mounts are."""
        self._tell("mounts_read", message)

    def on_top_read(self, message: TopRead) -> None:
        """Take the processes."""
        self._tell("top_read", message)

    def on_revealed(self, message: Revealed) -> None:
        """Take a secret, for as long as it is looked at."""
        self._tell("revealed", message)

    def on_read_failed(self, message: ReadFailed) -> None:
        """Take why something could not be read."""
        if message.what == "details":
            self.problem = message.error
        self._tell("read_failed", message)

    def on_log_changed(self, message: LogChanged) -> None:
        """Let the logs show what is new."""
        self._tell("log_changed", message)

    def on_log_scanned(self, message: LogScanned) -> None:
        """Take what a search has found."""
        self._tell("log_scanned", message)

    def on_log_saved(self, message: LogSaved) -> None:
        """Say where lines were saved, or why not."""
        if message.problem:
            self.console_app.say(f"not saved: {message.problem}", "error", "✖")
        else:
            count = f"{message.lines:,}".replace(",", " ")
            self.console_app.say(f"{count} lines saved to {message.path}", "ok", "✔")

    def _tell(self, what: str, message: object) -> None:
        for tab in self.tabs:
            hear = getattr(tab, f"hear_{what}", None)
            if hear is not None:
                hear(message)
        if what != "log_changed":
            self.paint()

    # -- keys -----------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take every key while something is typed."""
        if self.current.prompt is not None:
            event.stop()
            event.prevent_default()
            self.current.typed(event)
            return
        view = self.console_app.view
        if view.notice is not None and event.key != "escape":
            view.notice = None
        self.run_key(event)

    def action_act(self, name: str, *arguments: int) -> None:
        """Let the current tab do what a key means there."""
        act = getattr(self.current, f"do_{name}", None)
        if act is not None:
            act(*arguments)
            self.paint()
        elif name == "copy":
            self.console_app.copy(self.shown_name)

    def action_next_tab(self, step: int) -> None:
        """Go to the tab beside."""
        place = self.tabs.index(self.current) + step
        self.show_tab(self.tabs[place % len(self.tabs)])

    def action_tab(self, name: str) -> None:
        """Go to a tab by its name."""
        found = next((tab for tab in self.tabs if tab.name == name), None)
        if found is not None:
            self.show_tab(found)

    def show_tab(self, tab: Tab) -> None:
        """Bring a tab into sight."""
        if tab is not self.current:
            self.current.closed()
            self.current = tab
            tab.opened()
        self.paint()

    def action_verb(self, key: str) -> None:
        """Propose what a key does to the container now."""
        if not self.together:
            self.console_app.flow.propose_key(self.ident, key)

    def action_menu(self) -> None:
        """Open the menu of what can be done."""
        if not self.together:
            self.console_app.flow.open_menu(self.ident)

    def action_shell(self) -> None:
        """Propose a shell inside."""
        if not self.together:
            self.console_app.desk.propose("shell", self.ident, self.shown_name)

    def action_undo(self) -> None:
        """Propose to take back the last plan."""
        self.console_app.desk.propose_undo()

    def action_copy_id(self) -> None:
        """Copy the full id."""
        self.console_app.copy(self.ident)

    def action_back(self) -> None:
        """Take back one thing in the tab; else leave."""
        view = self.console_app.view
        if self.current.back():
            self.paint()
        elif view.notice is not None:
            view.notice = None
            self.paint()
        else:
            self.console_app.leave(self)

    def press(self, verb: str, argument: str, times: int) -> None:
        """Go to a tab, or select a row, by a click."""
        if verb == "tab":
            self.action_tab(argument)
        elif verb == "row":
            self.action_act("select", int(argument))
            if times >= 2:
                self.action_act("open")

    def on_mouse_scroll_down(self) -> None:
        """Scroll with the wheel."""
        self.action_act("move", 3)

    def on_mouse_scroll_up(self) -> None:
        """Scroll with the wheel."""
        self.action_act("move", -3)

    def hide_secrets(self) -> None:
        """Hide whatever was revealed, at once."""
        for tab in self.tabs:
            if isinstance(tab, EnvironmentTab):
                tab.hide()
        if self.is_mounted:
            self.paint()
