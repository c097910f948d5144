"""The environment: secrets stay masked until one is asked for, and go again with the next key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.details.snapshot import Variable
from screens.tui.container.messages import ReadFailed, Revealed
from screens.tui.container.searched import SearchedTab
from screens.tui.container.telling import nothing_yet, said_lines
from screens.tui.paint import BLANK, Line, Span, clickable, cut, fit, on, wrap
from screens.tui.panels.footer import Key

if TYPE_CHECKING:
    from screens.tui.container.screen import ContainerScreen

_MOST_NAME = 34


class EnvironmentTab(SearchedTab):
    """Every variable; `revealed` is the one whose value is shown, and its value."""

    name, title, letter = "environment", "Environment", "E"
    keys = (Key("↵", "show secret", "key enter"), Key("/", "search", "key slash"))

    def __init__(self, screen: ContainerScreen) -> None:
        super().__init__(screen)
        self.revealed: tuple[str, str] | None = None

    def content(self, width: int) -> Sequence[Line]:
        """Give a line a variable; long values go on below."""
        details = self.screen.details
        if details is None:
            return nothing_yet(self.screen)
        found = details.environment
        if not found:
            self.rows = ()
            return [BLANK, *said_lines("It has no environment variables of its own.", width)]
        label = min(_MOST_NAME, max(len(one.name) for one in found), max(8, width // 2 - 8))
        lines: list[Line] = []
        rows: list[int] = []
        for place, variable in enumerate(found):
            rows.append(len(lines))
            lines += self._variable(variable, place, label, width)
        self.rows = rows
        return lines

    def _variable(self, variable: Variable, place: int, label: int, width: int) -> list[Line]:
        chosen = place == self.cursor
        shown = self.revealed is not None and self.revealed[0] == variable.name
        value = self.revealed[1] if shown and self.revealed is not None else variable.value
        mark = "  (image)" if variable.origin == "image" else ""
        role = "warning" if shown else "dim" if variable.masked else "text"
        note = "" if not variable.masked else "  shown" if shown else "  hidden, ↵ shows it"
        parts = wrap(value, max(8, width - label - 6)) if value else [""]
        name = cut(variable.name, label)
        hit = "title" if self.finding.is_hit(place) else "strong"
        lines: list[Line] = []
        for number, part in enumerate(parts):
            head = name if not number else ""
            line: Line = (
                Span("▸ " if chosen and not number else "  ", "title"),
                Span(f"{head:<{label}}  ", hit),
                Span(part, role),
                Span((note + mark) if number == len(parts) - 1 else "", "dim"),
            )
            line = fit(line, width)
            lines.append(clickable(on(line, "selected") if chosen else line, f"row {place}"))
        return lines

    def texts(self) -> Sequence[str]:
        """Give what a search looks through: names and values as they are shown."""
        details = self.screen.details
        return [f"{one.name}={one.value}" for one in details.environment] if details else ()

    def _variable_here(self) -> Variable | None:
        details = self.screen.details
        found = details.environment if details is not None else ()
        return found[self.cursor] if 0 <= self.cursor < len(found) else None

    def do_open(self) -> None:
        """Show the secret under the cursor, or hide it again."""
        variable = self._variable_here()
        if variable is None:
            return
        if self.revealed is not None and self.revealed[0] == variable.name:
            self.hide()
        elif variable.masked:
            self.hide()
            self.screen.questions.reveal(variable.name)
        else:
            self.screen.console_app.say(f"{variable.name} holds no secret: it is all shown")

    def hear_revealed(self, message: Revealed) -> None:
        """Show the secret, if the cursor is still on it."""
        here = self._variable_here()
        watched = self.screen.current is self and self.screen.is_current
        if watched and here is not None and here.name == message.name:
            self.revealed = (message.name, message.value)

    def hear_read_failed(self, message: ReadFailed) -> None:
        """Say why a secret cannot be shown."""
        if message.what == "secret":
            self.screen.console_app.say(message.error.title, "warning", "▲")

    def hide(self) -> None:
        """Hide the secret."""
        self.revealed = None

    def closed(self) -> None:
        """Hide the secret when the tab is left."""
        self.hide()

    def back(self) -> bool:
        """Hide the secret, or end the search, before the screen is left."""
        if self.revealed is not None:
            self.hide()
            return True
        return super().back()

    def do_move(self, step: int) -> None:
        """Move on; what was shown is hidden."""
        self.hide()
        super().do_move(step)

    def do_page(self, step: int) -> None:
        """Move on by a page; what was shown is hidden."""
        self.hide()
        super().do_page(step)

    def do_edge(self, step: int) -> None:
        """Move to an end; what was shown is hidden."""
        self.hide()
        super().do_edge(step)

    def do_select(self, place: int) -> None:
        """Put the cursor on a row."""
        if place != self.cursor:
            self.hide()
        super().do_select(place)

    def do_copy(self) -> None:
        """Copy the variable: its value where that is shown, else as it is masked."""
        variable = self._variable_here()
        app = self.screen.console_app
        if variable is None:
            return
        if self.revealed is not None and self.revealed[0] == variable.name:
            app.copy_to_clipboard(self.revealed[1])
            app.say(f"copied the value of {variable.name}", "ok", "✔")
        else:
            app.copy(f"{variable.name}={variable.value}")
