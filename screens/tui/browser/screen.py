"""The file browser: a list of a folder, and the picture under the cursor beside it.

`choose_pictures` opens it over whatever is shown and hands on the paths that were chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast
from weakref import WeakKeyDictionary

from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.message import Message

from console.host.browsing import Folder
from console.paths import expand
from screens.tui.background import start, tell
from screens.tui.browser import panel
from screens.tui.browser.keys import BROWSER
from screens.tui.browser.layout import Drawing
from screens.tui.browser.source import BrowserSource, Place, SessionBrowser
from screens.tui.browser.state import ORDERS, State
from screens.tui.keys import bindings
from screens.tui.pictures.frame import Frame
from screens.tui.pictures.screen import PictureScreen
from screens.tui.view import Block

if TYPE_CHECKING:
    from screens.tui.application import Console

SLOW_SECONDS = 2.0
"""A folder that has not answered by then is said not to."""
_LAST: WeakKeyDictionary[App[object], str] = WeakKeyDictionary()
_HANGING: set[str] = set()
"""Folders that a thread of this process still waits for: they are not asked for again."""


def choose_pictures(
    app: Console,
    then: Callable[[tuple[str, ...]], None],
    *,
    at: str = "",
    most: int = 1,
    title: str = "Choose a picture",
    source: BrowserSource | None = None,
) -> None:
    """Open the browser; `then` is given the chosen paths, none where the operator left.

    Args:
        app: where.
        then: is told, on the screen's thread.
        at: a folder or a file to begin with; empty for where pictures were taken from last.
        most: how many may be picked.
        title: what is asked for.
        source: where it looks; the real folders where none is given.
    """

    def answered(paths: object) -> None:
        then(cast("tuple[str, ...]", paths or ()))

    screen = BrowserScreen(source or SessionBrowser(app.session), at, most, title)
    app.push_screen(screen, answered)


class BrowserScreen(PictureScreen):
    """Answers a tuple of paths; an empty one where the operator left."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(BROWSER)

    class Read(Message):
        """A folder was read, in a thread; `asked` is the path it was asked for by."""

        def __init__(self, asked: str, folder: Folder) -> None:
            super().__init__()
            self.asked = asked
            self.folder = folder

    class Led(Message):
        """A way to a folder was found, in a thread."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class Places(Message):
        """The folders to go to were looked up, in a thread."""

        def __init__(self, places: tuple[Place, ...]) -> None:
            super().__init__()
            self.places = places

    def __init__(self, source: BrowserSource, at: str, most: int, title: str) -> None:
        super().__init__()
        self.state = State()
        self.most = max(1, most)
        self._source = source
        self._at = at
        self._title = title
        self._drawing: Drawing | None = None
        self._asked = ""
        self._turn = 0

    def on_mount(self) -> None:
        """Begin with the folder that was asked for, or with the one that was used last."""
        last = _LAST.get(cast("App[object]", self.console_app), "")
        self._go_to(self._at or last)

    # -- reading folders ------------------------------------------------------------------------

    def go(self, path: str, name: str = "", exact: bool = True) -> None:
        """Show a folder, its cursor on `name`; not `exact`, the nearest one that there is."""
        state = self.state
        state.path, state.folder, state.slow = path, None, False
        state.name, state.place, state.top = name, 0, 0
        state.filter, state.typing = "", False
        self._read(path, exact)
        self.paint()

    def _read(self, path: str, exact: bool = True) -> None:
        self._asked = path
        self._turn += 1
        turn = self._turn
        self.set_timer(SLOW_SECONDS, lambda: self._late(turn))
        if path in _HANGING:
            return
        _HANGING.add(path)

        def work() -> None:
            try:
                folder = self._source.read(path, exact)
            finally:
                _HANGING.discard(path)
            tell(self, self.Read(path, folder))

        start(work, "browse")

    def _late(self, turn: int) -> None:
        if turn == self._turn and self.state.folder is None:
            self.state.slow = True
            self.paint()

    def on_browser_screen_read(self, message: Read) -> None:
        """Show what a folder holds, if it is still the one that is wanted."""
        message.stop()
        if message.asked != self._asked:
            return
        state = self.state
        state.folder, state.path, state.slow = message.folder, message.folder.path, False
        self._asked = state.path
        self.paint()

    def on_browser_screen_led(self, message: Led) -> None:
        """Go where a key leads."""
        message.stop()
        self.go(message.path, exact=False)

    def on_browser_screen_places(self, message: Places) -> None:
        """Ask which of the folders."""
        message.stop()
        from screens.tui.lab.choice_dialog import Choice, ChoiceDialog
        from screens.tui.pictures.words import short_path

        lines = [Choice(one.path, short_path(one.path, 44), one.what) for one in message.places]

        def chosen(path: str | None) -> None:
            if path:
                self.go(path, exact=False)

        self.app.push_screen(ChoiceDialog("Folders with pictures", lines), chosen)

    # -- what is on it --------------------------------------------------------------------------

    @property
    def drawing(self) -> Drawing:
        """Give what draws this screen, and knows what is on it."""
        if self._drawing is None:
            self._drawing = Drawing(self.console_app, self.state, self.most, self._title)
        return self._drawing

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, list, what is known of the selected entry, status line and keys."""
        view, one = self._views.get("preview"), self.drawing.chosen()
        known = view is not None and one is not None and view.source == self.drawing.path_of(one)
        return self.drawing.blocks(
            width, height, view.drawn if view is not None and known else None
        )

    def frames(self, width: int, height: int) -> Sequence[Frame]:
        """Give the preview of the selected picture."""
        return self.drawing.frames(width, height)

    # -- moving ---------------------------------------------------------------------------------

    def _put(self, place: int) -> None:
        found = self.drawing.entries()
        if found:
            self.state.place = max(0, min(len(found) - 1, place))
            self.state.name = found[self.state.place].name
        self.paint()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._put(self.state.place + step)

    def action_page(self, step: int) -> None:
        """Move the cursor by most of a page."""
        self._put(self.state.place + step * max(1, self.drawing.page - 1))

    def action_edge(self, step: int) -> None:
        """Move the cursor to the first or the last entry."""
        self._put(0 if step < 0 else len(self.drawing.entries()))

    def on_mouse_scroll_down(self) -> None:
        """Move with the wheel."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """Move with the wheel."""
        self.action_move(-3)

    def press(self, verb: str, argument: str, times: int) -> None:
        """Select by a click, open by a double click."""
        if verb == "row":
            at = next(
                (at for at, one in enumerate(self.drawing.entries()) if one.name == argument), None
            )
            if at is not None:
                self._put(at)
                if times >= 2:
                    self.action_open()

    # -- going ----------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Open the folder, or answer with the picture and what was picked."""
        one = self.drawing.chosen()
        if one is None:
            return
        if one.kind == "folder":
            self.go(self.drawing.path_of(one))
        elif one.kind == "file":
            self._answer(self.drawing.path_of(one))
        else:
            self.console_app.say(f"that is {panel.KINDS[one.kind]}", "warning", "▲")

    def _answer(self, path: str) -> None:
        picked = self.state.picked
        # Whoever has picked all there are means these, wherever the cursor went on to.
        if path not in picked and len(picked) < self.most:
            picked.append(path)
        _LAST[cast("App[object]", self.console_app)] = self.state.path
        self.dismiss(tuple(picked))

    def _enough(self) -> None:
        text = f"{self.most} are picked already: ↵ takes them, Space on one of them drops it"
        self.console_app.say(text, "warning", "▲")

    def action_inside(self) -> None:
        """Open the folder under the cursor."""
        one = self.drawing.chosen()
        if one is not None and one.kind == "folder":
            self.go(self.drawing.path_of(one))

    def action_up(self) -> None:
        """Go to the folder that this one lies in, the cursor on this one."""
        above, _, name = self.state.path.rstrip("/").rpartition("/")
        if name:
            self.go(above or "/", name)

    def action_pick(self) -> None:
        """Pick the picture under the cursor, or no longer, and go on to the next."""
        one = self.drawing.chosen()
        if self.most == 1 or one is None or one.kind != "file":
            self.action_page(1)
            return
        path, picked = self.drawing.path_of(one), self.state.picked
        if path in picked:
            picked.remove(path)
        elif len(picked) < self.most:
            picked.append(path)
        else:
            self._enough()
            return
        self.action_move(1)

    def action_home(self) -> None:
        """Go home."""
        start(lambda: tell(self, self.Led(self._source.home())), "browse")

    def action_outputs(self) -> None:
        """Go to the folder where results are kept."""
        start(lambda: tell(self, self.Led(self._source.outputs())), "browse")

    def action_places(self) -> None:
        """Offer the folders that were used of late."""
        start(lambda: tell(self, self.Places(self._source.places())), "browse")

    def action_type(self) -> None:
        """Ask for a path, and go there."""
        from screens.tui.typed_dialog import LONGEST_PATH, TypedDialog

        def wrong(typed: str) -> str:
            good = typed.startswith(("/", "~/")) or typed == "~"
            return "" if good else "a path is written from / or ~ on"

        def answered(typed: str | None) -> None:
            if typed:
                self._go_to(str(expand(typed, self.console_app.session.environ)))

        text = "Which folder, or which picture? From / or ~ on."
        dialog = TypedDialog("Go to", text, wrong, longest=LONGEST_PATH)
        self.app.push_screen(dialog, answered)

    def _go_to(self, path: str) -> None:
        """Go to a path: a folder is shown, of a file its folder with the cursor on it."""
        self.go(path, path.rstrip("/").rpartition("/")[2], exact=False)

    def action_again(self) -> None:
        """Read the folder again; what is listed stays until then."""
        self._read(self.state.path)
        self.paint()

    def action_everything(self) -> None:
        """List all files, or only pictures."""
        self.state.everything = not self.state.everything
        self.paint()

    def action_order(self) -> None:
        """Sort by the next thing."""
        self.state.order = ORDERS[(ORDERS.index(self.state.order) + 1) % len(ORDERS)]
        self._put(0)

    def action_copy(self) -> None:
        """Copy the path of the entry under the cursor."""
        from screens.tui.pictures.words import shown_path

        one = self.drawing.chosen()
        if one is not None:
            self.console_app.copy(shown_path(self.drawing.path_of(one), 4096))

    def action_back(self) -> None:
        """End the filter, take the notice away; else leave without a picture."""
        state, view = self.state, self.console_app.view
        if state.filter:
            state.filter = ""
        elif view.notice is not None:
            view.notice = None
        else:
            self.dismiss(())
            return
        self.paint()

    # -- typing ---------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Open the line that narrows the list."""
        self.state.typing, self.state.filter = True, ""
        self.console_app.view.notice = None
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """Take every key while the filter is typed; else never let a digit change the view."""
        state, view = self.state, self.console_app.view
        if not state.typing:
            if view.notice is not None and event.key != "escape":
                view.notice = None
            if event.key.isdigit():
                event.stop()
                event.prevent_default()
            self.run_key(event)
            return
        event.stop()
        event.prevent_default()
        if event.key in {"enter", "escape"}:
            state.typing = False
            state.filter = state.filter if event.key == "enter" else ""
        elif event.key == "backspace":
            state.filter = state.filter[:-1]
        elif event.key == "ctrl+u":
            state.filter = ""
        elif event.key in {"up", "down"}:
            self.action_move(1 if event.key == "down" else -1)
        elif event.character and event.is_printable:
            state.filter += event.character
        self.paint()

    def on_paste(self, event: events.Paste) -> None:
        """Go to a path that is pasted, as a terminal does with a dropped file."""
        from screens.tui.lab.pasting import paths_in

        event.stop()
        if self.state.typing:
            self.state.filter += (event.text.splitlines() or [""])[0]
            self.paint()
            return
        paths = paths_in(event.text, self.console_app.session.environ, self.state.path)
        if not paths:
            self.console_app.say("what was pasted is no path", "warning", "▲")
            return
        self._go_to(paths[0])
