"""An open console keeps the timeline too, without anybody noticing."""

import threading
from pathlib import Path
from typing import Any

import pytest

from actions import live as live_module
from actions.live import LiveHost
from actions.timeline import read_timeline
from actions.watching import background
from actions.watching.recorder import LOCK, Recorder
from console.clock import SystemClock
from console.engine.endpoint import resolve
from console.engine.memory import Memory
from console.store.locks import LockFolder
from tests.support.edits import EditHost
from tests.support.hosts import healthy
from tests.support.waiting import wait_until
from tests.watching.conftest import MakeSession


def test_what_a_console_sees_is_on_the_timeline_when_it_is_opened_again(
    host: EditHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "RECORD_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(background, "LOOK_SECONDS", 0.1)
    host.control("die", container="caddy", value=3)
    session = host.session()
    for _ in range(2):
        live = LiveHost(session, recorded=True)
        live.start()

        def seen(shown: LiveHost = live) -> bool:
            shown.snapshot()
            entries = read_timeline(host.session(), 50, kinds=("container",))
            return any("exit 3" in entry.text for entry in entries)

        try:
            wait_until(seen, 20)
        finally:
            live.stop()
        wait_until(lambda: LockFolder(session.places).is_free(LOCK), 10)
    entries = read_timeline(host.session(), 50, kinds=("container",))
    assert sum("exit 3" in entry.text for entry in entries) == 1


def test_what_the_engine_remembers_of_long_ago_is_filled_in(host: EditHost) -> None:
    host.control("die", container="caddy", value=7)
    session = host.session()
    recorder = Recorder(session, "test")

    def filled() -> bool:
        # The picture knows of no event: the watcher asks for those of the last hour only.
        recorder.look(healthy())
        entries = read_timeline(host.session(), 50, kinds=("container",))
        return any("exit 7" in entry.text for entry in entries)

    wait_until(filled, 20)
    recorder.close()


def test_an_engine_that_answers_nothing_is_remembered_as_nothing(tmp_path: Path) -> None:
    memory = Memory(resolve({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}), SystemClock().now())
    memory.run()
    assert memory.take() == ()
    assert memory.take() is None


def test_a_console_that_only_asks_once_writes_nothing(host: EditHost) -> None:
    live = LiveHost(host.session())
    live.start()
    wait_until(lambda: live.snapshot().engine.containers, 20)
    live.stop()
    assert not [one for one in threading.enumerate() if one.name == "timeline"]
    assert read_timeline(host.session(), 50) == ()


def test_a_fault_of_ours_ends_the_writing_and_is_logged(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "LOOK_SECONDS", 0.0)
    asked: list[int] = []

    def latest() -> Any:
        asked.append(1)
        return object()

    background.record(make_session(), latest, threading.Event())
    assert len(asked) == background._MOST_FAULTS
    assert "the timeline could not be written" in caplog.text


def test_the_same_picture_is_looked_at_once(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LOOK_SECONDS", 0.0)
    stopped, picture, asked = threading.Event(), healthy(), []

    def latest() -> Any:
        asked.append(1)
        if len(asked) > 20:
            stopped.set()
        return picture

    looked: list[object] = []

    def look(_self: Recorder, one: object) -> tuple[()]:
        looked.append(one)
        return ()

    monkeypatch.setattr(Recorder, "look", look)
    background.record(make_session(), latest, stopped)
    assert len(looked) == 1
