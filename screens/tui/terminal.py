"""What the console asks of terminal and process beyond Textual: mouse on and off, signals."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App
    from textual.driver import Driver

MOUSE_MODES = (1000, 1003, 1015, 1006)


def give_mouse(driver: Driver, to_us: bool) -> None:
    """Take the mouse, or give it to the terminal, so that text can be selected there.

    Textual has no public switch for a running application.
    """
    driver.write("".join(f"\x1b[?{mode}{'h' if to_us else 'l'}" for mode in MOUSE_MODES))
    driver.flush()
    # For when it takes the terminal back from a shell or from Ctrl-Z, and for its end.
    driver._mouse = to_us


def leave_at_signals(app: App[Any]) -> None:
    """Leave in order at the signals that end programs; on the screen's thread."""
    import asyncio

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        loop.add_signal_handler(number, partial(app.exit, 128 + number))
