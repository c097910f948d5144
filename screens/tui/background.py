"""Work off the screen's thread: daemon threads whose results come back as messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from textual.message import Message
from textual.message_pump import MessagePump


def tell(pump: MessagePump, message: Message) -> None:
    """Post a message from any thread; one that comes after the end is dropped."""
    # RuntimeError: the event loop was closed while a thread was still under way.
    with suppress(RuntimeError):
        pump.post_message(message)


def start(work: Callable[[], None], name: str) -> threading.Thread:
    """Run `work` in a daemon thread.

    Not a Textual worker: those run in an executor whose threads the interpreter waits for at its
    end, and quitting must not wait for an engine that hangs.
    """
    thread = threading.Thread(target=work, name=f"console-{name}", daemon=True)
    thread.start()
    return thread


def warm_up() -> None:
    """Import what the first key may open, so that it opens as fast as the next ones."""
    for name in (
        "container.screen",
        "details_screen",
        "plan_dialog",
        "menu_dialog",
        "help_screen",
        "timeline_screen",
        "services.screen",
        "models.screen",
        "lab.screen",
        "gallery.screen",
        "browser.screen",
        "findings.screen",
    ):
        import_module(f"screens.tui.{name}")
