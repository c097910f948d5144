"""What the lab has computed in threads: each with its name and what it rests on."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import msgspec

from actions.edits.request import EditRequest
from actions.workflows.workflow import Workflow
from console.edits.kept import KeptEdit
from console.errors import ConsoleError
from screens.tui.fits import ground
from screens.tui.lab.draft import request_of
from screens.tui.lab.source import Bench, Checked
from screens.tui.lab.state import State

if TYPE_CHECKING:
    from console.pictures.look import PictureFacts
    from screens.tui.application import Console

BENCH, EDITS, CHECK, WORDS = "lab-bench", "lab-edits", "lab-check", "lab-words"
READ_AGAIN_SECONDS = 5.0
"""Edits of other consoles are looked for this often while the lab is shown."""
BENCH_SECONDS = 30.0
"""A graph that was put into the operator's folder is seen after so long."""
CHECK_SECONDS = 30.0
"""A pre-check is made anew at least this often: a service may have been given other models."""
MOST_EDITS = 200
MISSING = "lab.no-picture"


def bench(app: Console, state: State) -> Bench | None:
    """Give workflows and catalogue; None before they were read first."""
    when = app.session.clock.monotonic() // BENCH_SECONDS
    return app.fits.get(BENCH, (state.look, when), app.lab.source.bench)


def edits(app: Console, state: State) -> tuple[KeptEdit, ...] | None:
    """Give the newest edits; None before they were read first."""
    when = app.session.clock.monotonic() // READ_AGAIN_SECONDS
    source = app.lab.source
    return app.fits.get(EDITS, (state.look, when), lambda: source.edits(MOST_EDITS))


def words(app: Console, workflow: str, negative: bool) -> tuple[str, ...]:
    """Give the prompts that were used before, newest first."""
    source = app.lab.source
    name = f"{WORDS}-{'negative' if negative else 'prompt'}"
    key = ((workflow, app.lab.state.look), 0)
    return app.fits.get(name, key, lambda: source.words(workflow, negative)) or ()


def facts(app: Console, path: str) -> PictureFacts | ConsoleError | None:
    """Give what a picture is, or why it is none; None while that is looked at."""
    source = app.lab.source
    what = f"lab-picture {path}"
    found = app.fits.get(what, (path, app.lab.state.look), lambda: source.facts(path))
    return found or app.fits.trouble(what)


def missing_picture(workflow: Workflow, state: State) -> int | None:
    """Give the first slot that needs a picture and has none."""
    slots = workflow.inputs.images
    for slot, told in enumerate(slots):
        later = any(state.draft.image(after) for after in range(slot + 1, len(slots)))
        if not state.draft.image(slot) and (not told.optional or later):
            return slot
    return None


def checked(
    app: Console, state: State, workflow: Workflow
) -> tuple[Checked | None, ConsoleError | None]:
    """Give what speaks for and against the form's edit, or why that cannot be told.

    While an edit of the lab is under way the card's figures move without that meaning anything for
    the next one: then only another question is answered anew.
    """
    slot = missing_picture(workflow, state)
    if slot is not None:
        what = workflow.inputs.images[slot].what or "a picture"
        hint = "↵ on its row opens the browser; a file dropped here, or its path pasted, works too"
        return None, ConsoleError(MISSING, f"choose {what}", hint)
    if app.session.read_only:
        return None, None
    request = request_of(state.draft, workflow)
    key = (_asked(request, state), _rests_on(app))
    source, snapshot = app.lab.source, app.snapshot
    found = app.fits.get(CHECK, key, lambda: source.check(request, snapshot))
    if not app.fits.answers(CHECK, key):
        # What was computed for another question says nothing about this one.
        return None, None
    return found, app.fits.trouble(CHECK)


def _asked(request: EditRequest, state: State) -> Hashable:
    """Give what a pre-check is asked about: words and seed change no verdict."""
    replace = msgspec.structs.replace
    asked = replace(request, prompt="+" if request.prompt else "", negative="", seed=None)
    return (msgspec.json.encode(asked), state.look)


def _rests_on(app: Console) -> Hashable:
    lab = app.lab
    busy = bool(lab.jobs())
    if not busy or lab.ground is None:
        lab.ground = (ground(app.snapshot), app.session.clock.monotonic() // CHECK_SECONDS)
    return lab.ground
