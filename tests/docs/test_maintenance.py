"""docs/maintenance.md: its backup is made for real, and has what it says."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from actions.setup.answers import read_answers
from tests.docs.pages import ROOT, Block, blocks
from tests.support.program import private_environment, run_program

CONFIG = '[services.comfyui-qwen]\nkind = "comfyui"\nurl = "http://127.0.0.1:9"\n'


def block_of(section: str, word: str) -> Block:
    found = [one for one in blocks("maintenance.md") if one.section == section and word in one.text]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A host that has been used: a config with a token, a journal."""
    folder = tmp_path / ".config" / "gpuconsole"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG)
    token = folder / "myia.token"
    token.touch(0o600)
    token.write_text("secret")
    run_program(["config", "init", "--force"], tmp_path)
    run_program(["timeline"], tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, run in (("python3", ""), ("gpuconsole", "-m console")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {run} "$@"\n')
        (tools / name).chmod(0o755)
    return tmp_path


def test_the_backup_on_the_page_has_all_that_cannot_be_fetched_again(home: Path) -> None:
    environ = {**private_environment(home), "PYTHONPATH": str(ROOT)}
    environ["PATH"] = f"{home / 'bin'}:{os.environ['PATH']}"
    script = "set -eu\n" + block_of("Backups", "backup").text
    done = subprocess.run(
        ["bash", "-c", script], cwd=home, env=environ, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    kept = home / "backup"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert (kept / "config" / "config.toml").exists()
    assert stat.S_IMODE((kept / "config" / "myia.token").stat().st_mode) == 0o600
    assert msgspec.json.decode((kept / "models.json").read_bytes())["schema"] == "gpuconsole/1"
    read_answers(kept / "answers.toml")  # raises where it is none
    with sqlite3.connect(kept / "gpuconsole.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("PRAGMA user_version").fetchone()[0] > 0
