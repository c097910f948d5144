"""A plan that stops and goes on under its own id, as the tables keep it; marks beside them."""

import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.clock import HeldClock
from console.host.boot import boot_id
from console.paths import Places, ensure_private_dir
from console.store.database import open_store
from console.store.downloads import read_open_downloads
from console.store.markers import Markers
from console.store.migrations import migrate
from console.store.plans import STOPPED_STATES, PlanRecords

BODY: dict[str, Any] = {"verb": "pull", "target": "qwen", "target_id": "qwen", "endless": True}


def stopped(records: PlanRecords, clock: HeldClock, state: str, ident: str = "p1") -> None:
    """Let a plan run for a moment and stop."""
    now = clock.now()
    records.add(ident, BODY, "queued", now, "boot-1")
    records.begin(ident, 42, now)
    records.add_event(ident, "step_progress", "s", {"text": "half", "transfer": {}}, now)
    records.end(ident, state, ("failed", {"outcome": state}), now)


@pytest.mark.parametrize("state", STOPPED_STATES)
def test_one_that_stopped_goes_on_as_if_nobody_had_wished_anything(
    places: Places, clock: HeldClock, state: str
) -> None:
    records = PlanRecords(open_store(places, clock))
    stopped(records, clock, state)
    assert records.requeue("p1", {"by": "operator"}, clock.now(), "boot-2")
    row = records.get("p1")
    assert row is not None
    assert (row.state, row.runner_pid, row.started_at, row.ended_at) == ("queued", None, None, None)
    assert (row.attempts, row.boot_id) == (1, "boot-2")
    assert not records.requeue("p1", {}, clock.now(), "boot-2"), "it waits for its process already"
    assert [event.kind for event in records.events("p1")] == []
    assert records.events_of_kind("p1", "resumed")[0].body == {"by": "operator"}
    assert records.events_of_kind("p1", "step_progress")[0].body["text"] == "half"
    assert records.begin("p1", 43, clock.now())
    records.add_event("p1", "started", "", {}, clock.now())
    assert [event.kind for event in records.events("p1")] == ["started"]
    row = records.get("p1")
    assert row is not None
    assert (row.attempts, row.runner_pid) == (2, 43)


def test_wishes_reach_only_what_is_under_way_and_a_cancel_outweighs(
    places: Places, clock: HeldClock
) -> None:
    records = PlanRecords(open_store(places, clock))
    assert not records.request_pause("p1", clock.now())
    records.add("p1", BODY, "queued", clock.now())
    assert records.wished("p1") == ""
    assert records.request_pause("p1", clock.now())
    assert records.wished("p1") == "pause"
    assert records.request_cancel("p1", clock.now())
    assert records.wished("p1") == "cancel"
    records.end("p1", "paused", ("failed", {}), clock.now())
    assert not records.request_pause("p1", clock.now())
    assert records.requeue("p1", {}, clock.now(), "")
    assert records.wished("p1") == ""
    assert records.wished("p2") == ""


@pytest.mark.parametrize("state", ["done", "cancelled", "refused", "stale"])
def test_what_ended_for_good_does_not_go_on(places: Places, clock: HeldClock, state: str) -> None:
    records = PlanRecords(open_store(places, clock))
    stopped(records, clock, state)
    assert not records.requeue("p1", {}, clock.now(), "")
    assert not records.give_up("p1", ("failed", {}), clock.now())
    row = records.get("p1")
    assert row is not None
    assert row.state == state


def test_of_many_that_go_on_or_give_up_at_once_one_wins(places: Places, clock: HeldClock) -> None:
    stopped(PlanRecords(open_store(places, clock)), clock, "paused")
    won = list[str]()
    ready = threading.Barrier(6)

    def go_on(number: int) -> None:
        records = PlanRecords(open_store(places, clock))
        ready.wait(10)
        if number % 2:
            done, name = records.requeue("p1", {}, clock.now(), ""), "queued"
        else:
            done, name = records.give_up("p1", ("failed", {}), clock.now()), "cancelled"
        won.extend([name] * done)

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    row = PlanRecords(open_store(places, clock)).get("p1")
    assert row is not None
    assert won == [row.state]


