"""Edits as jobs: they survive their console and their own process, and are cancelled by any."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.downloads import read_downloads, read_running_edits
from actions.edits.running import go_on
from actions.follow import is_runner
from actions.journal import Journal
from actions.plan import Plan, PlanDone, PlanFailed, StepProgress
from actions.take_up import take_up
from console.comfyui.prompts import PromptCalls
from console.edits.kept import KeptEdit
from console.errors import RefusedError
from console.store.edits import EditRecords
from console.web.client import WebClient
from tests.edits.making import asked, make, outputs_of
from tests.support.edits import EditHost, edit_host
from tests.support.program import ROOT
from tests.support.waiting import wait_until

_seeds = iter(range(5000, 6000))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("home")) as there:
        there.environ["PYTHONPATH"] = str(ROOT)
        yield there


@pytest.fixture
def host(shared: EditHost) -> Iterator[EditHost]:
    yield shared
    shared.mood("")


def planned(host: EditHost, **fields: object) -> Plan:
    options = {
        "images": (str(host.picture()),),
        "prompt": "paint it red",
        "steps": 20,
        "seed": next(_seeds),
        **fields,
    }
    return host.operations().plan("edit", "edit-single", **options)


def begun(host: EditHost, plan: Plan) -> None:
    """Start a plan's process and leave it as soon as its edit runs at the service."""
    for event in host.operations().run(plan):
        assert not isinstance(event, PlanDone | PlanFailed), event
        if isinstance(event, StepProgress) and event.edit and event.edit.phase != "preparing":
            break
    wait_until(lambda: kept(host, plan).submitted, 10)


def kept(host: EditHost, plan: Plan) -> KeptEdit:
    found = EditRecords(host.session().store).get(plan.id)
    assert found is not None
    return found


def runner_of(host: EditHost, plan: Plan) -> int:
    def pid() -> int | None:
        return host.operations().one_job(plan.id).pid

    found = wait_until(pid, 10)
    assert found
    return found


def calls(host: EditHost) -> PromptCalls:
    return PromptCalls(WebClient(host.url(), patience=5.0))


def cli(host: EditHost, *arguments: str, seconds: float = 40) -> tuple[int, dict[str, Any], str]:
    """Run `gpuconsole ARGUMENTS --json`; gives exit code, the object and stderr."""
    made = subprocess.run(
        [sys.executable, "-m", "console", *arguments, "--json"],
        env=host.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        check=False,
        cwd=host.pictures,
    )
    return made.returncode, json.loads(made.stdout.splitlines()[-1]), made.stderr.decode()


def test_an_edit_survives_the_kills_of_its_process_and_is_sent_once(host: EditHost) -> None:
    host.mood("run-slow")
    plan = planned(host)
    begun(host, plan)
    ident = kept(host, plan).prompt_ident
    for _ in range(3):
        os.kill(runner_of(host, plan), signal.SIGKILL)
        (taken,) = wait_until(lambda: take_up(host.session()), 5)
        assert (taken.id, taken.problem) == (plan.id, None)
    last = list(host.operations().follow(plan.id))[-1]
    assert isinstance(last, PlanDone), last
    edit = kept(host, plan)
    assert edit.state == "done"
    assert edit.prompt_ident == ident
    assert len(outputs_of(edit)) == 1
    seen = calls(host).client.json("/history", limit=1 << 24)
    mine = [key for key, one in seen.items() if _seed(one) == edit.seed]
    assert mine == [ident]
    assert take_up(host.session()) == ()


def test_the_end_of_the_host_leaves_an_edit_to_the_next_console(host: EditHost) -> None:
    host.mood("run-slow")
    plan = planned(host)
    begun(host, plan)
    os.kill(runner_of(host, plan), signal.SIGTERM)
    last = list(host.operations().follow(plan.id))[-1]
    assert isinstance(last, PlanFailed)
    assert last.outcome == "interrupted"
    assert kept(host, plan).state in {"queued", "running"}
    job = host.operations().one_job(plan.id)
    assert (job.kind, job.can) == ("edit", ("watch", "resume", "cancel"))
    assert host.operations().resume(plan.id)
    assert isinstance(list(host.operations().follow(plan.id))[-1], PlanDone)
    assert kept(host, plan).state == "done"


