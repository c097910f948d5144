"""What every ComfyUI has to do for our runs: the rehearsed ones, and a real one where there is one.

GPUCONSOLE_TEST_COMFYUI names a real server for tests; core nodes are enough, and it may run on a
processor.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.comfyui.prompts import PromptCalls
from console.comfyui.refusals import GraphRefusedError
from console.comfyui.run import ComfyRun
from console.edits.events import AnyEvent, Failed, Finished, Interrupted, Node, Queued, Started
from console.edits.result import media_of
from console.web.client import WebClient
from tests.edits.conftest import QUICK
from tests.edits.graphs import PICTURE, graph, prompt
from tests.edits.servers import served
from tests.support.waiting import wait_until

ADDRESS = os.environ.get("GPUCONSOLE_TEST_COMFYUI", "")


class Place:
    """A ComfyUI and a graph that takes a second or more on it, another one for each seed."""

    def __init__(self, url: str, make: Callable[[str, int], dict[str, Any]], end: str) -> None:
        self.url = url
        self.end = end
        self.calls = PromptCalls(self.client())
        self._make = make
        self.photo = self.calls.upload(PICTURE)

    def client(self) -> WebClient:
        return WebClient(self.url, patience=10)

    def graph(self, seed: int) -> dict[str, Any]:
        return self._make(self.photo, seed)

    def run(self, made: dict[str, Any], **more: Any) -> ComfyRun:
        return ComfyRun(self.client, prompt(made, **more), pace=QUICK)


def blurred(photo: str, seed: int) -> dict[str, Any]:
    """Blur a picture again and again, in core nodes."""
    nodes: dict[str, Any] = {
        "1": {"class_type": "LoadImage", "inputs": {"image": photo}},
        "2": {
            "class_type": "ImageScale",
            "inputs": {
                "image": ["1", 0], "upscale_method": "bilinear", "width": 600 + seed % 99,
                "height": 600, "crop": "disabled",
            },
        },
    }  # fmt: skip
    for number in range(3, 9):
        blur = {"image": [str(number - 1), 0], "blur_radius": 21, "sigma": 9.0}
        nodes[str(number)] = {"class_type": "ImageBlur", "inputs": blur}
    save = {"images": ["8", 0], "filename_prefix": "gpuconsole-test"}
    return nodes | {"60": {"class_type": "SaveImage", "inputs": save}}


@pytest.fixture(params=["0.33.0", "0.3.64", "real"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param != "real":
        with served("comfyui", tmp_path, request.param, job=1.0) as server:
            yield Place(server.url, lambda photo, seed: graph(photo, seed=seed), "60")
        return
    if not ADDRESS:
        pytest.skip("GPUCONSOLE_TEST_COMFYUI names no real ComfyUI for tests")
    made = Place(ADDRESS, blurred, "60")
    calm(made)
    yield made
    calm(made)


def calm(place: Place) -> None:
    """Leave nothing running or waiting."""
    place.calls.client.post("/queue", {"clear": True}, patience=10)
    place.calls.client.post("/interrupt", patience=10)
    wait_until(lambda: place.calls.client.json("/prompt")["exec_info"]["queue_remaining"] == 0, 60)


def seed() -> int:
    return int(uuid.uuid4().hex[:6], 16)


def until(run: ComfyRun, wanted: Callable[[AnyEvent], bool], act: Callable[[], None]) -> AnyEvent:
    """Walk a run, act once when an event is the wanted one, and give the last event."""
    acted = False
    last: AnyEvent | None = None
    for event in run.events():
        last = event
        if not acted and wanted(event):
            acted = True
            act()
    assert acted
    assert last is not None
    return last


def test_a_run_gives_a_picture_and_its_repeat_the_same_file(place: Place) -> None:
    made = place.graph(seed())
    events = list(place.run(made).events())
    last = events[-1]
    assert isinstance(last, Finished)
    assert not last.cached
    kinds = [event.kind for event in events if isinstance(event, Node)]
    assert kinds[-1] == "SaveImage"
    assert len([event for event in events if isinstance(event, Started)]) == 1
    assert media_of(place.calls.fetch(last.outputs[0]).data) == "image/png"
    again = list(place.run(made).events())[-1]
    assert isinstance(again, Finished)
    assert again.cached
    assert [one.name for one in again.outputs] == [one.name for one in last.outputs]


def test_the_running_one_is_broken_off_and_the_next_one_runs(place: Place) -> None:
    run = place.run(place.graph(seed()))
    next_one = prompt(place.graph(seed()))

    def act() -> None:
        place.calls.submit(next_one)
        run.cancel()

    last = until(run, lambda event: isinstance(event, Node), act)
    assert isinstance(last, Interrupted)
    assert last.asked
    ended = list(
        ComfyRun(place.client, next_one, submitted=True, pace=QUICK).events()
    )[-1]  # fmt: skip
    assert isinstance(ended, Finished)


def test_the_waiting_one_is_taken_off_and_the_running_one_goes_on(place: Place) -> None:
    first = prompt(place.graph(seed()))
    place.calls.submit(first)
    run = place.run(place.graph(seed()))
    last = until(run, lambda event: isinstance(event, Queued), run.cancel)
    assert last == Interrupted(ident=run.prompt.ident, asked=True)
    ended = list(ComfyRun(place.client, first, submitted=True, pace=QUICK).events())[-1]
    assert isinstance(ended, Finished)


def test_a_second_connection_of_the_same_name_takes_the_messages_but_not_the_result(
    place: Place,
) -> None:
    run = place.run(place.graph(seed()))

    def rob() -> None:
        # It takes the name over, and when it closes the server forgets the name for good.
        other = place.client().socket(f"/ws?clientId={run.prompt.client}")
        other.receive(2)
        other.close()

    last = until(run, lambda event: isinstance(event, Node), rob)
    assert isinstance(last, Finished)
    assert last.outputs


def test_a_run_without_any_websocket_ends_as_well(place: Place) -> None:
    run = place.run(place.graph(seed()))
    run._listener._retry_at = float("inf")  # nobody gets through
    last = list(run.events())[-1]
    assert isinstance(last, Finished)
    assert last.outputs[0].node == place.end


def test_a_run_left_alone_is_collected_later(place: Place) -> None:
    made = prompt(place.graph(seed()))
    run = ComfyRun(place.client, made, pace=QUICK)
    for _event in run.events():
        run.leave()
    last = list(ComfyRun(place.client, made, submitted=True, pace=QUICK).events())[-1]
    assert isinstance(last, Finished)


def test_a_picture_that_is_not_there_refuses_the_graph(place: Place) -> None:
    made = place.graph(seed())
    made["1"]["inputs"]["image"] = "not-there.png"
    with pytest.raises(GraphRefusedError) as caught:
        list(place.run(made).events())
    assert "not-there.png" in caught.value.title
    assert caught.value.problems[0].node == "1"


def test_what_is_no_picture_fails_in_the_node_that_reads_it(place: Place) -> None:
    made = place.graph(seed())
    made["1"]["inputs"]["image"] = place.calls.upload(b"no picture at all", "image/png")
    last = list(place.run(made).events())[-1]
    assert isinstance(last, Failed)
    assert (last.code, last.kind, last.node) == ("edit.not-a-picture", "LoadImage", "1")
