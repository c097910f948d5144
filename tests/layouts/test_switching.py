"""Switching layouts on a real engine: what stops, what starts, and the way back."""

import json
import os
import signal
from collections.abc import Callable

import pytest

from actions.journal import Journal
from actions.plan import PlanDone, PlanFailed, StepStarted
from console.config.layout import noted_layout
from console.errors import UsageError
from tests.layouts.bench import BIG, COMPOSES, Bench, ended
from tests.plans.command import lines
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine


def titles(bench: Bench, layout: str) -> list[str]:
    return [step.title for step in bench.operations().plan("switch", layout).steps]


@pytest.mark.parametrize("compose", COMPOSES)
def test_a_switch_stops_the_one_and_has_compose_create_the_other(
    new_bench: Callable[..., Bench], compose: str
) -> None:
    bench = new_bench(compose)
    bench.up("forge")
    plan = bench.operations().plan("switch", "comfyui-only")
    assert [step.options["do"] for step in plan.steps] == [
        "stop", "wait-vram", "note-layout", "compose-up", "wait-ready", "check-card", "see-layout",
    ]  # fmt: skip
    assert plan.verdict == "ready"
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert "comfyui is ready" in end.text
    assert "forge is stopped" in end.text
    assert bench.runs("comfyui")
    assert not bench.runs("forge")
    assert noted_layout(bench.session().places) == "comfyui-only"
    assert bench.held(0) == 0


def test_what_runs_in_both_layouts_is_not_touched(bench: Bench) -> None:
    bench.up("forge")
    before = bench.container("forge")["State"]["StartedAt"]
    end = bench.run(bench.operations().plan("switch", "both"))
    assert isinstance(end, PlanDone), end
    assert bench.container("forge")["State"]["StartedAt"] == before
    again = bench.operations().plan("switch", "both")
    assert not again.steps
    assert "already" in again.checks[0].title


def test_undo_switches_back_to_what_ran_before(bench: Bench) -> None:
    bench.up("forge")
    assert isinstance(bench.run(bench.operations().plan("switch", "comfyui-only")), PlanDone)
    undo = bench.operations().undo()
    end = bench.run(undo)
    assert isinstance(end, PlanDone), end
    assert bench.runs("forge")
    assert not bench.runs("comfyui")
    assert noted_layout(bench.session().places) == ""


def test_a_service_that_never_gets_ready_leads_back_to_what_ran_before(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "900"]
    bench.write_compose()
    bench.up("forge")
    plan = bench.operations().plan("switch", "comfyui-only", ready_limit=3.0)
    events = list(bench.operations().run(plan))
    end = ended(events)
    assert isinstance(end, PlanFailed), end
    assert end.went_back == "yes", end
    assert end.code == "service.not-ready"
    assert any(isinstance(event, StepStarted) and event.back for event in events)
    assert bench.state("forge") == "ready"
    assert not bench.runs("comfyui")
    assert "forge is ready" in end.text
    assert noted_layout(bench.session().places) == ""


def test_a_cancelled_switch_leads_back_too(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "900"]
    bench.write_compose()
    bench.up("forge")
    operations = bench.operations()
    plan = operations.plan("switch", "comfyui-only")
    seen: list[str] = []

    def cancelled() -> bool:
        return "wait-ready-comfyui" in seen

    events = []
    for event in operations.run(plan, cancelled):
        events.append(event)
        if isinstance(event, StepStarted):
            seen.append(event.step_id)
    end = ended(events)
    assert isinstance(end, PlanFailed), end
    assert end.outcome == "interrupted"
    assert end.went_back == "yes"
    assert bench.state("forge") == "ready"
    assert not bench.runs("comfyui")


def test_a_container_killed_in_mid_switch_is_told_and_gone_back_from(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "900"]
    bench.write_compose()
    bench.up("forge")
    operations = bench.operations()
    events = []
    for event in operations.run(operations.plan("switch", "comfyui-only")):
        events.append(event)
        if isinstance(event, StepStarted) and event.step_id == "wait-ready-comfyui":
            bench.kill("comfyui")
    end = ended(events)
    assert isinstance(end, PlanFailed), end
    assert end.code == "service.ended", end
    assert "137" in end.title
    assert bench.state("forge") == "ready"


