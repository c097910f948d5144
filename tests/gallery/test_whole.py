"""Edits run on a rehearsed ComfyUI, then met in the gallery."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.containers.verbs import new_plan_id
from actions.edit_now import EditNow
from actions.edits.preparing import prepare
from actions.edits.request import EditRequest
from actions.edits.running import run_edit
from actions.executor import plan_lock
from actions.gallery.again import request_of, request_of_recipe
from actions.gallery.from_file import read_file
from actions.operations import Operations
from actions.plan import Plan, PlanDone, PlanFailed, StepProgress
from actions.wish import LEAVE
from console.edits.kept import KeptEdit
from console.store.locks import Held, Holder, LockFolder
from tests.gallery.disk import small_disk
from tests.support.edits import EditHost, edit_host
from tests.support.program import run_program
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    """Have a ComfyUI that edits in a fraction of a second."""
    with edit_host(tmp_path_factory.mktemp("home")) as made:
        yield made


def edited(host: EditHost, request: EditRequest) -> KeptEdit:
    session = host.session()
    edit = run_edit(session, prepare(session, request), edit_id=new_plan_id(session))
    assert edit.state == "done", edit.error
    return edit


def a_request(host: EditHost, **changes: Any) -> EditRequest:
    fields: dict[str, Any] = {"workflow": "edit-single", "prompt": "make it snow", "seed": 5}
    return EditRequest(**{**fields, "images": (str(host.picture()),), **changes})


def test_the_picture_says_by_itself_how_it_was_made(host: EditHost, tmp_path: Path) -> None:
    edit = edited(host, a_request(host))
    given = tmp_path / "given away.png"
    shutil.copy(edit.of_role("output")[0].path, given)
    found = read_file(host.session(), given)
    assert (found.said.by, found.said.seed, found.said.steps) == ("gpuconsole", 5, edit.steps)
    assert (found.said.prompt, found.said.variant) == ("make it snow", edit.variant)
    assert found.edit is not None
    assert (found.edit.id, found.role) == (edit.id, "output")
    assert found.recipe["prompt"] == edit.recipe["graph"]
    assert str(host.pictures) not in json.dumps(found.recipe)


def test_what_comfyui_saved_is_kept_byte_for_byte(host: EditHost) -> None:
    edit = edited(host, a_request(host, seed=6))
    kept = edit.of_role("output")[0]
    (theirs,) = (host.service_files / "output").rglob(kept.source)
    assert Path(kept.path).read_bytes() == theirs.read_bytes()


def test_again_with_the_same_seed_and_with_another(host: EditHost) -> None:
    first = edited(host, a_request(host, seed=7))
    other = edited(host, request_of(first, seed=8))
    assert other.of_role("input")[0].sha256 == first.of_role("input")[0].sha256
    assert other.of_role("output")[0].sha256 != first.of_role("output")[0].sha256
    recipe = read_file(host.session(), Path(first.of_role("output")[0].path)).recipe["gpuconsole"]
    from_file = request_of_recipe(host.session(), recipe, seed=9)
    assert edited(host, from_file).variant == first.variant


def test_removed_while_others_with_the_same_picture_stay(host: EditHost) -> None:
    first, second = edited(host, a_request(host, seed=11)), edited(host, a_request(host, seed=12))
    operations = Operations(host.session(), via="test")
    end = list(operations.run(operations.plan("gallery-rm", first.id)))[-1]
    assert isinstance(end, PlanDone)
    assert not Path(first.of_role("output")[0].path).exists()
    assert all(Path(one.path).exists() for one in second.pictures)


def test_the_command_line_lists_what_was_made(host: EditHost, tmp_path: Path) -> None:
    edit = edited(host, a_request(host, seed=13, prompt="a green hat"))
    done = run_program(["gallery", "list", "--text", "hat", "--json"], tmp_path, host.environ)
    answer = json.loads(done.stdout)
    assert [one["id"] for one in answer["data"]["edits"]] == [edit.id]
    assert answer["rehearsal"] is True


def stopped_at(host: EditHost, phase: str, request: EditRequest) -> KeptEdit:
    """Have an edit whose runner went away once it had come so far."""
    session, reached = host.session(), threading.Event()

    def report(now: EditNow) -> None:
        if now.phase == phase:
            reached.set()

    edit = run_edit(
        session, prepare(session, request), edit_id=new_plan_id(session), report=report,
        stop=lambda: LEAVE if reached.is_set() else "",
    )  # fmt: skip
    assert edit.submitted
    assert edit.state in {"queued", "running", "uncollected"}
    return edit


def gallery_json(host: EditHost, home: Path, *words: str, code: int = 0) -> dict[str, Any]:
    done = run_program(["gallery", *words, "--json"], home, host.environ)
    assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_what_was_left_at_the_service_is_collected(host: EditHost, tmp_path: Path) -> None:
    left = stopped_at(host, "sampling", a_request(host, seed=21))
    (told,) = gallery_json(host, tmp_path, "collect")["data"]["edits"]
    assert (told["id"], told["outcome"], told["state"]) == (left.id, "collected", "done")
    assert Path(told["outputs"][0]["path"]).is_file()
    assert gallery_json(host, tmp_path, "collect")["data"]["edits"] == []
    (again,) = gallery_json(host, tmp_path, "collect", left.id)["data"]["edits"]
    assert again["outcome"] == "nothing"


def test_a_full_disk_keeps_nobody_from_the_picture_later(host: EditHost, tmp_path: Path) -> None:
    day = host.outputs
    shutil.rmtree(day, ignore_errors=True)
    with small_disk(day, "2m") as disk:
        (disk / "ballast").write_bytes(bytes(2000 * 1024))
        request = a_request(host, seed=22, images=(str(host.picture("small.png", (16, 16))),))
        session = host.session()
        edit = run_edit(session, prepare(session, request), edit_id=new_plan_id(session))
        assert edit.state == "uncollected"
        answer = gallery_json(host, tmp_path, "collect", code=1)
        assert answer["error"]["code"] == "edits.disk-full"
        assert answer["data"]["edits"][0]["outcome"] == "not-yet"
        (disk / "ballast").unlink()
        (told,) = gallery_json(host, tmp_path, "collect", edit.id)["data"]["edits"]
        assert told["outcome"] == "collected"
        assert Path(told["outputs"][0]["path"]).is_file()


def test_what_a_job_is_at_is_left_to_it(host: EditHost, tmp_path: Path) -> None:
    left = stopped_at(host, "sampling", a_request(host, seed=23))
    holder = Holder(pid=1, user="u", host="h", plan_id=left.id, since="", what="edit")
    held = LockFolder(host.session().places).acquire([plan_lock(left.id)], holder)
    assert isinstance(held, Held)
    with held:
        (told,) = gallery_json(host, tmp_path, "collect", left.id)["data"]["edits"]
    assert (told["outcome"], told["job"]) == ("under-way", left.id)
    (told,) = gallery_json(host, tmp_path, "collect", left.id)["data"]["edits"]
    assert told["outcome"] == "collected"


@pytest.fixture
def slow_host(tmp_path: Path) -> Iterator[EditHost]:
    """Have a ComfyUI that takes many seconds for an edit."""
    with edit_host(tmp_path / "home", pace=10) as made:
        yield made


def begun(host: EditHost) -> Plan:
    """Have a job that is at an edit which its service has taken."""
    operations = host.operations()
    plan = operations.plan(
        "edit", "edit-single", images=[str(host.picture())], prompt="make it snow", seed=31
    )
    for event in operations.run(plan):
        assert not isinstance(event, PlanDone | PlanFailed), event
        if isinstance(event, StepProgress) and event.edit and event.edit.phase == "sampling":
            return plan
    raise AssertionError("it never began")


def test_what_is_under_way_is_not_removed(slow_host: EditHost, tmp_path: Path) -> None:
    plan = begun(slow_host)
    try:
        error = gallery_json(slow_host, tmp_path, "rm", plan.id, "--dry-run", code=3)["error"]
        assert error["code"] == "gallery.under-way"
        assert f"jobs cancel {plan.id}" in error["hint"]
    finally:
        slow_host.operations().cancel(plan.id)
    follow = slow_host.operations().follow(plan.id)
    assert isinstance(list(follow)[-1], PlanFailed)
    operations = slow_host.operations()
    assert isinstance(list(operations.run(operations.plan("gallery-rm", plan.id)))[-1], PlanDone)


def test_an_edit_that_was_removed_is_never_made_anew(slow_host: EditHost, tmp_path: Path) -> None:
    """Its runner is killed, it is removed, and the next console takes up what was left."""
    plan = begun(slow_host)
    (running,) = slow_host.operations().running()
    assert running.pid
    os.kill(running.pid, signal.SIGKILL)
    operations = slow_host.operations()
    wait_until(lambda: operations.running() == ())
    removal = operations.plan("gallery-rm", plan.id)
    assert isinstance(list(operations.run(removal))[-1], PlanDone)
    assert operations.take_up() == ()
    assert operations.one_job(plan.id).state == "cancelled"
    assert gallery_json(slow_host, tmp_path, "list")["data"]["edits"] == []
    assert operations.running() == ()


def test_again_on_the_command_line(host: EditHost, tmp_path: Path) -> None:
    first = edited(host, a_request(host, seed=41))
    again = gallery_json(host, tmp_path, "again", first.id)["data"]
    assert (again["seed"], again["variant"], again["prompt"]) == (41, first.variant, first.prompt)
    other = gallery_json(host, tmp_path, "again", first.id, "--new-seed", "--steps", "4")["data"]
    assert other["seed"] != 41
    assert other["steps"] == 4
    kept = first.of_role("output")[0].path
    plan = gallery_json(host, tmp_path, "again", kept, "--prompt", "rain", "--dry-run")["data"]
    assert (plan["request"]["prompt"], plan["request"]["seed"]) == ("rain", 41)
    own = str(host.picture("own.png"))
    error = gallery_json(host, tmp_path, "again", own, code=2)["error"]
    assert error["code"] == "gallery.no-recipe"
    error = gallery_json(host, tmp_path, "again", "last", "--new-seed", "--seed", "3", code=2)
    assert error["error"]["code"] == "gallery.two-seeds"


def test_a_picture_from_another_host_is_made_again_here(host: EditHost, tmp_path: Path) -> None:
    first = edited(host, a_request(host, seed=42))
    given = tmp_path / "from a friend.png"
    shutil.copy(first.of_role("output")[0].path, given)
    operations = host.operations()
    assert isinstance(list(operations.run(operations.plan("gallery-rm", first.id)))[-1], PlanDone)
    Path(first.of_role("input")[0].path).unlink(missing_ok=True)
    error = gallery_json(host, tmp_path, "again", str(given), code=2)["error"]
    assert error["code"] == "gallery.input-gone"
    assert "--image" in error["hint"]
    mine = str(host.picture("mine.png", shade=90))
    made = gallery_json(host, tmp_path, "again", str(given), "--image", mine)["data"]
    assert (made["seed"], made["prompt"]) == (42, "make it snow")
    assert made["inputs"][0]["source"] == mine