def test_what_is_given_up_has_one_end(places: Places, clock: HeldClock) -> None:
    records = PlanRecords(open_store(places, clock))
    stopped(records, clock, "paused")
    assert records.give_up("p1", ("failed", {"outcome": "cancelled"}), clock.now())
    ends = [event for event in records.events("p1") if event.kind == "failed"]
    assert [event.body["outcome"] for event in ends] == ["cancelled"]


def test_downloads_that_wait_are_not_forgotten_with_old_plans(
    places: Places, clock: HeldClock
) -> None:
    store = open_store(places, clock)
    records = PlanRecords(store)
    stopped(records, clock, "paused", "old-paused")
    stopped(records, clock, "done", "old-done")
    store.write(
        lambda connection: connection.execute(
            "UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'plans'"
        )
    )
    records.add("new", BODY, "queued", clock.now())
    assert records.get("old-done") is None
    assert records.get("old-paused") is not None
    assert records.events("old-paused") != ()


def test_open_downloads_in_one_query(places: Places, clock: HeldClock) -> None:
    store = open_store(places, clock)
    records = PlanRecords(store)
    for number, state in enumerate(("paused", "interrupted", "done", "cancelled", "needs_token")):
        stopped(records, clock, state, f"p{number}")
    records.add("other", {**BODY, "endless": False}, "queued", clock.now())
    records.add_event("p0", "step_progress", "t", {"text": "later, without figures"}, clock.now())
    store.write(lambda db: db.execute("UPDATE plans SET body = 'no json' WHERE id = 'p1'"))
    found = read_open_downloads(store)
    assert [one.id for one in found] == ["p4", "p0"]
    assert found[1].told["text"] == "half", "the last words with figures"


def test_plans_of_an_older_version_can_be_read_and_asked(places: Places, clock: HeldClock) -> None:
    places.state_dir.mkdir(parents=True, mode=0o700)
    old = sqlite3.connect(places.state_dir / "gpuconsole.db", isolation_level=None)
    migrate(old, upto=2)
    old.execute(
        "INSERT INTO plans (id, verb, target, target_id, state, body, created_at, runner_pid) "
        "VALUES ('p1', 'stop', 'myia', 'f', 'running', '{}', 1.0, 7)"
    )
    old.execute(
        "INSERT INTO plan_events (plan_id, at, kind, body) VALUES ('p1', 1.0, 'started', '{}')"
    )
    old.close()
    records = PlanRecords(open_store(places, clock))
    (row,) = records.newest(("running",))
    assert (row.id, row.attempts, row.boot_id, row.runner_pid) == ("p1", 0, "", 7)
    assert [event.kind for event in records.events("p1")] == ["started"]
    assert records.wished("p1") == ""
    assert records.request_cancel("p1", clock.now() + timedelta(seconds=1))


def test_marks(places: Places) -> None:
    markers = Markers(places)
    assert (markers.any(), markers.waiting()) == (False, ())
    markers.put("20261127T060000-abcdef")
    assert not places.state_dir.exists()  # a mark alone makes no folder of a journal anew
    ensure_private_dir(places.state_dir)
    markers.put("20261127T060000-abcdef")
    assert markers.waiting() == ("20261127T060000-abcdef",)
    markers.hold("20261127T060000-abcdef")
    assert (markers.any(), markers.waiting()) == (True, ())
    markers.put("20261127T060000-abcdef")
    assert markers.waiting() == ("20261127T060000-abcdef",)
    assert len(list((places.state_dir / "downloads").iterdir())) == 1
    markers.remove("20261127T060000-abcdef")
    markers.remove("20261127T060000-abcdef")
    assert not markers.any()


def test_without_a_place_for_marks_nothing_breaks(places: Places) -> None:
    places.state_dir.parent.mkdir(parents=True)
    places.state_dir.write_text("a file in the way")
    markers = Markers(places)
    markers.put("a")
    markers.hold("a")
    markers.remove("a")
    assert not markers.any()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("0B0A1C9E-1111-4222-8333-444444444444\n", "0b0a1c9e-1111-4222-8333-444444444444"),
        ("", ""),
        ("\x1b[31mnot one", ""),
        ("é" * 40, ""),
        (None, ""),
    ],
)
def test_which_run_of_the_host_this_is(tmp_path: Path, text: str | None, answer: str) -> None:
    file = tmp_path / "proc/sys/kernel/random/boot_id"
    file.parent.mkdir(parents=True)
    if text is not None:
        file.write_text(text, "utf-8")
    assert boot_id(tmp_path) == answer
