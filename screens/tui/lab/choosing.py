"""What there is to choose from in the lab: each list with what to know of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.models.model import Choice as ModelChoice
from actions.services.snapshot import ServiceStatus
from console.edits.kept import KeptEdit
from console.text import clean_line
from screens.tui.lab.choice_dialog import Choice
from screens.tui.lab.edits_panel import Row, under_way
from screens.tui.lab.fields import lightning_steps, usable_services
from screens.tui.lab.source import Bench
from screens.tui.lab.words import one_line
from screens.tui.models import asking as model_asking
from screens.tui.models.state import State as ModelState
from screens.tui.models.words import choice_state
from screens.tui.panels.precheck import VERDICT_WORDS, verdict_role
from screens.tui.verbs import Verb

if TYPE_CHECKING:
    from actions.workflows.workflow import Workflow
    from screens.tui.application import Console

MOST_WORDS = 200


def workflows(bench: Bench) -> tuple[Choice, ...]:
    """Give the workflows, the operator's own at the end, and those that cannot be read."""
    found = [Choice(one.name, clean_line(one.title, 60), _about(one)) for one in bench.workflows]
    broken = [
        Choice("", clean_line(path.rpartition("/")[2], 60), problem.title, "warning")
        for path, problem in bench.problems
    ]
    return (*found, *broken)


def _about(workflow: Workflow) -> str:
    count = workflow.most_images
    pictures = f"{count} picture{'s' if count != 1 else ''}" if count else "from words"
    own = ", your own" if workflow.file is not None else ""
    return f"{workflow.service}, {pictures}{own}"


def services(app: Console, workflow: Workflow) -> tuple[Choice, ...]:
    """Give the services that can run a workflow, and first that the console chooses."""
    there = usable_services(app.snapshot, workflow)
    own = Choice("", "the first that is ready", f"of {workflow.service}")
    return (own, *(Choice(one.name, one.name, *_state(one)) for one in there))


def _state(one: ServiceStatus) -> tuple[str, str]:
    role = "ok" if one.state in {"ready", "busy"} else "warning"
    return (one.activity or one.state, role)


def variants(app: Console, bench: Bench, workflow: Workflow, gpu_uuid: str) -> tuple[Choice, ...]:
    """Give the variants with what is on disk of them, and whether they fit on a card."""
    told = {one.variant: one for one in _choices(app)}
    found = [Choice("", "the service's own", "as its config says")]
    for one in bench.variants(workflow):
        known = told.get(one.id)
        if known is None:
            found.append(Choice(one.id, clean_line(one.title, 60)))
            continue
        disk = choice_state(known)
        fit = next((fit for fit in known.fits if fit.gpu_uuid == gpu_uuid), None)
        verdict = fit.verdict if fit is not None else ""
        word = VERDICT_WORDS.get(verdict, "").lower() if isinstance(verdict, str) else "not known"
        role = verdict_role(verdict) if known.state == "ready" else disk.role
        note = ", ".join(part for part in (disk.words, word) if part)
        found.append(Choice(one.id, clean_line(one.title, 60), note, role))
    return tuple(found)


def _choices(app: Console) -> Sequence[ModelChoice]:
    """Give what the view of models knows of variants, once it was worked out."""
    state = ModelState()
    looked = model_asking.looked(app, state)
    return (model_asking.choices(app, state, looked) or ()) if looked is not None else ()


def lightning(bench: Bench, workflow: Workflow, variant: str) -> tuple[Choice, ...]:
    """Give the Lightning LoRAs by their steps."""
    found = [Choice("", "off", "the workflow's own steps")]
    found += [
        Choice(str(steps), f"{steps} steps", "quicker, cfg 1, less true to words")
        for steps in lightning_steps(bench, workflow, variant)
        if steps is not None
    ]
    return tuple(found)


def templates(workflow: Workflow) -> tuple[Choice, ...]:
    """Give a workflow's prompts to begin with; their capitals are to be replaced."""
    return tuple(
        Choice(str(place), clean_line(one.title, 60), one_line(one.prompt))
        for place, one in enumerate(workflow.templates)
    )


def earlier(texts: Sequence[str]) -> tuple[Choice, ...]:
    """Give prompts that were used before."""
    return tuple(
        Choice(str(place), one_line(text)) for place, text in enumerate(texts[:MOST_WORDS])
    )


def menu(row: Row | None, pulls: bool) -> tuple[Verb, ...]:
    """Give what can be done in the lab now."""
    found = [
        _verb("submit", "s", "Send", "send the edit"),
        _verb("browse", "o", "Picture", "choose a picture"),
        _verb("template", "t", "Template", "begin with one of the workflow's prompts"),
        _verb("history", "H", "Earlier", "take an earlier prompt"),
        _verb("fresh", "n", "New", "a new form"),
    ]
    if pulls:
        found.append(_verb("fetch", "p", "Fetch", "fetch the files that are missing"))
    if row is not None and under_way(row) and row.job is not None:
        found.append(_verb("cancel", "c", "Cancel", "cancel it; its service is told"))
    edit = row.edit if row is not None else None
    if edit is not None:
        found.append(_verb("again", "r", "Again", "put its recipe into the form"))
        found.append(_verb("again_now", "R", "Anew", "the same with another seed"))
    if edit is not None and _has_result(edit):
        found.append(_verb("use", "e", "Edit on", "its result as the next edit's picture"))
        found.append(_verb("save", "w", "Save", "save a copy of its result"))
        found.append(_verb("copy", "y", "Path", "copy the path of its result"))
    found.append(_verb("gallery", "g", "Gallery", "all edits that were kept"))
    return tuple(found)


def _has_result(edit: KeptEdit) -> bool:
    return bool(edit.of_role("output"))


def _verb(verb: str, key: str, title: str, text: str) -> Verb:
    return Verb(verb=verb, key=key, title=title, states=(), help=text)
