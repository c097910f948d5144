"""Edits inside a whole rehearsal: with the container, its card and its clock."""

import threading

import pytest

from console.comfyui.prompts import PromptCalls
from console.comfyui.run import ComfyRun
from console.edits.events import AnyEvent, Failed, Finished, Node, Progress, Queued
from console.simulator.held import HeldRehearsal, held_rehearsal
from console.web.client import WebClient
from tests.edits.conftest import QUICK
from tests.edits.graphs import PICTURE, graph, prompt
from tests.rehearsal.support import call
from tests.support.waiting import wait_until


class Watched:
    """A run on a rehearsed host's ComfyUI, walked in a thread while the test moves the clock."""

    def __init__(self, host: HeldRehearsal) -> None:
        self.host = host
        self.port = host.ports["comfyui-qwen"]
        photo = PromptCalls(self.client()).upload(PICTURE)
        self.events: list[AnyEvent] = []
        self.run = ComfyRun(self.client, prompt(graph(photo, steps=8)), pace=QUICK)
        self.thread = threading.Thread(target=self._walk, daemon=True)
        self.thread.start()

    def _walk(self) -> None:
        for event in self.run.events():
            self.events.append(event)

    def client(self) -> WebClient:
        return WebClient(f"http://127.0.0.1:{self.port}", patience=10)

    def go_on(self, seconds: float = 2.0) -> bool:
        self.host.advance(seconds)
        return not self.thread.is_alive()

    def seen(self, kind: type[AnyEvent]) -> bool:
        return any(isinstance(event, kind) for event in self.events)


def test_an_edit_waits_for_somebody_elses_and_takes_its_time() -> None:
    with held_rehearsal("studio") as host:
        watched = Watched(host)
        wait_until(lambda: watched.seen(Queued), 10)
        assert watched.events[0] == Queued(ident=watched.run.prompt.ident, ahead=1)
        wait_until(watched.go_on, 30)
        last = watched.events[-1]
        assert isinstance(last, Finished)
        # By the host's own clock, which the test moves.
        assert isinstance(last.seconds, float)
        assert last.seconds > 20
        steps = [event.step for event in watched.events if isinstance(event, Progress)]
        assert steps == sorted(set(steps))
        assert len(steps) > 4
        picture = PromptCalls(watched.client()).fetch(last.outputs[0])
        assert picture.data != PICTURE


@pytest.mark.parametrize("back", [True, False])
def test_a_container_killed_in_the_middle_of_an_edit(back: bool) -> None:
    with held_rehearsal("studio") as host:
        watched = Watched(host)
        wait_until(lambda: watched.go_on() or watched.seen(Node), 30)
        host.control("kill", container="comfyui-qwen")
        host.advance(1)
        if back:
            host.control("start", container="comfyui-qwen")
            wait_until(lambda: watched.go_on(5), 30)
        else:
            wait_until(lambda: not watched.thread.is_alive(), 30)
        last = watched.events[-1]
        assert isinstance(last, Failed)
        assert last.code == ("edit.restarted" if back else "edit.gone")


def test_runs_go_wrong_by_a_cue_and_free_the_card() -> None:
    with held_rehearsal("studio") as host:
        host.control("service-odd", container="comfyui-qwen", error="run-oom")
        watched = Watched(host)
        wait_until(watched.go_on, 30)
        last = watched.events[-1]
        assert isinstance(last, Failed)
        assert last.code == "edit.out-of-memory"
        device = call(watched.port, "/system_stats").data["devices"][0]
        assert device["torch_vram_total"] == 0
