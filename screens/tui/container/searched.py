"""A tab of rows with a cursor and a search among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from screens.tui.container.finding import Finding
from screens.tui.container.tab import RowsTab
from screens.tui.paint import Line

if TYPE_CHECKING:
    from screens.tui.container.screen import ContainerScreen


class SearchedTab(RowsTab):
    """Rows that `/` searches; subclasses give the text of each."""

    def __init__(self, screen: ContainerScreen) -> None:
        super().__init__(screen)
        self.finding = Finding(self)

    def texts(self) -> Sequence[str]:
        """Give what a search looks through: the text of every row, as it is shown."""
        raise NotImplementedError

    def back(self) -> bool:
        """End the search before the screen is left."""
        return self.finding.end()

    def do_select(self, place: int) -> None:
        """Put the cursor on a row."""
        self.cursor = place

    def do_search(self) -> None:
        """Open the search line."""
        self.finding.ask()

    def do_match(self, step: int) -> None:
        """Go to the next hit."""
        self.finding.go(step)

    def do_toggle_case(self) -> None:
        """Let the case matter or not."""
        self.finding.toggle("case")

    def do_toggle_regex(self) -> None:
        """Search by text or by expression."""
        self.finding.toggle("regex")

    def status(self, width: int) -> Line | None:
        """Give the search line, or how the search stands."""
        return super().status(width) or self.finding.status(width)
