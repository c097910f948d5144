"""Services on a real engine, made by real compose from real files, with detached runners."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions.plan import PlanDone, PlanFailed, StepProgress
from tests.layouts.bench import COMPOSES, Bench, bench_on
from tests.plans.command import lines, run
from tests.support.engine import (
    PrivateEngine,
    Workbench,
    engine_address,
    own_engine,
    workbench,
)
from tests.support.waiting import wait_until

__all__ = ["engine_address", "own_engine", "workbench"]

pytestmark = pytest.mark.engine


@pytest.fixture
def bench(tmp_path: Path, workbench: Workbench, engine_address: str) -> Iterator[Bench]:
    """Give a host with a Forge and a ComfyUI that compose has yet to create."""
    assert workbench.image  # which compose needs too
    with bench_on(tmp_path, engine_address) as host:
        yield host


@pytest.mark.parametrize("compose", COMPOSES)
def test_a_service_without_a_container_is_created_by_compose(
    tmp_path: Path, workbench: Workbench, engine_address: str, compose: str
) -> None:
    assert workbench.image
    with bench_on(tmp_path, engine_address, compose) as host:
        plan = host.operations().plan("start", "comfyui")
        assert [step.options["do"] for step in plan.steps] == [
            "compose-up", "wait-ready", "check-card",
        ]  # fmt: skip
        assert plan.detached
        end = host.run(plan)
        assert isinstance(end, PlanDone), end
        assert end.text == "comfyui is ready on NVIDIA GeForce RTX 3090, as it says itself"
        assert host.runs("comfyui")
        assert not host.runs("forge")
        again = host.operations().plan("start", "comfyui")
        assert (again.steps, again.checks[0].id) == ((), "service.ready")


def test_a_stop_gives_the_vram_back_and_its_undo_starts_it(bench: Bench) -> None:
    bench.up("comfyui")
    end = bench.run(bench.operations().plan("stop", "comfyui"))
    assert isinstance(end, PlanDone), end
    assert end.text.startswith("comfyui is stopped; ")
    assert bench.held(1) == 0
    undo = bench.operations().undo()
    assert (undo.verb, undo.subject, undo.target) == ("start", "service", "comfyui")
    assert isinstance(bench.run(undo), PlanDone)
    assert bench.is_ready("comfyui")


def broken(text: str) -> Callable[[Bench], None]:
    def damage(host: Bench) -> None:
        host.file.write_text(text)

    return damage


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda host: host.file.unlink(), "compose.file-missing"),
        (broken("services:\n  comfyui: [\n"), "compose.invalid"),
        (broken("services:\n  comfy:\n    image: x\n"), "compose.no-service"),
    ],
)
def test_a_compose_file_that_will_not_do_refuses_the_start(
    bench: Bench, damage: Callable[[Bench], None], code: str
) -> None:
    damage(bench)
    done = run(bench.environ, "start", "comfyui", "--yes", "--json")
    assert done.returncode == 3
    last = lines(done.stdout)[-1]
    assert (last["data"]["event"], last["error"]["code"]) == ("failed", code)
    assert "comfyui" in last["error"]["title"] or str(bench.file) in last["error"]["title"]
    assert bench.container("comfyui") == {}


def test_a_compose_that_fails_tells_its_own_words(bench: Bench) -> None:
    text = bench.file.read_text().replace("gpuconsole-test:1", "gpuconsole-test:none")
    bench.file.write_text(text)
    end = bench.run(bench.operations().plan("start", "comfyui"))
    assert isinstance(end, PlanFailed)
    assert end.code == "compose.failed"
    assert "gpuconsole-test:none" in end.hint
    assert "absent" in end.text


def test_a_refused_start_exits_3_shows_the_way_out_and_changes_nothing(bench: Bench) -> None:
    bench.cards["forge"] = 1
    bench.write_config()
    config = bench.folder / ".config/gpuconsole/config.toml"
    config.write_text(config.read_text().replace('"7 GiB"', '"16 GiB"'))
    bench.write_compose()
    bench.up("comfyui")
    shown = run(bench.environ, "start", "forge", "--dry-run")
    assert shown.returncode == 3
    assert "over by" in shown.stdout
    assert "gpuconsole stop comfyui" in shown.stdout
    told = run(bench.environ, "start", "forge", "--dry-run", "--json")
    plan = json.loads(told.stdout)["data"]["plan"]
    assert (told.returncode, plan["verdict"], plan["subject"]) == (3, "refused", "service")
    (fit,) = plan["fits"]
    assert (fit["verdict"], fit["code"]) == ("refused", "vram")
    assert fit["ways_out"]
    assert fit["terms"]
    assert run(bench.environ, "start", "forge", "--yes").returncode == 3
    assert bench.container("forge") == {}
    forced = run(bench.environ, "start", "forge", "--force", "--yes")
    assert forced.returncode == 0, forced.stderr
    assert forced.stdout == "forge is ready on NVIDIA GeForce RTX 3090, as it says itself\n"


def test_the_wrong_card_fails_the_start_and_says_what_to_change(bench: Bench) -> None:
    bench.obeys = False  # CUDA's first card is the 3090, whatever Docker was asked for
    bench.write_compose()
    end = bench.run(bench.operations().plan("start", "forge"))
    assert isinstance(end, PlanFailed), end
    assert end.code == "service.misplaced"
    assert "left running" in end.title
    assert end.hint
    assert bench.runs("forge")


@pytest.mark.parametrize(
    "words",
    [["start", "--force"], ["stop", "--wait"], ["stop", "--wait-limit", "3s"],
     ["restart", "--ready-limit", "3s"], ["stop", "--interrupt"], ["free"]],
)  # fmt: skip
def test_options_of_services_make_no_sense_for_plain_containers(
    bench: Bench, workbench: Workbench, words: list[str]
) -> None:
    workbench.run("plain", ("sleep", "1000"))
    done = run(bench.environ, *words, f"{workbench.prefix}plain", "--yes", "--json")
    assert done.returncode == 2
    code = lines(done.stdout)[-1]["error"]["code"]
    assert code == ("service.unknown" if words == ["free"] else "plan.bad-option")


@pytest.mark.parametrize("words", [["--wait", "--interrupt"], ["--wait-limit", "soon"]])
def test_options_that_exclude_each_other_are_mistakes(bench: Bench, words: list[str]) -> None:
    assert run(bench.environ, "stop", "forge", *words, "--yes").returncode == 2


def test_ctrl_c_while_it_is_waited_for_leaves_it_starting(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "60"]
    bench.write_compose()
    process = bench.command("start", "comfyui", "--yes")
    wait_until(lambda: bench.runs("comfyui"), 30)
    wait_until(lambda: bench.state("comfyui") == "starting", 20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on starting" in err
    assert bench.runs("comfyui")


def test_an_engine_restarted_in_mid_start_is_waited_for(
    tmp_path: Path, own_engine: PrivateEngine
) -> None:
    with bench_on(tmp_path, own_engine.address) as host:
        with_image(own_engine.address)
        host.extra["comfyui"] = ["--ready-after", "6"]
        host.write_compose()
        text = host.file.read_text()
        host.file.write_text(text.replace("  comfyui:\n", "  comfyui:\n    restart: always\n"))
        plan = host.operations().plan("start", "comfyui")
        events = host.operations().run(plan)
        for event in events:
            if isinstance(event, StepProgress) and "is starting" in event.text:
                break
        own_engine.stop()
        own_engine.start()
        rest = list(events)
        end = rest[-1]
        assert isinstance(end, PlanDone), end
        assert end.text.startswith("comfyui is ready on NVIDIA GeForce RTX 3090")
        told = [event.text for event in rest if isinstance(event, StepProgress)]
        assert any("the engine does not answer" in text for text in told), told


def test_a_start_whose_runner_was_killed_is_gone_on_with(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "5"]
    bench.write_compose()
    operations = bench.operations()
    plan = operations.plan("start", "comfyui")
    events = operations.run(plan)
    for event in events:
        if isinstance(event, StepProgress) and "is starting" in event.text:
            break
    (under_way,) = operations.running()
    assert under_way.pid is not None
    os.kill(under_way.pid, signal.SIGKILL)
    end = list(events)[-1]
    assert isinstance(end, PlanFailed)
    assert end.outcome == "interrupted"
    again = bench.operations().resume_plan(plan.id)
    assert again.steps[0].options["do"] == "wait-ready"
    assert isinstance(bench.run(again), PlanDone)
    assert bench.is_ready("comfyui")


def test_two_consoles_on_one_service_name_who_has_it(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "5"]
    bench.write_compose()
    first = bench.operations()
    plan = first.plan("start", "comfyui")
    events = first.run(plan)
    for event in events:
        if isinstance(event, StepProgress) and "is starting" in event.text:
            break
    done = run(bench.environ, "stop", "comfyui", "--yes", "--json")
    assert done.returncode == 3
    error = lines(done.stdout)[-1]["error"]
    assert error["code"] == "lock.held"
    assert "start comfyui" in error["title"]
    assert plan.id in error["hint"]
    assert isinstance(list(events)[-1], PlanDone)


def test_a_container_made_anew_meanwhile_makes_the_plan_stale(bench: Bench) -> None:
    bench.up("comfyui")
    plan = bench.operations().plan("stop", "comfyui")
    bench.extra["comfyui"] = ["--job-seconds", "3"]
    bench.write_compose()
    bench.up("comfyui")
    end = bench.run(plan)
    assert isinstance(end, PlanFailed)
    assert (end.outcome, end.text) == ("stale", "nothing was changed")
    assert "made anew" in end.title
    assert end.plan is not None
    assert end.plan.facts["id"] != plan.facts["id"]
    assert bench.runs("comfyui")


def with_image(address: str) -> None:
    """Have the test image on an engine."""
    with Workbench(address):
        pass
