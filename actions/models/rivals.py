"""Which files other jobs fetch now, and the job that does the very same already."""

from actions.journal import Journal
from actions.models.item import Item, items_of
from actions.plan import Plan
from actions.session import Session
from console.store.plans import OPEN_STATES, STOPPED_STATES


def fetching_now(session: Session) -> dict[str, str]:
    """Give the jobs under way by the paths that they fetch."""
    journal = Journal(session)
    found: dict[str, str] = {}
    for row in journal.under_way():
        entry = journal.plan(row.id) if row.verb == "pull" else None
        for item in items_of(entry[0]) if entry else ():
            if item.action == "fetch":
                found.setdefault(item.path, row.id)
    return found


def same_job(session: Session, plan: Plan) -> tuple[str, str]:
    """Give a job that has not ended for good and does exactly what a plan would: id and state.

    Both are empty where there is none. One under way comes before one that has stopped, which must
    have been asked for in the same way: another way is often asked for because it had stopped.
    """
    journal = Journal(session)
    wanted = {_same(item) for item in items_of(plan)}
    for states in (OPEN_STATES, STOPPED_STATES):
        for row in journal.plans.newest(states):
            entry = journal.plan(row.id) if row.verb == "pull" and row.id != plan.id else None
            if entry is None or row.cancel_requested or not wanted:
                continue
            found = entry[0]
            alike = states == OPEN_STATES or found.options == plan.options
            if alike and {_same(item) for item in items_of(found)} == wanted:
                return row.id, row.state
    return "", ""


def _same(item: Item) -> tuple[str, int, str]:
    return item.path, item.size, item.sha256 or item.git_oid
