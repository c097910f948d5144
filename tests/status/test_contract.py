"""`gpuconsole status` as scripts and people meet it, on hosts of the rehearsal."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

GPU_KEYS = {
    "uuid", "index", "cuda_ordinal", "pci_bus_id", "name", "compute_capability",
    "memory_total_bytes", "memory_used_bytes", "memory_free_bytes", "utilization_percent",
    "memory_utilization_percent", "temperature_celsius", "power_watts", "power_limit_watts",
    "clock_graphics_mhz", "clock_memory_mhz", "fan_percent", "throttle_reasons",
    "pcie_generation", "pcie_width", "performance_state", "age_seconds", "stale", "processes",
    "unavailable",
}  # fmt: skip
CONTAINER_KEYS = {
    "id", "name", "image", "state", "status", "health", "exit_code", "exit_meaning", "oom_killed",
    "restart_count", "restart_policy", "started_at", "finished_at", "ports", "gpu_uuids",
    "gpu_source", "compose",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def status(scenario: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "console",
            "demo",
            "--scenario",
            scenario,
            "--",
            "gpuconsole",
            "status",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def answer(scenario: str) -> tuple[int, dict[str, Any]]:
    done = status(scenario, "--json")
    return done.returncode, json.loads(done.stdout)


def test_the_studio_answers_every_key_of_the_contract() -> None:
    code, whole = answer("studio")
    assert (code, whole["schema"], whole["ok"]) == (0, "gpuconsole/1", True)
    data = whole["data"]
    assert TIME.fullmatch(data["taken_at"])
    for gpu in data["gpus"]:
        assert set(gpu) >= GPU_KEYS
        assert gpu["stale"] is False
        assert 0 <= gpu["age_seconds"] < 3
    for container in data["containers"]:
        assert set(container) >= CONTAINER_KEYS
    assert set(data["engine"]) >= {"endpoint", "endpoint_source", "api_version"}
    assert data["engine"]["endpoint_source"] == "DOCKER_HOST"
    assert data["host"]["platform"] == "wsl2"
    assert data["alerts"] == []
    assert data["unavailable"] == []


def test_what_a_laptop_board_does_not_tell_is_null_with_its_reason() -> None:
    _, whole = answer("studio")
    laptop = whole["data"]["gpus"][0]
    assert laptop["fan_percent"] is None
    reasons = {item["field"]: item for item in laptop["unavailable"]}
    assert reasons["fan_percent"]["code"] == "nvml.not-supported"
    assert set(reasons["fan_percent"]) == {"field", "code", "title", "hint"}


def test_under_wsl_the_chain_is_followed_and_natively_the_processes_tell() -> None:
    _, wsl = answer("studio")
    _, native = answer("native")
    told = {item["name"]: item for item in wsl["data"]["containers"]}
    assert told["myia"]["gpu_source"] == "declared"
    told = {item["name"]: item for item in native["data"]["containers"]}
    assert told["myia"]["gpu_source"] == "processes"
    uuids = {gpu["uuid"]: gpu for gpu in native["data"]["gpus"]}
    card = uuids[told["myia"]["gpu_uuids"][0]]
    assert any(process["container"] == "myia" for process in card["processes"])


def test_a_crash_loop_is_exit_5_and_still_ok() -> None:
    code, whole = answer("crash-loop")
    assert (code, whole["ok"]) == (5, True)
    alert = whole["data"]["alerts"][0]
    assert (alert["id"], alert["severity"], alert["subject"]) == (
        "container.crash-loop",
        "error",
        "myia-turbo",
    )
    assert alert["count"] >= 3
    assert TIME.fullmatch(alert["since"])
    turbo = next(item for item in whole["data"]["containers"] if item["name"] == "myia-turbo")
    assert (turbo["exit_code"], turbo["exit_meaning"]) == (2, "usage error")


@pytest.mark.parametrize(
    ("scenario", "source"),
    [
        ("no-driver", "gpu"),
        ("driver-mismatch", "gpu"),
        ("gpu-blocked", "gpu"),
        ("no-engine", "engine"),
    ],
)
def test_one_missing_source_is_named_and_the_other_still_answers(
    scenario: str, source: str
) -> None:
    code, whole = answer(scenario)
    assert code == 5
    missing = {item["source"]: item for item in whole["data"]["unavailable"]}
    assert set(missing) == {source}
    assert missing[source]["title"]
    assert missing[source]["hint"]
    assert bool(whole["data"]["gpus"]) == (source == "engine")
    assert bool(whole["data"]["containers"]) == (source == "gpu")


def test_neither_card_nor_engine_is_exit_4_and_not_ok(tmp_path: object) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
        "GPUCONSOLE_NVML_LIBRARY": f"{tmp_path}/none.so",
    }
    done = subprocess.run(
        [sys.executable, "-m", "console", "status", "--json"],
        capture_output=True,
        text=True,
        env=environ,
        timeout=60,
    )
    whole = json.loads(done.stdout)
    assert (done.returncode, whole["ok"]) == (4, False)
    assert whole["error"]["hint"]
    assert {item["source"] for item in whole["data"]["unavailable"]} == {"gpu", "engine"}


def test_text_for_people_has_no_control_characters_even_on_a_hostile_host() -> None:
    done = status("hostile")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stdout)


def test_the_line_for_a_status_bar_is_one_line_and_the_check_names_the_verdict() -> None:
    assert len(status("crash-loop", "--line").stdout.splitlines()) == 1
    check = status("crash-loop", "--check")
    assert check.returncode == 5
    assert check.stdout.splitlines()[0].endswith("exit 2: usage error")


def test_watching_streams_one_object_a_line_and_says_when_it_is_done() -> None:
    done = status("studio", "--watch", "--json", "--count", "2", "--interval", "0.5")
    events = [json.loads(line)["data"]["event"] for line in done.stdout.splitlines()]
    assert events == ["status", "status", "done"]


def test_the_exit_code_tells_the_truth_though_nobody_reads_the_words() -> None:
    script = 'exec "$0" -m console demo --scenario crash-loop -- "$0" -m console "$@" >&-'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, "status", "--check"],
        stderr=subprocess.PIPE,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (5, b"")


@pytest.mark.parametrize("seconds", ["nan", "inf", "0"])
def test_an_interval_that_is_no_time_is_refused(seconds: str) -> None:
    done = status("studio", "--watch", "--interval", seconds)
    assert done.returncode == 2
    assert "--interval" in done.stderr
