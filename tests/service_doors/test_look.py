"""One look at everything: side by side, in time, whoever hangs."""

import time

import pytest

from console.clock import SystemClock
from console.engine.endpoint import Endpoint
from console.services.door import open_door
from console.services.look import completed, look_once
from console.services.reading import Device, Reading, StartLog, Target
from console.web.faults import ServiceFault
from tests.service_doors.forge_server import answers as forge_answers
from tests.service_doors.support import look, target
from tests.service_doors.test_comfyui import answers as comfy_answers
from tests.service_doors.test_start_log import COMFY_OLD, shell
from tests.support.engine import Workbench, endpoint_at
from tests.support.waiting import wait_until
from tests.web.servers import always, by_path, message, serving, silent

NO_ENGINE = "unix:///nowhere/docker.sock"


def nowhere() -> Endpoint:
    return endpoint_at(NO_ENGINE)


def test_all_are_asked_side_by_side() -> None:
    with (
        serving(by_path(forge_answers())) as forge,
        serving(by_path(comfy_answers())) as comfy,
        silent() as one,
        silent() as other,
    ):
        targets = [
            Target(name="forge", kind="forge", url=forge.url),
            Target(name="comfy", kind="comfyui", url=comfy.url),
            Target(name="hangs", kind="comfyui", url=one.url),
            Target(name="hangs-too", kind="forge", url=other.url),
            Target(name="stopped", kind="forge", url=other.url, running=False),
            Target(name="somewhere", kind="forge"),
        ]
        began = time.monotonic()
        looked = look_once(targets, nowhere(), {}, SystemClock(), 0.7)
        assert time.monotonic() - began < 2.5
    answers = {name: reading.answer for name, reading in looked.readings.items()}
    assert answers == {
        "forge": "ready", "comfy": "ready", "hangs": "unreachable", "hangs-too": "unreachable",
        "stopped": "not-asked", "somewhere": "not-asked",
    }  # fmt: skip
    assert looked.readings["somewhere"].problem.code == "service.no-url"  # type: ignore[union-attr]
    assert looked.start_logs == {}


def test_nothing_to_look_at() -> None:
    looked = look_once([], nowhere(), {}, SystemClock())
    assert (looked.readings, looked.start_logs) == ({}, {})


@pytest.mark.engine
def test_start_logs_come_along(workbench: Workbench) -> None:
    found = workbench.run("look", ["sh", "-c", shell(COMFY_OLD)])
    wait_until(lambda: b"ComfyUI version" in workbench.api.logs(found), 10)
    started = workbench.api.inspect_container(found)["State"]["StartedAt"]
    silent_one = Target(name="one", kind="comfyui", container_id=found, started_at=started)
    gone = Target(name="gone", kind="forge", container_id="f" * 64, started_at=started)
    looked = look_once([gone, silent_one], endpoint_at(workbench.address), {}, SystemClock())
    device = looked.start_logs[found].device
    assert isinstance(device, Device)
    assert device.name == "NVIDIA GeForce RTX 3090"
    assert set(looked.start_logs) == {found}
    with serving(by_path(comfy_answers())) as server:
        telling = target("comfyui", server.url, container_id=found, started_at=started)
        looked = look_once([telling], endpoint_at(workbench.address), {}, SystemClock())
    assert looked.start_logs == {}, "its API tells the card and the flags: no log is read"


def test_the_log_tells_what_the_api_does_not() -> None:
    log = StartLog(container_id="c", started_at="s", stage="sync", version="f2.0.1")
    starting = Reading(answer="starting", stage="provisioning")
    assert completed(starting, log).stage == "sync"
    assert completed(starting, None).stage == "provisioning"
    assert completed(Reading(answer="ready"), log).version == "f2.0.1"
    assert completed(Reading(answer="ready", version="0.33.0"), log).version == "0.33.0"
    gone = Reading(answer="unreachable")
    assert completed(gone, log) == gone


@pytest.mark.parametrize(
    ("status", "answer"),
    [("200 OK", "ready"), ("404 Not Found", "ready"), ("302 Found", "ready"),
     ("401 Unauthorized", "ready"), ("500 Oh", "odd"), ("502 Bad Gateway", "front-only"),
     ("503 Unavailable", "front-only")],
)  # fmt: skip
def test_another_kind_is_ready_when_anything_answers(status: str, answer: str) -> None:
    page = message(status, "<html><title>hello", "text/html", Location="/login")
    with serving(always(page)) as server:
        reading = look("other", f"{server.url}/health")
        assert server.requests[0].startswith(b"GET /health ")
    assert reading.answer == answer


def test_another_kind_that_does_not_speak_http() -> None:
    with silent() as server:
        assert look("other", server.url, patience=0.3).answer == "unreachable"


def test_another_kind_has_nothing_to_free() -> None:
    opened = open_door(target("other", "http://127.0.0.1:1"), {}, SystemClock())
    with opened, pytest.raises(ServiceFault) as caught:
        opened.free()
    assert caught.value.code == "service.nothing-to-free"
    with pytest.raises(ServiceFault):
        opened.interrupt()


@pytest.mark.parametrize("kind", ["forge", "comfyui", "other"])
@pytest.mark.parametrize("url", ["nonsense", "http://u:hunter22@h/", "https://", "http://h:0x1/"])
def test_an_address_that_is_none_is_said_at_the_look(kind: str, url: str) -> None:
    reading = look(kind, url)
    assert reading.answer == "unreachable"
    assert reading.problem is not None
    assert "hunter22" not in repr(reading)
