"""Forge's states as an operator meets them: each is told apart, and no secret comes out."""

import json
import socket
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.forge.answers import parse_flags, parse_memory, parse_model, parse_progress
from console.forge.door import ForgeDoor
from console.services.reading import Device
from console.unknown import Unknown
from console.web.faults import BadStatusError, NeedsAuthError, ServiceFault
from tests.service_doors.forge_server import (
    BUSY,
    FLAGS,
    GIB,
    IDLE,
    LOG_VIEWER,
    MEMORY,
    answers,
    body,
)
from tests.service_doors.support import door, look
from tests.web.servers import always, by_path, message, path_of, serving, silent

TO_LOGIN = message("302 Found", Location="http://127.0.0.1:1111/login")
API_AUTH = message("401 Unauthorized", '{"detail":"Incorrect username or password"}')


def forge_door(url: str, patience: float = 2.0) -> ForgeDoor:
    opened = door("forge", url, None, patience)
    assert isinstance(opened, ForgeDoor)
    return opened


def test_an_idle_forge_is_ready() -> None:
    with serving(by_path(answers())) as server:
        reading = look("forge", server.url)
    assert (reading.answer, reading.problem, reading.busy) == ("ready", None, False)
    assert reading.detail == "GET /internal/ping: {}"
    assert (reading.queue_running, reading.queue_pending) == (0, 0)
    assert reading.vram_free_bytes == 16 * GIB
    assert reading.vram_own_bytes == 7 * GIB
    assert reading.ram_own_bytes == 3_500_000_000
    assert reading.model == "turbo.safetensors [e869ac7d69]"
    assert isinstance(reading.device, Device)
    assert reading.device.total_bytes == 24 * GIB
    assert not reading.device.name
    assert reading.arguments == (
        "--gpu-device-id", "1", "--port", "17860", "--cuda-malloc", "--xformers", "--api",
    )  # fmt: skip
    assert reading.taken_monotonic > 0


def test_a_working_forge_tells_how_far_it_is() -> None:
    with serving(by_path(answers(progress=BUSY))) as server:
        reading = look("forge", server.url)
    assert reading.busy
    assert (reading.queue_running, reading.queue_pending) == (1, 2)
    job = reading.job
    assert job is not None
    assert (job.what, job.percent, job.step, job.steps) == ("txt2img", 25.0, 5, 20)
    assert job.left_seconds == 30.0
    assert job.running_seconds == pytest.approx(10.0)


def test_an_estimate_that_makes_no_sense_is_none() -> None:
    for left in (1e30, 1e300, 40 * 86400.0):
        job = parse_progress({**BUSY, "progress": 0.5, "eta_relative": left}).job
        assert job is not None
        assert isinstance(job.left_seconds, Unknown)
        assert isinstance(job.running_seconds, Unknown)


@pytest.mark.parametrize("progress", [None, {"progress": "x", "state": "y"}])
def test_a_forge_whose_progress_makes_no_sense_is_ready_and_says_that_its_job_is_not_told(
    progress: object,
) -> None:
    with serving(by_path(answers(progress=progress))) as server:
        reading = look("forge", server.url)
    assert (reading.answer, reading.busy) == ("ready", False)
    assert isinstance(reading.queue_running, Unknown)
    assert "GET /internal/ping: {}, but whether it works can't be told" in reading.detail


def test_no_password_leaves_the_flags() -> None:
    with serving(by_path(answers())) as server:
        reading = look("forge", server.url)
    told = repr(reading) + repr(parse_flags(FLAGS))
    assert "hunter" not in told
    assert "/secret/file" not in told


def test_a_login_in_front_is_not_health() -> None:
    with serving(always(TO_LOGIN)) as server:
        reading = look("forge", server.url)
    assert reading.answer == "needs-auth"
    assert reading.problem is not None
    assert "auth" in reading.problem.hint
    assert isinstance(reading.vram_own_bytes, Unknown)


def test_a_front_alone_is_not_forge() -> None:
    with serving(always(message("502 Bad Gateway", "<html>Loading...", "text/html"))) as server:
        assert look("forge", server.url).answer == "front-only"


def test_the_log_viewer_in_forges_place_is_a_stage() -> None:
    with serving(always(message(body=LOG_VIEWER, kind="text/html; charset=utf-8"))) as server:
        reading = look("forge", server.url)
    assert (reading.answer, reading.stage) == ("starting", "provisioning")


