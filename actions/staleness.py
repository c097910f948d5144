"""Whether the ground a plan stands on has moved against it."""

from actions.fit.model import VERDICTS, Fit
from actions.plan import Plan

_VERDICTS = ("ready", "warned", "refused")


def worse(plan: Plan, fresh: Plan) -> str:
    """Say what makes the plan as it would be made now worse than the one that was agreed to.

    Gives an empty text where nothing does: the verdict is as good, it is warned of nothing new, and
    no service fits worse than it did.
    """
    if _VERDICTS.index(fresh.verdict) > _VERDICTS.index(plan.verdict):
        said = (one.title for one in fresh.checks if one.verdict != "pass")
        reason = fresh.refusal.title if fresh.refusal else fresh.verdict
        return next(said, reason)
    known = {one.id for one in plan.checks if one.verdict != "pass"}
    for one in fresh.checks:
        if one.verdict != "pass" and one.id not in known:
            return one.title
    agreed = {(fit.service, fit.gpu_uuid): fit for fit in plan.fits}
    for fit in fresh.fits:
        before = agreed.get((fit.service, fit.gpu_uuid))
        if before is not None and _rank(fit) > _rank(before):
            return fit.reason or f"{fit.service} fits worse than before"
    return ""


def _rank(fit: Fit) -> int:
    """Give how bad a verdict is; one that is not known is as bad as a warning."""
    return VERDICTS.index(fit.verdict) if isinstance(fit.verdict, str) else 1
