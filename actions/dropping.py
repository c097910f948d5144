"""Giving up a plan that has no end of its own: what it has fetched so far is removed."""

from typing import Protocol, runtime_checkable

import msgspec

from actions.plan import Plan, PlanFailed
from actions.verbs import Verbs
from console.errors import ConsoleError

CANCELLED = "cancelled"


@runtime_checkable
class Droppable(Protocol):
    """Verbs whose plans leave something half done that only they know how to remove."""

    def drop(self, plan: Plan) -> str:
        """Remove what a plan has and nobody can use, and say in words what that was.

        It may be called for a plan that has nothing, and twice; what was finished stays.
        """
        ...


def dropped(verbs: Verbs, plan: Plan, end: PlanFailed) -> PlanFailed:
    """Remove what a plan has and give its end with what came of it."""
    if not isinstance(verbs, Droppable):
        return end
    try:
        said = verbs.drop(plan)
    except ConsoleError as error:
        said = f"what it had fetched could not be removed: {error.title}"
    words = "; ".join(text for text in (end.text, said) if text)
    return msgspec.structs.replace(end, text=words)
