"""What threads tell the screens."""

from collections.abc import Sequence

from textual.message import Message

from actions.plan import AnyEvent, Plan
from console.errors import ConsoleError
from console.unknown import Unknown


class HostChanged(Message):
    """A sampler has something new; posted at most once until it is read."""


class PlanReady(Message):
    """A plan was made and waits for an answer; `preface` says why it is offered, if unasked."""

    def __init__(self, plan: Plan, preface: str = "") -> None:
        super().__init__()
        self.plan = plan
        self.preface = preface


class PlanProblem(Message):
    """Something asked for could not be planned, run or cancelled."""

    def __init__(self, doing: str, error: ConsoleError) -> None:
        super().__init__()
        self.doing = doing
        self.error = error


class PlanEvent(Message):
    """Something happened in a plan that runs, here or in another console."""

    def __init__(
        self, plan_id: str, verb: str, target: str, detached: bool, event: AnyEvent
    ) -> None:
        super().__init__()
        self.plan_id = plan_id
        self.verb = verb
        self.target = target
        self.detached = detached
        self.event = event


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


class TimelineRead(Message):
    """The newest journal entries were read."""

    def __init__(self, entries: Sequence[object]) -> None:
        super().__init__()
        self.entries = entries