def test_another_page_on_its_port_is_odd() -> None:
    with serving(
        always(message(body="<html><title>Nextcloud</title>", kind="text/html"))
    ) as server:
        reading = look("forge", server.url)
    assert reading.answer == "odd"


@pytest.mark.parametrize("pong", ['{"pong": true}', "[]", "null", '"{}"', "0"])
def test_a_ping_that_is_not_forges(pong: str) -> None:
    with serving(by_path(answers(ping=message(body=pong)))) as server:
        assert look("forge", server.url).answer == "odd"


def test_without_api_it_is_up_and_says_what_is_missing() -> None:
    with serving(by_path({"/internal/ping": body({})})) as server:
        reading = look("forge", server.url)
        assert reading.answer == "ready"
        assert reading.problem is None
        assert isinstance(reading.queue_running, Unknown)
        assert reading.queue_running.code == "forge.no-api"
        assert "--api" in reading.queue_running.hint
        with forge_door(server.url) as opened, pytest.raises(BadStatusError) as caught:
            opened.free()
    assert caught.value.code == "forge.no-api"


def test_without_web_page_it_has_no_ping_and_is_ready() -> None:
    there = answers()
    del there["/internal/ping"], there["/internal/pending-tasks"]
    with serving(by_path(there)) as server:
        reading = look("forge", server.url)
    assert reading.answer == "ready"
    assert reading.vram_own_bytes == 7 * GIB


def test_nothing_of_forge_there_at_all() -> None:
    with serving(always(message("404 Not Found", '{"detail":"Not Found"}'))) as server:
        assert look("forge", server.url).answer == "odd"


def test_a_login_of_the_api_only() -> None:
    denied = answers(progress=API_AUTH, memory=API_AUTH, options=API_AUTH)
    with serving(by_path(denied)) as server:
        reading = look("forge", server.url)
        with_token = look("forge", server.url, scheme="basic", secret_env="FORGE_TOKEN")
    assert reading.answer == "needs-auth"
    assert with_token.answer == "needs-auth"
    assert with_token.problem is not None
    assert "tok-91" not in repr(with_token)


@pytest.mark.parametrize("scheme", ["bearer", "query"])
def test_ai_docks_front_lets_the_token_through(scheme: str) -> None:
    inner = by_path(answers())

    def caddy(sock: socket.socket, request: bytes) -> None:
        good = (
            b"Bearer tok-91-secret" in request or b"token=tok-91-secret" in request.split(b"\r")[0]
        )
        inner(sock, request) if good else sock.sendall(TO_LOGIN)

    with serving(caddy) as server:
        assert look("forge", server.url).answer == "needs-auth"
        allowed = look("forge", server.url, scheme=scheme, secret_env="FORGE_TOKEN")
        assert allowed.answer == "ready"
        assert allowed.vram_own_bytes == 7 * GIB
        wrong = look("forge", server.url, scheme=scheme, secret_env="NOT_THERE")
    assert wrong.answer == "needs-auth"
    assert "NOT_THERE is not set" in wrong.problem.title  # type: ignore[union-attr]


def test_figures_that_fail_blank_themselves_only() -> None:
    failing = answers(
        memory={"ram": {"error": "no psutil"}, "cuda": {"error": "'num_ooms' is missing"}},
        options=message("500 Internal Server Error", "boom", "text/plain"),
        cmd_flags=message(body="<html>", kind="text/html"),
    )
    with serving(by_path(failing)) as server:
        reading = look("forge", server.url)
    assert reading.answer == "ready"
    assert reading.queue_running == 0
    for figure in (reading.vram_own_bytes, reading.ram_own_bytes, reading.model, reading.arguments):
        assert isinstance(figure, Unknown)
    assert "'num_ooms' is missing" in repr(reading.vram_free_bytes)


def test_the_cards_own_part_is_sure_where_torch_tells_nothing() -> None:
    memory = parse_memory({"cuda": {"system": {"free": 5, "used": 1, "total": 6}}})
    assert (memory.total_bytes, memory.free_bytes) == (6, 5)
    assert isinstance(memory.own_bytes, Unknown)


def test_a_hang_in_the_middle_of_a_look_keeps_what_came() -> None:
    there = by_path(answers())

    def hang(sock: socket.socket, request: bytes) -> None:
        if path_of(request).startswith("/sdapi/v1/memory"):
            sock.recv(1)
        there(sock, request)

    with serving(hang) as server:
        began = time.monotonic()
        reading = look("forge", server.url, patience=0.5)
    assert time.monotonic() - began < 2
    assert (reading.answer, reading.queue_running) == ("ready", 0)
    assert isinstance(reading.vram_own_bytes, Unknown)
    assert reading.vram_own_bytes.code == "web.timeout"


