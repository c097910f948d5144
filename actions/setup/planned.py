"""How a plan reads as a step of setup: what it rests on, or why it is refused and what helps."""

from msgspec.structs import replace

from actions.fit.model import WayOut
from actions.plan import Check, Plan
from actions.setup.ground import Ground
from actions.setup.report import Look

_OF_FIT = "fit.refused"


def planned(plan: Plan, detail: str, found: tuple[str, ...] = ()) -> Look:
    """Give the look of a plan that is to be run: what it rests on, or why it is refused.

    A session that only shows what would be is read-only: that is no refusal of the plan's own.
    """
    refused = refused_by(plan)
    if refused is None:
        notes = tuple(one.title for one in plan.checks)
        return Look(state="needed", detail=detail, found=found, proposes=notes, plan=plan)
    ways = tuple(_way_words(way) for fit in plan.fits for way in fit.ways_out)
    # The refusal names the first of the ways, too.
    hint = "" if ways and refused.id == _OF_FIT else refused.detail
    return Look(
        state="blocked",
        detail=f"{detail}: {refused.title}",
        found=found,
        commands=(*((hint,) if hint else ()), *ways),
    )


def _way_words(way: WayOut) -> str:
    if way.command:
        return f"{way.title}: {way.command}"
    if way.kind == "variant":
        detail = f" ({way.detail})" if way.detail else ""
        return f"{way.title}{detail}: {way.target} in the step variant"
    return way.title


def refused_by(plan: Plan) -> Check | None:
    """Give what refuses a plan, with what helps as its detail; None where nothing of its own does.

    Its id is the refusal's code.
    """
    if plan.verdict != "refused":
        return None
    found = next((one for one in plan.checks if one.verdict == "refuse"), None)
    why = plan.refusal
    if found is not None or why is None or why.code == "policy.read-only":
        return found
    return Check(id=why.code, title=why.title, verdict="refuse", detail=why.hint)


def not_made(ground: Ground, verb: str, what: str) -> Look:
    """Give the look of a step that comes once there is a ComfyUI; it shows the command line."""
    look = Look(
        state="needed",
        detail=f"{what} once {ground.name} is there: the step comfyui makes it",
        command=f"gpuconsole {verb}",
    )
    return waiting(ground, look, "comfyui")


def waiting(ground: Ground, look: Look, *steps: str) -> Look:
    """Give the look of a step that waits for others: left out where one of them was."""
    for step in steps:
        if step in ground.answers.names("skip"):
            return replace(look, state="skipped", detail=f"it waits for {step}, which is left out")
    return look
