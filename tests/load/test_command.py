"""`gpuconsole load` as it is typed: what it takes, what it gives, and what it survives."""

import csv
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from actions.load.kinds import defaults
from console.edits.recipe import recipe_of
from console.errors import ConsoleError, UsageError
from console.store.edits import EditRecords, Filter
from tests.load.conftest import Under
from tests.plans.command import lines, run, start
from tests.support.edits import COMFY, FORGE
from tests.support.waiting import wait_until


def test_a_load_run_gives_its_figures_its_pictures_and_its_report(under: Under) -> None:
    photo = under.host.picture("a photo.png")
    told = under.command(
        "--workflow", "edit-single", "--image", str(photo), "--prompt", "paint it blue",
        "--requests", "4", "--at-once", "2", "--seed", "70", "--out", str(under.host.pictures),
    )  # fmt: skip

    assert (told["ok"], told["rehearsal"]) == (True, True)
    data = told["data"]
    assert (data["requests"], data["succeeded"], data["failed"]) == (4, 4, [])
    assert (data["out_of_memory"], data["cancelled"], data["incidents"]) == (0, 0, [])
    assert data["throughput_per_minute"] == pytest.approx(4 * 60 / data["seconds"], rel=1e-3)
    for name in ("wait_seconds", "run_seconds", "total_seconds"):
        assert data[name]["p50"] <= data[name]["p95"] <= data[name]["max"]
    assert under.seeds_at_the_service() == [70, 71, 72, 73]
    assert sorted(data["outputs"]) == [str(one) for one in under.pictures()]
    assert len({Path(one).read_bytes() for one in data["outputs"]}) == 4, "no two are the same"
    assert "70" in json.dumps(recipe_of(Path(min(data["outputs"]))), default=str)
    kept = EditRecords(under.session.store).find(Filter(group=data["group"]))
    assert [one.state for one in kept] == ["done"] * 4
    report = Path(data["report"])
    assert data["sentence"] in report.read_text().replace("\\", "")
    assert report.stat().st_mode & 0o777 == 0o600
    assert report.parent.stat().st_mode & 0o777 == 0o700
    with (report.parent / "samples.csv").open() as file:
        assert any(row["used_bytes"] for row in csv.DictReader(file))
    assert (under.host.pictures / report.parent.name / "report.md").is_file()


def test_two_services_of_two_kinds_are_told_apart(under: Under) -> None:
    done = run(
        under.host.environ, "load", "--service", COMFY, "--service", FORGE,
        "--requests", "4", "--at-once", "2",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("4 of 4 succeeded")
    for name in (COMFY, FORGE):
        assert any(line.startswith(name) and " of " in line for line in done.stdout.splitlines())
    assert "report.md" in done.stdout
    assert "4 of 4 done" in done.stderr
    assert len(done.stderr.splitlines()) < 25, "a log is no film"


def test_the_plan_is_shown_and_nothing_is_sent(idle: Under) -> None:
    told = idle.command("--requests", "5", "--at-once", "9", "--seed", "7", "--dry-run")

    plan = told["data"]["plan"]
    assert (plan["verb"], plan["target"], plan["subject"]) == ("load", "edit-single", "edits")
    assert (plan["endless"], plan["pausable"], plan["detached"]) == (True, False, True)
    assert plan["fits"][0]["verdict"] in {"resident", "offload"}
    sizes = next(one for one in plan["checks"] if one["id"] == "load.size")
    assert "5 requests on comfyui-qwen, 5 at a time" in sizes["title"]
    assert [one["id"] for one in plan["steps"]] == ["run", "report"]
    assert "seq 7 11 | xargs -P 5" in plan["steps"][0]["command"]
    assert idle.seeds_at_the_service() == []
    assert idle.pictures() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"requests": 0}, "--requests must be 1 to"),
        ({"at_once": 0}, "--at-once must be 1 to"),
        ({"requests": 10**9}, "--requests must be 1 to"),
        ({"patience": float("nan")}, "--patience must be"),
        ({"seed": "seven"}, "load cannot take that"),
        ({"speed": 3}, "load has no option speed"),
        ({"services": ("nobody",)}, "there is no service 'nobody'"),
        ({"steps": 0}, "steps must be"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    idle: Under, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        idle.plan(**options)

    assert said in caught.value.title


def test_a_picture_that_is_none_and_a_service_that_is_down_are_told(under: Under) -> None:
    page = under.host.pictures / "page.png"
    page.write_text("<html>not a picture</html>")
    with pytest.raises(ConsoleError) as caught:
        under.plan(images=(str(page),))
    assert caught.value.code == "picture.not-a-picture"

    under.host.control("kill", container=COMFY)
    with pytest.raises(ConsoleError) as caught:
        under.plan()
    assert caught.value.code in {"service.not-running", "web.refused", "web.closed"}


def test_read_only_sends_nothing(idle: Under) -> None:
    told = idle.command("--requests", "1", "--read-only", code=3)

    assert told["error"]["code"] == "policy.read-only"
    assert idle.seeds_at_the_service() == []


def test_ctrl_c_cancels_and_tells_what_was_done(under: Under) -> None:
    process = start(under.host.environ, "load", "--requests", "20", "--at-once", "2", "--json")
    under.wait_for(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130, out + err
    told = json.loads(out)
    assert not told["ok"]
    assert told["error"]["code"] == "plan.cancelled"
    data = told["data"]
    assert data["ended_early"]
    assert data["succeeded"] + data["cancelled"] == 20
    assert Path(data["report"]).is_file()
    assert not EditRecords(under.session.store).count(Filter(states=("queued", "running")))


def test_a_runner_that_was_killed_is_gone_on_with_by_the_next_console(under: Under) -> None:
    done = run(
        under.host.environ, "load", "--requests", "6", "--at-once", "2", "--seed", "40",
        "--detach", "--json",
    )  # fmt: skip
    job = json.loads(done.stdout)["data"]["job_id"]
    under.wait_for(1)
    pid = under.operations.one_job(job).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}/cmdline").is_file(), 5, "it is gone")

    taken = run(under.host.environ, "timeline", "--json")
    assert taken.returncode == 0
    watched = run(under.host.environ, "jobs", "watch", job, "--json")

    last = lines(watched.stdout)[-1]["data"]
    assert last["event"] == "done", watched.stdout[-2000:]
    # One whose id was written down and that was on its way may not have come there.
    assert {one["kind"] for one in last["failed"]} <= {"console-away"}
    lost = {39 + one["number"] for one in last["failed"]}
    assert len(lost) <= 2, "no more than were under way"
    assert under.seeds_at_the_service() == sorted({*range(40, 46)} - lost), "none was sent twice"
    assert len(under.pictures()) == last["succeeded"] == 6 - len(lost)
    assert "console-away" in [one["kind"] for one in last["incidents"]]


def test_the_defaults_are_ten_requests_three_at_a_time() -> None:
    assert (defaults().requests, defaults().at_once) == (10, 3)
