"""The door to ComfyUI held against what real servers answered, recorded beside the clone."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from console.comfyui.answers import parse_queue
from console.comfyui.door import ComfyDoor
from console.services.device_name import ON_CPU
from console.services.start_log import parse_start_log
from console.unknown import Unknown
from console.web.faults import BadStatusError
from tests.service_doors.support import door
from tests.web.servers import message, serving

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
VERSIONS = ("0.3.64", "0.33.0")

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason=f"there are no recorded answers at {CAPTURES}"
)


def recorded(version: str, name: str) -> list[dict[str, Any]]:
    file = CAPTURES / version / f"{name}.json"
    if not file.exists():
        pytest.skip(f"there is no {file}")
    records: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return [record for record in records if record.get("kind") == "http"]


class Replay:
    """Answers each request as the real server did; the last recording of a path counts."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._answers: dict[tuple[str, str], bytes] = {}
        for record in records:
            request = record["request"]
            if request.get("headers"):
                continue
            body = record["body"]
            data = body if isinstance(body, str) else json.dumps(body)
            kind = record["headers"].get("content-type", "application/octet-stream")
            status = f"{record['status']} {record['reason']}"
            self._answers[request["method"], request["path"]] = message(status, data, kind)

    def __call__(self, sock: socket.socket, request: bytes) -> None:
        method, path = request.split(b" ", 2)[:2]
        missing = message("404 Not Found", "404: Not Found", "text/plain")
        sock.sendall(self._answers.get((method.decode(), path.decode()), missing))


def comfy(url: str) -> ComfyDoor:
    opened = door("comfyui", url)
    assert isinstance(opened, ComfyDoor)
    return opened


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_server_that_idles(version: str) -> None:
    with serving(Replay(recorded(version, "01_readonly"))) as server, comfy(server.url) as opened:
        reading = opened.look()
        assert (reading.answer, reading.problem) == ("ready", None)
        assert reading.version == version
        assert (reading.queue_running, reading.queue_pending, reading.job) == (0, 0, None)
        # They were recorded on a machine without a card.
        assert reading.device == reading.vram_free_bytes == ON_CPU
        assert not isinstance(reading.arguments, Unknown)
        assert reading.arguments[:2] == ("main.py", "--cpu")
        assert "diffusion_models" in opened.model_folders()
        assert "qwen_image_vae.safetensors" in opened.models("vae")
        assert "LoadImage" in opened.object_info("LoadImage")
        with pytest.raises(BadStatusError):
            opened.models("unet")


@pytest.mark.parametrize("version", VERSIONS)
def test_gguf_files_are_a_kind_where_the_node_pack_is(version: str) -> None:
    with serving(Replay(recorded(version, "01_readonly"))) as server, comfy(server.url) as opened:
        if version == "0.33.0":
            assert opened.models("unet_gguf") == ("Qwen-Image-Edit-2509-Q4_K_M.gguf",)
        else:
            with pytest.raises(BadStatusError):
                opened.models("unet_gguf")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_queue(version: str) -> None:
    queues = [
        record["body"]
        for record in recorded(version, "31_interrupt_and_queue")
        if record["request"]["path"] == "/queue" and isinstance(record["body"], dict)
    ]
    parsed = parse_queue(queues[0])
    assert not isinstance(parsed, Unknown)
    assert len(parsed.running) == 1
    assert len(parsed.pending) == 5
    assert [item.number for item in parsed.pending] == sorted(i.number for i in parsed.pending)
    assert parsed.pending[0].number == -49
    assert parsed.running[0].what.startswith("graph of ")
    # The newer one says when each was posted.
    assert (parsed.running[0].created_ms is not None) == (version == "0.33.0")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_server_at_work(version: str) -> None:
    records = recorded(version, "31_interrupt_and_queue")
    working = next(r for r in records if r["request"]["path"] == "/queue")
    counted = next(
        r for r in records if r["request"]["path"] == "/prompt" and r["request"]["method"] == "GET"
    )
    stats = next(
        r for r in recorded(version, "01_readonly") if r["request"]["path"] == "/system_stats"
    )
    with serving(Replay([working, counted, stats])) as server, comfy(server.url) as opened:
        reading = opened.look()
    assert (reading.queue_running, reading.queue_pending) == (1, 5)
    assert reading.job is not None
    assert len(reading.job.ident) == 36


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_server_takes_free_and_interrupt(version: str) -> None:
    taken = [
        record
        for record in recorded(version, "04_origin_and_methods")
        if record["request"]["method"] == "POST" and record["status"] == 200
    ]
    with serving(Replay(taken)) as server, comfy(server.url) as opened:
        opened.free()
        opened.interrupt()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_origin_is_told_as_such(version: str) -> None:
    refused = next(r for r in recorded(version, "04_origin_and_methods") if r["status"] == 403)
    again = {**refused, "request": {"method": "GET", "path": "/prompt"}}
    with serving(Replay([again])) as server, comfy(server.url) as opened:
        reading = opened.look()
    assert reading.answer == "odd"
    assert reading.problem is not None
    assert reading.problem.code == "comfyui.origin"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_start_log(version: str) -> None:
    logs = next(
        r for r in recorded(version, "01_readonly") if r["request"]["path"] == "/internal/logs"
    )
    text = logs["body"]
    text = json.loads(text) if text.startswith('"') and text.endswith('"') else text.strip('"')
    lines = text.replace("\\n", "\n").replace("\\u001b", "\x1b").split("\n")
    log = parse_start_log(lines, "c", "")
    assert log.device == ON_CPU or version == "0.33.0"
    assert any("Total VRAM" in line for line in log.evidence)
