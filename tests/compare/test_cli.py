"""`gpuconsole compare` as it is typed, and its job through a kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from actions.operations import Operations
from console.store.edits import EditRecords, Filter
from tests.compare.test_plan import Q2, Q4
from tests.support.edits import COMFY, EditHost
from tests.support.waiting import wait_until

_USUAL = ("--workflow", "edit-single", "--prompt", "at night", "--seed", "7", "--steps", "4")


def compare(host: EditHost, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "console", "compare", *arguments],
        env=host.environ, capture_output=True, text=True, timeout=90,
    )  # fmt: skip


def asked(photo: Path, *variants: str) -> tuple[str, ...]:
    named = (part for one in variants for part in ("--variant", one))
    return (*_USUAL, "--image", str(photo), *named)


def data_of(ran: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    whole = json.loads(ran.stdout)
    return {**whole["data"], "ok": whole["ok"], "error": whole.get("error")}


def test_it_ends_in_one_object_and_its_plan_can_be_seen_before(host: EditHost, photo: Path) -> None:
    dry = compare(host, *asked(photo, Q2, Q4), "--dry-run", "--json")
    plan = data_of(dry)["plan"]
    assert dry.returncode == 0
    assert [step["id"] for step in plan["steps"]] == ["variant-1", "variant-2", "report"]
    assert EditRecords(host.session().store).count(Filter(group=plan["id"])) == 0
    ran = compare(host, *asked(photo, Q2, Q4), "--json")
    assert ran.returncode == 0, ran.stderr
    data = data_of(ran)
    assert data["ok"]
    assert [run["state"] for run in data["runs"]] == ["done", "done"]
    assert data["best"]
    assert data["reference"] == Q4
    assert Path(data["report"]).is_file()
    assert Path(data["sheet"]).is_file()
    again = compare(host, "--report", data["id"])
    assert again.returncode == 0
    assert data["sentence"] in again.stdout
    assert "VARIANT" in again.stdout
    assert data["report"] in again.stdout


def test_a_run_that_fails_exits_5_and_one_where_all_fail_1(host: EditHost, photo: Path) -> None:
    host.control("service-odd", container=COMFY, error="run-oom", value=1)
    some = compare(host, *asked(photo, Q2, Q4), "--json", "--events")
    lines = [json.loads(line) for line in some.stdout.splitlines()]
    assert some.returncode == 5
    assert lines[0]["data"]["event"] == "planned"
    assert {"started", "step_progress"} <= {line["data"]["event"] for line in lines}
    last = lines[-1]["data"]
    assert (last["event"], last["best"]) == ("done", Q4)
    assert [run["state"] for run in last["runs"]] == ["failed", "done"]
    host.mood("run-raises")
    try:
        none = compare(host, *asked(photo, Q2))
    finally:
        host.mood("")
    assert none.returncode == 1
    assert "no variant came to a picture" in none.stderr
    assert "The variant did not run" in none.stdout


def test_what_cannot_run_is_refused_before_anything_is_sent(host: EditHost, photo: Path) -> None:
    missing = "qwen-edit-2509-gguf-q3_k_m"
    refused = compare(host, *asked(photo, missing), "--json")
    assert refused.returncode == 3
    data = data_of(refused)
    assert data["error"]["code"] == "compare.nothing-left"
    assert [run["state"] for run in data["runs"]] == ["refused"]
    assert "models pull" in data["runs"][0]["error"]["hint"]
    some = data_of(compare(host, *asked(photo, Q2, missing), "--json"))
    assert [run["state"] for run in some["runs"]] == ["done", "refused"]
    assert some["ok"]


def test_what_was_typed_wrongly_is_a_mistake_of_usage(host: EditHost, photo: Path) -> None:
    for wrong in (
        asked(photo, "none"), ("--image", str(photo)), (*asked(photo, Q2), "--size", "big"),
        (*asked(photo, Q2), "--seed", "7"), ("--report", "nothing-like-it"),
    ):  # fmt: skip
        ran = compare(host, *wrong)
        assert ran.returncode == 2, (wrong, ran.stderr)
        assert "Traceback" not in ran.stderr
    read_only = compare(host, *asked(photo, Q2), "--read-only")
    assert read_only.returncode == 3


def test_a_killed_job_is_gone_on_with_by_the_next_console_and_sends_nothing_twice(
    host: EditHost, photo: Path
) -> None:
    host.mood("run-slow")
    ran = compare(host, *asked(photo, Q2, Q4), "--detach", "--json")
    ident = data_of(ran)["job_id"]
    records = EditRecords(host.session().store)
    wait_until(lambda: records.count(Filter(group=ident, states=("running",))) > 0, seconds=20)
    (running,) = [one for one in Operations(host.session()).running() if one.plan.id == ident]
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{running.pid}").exists(), seconds=10)
    sent = records.find(Filter(group=ident))[-1]
    host.mood("")
    looked = subprocess.run(
        [sys.executable, "-m", "console", "status"],
        env=host.environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert f"job {ident}" in looked.stderr
    operations = host.operations()
    wait_until(lambda: operations.one_job(ident).state in {"done", "failed"}, seconds=60)
    assert operations.one_job(ident).state == "done"
    edits = records.find(Filter(group=ident))
    assert len(edits) == 4
    assert all(one.state == "done" for one in edits)
    assert next(one for one in edits if one.id == sent.id).prompt_ident == sent.prompt_ident
    report = next(host.outputs.glob(f"*/compare-{ident}/report.md")).read_text()
    assert Q2.replace("_", "\\_") in report


def test_ctrl_c_cancels_and_tells_what_there_is_and_two_do_not_meet(
    host: EditHost, photo: Path
) -> None:
    host.mood("run-hangs")
    records = EditRecords(host.session().store)
    before = records.count(Filter(states=("running",)))
    with subprocess.Popen(
        [sys.executable, "-m", "console", "compare", *asked(photo, Q2, Q4), "--json"],
        env=host.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as first:  # fmt: skip
        running = Filter(states=("running",))
        wait_until(lambda: records.count(running) > before, seconds=20)
        second = compare(host, *asked(photo, Q4), "--json", "--yes")
        assert second.returncode == 3
        assert data_of(second)["error"]["code"] == "lock.held"
        first.send_signal(signal.SIGINT)
        told, _ = first.communicate(timeout=60)
    host.mood("")
    whole = json.loads(told)
    assert first.returncode == 130
    assert whole["error"]["code"] == "plan.cancelled"
    assert [run["state"] for run in whole["data"]["runs"]] == ["cancelled", "skipped"]
    newest = records.find(Filter(group=whole["data"]["id"]), limit=1)[0]
    assert newest.state == "cancelled"
    assert whole["data"]["report"]
