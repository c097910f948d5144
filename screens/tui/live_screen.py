"""The base of every screen: blocks from pure functions, shown in panes that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.actions import SkipAction, parse
from textual.app import ComposeResult
from textual.screen import Screen

from screens.tui.pane import Pane
from screens.tui.themes import Palette
from screens.tui.view import Block

if TYPE_CHECKING:
    from screens.tui.application import Console


class LiveScreen(Screen[object]):
    """Draws itself from blocks; subclasses say which blocks and what the keys do.

    Panes are made once for each block name and kept: a block that goes is hidden, one that moves
    is moved, and otherwise only the cells that changed are sent.
    """

    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.styles.overflow_x = self.styles.overflow_y = "hidden"
        self._panes: dict[str, Pane] = {}
        self._palette: Palette | None = None

    @property
    def console_app(self) -> Console:
        """Give the application with its own type."""
        return cast("Console", self.app)

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give what to show on a terminal of `width` by `height`."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Make the first panes at once, so that the first frame is the whole one."""
        size = self.app.size
        self._palette = self.console_app.palette
        for block in self.blocks(size.width, size.height):
            pane = self._panes[block.name] = Pane(block, self._palette)
            yield pane

    def paint(self) -> None:
        """Show the present blocks; cheap where little changed."""
        size = self.app.size
        if not self.is_mounted or not size:
            return
        if self._palette is not self.console_app.palette:
            self._palette = self.console_app.palette
            for pane in self._panes.values():
                pane.repaint(self._palette)
        blocks = self.blocks(size.width, size.height)
        shown = {block.name for block in blocks}
        for name, pane in self._panes.items():
            if name not in shown and pane.display:
                pane.display = False
        fresh: list[Pane] = []
        for block in blocks:
            known = self._panes.get(block.name)
            if known is None:
                pane = self._panes[block.name] = Pane(block, self.console_app.palette)
                fresh.append(pane)
                continue
            known.show(block)
            if not known.display:
                known.display = True
        if fresh:
            self.mount_all(fresh)

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out again for the new size."""
        self.paint()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was shown."""
        self.paint()

    def on_pane_pressed(self, message: Pane.Pressed) -> None:
        """Run what a clicked span stands for: `key NAME` is the key itself, else `press` knows."""
        message.stop()
        verb, _, argument = message.action.partition(" ")
        if verb == "key":
            self.app.simulate_key(argument)
            return
        self.press(verb, argument, message.times)

    def run_key(self, event: events.Key) -> None:
        """Run what a key is bound to here and now.

        Textual runs a binding only after the event has gone up to the application: keys that come
        in one piece, such as `/myia` over a slow line, would overtake the one that opens the line.
        """
        known = self._bindings.key_to_bindings
        bound = next((known[key][0] for key in event.aliases if known.get(key)), None)
        if bound is None:
            return
        _, name, arguments = parse(bound.action)
        act = getattr(self, f"action_{name}", None)
        if act is None:
            return
        try:
            act(*arguments)
        except SkipAction:
            return  # such as Ctrl-C, which copies a selection: where there is none, it quits
        event.stop()
        event.prevent_default()

    def hide_secrets(self) -> None:
        """Hide what was revealed, if anything; subclasses that reveal something know it."""

    def press(self, verb: str, argument: str, times: int) -> None:
        """Run a clicked action; subclasses know their own."""
