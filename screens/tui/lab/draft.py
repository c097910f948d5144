"""The edit that is being put together: what the form holds, and the request it stands for."""

from __future__ import annotations

import msgspec

from actions.edits.request import EditRequest
from actions.workflows.workflow import Workflow
from screens.tui.lab.seeds import SEED_MODES, after_submission

FIRST_WORKFLOW = "edit-single"


class Draft(msgspec.Struct, kw_only=True):
    """What the operator has put together; None or an empty text leaves it to workflow and service.

    Attributes:
        images: a path for each slot of the workflow; empty where none is chosen yet. More than the
            workflow takes are kept for the next one.
        seed: that the next submission takes; None where it is drawn then.
        seed_mode: one of `SEED_MODES`: what becomes of the seed after a submission.
        origin: id of the edit whose recipe this began with; empty for none.
    """

    workflow: str = FIRST_WORKFLOW
    service: str = ""
    variant: str = ""
    images: tuple[str, ...] = ()
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    seed_mode: str = SEED_MODES[0]
    steps: int | None = None
    cfg: float | None = None
    denoise: float | None = None
    size: tuple[int, int] | None = None
    lightning: int | None = None
    origin: str = ""

    def image(self, slot: int) -> str:
        """Give the path in a slot; empty for none."""
        return self.images[slot] if slot < len(self.images) else ""

    def put_image(self, slot: int, path: str) -> None:
        """Put a path into a slot, or take what is there out with an empty one."""
        images = [*self.images, *[""] * (slot + 1 - len(self.images))]
        images[slot] = path
        while images and not images[-1]:
            images.pop()
        self.images = tuple(images)

    def submitted(self) -> None:
        """Make ready for the next submission: the seed goes on as its mode says."""
        self.seed = after_submission(self.seed_mode, self.seed)


def request_of(draft: Draft, workflow: Workflow) -> EditRequest:
    """Give the request: of what the form holds only what this workflow takes."""
    inputs = workflow.inputs
    ruled = bool(workflow.families)
    return EditRequest(
        workflow=workflow.name,
        service=draft.service,
        variant=draft.variant if ruled else "",
        images=_images(draft, workflow),
        prompt=draft.prompt if inputs.prompt else None,
        negative=draft.negative or None if inputs.negative else None,
        seed=draft.seed if inputs.seed else None,
        steps=draft.steps if inputs.steps else None,
        cfg=draft.cfg if inputs.cfg else None,
        denoise=draft.denoise if takes_denoise(workflow) else None,
        size=draft.size if takes_size(workflow) else None,
        lightning=draft.lightning if ruled else None,
    )


def _images(draft: Draft, workflow: Workflow) -> tuple[str, ...]:
    """Give the chosen pictures; one in the middle that is missing is not passed over in silence."""
    images = list(draft.images[: workflow.most_images])
    while images and not images[-1]:
        images.pop()
    return tuple(images)


def takes_size(workflow: Workflow) -> bool:
    """Tell whether a size may be given: the graph has an input for it, or gets one put in."""
    inputs = workflow.inputs
    return bool(workflow.families or (inputs.width and inputs.height))


def takes_denoise(workflow: Workflow) -> bool:
    """Tell whether the form asks how much is redrawn: the models for edits are run at 1."""
    return bool(workflow.inputs.denoise) and not workflow.families


def draft_of(request: EditRequest, origin: str = "") -> Draft:
    """Give the form as it must be to make an edit once more, its seed locked."""
    return Draft(
        workflow=request.workflow,
        service=request.service,
        variant=request.variant,
        images=request.images,
        prompt=request.prompt or "",
        negative=request.negative or "",
        seed=request.seed,
        seed_mode="lock",
        steps=request.steps,
        cfg=request.cfg,
        denoise=request.denoise,
        size=request.size,
        lightning=request.lightning,
        origin=origin,
    )


def changes(draft: Draft, before: Draft) -> tuple[str, ...]:
    """Give the names of what differs from the edit that the form began with."""
    names = ("workflow", "service", "variant", "images", "prompt", "negative", "seed", "steps",
             "cfg", "denoise", "size", "lightning")  # fmt: skip
    return tuple(name for name in names if getattr(draft, name) != getattr(before, name))
