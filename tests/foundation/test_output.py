"""What the command line writes survives any data, any locale, any reader and a full disk."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.errors import ExitCode, RefusedError, UnreachableError, UsageError
from screens.cli.output import emit, emit_error, emit_line, envelope
from tests.support.program import private_environment, run_program


@pytest.mark.parametrize(
    ("code", "ok"),
    [(0, True), (5, True), (1, False), (2, False), (3, False), (4, False), (130, False)],
)
def test_ok_is_false_exactly_when_the_exit_code_is_not_0_or_5(code: int, ok: bool) -> None:
    assert envelope({}, code)["ok"] is ok


def test_an_answer_is_one_object_with_its_schema(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert emit({"gpus": []}, ExitCode.FINDINGS) == 5
    whole = json.loads(capsysbinary.readouterr().out)
    assert whole == {"schema": "gpuconsole/1", "ok": True, "data": {"gpus": []}}


def test_an_error_has_code_title_hint_and_detail(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert emit_error(RefusedError("x.y", "no", "do", "why"), as_json=True, data={"n": 1}) == 3
    whole = json.loads(capsysbinary.readouterr().out)
    assert whole == {
        "schema": "gpuconsole/1",
        "ok": False,
        "data": {"n": 1},
        "error": {"code": "x.y", "title": "no", "hint": "do", "detail": "why"},
    }


def test_an_error_for_people_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert emit_error(UnreachableError("engine.absent", "no engine", "start it")) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "gpuconsole: no engine\n  start it\n"


def test_a_stream_is_an_object_a_line(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    emit_line({"event": "started"})
    emit_line({"event": "failed"}, error=UsageError("a", "b"))
    first, last = (json.loads(line) for line in capsysbinary.readouterr().out.splitlines())
    assert (first["ok"], first["data"]["event"]) == (True, "started")
    assert (last["ok"], last["data"]["event"], last["error"]["code"]) == (False, "failed", "a")


def test_a_rehearsal_is_marked_at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "rehearsal" not in envelope({})
    monkeypatch.setenv("GPUCONSOLE_REHEARSAL", "default")
    assert envelope({})["rehearsal"] is True


def test_half_a_character_does_not_break_the_json(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    emit({"name": "a\udcff", "inner": [{"\ud800": "\udfff"}]})
    assert json.loads(capsysbinary.readouterr().out)["data"]["name"] == "a?"


WRITE = """
import sys
from screens.cli.guard import guarded
from screens.cli.output import emit, write
def work():
    {body}
    return 0
sys.exit(guarded(work, as_json={as_json}, environ={environ!r}))
"""


def program(
    body: str, home: Path, *, as_json: bool = False, **settings: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run one verb's body under the guard, in a process of its own."""
    environ = private_environment(home)
    code = WRITE.format(body=body, as_json=as_json, environ=environ)
    environ |= settings.pop("env", {})
    settings.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
        **settings,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_locale_will_do(tmp_path: Path, encoding: str) -> None:
    env = {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    body = "emit({'name': 'caf\\u00e9 \\u4e2d'}); write('\\u2716 \\u4e2d'); print('\\u2716')"
    done = program(body, tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["data"]["name"] == "café 中"


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for body in ("emit({'n': 1})", "write('x')", "print('x' * 100_000)", "print('x')"):
        done = program(body, tmp_path, stdout=writing)
        assert (done.returncode, done.stderr) == (0, b""), body
    os.close(writing)


def test_a_closed_stdout_ends_it_quietly(tmp_path: Path) -> None:
    for body in ("emit({'n': 1})", "write('x')", "print('x')"):
        done = program("import os; os.close(1)\n    " + body, tmp_path)
        assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("body", ["emit({'n': 1})", "write('x')", "print('x')"])
def test_a_full_disk_under_stdout_is_told(tmp_path: Path, body: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = program(body, tmp_path, stdout=full)
    assert done.returncode == 1
    assert b"cannot be written: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_an_unexpected_error_is_told_and_its_traceback_logged(
    tmp_path: Path, as_json: bool
) -> None:
    done = program("raise ValueError('token=geheim-1\\x1b[2J')", tmp_path, as_json=as_json)
    log = tmp_path / ".local/state/gpuconsole/gpuconsole.log"
    assert done.returncode == 1
    assert b"Traceback" not in done.stdout + done.stderr
    assert b"geheim" not in done.stdout + done.stderr
    assert str(log).encode() in done.stdout + done.stderr
    assert "ValueError: token=***" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    if as_json:
        assert json.loads(done.stdout)["error"]["code"] == "internal.error"
        assert done.stderr == b""


def test_an_unexpected_error_without_a_log_still_has_a_hint(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("in the way")
    done = program("raise ValueError('oops')", tmp_path)
    assert done.returncode == 1
    assert b"There is no log of it" in done.stderr
    assert b"ValueError: oops (" in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupt_is_130(tmp_path: Path, as_json: bool) -> None:
    done = program("raise KeyboardInterrupt", tmp_path, as_json=as_json)
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr
    if as_json:
        assert json.loads(done.stdout)["error"]["code"] == "interrupted"


def test_the_version_needs_nothing(tmp_path: Path) -> None:
    done = run_program(["--version"], tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(b"gpuconsole ")
    assert list(tmp_path.iterdir()) == []
