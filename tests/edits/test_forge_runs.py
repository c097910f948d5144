"""Pictures on a rehearsed Forge, of the image's generation and of the newest."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.config.schema import Auth
from console.edits.events import (
    AnyEvent,
    Failed,
    Finished,
    Interrupted,
    Preview,
    Progress,
    Queued,
    Started,
)
from console.edits.words import EditRefusedError
from console.forge.pictures import PictureRequest, parse_made, parse_now, unpacked
from console.forge.run import ForgePace, ForgeRun
from console.simulator.services.pixels import size_of
from console.unknown import Unknown
from console.web.client import WebClient
from console.web.credential import Credential
from console.web.faults import NeedsAuthError, ServiceUnreachableError
from tests.edits.graphs import PICTURE
from tests.edits.servers import Served, served
from tests.support.waiting import wait_until

QUICK = ForgePace(look=0.05, longest=20.0, heed=0.3)


@pytest.fixture(params=["2024-09", "newest"])
def forge(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with served("forge", tmp_path, request.param, job=0.5) as made:
        yield made


def wanted(**more: Any) -> PictureRequest:
    return PictureRequest(ident="gpuconsole-1", prompt="a lamp", width=64, height=48, **more)


def run_of(forge: Served, request: PictureRequest) -> ForgeRun:
    return ForgeRun(forge.client, request, pace=QUICK)


def walked(forge: Served, request: PictureRequest) -> list[AnyEvent]:
    return list(run_of(forge, request).events())


def test_words_become_a_picture_that_is_seen_growing(forge: Served) -> None:
    events = walked(forge, wanted())
    last = events[-1]
    assert isinstance(last, Finished)
    assert [size_of(picture.data) for picture in last.pictures] == [(64, 48)]
    assert json.loads(last.info)["prompt"] == "a lamp"
    assert isinstance(events[0], Started)
    steps = [event.step for event in events if isinstance(event, Progress)]
    assert steps == sorted(set(steps))
    assert len(steps) > 2
    assert any(isinstance(event, Preview) for event in events)
    order = forge.solo.history()[0][0]
    assert order.extra["forge"]["save_images"] is True


def test_a_picture_is_changed_and_has_the_size_that_was_asked_for(forge: Served) -> None:
    last = walked(forge, wanted(kind="img2img", pictures=(PICTURE,)))[-1]
    assert isinstance(last, Finished)
    assert last.pictures[0].media == "image/png"
    assert size_of(last.pictures[0].data) == (64, 48)
    assert last.pictures[0].data != PICTURE


def test_it_is_broken_off_and_what_is_there_is_kept(forge: Served) -> None:
    forge.solo.habits = replace(forge.solo.habits, job=6.0)
    run = run_of(forge, wanted())
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Started):
            run.cancel()
    last = events[-1]
    assert isinstance(last, Interrupted)
    assert last.asked
    assert last.pictures
    assert [how for _, how in forge.solo.history()] == ["interrupted"]


def test_one_whose_forge_hangs_is_given_up_soon_after_its_cancel(
    forge: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.forge.run._ASK_PATIENCE", 0.1)
    forge.solo.habits = replace(forge.solo.habits, job=6.0)
    run = run_of(forge, wanted())
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Started):
            forge.hang(1.0)
            run.cancel()
    assert events[-1] == Interrupted(ident="gpuconsole-1", asked=True, heard=False)


def test_somebody_elses_picture_is_made_first_and_never_broken_off(forge: Served) -> None:
    forge.solo.habits = replace(forge.solo.habits, job=1.2)
    forge.solo.queue("task(other)", {}, {})
    run = run_of(forge, wanted())
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Queued):
            assert isinstance(event.ahead, Unknown)
            run.cancel()
    assert [how for _, how in forge.solo.history()] == ["success", "interrupted"]
    assert isinstance(events[0], Queued)
    assert isinstance(events[-1], Interrupted)


def test_a_picture_that_cannot_be_read_is_refused(forge: Served) -> None:
    with pytest.raises(EditRefusedError) as caught:
        walked(forge, wanted(kind="img2img"))
    assert caught.value.code == "forge.refused"
    assert "Init image not found" in caught.value.title
    last = walked(forge, wanted(kind="img2img", pictures=(b"none",)))[-1]
    assert isinstance(last, Failed)
    assert "Invalid encoded image" in last.detail


def test_out_of_memory_is_told_as_such(forge: Served) -> None:
    forge.mood("run-oom")
    last = walked(forge, wanted())[-1]
    assert isinstance(last, Failed)
    assert last.code == "edit.out-of-memory"


@pytest.mark.parametrize(
    ("mood", "code"),
    [("run-lost-answer", "forge.lost-answer"), ("run-no-picture", "forge.no-picture")],
)
def test_an_answer_that_is_lost_or_no_picture_is_no_success(
    forge: Served, mood: str, code: str
) -> None:
    forge.mood(mood)
    last = walked(forge, wanted())[-1]
    assert isinstance(last, Failed)
    assert last.code == code


def test_a_forge_that_dies_or_is_not_there(forge: Served) -> None:
    events = []
    for event in run_of(forge, wanted()).events():
        events.append(event)
        if isinstance(event, Started):
            forge.crash()
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.code == "forge.lost-answer"
    with pytest.raises(ServiceUnreachableError):
        walked(forge, wanted())


def test_a_login_is_needed_and_taken(tmp_path: Path) -> None:
    words = ("launch.py", "--api", "--api-auth", "me:pass-word-91")
    with served("forge", tmp_path, job=0.2, arguments=words) as forge:
        with pytest.raises(NeedsAuthError) as caught:
            walked(forge, wanted())
        assert "pass-word-91" not in str(caught.value.title + caught.value.detail)
        auth = Credential(Auth(scheme="basic", env="LOGIN"), {"LOGIN": "me:pass-word-91"})
        run = ForgeRun(lambda: WebClient(forge.url, auth), wanted(), pace=QUICK)
        assert isinstance(list(run.events())[-1], Finished)


def test_leaving_ends_the_watching_at_once(forge: Served) -> None:
    forge.solo.habits = replace(forge.solo.habits, job=30.0)
    run = run_of(forge, wanted())
    events = []
    for event in run.events():
        events.append(event)
        run.leave()
    assert [type(event) for event in events] == [Started]
    wait_until(lambda: forge.solo.figures().job is not None)


def test_what_is_odd_in_an_answer_is_left_out_and_counted() -> None:
    packed = base64.b64encode(PICTURE).decode()
    made = parse_made({"images": [packed, "data:image/png;base64," + packed, 7, "%%", "AAAA", None],
                       "info": "seed: 1\x1b[2J"})  # fmt: skip
    assert [picture.data for picture in made.pictures] == [PICTURE, PICTURE]
    assert made.odd == 4
    assert made.info == "seed: 1"
    assert parse_made([1]).pictures == ()
    assert parse_made({"images": {"a": packed}, "info": 3}).pictures == ()
    assert unpacked("A" * 3) is None


def test_odd_progress_is_unknown_and_never_idle() -> None:
    assert isinstance(parse_now({}).busy, Unknown)
    assert isinstance(parse_now({"state": {"job_count": float("nan")}}).busy, Unknown)
    idle = parse_now({"state": {"job_count": 0}, "current_image": "AAAA", "current_task": None})
    assert (idle.busy, idle.preview, idle.task) == (False, None, "")
    busy = parse_now({"state": {"job_count": -1, "job_timestamp": 5}, "current_task": "t\x07"})
    assert (busy.busy, busy.begun, busy.task) == (True, "5", "t")
