"""Real compose, both generations, on the simulated engine: a service comes back on its card."""

import itertools
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

from console.simulator.held import HeldRehearsal, held_rehearsal
from console.simulator.scene import GIB
from tests.rehearsal.support import call

TOKEN = {"Authorization": "Bearer rehearsal-token"}
SMALL, BIG = "NVIDIA GeForce RTX 3080 Laptop GPU", "NVIDIA GeForce RTX 3090"


def version(command: str) -> str:
    """Give the major version of a compose, or nothing where it is not one."""
    try:
        told = subprocess.run(
            [command, "version", "--short"], capture_output=True, text=True, timeout=20
        )
    except OSError:
        return ""
    return told.stdout.strip().lstrip("v").split(".")[0]


def composes() -> Iterator[str]:
    beside = Path(sys.executable).with_name("docker-compose")
    for found in (str(beside), shutil.which("docker-compose"), "/usr/bin/docker-compose"):
        if found:
            yield found


def compose(generation: str) -> str:
    """Find a compose of generation `1` (Python) or `5` (Go); skip where there is none."""
    for command in composes():
        major = version(command)
        if major == "1" if generation == "1" else major not in {"", "1"}:
            return command
    return pytest.skip(f"no docker-compose of generation {generation} on this machine")


def service_of(host: HeldRehearsal, name: str) -> dict[str, Any]:
    text = (host.places.config_home / "gpuconsole/config.toml").read_text()
    found: dict[str, Any] = tomllib.loads(text)["services"][name]
    return found


