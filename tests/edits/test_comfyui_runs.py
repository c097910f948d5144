"""Edits on a rehearsed ComfyUI of both recorded versions: seen from submission to picture."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from console.comfyui.prompts import Prompt, PromptCalls
from console.comfyui.refusals import GraphRefusedError
from console.comfyui.run import ComfyRun
from console.edits.events import (
    LAST,
    AnyEvent,
    Failed,
    Finished,
    Interrupted,
    Node,
    Preview,
    Progress,
    Queued,
    Started,
)
from console.edits.result import media_of
from console.edits.stream import stream
from console.edits.words import EditRefusedError
from console.simulator.services.pixels import size_of
from console.unknown import Unknown
from console.web.faults import ServiceFault, ServiceUnreachableError
from tests.edits.conftest import QUICK
from tests.edits.graphs import PICTURE, graph, prompt
from tests.edits.servers import Served
from tests.support.waiting import wait_until


def run_of(comfy: Served, made: Prompt, **more: Any) -> ComfyRun:
    return ComfyRun(comfy.client, made, pace=QUICK, **more)


def walked(comfy: Served, made: Prompt, **more: Any) -> list[AnyEvent]:
    return list(run_of(comfy, made, **more).events())


def submissions(comfy: Served) -> int:
    return (
        len(comfy.solo.history())
        + len(comfy.solo.figures().waiting)
        + bool(comfy.solo.figures().job)
    )


def finished(events: list[AnyEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished), last
    assert sum(isinstance(event, LAST) for event in events) == 1
    return last


def test_an_edit_is_seen_from_its_start_to_its_picture(comfy: Served, photo: str) -> None:
    events = walked(comfy, prompt(graph(photo)))
    last = finished(events)
    kinds = [type(event) for event in events if not isinstance(event, Queued)]
    assert kinds[0] is Started
    nodes = [event for event in events if isinstance(event, Node)]
    assert [node.kind for node in nodes][-3:] == ["KSampler", "VAEDecode", "SaveImage"]
    assert [node.number for node in nodes] == list(range(1, 10))
    assert {node.total for node in nodes} == {9}
    assert next(node for node in nodes if node.node == "1").title == "My photo"
    steps = [event for event in events if isinstance(event, Progress)]
    assert [(step.node, step.step, step.steps) for step in steps] == [
        ("8", number, 4) for number in range(1, 5)
    ]
    assert isinstance(steps[0].left_seconds, Unknown)
    assert not isinstance(steps[-1].left_seconds, Unknown)
    assert not any(isinstance(event, Preview) for event in events)
    assert not last.cached
    sampled = next(time for time in last.nodes if time.kind == "KSampler")
    assert sampled.steps == 4
    picture = PromptCalls(comfy.client()).fetch(last.outputs[0])
    assert picture.media == "image/png"
    assert size_of(picture.data) == size_of(PICTURE)
    assert picture.data != PICTURE


def test_live_pictures_come_where_they_are_asked_for(comfy: Served, photo: str) -> None:
    events = walked(comfy, prompt(graph(photo), preview_method="auto"))
    previews = [event for event in events if isinstance(event, Preview)]
    if comfy.server._api.version == "0.3.64":
        # That one goes by its own flag, and was not started with it.
        assert previews == []
    else:
        assert len(previews) == 4
        assert {(one.node, one.media) for one in previews} == {("8", "image/jpeg")}
        assert {size_of(one.data) for one in previews} == {(512, 341)}


def test_a_second_run_of_the_same_is_recognised_as_the_old_file(comfy: Served, photo: str) -> None:
    first = finished(walked(comfy, prompt(graph(photo))))
    again = finished(walked(comfy, prompt(graph(photo))))
    assert [output.name for output in again.outputs] == [first.outputs[0].name]
    assert (first.cached, again.cached) == (False, True)
    other = walked(comfy, prompt(graph(photo, seed=2)))
    assert finished(other).outputs[0].name != first.outputs[0].name
    started = next(event for event in other if isinstance(event, Started))
    assert {"1", "4", "5", "6"} <= set(started.cached)
    assert [e.node for e in other if isinstance(e, Node)] == ["8", "9", "60"]


def test_it_waits_its_turn_and_says_how_many_come_before(comfy: Served, photo: str) -> None:
    calls = PromptCalls(comfy.client())
    for seed in (10, 11):
        calls.submit(prompt(graph(photo, seed=seed)))
    events = walked(comfy, prompt(graph(photo, seed=12)))
    ahead = [event.ahead for event in events if isinstance(event, Queued)]
    assert ahead == [2, 1]
    finished(events)


def test_a_refused_graph_names_every_node_and_what_is_allowed(comfy: Served, photo: str) -> None:
    wrong = graph(photo)
    wrong["6"]["inputs"] = {"unet_name": "missing.safetensors", "weight_dtype": "fp9"}
    wrong["1"]["inputs"]["image"] = "../../etc/passwd"
    del wrong["60"]["inputs"]["images"]
    with pytest.raises(GraphRefusedError) as caught:
        walked(comfy, prompt(wrong))
    assert [p.sort for p in caught.value.problems] == ["required_input_missing"]
    wrong["60"]["inputs"]["images"] = ["9", 0]
    with pytest.raises(GraphRefusedError) as caught:
        walked(comfy, prompt(wrong))
    by_input = {problem.input: problem for problem in caught.value.problems}
    assert set(by_input) == {"unet_name", "weight_dtype", "image"}
    assert by_input["weight_dtype"].allowed == (
        "default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2",
    )  # fmt: skip
    assert by_input["weight_dtype"].value == "fp9"
    assert "and 2 more" in caught.value.title
    assert submissions(comfy) == 0


def test_a_missing_node_is_named_in_both_versions(comfy: Served, photo: str) -> None:
    wrong = graph(photo)
    wrong["6"] = {"class_type": "NunchakuFluxDiTLoader", "inputs": {}}
    with pytest.raises(GraphRefusedError) as caught:
        walked(comfy, prompt(wrong))
    assert caught.value.code == "edit.missing-node"
    assert "NunchakuFluxDiTLoader" in caught.value.title
    assert caught.value.problems[0].node == "6"


def test_a_graph_of_which_a_part_would_be_dropped_is_refused_unless_that_is_wanted(
    comfy: Served, photo: str
) -> None:
    made = graph(photo)
    made["70"] = {"class_type": "LoadImage", "inputs": {"image": "missing.png"}}
    made["71"] = {"class_type": "PreviewImage", "inputs": {"images": ["70", 0]}}
    with pytest.raises(GraphRefusedError):
        walked(comfy, prompt(made))
    wait_until(lambda: comfy.solo.figures().job is None)
    last = finished(walked(comfy, prompt(made, partial=True)))
    assert [output.node for output in last.outputs] == ["60"]
    assert "missing.png" in last.dropped[0]


def test_a_run_is_broken_off_where_it_stands(comfy: Served, photo: str) -> None:
    comfy.solo.habits = replace(comfy.solo.habits, job=4.0)
    run = run_of(comfy, prompt(graph(photo)))
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Node) and event.kind == "KSampler":
            run.cancel()
    last = events[-1]
    assert isinstance(last, Interrupted)
    assert (last.asked, last.kind) == (True, "KSampler")
    assert comfy.solo.figures().job is None


def test_one_whose_service_is_away_is_given_up_soon_after_its_cancel(
    newest: Served, photo: str
) -> None:
    newest.solo.habits = replace(newest.solo.habits, job=4.0)
    run = run_of(newest, prompt(graph(photo)))
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Node) and event.kind == "KSampler":
            newest.crash()
            run.cancel()
    assert events[-1] == Interrupted(ident=run.prompt.ident, asked=True, heard=False)


def test_one_that_waits_is_taken_off_and_the_running_one_goes_on(comfy: Served, photo: str) -> None:
    other = PromptCalls(comfy.client()).submit(prompt(graph(photo, seed=5)))
    run = run_of(comfy, prompt(graph(photo, seed=6)))
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Queued):
            run.cancel()
    assert events[-1] == Interrupted(ident=run.prompt.ident, asked=True)
    wait_until(comfy.solo.history)
    assert [(order.ident, how) for order, how in comfy.solo.history()] == [(other.ident, "success")]


def test_one_cancelled_before_it_was_submitted_never_is(newest: Served, photo: str) -> None:
    run = run_of(newest, prompt(graph(photo)))
    run.cancel()
    assert [type(event) for event in run.events()] == [Interrupted]
    assert submissions(newest) == 0


@pytest.mark.parametrize(
    ("mood", "code", "kind"),
    [
        ("run-oom", "edit.out-of-memory", "KSampler"),
        ("run-raises", "edit.node-failed", "KSampler"),
    ],
)
def test_a_failed_run_says_where_and_what_to_do(
    comfy: Served, photo: str, mood: str, code: str, kind: str
) -> None:
    comfy.mood(mood)
    last = walked(comfy, prompt(graph(photo)))[-1]
    assert isinstance(last, Failed)
    assert (last.code, last.kind, last.node) == (code, kind, "8")
    assert kind in last.title
    assert last.hint
    comfy.mood("")
    finished(walked(comfy, prompt(graph(photo))))


def test_what_is_no_picture_fails_in_the_node_that_reads_it(comfy: Served) -> None:
    name = PromptCalls(comfy.client()).upload(b"this is no picture", "image/png")
    last = walked(comfy, prompt(graph(name)))[-1]
    assert isinstance(last, Failed)
    assert (last.code, last.kind) == ("edit.not-a-picture", "LoadImage")


@pytest.mark.parametrize("mood", ["run-drops", "run-deaf", "run-no-socket", "run-garbage"])
def test_whatever_the_websocket_does_the_result_is_there(
    comfy: Served, photo: str, mood: str
) -> None:
    comfy.mood(mood)
    events = walked(comfy, prompt(graph(photo), preview_method="auto"))
    last = finished(events)
    assert media_of(PromptCalls(comfy.client()).fetch(last.outputs[0]).data) == "image/png"
    assert submissions(comfy) == 1
    for event in events:
        if isinstance(event, Preview):
            assert event.media in {"image/jpeg", "image/png"}


def test_a_lost_answer_is_looked_for_and_nothing_is_submitted_twice(
    comfy: Served, photo: str
) -> None:
    comfy.mood("run-lost-answer")
    last = finished(walked(comfy, prompt(graph(photo))))
    assert last.outputs
    assert submissions(comfy) == 1


def test_a_lost_request_is_told_as_not_submitted(comfy: Served, photo: str) -> None:
    comfy.mood("run-lost-request")
    with pytest.raises(EditRefusedError) as caught:
        walked(comfy, prompt(graph(photo)))
    assert caught.value.code == "edit.not-submitted"
    assert submissions(comfy) == 0


def test_a_server_that_is_not_there_is_no_event_but_a_fault(newest: Served, photo: str) -> None:
    newest.crash()
    with pytest.raises(ServiceUnreachableError):
        walked(newest, prompt(graph(photo)))


def test_all_connections_cut_in_the_middle_lose_nothing(comfy: Served, photo: str) -> None:
    run = run_of(comfy, prompt(graph(photo)))
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Node) and event.kind == "KSampler":
            comfy.crash()
            comfy.back()
    finished(events)
    assert submissions(comfy) == 1


def test_a_server_killed_in_the_middle_is_told_when_it_is_back(comfy: Served, photo: str) -> None:
    events = []
    for event in run_of(comfy, prompt(graph(photo))).events():
        events.append(event)
        if isinstance(event, Node) and event.kind == "KSampler":
            comfy.crash()
            comfy.restart()
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.code == "edit.restarted"


def test_a_server_that_never_comes_back_is_given_up(newest: Served, photo: str) -> None:
    events = []
    for event in run_of(newest, prompt(graph(photo))).events():
        events.append(event)
        if isinstance(event, Node) and event.kind == "KSampler":
            newest.crash()
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.code == "edit.gone"


def test_a_console_that_went_collects_its_result_when_it_returns(comfy: Served, photo: str) -> None:
    made = prompt(graph(photo))
    run = run_of(comfy, made)
    for event in run.events():
        if isinstance(event, Node):
            run.leave()
    later = walked(comfy, made, submitted=True)
    last = finished(later)
    assert PromptCalls(comfy.client()).fetch(last.outputs[0]).data
    again = walked(comfy, made, submitted=True)
    assert again == [again[-1]]
    assert finished(again).outputs == last.outputs
    assert submissions(comfy) == 1


def test_names_that_lead_elsewhere_are_neither_asked_for_nor_taken(
    comfy: Served, photo: str
) -> None:
    comfy.mood("run-bad-names")
    last = walked(comfy, prompt(graph(photo)))[-1]
    assert isinstance(last, Failed)
    assert last.code == "edit.odd-name"
    assert ".bashrc" in last.title


def test_a_picture_that_is_none_is_refused(comfy: Served, photo: str) -> None:
    last = finished(walked(comfy, prompt(graph(photo))))
    comfy.mood("run-no-picture")
    with pytest.raises(EditRefusedError) as caught:
        PromptCalls(comfy.client()).fetch(last.outputs[0])
    assert caught.value.code == "edit.odd-picture"


def test_the_same_picture_is_uploaded_once_under_a_name_of_its_content(comfy: Served) -> None:
    calls = PromptCalls(comfy.client())
    assert calls.upload(PICTURE) == calls.upload(PICTURE)
    assert calls.upload(PICTURE).endswith(".png")
    assert calls.upload(b"\xff\xd8\xff and so on") != calls.upload(PICTURE)
    assert calls.upload_limit() == 104_857_600
    with pytest.raises(EditRefusedError) as caught:
        calls.upload(bytes(105_000_000))
    assert caught.value.code == "edit.upload-too-large"


async def test_events_are_one_async_stream(newest: Served, photo: str) -> None:
    events = [event async for event in stream(run_of(newest, prompt(graph(photo))))]
    finished(events)
    wrong = graph(photo)
    wrong["1"]["inputs"]["image"] = "missing.png"
    with pytest.raises(ServiceFault):
        async for _ in stream(run_of(newest, prompt(wrong))):
            pass


async def test_leaving_the_stream_leaves_the_run_to_itself(newest: Served, photo: str) -> None:
    made = prompt(graph(photo))
    events = stream(run_of(newest, made))
    async for event in events:
        if isinstance(event, Node):
            break
    await events.aclose()  # type: ignore[attr-defined]
    wait_until(newest.solo.history)
    assert newest.solo.history()[0][1] == "success"
    wait_until(
        lambda: not any(t.name.startswith("edit-") for t in threading.enumerate()), what="left"
    )
