"""A whole rehearsal host whose time runs fast, and a console on it that carries plans out."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from actions.executor import Executor
from actions.journal import Journal
from actions.operations import Operations
from actions.plan import Plan, PlanDone, PlanFailed, StepFinished, StepProgress
from actions.service_verbs.around import engine_client
from actions.session import Session, open_session
from actions.verbs import verbs_for
from console.clock import Clock
from console.simulator.held import HeldRehearsal, held_rehearsal
from console.simulator.scenario import load_scenario
from console.simulator.scene import ContainerSpec, Scene

_TICK = 0.03
_STRIDE = 0.25


class Stage:
    """A rehearsal host and one console.

    Attributes:
        host: make things happen on it.
        session: the console's.
        operations: to plan, as a view does.
    """

    def __init__(self, host: HeldRehearsal, environ: dict[str, str]) -> None:
        self.host = host
        self.session = self.new_session(environ)
        self.operations = Operations(self.session, via="cli")

    def new_session(self, environ: dict[str, str] | None = None, **changed: Any) -> Session:
        """Give a console more on the same host, with the host's clock unless told otherwise."""
        clock: Clock = changed.pop("clock", self.host.clock)
        return open_session({**self.host.environ, **(environ or {})}, clock=clock, **changed)

    def plan(self, verb: str, name: str, **options: Any) -> Plan:
        """Make a plan; nothing is changed."""
        return self.operations.plan(verb, name, **options)

    def run(self, plan: Plan) -> PlanDone | PlanFailed:
        """Carry a plan out here and now, whatever its length."""
        journal = Journal(self.session)
        journal.save(plan)
        verbs = verbs_for(self.session, plan.verb, plan.subject)
        return Executor(self.session, journal, verbs).run(plan)

    def do(self, verb: str, name: str, **options: Any) -> PlanDone | PlanFailed:
        """Plan and carry out."""
        return self.run(self.plan(verb, name, **options))

    def told(self, plan: Plan) -> list[str]:
        """Give what the steps of a plan have said so far, in order."""
        events = (event for _, event in Journal(self.session).events(plan.id))
        return [one.text for one in events if isinstance(one, StepProgress | StepFinished)]

    def state(self, container: str) -> str:
        """Give a container's state as the engine has it."""
        with engine_client(self.session) as client:
            return str(client.inspect(container)["State"]["Status"])

    def close(self) -> None:
        """Close the console."""
        self.session.store.close()


@contextlib.contextmanager
def stage(
    change: Callable[[Scene], Scene] | None = None, scenario: str = "studio"
) -> Iterator[Stage]:
    """Give a host on which a second passes in about a tenth of one, until the block ends."""
    scene = quick(load_scenario(scenario))
    with held_rehearsal(change(scene) if change else scene) as host:
        over = threading.Event()

        def tick() -> None:
            while not over.wait(_TICK):
                host.advance(_STRIDE)

        clock = threading.Thread(target=tick, daemon=True)
        clock.start()
        here = Stage(host, {})
        try:
            yield here
        finally:
            over.set()
            clock.join(10)
            here.close()


def quick(scene: Scene) -> Scene:
    """Let every container start in a few seconds and then idle, with no job of its own."""
    return with_containers(scene, _quick)


def _quick(spec: ContainerSpec) -> ContainerSpec:
    phases = []
    for phase in spec.phases:
        seconds = 3.0 if not phase.ready else 100_000.0 if phase.name == "idle" else phase.seconds
        phases.append(msgspec.structs.replace(phase, seconds=seconds))
    return msgspec.structs.replace(spec, phases=tuple(phases))


def with_containers(scene: Scene, change: Callable[[ContainerSpec], ContainerSpec]) -> Scene:
    """Give a scene with each container changed."""
    changed = {name: change(spec) for name, spec in scene.containers.items()}
    return msgspec.structs.replace(scene, containers=changed)


def with_one(scene: Scene, name: str, **changes: Any) -> Scene:
    """Give a scene with one container changed; changes of its `service` go under that name."""
    spec = scene.containers[name]
    service = msgspec.structs.replace(spec.service, **changes.pop("service", {}))
    spec = msgspec.structs.replace(spec, service=service, **changes)
    return msgspec.structs.replace(scene, containers={**scene.containers, name: spec})
