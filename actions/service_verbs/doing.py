"""One step of a service's plan under way: what its doer may use, hear and say."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from actions.containers.verbs import PATIENCE_SECONDS
from actions.plan import Plan, Step
from actions.service_verbs.around import engine_client
from actions.services.snapshot import ServiceStatus
from actions.services.targets import targets_of
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.status import read_status
from actions.step_thread import Talk
from actions.trouble import CancelledStepError, StepError
from console.gpu.once import read_once
from console.gpu.snapshot import Gpu, GpuSnapshot
from console.units import format_duration
from console.unknown import Unknown

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.services.door import Door


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The service and the host at one moment of a step.

    Attributes:
        status: None where the service is not to be found: its engine is away, or it was removed.
        problem: why the engine did not answer; None where it did.
    """

    snapshot: HostSnapshot
    status: ServiceStatus | None
    problem: Unknown | None = None

    def gpu(self, uuid: object) -> Gpu | None:
        """Give a card by its UUID; None where it was not read."""
        return next((gpu for gpu in self.snapshot.gpu.gpus if gpu.uuid == uuid), None)


class Doing:
    """A step while it is done: options, host, clock, and the line to whoever watches.

    Attributes:
        name: of the service.
        options: of the step.
        begun: seconds on the monotonic counter.
    """

    def __init__(self, session: Session, plan: Plan, step: Step, talk: Talk) -> None:
        self.session = session
        self.plan = plan
        self.step = step
        self.name = str(step.options["service"])
        self.options: dict[str, Any] = dict(step.options)
        self.begun = session.clock.monotonic()
        self._talk = talk
        self._told = ""
        self._given_up = threading.Event()
        self._client: EngineClient | None = None

    @property
    def elapsed(self) -> float:
        """Give the seconds since the step began."""
        return self.session.clock.monotonic() - self.begun

    @property
    def leads_back(self) -> bool:
        """Whether what was before is restored where this step fails, so that nothing stays so."""
        edited = self.plan.verb in {"move", "set"} or "edits" in self.plan.options
        returns = self.plan.subject == "layout" or edited
        return returns and not self.step.id.startswith("back-")

    @property
    def had_login(self) -> bool:
        """Whether a login was in the way before too: where that is restored, it is no fault."""
        before = self.plan.facts.get("continues") or self.plan.facts
        changed = self.leads_back or self.step.id.startswith("back-")
        return changed and before.get("service_state") == "needs-auth"

    def tell(self, text: str) -> None:
        """Say how it goes; the same words twice in a row are said once."""
        if text != self._told:
            self._told = text
            self._talk.tell(text)

    def cancelled(self) -> bool:
        """Tell whether somebody asked to cancel."""
        return self._talk.cancelled()

    def pause(self, seconds: float, left: str) -> None:
        """Wait a moment.

        Args:
            seconds: how long.
            left: how things are left, should somebody cancel now.

        Raises:
            CancelledStepError: somebody asked to cancel.
            StepError: nobody waits for this step any more.
        """
        if self._talk.cancelled():
            raise CancelledStepError("plan.cancelled", left)
        if self._given_up.wait(seconds):
            raise StepError("plan.given-up", f"{self.step.title}: given up", left)

    def look(self) -> Seen:
        """Read the host once; an engine that is away is a value, not an error."""
        snapshot = read_status(self.session, PATIENCE_SECONDS)
        problem = snapshot.engine.problem
        if problem is None and snapshot.engine.state != "connected":
            problem = Unknown("engine.lost", "the engine does not answer")
        found = next((one for one in snapshot.services if self._is_it(one)), None)
        return Seen(snapshot=snapshot, status=found if problem is None else None, problem=problem)

    def _is_it(self, status: ServiceStatus) -> bool:
        """Tell whether a service is this step's; a name may have been masked in the journal."""
        ident = self.options.get("container")
        return status.name == self.name or bool(ident and status.container_id == ident)

    def client(self) -> "EngineClient":
        """Give a client of the engine that `abort` can cut off; close it."""
        self._client = engine_client(self.session)
        return self._client

    def cards(self) -> GpuSnapshot:
        """Read the cards once."""
        return read_once(self.session.clock, self.session.environ)

    def door(self, status: ServiceStatus) -> "Door":
        """Give the door to the service's API; close it."""
        # The HTTP client takes a tenth of a second to import.
        from console.services.door import open_door

        target = msgspec.structs.replace(targets_of([status.service], ())[0], running=True)
        return open_door(target, self.session.environ, self.session.clock)

    def over(self, limit: float) -> bool:
        """Tell whether the step has taken longer than `limit` seconds."""
        return self.elapsed > limit

    def taken(self) -> str:
        """Give how long the step has taken, for people."""
        return format_duration(round(self.elapsed))

    def abort(self) -> None:
        """Stop waiting, from another thread."""
        self._given_up.set()
        if self._client is not None:
            self._client.abort()


class ServiceWork:
    """One step for a thread of its own: `run` belongs to one thread, `abort` to any other."""

    def __init__(
        self, session: Session, plan: Plan, step: Step, doer: Callable[[Doing], str]
    ) -> None:
        self._of = (session, plan, step)
        self._doer = doer
        self._doing: Doing | None = None
        self._aborted = False

    def run(self, talk: Talk) -> str:
        """Carry the step out and see its effect; gives the result in words."""
        session, plan, step = self._of
        self._doing = Doing(session, plan, step, talk)
        if self._aborted:
            self._doing.abort()
        return self._doer(self._doing)

    def abort(self) -> None:
        """Stop waiting; what was asked of engine or service may still happen."""
        self._aborted = True
        if self._doing is not None:
            self._doing.abort()
