"""What changed around the moment at which something began, from every memory of it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.doctor.change import Change, Changes, limits
from actions.doctor.changes import what_changed
from actions.doctor.onset import moment_of, onset_of
from actions.live import LiveHost
from actions.runbook.finding import Evidence, Finding
from actions.session import Session, open_session
from actions.snapshot import HostSnapshot
from console.clock import HeldClock
from console.engine.snapshot import Compose
from console.store.model_files import ModelFileRecords, ModelFileRow
from console.store.rows import Happening
from console.store.timeline import TimelineRecords
from tests.support.edits import edit_host
from tests.support.snapshots import (
    NOW,
    changed,
    container,
    engine_snapshot,
    event,
    facts,
    gpu_snapshot,
    host,
    ident,
)
from tests.support.waiting import wait_until

BEGAN = NOW - timedelta(minutes=10)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    places = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    return open_session(places, None, False, HeldClock(NOW))


def finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "id": "args.unrecognized",
        "severity": "error",
        "subject": "myia-turbo",
        "title": "it does not know a flag",
        "since": BEGAN,
    }
    return Finding(**{**values, **changes})


def snapshot(*containers: Any, events: Any = (), uptime: float = 90 * 86_400.0) -> HostSnapshot:
    made = containers or (container("myia-turbo", created_at=NOW - timedelta(days=90)),)
    engine = engine_snapshot(*made, events=tuple(events))
    return host(gpu_snapshot(), engine, host=facts(uptime_seconds=uptime))


def happened(minutes: float, kind: str, subject: str, text: str, **more: Any) -> Happening:
    verb = more.pop("verb", "changed")
    return Happening(
        at=BEGAN - timedelta(minutes=minutes),
        kind=kind,
        subject=subject,
        key=f"{kind} {subject} {text}",
        body={"verb": verb, "outcome": more.pop("outcome", "info"), "text": text, "facts": more},
    )


def planned(session: Session, minutes: float, verb: str, target: str, outcome: str) -> None:
    TimelineRecords(session.store).put(
        at=BEGAN - timedelta(minutes=minutes),
        kind="plan",
        subject=target,
        subject_id=ident(target),
        plan_id=f"{verb}-{target}-{minutes}",
        body={
            "verb": verb,
            "outcome": outcome,
            "text": f"{target}: runs again",
            "user": "jesse",
            "ssh_origin": "192.0.2.7",
            "via": "tui",
        },
    )


def compose_in(folder: Path, file: str) -> Compose:
    return Compose(
        project="sd", service="myia-turbo", working_dir=str(folder), config_files=(file,)
    )


def texts(found: Changes) -> list[str]:
    return [one.text for one in found.entries]


def one_of(found: Changes, words: str) -> Change:
    return next(one for one in found.entries if words in one.text)


def test_everything_that_led_there_is_told_newest_first(session: Session) -> None:
    planned(session, 4, "restart", "myia-turbo", "done")
    TimelineRecords(session.store).happen(
        [
            happened(60, "host", "host", "the host (or its WSL) was started anew", verb="boot"),
            happened(40, "driver", "driver", "the NVIDIA driver was changed from 580 to 581"),
            happened(20, "models", "vae.safetensors", "a model file was changed: vae.safetensors"),
            happened(2, "image", "myia-turbo", "image forge:1 became forge:2", verb="remade"),
            happened(-1, "alert", "myia-turbo", "crash-looping"),
        ]
    )
    ended = event("myia-turbo", "die", minutes=9.5, exit_code=2)
    found = what_changed(session, finding(), snapshot(events=[ended]))
    assert [one.kind for one in found.entries] == [
        "container",
        "image",
        "plan",
        "models",
        "driver",
        "host",
    ]
    plan = one_of(found, "restart myia-turbo done")
    assert plan.text == "restart myia-turbo done: runs again"
    assert plan.who == "jesse from 192.0.2.7, tui"
    assert all(one.near for one in found.entries)
    assert one_of(found, "ended, exit 2").severity == "error"
    assert not one_of(found, "ended, exit 2").changes
    assert found.onset == BEGAN
    assert found.until == BEGAN + timedelta(seconds=limits().after_seconds)


def test_what_is_about_others_is_told_from_what_is_near(session: Session) -> None:
    planned(session, 3, "stop", "comfyui-qwen", "done")
    planned(session, 5, "switch", "dual", "failed")
    found = what_changed(session, finding(), snapshot())
    assert not one_of(found, "stop comfyui-qwen done").near
    switch = one_of(found, "switch dual failed")
    assert (switch.near, switch.severity) == (True, "error")
    for subject in ("host", "driver", "engine"):
        found = what_changed(session, finding(subject=subject), snapshot())
        assert all(one.near for one in found.entries)


def test_what_is_written_and_what_the_engine_remembers_is_told_once(session: Session) -> None:
    start = event("myia-turbo", "start", minutes=11)
    end = event("myia-turbo", "die", minutes=10.5, exit_code=2)
    from actions.watching.container_events import container_happenings

    TimelineRecords(session.store).happen(container_happenings([end, start]))
    found = what_changed(session, finding(), snapshot(events=[end, start]))
    assert texts(found) == ["ended, exit 2: usage error", "started"]


def test_a_crash_loop_is_one_line_with_its_number(session: Session) -> None:
    loop = [
        event("myia-turbo", action, minutes=9 - turn / 20, exit_code=2 if action == "die" else None)
        for turn in reversed(range(40))
        for action in ("die", "start")
    ]
    found = what_changed(session, finding(), snapshot(events=loop))
    assert len(found.entries) == 2
    ends = one_of(found, "ended, exit 2")
    assert ends.count == 40
    assert ends.until is not None
    assert ends.until > ends.at


def test_files_containers_and_the_host_tell_themselves_though_nobody_watched(
    session: Session, tmp_path: Path
) -> None:
    compose, other = tmp_path / "docker-compose.yml", tmp_path / "other.yml"
    for path, minutes in ((compose, 3), (other, 6)):
        path.write_text("services: {}\n")
        moment = (BEGAN - timedelta(minutes=minutes)).timestamp()
        os.utime(path, (moment, moment))
    mine = compose_in(tmp_path, compose.name)
    theirs = compose_in(tmp_path, str(other))
    ModelFileRecords(session.store).put(
        [
            ModelFileRow(
                path=f"/models/{name}",
                device=1,
                inode=number,
                size=1,
                mtime_ns=int((BEGAN - timedelta(minutes=20 + number)).timestamp() * 1e9),
            )
            for number, name in enumerate(("a.safetensors", "b.safetensors"))
        ]
    )
    made = container("myia-turbo", created_at=BEGAN - timedelta(minutes=1), compose=mine)
    caddy = container("caddy", created_at=BEGAN - timedelta(minutes=2), compose=theirs)
    uptime = (NOW - BEGAN).total_seconds() + 90 * 60
    found = what_changed(session, finding(), snapshot(made, caddy, uptime=uptime))
    assert one_of(found, "created from").at == BEGAN - timedelta(minutes=1)
    assert one_of(found, "docker-compose.yml was edited").near
    assert not one_of(found, "other.yml was edited").near
    assert "a.safetensors" in one_of(found, "2 model files were written").text
    assert one_of(found, "was started").at == BEGAN - timedelta(minutes=90)
    assert all(one.changes for one in found.entries)


def test_a_file_whose_change_was_written_down_is_not_told_twice(
    session: Session, tmp_path: Path
) -> None:
    compose = tmp_path / "docker-compose.yml"
    compose.write_text("services: {}\n")
    at = BEGAN - timedelta(minutes=3)
    os.utime(compose, (at.timestamp(), at.timestamp()))
    text = f"{compose} was edited"
    TimelineRecords(session.store).happen(
        [happened(3, "config", compose.name, text, verb="edited", path=str(compose))]
    )
    made = container(
        "myia-turbo",
        created_at=NOW - timedelta(days=90),
        compose=compose_in(tmp_path, compose.name),
    )
    found = what_changed(session, finding(), snapshot(made))
    assert texts(found) == [text]
    assert found.entries[0].near


def test_where_nothing_changed_lately_the_last_changes_before_are_told(session: Session) -> None:
    TimelineRecords(session.store).happen(
        [
            happened(60 * 24 * n, "image", "myia-turbo", f"image forge:{n} became forge:{n + 1}")
            for n in range(1, 30)
        ]
    )
    found = what_changed(session, finding(), snapshot())
    assert texts(found) == [f"image forge:{n} became forge:{n + 1}" for n in (1, 2, 3)]
    assert all(one.long_before for one in found.entries)


def test_a_busy_host_is_told_of_within_bounds(session: Session) -> None:
    TimelineRecords(session.store).happen(
        [happened(n / 60, "config", "caddy", f"thing {n}") for n in range(500)]
        + [happened(100, "config", "myia-turbo", "the one that matters")]
    )
    found = what_changed(session, finding(), snapshot())
    assert len(found.entries) == limits().most
    assert found.left_out == 501 - limits().most
    assert one_of(found, "the one that matters").near


def test_a_beginning_long_ago_is_found_behind_all_that_happened_since(session: Session) -> None:
    old = NOW - timedelta(days=3)
    records = TimelineRecords(session.store)
    records.happen([happened(0, "config", "myia-turbo", "now and then")])
    records.happen(
        [
            msgspec.structs.replace(
                happened(0, "config", "myia-turbo", "the flag came"), at=old - timedelta(minutes=5)
            )
        ]
    )
    records.happen(
        [
            msgspec.structs.replace(
                happened(0, "config", "caddy", f"noise {n}"), at=old + timedelta(minutes=10 + n)
            )
            for n in range(2500)
        ]
    )
    found = what_changed(session, finding(since=old), snapshot())
    assert "the flag came" in texts(found)
    assert "now and then" not in texts(found)


def test_what_nobody_knows_the_beginning_of_is_told_with_the_last_day(session: Session) -> None:
    TimelineRecords(session.store).happen(
        [
            happened(60, "config", "myia-turbo", "today"),
            happened(60 * 30, "config", "myia-turbo", "the day before"),
        ]
    )
    found = what_changed(session, finding(since=None), snapshot())
    assert found.onset is None
    assert texts(found) == ["today"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-22T22:14:03Z", datetime(2026, 11, 22, 22, 14, 3, tzinfo=UTC)),
        ("2026-11-22T22:14:03.123456789Z", datetime(2026, 11, 22, 22, 14, 3, 123456, tzinfo=UTC)),
        ("2026-11-22T23:14:03+01:00", datetime(2026, 11, 22, 22, 14, 3, tzinfo=UTC)),
        ("2026-11-22 22:14:03", None),
        ("22:14:03", None),
        ("", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("\x1b[31mno time", None),
    ],
)
def test_times_of_logs_mean_a_moment_only_with_their_zone(
    written: str, meant: datetime | None
) -> None:
    assert moment_of(written) == meant


def test_a_finding_begins_with_its_first_evidence() -> None:
    quoted = [
        Evidence(source="x", at=at, number=1, text="x")
        for at in ("2026-11-22T22:15:00Z", "2026-11-22T22:14:00Z", "22:00")
    ]
    found = finding(since=None, evidence=tuple(quoted), first_at="garbled")
    assert onset_of(found) == datetime(2026, 11, 22, 22, 14, tzinfo=UTC)
    assert onset_of(finding()) == BEGAN
    assert onset_of(finding(since=None)) is None


def test_hostile_words_of_the_timeline_are_cleaned(session: Session) -> None:
    text = "image \x1b[2J became " + "x" * 5000
    TimelineRecords(session.store).happen([happened(1, "image", "myia-turbo", text)])
    found = what_changed(session, finding(), snapshot())
    shown = found.entries[0].text
    assert "\x1b" not in shown
    assert len(shown) <= 400


def test_bodies_that_somebody_garbled_are_no_trouble(session: Session) -> None:
    records = TimelineRecords(session.store)
    for number, body in enumerate(({}, {"verb": None, "facts": "x", "text": ["a"]})):
        records.put(
            at=BEGAN - timedelta(minutes=number + 1),
            kind="config",
            subject="x",
            body=body,
            plan_id=f"p{number}",
        )
    assert len(what_changed(session, finding(), snapshot()).entries) == 2


def test_a_host_without_engine_or_facts_still_has_its_timeline(session: Session) -> None:
    planned(session, 4, "restart", "myia-turbo", "done")
    bare = changed(snapshot(), engine=engine_snapshot())
    assert texts(what_changed(session, finding(), bare)) == ["restart myia-turbo done: runs again"]


def test_what_a_rehearsal_lays_out_is_not_what_has_just_changed(tmp_path: Path) -> None:
    with edit_host(tmp_path / "operator", scenario="bad-update") as rehearsed:
        session = rehearsed.session()
        live = LiveHost(session)
        live.start()
        try:
            wait_until(lambda: live.snapshot().engine.containers)
            picture = live.snapshot()
        finally:
            live.stop()
        began = session.clock.now()
        found = what_changed(session, finding(subject="comfyui-qwen", since=began), picture)
    assert [one.text for one in found.entries if one.kind in {"config", "models"}] == []


def alerted(session: Session, minutes: float, event: str, subject: str = "cards") -> None:
    since = (BEGAN - timedelta(minutes=minutes, seconds=30)).isoformat()
    text = f"the driver does not answer {minutes}"
    told = happened(minutes, "alert", subject, text, verb="nvml.gone", event=event, since=since)
    TimelineRecords(session.store).happen([told])


def test_what_bears_no_time_began_when_its_alert_was_raised(session: Session) -> None:
    mismatch = finding(id="nvml.version-mismatch", subject="driver", since=None)
    assert what_changed(session, mismatch, snapshot()).onset is None
    alerted(session, 90, "raised")
    alerted(session, 80, "cleared")
    assert what_changed(session, mismatch, snapshot()).onset is None
    alerted(session, 20, "raised")
    alerted(session, 10, "worse")
    alerted(session, 5, "raised", "myia-turbo")
    began = BEGAN - timedelta(minutes=20, seconds=30)
    assert what_changed(session, mismatch, snapshot()).onset == began
    past = msgspec.structs.replace(mismatch, current=False)
    assert what_changed(session, past, snapshot()).onset is None
