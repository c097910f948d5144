"""The shape of every change: a Plan of Steps, its checks and verdict, and the Events of its run."""

from datetime import datetime
from typing import Any

import msgspec

from actions.edit_now import EditNow
from actions.fit.model import Fit
from actions.transfer import Transfer


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One change a plan makes.

    Attributes:
        touches: what it changes, such as `container myia`.
        command: the equivalent command line a person could type.
        destructive: something is lost that this program cannot bring back.
        undo: the command that takes it back, or empty.
        longest_seconds: how long it may take; None is as long as the plan.
        target_id: the container or service it is about, where the plan has several.
        options: what it needs to know beside the plan, such as `{"service": "myia"}`.
    """

    id: str
    title: str
    touches: tuple[str, ...]
    command: str
    destructive: bool = False
    undo: str = ""
    longest_seconds: float | None = None
    target_id: str = ""
    options: dict[str, Any] = {}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at before; `verdict` is `pass`, `warn` or `refuse`."""

    id: str
    title: str
    verdict: str
    detail: str = ""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a plan will not run."""

    code: str
    title: str
    hint: str = ""


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked: the user, where their SSH line comes from (empty if local), through what."""

    user: str
    ssh_origin: str = ""
    via: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A change, before it runs: what it does, why it is safe or refused.

    Attributes:
        verb: `start`, `stop`, `restart`, `kill`, ...; names who can run it.
        target: what it acts on, as people call it.
        target_id: the container's full id.
        verdict: `ready`, `warned` (always asks) or `refused`.
        facts: what the verdict rests on; read again by `run()`.
        options: arguments of the verb, such as `{"timeout": 10}`.
        longest_seconds: how long it may take at most; over 10 s it runs detached.
        locks: names of the locks it holds while it runs, such as `container-<id>`.
        undoes: id of the plan that this one takes back, or empty.
        continues: id of the interrupted plan that this one goes on with, or empty.
        subject: what `target_id` names: `container`, `service` (its name), `layout` (its name),
            `models` (a variant, a file's id or path), `edits` (a workflow, or an edit's id) or
            `image` (the service whose it is); with `verb` it says who can run the plan.
        fits: the pre-checks it rests on, one for each service that it starts.
        diff: what it changes in a file, as a unified diff; may be empty. Secrets in it are masked.
        endless: no limit of time ends its steps, such as a download's; it runs detached.
        pausable: an endless plan can be paused; an edit cannot, it can only be cancelled.
        interactive: it takes over the terminal of who runs it, for as long as they like: it never
            runs detached, and no limit of time ends it.
    """

    id: str
    verb: str
    target: str
    target_id: str
    steps: tuple[Step, ...]
    checks: tuple[Check, ...] = ()
    verdict: str = "ready"
    refusal: Refusal | None = None
    facts: dict[str, Any] = {}
    options: dict[str, Any] = {}
    longest_seconds: float = 5.0
    locks: tuple[str, ...] = ()
    undoes: str = ""
    continues: str = ""
    subject: str = "container"
    fits: tuple[Fit, ...] = ()
    diff: str = ""
    endless: bool = False
    pausable: bool = True
    interactive: bool = False
    created_at: datetime
    asker: Asker

    @property
    def detached(self) -> bool:
        """Whether it must survive the SSH line: several steps, or more than 10 seconds."""
        long = self.endless or len(self.steps) > 1 or self.longest_seconds > 10
        return long and not self.interactive


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened while a plan ran; subclasses say what."""

    at: datetime
    plan_id: str


class PlanStarted(Event, frozen=True, kw_only=True, tag="started"):
    """The plan holds its locks and begins."""


class StepStarted(Event, frozen=True, kw_only=True, tag="step_started"):
    """A step begins; journalled before anything is touched.

    `back` marks the steps that restore what was before, after one that did not end well; their ids
    begin with `back-`.
    """

    step_id: str
    title: str
    back: bool = False


class StepProgress(Event, frozen=True, kw_only=True, tag="step_progress"):
    """A step tells how it goes; `elapsed_seconds` of at most `longest_seconds`.

    Where it moves bytes, `transfer` has the figures of the whole plan; where it makes pictures,
    `edit` says how that goes.
    """

    step_id: str
    text: str
    elapsed_seconds: float = 0.0
    longest_seconds: float | None = None
    transfer: Transfer | None = None
    edit: EditNow | None = None


class StepFinished(Event, frozen=True, kw_only=True, tag="step_finished"):
    """A step ended well; `text` says with what result, `result` is its data."""

    step_id: str
    text: str
    result: dict[str, Any] = {}


class PlanDone(Event, frozen=True, kw_only=True, tag="done"):
    """The plan ended well; `text` says what state things are in now.

    `result` joins the data of its steps, such as `{"files": [...]}`.
    """

    text: str
    result: dict[str, Any] = {}


class PlanFailed(Event, frozen=True, kw_only=True, tag="failed"):
    """The plan ended badly, was refused, or was interrupted.

    Attributes:
        outcome: `failed`, `refused`, `interrupted`, `stale`, or of a download also `paused`,
            `needs_token` or `cancelled`.
        offers: verbs that may help now, such as `("kill",)` after a stop that timed out.
        text: what came of going back, and in what state things were left.
        exit_code: what the command line exits with.
        plan: where the outcome is `stale`, the plan that would be made now; may be None.
        went_back: whether what was there before was restored: `yes`, `partly` or `no`; empty where
            nothing was touched, or where such a plan has no way back of its own.
        left: facts of the state things were left in; empty where nothing was touched.
    """

    outcome: str
    code: str
    title: str
    hint: str = ""
    text: str = ""
    offers: tuple[str, ...] = ()
    exit_code: int = 1
    plan: Plan | None = None
    went_back: str = ""
    left: dict[str, Any] = {}


AnyEvent = PlanStarted | StepStarted | StepProgress | StepFinished | PlanDone | PlanFailed
