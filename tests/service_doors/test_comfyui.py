"""ComfyUI as it answers: the card it names, its queue, its job, and what it does not tell."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clock import HeldClock
from console.comfyui.answers import describe_graph, parse_queue, parse_stats
from console.comfyui.door import ComfyDoor
from console.services.device_name import ON_CPU, parse_device
from console.services.reading import Device
from console.unknown import Unknown
from console.web.faults import BadStatusError, ServiceFault
from tests.service_doors.support import door, look
from tests.service_doors.test_forge import JSON, spoiled
from tests.web.servers import always, by_path, message, serving

GIB = 1 << 30
STATS = {
    "system": {
        "os": "linux", "ram_total": 64 * GIB, "ram_free": 40 * GIB, "comfyui_version": "0.33.0",
        "argv": ["main.py", "--listen", "0.0.0.0", "--cuda-device", "0", "--api-key", "hunter22"],
    },
    "devices": [
        {"name": "cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync", "type": "cuda", "index": 0,
         "vram_total": 24 * GIB, "vram_free": 10 * GIB, "torch_vram_total": 13 * GIB,
         "torch_vram_free": 1 * GIB},
        {"name": "cuda:1 NVIDIA GeForce RTX 3080 Laptop GPU : cudaMallocAsync", "type": "cuda",
         "index": 1, "vram_total": 16 * GIB, "vram_free": 15 * GIB, "torch_vram_total": 0,
         "torch_vram_free": 0},
    ],
}  # fmt: skip
GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {}},
    "2": {"class_type": "TextEncodeQwenImageEditPlus", "inputs": {}},
    "3": {"class_type": "KSampler", "inputs": {}},
}
NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


def item(number: float, ident: str, created: int | None = None) -> list[object]:
    extra: dict[str, object] = {"client_id": "x"}
    if created is not None:
        extra["create_time"] = created
    return [number, ident, GRAPH, extra, ["9"]]


def answers(remaining: int = 0, queue: object = None, stats: object = STATS) -> dict[str, bytes]:
    queue = {"queue_running": [], "queue_pending": []} if queue is None else queue
    data = {
        "/prompt": {"exec_info": {"queue_remaining": remaining}},
        "/queue": queue,
        "/system_stats": stats,
        "/models": ["checkpoints", "diffusion_models", "unet_gguf"],
        "/models/unet_gguf": ["sub/Qwen-Q4_K_M.gguf"],
        "/object_info": {"KSampler": {"max": float("inf")}},
        "/object_info/LoadImage": {"LoadImage": {}},
        "/free": None,
        "/interrupt": None,
    }
    return {p: message(body="" if v is None else json.dumps(v)) for p, v in data.items()}


def comfy_door(url: str, clock: HeldClock | None = None) -> ComfyDoor:
    opened = door("comfyui", url, clock)
    assert isinstance(opened, ComfyDoor)
    return opened


def test_an_idle_comfyui_names_its_card() -> None:
    with serving(by_path(answers())) as server:
        reading = look("comfyui", server.url)
        asked = [request.split(b" ")[1] for request in server.requests]
    assert (reading.answer, reading.problem, reading.busy) == ("ready", None, False)
    assert reading.version == "0.33.0"
    device = reading.device
    assert isinstance(device, Device)
    assert (device.name, device.ordinal) == ("NVIDIA GeForce RTX 3090", 0)
    assert device.allocator == "cudaMallocAsync"
    assert device.total_bytes == 24 * GIB
    assert reading.vram_own_bytes == 13 * GIB
    # As the driver counts it: without what the allocator holds unused.
    assert reading.vram_free_bytes == 9 * GIB
    assert (reading.queue_running, reading.queue_pending) == (0, 0)
    assert b"/queue" not in asked
    assert "hunter22" not in repr(reading)
    assert not isinstance(reading.arguments, Unknown)
    assert "--cuda-device" in reading.arguments
    assert isinstance(reading.model, Unknown)


def test_several_cards_are_told_the_first_is_its_own() -> None:
    stats = parse_stats(STATS)
    assert [isinstance(d, Device) and d.ordinal for d in stats.devices] == [0, 1]
    assert stats.device == stats.devices[0]


def test_a_working_comfyui_tells_its_job_and_who_waits() -> None:
    queue = {
        "queue_running": [item(45, "a64b0cd1", NOW_MS - 90_000)],
        "queue_pending": [item(47, "late"), item(-49, "first")],
    }
    clock = HeldClock(NOW)
    with serving(by_path(answers(3, queue))) as server, comfy_door(server.url, clock) as opened:
        reading = opened.look()
    assert (reading.queue_running, reading.queue_pending) == (1, 2)
    assert reading.job is not None
    assert (reading.job.what, reading.job.ident) == ("edit", "a64b0cd1")
    assert reading.job.running_seconds == pytest.approx(90, abs=0.1)
    assert isinstance(reading.job.percent, Unknown)
    parsed = parse_queue(queue)
    assert not isinstance(parsed, Unknown)
    assert [one.ident for one in parsed.pending] == ["first", "late"]


def test_an_old_one_tells_no_start_until_it_was_watched() -> None:
    clock = HeldClock(NOW)
    there = answers(1, {"queue_running": [item(1, "one")], "queue_pending": []})
    with serving(by_path(there)) as server, comfy_door(server.url, clock) as opened:
        job = opened.look().job
        assert job is not None
        assert isinstance(job.running_seconds, Unknown)
        clock.advance(5)
        there.update(answers(1, {"queue_running": [item(2, "two")], "queue_pending": []}))
        job = opened.look().job
        assert job is not None
        assert job.running_seconds == pytest.approx(5)
        clock.advance(7)
        job = opened.look(brief=True).job
        assert job is not None
        assert job.running_seconds == pytest.approx(12)


def test_a_job_that_waited_is_not_said_to_run_since_it_was_posted() -> None:
    clock = HeldClock(NOW)
    queue = {"queue_running": [item(1, "one")], "queue_pending": [item(2, "two", NOW_MS)]}
    there = answers(2, queue)
    with serving(by_path(there)) as server, comfy_door(server.url, clock) as opened:
        opened.look()
        clock.advance(600)
        opened.look()
        clock.advance(2)
        there.update(answers(1, {"queue_running": [item(2, "two", NOW_MS)], "queue_pending": []}))
        job = opened.look().job
    assert job is not None
    assert job.running_seconds == pytest.approx(2)


def test_between_two_jobs_it_does_not_idle() -> None:
    queue = {"queue_running": [], "queue_pending": [item(7, "later"), item(3, "next")]}
    with serving(by_path(answers(2, queue))) as server:
        reading = look("comfyui", server.url)
    assert reading.busy
    assert (reading.queue_running, reading.queue_pending) == (1, 1)
    assert reading.job is not None
    assert reading.job.ident == "next"


def test_a_job_that_ended_while_we_asked_is_over() -> None:
    with serving(by_path(answers(1, {"queue_running": [], "queue_pending": []}))) as server:
        reading = look("comfyui", server.url)
    assert not reading.busy
    assert (reading.queue_running, reading.queue_pending, reading.job) == (0, 0, None)


def test_a_huge_queue_still_says_that_it_works() -> None:
    there = answers(30)
    there["/queue"] = message(body='{"queue_running": ["' + "x" * (5 << 20) + '"]}')
    with serving(by_path(there)) as server:
        reading = look("comfyui", server.url)
    assert reading.busy
    assert (reading.queue_running, reading.queue_pending) == (1, 29)


def test_on_the_processor() -> None:
    cpu = {"name": "cpu", "type": "cpu", "index": None, "vram_total": 9, "vram_free": 9,
           "torch_vram_total": 9, "torch_vram_free": 9}  # fmt: skip
    with serving(by_path(answers(stats={**STATS, "devices": [cpu]}))) as server:
        reading = look("comfyui", server.url)
    assert reading.answer == "ready"
    assert reading.device == reading.vram_own_bytes == ON_CPU


def test_its_own_403_is_no_login() -> None:
    with serving(always(message("403 Forbidden", kind="application/octet-stream"))) as server:
        reading = look("comfyui", server.url)
    assert reading.answer == "odd"
    assert reading.problem is not None
    assert reading.problem.code == "comfyui.origin"
    assert "preserveHostHeader" in reading.problem.hint
    page = message("403 Forbidden", "<html><title>403 Forbidden</title>", "text/html")
    with serving(always(page)) as server:
        assert look("comfyui", server.url).answer == "needs-auth"


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (message(body="{}"), "odd"),
        (message(body="[1]"), "odd"),
        (message(body='{"exec_info": {"queue_remaining": "3"}}'), "odd"),
        (message(body='{"exec_info": {"queue_remaining": -1}}'), "odd"),
        (message(body="<html>", kind="text/html"), "odd"),
        (message("404 Not Found", "404: Not Found", "text/plain"), "odd"),
        (message("302 Found", Location="https://sso.example/login"), "needs-auth"),
        (message("502 Bad Gateway", "<html>IIS ARR", "text/html"), "front-only"),
    ],
)
def test_others_in_its_place(prompt: bytes, answer: str) -> None:
    with serving(by_path({**answers(), "/prompt": prompt})) as server:
        assert look("comfyui", server.url).answer == answer


def test_figures_that_fail_blank_themselves_only() -> None:
    there = answers()
    there["/system_stats"] = message("500 Internal Server Error", "boom", "text/plain")
    with serving(by_path(there)) as server:
        reading = look("comfyui", server.url)
    assert (reading.answer, reading.queue_running) == ("ready", 0)
    assert isinstance(reading.version, Unknown)
    assert isinstance(reading.vram_own_bytes, Unknown)


def test_brief_looks_ask_one_small_thing() -> None:
    with serving(by_path(answers())) as server, comfy_door(server.url) as opened:
        opened.look()
        asked = len(server.requests)
        opened.look(brief=True)
        assert [r.split(b" ")[1] for r in server.requests[asked:]] == [b"/prompt"]


def test_free_interrupt_models_and_nodes() -> None:
    with serving(by_path(answers())) as server, comfy_door(server.url) as opened:
        opened.free()
        opened.interrupt()
        opened.interrupt("a64b0cd1")
        sent = [r.partition(b"\r\n\r\n")[2] for r in server.requests]
        assert json.loads(sent[0]) == {"unload_models": True, "free_memory": True}
        assert [json.loads(one) for one in sent[1:]] == [{}, {"prompt_id": "a64b0cd1"}]
        assert "unet_gguf" in opened.model_folders()
        assert opened.models("unet_gguf") == ("sub/Qwen-Q4_K_M.gguf",)
        assert opened.object_info()["KSampler"] == {"max": float("inf")}
        assert opened.object_info("LoadImage") == {"LoadImage": {}}
        with pytest.raises(BadStatusError) as caught:
            opened.models("../unet")
        assert caught.value.code == "web.not-found"
        assert b"/models/..%2Funet" in server.requests[-1]


@pytest.mark.parametrize(
    ("told", "name", "ordinal", "allocator"),
    [
        ("cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync", "NVIDIA GeForce RTX 3090", 0,
         "cudaMallocAsync"),
        ("cuda:1 NVIDIA GeForce RTX 3080 Laptop GPU : native", "NVIDIA GeForce RTX 3080 Laptop GPU",
         1, "native"),
        ("cuda:0 NVIDIA GeForce RTX 3090 : ", "NVIDIA GeForce RTX 3090", 0, ""),
        ("CUDA cuda:2: Tesla T4", "Tesla T4", 2, ""),
        ("cuda NVIDIA A100-SXM4-40GB : native", "NVIDIA A100-SXM4-40GB", 0, "native"),
        ("cuda:0 Graphics : Device : native", "Graphics : Device", 0, "native"),
    ],
)  # fmt: skip
def test_device_names(told: str, name: str, ordinal: int, allocator: str) -> None:
    device = parse_device(told, 5, "log")
    assert isinstance(device, Device)
    assert (device.name, device.ordinal, device.allocator) == (name, ordinal, allocator)
    assert (device.total_bytes, device.source) == (5, "log")


@given(st.text())
def test_any_text_is_a_device_or_none(told: str) -> None:
    device = parse_device(told, 5, "log")
    assert isinstance(device, Unknown) or device.name


@given(spoil=JSON, path=st.lists(st.integers(0, 9), max_size=4))
def test_wrong_types_blank_a_field_and_never_raise(spoil: object, path: list[int]) -> None:
    stats = parse_stats(spoiled(STATS, spoil, path))
    for field in ("vram_free_bytes", "vram_own_bytes", "ram_total_bytes"):
        value = getattr(stats, field)
        assert isinstance(value, Unknown) or (type(value) is int and value >= 0)
    assert isinstance(stats.version, str | Unknown)
    parse_queue({"queue_running": spoil, "queue_pending": [spoil]})
    parse_queue({"queue_running": [[1, "a", spoil, spoil]], "queue_pending": [[spoil, "b"]]})
    assert isinstance(describe_graph(spoil), str)


def test_refusals_are_faults() -> None:
    trouble = message("500 Oh", "500 Internal Server Error", "text/plain")
    with (
        serving(always(trouble)) as server,
        comfy_door(server.url) as opened,
        pytest.raises(ServiceFault) as caught,
    ):
        opened.free()
    assert caught.value.status == 500