def test_one_whose_journal_is_removed_ends_by_itself(host: EditHost) -> None:
    host.mood("run-slow")
    plan = planned(host)
    begun(host, plan)
    pid, state = runner_of(host, plan), host.session().places.state_dir
    aside = state.with_name("state-aside")
    state.rename(aside)
    try:
        wait_until(lambda: not is_runner(pid, plan.id), 10)
    finally:
        aside.rename(state)
    assert kept(host, plan).state in {"queued", "running"}
    assert host.operations().cancel(plan.id)
    assert kept(host, plan).state == "cancelled"


def test_a_job_of_an_edit_is_told_and_cancelled_at_its_service(host: EditHost) -> None:
    host.mood("run-slow")
    plan = planned(host)
    begun(host, plan)
    session = host.session()
    (one,) = [found for found in read_running_edits(session) if found.id == plan.id]
    assert one.now is not None
    assert one.now.edit_id == plan.id
    assert read_downloads(session) == ()
    code, whole, _ = cli(host, "jobs", "list")
    (job,) = [found for found in whole["data"]["jobs"] if found["id"] == plan.id]
    assert (code, job["kind"], job["can"]) == (0, "edit", ["watch", "cancel"])
    assert job["edit"]["phase"]
    with pytest.raises(RefusedError):
        host.operations().pause(plan.id)
    code, whole, _ = cli(host, "jobs", "cancel", plan.id)
    assert code == 0
    last = list(host.operations().follow(plan.id))[-1]
    assert isinstance(last, PlanFailed)
    assert (last.outcome, last.exit_code) == ("cancelled", 130)
    edit = kept(host, plan)
    assert edit.state == "cancelled"
    assert calls(host).place(edit.prompt_ident).where == "nowhere"
    with pytest.raises(RefusedError):
        host.operations().resume(plan.id)


def test_one_whose_process_is_gone_is_cancelled_at_its_service_all_the_same(
    host: EditHost,
) -> None:
    host.mood("run-slow")
    plan = planned(host)
    begun(host, plan)
    os.kill(runner_of(host, plan), signal.SIGKILL)
    wait_until(lambda: host.operations().one_job(plan.id).state == "interrupted", 5)
    assert host.operations().cancel(plan.id)
    edit = kept(host, plan)
    assert edit.state == "cancelled"
    wait_until(lambda: calls(host).place(edit.prompt_ident).where == "nowhere")


def test_one_that_failed_is_not_offered_again_as_the_same_job(host: EditHost) -> None:
    plan = planned(host)
    host.mood("run-oom")
    last = list(host.operations().run(plan))[-1]
    assert isinstance(last, PlanFailed)
    assert (last.outcome, last.code, last.exit_code) == ("failed", "edit.out-of-memory", 1)
    assert "jobs resume" not in last.hint
    assert host.operations().one_job(plan.id).can == ("watch",)
    with pytest.raises(RefusedError):
        host.operations().resume(plan.id)
    with pytest.raises(RefusedError) as told:
        host.operations().back_plan(plan.id)
    assert told.value.code.startswith("undo.")


def test_the_command_line_gives_one_object_with_what_the_edit_came_to(host: EditHost) -> None:
    out = host.pictures / "the out"
    picture = host.picture("it's a 'photo'.png")
    words = ("edit", "--workflow", "edit-single", "--image", picture.name, "--prompt", "red")
    code, whole, said = cli(host, *words, "--seed", "9", "--steps", "4", "--out", str(out))
    assert (code, whole["ok"], said) == (0, True, "")
    data = whole["data"]
    assert data["seed"] == 9
    assert data["vram_peak_bytes"] > 0
    assert data["timings"]["total"] > 0
    (one,) = data["outputs"]
    assert Path(one["path"]).parent == out
    assert Path(one["kept"]).is_relative_to(host.outputs)
    assert (one["width"], one["height"]) != (None, None)
    assert len(one["sha256"]) == 64
    code, whole, _ = cli(host, "gallery", "show", data["id"])
    assert code == 0
    assert data["id"] in json.dumps(whole["data"])


