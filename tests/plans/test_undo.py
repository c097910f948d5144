"""`u` restores the state before the last plan, and never touches what others have changed."""

from collections.abc import Callable

import pytest

from actions.operations import Operations
from actions.plan import PlanDone
from actions.session import Session
from console.errors import RefusedError
from tests.plans.conftest import Containers

pytestmark = pytest.mark.engine


def do(operations: Operations, verb: str, name: str, **options: object) -> None:
    events = list(operations.run(operations.plan(verb, name, **options)))
    assert isinstance(events[-1], PlanDone), events[-1]


def undo(operations: Operations) -> str:
    plan = operations.undo()
    assert isinstance(list(operations.run(plan))[-1], PlanDone)
    return plan.verb


@pytest.mark.parametrize(
    ("verb", "running", "back", "state"),
    [
        ("stop", True, "start", "running"),
        ("kill", True, "start", "running"),
        ("start", False, "stop", "exited"),
    ],
)
def test_each_verb_and_its_way_back(
    containers: Containers,
    operations: Operations,
    verb: str,
    running: bool,
    back: str,
    state: str,
) -> None:
    name = containers.make(running=running)
    do(operations, verb, name)
    plan = operations.undo()
    assert plan.verb == back
    assert plan.checks[-1].title.startswith(f"takes back: {verb} {name}")
    assert undo(operations) == back
    assert containers.state(name) == state


def test_it_goes_back_plan_by_plan_and_then_says_so(
    containers: Containers, new_session: Callable[..., Session]
) -> None:
    operations = Operations(new_session())
    name = containers.make()
    with pytest.raises(RefusedError) as nothing:
        operations.undo()
    assert nothing.value.code == "undo.nothing"
    do(operations, "stop", name)
    do(operations, "start", name)
    later = Operations(new_session())
    assert undo(later) == "stop"
    assert undo(later) == "start"
    with pytest.raises(RefusedError) as spent:
        later.undo()
    assert spent.value.code == "undo.nothing"


def test_a_restart_has_nothing_to_go_back_to(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make()
    do(operations, "restart", name)
    with pytest.raises(RefusedError) as error:
        operations.undo()
    assert error.value.code == "undo.none"
    assert f"restart {name}" in error.value.title


def test_a_restart_that_only_started_goes_back_to_stopped(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(running=False)
    do(operations, "restart", name)
    assert undo(operations) == "stop"
    assert containers.state(name) == "exited"


def test_what_others_did_since_is_not_undone(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make()
    do(operations, "stop", name)
    containers.client.start(name)
    with pytest.raises(RefusedError) as started:
        operations.undo()
    assert started.value.code == "undo.changed"
    assert "is running now" in started.value.title
    containers.client.stop(name)
    with pytest.raises(RefusedError, match="has run and ended again"):
        operations.undo()
    containers.client.remove_container(name, force=True)
    with pytest.raises(RefusedError, match="is gone"):
        operations.undo()


def test_a_start_by_others_after_ours_is_seen(
    containers: Containers, operations: Operations
) -> None:
    name = containers.make(running=False)
    do(operations, "start", name)
    containers.client.restart(name)
    with pytest.raises(RefusedError, match="started again"):
        operations.undo()


def test_a_mere_signal_cannot_be_taken_back(containers: Containers, operations: Operations) -> None:
    name = containers.make(("sh", "-c", "trap : HUP; while :; do sleep 1; done"))
    do(operations, "kill", name, signal="HUP")
    with pytest.raises(RefusedError) as error:
        operations.undo()
    assert error.value.code == "undo.none"


def test_read_only_shows_the_way_back_and_refuses_it(
    containers: Containers, new_session: Callable[..., Session]
) -> None:
    name = containers.make()
    do(Operations(new_session()), "stop", name)
    plan = Operations(new_session(read_only=True)).undo()
    assert plan.verdict == "refused"
    assert plan.refusal is not None
    assert plan.refusal.code == "policy.read-only"
