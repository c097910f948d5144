"""Layouts that give services other cards, killed moves, and services that are busy meanwhile."""

import os
import signal
from collections.abc import Callable

import pytest

from actions.plan import PlanDone, PlanFailed
from console.config.layout import note_layout, noted_layout
from tests.layouts.bench import BIG, SMALL, Bench
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine

SWAPPED = """
[layouts.swapped]
services = ["forge", "comfyui"]
gpus = { forge = "3090", comfyui = "3080" }
"""


def doing(bench: Bench, verb: str, name: str, **options: object) -> list[str]:
    plan = bench.operations().plan(verb, name, **options)
    assert plan.verdict != "refused", plan.refusal
    return [f"{step.options['do']} {step.options['service']}" for step in plan.steps]


@pytest.mark.parametrize("wsl", [False, True], ids=["native", "wsl"])
def test_two_services_change_places_and_back(new_bench: Callable[..., Bench], wsl: bool) -> None:
    bench = new_bench(wsl=wsl)
    bench.write_config(SWAPPED)
    bench.up("forge", "comfyui")
    before = bench.file.read_text()
    stops = [step for step in doing(bench, "switch", "swapped") if step.startswith("stop")]
    assert stops == ["stop forge", "stop comfyui"]
    end = bench.run(bench.operations().plan("switch", "swapped"))
    assert isinstance(end, PlanDone), end
    assert (bench.card("forge"), bench.card("comfyui")) == (BIG, SMALL)
    # The layout in force says where they belong: nobody is called misplaced.
    assert (bench.state("forge"), bench.state("comfyui")) == ("ready", "ready")
    assert not bench.operations().plan("switch", "swapped").steps
    end = bench.run(bench.operations().undo())
    assert isinstance(end, PlanDone), end
    assert (bench.card("forge"), bench.card("comfyui")) == (SMALL, BIG)
    assert bench.file.read_text() == before
    assert noted_layout(bench.session().places) == ""


def swapped(bench: Bench) -> None:
    """Put the host where a switch to `swapped` has put it some day."""
    bench.write_config(SWAPPED)
    bench.cards = {"forge": 1, "comfyui": 0}
    bench.write_compose()
    note_layout(bench.session().places, "swapped")
    bench.up("forge", "comfyui")
    assert (bench.card("forge"), bench.card("comfyui")) == (BIG, SMALL)


def test_a_layout_without_cards_takes_services_back_to_where_the_config_has_them(
    bench: Bench,
) -> None:
    swapped(bench)
    assert isinstance(bench.run(bench.operations().plan("switch", "both")), PlanDone)
    assert (bench.card("forge"), bench.card("comfyui")) == (SMALL, BIG)


def test_a_service_that_leaves_a_layout_goes_back_to_its_own_card(bench: Bench) -> None:
    """Else the next layout, or a plain start, would find it on the card of a layout long gone."""
    swapped(bench)
    left = bench.run(bench.operations().plan("switch", "comfyui-only"))
    assert isinstance(left, PlanDone), left
    assert not bench.runs("forge")
    assert bench.card("comfyui") == BIG
    start = bench.operations().plan("start", "forge")
    assert isinstance(bench.run(start), PlanDone)
    assert bench.card("forge") == SMALL
    assert (bench.state("forge"), bench.state("comfyui")) == ("ready", "ready")


def test_what_has_to_start_starts_where_the_config_has_it(bench: Bench) -> None:
    """Its container was made for another card, by whoever: that is changed, not taken for meant."""
    bench.cards["forge"] = 1
    bench.write_compose()
    bench.up("forge")
    bench.stop("forge")
    plan = bench.operations().plan("switch", "forge-only")
    assert SMALL in plan.diff
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert bench.card("forge") == SMALL
    assert bench.state("forge") == "ready"


def test_a_swap_that_fails_half_way_puts_both_back(bench: Bench) -> None:
    bench.write_config(SWAPPED)
    bench.up("forge", "comfyui")
    bench.extra["comfyui"] = ["--ready-after", "4"]
    bench.write_compose()
    before = bench.file.read_text()
    plan = bench.operations().plan("switch", "swapped", ready_limit=2.0)
    end = bench.run(plan)
    assert isinstance(end, PlanFailed), end
    assert end.code == "service.not-ready"
    assert end.went_back == "yes", end
    assert bench.file.read_text() == before
    assert (bench.card("forge"), bench.card("comfyui")) == (SMALL, BIG)
    assert (bench.state("forge"), bench.state("comfyui")) == ("ready", "ready")


