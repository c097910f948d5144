"""What the operator looks at in the findings view."""

import msgspec

from actions.runbook.finding import Finding
from actions.snapshot import Alert


class State(msgspec.Struct, kw_only=True):
    """State of the view that is not the host's.

    Attributes:
        finding: key of the selected one, as `key_of` gives it; empty for the first.
        place: where in the list it was last seen; the cursor stays there when it goes.
        top: first line of the details that is shown; list_top the same of the list.
        full: the details take the whole screen.
        step: number of the chosen step of the fix; 0 for none.
        whole: all that changed is shown; `seek` until the details were scrolled there.
        checks: the checks stand in place of the finding.
        alert: what the verdict spoke of where no finding explains it; None else.
        search: what `/` looked for; `typing` while its line is open.
    """

    finding: str = ""
    place: int = 0
    top: int = 0
    list_top: int = 0
    full: bool = False
    step: int = 0
    whole: bool = False
    seek: bool = False
    checks: bool = False
    alert: Alert | None = None
    search: str = ""
    typing: bool = False


def key_of(one: Finding) -> str:
    """Give what tells a finding from others, in one examination and from one to the next."""
    return f"{one.id} {one.subject} {'now' if one.current else 'before'}"
