"""What keys do in the lab beyond the form: send, cancel, again, save, pictures, dialogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from console.edits.kept import KeptEdit
from screens.tui.lab import asking
from screens.tui.lab.choice_dialog import Choice, ChoiceDialog
from screens.tui.lab.draft import Draft, request_of
from screens.tui.lab.fields import IMAGE, image_slot, meant_service
from screens.tui.lab.flow import NOT_RUNNING
from screens.tui.lab.layout import Drawing
from screens.tui.lab.seeds import draw
from screens.tui.lab.state import FORM
from screens.tui.messages import Wanted
from screens.tui.view import Job

if TYPE_CHECKING:
    from actions.workflows.workflow import Workflow
    from screens.tui.application import Console


class Deeds:
    """Acts on what the drawing says is selected."""

    def __init__(self, app: Console, drawing: Drawing) -> None:
        self._app = app
        self._drawing = drawing

    # -- sending --------------------------------------------------------------------------------

    def submit(self) -> None:
        """Send what the form holds; say what is missing where something is."""
        app, state = self._app, self._drawing.state
        workflow = self._drawing.workflow()
        if workflow is None:
            app.say("the workflows are being read", "text", "◐")
            return
        slot = asking.missing_picture(workflow, state)
        if slot is not None:
            state.panel, state.field = FORM, f"{IMAGE}{slot}"
            what = workflow.inputs.images[slot].what or "a picture"
            app.say(f"choose {what} first: ↵ opens the browser", "warning", "▲")
            return
        if workflow.inputs.prompt and not state.draft.prompt.strip():
            state.panel, state.field = FORM, "prompt"
            app.say("say first what is to change: ↵, or t for a template", "warning", "▲")
            return
        if workflow.inputs.seed and (state.draft.seed is None):
            state.draft.seed = draw()
        app.say("looking once more, then it is sent …", "text", "◐")
        app.lab.submit(request_of(state.draft, workflow), self._to_start(workflow))

    def _to_start(self, workflow: Workflow) -> str:
        """Give the service that has to be started first; empty for none."""
        _, trouble = self._drawing.checked()
        if trouble is None or trouble.code != NOT_RUNNING:
            return ""
        meant = meant_service(self._app.snapshot, workflow, self._drawing.state.draft)
        return meant.name if meant is not None else ""

    def cancel(self, job: Job) -> None:
        """Ask an edit to end; its service is told."""
        self._app.desk.cancel(job.plan_id)
        self._app.say(f"asked to cancel {job.target}", "warning", "▲")
        self._app.show_jobs()

    def fetch(self) -> None:
        """Propose to fetch the model files that are missing, one after the other."""
        checked, _ = self._drawing.checked()
        if checked is None or not checked.pulls:
            self._app.say("no file is known to be missing", "text", "·")
            return
        first, *rest = checked.pulls
        then = tuple(Wanted("pull", name, name, {}) for name in rest)
        self._app.desk.propose("pull", first, first, then=then)

    # -- edits ----------------------------------------------------------------------------------

    def _edit(self) -> KeptEdit | None:
        """Give the selected edit; say so where there is none that is kept."""
        row = self._drawing.row()
        if row is None or row.edit is None:
            word = "it is not kept yet" if row is not None else "no edit is selected"
            self._app.say(word, "warning", "▲")
            return None
        return row.edit

    def _result(self) -> str:
        """Give the path of the result that is shown; say so where there is none."""
        edit = self._edit()
        if edit is None:
            return ""
        outputs = edit.of_role("output")
        if not outputs:
            self._app.say(f"it has no result: {edit.state}", "warning", "▲")
            return ""
        return outputs[self._drawing.state.turn % len(outputs)].path

    def again(self, submit: bool = False) -> None:
        """Put an edit's recipe into the form, or make it at once with another seed."""
        edit = self._edit()
        if edit is not None:
            self._app.lab.again(edit, submit)

    def use(self) -> None:
        """Take a result as the picture of the next edit."""
        path = self._result()
        if path:
            self._app.lab.use(path)

    def copy(self) -> None:
        """Copy the path of a result."""
        path = self._result()
        if path:
            self._app.copy(path)

    def save(self) -> None:
        """Ask for a folder, and save a copy of the results there."""
        from screens.tui.gallery.saving import ask_folder

        edit = self._edit()
        if edit is not None and self._result():
            ask_folder(self._app, edit)

    def gallery(self) -> None:
        """Open the gallery over the lab."""
        from screens.tui.gallery.screen import GalleryScreen

        self._app.push_screen(GalleryScreen())

    # -- pictures -------------------------------------------------------------------------------

    def browse(self) -> None:
        """Open the browser for the row under the cursor, else for the first that has none."""
        from screens.tui.browser.screen import choose_pictures

        workflow = self._drawing.workflow()
        if workflow is None or not workflow.most_images:
            self._app.say("this workflow takes no picture", "text", "·")
            return
        slot = self._slot(workflow)
        draft = self._drawing.state.draft
        what = workflow.inputs.images[slot].what or "a picture"
        most = max(1, workflow.most_images - slot)

        def chosen(paths: tuple[str, ...]) -> None:
            if paths:
                self.put_pictures(paths, slot)

        choose_pictures(self._app, chosen, at=draft.image(slot), most=most, title=f"Choose {what}")

    def _slot(self, workflow: Workflow) -> int:
        state = self._drawing.state
        here = image_slot(self._drawing.field()) if state.panel == FORM else None
        if here is not None:
            return here
        free = (at for at in range(workflow.most_images) if not state.draft.image(at))
        return next(free, 0)

    def put_pictures(self, paths: Sequence[str], slot: int | None = None) -> None:
        """Put pictures into the form, from a slot on; what there is no slot for is said."""
        state, workflow = self._drawing.state, self._drawing.workflow()
        if workflow is None or not workflow.most_images:
            self._app.say("this workflow takes no picture", "warning", "▲")
            return
        first = self._slot(workflow) if slot is None else slot
        room = workflow.most_images - first
        for at, path in enumerate(paths[:room]):
            state.draft.put_image(first + at, path)
        state.panel, state.field = FORM, f"{IMAGE}{first}"
        state.looks, state.full, state.turn = False, False, first
        if len(paths) > room:
            over = len(paths) - room
            have = "more has" if over == 1 else "more have"
            self._app.say(f"{over} {have} no place here", "warning", "▲")
        self._app.paint()

    # -- odds and ends --------------------------------------------------------------------------

    def fresh(self) -> None:
        """Begin with a new form; workflow, service and variant stay."""
        state = self._drawing.state
        old = state.draft
        state.draft = Draft(workflow=old.workflow, service=old.service, variant=old.variant)
        state.dropped = old
        state.begun, state.field, state.looks = None, "", False
        self._app.say("a new form; u brings the old one back", "text", "→")

    def bring_back(self) -> None:
        """Bring back the form that another one took the place of."""
        state = self._drawing.state
        if state.dropped is None:
            self._app.say("no other form was put together", "text", "·")
            return
        state.draft, state.dropped = state.dropped, state.draft
        state.begun, state.panel, state.full = None, FORM, False

    def card_of(self, workflow: Workflow) -> str:
        """Give the UUID of the card that the chosen service is on; empty where it is not known."""
        meant = meant_service(self._app.snapshot, workflow, self._drawing.state.draft)
        if meant is None:
            return ""
        known = (meant.gpu_uuid, meant.gpu_expected_uuid, meant.gpu_declared_uuid)
        return next((one for one in known if isinstance(one, str)), "")

    def offer(
        self,
        title: str,
        choices: Callable[[], Sequence[Choice]],
        now: str,
        chosen: Callable[[str | None], None],
    ) -> None:
        """Open a box to choose from."""
        self._app.push_screen(ChoiceDialog(title, choices, now), chosen)
