"""The engine goes away in the middle of it, and comes back: a start, and a switch, live through."""

from pathlib import Path

import pytest

from actions.plan import AnyEvent, PlanDone, PlanFailed, StepProgress, StepStarted
from tests.layouts.bench import Bench, bench_on, ended
from tests.support.engine import PrivateEngine, Workbench

pytestmark = pytest.mark.engine


def with_engine_restarted(
    bench: Bench, engine: PrivateEngine, step: str, verb: str, name: str
) -> list[AnyEvent]:
    """Run a plan, and restart the engine once a step of it is under way."""
    operations = bench.operations()
    events: list[AnyEvent] = []
    restarted = False
    for event in operations.run(operations.plan(verb, name)):
        events.append(event)
        waits = isinstance(event, StepStarted) and event.step_id == step
        if waits and not restarted:
            engine.stop()
            engine.start()
            restarted = True
    assert restarted
    return events


def test_an_engine_restarted_in_mid_start_ends_with_the_truth(
    own_engine: PrivateEngine, tmp_path: Path
) -> None:
    """A stopping engine stops its containers: the start fails and says so, in whatever state."""
    with Workbench(own_engine.address), bench_on(tmp_path, own_engine.address) as bench:
        bench.extra["forge"] = ["--ready-after", "6"]
        bench.write_compose()
        events = with_engine_restarted(bench, own_engine, "wait-ready-forge", "start", "forge")
        end = ended(events)
        if isinstance(end, PlanDone):
            assert bench.state("forge") == "ready"
        else:
            assert isinstance(end, PlanFailed)
            assert end.code in {"service.ended", "service.gone"}, end
            assert "forge" in end.text
            assert not bench.runs("forge")
        again = bench.run(bench.operations().plan("start", "forge"))
        assert isinstance(again, PlanDone), again
        assert bench.state("forge") == "ready"


def test_an_engine_killed_in_mid_switch_is_waited_for(
    own_engine: PrivateEngine, tmp_path: Path
) -> None:
    """A killed engine leaves no container running; the switch goes back to what ran before."""
    with Workbench(own_engine.address), bench_on(tmp_path, own_engine.address) as bench:
        bench.extra["comfyui"] = ["--ready-after", "900"]
        bench.write_compose()
        bench.up("forge")
        operations = bench.operations()
        events: list[AnyEvent] = []
        for event in operations.run(operations.plan("switch", "comfyui-only", ready_limit=30.0)):
            events.append(event)
            if isinstance(event, StepStarted) and event.step_id == "wait-ready-comfyui":
                own_engine.kill()
                own_engine.start()
        end = ended(events)
        assert isinstance(end, PlanFailed), end
        assert end.went_back == "yes", end
        assert bench.state("forge") == "ready"
        assert not bench.runs("comfyui")
        told = [event.text for event in events if isinstance(event, StepProgress)]
        assert told
