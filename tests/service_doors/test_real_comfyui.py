"""The door to ComfyUI against a real one, where GPUCONSOLE_TEST_COMFYUI says that there is one.

Core nodes without models are enough; it may run with `--cpu`.
"""

import os
import uuid
from collections.abc import Iterator

import pytest

from console.comfyui.door import ComfyDoor
from console.services.reading import Reading
from console.unknown import Unknown
from tests.service_doors.support import door
from tests.support.waiting import wait_until

ADDRESS = os.environ.get("GPUCONSOLE_TEST_COMFYUI", "")

pytestmark = pytest.mark.skipif(
    not ADDRESS, reason="GPUCONSOLE_TEST_COMFYUI names no real ComfyUI for tests"
)


def slow_graph() -> dict[str, object]:
    """Blur some pictures: a few seconds on a processor, and never from the cache."""
    seed = int(uuid.uuid4().hex[:6], 16)
    empty = {"width": 1024, "height": 1024, "batch_size": 6, "color": seed}
    graph: dict[str, object] = {"1": {"class_type": "EmptyImage", "inputs": empty}}
    for number in range(2, 8):
        blur = {"image": [str(number - 1), 0], "blur_radius": 25, "sigma": 9.0}
        graph[str(number)] = {"class_type": "ImageBlur", "inputs": blur}
    graph["9"] = {"class_type": "PreviewImage", "inputs": {"images": ["7", 0]}}
    return graph


@pytest.fixture
def opened() -> Iterator[ComfyDoor]:
    made = door("comfyui", ADDRESS, patience=10)
    assert isinstance(made, ComfyDoor)
    with made:
        calm(made)
        yield made
        calm(made)


def calm(made: ComfyDoor) -> None:
    """Wait until nothing runs or waits, whatever was left there."""

    def idle() -> bool:
        if not made.look().busy:
            return True
        made.client.post("/queue", {"clear": True})
        made.interrupt()
        return False

    wait_until(idle, 120)


def test_it_is_ready_and_tells_what_it_is(opened: ComfyDoor) -> None:
    reading = opened.look()
    assert (reading.answer, reading.problem) == ("ready", None)
    assert isinstance(reading.version, str)
    assert not isinstance(reading.arguments, Unknown)
    assert "main.py" in reading.arguments[0]
    assert "KSampler" in opened.object_info()
    assert "diffusion_models" in opened.model_folders()
    assert isinstance(opened.models("vae"), tuple)


def test_a_job_is_seen_and_can_be_interrupted(opened: ComfyDoor) -> None:
    opened.look()
    ident = str(uuid.uuid4())
    opened.client.post("/prompt", {"prompt": slow_graph(), "prompt_id": ident}, patience=10)
    opened.client.post("/prompt", {"prompt": slow_graph()}, patience=10)
    seen: list[Reading] = []

    def busy() -> bool:
        seen.append(opened.look())
        return seen[-1].job is not None

    wait_until(busy, 15)
    reading = seen[-1]
    assert reading.job is not None
    assert reading.job.ident == ident
    assert (reading.queue_running, reading.queue_pending) == (1, 1)
    assert not isinstance(reading.job.running_seconds, Unknown)
    assert 0 <= reading.job.running_seconds < 30
    opened.interrupt(str(uuid.uuid4()))
    assert opened.look().busy
    opened.interrupt(ident)

    def next_one() -> bool:
        job = opened.look().job
        return job is not None and job.ident != ident

    wait_until(next_one, 60)
    calm(opened)
    opened.free()
    assert (opened.look().queue_running, opened.look().queue_pending) == (0, 0)
