"""The looks of the console, from `assets/themes`: styles for our lines, themes for Textual."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from actions.session import Session
from console.packaged import packaged, read_table

DEFAULT = "dark"
NO_COLOUR = "mono"


_FOLDER = "themes"


@cache
def _look(name: str) -> Mapping[str, Any]:
    return read_table(f"{_FOLDER}/{name}.toml")


@cache
def theme_names() -> tuple[str, ...]:
    """Give the names of all looks, as the config's `ui.theme` and the palette know them."""
    return tuple(sorted(path.stem for path in packaged(_FOLDER).glob("*.toml")))


def looks(session: Session) -> tuple[str, ...]:
    """Give the looks to choose from: under `NO_COLOR` only the one without colours."""
    return (NO_COLOUR,) if session.environ.get("NO_COLOR") else theme_names()


def choose_theme(session: Session) -> str:
    """Choose the look: `NO_COLOR` first, then the config; `auto` follows the terminal's ground."""
    if session.environ.get("NO_COLOR"):
        return NO_COLOUR
    wanted = session.settings.ui.theme
    if wanted in theme_names():
        return wanted
    ground = session.environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if ground in {"7", "15"} else DEFAULT


def theme_title(name: str) -> str:
    """Give a look's name for people."""
    return str(_look(name)["title"])


def textual_theme(name: str) -> Theme:
    """Give a look as a Textual theme, for what Textual draws itself (palette, scroll bars)."""
    look = _look(name)
    roles, background = look["roles"], look["background"]
    ansi = bool(look.get("ansi", False))

    def colour(role: str) -> str:
        word = str(roles[role]).split()[-1]
        return "ansi_default" if word == "default" else word

    def ground(place: str) -> str:
        word = str(background[place])
        return "ansi_default" if word == "default" else word

    return Theme(
        name=name,
        primary=colour("accent"),
        accent=colour("accent"),
        warning=colour("warning"),
        error=colour("error"),
        success=colour("ok"),
        foreground=colour("text"),
        background=ground("base"),
        surface=ground("dialog"),
        panel=ground("selected"),
        dark=bool(look["dark"]),
        ansi=ansi,
        # Textual's own style sheets name variables that only its ANSI themes define.
        variables=dict(BUILTIN_THEMES["ansi-dark"].variables) if ansi else {},
    )


class Palette:
    """The styles of one look, by role; `error|selected` is the role `error` on that background."""

    def __init__(self, name: str) -> None:
        look = _look(name)
        self.name = name
        self._roles: Mapping[str, str] = look["roles"]
        self._background: Mapping[str, str] = look["background"]
        self._styles: dict[str, Style] = {}

    def style(self, role: str) -> Style:
        """Give the style of a role; one that is not in the table looks like plain text."""
        style = self._styles.get(role)
        if style is None:
            style = self._styles[role] = self._make(role)
        return style

    def _make(self, role: str) -> Style:
        name, _, place = role.partition("|")
        words = self._roles.get(name, self._roles["text"])
        ground = self._background[place or "base"]
        if " on " in words:
            return Style.parse(words)
        if ground == "default" and place == "selected":
            words = f"bold {words}"
        return Style.parse(f"{words} on {ground}")
