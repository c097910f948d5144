"""The mounts: what of the host is inside, whether it is there, how big, how much room is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.details.snapshot import Mount, MountState
from console.errors import ConsoleError
from console.units import format_bytes
from console.unknown import Unknown
from screens.tui.container.messages import DetailsRead, MountsRead, ReadFailed
from screens.tui.container.tab import LinesTab
from screens.tui.container.telling import error_lines, nothing_yet, said_lines, staleness
from screens.tui.details import pair
from screens.tui.paint import BLANK, Line, Span, cut
from screens.tui.panels.footer import Key

if TYPE_CHECKING:
    from screens.tui.container.screen import ContainerScreen


class MountsTab(LinesTab):
    """Asks for the disks when it is opened and whenever the container was read again."""

    name, title, letter = "mounts", "Mounts", "M"
    keys = (Key("↑↓", "scroll", "key down"),)

    def __init__(self, screen: ContainerScreen) -> None:
        super().__init__(screen)
        self.states: dict[Mount, MountState] = {}
        self._problem: ConsoleError | None = None

    def opened(self) -> None:
        """Look at the disks."""
        if self.screen.details is not None:
            self.screen.questions.mounts(self.screen.details.mounts)

    def hear_details_read(self, message: DetailsRead) -> None:
        """Look again, where somebody is looking."""
        if self.screen.current is self:
            self.screen.questions.mounts(message.details.mounts)

    def hear_mounts_read(self, message: MountsRead) -> None:
        """Take how they are."""
        self.states = {state.mount: state for state in message.mounts}
        self._problem = None

    def hear_read_failed(self, message: ReadFailed) -> None:
        """Take why they could not be looked at."""
        if message.what == "mounts":
            self._problem = message.error

    def content(self, width: int) -> Sequence[Line]:
        """Give a few lines a mount."""
        details = self.screen.details
        if details is None:
            return nothing_yet(self.screen)
        lines = staleness(self.screen, width)
        if self._problem is not None:
            lines += error_lines(self._problem, width)
        if not details.mounts:
            text = "It has no mounts: all it writes is inside, and goes with it."
            return [*lines, BLANK, *said_lines(text, width, "text")]
        for mount in details.mounts:
            lines += self._mount(mount, min(width, 120))
        return lines

    def _mount(self, mount: Mount, width: int) -> list[Line]:
        how = "read and write" if mount.writable else "read-only inside"
        kind = f"{mount.kind} {mount.name}" if mount.name else mount.kind
        head: Line = (
            Span(f"  {cut(mount.target, max(10, width - 30))}", "strong"),
            Span(f"  {cut(kind, 40)}, {how}", "dim"),
        )
        lines: list[Line] = [BLANK, head]
        if mount.source:
            lines += pair("on the host", mount.source, width)
        state = self.states.get(mount)
        if state is None:
            return [*lines, (Span("  looking …", "dim"),)]
        return lines + _facts(state, width)


def _facts(state: MountState, width: int) -> list[Line]:
    if isinstance(state.present, Unknown):
        lines = pair("there", state.present, width)
        return lines + (pair("", state.present.hint, width, "dim") if state.present.hint else [])
    if not state.present:
        text = "✖ missing: nothing is at that path of the host"
        return pair("there", text, width, "error")
    lines = pair("there", "✔ yes", width, "ok")
    lines += pair("holds", _size(state.size_bytes), width)
    if isinstance(state.free_bytes, Unknown) or isinstance(state.total_bytes, Unknown):
        return lines + pair("free", state.free_bytes, width)
    full = state.free_bytes < state.total_bytes * 0.05
    role = "warning" if full else "text"
    share = 100 * state.free_bytes // state.total_bytes if state.total_bytes else 0
    room = f"{format_bytes(state.free_bytes)} of {format_bytes(state.total_bytes)}"
    mark = "▲ " if full else ""
    lines += pair("free", f"{mark}{room}  ({share} %)", width, role)
    if state.read_only is True:
        lines += pair("disk", "▲ its file system is read-only", width, "warning")
    return lines


def _size(size: int | Unknown) -> str | Unknown:
    return size if isinstance(size, Unknown) else format_bytes(size)
