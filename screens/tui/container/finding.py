"""Searching the rows of a tab: typed with /, walked with n and N, counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from actions.logs.pattern import Pattern, PatternError
from screens.tui.container.tab import Prompt
from screens.tui.paint import Line, Span, fit

if TYPE_CHECKING:
    from screens.tui.container.screen import ContainerScreen


class Searched(Protocol):
    """A tab whose rows can be searched."""

    cursor: int
    prompt: Prompt | None
    screen: ContainerScreen

    def texts(self) -> Sequence[str]:
        """Give the text of every row."""
        ...


class Finding:
    """One search: what is looked for, how, and the rows that have it."""

    def __init__(self, tab: Searched) -> None:
        self._tab = tab
        self.wanted = ""
        self.case = False
        self.regex = False
        self.problem = ""
        self._hits: list[int] = []
        self._rests_on: object = None

    def ask(self) -> None:
        """Open the search line."""
        self._tab.prompt = Prompt(
            label="/", text="", done=self._found, changed=self._typed, left=self._left
        )

    def toggle(self, what: str) -> None:
        """Switch `case` or `regex` over."""
        setattr(self, what, not getattr(self, what))
        self._search()

    def end(self) -> bool:
        """Forget the search; False where there was none."""
        was, self.wanted, self._hits, self.problem = self.wanted, "", [], ""
        return bool(was)

    def is_hit(self, row: int) -> bool:
        """Tell whether a row holds what is looked for."""
        if not self.wanted:
            return False
        self._refresh()
        return row in self._hits

    def go(self, step: int) -> None:
        """Put the cursor on the next hit in a direction, around the ends."""
        self._refresh()
        if not self._hits:
            return
        if step > 0:
            later = [row for row in self._hits if row > self._tab.cursor]
            self._tab.cursor = later[0] if later else self._hits[0]
        else:
            before = [row for row in self._hits if row < self._tab.cursor]
            self._tab.cursor = before[-1] if before else self._hits[-1]

    def status(self, width: int) -> Line | None:
        """Say how the search stands; None where there is none."""
        if not self.wanted:
            return None
        self._refresh()
        if self.problem:
            return fit((Span(f" /{self.wanted}  ", "title"), Span(self.problem, "warning")), width)
        here = self._hits.index(self._tab.cursor) + 1 if self._tab.cursor in self._hits else 0
        count = f"{here} of {len(self._hits)}" if here else f"{len(self._hits)} hits"
        marks = f"{'  case' if self.case else ''}{'  regex' if self.regex else ''}"
        line = (
            Span(f" /{self.wanted}  ", "title"),
            Span(count, "strong" if self._hits else "warning"),
            Span(f"{marks}  n N  c case  . regex  Esc ends", "dim"),
        )
        return fit(line, width)

    def _typed(self, text: str) -> None:
        self.wanted = text
        self._search()
        if self._hits and self._tab.cursor not in self._hits:
            self.go(1)

    def _found(self, text: str) -> None:
        self.wanted = text
        self._search()
        if self._hits and self._tab.cursor not in self._hits:
            self.go(1)

    def _left(self) -> None:
        self.end()

    def _refresh(self) -> None:
        if self._rests_on is not self._tab.screen.details:
            self._search()

    def _search(self) -> None:
        self._rests_on = self._tab.screen.details
        self._hits, self.problem = [], ""
        if not self.wanted:
            return
        try:
            pattern = Pattern(self.wanted, regex=self.regex, case=self.case).check()
            finder = pattern.finder()
            texts = self._tab.texts()
            self._hits = [row for row, text in enumerate(texts) if finder.found_in(text)]
        except PatternError as error:
            self.problem = error.title
