"""A load run on a rehearsal where things go down in the middle: survived, and told by kind."""

import json
import socket
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actions.load.doing import LoadVerbs
from actions.load.finishing import kept_data
from actions.load.ledger import Ledger
from actions.plan import Plan
from actions.trouble import CancelledStepError, PausedStepError
from console.store.edits import EditRecords, Filter
from tests.load.conftest import Under
from tests.support.edits import COMFY
from tests.support.waiting import wait_until

BIG = 1
"""The card of ComfyUI, by its number in the scene."""


def test_comfyui_killed_in_the_middle_is_survived_and_told(under: Under) -> None:
    plan = under.plan(requests=6, at_once=3, seed=500)
    end = _hanging(under, plan, 3)
    under.host.control("kill", container=COMFY)
    _seen(under, plan, "service-down")
    under.host.mood("")
    under.host.control("start", container=COMFY)
    data = end()

    assert data["succeeded"] == len(data["failed"]) == 3
    assert {one["kind"] for one in data["failed"]} == {"service-died"}
    assert not [one for one in data["failed"] if "somebody" in one["title"]]
    assert "somebody" not in (Path(data["folder"]) / "requests.csv").read_text()
    down = next(one for one in data["incidents"] if one["kind"].startswith("service-"))
    assert down["subject"] == COMFY
    assert down["gap_seconds"] >= 0.5
    assert set(down["lost"]) == {one["number"] for one in data["failed"]}
    assert data["throughput_without_gaps"] > data["throughput_per_minute"]
    assert "Survived: comfyui-qwen was down" in data["sentence"]
    kept = EditRecords(under.session.store).find(Filter(group=plan.id), 100)
    done = [one.seed for one in kept if one.state == "done"]
    assert len(done) == len(set(done)) == data["succeeded"], "nothing was made twice"


def test_docker_restarted_in_the_middle_is_survived_and_told(under: Under) -> None:
    plan = under.plan(requests=5, at_once=2)
    end = _hanging(under, plan, 2)
    under.host.control("engine-down")
    under.host.control("kill", container=COMFY)
    _seen(under, plan, "engine-away")
    wait_until(lambda: not _listens(under), 10, "its program is gone")
    under.host.mood("")
    under.host.control("engine-up")
    under.host.control("start", container=COMFY)
    data = end()

    assert (data["succeeded"], len(data["failed"])) == (3, 2)
    assert {one["kind"] for one in data["failed"]} == {"engine-restarted"}
    away = next(one for one in data["incidents"] if one["kind"] == "engine-away")
    assert away["ended_seconds"] is not None
    assert away["seconds"] > 0


def test_a_card_lost_in_the_middle_takes_its_request_along_and_leaves_a_hole(under: Under) -> None:
    plan = under.plan(requests=5, at_once=1)
    end = under.begin(plan)
    under.wait_for(1)
    under.host.mood("run-dies-sampling")  # as programs do when their card is gone
    under.host.control("card-fault", card=BIG)
    _seen(under, plan, "card-lost")
    wait_until(lambda: _failed(under), 20, "a request is lost")
    sent = _sent(under)
    threading.Event().wait(0.5)
    assert _sent(under) == sent, "nothing is sent where the card is gone"
    under.host.mood("")
    under.host.control("card-heal", card=BIG)
    data = end()

    assert data["succeeded"] + len(data["failed"]) == 5
    assert data["succeeded"] >= 3
    assert {one["kind"] for one in data["failed"]} == {"card-lost"}
    lost = next(one for one in data["incidents"] if one["kind"] == "card-lost")
    assert "3090" in lost["subject"]
    assert lost["lost"] == [one["number"] for one in data["failed"]]
    card = next(one for one in data["cards"] if one["services"] == [COMFY])
    assert card["vram_peak_bytes"] > card["vram_before_bytes"]
    rows = (Path(data["folder"]) / "samples.csv").read_text().splitlines()
    holes = [row for row in rows if row.endswith(",true")]
    assert holes
    assert all(f"{card['gpu_uuid']},{card['name']},," in row for row in holes), "never a zero"


def test_out_of_memory_is_counted_and_the_rest_goes_on(under: Under) -> None:
    under.host.control("service-odd", container=COMFY, error="run-oom", value=1)
    data = under.carry_out(under.plan(requests=3, at_once=1))

    assert data["failures_by_kind"] == {"out-of-memory": 1}
    assert (data["succeeded"], data["out_of_memory"]) == (2, 1)
    assert "smaller variant" in data["failed"][0]["hint"]


