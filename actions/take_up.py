"""Taking up downloads and edits that nobody runs any more: their host or process was restarted.

Whoever starts the program does it in passing, so it costs a look at one folder where there is none.
"""

from typing import TYPE_CHECKING

import msgspec

from actions import gate
from actions.session import Session
from console.errors import ConsoleError
from console.host.boot import boot_id
from console.store.locks import LockFolder
from console.store.markers import Markers

if TYPE_CHECKING:
    from actions.journal import Journal
    from console.store.rows import PlanRow

# So often in a row without a new byte, then it waits until somebody asks for it. More than a few:
# one that is killed within its first second has told of no byte yet.
_MOST_IN_VAIN = 8


class TakenUp(msgspec.Struct, frozen=True, kw_only=True):
    """A download that goes on, or would if it could.

    Attributes:
        id: of its plan.
        what: such as `pull qwen-image-edit`.
        why: such as `the host was started anew`.
        problem: why it does not go on after all; None where it does.
    """

    id: str
    what: str
    why: str
    problem: ConsoleError | None = None


def take_up(session: Session, *, looking: bool = False) -> tuple[TakenUp, ...]:
    """Go on with the downloads that were interrupted, or whose token is there again.

    Nothing is taken up where this session may change nothing, and none that went on eight times in
    a row without a byte more. Consoles that do it at once start each download once.

    Args:
        session: of any view.
        looking: somebody only looks at jobs: what died in this run of the host is left as it is.
    """
    if gate.refusal(session) is not None:
        return ()
    # Which somebody runs is known without the database.
    locks = LockFolder(session.places)
    left = [
        plan_id
        for plan_id in Markers(session.places).waiting()
        if locks.path is None or locks.is_free(f"plan-{plan_id}")
    ]
    if not left:
        return ()
    from actions.journal import Journal

    journal = Journal(session)
    found = (_take_up(session, journal, plan_id, looking) for plan_id in left)
    return tuple(one for one in found if one is not None)


def _take_up(session: Session, journal: "Journal", plan_id: str, looking: bool) -> TakenUp | None:
    from actions.follow import Follower
    from actions.going_on import resume
    from actions.journal import TAKE_UP

    Follower(session, journal).bury_if_dead(plan_id)
    entry = journal.plan(plan_id)
    if entry is None:
        if journal.store.durable:
            journal.markers.remove(plan_id)
        return None
    plan, row = entry
    why = _reason(session, row, looking)
    if not why:
        return None
    if _in_vain(journal, plan_id):
        journal.markers.hold(plan_id)
        return None
    made = TakenUp(id=plan_id, what=f"{plan.verb} {plan.target}", why=why)
    try:
        return made if resume(session, plan_id, by=TAKE_UP) else None
    except ConsoleError as error:
        return msgspec.structs.replace(made, problem=error)


def _reason(session: Session, row: "PlanRow", looking: bool) -> str:
    """Say why a download goes on now; empty where it does not."""
    if row.state == "needs_token":
        from console.hub.token import token_source

        return "there is a token again" if token_source(session.environ) else ""
    if row.state != "interrupted":
        return ""
    now = boot_id(session.root)
    if now and row.boot_id and now != row.boot_id:
        return "the host was started anew"
    return "" if looking else "its process had ended"


def _in_vain(journal: "Journal", plan_id: str) -> bool:
    """Tell whether a download was taken up too often without getting on."""
    before = journal.resumed(plan_id)
    if before is None or before[1].get("by") != "take-up":
        return False
    more = journal.got_to(plan_id) > before[1].get("bytes_done", 0)
    return not more and int(before[1].get("in_vain", 0)) + 1 >= _MOST_IN_VAIN
