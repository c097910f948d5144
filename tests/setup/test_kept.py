"""What setup keeps: an answers file, what is remembered, and no secret in either."""

import json
import os
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.setup.answers import Answers, read_answers
from actions.setup.answers_file import save_answers
from actions.setup.course import Course, remembered_answers, show
from console.config.load import load
from console.errors import ConsoleError, UsageError
from tests.plans.command import run
from tests.setup.conftest import Bare
from tests.support.edits import COMFY

GGUF, FP8 = "qwen-edit-2509-gguf-q4_k_m", "qwen-edit-2509-fp8"
SECRET = "hunter2hunter2"


def test_what_was_answered_and_what_was_advised_do_the_same_from_a_file(
    bare: Bare, tmp_path: Path
) -> None:
    given = tmp_path / "given.toml"
    models = f'[existing]\nmodels = "{bare.host.models}"\n'
    given.write_text(f'skip = ["host"]\n{models}[edit]\nprompt = "a \\"b\\""\n')
    saved = tmp_path / "deep/saved.toml"
    words = ("--config", str(bare.config), "setup")
    before = bare.config.read_text()
    made = run(
        bare.host.environ, *words, "--answers", str(given), "--save-answers", str(saved), "--json"
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert bare.config.read_text() == before
    answers = read_answers(saved)
    assert answers.given == json.loads(made.stdout)["data"]["answers"]
    assert answers.text("edit.prompt") == 'a "b"'
    assert answers.text("service.variant") == "qwen-edit-2511-fp8mixed"
    assert answers.text("service.gpu").startswith("GPU-8b2d6e07")
    assert stat.S_IMODE(saved.stat().st_mode) & 0o077 == 0
    first, again = (show(bare.session(), read_answers(one)) for one in (given, saved))
    assert [one.diff for one in first] == [one.diff for one in again]


def test_an_answers_file_never_takes_the_place_of_another_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    save_answers(path, Answers({"skip": ["outside"]}))
    save_answers(path, Answers({"service.gpu": "3090"}))
    assert tomllib.loads(path.read_text())["service"] == {"gpu": "3090"}
    path.write_text("# mine\n")
    with pytest.raises(UsageError, match="is no answers file"):
        save_answers(path, Answers())
    assert path.read_text() == "# mine\n"
    with pytest.raises(ConsoleError, match="cannot be written"):
        save_answers(path / "beneath", Answers())


SECRETS = {
    "outside.public_url": f"https://me:{SECRET}@example.org",
    "outside.folder": f"https://example.org/?token={SECRET}",
    "edit.image": f"https://{SECRET}@example.org/a.png",
    "comfyui.bind": f"password={SECRET}",
}


def test_an_answer_with_a_secret_in_it_is_refused_before_it_is_remembered(
    bare: Bare, tmp_path: Path
) -> None:
    course = Course(bare.session(), Answers(), applies=True)
    course.answer("edit.prompt", "a token of love")
    path = tmp_path / "a.toml"
    for key, value in SECRETS.items():
        section, name = key.split(".")
        path.write_text(f'[{section}]\n{name} = "{value}"\n')
        with pytest.raises(UsageError, match="has a secret in it") as told:
            read_answers(path)
        assert SECRET not in f"{told.value.title} {told.value.detail} {told.value.hint}"
        with pytest.raises(UsageError):
            course.answer(key, value)
    kept = (bare.session().places.state_dir / "setup.json").read_text()
    assert "a token of love" in kept
    assert SECRET not in kept


def test_a_config_that_disagrees_is_changed_where_that_is_said_and_only_then(bare: Bare) -> None:
    bare.run(service={"variant": GGUF}, skip=["first-edit"])
    stays = bare.run(service={"variant": FP8}, skip=["first-edit"])["variant"]
    assert stays.state == "blocked"
    assert "existing.replace" in [one.key for one in stays.asks]
    changed = bare.run(
        service={"variant": FP8}, existing={"replace": True}, skip=["first-edit", "start"]
    )
    assert changed["variant"].state == "done"
    assert load(bare.config).settings.services[COMFY].variant == FP8
    # It was agreed to once: the next run asks anew.
    kept = remembered_answers(bare.session()).given
    assert kept["service.variant"] == FP8
    assert "existing.replace" not in kept


@pytest.fixture
def locked(bare: Bare, tmp_path: Path) -> Iterator[Path]:
    """Give a config on a file system that was mounted read-only."""
    folder = tmp_path / "locked"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        path = folder / "mine.toml"
        path.write_text(bare.config.read_text())
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        yield path
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_config_that_may_not_be_written_fails_its_step_in_words(
    bare: Bare, locked: Path, tmp_path: Path
) -> None:
    bare.config = locked
    before = locked.read_text()
    reports = bare.run()
    assert reports["existing"].state == "failed"
    assert str(locked) in reports["existing"].detail
    assert "Read-only file system" in reports["existing"].detail
    assert reports["variant"].detail == "it waits for the step existing"
    assert locked.read_text() == before
    given = tmp_path / "a.toml"
    given.write_text(f'skip = ["host"]\n[existing]\nmodels = "{bare.host.models}"\n')
    told = run(
        bare.host.environ,
        "--config", str(locked), "setup", "--answers", str(given), "--yes", "--json",
    )  # fmt: skip
    assert told.returncode == 1
    assert json.loads(told.stdout)["error"]["code"] == "setup.failed"
    assert "Traceback" not in told.stderr


def test_a_state_folder_that_cannot_be_written_is_said_before_anything_is_done(
    bare: Bare, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    environ = {**bare.host.environ, "XDG_STATE_HOME": str(blocked / "state")}
    before = bare.config.read_text()
    given = tmp_path / "a.toml"
    given.write_text('skip = ["host"]\n')
    words = ("--config", str(bare.config), "setup", "--answers", str(given))
    told = run(environ, *words, "--yes")
    assert told.returncode == 1
    assert os.fspath(blocked) in told.stderr
    assert bare.config.read_text() == before
    assert run(environ, *words, "--dry-run").returncode in {0, 5}
