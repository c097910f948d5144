"""A box that offers things to choose from, such as workflows, variants or earlier prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.binding import BindingType

from screens.tui.dialog import Dialog
from screens.tui.keys import KeyHelp, bindings
from screens.tui.paint import Line, Span, clickable, cut, fit, left, on, text_width
from screens.tui.rows import scroll_to

KEYS = (
    KeyHelp("enter,space", "↵ Space", "choose", "choose the marked line", "In a menu"),
    KeyHelp("escape,q", "Esc q", "cancel", "close without choosing", "In a menu"),
    KeyHelp("down,j,tab", "↓ j Tab", "move(1)", "down", "In a menu"),
    KeyHelp("up,k,shift+tab", "↑ k", "move(-1)", "up", "In a menu"),
    KeyHelp("g,home", "g Home", "edge(-1)", "first", "In a menu"),
    KeyHelp("G,end", "G End", "edge(1)", "last", "In a menu"),
    KeyHelp("pagedown", "PgDn", "move(10)", "a page down", "In a menu"),
    KeyHelp("pageup", "PgUp", "move(-10)", "a page up", "In a menu"),
)
FRAME = 6
"""Rows of the box that no choice stands in, and those above and below it."""


AGAIN_SECONDS = 0.25


class Choice(NamedTuple):
    """One line: what is answered, what it is called, what else to know, and its role."""

    word: str
    title: str
    note: str = ""
    role: str = "dim"


class ChoiceDialog(Dialog[str]):
    """Answers the word of what was chosen; None where the operator left."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice] | Callable[[], Sequence[Choice]],
        chosen: str = "",
    ) -> None:
        """Offer some choices.

        Args:
            title: what is chosen.
            choices: the lines; or what gives them, where their notes may become known later.
            chosen: the word of the line that is marked first.
        """
        super().__init__()
        self._title = title
        self._give = choices
        self.choices = self._given()
        words = [one.word for one in self.choices]
        self.place = words.index(chosen) if chosen in words else 0
        self._first = 0

    def on_mount(self) -> None:
        """Look now and then whether more is known by now of what can be chosen."""
        if callable(self._give):
            self.set_interval(AGAIN_SECONDS, self._again)

    def _given(self) -> tuple[Choice, ...]:
        return tuple(self._give() if callable(self._give) else self._give)

    def _again(self) -> None:
        choices = self._given()
        if choices != self.choices and [one.word for one in choices] == [
            one.word for one in self.choices
        ]:
            self.choices = choices
            self.paint()

    def heading(self) -> str:
        """Give the title."""
        return self._title

    def body(self, width: int) -> Sequence[Line]:
        """Give the choices that there is room for, around the marked one."""
        room = max(1, self.app.size.height - FRAME)
        self._first = scroll_to(self.place, self._first, room, len(self.choices))
        shown = self.choices[self._first : self._first + room]
        names = max((text_width(one.title) for one in self.choices), default=0)
        noted = any(one.note for one in self.choices)
        name = min(names, width * 3 // 5 if noted else width - 2)
        return [self._line(self._first + at, one, name, width) for at, one in enumerate(shown)]

    def _line(self, place: int, one: Choice, name: int, width: int) -> Line:
        chosen = place == self.place
        mark = Span("▸ " if chosen else "  ", "title")
        spans = (mark, Span(left(cut(one.title, name), name), "strong"),
                 Span(f"  {one.note}" if one.note else "", one.role))  # fmt: skip
        line = fit(spans, width)
        return clickable(on(line, "selected") if chosen else line, f"choose {place}")

    def buttons(self) -> Line:
        """Say how to answer, and where in a long list this is."""
        count = len(self.choices)
        where = f"{self.place + 1} of {count}   " if count else ""
        return (
            Span(where, "dim"),
            Span("↵ choose", "dim"),
            *clickable((Span("   Esc leave it", "dim"),), "cancel"),
        )

    def press(self, action: str) -> None:
        """Choose by a click."""
        word, _, place = action.partition(" ")
        if word == "choose":
            self.dismiss(self.choices[int(place)].word)
        else:
            self.action_cancel()

    def action_choose(self) -> None:
        """Choose the marked line."""
        self.dismiss(self.choices[self.place].word if self.choices else None)

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)

    def action_move(self, step: int) -> None:
        """Move the mark; by one, around the ends."""
        count = len(self.choices)
        if not count:
            return
        if abs(step) == 1:
            self.place = (self.place + step) % count
        else:
            self.place = max(0, min(count - 1, self.place + step))
        self.paint()

    def action_edge(self, step: int) -> None:
        """Move the mark to the first or the last line."""
        self.place = 0 if step < 0 else max(0, len(self.choices) - 1)
        self.paint()