def test_a_dry_run_gives_graph_and_pre_check_and_sends_nothing(host: EditHost) -> None:
    before = len(calls(host).client.json("/history", limit=1 << 24))
    picture = host.picture()
    words = ("edit", "--workflow", "edit-single", "--image", str(picture), "--dry-run")
    code, whole, _ = cli(host, *words, "--prompt", "blue", "--size", "1024x768")
    assert code == 0
    data = whole["data"]
    assert data["graph"]["111"]["inputs"]["prompt"] == "blue"
    assert data["fit"]["verdict"] == "resident"
    assert data["fit"]["task"] == {"width": 1024, "height": 768, "images": 1}
    assert {one["id"] for one in data["checks"]} >= {"edit.service", "edit.picture", "edit.graph"}
    assert data["plan"]["verb"] == "edit"
    code, whole, _ = cli(host, *words, "--variant", "qwen-edit-2511-bf16")
    assert (code, whole["ok"], whole["error"]["code"]) == (3, False, "workflow.missing-file")
    assert whole["data"]["fetch"] == ["gpuconsole models pull qwen-edit-2511-bf16"]
    assert len(calls(host).client.json("/history", limit=1 << 24)) == before


def test_exit_codes_say_what_kind_of_failure_it_was(host: EditHost) -> None:
    picture = str(host.picture())
    words = ("edit", "--workflow", "edit-single", "--image", picture, "--steps", "4")
    code, whole, _ = cli(host, *words, "--image", picture)
    assert (code, whole["error"]["code"]) == (2, "workflow.images")
    code, whole, _ = cli(host, *words, "--service", "nobody")
    assert (code, whole["error"]["code"]) == (2, "service.unknown")
    code, whole, _ = cli(host, *words, "--read-only")
    assert (code, whole["error"]["code"]) == (3, "policy.read-only")
    host.mood("run-raises")
    code, whole, _ = cli(host, *words)
    assert (code, whole["error"]["code"]) == (1, "edit.node-failed")
    assert whole["error"]["hint"]
    assert whole["data"]["state"] == "failed"
    assert whole["data"]["outputs"] == []


def test_control_c_cancels_and_two_consoles_do_not_meet(host: EditHost) -> None:
    host.mood("run-slow")
    picture = str(host.picture())
    words = [sys.executable, "-m", "console", "edit", "--workflow", "edit-single", "--json"]
    words += ["--image", picture, "--prompt", "red"]

    def start(seed: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*words, "--seed", str(seed)],
            env=host.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )

    stopped, other = start(next(_seeds)), start(next(_seeds))
    session = host.session()
    wait_until(lambda: len(read_running_edits(session)) == 2, 20)
    stopped.send_signal(signal.SIGINT)
    ended = json.loads(stopped.communicate(timeout=20)[0])
    assert stopped.returncode == 130
    assert ended["ok"] is False
    host.mood("")
    whole = json.loads(other.communicate(timeout=40)[0])
    assert other.returncode == 0, whole
    assert whole["data"]["state"] == "done"
    assert whole["data"]["id"] != ended["data"]["id"]


def test_control_c_twice_leaves_a_cancel_to_the_job_and_names_it(host: EditHost) -> None:
    host.mood("run-slow")
    words = ["edit", "--workflow", "edit-single", "--json", "--image", str(host.picture())]
    console = subprocess.Popen(
        [sys.executable, "-m", "console", *words, "--prompt", "red"],
        env=host.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    session = host.session()
    (job,) = wait_until(lambda: read_running_edits(session), 20)
    pid = wait_until(lambda: host.operations().one_job(job.id).pid, 10)
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        console.send_signal(signal.SIGINT)
        wait_until(lambda: Journal(session).plans.wished(job.id), 10)
        console.send_signal(signal.SIGINT)
        whole = json.loads(console.communicate(timeout=20)[0])
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (console.returncode, whole["error"]["code"]) == (130, "plan.left")
    assert whole["data"]["id"] == job.id
    assert job.id in whole["error"]["hint"]
    last = list(host.operations().follow(job.id))[-1]
    assert isinstance(last, PlanFailed)
    assert last.outcome == "cancelled"


def test_a_clock_that_went_back_makes_no_time_below_zero(host: EditHost) -> None:
    session = host.session()
    records = EditRecords(session.store)
    edit = make(session, asked(host, seed=next(_seeds)))
    ahead = msgspec.structs.replace(
        edit,
        id="of-tomorrow",
        state="running",
        pictures=edit.of_role("input"),
        created_at=edit.created_at + timedelta(days=1),
    )
    records.add(ahead)
    found = go_on(session, ahead)
    assert found.state == "done", found.error
    assert found.timings.total is None
    assert records.find(limit=1)[0].id == "of-tomorrow"
    records.remove(["of-tomorrow"])


def _seed(entry: dict[str, Any]) -> object:
    return entry["prompt"][2].get("3", {}).get("inputs", {}).get("seed")
