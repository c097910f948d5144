"""`gpuconsole setup` as a process: without a terminal, as JSON, and killed in the middle."""

import json
import signal
from pathlib import Path
from typing import Any

from console.store.edits import EditRecords
from tests.plans.command import run, start
from tests.setup.conftest import Bare
from tests.support.edits import edit_host
from tests.support.waiting import wait_until


def answers(bare: Bare, folder: Path) -> str:
    path = folder / "answers.toml"
    path.write_text(
        f'skip = ["host"]\n[existing]\nmodels = "{bare.host.models}"\n'
        '[service]\nvariant = "qwen-edit-2509-gguf-q4_k_m"\n'
    )
    return str(path)


def data(text: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(text)["data"]
    return told


def test_without_a_terminal_it_shows_and_does_nothing_without_a_yes(
    bare: Bare, tmp_path: Path
) -> None:
    words = ("--config", str(bare.config), "setup", "--answers", answers(bare, tmp_path))
    before = bare.config.read_text()
    refused = run(bare.host.environ, *words)
    assert refused.returncode == 3
    assert "Add --yes to go ahead" in refused.stderr
    both = run(bare.host.environ, *words, "--dry-run", "--yes")
    assert both.returncode == 2
    shown = run(bare.host.environ, *words, "--dry-run")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "+[services.comfyui-qwen]" in shown.stdout
    assert "runs: gpuconsole edit" in shown.stdout
    told = data(run(bare.host.environ, *words, "--json").stdout)
    assert (told["dry_run"], told["finished"]) == (True, False)
    assert {"id", "state", "detail", "wrote"} <= set(told["steps"][0])
    assert bare.config.read_text() == before
    locked = run(bare.host.environ, *words, "--yes", "--read-only")
    assert locked.returncode == 3


def test_killed_in_its_first_edit_it_goes_on_with_that_edit(tmp_path: Path) -> None:
    with edit_host(tmp_path / "home", pace=20.0) as host:
        bare = Bare(host, tmp_path)
        words = ("--config", str(bare.config), "setup")
        process = start(host.environ, *words, "--answers", answers(bare, tmp_path), "--yes")
        records = EditRecords(bare.session().store)
        wait_until(lambda: any(one.submitted for one in records.find()), 60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        # The answers that it was given are remembered.
        done = run(host.environ, *words, "--yes", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        told = data(done.stdout)
        assert told["finished"]
        assert [one.state for one in records.find()] == ["done"]
        assert {one["id"]: one["wrote"] for one in told["steps"] if one["wrote"]} == {}
