"""What the operator looks at: selection, focus, search; and the blocks that panels give back."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from actions.edit_now import EditNow
from actions.snapshot import HostSnapshot
from actions.transfer import Transfer
from console.unknown import Unknown
from screens.tui.history import History
from screens.tui.kept import Kept
from screens.tui.paint import Line

PANELS = ("cards", "containers", "alerts")
FOLD = "fold"
"""Selected in the container table when the line that stands for the folded rest is."""


class Block(NamedTuple):
    """A rectangle of the screen and what stands in it; lines are cut and padded when shown."""

    name: str
    x: int
    y: int
    width: int
    height: int
    lines: Sequence[Line]


class Anchor(NamedTuple):
    """A selected container: its id, the name it had when it was chosen, the line it stood on."""

    ident: str
    name: str
    place: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A line above the keys that says how something went.

    Attributes:
        role: a theme role.
        until: monotonic seconds at which it goes by itself; any key takes it away before.
    """

    text: str
    role: str = "text"
    symbol: str = "·"
    until: float = float("inf")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that runs, as the job line shows it.

    Attributes:
        started_monotonic: seconds, for the elapsed time.
        longest_seconds: None where nobody knows.
        cancelling: cancelling was asked for.
        steps: ids of its steps; `step` is the number of the one it is at, 0 before the first.
        back: it restores what was before.
        endless: a download, which no limit of time ends; `transfer` has its newest figures.
        subject: what its target is, as plans name it; of an `edits` plan `edit` says how it goes.
    """

    plan_id: str
    verb: str
    target: str
    text: str
    started_monotonic: float
    longest_seconds: float | None = None
    detached: bool = False
    cancelling: bool = False
    steps: tuple[str, ...] = ()
    step: int = 0
    back: bool = False
    endless: bool = False
    transfer: Transfer | None = None
    subject: str = ""
    edit: EditNow | None = None


class Waiting(NamedTuple):
    """A download that has stopped and may be gone on with.

    Attributes:
        state: `paused`, `interrupted` or `needs_token`.
        done, total: bytes; 0 where they are not known.
    """

    target: str
    state: str
    done: int
    total: int


class View(msgspec.Struct, kw_only=True):
    """State of the dashboard that is not the host's: changed by keys, read by panels.

    Attributes:
        focus: the panel that arrows move in.
        container: key of the selected row (a container's id, `service NAME` for a service without
            one), `fold`, or empty for the first.
        gpu: UUID of the selected card, or empty for the first.
        service: name of the selected service in the services view, or empty for the first.
        alert: key of the selected alert, as `alert_key` gives it; empty for the first.
        alert_place: where it stood last; when it is gone, what stands there now is selected.
        anchor: what the cursor of the containers was on when it was last drawn.
        unfolded: the rest of a long container list is shown.
        full: the focused panel takes the whole screen.
        search: what `/` looked for; matching rows are marked.
        typing: the search line is open; `searched_from` is where the cursor was before.
        top: first container row that is shown.
        now: wall time; ages are counted from it.
        waiting: downloads that have stopped, for the line that names them.
        rehearsal: scenario name, or empty.
        journal: what is wrong with the journal; None while all is well.
    """

    focus: str = "containers"
    container: str = ""
    gpu: str = ""
    service: str = ""
    alert: str = ""
    alert_place: int = 0
    anchor: Anchor = Anchor("", "", 0)
    unfolded: bool = False
    full: bool = False
    search: str = ""
    typing: bool = False
    searched_from: str = ""
    top: int = 0
    cards_top: int = 0
    alerts_top: int = 0
    now: datetime
    monotonic: float = 0.0
    notice: Notice | None = None
    jobs: tuple[Job, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    read_only: bool = False
    rehearsal: str = ""
    journal: Unknown | None = None

    @property
    def cancellable(self) -> tuple[Job, ...]:
        """Give the jobs that Esc cancels: a download is not lost by two keys."""
        return tuple(job for job in self.jobs if job.detached and not job.endless)


class Scene(NamedTuple):
    """Everything a panel draws from."""

    snapshot: HostSnapshot
    view: View
    history: History
    kept: Kept
