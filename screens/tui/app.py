"""The way into the full screen: starts reading the cards, then brings up the application."""

from __future__ import annotations

import gc
import os
from functools import partial
from typing import TYPE_CHECKING

from actions.live import LiveHost
from actions.session import Session
from console.itself import importable, own_command

if TYPE_CHECKING:
    from screens.tui.desk import Operator

OPEN_REHEARSAL = -1
"""Result of the application when the operator asked for the rehearsal host."""


def run(session: Session, setup: bool = False) -> int:
    """Open the full screen on a host; gives the exit code once the operator has left.

    With `setup` it opens at guided setup; without, that is offered once where there is no config.
    """
    # What is imported from here on stays: looking for garbage in it costs 10 ms and finds none.
    gc.disable()
    live = LiveHost(session, recorded=True)
    # Textual takes longer to import than a driver to answer: so the first frame shows the cards.
    live.start_cards()
    from screens.tui.application import Console

    def operations() -> Operator:
        from actions.operations import Operations

        return Operations(session, via="tui")

    app = Console(session, live, operations)
    if setup or not session.config.present:
        from screens.tui.setup.arrival import arrive

        app.arrival = partial(arrive, app, setup)
    result = app.run(mouse=session.settings.ui.mouse)
    if result == OPEN_REHEARSAL:
        argv = [*own_command(), "demo"]
        # The environment as it came: Textual takes NO_COLOR out of ours.
        os.execve(argv[0], argv, importable(session.environ))  # noqa: S606
    return int(result or app.return_code or 0)