def up(host: HeldRehearsal, command: str, name: str, project: str, *more: str) -> str:
    service = service_of(host, name)
    done = subprocess.run(
        [command, "-p", project, "-f", service["compose_file"], "up", "-d", *more,
         service["compose_service"]],
        env={**os.environ, **host.environ},
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def changed(host: HeldRehearsal, name: str, old: str, new: str) -> None:
    file = Path(service_of(host, name)["compose_file"])
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


GENERATIONS = pytest.mark.parametrize(
    ("generation", "scenario"), [("5", "studio"), ("5", "old-engine"), ("1", "old-engine")]
)


@GENERATIONS
def test_a_recreated_comfyui_sits_on_the_card_its_flag_names(
    generation: str, scenario: str
) -> None:
    command = compose(generation)
    with held_rehearsal(scenario) as host:
        port = host.ports["comfyui-qwen"]
        changed(host, "comfyui-qwen", '"--cuda-device", "0"', '"--cuda-device", "1"')
        up(host, command, "comfyui-qwen", "comfyui", "--force-recreate", "--no-deps")
        api = APIClient(host.address, version="auto")
        made = api.inspect_container("comfyui-qwen")
        assert made["State"]["Running"]
        assert made["Config"]["Cmd"][-1] == "1"
        assert made["HostConfig"]["Init"] is True
        assert made["HostConfig"]["DeviceRequests"][0]["Count"] == -1
        labels = made["Config"]["Labels"]
        assert labels["com.docker.compose.service"] == "comfyui"
        folder = Path(service_of(host, "comfyui-qwen")["compose_file"]).parent
        assert labels["com.docker.compose.project.working_dir"] == str(folder)
        assert len(api.containers(all=True)) == 5
        host.advance(8)
        device = call(port, "/system_stats").data["devices"][0]
        assert (device["name"], device["vram_total"]) == (
            f"cuda:0 {SMALL} : cudaMallocAsync",
            16 * GIB,
        )
        log = api.logs("comfyui-qwen").decode()
        assert "Set cuda device to: 1" in log
        assert f"Device: cuda:0 {SMALL}" in log
        assert made["State"]["Health"]["Status"] == "starting"
        api.close()


@pytest.mark.parametrize("generation", ["1", "5"])
def test_an_absent_comfyui_is_made_and_comes_up(generation: str) -> None:
    command = compose(generation)
    with held_rehearsal("no-comfyui") as host:
        up(host, command, "comfyui-qwen", "comfyui")
        host.advance(8)
        answer = call(host.ports["comfyui-qwen"], "/system_stats").data
        assert BIG in answer["devices"][0]["name"]


def test_a_removed_forge_is_made_again_by_compose_1(tmp_path: Path) -> None:
    command = compose("1")
    with held_rehearsal("old-engine") as host:
        api = APIClient(host.address, version="auto")
        api.remove_container("myia-turbo", force=True)
        up(host, command, "myia-turbo", "sd", "--no-deps")
        assert api.inspect_container("myia-turbo")["Config"]["Entrypoint"] == ["init.sh"]
        api.close()
        assert call(host.ports["myia-turbo"], "/internal/ping", headers=TOKEN).status == 502
        host.advance(25)
        assert call(host.ports["myia-turbo"], "/internal/ping", headers=TOKEN).data == {}


def test_a_forge_moves_by_its_flag_and_by_cudas_order() -> None:
    command = compose("5")
    with held_rehearsal("studio") as host:
        changed(host, "myia", "--gpu-device-id 0", "--gpu-device-id 1")
        up(host, command, "myia", "sd", "--no-deps")
        host.advance(25)
        system = call(host.ports["myia"], "/sdapi/v1/memory", headers=TOKEN).data["cuda"]["system"]
        assert system["total"] == 24 * GIB  # 1 by PCI order
        changed(host, "myia", 'CUDA_DEVICE_ORDER: "PCI_BUS_ID"', 'X: "y"')
        up(host, command, "myia", "sd", "--no-deps")
        host.advance(25)
        system = call(host.ports["myia"], "/sdapi/v1/memory", headers=TOKEN).data["cuda"]["system"]
        assert system["total"] == 16 * GIB  # 1 by speed


def test_on_native_linux_device_ids_decide() -> None:
    command = compose("5")
    with held_rehearsal("native") as host:
        changed(host, "comfyui-qwen", 'device_ids: ["1"]', 'device_ids: ["0"]')
        up(host, command, "comfyui-qwen", "comfyui", "--no-deps")
        host.advance(8)
        device = call(host.ports["comfyui-qwen"], "/system_stats").data["devices"][0]
        assert SMALL in device["name"]


def test_a_card_that_is_not_there_ends_it_as_the_real_one() -> None:
    command = compose("5")
    with held_rehearsal("native") as host:
        changed(host, "comfyui-qwen", '"--cuda-device", "0"', '"--cuda-device", "3"')
        changed(host, "comfyui-qwen", "restart: unless-stopped", 'restart: "no"')
        up(host, command, "comfyui-qwen", "comfyui", "--no-deps")
        host.advance(8)
        api = APIClient(host.address, version="auto")
        state = api.inspect_container("comfyui-qwen")["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 1)
        assert "No CUDA GPUs are available" in api.logs("comfyui-qwen").decode()
        api.close()


def test_compose_1_falls_over_an_engine_that_is_too_new_as_in_real_life() -> None:
    command = compose("1")
    with held_rehearsal("studio") as host:
        service = service_of(host, "comfyui-qwen")
        done = subprocess.run(
            [command, "-p", "comfyui", "-f", service["compose_file"], "up", "-d", "comfyui"],
            env={**os.environ, **host.environ},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert "ContainerConfig" in done.stderr


@pytest.mark.parametrize("generation", ["1", "5"])
def test_a_stopped_forge_is_made_anew_and_stays_stopped(generation: str) -> None:
    """As a move of a stopped service does; compose 1.x attaches to what it never starts."""
    command = compose(generation)
    with held_rehearsal("old-engine") as host:
        api = APIClient(host.address, version="auto")
        api.stop("myia-turbo", timeout=5)
        before = api.inspect_container("myia-turbo")["Id"]
        service = service_of(host, "myia-turbo")
        done = subprocess.run(
            [command, "-p", "sd", "-f", service["compose_file"], "up", "--no-start", "--no-deps",
             "--force-recreate", service["compose_service"]],
            env={**os.environ, **host.environ},
            capture_output=True,
            text=True,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        made = api.inspect_container("myia-turbo")
        assert made["Id"] != before
        assert made["State"]["Status"] == "created"
        api.close()


def test_whoever_is_attached_reads_what_is_written_until_the_end() -> None:
    with held_rehearsal("studio") as host:
        api = APIClient(host.address, version="auto")
        written = api.attach("myia-turbo", stream=True, logs=True)
        assert b"Set device to: 0" in b"".join(itertools.islice(written, 3))
        api.stop("myia-turbo", timeout=5)
        list(written)  # comes to its end, as the container has
        api.close()


def test_without_an_image_compose_says_so() -> None:
    command = compose("5")
    with held_rehearsal("no-comfyui") as host:
        changed(host, "comfyui-qwen", "comfyui-qwen:local", "comfyui-qwen:nowhere")
        with pytest.raises(AssertionError):
            up(host, command, "comfyui-qwen", "comfyui", "--pull", "never")


def test_networks_are_made_found_and_removed() -> None:
    with held_rehearsal("studio") as host:
        api = APIClient(host.address, version="auto")
        ident = api.create_network("sd_default", labels={"a": "b"})["Id"]
        assert [n["Name"] for n in api.networks(filters={"label": "a=b"})] == ["sd_default"]
        assert api.inspect_network("sd_default")["Id"] == ident
        assert {n["Name"] for n in api.networks()} == {"bridge", "host", "none", "sd_default"}
        api.remove_network(ident)
        assert len(api.networks()) == 3
        assert api.volumes()["Volumes"] == []
        api.close()
