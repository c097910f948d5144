"""The gallery: all edits that were kept, with their pictures; over whatever view was shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import events
from textual.binding import BindingType

from console.edits.kept import KeptEdit
from console.text import clean_line
from screens.tui.gallery import choosing
from screens.tui.gallery.collecting import collect
from screens.tui.gallery.framing import most_pictures, shown_picture
from screens.tui.gallery.keys import GALLERY
from screens.tui.gallery.layout import Drawing
from screens.tui.gallery.source import GallerySource, SessionGallery
from screens.tui.gallery.state import PAGE, STATES, State, Wanted
from screens.tui.keys import bindings
from screens.tui.lab.choice_dialog import ChoiceDialog
from screens.tui.lab.words import edit_state
from screens.tui.pictures.frame import Frame
from screens.tui.pictures.screen import PictureScreen
from screens.tui.pictures.words import shown_path
from screens.tui.view import Block

if TYPE_CHECKING:
    from screens.tui.application import Console

WHEEL = 3
REMOVE = "gallery-rm"


def open_gallery(app: Console) -> None:
    """Open the gallery over the view that is shown, unless it is open."""
    if not isinstance(app.screen, GalleryScreen):
        app.push_screen(GalleryScreen())


class GalleryScreen(PictureScreen):
    """Newest first; what is chosen by stands in the title."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(GALLERY)

    def __init__(self, source: GallerySource | None = None) -> None:
        super().__init__()
        self.state = State()
        self._source = source
        self._drawing: Drawing | None = None

    @property
    def drawing(self) -> Drawing:
        """Give what draws this screen, and knows what is on it."""
        if self._drawing is None:
            source = self._source or SessionGallery(self.console_app.session)
            self._drawing = Drawing(self.console_app, self.state, source)
        return self._drawing

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, list, details, status line and keys."""
        return self.drawing.blocks(width, height)

    def frames(self, width: int, height: int) -> Sequence[Frame]:
        """Give the pictures of the selected edit."""
        return self.drawing.frames(width, height)

    def action_reload(self) -> None:
        """Read the edits again after a plan has ended."""
        self.state.look += 1
        self.paint()

    # -- moving ---------------------------------------------------------------------------------

    def _put(self, place: int) -> None:
        listed, state = self.drawing.edits(), self.state
        if not listed:
            return
        state.place = max(0, min(len(listed) - 1, place))
        state.edit = listed[state.place].id
        state.top, state.turn = 0, 0
        if state.place >= len(listed) - PAGE // 4 and len(listed) >= state.most:
            state.most += PAGE
        self.paint()

    def action_move(self, step: int) -> None:
        """Move the cursor; in full size too."""
        self._put(self.state.place + step)

    def action_edge(self, step: int) -> None:
        """Move to the newest edit, or to the last that is listed."""
        self._put(0 if step < 0 else len(self.drawing.edits()))

    def action_scroll(self, step: int) -> None:
        """Scroll the details by most of a page."""
        self.state.top += step * max(1, self.drawing.page - 2)
        self.paint()

    def on_mouse_scroll_down(self) -> None:
        """Scroll the details with the wheel."""
        self.state.top += WHEEL
        self.paint()

    def on_mouse_scroll_up(self) -> None:
        """Scroll the details with the wheel."""
        self.state.top -= WHEEL
        self.paint()

    def press(self, verb: str, argument: str, times: int) -> None:
        """Select by a click, look by a double click."""
        known = [one.id for one in self.drawing.edits()]
        if verb == "row" and argument in known:
            self._put(known.index(argument))
            if times >= 2:
                self.action_open()

    # -- looking --------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Give the pictures the whole screen, or take it back."""
        self.state.full = not self.state.full
        self.paint()

    def action_flip(self) -> None:
        """Let before and after change places."""
        self.state.flipped = not self.state.flipped
        self.paint()

    def action_both(self) -> None:
        """Show one large picture, or before and after."""
        self.state.both = not self.state.both
        self.paint()

    def action_turn(self, step: int) -> None:
        """Go on to the next of several inputs and results."""
        edit = self.drawing.edit()
        if edit is not None:
            self.state.turn = (self.state.turn + step) % most_pictures(edit)
            self.paint()

    def action_back(self) -> None:
        """Leave, one thing at a time: notice, full size, marks, filter; then the gallery."""
        state, view = self.state, self.console_app.view
        if view.notice is not None:
            view.notice = None
        elif state.full:
            state.full = False
        elif state.marked:
            state.marked.clear()
        elif not state.wanted.any:
            self._want(Wanted())
            return
        else:
            self.console_app.leave(self)
            return
        self.paint()

    # -- choosing -------------------------------------------------------------------------------

    def _want(self, wanted: Wanted) -> None:
        state = self.state
        state.wanted, state.most = wanted, PAGE
        state.place = state.list_top = state.top = state.turn = 0
        state.edit = ""
        self.paint()

    def action_states(self) -> None:
        """List all edits, those that went well, those that did not, those not over."""
        known = list(STATES)
        states = known[(known.index(self.state.wanted.states) + 1) % len(known)]
        self._want(msgspec.structs.replace(self.state.wanted, states=states))

    def action_filter(self) -> None:
        """Offer workflows, variants and services to choose edits by."""
        names = self.drawing.names()
        if names is None:
            self.console_app.say("what there is is being read: once more, please", "text", "◐")
            return
        lines = choosing.filters(names, self.state.wanted, self.drawing.edit())

        def chosen(word: str | None) -> None:
            if word:
                self._want(choosing.chosen_filter(self.state.wanted, word))

        self.app.push_screen(ChoiceDialog("Only edits of", lines), chosen)

    def action_group(self) -> None:
        """List only the edits of the same comparison or load run."""
        edit = self.drawing.edit()
        if edit is not None and edit.group:
            self._want(Wanted(group=edit.group))

    def action_search(self) -> None:
        """Open the line of what prompts have to contain."""
        self.state.typing = True
        self.console_app.view.notice = None
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """Take every key while the search line is open."""
        state, view = self.state, self.console_app.view
        if not state.typing:
            if view.notice is not None and event.key != "escape":
                view.notice = None
            self.run_key(event)
            return
        event.stop()
        event.prevent_default()
        text = state.wanted.text
        if event.key in {"enter", "escape"}:
            state.typing = False
            text = text if event.key == "enter" else ""
        elif event.key == "backspace":
            text = text[:-1]
        elif event.key == "ctrl+u":
            text = ""
        elif event.character and event.is_printable:
            text += event.character
        if text == state.wanted.text:
            self.paint()
        else:
            self._want(msgspec.structs.replace(state.wanted, text=text))

    # -- doing ----------------------------------------------------------------------------------

    def _edit(self) -> KeptEdit | None:
        """Give the selected edit; say so where there is none."""
        edit = self.drawing.edit()
        if edit is None:
            self.console_app.say("no edit is selected", "warning", "▲")
        return edit

    def _picture(self) -> tuple[KeptEdit, str] | None:
        """Give the selected edit with the path of the picture in sight; say where there is none."""
        edit = self._edit()
        if edit is None:
            return None
        picture, found = shown_picture(edit, self.state), self.drawing.hung()
        if picture is None:
            self.console_app.say(f"it has no picture: {edit.state}", "warning", "▲")
        elif found is not None and found.files.get(picture.path) == "missing":
            self.console_app.say(f"{picture.path} is not there any more", "warning", "▲")
        else:
            return edit, picture.path
        return None

    def action_again(self) -> None:
        """Put its recipe into the lab."""
        edit = self._edit()
        if edit is not None:
            self.console_app.lab.again(edit)

    def action_again_now(self) -> None:
        """Make it once more with another seed, after its plan where that asks."""
        edit = self._edit()
        if edit is not None:
            self.console_app.lab.again(edit, submit=True)

    def action_use(self) -> None:
        """Take the picture in sight as the next edit's."""
        found = self._picture()
        if found is not None:
            self.console_app.lab.use(found[1])

    def action_copy(self) -> None:
        """Copy the path of the picture in sight."""
        found = self._picture()
        if found is not None:
            self.console_app.copy(shown_path(found[1], 4096))

    def action_save(self) -> None:
        """Ask for a folder, and save a copy of the results there."""
        from screens.tui.gallery.saving import ask_folder

        found = self._picture()
        if found is not None:
            ask_folder(self.console_app, found[0])

    def action_mark(self) -> None:
        """Mark it, or no longer, and go on to the next."""
        edit = self._edit()
        if edit is not None:
            self.state.marked ^= {edit.id}
            self.action_move(1)

    def action_remove(self) -> None:
        """Propose to delete what is marked, else what is selected."""
        edit = self._edit()
        if edit is None:
            return
        marked = [one.id for one in self.drawing.edits() if one.id in self.state.marked]
        first, *also = marked or [edit.id]
        name = f"{len(also) + 1} edits" if also else f"edit {first[:12]}"
        options = {"also": also} if also else {}
        self.console_app.desk.propose(REMOVE, first, name, options=options)
        self.state.marked.clear()
        self.paint()

    def action_collect(self) -> None:
        """Fetch what the service still has of it."""
        edit = self._edit()
        if edit is None:
            return
        if edit.state == "done":
            self.console_app.say("its pictures are here", "ok", "✔")
            return
        collect(self.console_app, self.drawing.source, edit.id)

    def action_menu(self) -> None:
        """Offer everything that can be done with it."""
        from screens.tui.menu_dialog import MenuDialog

        edit = self._edit()
        if edit is None:
            return

        def chosen(word: str | None) -> None:
            if word:
                getattr(self, f"action_{word}")()

        name, verbs = clean_line(edit.workflow, 40), choosing.actions_of(edit)
        self.app.push_screen(MenuDialog(name, edit_state(edit).words, verbs), chosen)
