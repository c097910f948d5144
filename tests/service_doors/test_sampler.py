"""The sampler: quick where something happens, sparing where nothing does, held up by nobody."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from console.clock import SystemClock
from console.services.pace import BUSY_SECONDS, EAGER_SECONDS, IDLE_SECONDS, seconds_to_next
from console.services.reading import Device, Reading, Target
from console.services.sampler import ServiceSampler
from tests.service_doors.forge_server import BUSY, body
from tests.service_doors.forge_server import answers as forge_answers
from tests.service_doors.support import target
from tests.service_doors.test_comfyui import answers as comfy_answers
from tests.service_doors.test_look import nowhere
from tests.service_doors.test_start_log import COMFY_OLD, UP, shell
from tests.support.engine import Workbench, endpoint_at
from tests.support.waiting import wait_until
from tests.web.servers import RawServer, by_path, message, serving, silent


@contextmanager
def sampling(*targets: Target, address: str = "") -> Iterator[ServiceSampler]:
    endpoint = endpoint_at(address) if address else nowhere()
    sampler = ServiceSampler(endpoint, {}, SystemClock())
    sampler.watch(targets)
    sampler.start()
    try:
        yield sampler
    finally:
        sampler.stop()


def answer(sampler: ServiceSampler, name: str) -> str:
    reading = sampler.readings().get(name)
    return reading.answer if reading is not None else ""


def test_one_that_hangs_holds_up_nobody() -> None:
    with (
        silent() as deaf,
        serving(by_path(forge_answers())) as forge,
        sampling(target("comfyui", deaf.url), target("forge", forge.url)) as sampler,
    ):
        wait_until(lambda: answer(sampler, "a-forge") == "ready", 5)
        wait_until(lambda: answer(sampler, "a-comfyui") == "unreachable", 8)


def test_a_service_that_goes_takes_its_figures_along() -> None:
    there = comfy_answers(1, {"queue_running": [[1, "x", {}, {}, []]], "queue_pending": []})
    server = RawServer(by_path(there))
    with sampling(target("comfyui", server.url)) as sampler:
        wait_until(lambda: answer(sampler, "a-comfyui") == "ready", 5)
        assert isinstance(sampler.readings()["a-comfyui"].device, Device)
        server.close()
        wait_until(lambda: answer(sampler, "a-comfyui") == "unreachable", 8)
        gone = sampler.readings()["a-comfyui"]
    assert not isinstance(gone.device, Device)
    assert not gone.busy


def test_what_is_not_running_is_not_asked() -> None:
    with serving(by_path(forge_answers())) as forge:
        asleep = target("forge", forge.url, running=False)
        with sampling(asleep) as sampler:
            assert answer(sampler, "a-forge") == "not-asked"
            assert not forge.requests
            sampler.watch([msgspec.structs.replace(asleep, running=True)])
            wait_until(lambda: answer(sampler, "a-forge") == "ready", 5)
            sampler.watch([])
            assert sampler.readings() == {}


def test_a_new_run_of_its_container_is_looked_at_at_once() -> None:
    with serving(by_path(comfy_answers())) as server:
        first = target(
            "comfyui", server.url, container_id="c" * 64, started_at="2026-11-27T02:00:00Z"
        )
        with sampling(first) as sampler:
            wait_until(lambda: answer(sampler, "a-comfyui") == "ready", 5)
            asked = server.connections
            began = time.monotonic()
            sampler.watch([msgspec.structs.replace(first, started_at="2026-11-27T02:05:00Z")])
            wait_until(lambda: server.connections > asked, 5)
            assert time.monotonic() - began < IDLE_SECONDS / 2


def test_it_says_what_is_new_and_only_that() -> None:
    there = forge_answers(progress=BUSY)
    told = threading.Semaphore(0)
    with serving(by_path(there)) as server:
        sampler = ServiceSampler(nowhere(), {}, SystemClock(), told.release)
        sampler.watch([target("forge", server.url)])
        sampler.start()
        try:
            assert told.acquire(timeout=5)
            asked = len(server.requests)
            wait_until(lambda: len(server.requests) >= asked + 6, 8)
            assert not told.acquire(blocking=False)
            there["/sdapi/v1/progress"] = body({"state": {"job_count": 0}})
            assert told.acquire(timeout=5)
            assert not sampler.readings()["a-forge"].busy
        finally:
            sampler.stop()


def test_an_idle_service_is_asked_little() -> None:
    with (
        serving(by_path(comfy_answers())) as server,
        sampling(target("comfyui", server.url)) as sampler,
    ):
        wait_until(lambda: answer(sampler, "a-comfyui") == "ready", 5)
        began, asked = time.monotonic(), len(server.requests)
        wait_until(lambda: len(server.requests) > asked, IDLE_SECONDS + 3)
        assert time.monotonic() - began > IDLE_SECONDS - 1
        assert len(server.requests) == asked + 1
        assert server.connections == 1


def test_it_stops_in_the_middle_of_a_request() -> None:
    with silent() as server:
        sampler = ServiceSampler(nowhere(), {}, SystemClock())
        sampler.watch([target("forge", server.url)])
        sampler.start()
        wait_until(lambda: server.connections, 5)
        began = time.monotonic()
        sampler.stop()
        assert time.monotonic() - began < 0.5
        wait_until(lambda: not any(t.name == "service-a-forge" for t in threading.enumerate()), 5)


@pytest.mark.engine
def test_the_start_log_follows_the_start(workbench: Workbench) -> None:
    script = shell(COMFY_OLD).removesuffix("sleep 600") + "read x; " + shell(UP)
    found = workbench.run("sampled", ["sh", "-c", script], stdin_open=True)
    wait_until(lambda: b"ComfyUI version" in workbench.api.logs(found), 10)
    started = workbench.api.inspect_container(found)["State"]["StartedAt"]
    there = {"/prompt": message("404 Not Found")}
    with serving(by_path(there)) as server:
        one = target("comfyui", "http://127.0.0.1:9", container_id=found, started_at=started)
        with sampling(one, address=workbench.address) as sampler:
            wait_until(lambda: found in sampler.start_logs(), 10)
            log = sampler.start_logs()[found]
            assert (log.stage, log.finished) == ("loading", False)
            sock = workbench.api.attach_socket(found, params={"stdin": 1, "stream": 1})
            sock._sock.sendall(b"go\n")
            there.update(comfy_answers())
            sampler.watch([msgspec.structs.replace(one, url=server.url)])
            wait_until(lambda: sampler.start_logs()[found].finished, 10)
            # A log of another run is none of this one.
            sampler.watch([msgspec.structs.replace(one, started_at="2020-01-01T00:00:00Z")])
            assert found not in sampler.start_logs()


@pytest.mark.parametrize(
    ("reading", "since", "seconds"),
    [
        (Reading(answer="ready", queue_running=0), 0, IDLE_SECONDS),
        (Reading(answer="ready", queue_running=1), 0, BUSY_SECONDS),
        (Reading(answer="starting"), 10, EAGER_SECONDS),
        (Reading(answer="unreachable"), 10, EAGER_SECONDS),
        (Reading(answer="unreachable"), 3600, IDLE_SECONDS),
        (Reading(answer="needs-auth"), 0, IDLE_SECONDS),
    ],
)
def test_how_often(reading: Reading, since: float, seconds: float) -> None:
    assert seconds_to_next(reading, since) == seconds
