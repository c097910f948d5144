"""Changing how a service is started, on a real engine: settings, container, proof, way back."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from actions.plan import PlanDone, PlanFailed
from tests.layouts.bench import COMPOSES, Bench
from tests.support.waiting import wait_until

pytestmark = pytest.mark.engine


def arguments(bench: Bench, name: str) -> list[str]:
    """Give the command line that a service's container was made with."""
    return list(bench.container(name)["Config"]["Cmd"])


@pytest.mark.parametrize("compose", COMPOSES)
def test_a_flag_is_put_in_and_taken_back_by_undo(
    new_bench: Callable[..., Bench], compose: str
) -> None:
    bench = new_bench(compose)
    bench.up("comfyui")
    before = bench.file.read_text()
    plan = bench.operations().plan(
        "set", "comfyui", flag=["--preview-method=auto"], env=["HF_HOME=/cache"]
    )
    assert "+      - --preview-method" in plan.diff
    assert "+      HF_HOME: /cache" in plan.diff
    assert [step.options["do"] for step in plan.steps] == [
        "stop", "wait-vram", "edit-compose", "compose-up", "wait-ready", "check-card",
    ]  # fmt: skip
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert arguments(bench, "comfyui")[-2:] == ["--preview-method", "auto"]
    assert "HF_HOME=/cache" in bench.container("comfyui")["Config"]["Env"]
    assert bench.state("comfyui") == "ready"
    assert [one.read_text() for one in bench.folder.glob("compose.yaml.before-*")] == [before]
    again = bench.operations().plan("set", "comfyui", flag=["--preview-method=auto"])
    assert (again.steps, again.checks[0].id) == ((), "set.there")
    undo = bench.operations().undo()
    assert (undo.verb, undo.target) == ("set", "comfyui")
    assert isinstance(bench.run(undo), PlanDone)
    assert bench.file.read_text() == before
    assert "--preview-method" not in arguments(bench, "comfyui")
    assert bench.state("comfyui") == "ready"


def test_a_setting_with_which_it_does_not_start_is_put_back(bench: Bench) -> None:
    bench.up("forge")
    before = bench.file.read_text()
    end = bench.run(bench.operations().plan("set", "forge", flag=["--ready-after=soon"]))
    assert isinstance(end, PlanFailed), end
    assert end.went_back == "yes", (end.code, end.title, end.text)
    assert bench.file.read_text() == before
    assert bench.state("forge") == "ready"


def test_the_flag_of_a_service_that_does_not_come_up_is_taken_out(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--ready-after", "soon"]
    bench.write_compose()
    up(bench, "comfyui")
    plan = bench.operations().plan("set", "comfyui", remove_flag=["--ready-after"], start=True)
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert bench.state("comfyui") == "ready"
    assert "--ready-after" not in bench.file.read_text()


def test_what_was_ill_before_is_as_ill_as_it_was_after_a_change_that_does_not_help(
    bench: Bench,
) -> None:
    bench.extra["comfyui"] = ["--ready-after", "soon"]
    bench.write_compose()
    up(bench, "comfyui")
    before = bench.file.read_text()
    plan = bench.operations().plan("set", "comfyui", env=["A=b"], start=True)
    end = bench.run(plan)
    assert isinstance(end, PlanFailed), end
    assert end.went_back == "yes", (end.code, end.title, end.text)
    assert bench.file.read_text() == before


def test_a_stopped_service_gets_its_settings_and_stays_stopped(bench: Bench) -> None:
    bench.up("forge")
    bench.stop("forge")
    plan = bench.operations().plan("set", "forge", flag=["--listen"])
    assert any("stays stopped" in one.title for one in plan.checks)
    assert isinstance(bench.run(plan), PlanDone)
    assert not bench.runs("forge")
    assert "--listen" in arguments(bench, "forge")


def test_a_container_from_before_a_change_is_made_anew(bench: Bench) -> None:
    bench.extra["comfyui"] = ["--lowvram"]
    bench.write_compose()
    bench.up("comfyui")
    bench.extra["comfyui"] = []
    bench.write_compose()
    plan = bench.operations().plan("set", "comfyui", remove_flag=["--lowvram"])
    assert "edit-compose" not in {step.options["do"] for step in plan.steps}
    assert isinstance(bench.run(plan), PlanDone)
    assert "--lowvram" not in arguments(bench, "comfyui")


def test_a_file_that_somebody_changed_meanwhile_is_left(bench: Bench) -> None:
    bench.up("comfyui")
    plan = bench.operations().plan("set", "comfyui", flag=["--lowvram"])
    bench.file.write_text(bench.file.read_text() + "# mine\n")
    written = bench.file.read_text()
    end = bench.run(plan)
    assert isinstance(end, PlanFailed | PlanDone), end
    assert "# mine" in bench.file.read_text()
    if isinstance(end, PlanFailed):
        assert bench.file.read_text() == written
        assert bench.state("comfyui") == "ready"


def up(bench: Bench, name: str) -> None:
    """Have compose create a container that does not stay, and see it end."""
    words: list[Any] = ["docker-compose", "-f", bench.file, "up", "-d", name]
    subprocess.run(words, env=bench.environ, cwd=bench.folder, check=True, capture_output=True)
    wait_until(lambda: not bench.runs(name), 20, f"{name} has ended")
