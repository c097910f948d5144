"""Answers that a real engine gives only on a bad day."""

from pathlib import Path

import pytest

from actions.logs.follower import LogFollower
from tests.logs.conftest import session_at
from tests.logs.wire import frame, message
from tests.support.fake_engine import FakeEngine, encoded
from tests.support.program import run_program
from tests.support.waiting import wait_until

NOT_READABLE = encoded({"message": "configured logging driver does not support reading"})


def container(engine: FakeEngine, answer: tuple[int, bytes], **driver: object) -> str:
    """Add a container that has ended, whose log is answered like this."""
    found = engine.add(1, "it", Status="exited", Running=False)
    engine.details[found]["HostConfig"]["LogConfig"] = driver or {"Type": "json-file", "Config": {}}
    engine.overrides[f"/containers/{found}/logs"] = lambda: answer
    return found


def read(engine: FakeEngine, home: Path, name: str) -> LogFollower:
    """Follow a log to its end."""
    follower = LogFollower(session_at(engine.address, home), [name])
    follower.start()
    wait_until(lambda: follower.state == "ended", 10)
    assert follower.join(5)
    return follower


@pytest.mark.parametrize(
    ("driver", "options", "told"),
    [
        ("gelf", {"gelf-address": "udp://10.0.0.9:12201"}, "GELF server at udp://10.0.0.9:12201"),
        ("syslog", {}, "syslog"),
        ("awslogs", {}, "CloudWatch"),
        ("homemade", {}, "where this driver takes it"),
    ],
)
def test_a_driver_that_cannot_be_read_says_where_the_log_went(
    fake_engine: FakeEngine, tmp_path: Path, driver: str, options: dict[str, str], told: str
) -> None:
    name = container(fake_engine, (501, NOT_READABLE), Type=driver, Config=options)
    problem = read(fake_engine, tmp_path, name).problem
    assert problem is not None
    assert problem.code == "logs.driver"
    assert driver in problem.title
    assert told in problem.hint
    assert "does not support reading" in problem.hint
    done = run_program(["logs", "it", "-f"], tmp_path, {"DOCKER_HOST": fake_engine.address})
    assert done.returncode == 1
    assert driver.encode() in done.stderr


def test_a_damaged_log_file_gives_what_there_is_and_the_engines_words(
    fake_engine: FakeEngine, tmp_path: Path
) -> None:
    body = message("one\n") + frame(b"Error grabbing logs: invalid character 'x'\n", 3)
    follower = read(fake_engine, tmp_path, container(fake_engine, (200, body)))
    assert [line.text for line in follower.book.slice(0, 9)] == ["one"]
    assert follower.problem is not None
    assert "invalid character" in follower.problem.hint


@pytest.mark.parametrize("body", [b"", b"not frames at all\n", message("x\n")[:12], b"\x01\0\0\0"])
def test_whatever_comes_is_lines_or_nothing(
    fake_engine: FakeEngine, tmp_path: Path, body: bytes
) -> None:
    follower = read(fake_engine, tmp_path, container(fake_engine, (200, body)))
    assert len(follower.book) <= 1


def test_an_engine_that_fails_is_told(fake_engine: FakeEngine, tmp_path: Path) -> None:
    name = container(fake_engine, (500, encoded({"message": "disk on fire"})))
    problem = read(fake_engine, tmp_path, name).problem
    assert problem is not None
    assert "disk on fire" in problem.hint
    environ = {"DOCKER_HOST": fake_engine.address}
    done = run_program(["logs", "it", "--json"], tmp_path, environ)
    assert done.returncode == 1
    assert b'"event":"failed"' in done.stdout.splitlines()[-1]


def test_a_fault_of_ours_does_not_look_like_the_end_of_the_log(
    fake_engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = container(fake_engine, (200, message("one\n")))
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    monkeypatch.setattr("actions.logs.splitter.Splitter.feed", lambda *_: 1 // 0)
    problem = read(fake_engine, tmp_path, name).problem
    assert problem is not None
    assert problem.code == "logs.internal"
