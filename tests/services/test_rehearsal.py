"""Services of whole rehearsal hosts: real HTTP, a real engine's protocol, a clock held still."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.live import LiveHost
from actions.services.find import service_named
from actions.services.snapshot import ServiceStatus
from actions.session import Session, open_session
from actions.snapshot import HostSnapshot
from actions.status import read_status, status_exit_code
from actions.status_data import status_data
from console.engine.client import EngineClient
from console.errors import ExitCode
from console.simulator.held import HeldRehearsal, held_rehearsal
from console.unknown import known
from screens.cli.status_text import status_text
from tests.support.waiting import wait_until

KEYS = {
    "name", "kind", "state", "state_since", "evidence", "url", "container", "gpu_uuid",
    "gpu_source", "gpu_expected_uuid", "vram_budget_bytes", "vram_used_bytes", "vram_used_source",
    "queue_running", "queue_pending", "version", "unavailable",
}  # fmt: skip


def session_of(host: HeldRehearsal, config: str | None = None) -> Session:
    return open_session(host.environ, config, clock=host.clock)


def looked(host: HeldRehearsal, config: str | None = None) -> HostSnapshot:
    """Look once; again where a busy machine kept a service from answering in time."""
    session = session_of(host, config)
    found = wait_until(lambda: _in_time(read_status(session)), 30, "every service answers in time")
    assert found is not None
    return found


def _in_time(snapshot: HostSnapshot) -> HostSnapshot | None:
    late = [one.name for one in snapshot.services if one.state == "unreachable"]
    return None if late else snapshot


def named(snapshot: HostSnapshot) -> dict[str, ServiceStatus]:
    return {one.name: one for one in snapshot.services}


def card(snapshot: HostSnapshot, part: str) -> str:
    return next(gpu.uuid for gpu in snapshot.gpu.gpus if part in str(gpu.name))


@pytest.fixture(scope="module")
def studio() -> Iterator[HeldRehearsal]:
    """Give the default scene, for tests that change nothing in it."""
    with held_rehearsal("studio") as host:
        yield host


def test_the_studio_is_well_and_each_service_says_so_itself(studio: HeldRehearsal) -> None:
    snapshot = looked(studio)
    services = named(snapshot)
    assert list(services) == ["myia", "myia-turbo", "comfyui-qwen"]
    assert {one.state for one in services.values()} == {"ready", "busy"}
    assert services["comfyui-qwen"].state == "busy"
    assert snapshot.alerts == ()
    for one in services.values():
        assert one.gpu_source == "observed"
        assert one.gpu_uuid == one.gpu_expected_uuid == one.gpu_declared_uuid
        assert one.vram_used_source == "service"
        assert known(one.vram_used_bytes)
        assert one.vram_used_bytes > 2**30
        assert known(one.vram_budget_bytes)
    assert services["myia"].gpu_uuid == card(snapshot, "3080")
    assert services["comfyui-qwen"].gpu_uuid == card(snapshot, "3090")


def test_status_tells_every_key_of_the_contract_and_why_one_is_empty(
    studio: HeldRehearsal,
) -> None:
    data = status_data(looked(studio))["services"]
    for service in data:
        assert set(service) >= KEYS
        reasons = {one["field"] for one in service["unavailable"]}
        for key in KEYS - {"unavailable"}:
            assert service[key] is not None or key in reasons, key
    qwen = next(one for one in data if one["name"] == "comfyui-qwen")
    assert (qwen["state"], qwen["queue_running"]) == ("busy", 1)
    assert qwen["evidence"][0]["source"] == "service"
    assert "rehearsal-token" not in str(data)


def test_status_for_people_keeps_services_within_80_columns(studio: HeldRehearsal) -> None:
    lines = status_text(looked(studio)).splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("service "))
    block = lines[begin : lines.index("", begin)]
    assert all(len(line) <= 80 for line in block)
    assert any(line.startswith("myia ") and "ready" in line for line in block)
    assert any(line.startswith("  service: GET /internal/ping") for line in block)


def test_without_a_config_the_same_services_are_discovered(studio: HeldRehearsal) -> None:
    snapshot = looked(studio, "/dev/null")
    services = named(snapshot)
    assert list(services) == ["comfyui-qwen", "myia", "myia-turbo"]
    assert {one.service.source for one in services.values()} == {"discovered"}
    assert services["comfyui-qwen"].state == "busy"
    # Nobody told their token: their fronts send everybody to a login.
    assert services["myia"].state == "needs-auth"
    assert [alert.id for alert in snapshot.alerts] == ["service.needs-auth"] * 2
    assert status_exit_code(snapshot) is ExitCode.DONE


def test_a_container_by_any_of_its_names_means_its_service(studio: HeldRehearsal) -> None:
    snapshot = looked(studio)
    services = [one.service for one in snapshot.services]
    for one in snapshot.services:
        for name in (one.name, one.service.container, one.container_id, one.container_id[:12]):
            found = service_named(services, snapshot.engine.containers, name)
            assert found is not None
            assert found.name == one.name


def test_both_forges_on_one_card_are_found_also_where_nobody_configured_them() -> None:
    with held_rehearsal("both-on-one-card") as host:
        for config in (None, "/dev/null"):
            snapshot = looked(host, config)
            found = {alert.id: alert for alert in snapshot.alerts}
            assert found["service.share-card"].subject == "myia"
            moved = found["service.misplaced"]
            assert (
                "set CUDA_DEVICE_ORDER=PCI_BUS_ID and --gpu-device-id 0 in FORGE_ARGS of "
                "docker-compose.yml (service forge)"
            ) in moved.hint
            assert named(snapshot)["myia"].gpu_uuid == card(snapshot, "3090")
            assert named(snapshot)["myia"].gpu_expected_uuid == card(snapshot, "3080")
            assert named(snapshot)["myia"].misplaced
            assert not named(snapshot)["myia-turbo"].misplaced


def test_three_services_that_hang_or_answer_oddly_take_no_longer_than_one() -> None:
    with held_rehearsal("hung-service") as host:
        session = session_of(host)
        began = time.monotonic()
        snapshot = read_status(session)
        assert time.monotonic() - began < 4.5
    services = named(snapshot)
    assert services["comfyui-qwen"].state == "unreachable"
    assert services["myia"].state == "unhealthy"
    assert services["myia-turbo"].state == "unhealthy"
    alerts = {alert.subject: alert.id for alert in snapshot.alerts}
    assert alerts == {
        "comfyui-qwen": "service.hung",
        "myia": "service.front-only",
        "myia-turbo": "service.odd",
    }
    assert status_exit_code(snapshot) is ExitCode.FINDINGS


def test_provisioning_is_starting_with_its_stage_until_the_api_answers() -> None:
    with held_rehearsal("provisioning") as host:
        session = session_of(host)
        first = named(read_status(session))["myia"]
        assert first.state == "starting"
        assert "provision" in first.evidence[0].text
        assert known(first.since)
        host.advance(600)
        wait_until(lambda: named(read_status(session))["myia"].state == "ready", 30)


def test_an_expired_token_is_told_as_such() -> None:
    with held_rehearsal("needs-auth") as host:
        snapshot = looked(host)
    one = named(snapshot)["myia"]
    assert one.state == "needs-auth"
    (alert,) = snapshot.alerts
    assert (alert.id, alert.subject) == ("service.needs-auth", "myia")
    assert "does not accept the login" in alert.title
    assert "expired" in alert.hint


def test_a_service_that_compose_has_yet_to_make_says_so() -> None:
    with held_rehearsal("no-comfyui") as host:
        snapshot = looked(host)
    one = named(snapshot)["comfyui-qwen"]
    assert one.state == "absent"
    assert "up -d comfyui would create it" in one.evidence[1].text
    assert snapshot.alerts == ()


def test_a_crash_loop_is_told_once() -> None:
    with held_rehearsal("crash-loop") as host:
        snapshot = looked(host)
    one = named(snapshot)["myia-turbo"]
    assert one.state == "crash-looping"
    assert "exit 2: usage error" in one.evidence[0].text
    mine = [alert.id for alert in snapshot.alerts if alert.subject == "myia-turbo"]
    assert mine == ["container.crash-loop"]


def test_on_native_linux_the_drivers_processes_place_the_services() -> None:
    with held_rehearsal("native") as host:
        snapshot = looked(host)
    for one in snapshot.services:
        assert one.gpu_source == "processes"
        assert one.vram_used_source == "driver"
        assert one.gpu_uuid == one.gpu_expected_uuid


def test_without_an_engine_what_answers_is_still_known_to_be_ready() -> None:
    with held_rehearsal("no-engine") as host:
        snapshot = looked(host)
    one = named(snapshot)["myia"]
    assert one.state == "ready"
    assert any(part.source == "engine" and "no Docker Engine" in part.text for part in one.evidence)
    assert {alert.subject for alert in snapshot.alerts} == {"engine:"}


def test_a_live_host_asks_its_services_and_sees_one_stop() -> None:
    with held_rehearsal("studio") as host:
        live = LiveHost(session_of(host))
        live.start()
        try:
            wait_until(lambda: _state(live, "myia") == "ready", 15)
            wait_until(lambda: _state(live, "comfyui-qwen") == "busy", 15)
            with EngineClient(session_of(host).endpoint, 5) as client:
                client.kill("myia")
            host.advance(1)
            stopped = wait_until(lambda: _service(live, "myia", "stopped"), 15)
            assert stopped.evidence[0].text == "exit 137: killed, as asked"
            assert stopped.vram_used_bytes == 0
            assert not known(stopped.gpu_uuid)
        finally:
            live.stop()


def _service(live: LiveHost, name: str, state: str) -> Any:
    one = named(live.snapshot()).get(name)
    return one if one is not None and one.state == state else None


def _state(live: LiveHost, name: str) -> str:
    one = named(live.snapshot()).get(name)
    return one.state if one is not None else ""


def test_a_first_frame_has_no_services_and_reads_no_catalogue(tmp_path: Path) -> None:
    session = open_session({"HOME": str(tmp_path)})
    snapshot = LiveHost(session).snapshot()
    assert snapshot.services == ()
    assert "_catalog_read" not in session.__dict__


def test_the_first_look_of_a_watch_waits_until_services_were_asked() -> None:
    with held_rehearsal("studio") as host:
        done = subprocess.run(
            [sys.executable, "-m", "console", "status", "--watch", "--count", "1", "--json"],
            capture_output=True, text=True, timeout=60, env={**os.environ, **host.environ},
        )  # fmt: skip
    first = json.loads(done.stdout.splitlines()[0])["data"]
    states = {one["name"]: one["state"] for one in first["services"]}
    assert states["myia"] == states["myia-turbo"] == "ready"
    assert states["comfyui-qwen"] == "busy"
    # It is ready since its log said so, or its container runs; not since somebody began to look.
    myia = next(one for one in first["services"] if one["name"] == "myia")
    (told,) = [one for one in myia["evidence"] if one.get("at") == myia["state_since"]]
    assert told["source"] in {"log", "engine"}
    assert myia["state_since"] < first["taken_at"]


def test_a_stopped_live_host_asks_nobody_anew() -> None:
    with held_rehearsal("studio") as host:
        live = LiveHost(session_of(host))
        live.start()
        wait_until(lambda: live._engine_snapshot().containers, 15)
        live.stop()
        assert live.snapshot().services
        assert not [thread.name for thread in threading.enumerate() if _asks(thread)]


def _asks(thread: threading.Thread) -> bool:
    return thread.is_alive() and thread.name.startswith(("service-myia", "service-comfyui"))
