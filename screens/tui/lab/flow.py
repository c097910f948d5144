"""What the application keeps for the lab: its state, the edits under way, what keys do to them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import msgspec

from console.errors import ConsoleError
from screens.tui.background import start, tell
from screens.tui.messages import EditAgain, PlanProblem, Said, Wanted
from screens.tui.view import Job

if TYPE_CHECKING:
    from actions.edits.request import EditRequest
    from actions.plan import Plan
    from console.edits.kept import KeptEdit
    from screens.tui.application import Console
    from screens.tui.lab.source import LabSource
    from screens.tui.lab.state import State

SUBJECT = "edits"
VIEW = 4
NOT_RUNNING = "service.not-running"


class LabFlow:
    """Made with the application; imports what costs time only once the lab is opened.

    Attributes:
        ground: what the last pre-check rests on; None before the first.
    """

    def __init__(self, app: Console, source: LabSource | None = None) -> None:
        self._app = app
        self._source = source
        self._state: State | None = None
        self.ground: Hashable | None = None

    @property
    def state(self) -> State:
        """Give the lab's state, which outlives its screen."""
        if self._state is None:
            from screens.tui.lab.state import State

            self._state = State()
        return self._state

    @property
    def source(self) -> LabSource:
        """Give where the lab looks; made when it is opened first."""
        if self._source is None:
            from screens.tui.lab.source import SessionLab

            self._source = SessionLab(self._app.session)
        return self._source

    def jobs(self) -> dict[str, Job]:
        """Give the edits that are under way, by their ids, in the order they began."""
        return {
            job.plan_id: job
            for job in self._app.view.jobs
            if job.subject == SUBJECT and job.verb == "edit"
        }

    def leading(self) -> Job | None:
        """Give the edit under way that is told of first: one that runs before those that wait."""
        jobs = tuple(self.jobs().values())
        runs = (job for job in jobs if job.edit is not None and job.edit.phase != "queued")
        return next(runs, jobs[0] if jobs else None)

    # -- sending --------------------------------------------------------------------------------

    def submit(self, request: EditRequest, start_first: str = "") -> None:
        """Ask for the plan of an edit; where the service does not run, for its start first.

        Args:
            request: what the form holds, its seed chosen.
            start_first: the service that has to be started before; empty for none.
        """
        from screens.tui.lab.checking import options_of

        options = options_of(request)
        name = request.workflow
        if not start_first:
            self._app.desk.propose("edit", name, name, options=options)
            return
        wanted = Wanted("edit", name, name, options)
        said = f"{start_first} does not run: first this, then the edit."
        self._app.desk.propose("start", start_first, start_first, said, then=(wanted,))

    def sent(self, plan: Plan) -> None:
        """Show an edit that was just sent, and make the form ready for the next one."""
        if plan.verb != "edit":
            return
        state = self.state
        self._app.view.notice = None
        if plan.facts.get("seed") == state.draft.seed:
            state.draft.submitted()
        state.edit, state.looks, state.turn, state.flipped = plan.id, True, 0, False
        state.look += 1

    # -- again ----------------------------------------------------------------------------------

    def again(self, edit: KeptEdit, submit: bool = False) -> None:
        """Put an edit's recipe into the form, or with `submit` make it once more with a new seed.

        Its pictures are looked for in a thread; `EditAgain` comes back.
        """
        source = self.source

        def work() -> None:
            try:
                request = source.again(edit)
            except ConsoleError as error:
                tell(self._app, PlanProblem("run it again", error))
            else:
                tell(self._app, EditAgain(edit, request, submit))

        start(work, "again")

    def take_again(self, message: EditAgain) -> None:
        """Go on with an edit whose pictures were found."""
        from screens.tui.lab.draft import draft_of
        from screens.tui.lab.seeds import draw

        edit, request = message.edit, message.request
        if message.submit:
            self.submit(msgspec.structs.replace(request, seed=draw()))
            return
        state = self.state
        state.dropped = state.draft
        state.draft, state.begun = draft_of(request, edit.id), draft_of(request, edit.id)
        state.panel, state.field, state.full = "form", "prompt", False
        state.typing = None
        state.edit, state.looks = edit.id, True
        self._open("change one thing, then s sends it; its seed is locked; u brings the old form")

    def use(self, path: str, slot: int | None = None) -> None:
        """Take a picture, such as a result, as an input of the next edit.

        Args:
            path: of its file.
            slot: which input; None for the first that is free, else the first.
        """
        state = self.state
        self._to_pictures()
        if slot is None:
            # Another recipe's pictures go: a result is edited further by itself.
            state.draft.images = ()
            slot = 0
        state.draft.put_image(slot, path)
        state.draft.origin, state.begun = "", None
        state.panel, state.field, state.full, state.looks = "form", f"image {slot}", False, False
        self._open("it is the picture of the next edit")

    def _to_pictures(self) -> None:
        """Where the workflow takes no picture, go to one of its kind that does, else to any."""
        from screens.tui.lab.asking import bench

        found, draft = bench(self._app, self.state), self.state.draft
        now = found.workflow(draft.workflow) if found is not None else None
        if found is None or now is None or now.most_images:
            return
        able = [one for one in found.workflows if one.most_images]
        of_its_kind = (one for one in able if one.service == now.service)
        chosen = next(of_its_kind, able[0] if able else now)
        if chosen.service != now.service:
            draft.service = draft.variant = ""
        draft.workflow = chosen.name

    def _open(self, said: str) -> None:
        app = self._app
        if app.current_mode != "lab" or len(app.screen_stack) > 1:
            app.action_view(VIEW)
        app.say(said, "ok", "→")

    # -- saving ---------------------------------------------------------------------------------

    def save(self, edit: KeptEdit, folder: str) -> None:
        """Copy an edit's results into a folder, in a thread; how it went is said."""
        source, pictures = self.source, edit.of_role("output")

        def work() -> None:
            try:
                paths = source.save(pictures, folder)
            except ConsoleError as error:
                tell(self._app, PlanProblem("save a copy", error))
                return
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            tell(self._app, Said(f"saved as {paths[0]}{more}", "ok", "✔"))

        start(work, "save")
