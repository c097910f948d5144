"""What a comparison is asked for with: options as typed, checked, and as its plan carries them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from actions.compare.cases import checked_once
from actions.compare.model import Candidate, Shot
from actions.compare.words import table
from actions.edits.carried import carried, carry
from actions.edits.request import EditRequest
from actions.plan import Plan
from console.errors import UsageError
from console.text import clean_line

ON_DISK = "on-disk"
_LARGEST_SEED = 2**64 - 1
_MOST_STEPS = 10_000
_OWN = frozenset({"variants", "seeds", "steps"})
# Which one edit has once, or which a comparison decides.
_NOT_OURS = frozenset({"workflow", "variant", "seed"})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison as it is asked for.

    Attributes:
        request: what all edits have in common; variant, seed and steps are left open.
        variants: as they were typed; `("on-disk",)` for those whose files are here.
        seeds: none draws one. steps: none takes each variant's own.
    """

    request: EditRequest
    variants: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan has decided: the variants, and every edit of them in its order.

    Attributes:
        request: with its service; steps and seed are those of each shot.
        card: name of the card that it runs on; empty where it is not known.
    """

    request: EditRequest
    candidates: tuple[Candidate, ...]
    shots: tuple[Shot, ...]
    card: str = ""

    def of(self, variant: int) -> tuple[Shot, ...]:
        """Give the edits of the variant at a place."""
        return tuple(one for one in self.shots if one.variant == variant)

    def request_for(self, shot: Shot) -> EditRequest:
        """Give the request of one edit."""
        variant = self.candidates[shot.variant].id
        steps = self.request.steps if shot.steps is None else shot.steps
        return msgspec.structs.replace(self.request, variant=variant, seed=shot.seed, steps=steps)


def asked_of(workflow: str, options: Mapping[str, Any]) -> Asked:
    """Read the options of a comparison.

    Raises:
        UsageError: one that there is not, of another kind, twice, or far too many of them.
    """
    chosen = {name: value for name, value in options.items() if value not in (None, ())}
    fields = {name: value for name, value in chosen.items() if name not in _OWN}
    wrong = [name for name in fields if name not in _fields()]
    if wrong:
        shown = clean_line(wrong[0], 40).replace("_", "-")
        raise UsageError("plan.bad-option", f"compare has no option {shown}")
    try:
        request = msgspec.convert({**fields, "workflow": workflow}, EditRequest)
        asked = msgspec.convert(
            {"request": request, **{name: chosen[name] for name in _OWN & set(chosen)}}, Asked
        )
    except msgspec.ValidationError as error:
        said = clean_line(str(error), 200)
        raise UsageError("plan.bad-option", "compare has no option of that kind", "", said) from (
            error
        )
    return _sensible(asked)


def carry_course(course: Course, asked: Asked) -> dict[str, Any]:
    """Give a course as options of a plan, which the journal keeps letter by letter."""
    return {
        **carry(course.request),
        "variants": list(asked.variants),
        "seeds": list(asked.seeds),
        "steps": list(asked.steps),
        "candidates": msgspec.to_builtins(course.candidates),
        "shots": msgspec.to_builtins(course.shots),
        "card": course.card,
    }


def course_of(plan: Plan) -> Course:
    """Give the course that a plan carries.

    Raises:
        UsageError: there is none that can be read (`edit.no-request`).
    """
    request = carried(plan.options)
    try:
        return Course(
            request=request,
            candidates=msgspec.convert(plan.options["candidates"], tuple[Candidate, ...]),
            shots=msgspec.convert(plan.options["shots"], tuple[Shot, ...]),
            card=str(plan.options.get("card", "")),
        )
    except (KeyError, msgspec.ValidationError) as error:
        raise UsageError(
            "edit.no-request", "the plan does not say which edits it compares", "Compare again"
        ) from error


def _fields() -> frozenset[str]:
    return frozenset(EditRequest.__struct_fields__) - _NOT_OURS - {"steps"}


def _sensible(asked: Asked) -> Asked:
    for name in ("variants", "seeds", "steps"):
        most = table()["limits"][name]
        if len(getattr(asked, name)) > most:
            raise UsageError("compare.too-many", f"at most {most} {name} can be compared at once")
    seeds, steps = checked_once("seed", asked.seeds), checked_once("steps", asked.steps)
    if any(not 0 <= seed <= _LARGEST_SEED for seed in seeds):
        raise UsageError("workflow.value", f"a seed is a number from 0 to {_LARGEST_SEED}")
    if any(not 1 <= number <= _MOST_STEPS for number in steps):
        raise UsageError("workflow.value", f"steps are a number from 1 to {_MOST_STEPS}")
    return asked
