"""The rehearsal host's logs: multiplexed files, bars, a traceback, in each flavour of engine."""

from pathlib import Path

import pytest

from actions.logs.follower import LogFollower
from console.engine.client import EngineClient
from console.simulator.held import held_rehearsal
from tests.logs.conftest import session_at
from tests.support.engine import endpoint_at
from tests.support.program import run_program
from tests.support.waiting import wait_until


def read(address: str, home: Path, *containers: str) -> LogFollower:
    """Read logs to their end."""
    follower = LogFollower(session_at(address, home), containers, follow=False)
    follower.start()
    wait_until(lambda: follower.state == "ended", 15)
    assert follower.join(5)
    assert follower.problem is None
    return follower


def test_the_studios_forge_prints_several_files(tmp_path: Path) -> None:
    with held_rehearsal("studio") as host:
        book = read(host.address, tmp_path, "myia").book
    lines = book.slice(0, len(book))
    assert {"/var/log/supervisor/forge.log", "/var/log/supervisor/caddy.log"} <= set(book.sources)
    assert not [line for line in lines if line.text.startswith("==>")]
    assert any(line.progress and line.text.startswith("100%|") for line in lines)
    assert {line.level for line in lines} >= {"", "info", "warning"}


def test_a_failed_generation_is_one_folded_error(tmp_path: Path) -> None:
    with held_rehearsal("both-on-one-card") as host:
        host.advance(200)
        book = read(host.address, tmp_path, "myia").book
    at = book.next_error(-1)
    assert at is not None
    at = book.next_error(at)
    assert at is not None
    line = book.line(at)
    assert line.text.strip().startswith("torch.cuda.OutOfMemoryError")
    assert len(line.folded) == 5


def test_hostile_lines_are_harmless(tmp_path: Path) -> None:
    with held_rehearsal("hostile") as host:
        host.advance(10)
        with EngineClient(endpoint_at(host.address)) as client:
            listed = client.list()
        followers = [
            LogFollower(session_at(host.address, tmp_path), [one["Id"]], follow=False)
            for one in listed
        ]
        for follower in followers:
            follower.start()
        for follower in followers:
            wait_until(lambda one=follower: one.state in {"ended", "removed"}, 15)  # type: ignore[misc]
    texts = "\n".join(line.text for one in followers for line in one.book.slice(0, 999))
    assert "you are owned" in texts
    assert "[bold]markup[/bold]" in texts
    assert not set(texts) & set("\x1b\x07\x08\x00")


@pytest.mark.parametrize("name", ["comfyui-qwen", "caddy"])
def test_the_verb_works_in_a_rehearsal(name: str, tmp_path: Path) -> None:
    with held_rehearsal("studio") as host:
        done = run_program(["logs", name, "--tail", "5"], tmp_path, host.environ)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 5