def test_a_service_that_stays_away_ends_the_run_after_its_patience(under: Under) -> None:
    end = under.begin(under.plan(requests=4, at_once=2, patience=1.0))
    under.wait_for(1)
    under.host.control("kill", container=COMFY)
    data = end()

    assert data["succeeded"] >= 1
    assert data["succeeded"] + len(data["failed"]) == 4
    kinds = {one["kind"] for one in data["failed"]}
    assert "not-sent" in kinds
    assert kinds <= {"not-sent", "service-died"}
    assert data["incidents"][0]["ended_seconds"] is None
    assert "Survived" not in data["sentence"]


def test_cancelling_breaks_off_what_runs_at_the_service_and_reports_the_rest(under: Under) -> None:
    plan = under.plan(requests=9, at_once=3)
    end = under.begin(plan)
    under.wait_for(2)
    under.wish = "cancel"
    with pytest.raises(CancelledStepError) as caught:
        end()

    assert caught.value.outcome == "cancelled"
    said = LoadVerbs(under.session).drop(plan)
    data = kept_data(under.session, plan.id)
    assert data is not None
    assert data["ended_early"]
    assert data["succeeded"] + data["cancelled"] == 9
    assert data["cancelled"] >= 4
    assert "report.md" in said
    wait_until(lambda: not _queue(under), 5, "the service's queue is empty")


def test_a_process_that_has_to_go_is_gone_on_with_and_sends_nothing_twice(under: Under) -> None:
    plan = under.plan(requests=4, at_once=2, seed=900)
    end = under.begin(plan)
    under.wait_for(1)
    under.wish = "leave"
    with pytest.raises(PausedStepError):
        end()
    under.wish = ""

    data = under.carry_out(plan)

    assert (data["succeeded"], data["failed"]) == (4, [])
    assert under.seeds_at_the_service() == list(range(900, 904))
    assert [one["kind"] for one in data["incidents"]] == ["console-away"]
    assert len(under.pictures()) == 4


def test_giving_a_stopped_run_up_cancels_what_it_left_at_the_service(under: Under) -> None:
    under.host.mood("run-slow")
    plan = under.plan(requests=4, at_once=2)
    end = under.begin(plan)
    wait_until(lambda: _queue(under), 20, "something is at the service")
    under.wish = "leave"
    with pytest.raises(PausedStepError):
        end()
    assert _queue(under), "it goes on there"

    said = LoadVerbs(under.session).drop(plan)

    wait_until(lambda: not _queue(under), 5, "the service's queue is empty")
    data = kept_data(under.session, plan.id)
    assert data is not None
    assert (data["succeeded"], data["cancelled"]) == (0, 4)
    assert "0 of 4 succeeded" in said


def test_discarded_pictures_leave_nothing_but_figures(under: Under) -> None:
    data = under.carry_out(under.plan(requests=2, at_once=2, discard=True))

    assert data["succeeded"] == 2
    assert data["discarded"]
    assert data["outputs"] == []
    assert under.pictures() == []
    assert not list(under.host.outputs.rglob(".inputs/*"))
    assert EditRecords(under.session.store).count(Filter(group=data["group"])) == 0


def _hanging(under: Under, plan: Plan, count: int) -> Callable[[], dict[str, Any]]:
    """Begin a run whose first requests never end; gives who waits for its data."""
    under.host.mood("run-hangs")
    end = under.begin(plan)
    wait_until(lambda: _queue(under) == count, 30, f"{count} requests at the service")
    return end


def _seen(under: Under, plan: Plan, kind: str) -> None:
    """Wait until the run has seen something, which it writes down at once."""
    ledger = Ledger(under.session.places.state_dir, plan.id)
    wait_until(lambda: any(one.kind == kind for one in ledger.read().incidents), 10, kind)


def _failed(under: Under) -> bool:
    return EditRecords(under.session.store).count(Filter(states=("failed",))) > 0


def _listens(under: Under) -> bool:
    try:
        socket.create_connection(("127.0.0.1", under.host.ports[COMFY]), 1).close()
    except OSError:
        return False
    return True


def _sent(under: Under) -> int:
    return EditRecords(under.session.store).count(Filter(submitted=True))


def _queue(under: Under) -> int:
    with urllib.request.urlopen(f"{under.host.url(COMFY)}/queue", timeout=10) as answer:
        told = json.load(answer)
    return len(told["queue_running"]) + len(told["queue_pending"])
