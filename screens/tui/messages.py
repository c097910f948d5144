"""What threads tell the screens."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.message import Message

from actions.plan import AnyEvent, Plan
from console.errors import ConsoleError
from console.unknown import Unknown

if TYPE_CHECKING:
    from actions.downloads import Download
    from actions.edits.request import EditRequest
    from actions.jobs import Job
    from console.edits.kept import KeptEdit


class HostChanged(Message):
    """A sampler has something new; posted at most once until it is read."""


class Wanted(NamedTuple):
    """What the operator asked for: enough to ask for it again with other options, or later."""

    verb: str
    target_id: str
    name: str
    options: Mapping[str, Any]


class PlanReady(Message):
    """A plan was made and waits for an answer.

    Attributes:
        preface: why it is offered, if unasked.
        wanted: what it was made for; None where nobody asked for it by verb and name.
        then: what to ask for once it has succeeded, one after the other.
        joined: what is said instead of asking, where a job does it already; else empty.
    """

    def __init__(
        self,
        plan: Plan,
        preface: str = "",
        wanted: Wanted | None = None,
        then: tuple[Wanted, ...] = (),
        joined: str = "",
    ) -> None:
        super().__init__()
        self.plan = plan
        self.preface = preface
        self.wanted = wanted
        self.then = then
        self.joined = joined


class PlanProblem(Message):
    """Something asked for could not be planned, run or cancelled."""

    def __init__(self, doing: str, error: ConsoleError) -> None:
        super().__init__()
        self.doing = doing
        self.error = error


class PlanEvent(Message):
    """Something happened in a plan that runs, here or in another console.

    `subject` is the plan's: an edit's events are drawn otherwise than a download's.
    """

    def __init__(
        self,
        plan_id: str,
        verb: str,
        target: str,
        detached: bool,
        event: AnyEvent,
        endless: bool = False,
        subject: str = "",
    ) -> None:
        super().__init__()
        self.plan_id = plan_id
        self.verb = verb
        self.target = target
        self.detached = detached
        self.event = event
        self.endless = endless
        self.subject = subject


class PlanEnded(Message):
    """The events of a plan have come to their end."""

    def __init__(self, plan_id: str) -> None:
        super().__init__()
        self.plan_id = plan_id


class JournalFound(Message):
    """The journal was opened: what is wrong with it, or None."""

    def __init__(self, problem: Unknown | None) -> None:
        super().__init__()
        self.problem = problem


class JobsRead(Message):
    """The jobs were read from the journal, newest first."""

    def __init__(self, jobs: "Sequence[Job]") -> None:
        super().__init__()
        self.jobs = tuple(jobs)


class DownloadsFound(Message):
    """The downloads were looked for that have not ended for good, newest first."""

    def __init__(self, downloads: "Sequence[Download]") -> None:
        super().__init__()
        self.downloads = tuple(downloads)


class TimelineRead(Message):
    """The newest journal entries were read."""

    def __init__(self, entries: Sequence[object]) -> None:
        super().__init__()
        self.entries = entries


class FitsReady(Message):
    """Something that was computed off the screen's thread is there, or could not be computed.

    Attributes:
        what: its name, as it was asked for.
        key: what it rests on.
        error: why there is no result; None where there is one.
    """

    def __init__(
        self, what: str, key: Hashable, result: object, error: ConsoleError | None = None
    ) -> None:
        super().__init__()
        self.what = what
        self.key = key
        self.result = result
        self.error = error


class Examined(Message):
    """An examination went on or ended; posted at most once until it is read."""


class Said(Message):
    """Something went well in a thread and is to be said above the keys."""

    def __init__(self, text: str, role: str, symbol: str) -> None:
        super().__init__()
        self.text = text
        self.role = role
        self.symbol = symbol


class EditAgain(Message):
    """What an edit that was kept was made by, its pictures found again.

    Attributes:
        submit: it is to be made at once with another seed; else the form takes it.
    """

    def __init__(self, edit: "KeptEdit", request: "EditRequest", submit: bool) -> None:
        super().__init__()
        self.edit = edit
        self.request = request
        self.submit = submit
