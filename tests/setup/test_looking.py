"""What only looks changes nothing at all, and what is left out leaves out what waits for it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.setup.course import remembered_answers
from actions.setup.memory import Memory
from tests.plans.command import run
from tests.support.fresh import FreshHost, fresh_host

_ITS_OWN = ("driver-table", "root")
"""What the rehearsal itself keeps up to date: its driver, and its /proc."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshHost]:
    """Give a host without the doctor's step; tests only look at it."""
    with fresh_host(tmp_path_factory.mktemp("looking"), compose="stand-in") as made:
        made.answers('skip = ["host"]')
        yield made


def tree(host: FreshHost) -> dict[str, tuple[int, int, int]]:
    """Give mode, size and time of each file and folder of the host, its state and the rest."""
    folder, found = host.rehearsal.places.folder, {}
    for one in folder.rglob("*"):
        name = one.relative_to(folder)
        if name.parts[0] not in _ITS_OWN:
            told = one.lstat()
            found[str(name)] = (told.st_mode, told.st_size, told.st_mtime_ns)
    return found


def steps(text: str) -> dict[str, Any]:
    return {one["id"]: one for one in json.loads(text)["data"]["steps"]}


@pytest.mark.parametrize(
    "words", [("--dry-run",), ("--json",), ("--save-answers", "FILE")], ids=lambda words: words[0]
)
def test_what_only_looks_leaves_every_file_as_it_is(
    host: FreshHost, words: tuple[str, ...], tmp_path: Path
) -> None:
    answers = str(host.home / "answers.toml")
    before = tree(host)
    given = [str(tmp_path / one) if one == "FILE" else one for one in words]
    done = run(host.environ, "setup", "--answers", answers, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(host) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--save-answers", "FILE", "--dry-run"), 2, "writes the answers and ends"),
        (("--save-answers", "FILE", "--yes"), 2, "writes the answers and ends"),
        (("--save-answers", "FILE", "--read-only"), 3, "read-only"),
        (("--save-answers", ""), 2, "--save-answers names no file"),
        (("--answers", "", "--yes"), 2, "--answers names no file"),
        (("--answers", "-", "--dry-run"), 2, "/dev/stdin cannot be read"),
    ],
)
def test_flags_that_contradict_one_another_are_refused_and_nothing_is_written(
    host: FreshHost, words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    given = [str(tmp_path / one) if one == "FILE" else one for one in words]
    done = run(host.environ, "setup", *given)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_who_leaves_out_the_start_leaves_out_what_waits_for_it(host: FreshHost) -> None:
    path = host.home / "left.toml"
    path.write_text('skip = ["host", "start"]\n')
    told = steps(run(host.environ, "setup", "--answers", str(path), "--json").stdout)
    for name in ("verify", "first-edit"):
        assert told[name]["state"] == "skipped"
        assert told[name]["detail"] == "it waits for start, which is left out"
    path.write_text('skip = ["host", "comfyui"]\n[outside]\npublic_url = "https://a.example"\n')
    told = steps(run(host.environ, "setup", "--answers", str(path), "--json").stdout)
    for name in ("start", "verify", "first-edit", "outside"):
        assert told[name]["state"] == "skipped"
        assert told[name]["detail"] == "it waits for comfyui, which is left out"
    assert told["fetch"]["state"] == "needed"


def test_without_a_forge_nothing_is_asked_about_sharing(host: FreshHost) -> None:
    told = steps(run(host.environ, "setup", "--json").stdout)
    assert (told["sharing"]["state"], told["sharing"]["asks"]) == ("done", [])


def test_what_was_remembered_and_is_no_answer_is_left_out(tmp_path: Path) -> None:
    with fresh_host(tmp_path, compose="stand-in") as host:
        session = host.session()
        odd = {"skip": 5, "service.gpu": 7, "service.name": "a b", "gone.key": "x"}
        Memory(session.places).keep_answers({**odd, "edit.prompt": "a mug"})
        assert remembered_answers(session).given == {"edit.prompt": "a mug"}
