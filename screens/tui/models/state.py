"""What the operator looks at in the views of models and jobs."""

import msgspec

from actions.fit.model import Task

PANELS = ("catalogue", "inventory", "jobs")
TITLES = {"catalogue": "Catalogue", "inventory": "Inventory", "jobs": "Downloads"}
ORDERS = ("folder", "size", "kind")
"""What the inventory is sorted by, in turn."""


class State(msgspec.Struct, kw_only=True):
    """State of the views that is not the host's.

    Attributes:
        panel: one of `PANELS`; the jobs view has only its last one.
        place: where in its list the cursor was last seen; it stays there when its row goes.
        top: first line of the details that is shown; list_top the same of the list.
        details: the whole arithmetic, or everything that is known, is shown.
        full: the details take the whole screen.
        variant, file, job: what is selected in each panel: a variant's id, a path, a job's id;
            empty for the first.
        card: UUID of the card whose pre-check is explained; empty for the first.
        marked: variants or paths that a key acts on together.
        issues: only files with something wrong are listed.
        totals: sums by kind and root stand in place of the details.
        order: one of `ORDERS`.
        ended: jobs that are over are listed too.
        task: the edit that fits are computed for.
        look: counts how often the operator asked to look again.
        search: what `/` looked for; `typing` while its line is open.
    """

    panel: str = "catalogue"
    place: int = 0
    top: int = 0
    list_top: int = 0
    details: bool = False
    full: bool = False
    variant: str = ""
    file: str = ""
    job: str = ""
    card: str = ""
    marked: set[str] = msgspec.field(default_factory=set)
    issues: bool = False
    totals: bool = False
    order: str = "folder"
    ended: bool = False
    task: Task = Task()
    look: int = 0
    search: str = ""
    typing: bool = False