def killed(bench: Bench, text: str, *words: str) -> str:
    """Start a plan by a command and kill its runner once it tells `text`; gives the plan's id."""
    process = bench.command(*words, "--yes", "--json")
    journal = bench.operations()
    wait_until(lambda: any(text in one.text for one in journal.running()), 30, f"it tells {text}")
    (plan,) = journal.running()
    assert plan.pid is not None
    os.kill(plan.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    return plan.plan.id


def test_a_killed_move_is_gone_on_with(bench: Bench) -> None:
    bench.extra["forge"] = ["--ready-after", "4"]
    bench.write_compose()
    bench.up("forge")
    ident = killed(bench, "forge is starting", "move", "forge", "--gpu", "3090")
    end = bench.run(bench.operations().resume_plan(ident))
    assert isinstance(end, PlanDone), end
    wait_until(lambda: bench.is_ready("forge"), 20, "forge is ready")
    assert bench.card("forge") == BIG


def test_a_move_killed_before_its_service_ran_again_is_gone_on_with(bench: Bench) -> None:
    bench.up("forge")
    ident = killed(bench, "Stop forge", "move", "forge", "--gpu", "3090")
    # Whether the engine heard of the stop before is a matter of milliseconds.
    bench.stop("forge")
    resumed = bench.operations().resume_plan(ident)
    end = bench.run(resumed)
    assert isinstance(end, PlanDone), end
    assert bench.card("forge") == BIG
    assert bench.state("forge") == "ready"


def test_a_killed_move_is_gone_back_from(bench: Bench) -> None:
    bench.extra["forge"] = ["--ready-after", "3"]
    bench.write_compose()
    bench.up("forge")
    before = bench.file.read_text()
    ident = killed(bench, "forge is starting", "move", "forge", "--gpu", "3090")
    assert bench.file.read_text() != before
    end = bench.run(bench.operations().back_plan(ident))
    assert isinstance(end, PlanDone), end
    assert bench.file.read_text() == before
    assert bench.card("forge") == SMALL
    assert bench.state("forge") == "ready"


def test_who_has_to_be_waited_for_is_waited_for_before_anything_stops(bench: Bench) -> None:
    bench.write_config("\n[layouts.nothing]\nservices = []\n")
    bench.extra["comfyui"] = ["--busy", "900"]
    bench.write_compose()
    bench.up("forge", "comfyui")
    wait_until(lambda: bench.state("comfyui") == "busy", 20, "comfyui is busy")
    plan = bench.operations().plan("switch", "nothing", wait_limit=1.0)
    assert plan.steps[0].id == "drain-comfyui"
    started = bench.container("forge")["State"]["StartedAt"]
    end = bench.run(plan)
    assert isinstance(end, PlanFailed), end
    assert end.code == "service.still-busy"
    assert "comfyui was not stopped" in end.hint
    assert bench.container("forge")["State"]["StartedAt"] == started
    assert bench.state("comfyui") == "busy"


def test_a_busy_service_is_told_and_waited_for_or_interrupted(bench: Bench) -> None:
    bench.extra["forge"] = ["--busy", "6"]
    bench.write_compose()
    bench.up("forge")
    wait_until(lambda: bench.state("forge") == "busy", 20, "forge is busy")
    plain = bench.operations().plan("switch", "comfyui-only")
    assert plain.verdict == "warned"
    assert any("forge: it interrupts" in check.title for check in plain.checks)
    ends = doing(bench, "switch", "comfyui-only", interrupt=True)
    assert ends[0] == "interrupt forge"
    waits = bench.operations().plan("switch", "comfyui-only", wait=True)
    assert waits.steps[0].options["do"] == "drain"
    end = bench.run(waits)
    assert isinstance(end, PlanDone), end
    assert bench.container("forge")["State"]["ExitCode"] == 0
    assert bench.state("comfyui") == "ready"
