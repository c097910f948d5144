"""docs/setup.md: the steps as they are, its answers file taken, its snippets as printed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from actions.setup.answers import read_answers
from console.packaged import read_table
from screens.tui.setup.keys import SETUP as SETUP_KEYS
from tests.docs.made import made_blocks, printer
from tests.docs.pages import ROOT, blocks, page
from tests.support.edits import edit_host
from tests.support.fresh import fresh_host

SETUP = [sys.executable, "-m", "console", "setup"]


def answers_file(folder: Path) -> Path:
    (told,) = (one.text for one in blocks("setup.md") if one.language == "toml")
    path = folder / "answers.toml"
    path.write_text(told)
    return path


def test_the_steps_on_the_page_are_those_there_are_in_their_order() -> None:
    table = page("setup.md").partition("<!-- steps:")[2].partition("<!-- end of steps -->")[0]
    named = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert named == list(read_table("setup.toml")["steps"])


def test_snippets_are_what_the_program_prints(tmp_path: Path) -> None:
    found = list(made_blocks())
    assert {one.line.split()[3] for one in found} == {"caddy", "nginx"}
    with edit_host(tmp_path) as host:
        printed = printer(host)
        for one in found:
            assert one.text == printed(one.line), "python -m tests.docs.made puts it right"


def test_the_answers_file_on_the_page_is_taken_and_heeded(tmp_path: Path) -> None:
    path = answers_file(tmp_path)
    read_answers(path)
    with fresh_host(tmp_path) as host:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "console",
                "setup",
                "--answers",
                str(path),
                "--dry-run",
                "--json",
            ],
            env={**host.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
            timeout=100,
        )
        steps = {one["id"]: one for one in json.loads(done.stdout)["data"]["steps"]}
        assert not host.config.exists()
    assert steps["sharing"]["state"] == steps["keep-running"]["state"] == "skipped"
    assert "q4_k_m" in json.dumps(steps["variant"])
    assert "edit.example.org" in json.dumps(steps["outside"])


@pytest.mark.parametrize("state", ["done", "needed", "blocked", "skipped", "failed"])
def test_the_states_of_json_are_named(state: str) -> None:
    assert f"`{state}`" in page("setup.md").partition("`--json` gives")[2].partition("\n\n")[0]


def test_the_keys_on_the_page_do_what_it_says() -> None:
    text = page("setup.md").partition("At the left")[2].partition("\n\n")[0]
    does = {key: one.action for one in SETUP_KEYS for key in one.keys.split(",")}
    wanted = {"b": "before", "s": "skip", "c": "again", "d": "full", "y": "copy", "w": "save"}
    assert {key: does[key] for key in re.findall(r"`([a-z])`", text)} == wanted
