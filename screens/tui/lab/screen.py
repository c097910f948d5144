"""The lab: an edit put together in a form, checked, sent, watched, and looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from screens.tui.keys import bindings
from screens.tui.lab import asking, choosing, editing
from screens.tui.lab.choice_dialog import Choice
from screens.tui.lab.deeds import Deeds
from screens.tui.lab.fields import CHOICES, SUBMIT, TEXTS, field_names, image_slot
from screens.tui.lab.form_panel import is_text
from screens.tui.lab.keys import LAB
from screens.tui.lab.layout import Drawing
from screens.tui.lab.now_panel import in_short
from screens.tui.lab.pasting import paths_in
from screens.tui.lab.seeds import MODE_WORDS, next_mode
from screens.tui.lab.state import EDITS, FORM, PANELS, State
from screens.tui.pictures.frame import Frame
from screens.tui.pictures.screen import PictureScreen
from screens.tui.view import Block

WHEEL = 3
CANCEL_WINDOW = 4.0
"""Seconds in which a second Esc, or c, cancels the edit."""


class LabScreen(PictureScreen):
    """Form, pictures, what is under way, and the newest edits."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LAB)

    def __init__(self) -> None:
        super().__init__()
        self._drawing: Drawing | None = None
        self._deeds: Deeds | None = None
        self._escaped: tuple[str, float] = ("", float("-inf"))

    @property
    def state(self) -> State:
        """Give what the operator looks at; it outlives this screen."""
        return self.console_app.lab.state

    @property
    def drawing(self) -> Drawing:
        """Give what draws this screen, and knows what is on it."""
        if self._drawing is None:
            self._drawing = Drawing(self.console_app, self.state)
        return self._drawing

    @property
    def deeds(self) -> Deeds:
        """Give what keys do to edits."""
        if self._deeds is None:
            self._deeds = Deeds(self.console_app, self.drawing)
        return self._deeds

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        """Give title, form, what is under way, list, status line and keys."""
        return self.drawing.blocks(width, height)

    def frames(self, width: int, height: int) -> Sequence[Frame]:  # noqa: ARG002 -- as drawn
        """Give the pictures beside the blocks."""
        return self.drawing.frames()

    def on_screen_resume(self) -> None:
        """Look again: other consoles may have made edits."""
        self.state.look += 1
        super().on_screen_resume()

    def action_reload(self) -> None:
        """Read the edits again after a plan has ended."""
        self.state.look += 1
        self.paint()

    # -- moving ---------------------------------------------------------------------------------

    def _names(self) -> tuple[str, ...]:
        workflow = self.drawing.workflow()
        return field_names(workflow) if workflow is not None else ()

    def action_move(self, step: int) -> None:
        """Move the cursor; in full size scroll."""
        state = self.state
        if state.full:
            state.top += step
        elif state.panel == FORM:
            names = self._names()
            if names:
                place = names.index(self.drawing.field()) + step
                state.field = names[max(0, min(len(names) - 1, place))]
                state.looks = state.looks and image_slot(state.field) is None
        else:
            rows = self.drawing.rows()
            row = self.drawing.row()
            if rows and row is not None:
                place = rows.index(row) + step
                self._select(rows[max(0, min(len(rows) - 1, place))].key)
        self.paint()

    def _select(self, key: str) -> None:
        state = self.state
        state.edit, state.top, state.turn, state.looks = key, 0, 0, True

    def action_sideways(self, step: int) -> None:
        """Go to the value before or after; in full size to another edit."""
        state = self.state
        if state.full or state.panel == EDITS:
            state.panel, full = EDITS, state.full
            state.full = False
            self.action_move(step)
            state.full = full
            self.paint()
            return
        bench, workflow = self.drawing.bench(), self.drawing.workflow()
        if bench is None or workflow is None:
            return
        stepping = editing.Stepping(bench, workflow, self.console_app.snapshot)
        checked, _ = self.drawing.checked()
        if not stepping.step(state.draft, self.drawing.field(), step, checked):
            self.console_app.say("↵ edits this one", "text", "→")
        self.paint()

    def action_panel(self) -> None:
        """Go from the form to the edits, and back."""
        state = self.state
        state.panel = PANELS[(PANELS.index(state.panel) + 1) % len(PANELS)]
        # The whole pre-check stands where the list does.
        state.full = state.details = False
        state.looks = state.panel == EDITS
        self.paint()

    def action_scroll(self, step: int) -> None:
        """Scroll the details by most of a page."""
        self.state.top += step * max(1, self.drawing.page - 2)
        self.paint()

    def on_mouse_scroll_down(self) -> None:
        """Scroll with the wheel, or go down."""
        self._wheel(1)

    def on_mouse_scroll_up(self) -> None:
        """Scroll with the wheel, or go up."""
        self._wheel(-1)

    def _wheel(self, step: int) -> None:
        if self.state.full or self.state.details:
            self.state.top += step * WHEEL
            self.paint()
        elif self.state.typing is None:
            self.action_move(step)

    def press(self, verb: str, argument: str, times: int) -> None:
        """Select by a click, open by a double click."""
        state = self.state
        if state.typing is not None and not self._end_typing():
            return
        if verb == "field":
            state.panel, state.field = FORM, argument
        elif verb == "row":
            state.panel = EDITS
            self._select(argument)
        elif verb == "panel":
            state.panel, state.full, state.details = argument, False, False
        if times >= 2 and verb in {"field", "row"}:
            self.action_open()
        self.paint()

    def action_back(self) -> None:
        """Leave, one thing at a time; an edit under way is cancelled at the second press."""
        state, view = self.state, self.console_app.view
        job = self.drawing.job()
        waits = job is not None and self._escaped[0] == job.plan_id and self._in_time()
        if view.notice is not None and not waits:
            view.notice = None
        elif state.full:
            state.full, state.top = False, 0
        elif state.details:
            state.details, state.top = False, 0
        elif job is not None and not job.cancelling:
            self.action_cancel("Esc")
            return
        elif state.panel == EDITS:
            state.panel, state.looks = FORM, False
        else:
            self.console_app.action_view(1)
            return
        self.paint()

    def _in_time(self) -> bool:
        return self.console_app.session.clock.monotonic() - self._escaped[1] <= CANCEL_WINDOW

    # -- typing ---------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take every key while a field is edited."""
        view = self.console_app.view
        if self.state.typing is not None:
            event.stop()
            event.prevent_default()
            self._type(event)
            self.paint()
            return
        if view.notice is not None and event.key not in {"escape", "c"}:
            view.notice = None
        self.run_key(event)

    def _type(self, event: events.Key) -> None:
        typing = self.state.typing
        if typing is None:
            return
        key = event.key
        if key in {"enter", "escape"}:
            self._end_typing(key == "escape")
        elif key in {"up", "down"} and is_text(typing.field):
            typing.history = typing.history or self._history(typing.field)
            typing.recall(1 if key == "up" else -1)
        elif key == "ctrl+z":
            typing.text, typing.at, typing.said = typing.before, len(typing.before), ""
        elif key in {"tab", "down", "shift+tab", "up"}:
            if self._end_typing():
                self.action_move(1 if key in {"tab", "down"} else -1)
        elif not typing.press(key) and event.character and event.is_printable:
            typing.insert(event.character)

    def _end_typing(self, leave: bool = False) -> bool:
        """Take what was typed; what cannot be is said, and with `leave` what was before stays."""
        state, typing = self.state, self.state.typing
        if typing is None:
            return True
        try:
            editing.take(state.draft, typing.field, typing.text)
        except ValueError as error:
            if not leave:
                typing.said = str(error)
                self.console_app.say(str(error), "warning", "▲")
                return False
            self.console_app.say(f"{error}: it stays as it was", "warning", "▲")
        state.typing = None
        return True

    def _history(self, field: str) -> tuple[str, ...]:
        workflow = self.drawing.workflow()
        if workflow is None:
            return ()
        return asking.words(self.console_app, workflow.name, field == "negative")

    def on_paste(self, event: events.Paste) -> None:
        """Take a dropped or pasted path as a picture, and other text into the field it is for."""
        event.stop()
        state, app = self.state, self.console_app
        app.view.notice = None
        typing = state.typing
        if typing is not None:
            whole = typing.insert(event.text.replace("\r\n", "\n").replace("\r", "\n"))
            if not whole:
                app.say(f"cut: {typing.longest} letters at most", "warning", "▲")
            self.paint()
            return
        paths = paths_in(event.text, app.session.environ, app.session.environ.get("PWD", ""))
        if paths:
            self.deeds.put_pictures(paths)
        elif self.drawing.field() in TEXTS and state.panel == FORM and event.text.strip():
            state.typing = editing.begin(state.draft, self.drawing.field())
            state.typing.insert(event.text)
        else:
            app.say("what was pasted is no path of a picture", "warning", "▲")
        self.paint()

    # -- the form -------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Edit or choose what is under the cursor; of an edit, show all, and back."""
        state = self.state
        if state.full or state.panel == EDITS:
            self._open_edit()
            return
        field = self.drawing.field()
        if field == SUBMIT:
            self.action_submit()
        elif image_slot(field) is not None:
            self.action_browse()
        elif field in CHOICES:
            self._choose(field)
        elif field:
            history = self._history(field) if field in TEXTS else ()
            state.typing = editing.begin(state.draft, field, history)
            self.paint()

    def _open_edit(self) -> None:
        state = self.state
        if self.drawing.row() is None and not state.full:
            self.console_app.say("there is no edit yet", "text", "·")
            return
        state.full, state.top = not state.full, 0
        self.paint()

    def _choose(self, field: str) -> None:
        app, draft = self.console_app, self.state.draft
        bench, workflow = self.drawing.bench(), self.drawing.workflow()
        if bench is None or workflow is None:
            return
        checked, _ = self.drawing.checked()
        variant = draft.variant or (checked.variant if checked is not None else "")
        gpu = self.deeds.card_of(workflow)
        offers: dict[str, tuple[Callable[[], Sequence[Choice]], str]] = {
            "workflow": (lambda: choosing.workflows(bench), workflow.name),
            "service": (lambda: choosing.services(app, workflow), draft.service),
            "variant": (lambda: choosing.variants(app, bench, workflow, gpu), draft.variant),
            "lightning": (
                lambda: choosing.lightning(bench, workflow, variant),
                "" if draft.lightning is None else str(draft.lightning),
            ),
        }
        found, now = offers[field]

        def chosen(word: str | None) -> None:
            if word is not None:
                self._take_choice(field, word)

        self.deeds.offer(f"Choose: {field}", found, now, chosen)

    def _take_choice(self, field: str, word: str) -> None:
        draft = self.state.draft
        if field == "lightning":
            draft.lightning = int(word) if word else None
        elif field != "workflow" or word:
            setattr(draft, field, word)
        self.paint()

    def action_clear(self) -> None:
        """Leave a field to workflow and service; take a picture out."""
        if self.state.panel == FORM and not self.state.full:
            editing.clear(self.state.draft, self.drawing.field())
            self.paint()

    def action_seed_mode(self) -> None:
        """Let the seed go on, stay, or be drawn anew."""
        draft = self.state.draft
        draft.seed_mode = next_mode(draft.seed_mode)
        self.console_app.say(f"seed: {MODE_WORDS[draft.seed_mode]}", "text", "→")
        self.paint()

    def action_template(self) -> None:
        """Begin with one of the workflow's prompts."""
        workflow = self.drawing.workflow()
        if workflow is None or not workflow.templates:
            self.console_app.say("this workflow has no prompts to begin with", "text", "·")
            return

        def chosen(word: str | None) -> None:
            if word is not None:
                one = workflow.templates[int(word)]
                self._take_words("prompt", one.prompt)
                if one.negative:
                    self.state.draft.negative = one.negative

        self.deeds.offer("Begin with", lambda: choosing.templates(workflow), "", chosen)

    def action_history(self) -> None:
        """Take an earlier prompt, or an earlier negative one where the cursor is on that."""
        field = "negative" if self.drawing.field() == "negative" else "prompt"
        texts = self._history(field)
        if not texts:
            self.console_app.say("no earlier prompt is known yet", "text", "·")
            return

        def chosen(word: str | None) -> None:
            if word is not None:
                self._take_words(field, texts[int(word)])

        self.deeds.offer("Earlier prompts", lambda: choosing.earlier(texts), "", chosen)

    def _take_words(self, field: str, text: str) -> None:
        state = self.state
        setattr(state.draft, field, text)
        state.panel, state.field = FORM, field
        state.typing = editing.begin(state.draft, field)
        self.paint()

    def action_details(self) -> None:
        """Show the whole pre-check, or the list again; in full size all about the edit."""
        state = self.state
        state.details, state.top = not state.details, 0
        if state.details and not state.full:
            state.panel = FORM
        self.paint()

    def action_fresh(self) -> None:
        """Begin with a new form; service and variant stay."""
        self.deeds.fresh()
        self.paint()

    def action_bring_back(self) -> None:
        """Bring back the form that another one took the place of."""
        self.deeds.bring_back()
        self.paint()

    # -- edits ----------------------------------------------------------------------------------

    def action_submit(self) -> None:
        """Send what the form holds; while it is out of sight, show it first."""
        state = self.state
        if state.full:
            state.full, state.panel, state.field, state.looks = False, FORM, SUBMIT, False
            self.console_app.say("this is the form: s sends what it holds", "text", "→")
            return
        self.deeds.submit()

    def action_browse(self) -> None:
        """Choose a picture in the browser."""
        self.deeds.browse()

    def action_fetch(self) -> None:
        """Fetch the model files that are missing."""
        self.deeds.fetch()

    def action_flip(self) -> None:
        """Let before and after change places."""
        self.state.flipped = not self.state.flipped
        self.paint()

    def action_turn(self, step: int) -> None:
        """Show the next of several pictures."""
        self.state.turn = max(0, self.state.turn + step)
        self.paint()

    def action_again(self) -> None:
        """Put the recipe of the selected edit into the form."""
        self.deeds.again()

    def action_again_now(self) -> None:
        """Make the selected edit once more with another seed."""
        self.deeds.again(submit=True)

    def action_use(self) -> None:
        """Take the selected edit's result as the picture of the next one."""
        self.deeds.use()

    def action_save(self) -> None:
        """Save a copy of the selected edit's result."""
        self.deeds.save()

    def action_copy(self) -> None:
        """Copy the path of the selected edit's result."""
        self.deeds.copy()

    def action_cancel(self, key: str = "c") -> None:
        """Cancel the edit under way at the second press within a moment."""
        job = self.drawing.job()
        if job is None:
            self.console_app.say("no edit is under way", "text", "·")
            return
        if self._escaped[0] == job.plan_id and self._in_time():
            self._escaped = ("", float("-inf"))
            self.deeds.cancel(job)
            return
        self._escaped = (job.plan_id, self.console_app.session.clock.monotonic())
        said = f"{key} again cancels {job.target}, {in_short(job)}; 1 leaves the lab, it goes on"
        self.console_app.say(said, "warning", "▲", seconds=CANCEL_WINDOW)

    def action_gallery(self) -> None:
        """Open the gallery."""
        self.deeds.gallery()

    def action_menu(self) -> None:
        """Open the menu of what can be done."""
        from screens.tui.menu_dialog import MenuDialog

        row = self.drawing.row()
        checked, _ = self.drawing.checked()
        pulls = bool(checked is not None and checked.pulls)

        def chosen(word: str | None) -> None:
            if word:
                getattr(self, f"action_{word}")()

        name = row.name.partition(" ")[0] if row is not None else "the form"
        menu = MenuDialog("Lab", name, choosing.menu(row, pulls))
        self.app.push_screen(menu, chosen)
