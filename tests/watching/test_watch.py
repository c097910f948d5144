"""A watch in this process: what it says, what it remembers, what it survives."""

import threading
from datetime import timedelta

import msgspec
import pytest

from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.watching import watch as watch_module
from actions.watching.recorder import Recorder
from actions.watching.stop import Stop
from actions.watching.watch import Told, Watch
from console.clock import HeldClock
from console.engine.snapshot import EngineEvent
from console.unknown import Unknown
from tests.support.hosts import CRASH, healthy
from tests.support.snapshots import alert, changed, ident
from tests.support.waiting import wait_until
from tests.watching.conftest import MakeSession


class Shown:
    """A live host that shows pictures one after the other, each at its own time; then it ends."""

    def __init__(self, clock: HeldClock, pictures: list[HostSnapshot | Exception]) -> None:
        self.clock = clock
        self.pictures = pictures
        self.opened = 0

    def start(self) -> None:
        self.opened += 1

    def stop(self) -> None:
        pass

    def snapshot(self) -> HostSnapshot:
        self.clock.advance(5)
        one = self.pictures.pop(0)
        if isinstance(one, Exception):
            raise one
        return changed(one, taken_at=self.clock.now())


def said(
    session: Session,
    clock: HeldClock,
    pictures: list[HostSnapshot | Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> list[Told]:
    """Watch until all pictures were shown; give what was said."""
    stop, lines = Stop(), list[Told]()
    shown = Shown(clock, pictures)
    monkeypatch.setattr(watch_module, "LiveHost", lambda _session: shown)
    monkeypatch.setattr(watch_module, "_FAULT_PAUSE_SECONDS", 0.0)

    def idle() -> None:
        if not shown.pictures:
            stop.set()

    Watch(session, lines.append, idle=idle, look_seconds=0.0).run(stop)
    return lines


def events(lines: list[Told]) -> list[str]:
    """Give the kinds of what was said."""
    return [line.event for line in lines]


CRASHING = changed(healthy(), alerts=(CRASH,))


def test_an_alert_is_said_once_though_the_watch_is_started_again(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = said(make_session(), clock, [CRASHING] * 12, monkeypatch)
    assert events(first).count("raised") == 1
    second = said(make_session(), clock, [CRASHING] * 12, monkeypatch)
    assert events(second) == ["started", "stopped"]
    third = said(make_session(), clock, [healthy()] * 40, monkeypatch)
    assert events(third).count("cleared") == 1
    assert "over: myia-turbo" in next(one.text for one in third if one.event == "cleared")


def test_a_fault_of_ours_is_said_and_watching_goes_on(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures: list[HostSnapshot | Exception] = [RuntimeError("odd"), *[CRASHING] * 12]
    lines = said(make_session(), clock, pictures, monkeypatch)
    assert events(lines) == ["started", "problem", "raised", "stopped"]
    assert "RuntimeError" in lines[1].text


def test_a_config_that_changes_counts_at_once(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session('[watch]\nraise_after = "1h"\n')
    assert events(said(session, clock, [CRASHING] * 12, monkeypatch)) == ["started", "stopped"]
    session.places.config_file.write_text('[watch]\nraise_after = "10s"\n')
    assert "raised" in events(said(session, clock, [CRASHING] * 12, monkeypatch))


def test_a_config_with_mistakes_is_said(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = said(make_session('[watch]\nhook = "x"\n'), clock, [healthy()], monkeypatch)
    assert "the config has mistakes" in lines[1].text


def test_no_secret_is_said(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "hf_abcdefghijklmnopqrstuvwxyz123"
    leaky = alert("container.exited", "error", "myia", f"ended: HF_TOKEN={token}", hint=token)
    lines = said(make_session(), clock, [changed(healthy(), alerts=(leaky,))] * 12, monkeypatch)
    assert "raised" in events(lines)
    assert token not in repr(lines)


def test_what_the_engine_still_remembers_is_said_with_its_time(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago, now = clock.now() - timedelta(hours=3), clock.now()
    told = tuple(
        EngineEvent(at=at, container_id=ident(name), container_name=name, action="die", exit_code=3)
        for name, at in (("myia", now), ("caddy", long_ago))
    )
    host = changed(healthy(), engine=msgspec.structs.replace(healthy().engine, events=told))
    lines = said(make_session(), clock, [host], monkeypatch)
    texts = [line.text for line in lines if line.event == "happened"]
    assert texts == [
        f"caddy: ended, exit 3 (at {long_ago.astimezone():%Y-%m-%d %H:%M:%S})",
        "myia: ended, exit 3",
    ]


def test_a_broken_watcher_of_the_engine_is_replaced(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Unknown("engine.internal", "broke down")
    broken = changed(
        healthy(),
        engine=msgspec.structs.replace(healthy().engine, problem=problem),
    )
    shown = Shown(clock, [broken, healthy()])
    monkeypatch.setattr(watch_module, "LiveHost", lambda _session: shown)
    stop = Stop()

    def idle() -> None:
        if not shown.pictures:
            stop.set()

    Watch(make_session(), lambda _: None, idle=idle, look_seconds=0.0).run(stop)
    assert shown.opened == 2


def test_the_word_to_end_is_heard_at_once_from_wherever_it_comes() -> None:
    stop = Stop()
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(stop.wait(60)))
    waiting.start()
    stop.set()
    stop.set()
    wait_until(lambda: heard == [True])
    assert stop.is_set()
    assert stop.wait(60)
    assert not Stop().wait(0.0)


def test_a_timeline_that_cannot_be_written_keeps_no_alert_back(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a row that cannot be read")

    monkeypatch.setattr(Recorder, "look", broken)
    lines = said(make_session(), clock, [CRASHING] * 12, monkeypatch)
    assert events(lines).count("raised") == 1
    assert "problem" in events(lines)


def test_it_says_that_a_console_keeps_the_timeline_and_when_that_has_ended(
    make_session: MakeSession, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Recorder(make_session(), "a console keeps the timeline")
    console.look(healthy())

    class ClosedMeanwhile(list[HostSnapshot | Exception]):
        def pop(self, *_: object) -> HostSnapshot | Exception:
            if len(self) == 6:
                console.close()
            return super().pop(0)

    lines = said(make_session(), clock, ClosedMeanwhile([healthy()] * 12), monkeypatch)
    told = [line.data["here"] for line in lines if line.event == "timeline"]
    assert told == [False, True]
