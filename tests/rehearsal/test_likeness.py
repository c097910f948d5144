"""The engine's answers against those recorded from a real engine 20.10: the same keys and kinds."""

import json
from typing import Any

import pytest
from docker.api.client import APIClient

from console.simulator.held import HeldRehearsal, held_rehearsal
from tests.rehearsal.support import RECORDED, SHELL_IMAGE, ask, filtered, workbench_scene

RECORD = json.loads(RECORDED.read_text())

# What depends on how an engine was built or configured, not on what it speaks.
LEFT_OUT = {
    "info": {
        "BridgeNfIp6tables", "BridgeNfIptables", "CPUSet", "CPUShares", "ContainerdCommit",
        "CpuCfsPeriod", "CpuCfsQuota", "GenericResources", "HttpProxy", "HttpsProxy",
        "IPv4Forwarding", "InitBinary", "InitCommit", "Isolation", "KernelMemory",
        "KernelMemoryTCP", "NEventsListener", "NoProxy", "OomKillDisable", "PidsLimit",
        "RegistryConfig", "RuncCommit",
    },
    "image": {"Container", "ContainerConfig", "DockerVersion"},
}  # fmt: skip
FREE = {
    "GraphDriver",
    "Plugins",
    "Runtimes",
    "Swarm",
    "Components",
    "stats",
    "Labels",
    "RepoDigests",
}


def missing(real: Any, ours: Any, path: str = "") -> list[str]:
    """Name what a real answer has and ours lacks, or has as another kind."""
    name = path.rsplit(".", 1)[-1]
    if name in FREE:
        return []
    if isinstance(real, dict):
        if not isinstance(ours, dict):
            return [f"{path}: {type(ours).__name__} instead of an object"]
        return [
            fault
            for key, value in real.items()
            for fault in (
                missing(value, ours[key], f"{path}.{key}") if key in ours else [f"{path}.{key}"]
            )
        ]
    if isinstance(real, list):
        if not isinstance(ours, list):
            return [f"{path}: {type(ours).__name__} instead of a list"]
        return missing(real[0], ours[0], f"{path}[]") if real and ours else []
    kind = type(ours).__name__
    alike = kind == real or "NoneType" in {kind, real}
    return [] if alike else [f"{path}: {kind} instead of {real}"]


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """Do here what was done when the real engine's answers were recorded."""
    with held_rehearsal(workbench_scene("20.10")) as host:
        api = APIClient(host.address, version="1.41")
        up = api.create_container(
            SHELL_IMAGE,
            ["sleep", "1000"],
            name="up",
            ports=[80],
            labels={"x": "y"},
            environment={"A": "b"},
            healthcheck={"test": ["CMD-SHELL", "true"], "interval": 10**9},
            host_config=api.create_host_config(
                network_mode="none",
                port_bindings={80: 8080},
                restart_policy={"Name": "unless-stopped"},
            ),
        )["Id"]
        api.start(up)
        none = api.create_host_config(network_mode="none")
        gone = api.create_container(
            SHELL_IMAGE, ["sh", "-c", "exit 3"], name="gone", host_config=none
        )["Id"]
        api.start(gone)
        host.advance(3)
        found = _asked(host, up, gone)
        found["exec"] = ask(host.address, f"/exec/{api.exec_create(up, ['true'])['Id']}/json")[1]
        _ordered(api, host, up, gone)
        found["events"] = _told(api, host, up, gone)
        api.close()
        return found


def _asked(host: HeldRehearsal, up: str, gone: str) -> dict[str, Any]:
    paths = {
        "list": f"/containers/json?all=1&filters={filtered(name=['up'])}",
        "inspect": f"/containers/{up}/json",
        "inspect_exited": f"/containers/{gone}/json",
        "stats": f"/containers/{up}/stats?stream=false",
        "stats_exited": f"/containers/{gone}/stats?stream=false&one-shot=true",
        "version": "/version",
        "info": "/info",
        "images": "/images/json",
        "image": f"/images/{SHELL_IMAGE}/json",
        "top": f"/containers/{up}/top",
    }
    found = {name: ask(host.address, path)[1] for name, path in paths.items()}
    found["list"], found["images"] = found["list"][0], found["images"][0]
    return found


def _ordered(api: APIClient, host: HeldRehearsal, up: str, gone: str) -> None:
    api.restart(up, timeout=0)
    api.pause(up)
    api.unpause(up)
    api.kill(up)
    api.start(up)
    api.stop(up, timeout=1)
    api.rename(up, "other")
    api.remove_container(up)
    api.remove_container(gone)


def _told(api: APIClient, host: HeldRehearsal, up: str, gone: str) -> list[dict[str, Any]]:
    host.advance(2)
    now = host.clock.now().timestamp()
    events = api.events(since=int(now - 60), until=int(now), decode=True)
    return [
        event
        for event in events
        if event["Actor"]["ID"] in (up, gone)
        and not event["Action"].startswith(("exec_", "health_"))
    ]


@pytest.mark.parametrize("name", sorted(RECORD["answers"]))
def test_an_answer_has_all_a_real_one_has(name: str, answers: dict[str, Any]) -> None:
    real = {k: v for k, v in RECORD["answers"][name].items() if k not in LEFT_OUT.get(name, ())}
    assert missing(real, answers[name]) == []


def test_events_come_in_the_real_order_with_the_real_attributes(answers: dict[str, Any]) -> None:
    ours = [
        {
            "action": event["Action"],
            "keys": sorted(event),
            "attributes": sorted(event["Actor"]["Attributes"]),
        }
        for event in answers["events"]
    ]
    assert ours == RECORD["events"]
