"""What the command palette offers: views, looks, and every key that does something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from screens.tui.keys import DASHBOARD, EVERYWHERE
from screens.tui.themes import looks, theme_title
from screens.tui.views import VIEWS

if TYPE_CHECKING:
    from screens.tui.application import Console


def commands(app: Console) -> Iterator[SystemCommand]:
    """Give the palette's commands."""
    for view in VIEWS:
        yield SystemCommand(
            f"View: {view.title}", f"key {view.number}", partial(app.action_view, view.number)
        )
    yield SystemCommand("Gallery", "all edits that were kept", partial(_gallery, app))
    yield SystemCommand(
        "Guided setup", "from here to the first edited picture", partial(_setup, app)
    )
    for name in looks(app.session):
        title = f"Theme: {theme_title(name)}"
        yield SystemCommand(title, "change the look", partial(app.wear, name))
    for key in (*DASHBOARD, *EVERYWHERE):
        if key.group != "Move" and key.action not in {"back", "rehearse", "setup"}:
            press = partial(app.simulate_key, key.keys.partition(",")[0])
            yield SystemCommand(key.help[0].upper() + key.help[1:], f"key {key.shown}", press)


def _gallery(app: Console) -> None:
    from screens.tui.gallery.screen import open_gallery

    open_gallery(app)


def _setup(app: Console) -> None:
    from screens.tui.setup.flow import open_setup

    open_setup(app)
