"""The help: every key from the bindings' own table, and what the symbols mean."""

from collections.abc import Iterable, Sequence

import msgspec

from console.packaged import read_table
from screens.tui import keys as key_tables
from screens.tui.browser.keys import BROWSER
from screens.tui.container import keys as container_keys
from screens.tui.findings.keys import DIGITS, FINDINGS
from screens.tui.gallery.keys import GALLERY
from screens.tui.keys import KeyHelp, groups
from screens.tui.lab.keys import LAB, TYPING
from screens.tui.menu_dialog import KEYS as MENU_KEYS
from screens.tui.models.keys import JOBS, MODELS
from screens.tui.paint import BLANK, Line, Span, left, side_by_side, wrap
from screens.tui.plan_dialog import DIGITS_HELP
from screens.tui.plan_dialog import KEYS as PLAN_KEYS
from screens.tui.scroll_screen import ScrollScreen
from screens.tui.services.keys import SERVICES
from screens.tui.setup.keys import SETUP
from screens.tui.timeline_screen import KEYS as TIMELINE_KEYS

COLUMNS_FROM = 100


class Legend(msgspec.Struct, frozen=True):
    """A heading and what each of its symbols means."""

    title: str
    rows: tuple[tuple[str, str], ...]


class HelpText(msgspec.Struct, frozen=True):
    """What the help says beside the keys."""

    intro: str
    legend: tuple[Legend, ...]


def help_text() -> HelpText:
    """Read the help's own words."""
    return msgspec.convert(read_table("help.toml"), HelpText)


class HelpScreen(ScrollScreen):
    """All keys and symbols, in one column or two."""

    def heading(self) -> Line:
        """Give the title."""
        return (Span(" gpuconsole ", "title"), Span("help", "strong"))

    def content(self, width: int) -> Sequence[Line]:
        """Give keys at the left and symbols at the right, or below where it is narrow."""
        text = help_text()
        intro: list[Line] = [BLANK, *((Span(f"  {part}"),) for part in wrap(text.intro, width - 4))]
        views = [
            KeyHelp(str(number), str(number), "", f"view: {title}", "Views")
            for number, title in self.console_app.view_titles()
        ]
        tables = groups(
            key_tables.DASHBOARD,
            SERVICES,
            MODELS,
            JOBS,
            LAB,
            TYPING,
            GALLERY,
            BROWSER,
            (*FINDINGS, DIGITS),
            _under("In the timeline", TIMELINE_KEYS),
            SETUP,
            container_keys.TABS,
            container_keys.MOVING,
            container_keys.SEARCHING,
            container_keys.LOGS,
            key_tables.EVERYWHERE,
            (key_tables.PALETTE,),
            views,
            PLAN_KEYS,
            (DIGITS_HELP,),
            MENU_KEYS,
        )
        half = width // 2 - 2 if width >= COLUMNS_FROM else width
        left_lines = [line for title, rows in tables.items() for line in _keys(title, rows, half)]
        right_lines = [line for legend in text.legend for line in _legend(legend, half)]
        if width < COLUMNS_FROM:
            return [*intro, *left_lines, *right_lines]
        return intro + side_by_side([(left_lines, half), (right_lines, half)])


def _under(group: str, rows: Iterable[KeyHelp]) -> list[KeyHelp]:
    return [row._replace(group=group) for row in rows]


def _keys(title: str, rows: Iterable[KeyHelp], width: int) -> list[Line]:
    return _table(title, [(key.shown, key.help) for key in rows], width)


def _legend(legend: Legend, width: int) -> list[Line]:
    return _table(legend.title, legend.rows, width)


def _table(title: str, rows: Iterable[tuple[str, str]], width: int) -> list[Line]:
    lines: list[Line] = [BLANK, (Span(f"  {title}", "title"),)]
    for name, meaning in rows:
        parts = wrap(meaning, max(10, width - 16))
        lines.append((Span(left(f"  {name}", 14), "key"), Span(parts[0])))
        lines += [(Span(" " * 14), Span(part)) for part in parts[1:]]
    return lines