def killed_in_mid_switch(bench: Bench) -> str:
    """Switch by a command, and kill its runner while it waits for the new service."""
    process = bench.command("switch", "comfyui-only", "--yes", "--json")
    journal = bench.operations()

    def waits() -> bool:
        return any("comfyui is starting" in one.text for one in journal.running())

    wait_until(waits, 30, "the switch waits until comfyui is ready")
    (plan,) = journal.running()
    assert plan.pid is not None
    os.kill(plan.pid, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    last = lines(out)[-1]["data"]
    assert (last["event"], last["outcome"]) == ("failed", "interrupted")
    return plan.plan.id


def test_a_switch_whose_runner_was_killed_is_gone_on_with(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "4"]
    bench.write_compose()
    bench.up("forge")
    killed = killed_in_mid_switch(bench)
    assert not bench.runs("forge")
    resumed = bench.operations().resume_plan(killed)
    assert resumed.continues == killed
    end = bench.run(resumed)
    assert isinstance(end, PlanDone), end
    assert bench.state("comfyui") == "ready"
    assert not bench.runs("forge")
    # What it goes back to is what ran before the first of them.
    assert isinstance(bench.run(bench.operations().undo()), PlanDone)
    assert bench.state("forge") == "ready"
    assert not bench.runs("comfyui")


def test_a_switch_whose_runner_was_killed_is_gone_back_from(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "900"]
    bench.write_compose()
    bench.up("forge")
    killed = killed_in_mid_switch(bench)
    end = bench.run(bench.operations().back_plan(killed))
    assert isinstance(end, PlanDone), end
    assert bench.state("forge") == "ready"
    assert not bench.runs("comfyui")
    assert noted_layout(bench.session().places) == ""


def test_one_whose_end_nobody_saw_is_not_measured_by_an_older_one(bench: Bench) -> None:
    """The engine was away as it failed: going back is not refused for what it did itself."""
    bench.up("forge")
    operations = bench.operations()
    assert isinstance(bench.run(operations.plan("switch", "comfyui-only")), PlanDone)
    assert isinstance(bench.run(operations.plan("switch", "forge-only")), PlanDone)
    plan = operations.plan("switch", "comfyui-only")
    journal = Journal(bench.session())
    journal.save(plan)
    journal.begin(plan, os.getpid())
    now = plan.created_at
    first = plan.steps[0]
    journal.write(StepStarted(at=now, plan_id=plan.id, step_id=first.id, title=first.title))
    failed = PlanFailed(at=now, plan_id=plan.id, outcome="failed", code="x", title="x")
    bench.stop("forge")
    journal.finish(plan, failed, {})
    end = bench.run(operations.back_plan(plan.id))
    assert isinstance(end, PlanDone), end
    assert bench.state("forge") == "ready"


def test_two_consoles_at_once_one_of_them_is_told_who_works(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "4"]
    bench.write_compose()
    bench.up("forge")
    first, second = bench.operations(), bench.operations()
    one, other = first.plan("switch", "comfyui-only"), second.plan("stop", "forge")
    running = first.run(one)
    next(event for event in running if isinstance(event, StepStarted))
    end = ended(list(second.run(other)))
    assert isinstance(end, PlanFailed)
    assert end.code == "lock.held"
    assert "switch comfyui-only" in end.title
    assert isinstance(ended(list(running)), PlanDone)


def test_a_layout_that_does_not_fit_is_refused_with_numbers(bench: Bench) -> None:
    bench.write_config('\n[layouts.tight]\nservices = ["forge", "comfyui"]\n'
                       'gpus = { comfyui = "3080" }\n')  # fmt: skip
    plan = bench.operations().plan("switch", "tight")
    assert plan.verdict == "refused"
    assert plan.refusal is not None
    assert plan.refusal.code == "layout.sum"
    assert "forge and comfyui do not fit together" in plan.refusal.title
    assert "GiB" in plan.refusal.title
    process = bench.command("switch", "tight", "--yes", "--json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert lines(out)[-1]["data"]["outcome"] == "refused"
    assert not bench.container("forge")
    forced = bench.operations().plan("switch", "tight", force=True)
    assert forced.verdict == "warned"


def test_a_dry_run_shows_the_steps_and_changes_nothing(bench: Bench) -> None:
    bench.up("forge")
    process = bench.command("switch", "comfyui-only", "--dry-run", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    plan = json.loads(out)["data"]["plan"]
    assert plan["subject"] == "layout"
    assert all(step["command"] for step in plan["steps"])
    assert [fit["service"] for fit in plan["fits"]] == ["comfyui"]
    assert any("on the way" in check["title"] for check in plan["checks"])
    peaks = {peak["gpu_uuid"]: peak["peak_bytes"] for peak in plan["facts"]["peaks"]}
    assert peaks[BIG] >= 13 << 30
    assert bench.runs("forge")
    assert not bench.container("comfyui")


def test_an_unknown_layout_is_answered_with_the_nearest(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no layout comfy-only") as caught:
        bench.operations().plan("switch", "comfy-only")
    assert "comfyui-only" in caught.value.hint
    process = bench.command("switch", "comfy-only", "--yes")
    process.communicate(timeout=60)
    assert process.returncode == 2
