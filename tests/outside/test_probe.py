"""`doctor --probe`: what is more than reading, as a plan that leaves nothing behind."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.operations import Operations
from actions.plan import Plan, PlanDone, PlanFailed
from actions.probing.card_probe import CardProbe
from actions.probing.upload_probe import UploadProbe
from actions.step_thread import Talk
from console.engine.client import EngineClient
from console.engine.throwaway import LABEL
from console.errors import UsageError
from tests.outside.site import SECRET, answered, saying, session_of, site
from tests.support.edits import EditHost, edit_host

COMFY = "comfyui-qwen"
QUIET = Talk(lambda _text: None, lambda: False)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(
        tmp_path_factory.mktemp("probe"), scenario="outside-body-limit", pace=1.0
    ) as made:
        yield made


def containers(host: EditHost) -> set[str]:
    return host.look(lambda world: {one.name for one in world.stage.actors.values()})


def probed(operations: Operations, plan: Plan) -> dict[str, Mapping[str, Any]]:
    *_, last = operations.run(plan)
    assert isinstance(last, PlanDone), last
    return {one["id"]: one for one in last.result["checks"]}


def ids(check: Mapping[str, Any]) -> list[str]:
    return [one["id"] for one in check["findings"]]


def test_it_is_a_plan_whose_steps_say_what_they_send_and_where(host: EditHost) -> None:
    plan = host.operations().plan("probe", "host")
    assert [step.id for step in plan.steps] == ["card", "upload-myia", f"upload-{COMFY}"]
    assert "--rm" in plan.steps[0].command
    assert "--network none" in plan.steps[0].command
    assert "/prompt" in plan.steps[2].title
    assert "stores nothing" in plan.steps[2].title
    with pytest.raises(UsageError, match="no service nobody"):
        host.operations().plan("probe", "nobody")


def test_both_probes_find_what_reading_does_not_show_and_leave_nothing(host: EditHost) -> None:
    before = containers(host)
    operations = host.operations()
    found = probed(operations, operations.plan("probe", "host"))
    assert "2 cards" in found["probe.card"]["title"]
    assert ids(found[f"probe.upload:{COMFY}"]) == ["http.iis-404.13"]
    assert "lets 1.0 MiB in" in found[f"probe.upload:{COMFY}"]["title"]
    assert found["probe.upload:myia"]["state"] == "skip"
    assert containers(host) == before


def test_what_a_probe_that_was_killed_left_goes_with_the_next(host: EditHost) -> None:
    before = containers(host)
    with EngineClient(host.session().endpoint) as client:
        client.make_with_cards("comfyui-qwen:local", ["nvidia-smi"], {LABEL: "1"}, "left-behind")
    assert "left-behind" in containers(host)
    step = host.operations().plan("probe", COMFY).steps[0]
    CardProbe(host.session(), step).run(QUIET)
    assert containers(host) == before


def test_a_card_that_containers_are_not_given_is_named(host: EditHost) -> None:
    step = host.operations().plan("probe", COMFY).steps[0]
    step = msgspec.structs.replace(
        step, options={**step.options, "cards": [*step.options["cards"], "GPU-missing"]}
    )
    made = CardProbe(host.session(), step).run(QUIET).result["checks"][0]
    assert ids(made) == ["probe.cards-missing"]
    assert "GPU-missing" in made["findings"][0]["title"]


@pytest.mark.parametrize(
    ("scenario", "ident"),
    [
        ("no-toolkit", "docker.gpu.no-device-driver"),
        ("driver-mismatch", "nvml.version-mismatch"),
        ("no-driver", "nvml.no-driver"),
    ],
)
def test_why_no_container_gets_a_card_is_told_by_its_name(
    tmp_path: Path, scenario: str, ident: str
) -> None:
    with edit_host(tmp_path, scenario=scenario, pace=1.0) as ill:
        before = containers(ill)
        step = ill.operations().plan("probe", "host").steps[0]
        made = CardProbe(ill.session(), step).run(QUIET).result["checks"][0]
        assert ids(made)[:1] == [ident]
        assert made["state"] == "fail"
        assert containers(ill) == before


def test_a_body_goes_nowhere_where_a_login_or_a_limit_is_announced(tmp_path: Path) -> None:
    for answer in (answered("401 Unauthorized"), answered("413 Payload Too Large")):
        with site(saying({}, answer)) as there:
            session = session_of(tmp_path, f"{there.url}/comfy?token={SECRET}")
            step = Operations(session).plan("probe", "studio").steps[-1]
            made = UploadProbe(session, step).run(QUIET).result["checks"][0]
        assert made["state"] in {"skip", "fail"}
        for head in there.heads:
            assert head.startswith("POST /comfy/prompt ")
            assert "Expect: 100-continue" in head
            assert head.endswith("\r\n\r\n")
            assert SECRET not in head


def test_a_read_only_console_probes_nothing(host: EditHost) -> None:
    operations = Operations(host.session(read_only=True), via="test")
    *_, last = operations.run(operations.plan("probe", "host"))
    assert isinstance(last, PlanFailed)
    assert last.code == "policy.read-only"


def doctor(host: EditHost, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "console", "doctor", "--probe", *words],
        env=host.environ, cwd=Path(__file__).parents[2], capture_output=True, text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_command_line_asks_first_and_tells_probes_with_all_other_checks(
    host: EditHost,
) -> None:
    shown = doctor(host, "--dry-run")
    assert shown.returncode == 0
    assert "nvidia-smi" in shown.stdout
    assert doctor(host).returncode == 3
    assert doctor(host, "--log", "x").returncode == 2
    done = doctor(host, "--yes", "--json", "--service", COMFY, "--only", "outside")
    whole = json.loads(done.stdout)["data"]
    assert done.returncode == 5
    states = {one["id"]: one["state"] for one in whole["checks"]}
    assert (states["probe.card"], states[f"probe.upload:{COMFY}"]) == ("pass", "fail")
    assert states[f"outside.upload:{COMFY}"] == "fail"
    # What the announcement showed and what the probe showed is one finding.
    (one,) = [one for one in whole["findings"] if one["id"] == "http.iis-404.13"]
    assert one["subject"] == COMFY
