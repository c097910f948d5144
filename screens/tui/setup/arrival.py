"""When a console opens: guided setup at once where it was asked for, else once the offer of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events

from screens.tui.background import start, tell

if TYPE_CHECKING:
    from screens.tui.application import Console

OFFER_SECONDS = 0.3
"""Looked this often whether there is anything to set up, until there is."""
OFFER_TIMES = 60


def arrive(app: Console, at_once: bool) -> None:
    """Open setup, or offer it where there is no config and nobody has offered it yet."""
    if at_once:
        from screens.tui.setup.flow import open_setup

        open_setup(app)
    elif may_offer(app):
        start(partial(_look, app), "offer")


def may_offer(app: Console) -> bool:
    """Tell whether setup could be offered: it costs no more than a look at what is known."""
    session = app.session
    return not (session.config.present or session.read_only)


def _look(app: Console) -> None:
    """Find out in a thread whether it was offered before."""
    from actions.setup.memory import Memory

    now = Memory(app.session.places).now
    if not now.offered:
        tell(app, events.Callback(callback=partial(_offer, app, OFFER_TIMES)))


def _offer(app: Console, times: int) -> None:
    """Offer it once something is known of the host, and nothing else is asked."""
    from screens.tui.setup.screen import SetupScreen

    if not app.screen_stack or isinstance(app.screen, SetupScreen) or not may_offer(app):
        return
    snapshot = app.snapshot
    here = bool(snapshot.gpu.gpus) or snapshot.engine.state == "connected"
    busy = len(app.screen_stack) > 1 or app.view.typing
    if here and not busy:
        _ask(app)
    elif times > 0:
        # Where there is neither a card nor an engine, the dashboard offers the rehearsal.
        app.set_timer(OFFER_SECONDS, partial(_offer, app, times - 1))


def _ask(app: Console) -> None:
    from screens.tui.setup.dialogs import LATER, offer
    from screens.tui.setup.flow import note_offered, open_setup

    start(partial(note_offered, app), "offered")

    def answered(word: str | None) -> None:
        if word == "setup":
            open_setup(app)
        else:
            app.say(LATER, "text", "→")

    app.push_screen(offer(), answered)