def test_one_that_never_answers_is_unreachable() -> None:
    with silent() as server:
        reading = look("forge", server.url, patience=0.3)
    assert reading.answer == "unreachable"
    assert isinstance(reading.model, Unknown)


def test_brief_looks_ask_little() -> None:
    with serving(by_path(answers())) as server, forge_door(server.url) as opened:
        first = opened.look()
        asked = len(server.requests)
        again = opened.look(brief=True)
        assert len(server.requests) == asked + 1
        assert again.model == first.model
        assert again.vram_own_bytes == first.vram_own_bytes
        assert again.arguments == first.arguments


def test_one_that_was_started_anew_without_api_is_told_so() -> None:
    there = answers()
    with serving(by_path(there)) as server, forge_door(server.url) as opened:
        assert opened.look().answer == "ready"
        for path in [path for path in there if path.startswith("/sdapi")]:
            del there[path]
        reading = opened.look(brief=True)
        assert reading.answer == "ready"
        assert isinstance(reading.queue_running, Unknown)
        assert reading.queue_running.code == "forge.no-api"


def test_a_job_that_ended_makes_its_memory_news() -> None:
    there = answers(progress=BUSY)
    with serving(by_path(there)) as server, forge_door(server.url) as opened:
        opened.look()
        freed = {**MEMORY, "cuda": {**MEMORY["cuda"], "reserved": {"current": 1}}}  # type: ignore[dict-item]
        there["/sdapi/v1/progress"], there["/sdapi/v1/memory"] = body(IDLE), body(freed)
        reading = opened.look(brief=True)
    assert not reading.busy
    assert reading.vram_own_bytes == 1


def test_free_and_interrupt() -> None:
    with serving(by_path(answers())) as server, forge_door(server.url) as opened:
        opened.free()
        opened.interrupt()
        asked = [request.split(b" HTTP")[0] for request in server.requests]
    assert asked == [b"POST /sdapi/v1/unload-checkpoint", b"POST /sdapi/v1/interrupt"]
    with (
        serving(always(API_AUTH)) as server,
        forge_door(server.url) as opened,
        pytest.raises(NeedsAuthError),
    ):
        opened.free()


def test_models_and_modules() -> None:
    with serving(by_path(answers())) as server, forge_door(server.url) as opened:
        (checkpoint,) = opened.checkpoints()
        (module,) = opened.modules()
    assert (checkpoint.name, checkpoint.file) == ("turbo", "/models/turbo.safetensors")
    assert module.name == "ae.safetensors"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def spoiled(data: Any, spoil: Any, path: list[int]) -> Any:
    """Put something else at one place of a nested object."""
    if not isinstance(data, dict) or not path:
        return spoil
    key = sorted(data)[path[0] % len(data)]
    return {**data, key: spoiled(data[key], spoil, path[1:])}


@given(spoil=JSON, path=st.lists(st.integers(0, 9), max_size=3))
def test_wrong_types_blank_a_field_and_never_raise(spoil: Any, path: list[int]) -> None:
    memory = parse_memory(spoiled(MEMORY, spoil, path))
    for field in memory.__struct_fields__:
        value = getattr(memory, field)
        assert isinstance(value, Unknown) or (type(value) is int and value >= 0)
    progress = parse_progress(spoiled(BUSY, spoil, path))
    assert isinstance(progress.running, Unknown) or progress.running in {0, 1}
    if progress.job is not None and not isinstance(progress.job.percent, Unknown):
        assert 0 <= progress.job.percent <= 100
    assert isinstance(parse_model(spoil), str | Unknown)
    parse_flags(spoil)


@given(spoil=JSON)
def test_whatever_it_answers_a_look_ends_in_a_reading(spoil: Any) -> None:
    there = answers(
        progress=message(body=json.dumps(spoil)), memory=message(body=json.dumps(spoil))
    )
    with serving(by_path(there)) as server:
        reading = look("forge", server.url)
    assert reading.answer == "ready"


def test_faults_are_of_one_family() -> None:
    with silent() as server, forge_door(server.url, patience=0.3) as opened:
        opened.client.allow(0.3)
        with pytest.raises(ServiceFault):
            opened.interrupt()
