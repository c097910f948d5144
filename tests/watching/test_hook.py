"""The operator's command is told on stdin, never by a shell, and never holds anything up."""

import json
import os
import time
from pathlib import Path

import pytest

from console.hook import Hook, HookEnd
from tests.support.waiting import wait_until

ENVIRON = {"PATH": os.environ["PATH"]}


def script(folder: Path, text: str) -> str:
    """Write a script; give its path."""
    path = folder / "hook"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def run(*argv: str, told: bytes = b"{}\n", limit: float = 5.0) -> HookEnd:
    """Run a command."""
    return Hook().run(argv, told, ENVIRON, limit)


def test_it_gets_what_it_is_told_and_its_own_arguments_as_they_are(tmp_path: Path) -> None:
    path = script(tmp_path, f'cat > {tmp_path}/told; printf "%s|" "$@" > {tmp_path}/args')
    event = json.dumps({"data": {"title": "x" * 20_000}}).encode()
    odd = ("--on call", "$(touch /tmp/never)", "", "; rm x", "*")
    end = run(path, *odd, told=event)
    assert end.problem is None
    assert (tmp_path / "told").read_bytes() == event
    assert (tmp_path / "args").read_text() == "|".join(odd) + "|"


def test_one_that_fails_says_why_without_its_secrets(tmp_path: Path) -> None:
    end = run(script(tmp_path, "echo token=abcdef1234567890abcdef >&2; echo no route >&2; exit 7"))
    assert end.problem is not None
    assert (end.problem.code, end.problem.title[-14:]) == ("hook.failed", "failed: exit 7")
    assert "no route" in end.problem.hint
    assert "abcdef1234" not in end.problem.hint


def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    path = script(tmp_path, f"trap '' TERM; sleep 600 & echo $! > {tmp_path}/child; sleep 600")
    begun = time.monotonic()
    end = run(path, limit=0.5)
    assert time.monotonic() - begun < 4
    assert end.problem is not None
    assert end.problem.code == "hook.timeout"
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: is_over(child))


def test_one_that_leaves_a_child_with_its_stderris_over_when_it_is(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert run(script(tmp_path, "sleep 60 & exit 0"), limit=30).problem is None
    assert time.monotonic() - begun < 5


def test_one_that_never_reads_or_never_stops_writing_costs_no_memory(tmp_path: Path) -> None:
    assert run(script(tmp_path, "exec 0<&-; exit 0"), told=b"x" * 2_000_000).problem is None
    end = run(script(tmp_path, "yes line of noise >&2"), limit=0.5)
    assert end.problem is not None
    assert len(end.said) <= 300


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: str(folder / "none"), "No such file"),
        (str, "ermission denied"),
        (lambda folder: "no-such-program-anywhere", "No such file"),
    ],
)
def test_one_that_cannot_be_run_says_so(tmp_path: Path, make: object, words: str) -> None:
    end = run(make(tmp_path))  # type: ignore[operator]
    assert end.problem is not None
    assert end.problem.code == "hook.not-run"
    assert words in end.problem.title
    assert end.problem.hint


def test_a_script_without_its_first_line_is_told_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "bare"
    path.write_text("\x00\x01 no program\n")
    path.chmod(0o755)
    end = run(str(path))
    assert end.problem is not None
    assert "interpreter" in end.problem.hint


def is_over(pid: int) -> bool:
    """Tell whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
