"""What tests of and with a rehearsal share: a scene to work in, a raw client, a docker command."""

import http.client
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import pytest

from console.simulator.scenario import load_scenario
from console.simulator.scene import EngineSpec, ImageSpec, Scene

SHELL_IMAGE = "gpuconsole-test:1"
RECORDED = Path(__file__).parent / "recorded" / "engine-20.10.json"
FLAVOURS = ("20.10", "29")


def workbench_scene(flavour: str = "29") -> Scene:
    """Give a scene without containers, whose engine has a busybox image to make some from.

    Commands such as `sleep 60`, `sh -c "echo x; exit 3"`, `sh -c "trap 'exit 0' TERM; while true;
    do echo x; sleep 1; done"` do what they say; others are not found, as in the real image.
    """
    return msgspec.structs.replace(
        load_scenario("empty"),
        engine=EngineSpec(flavour=flavour),
        images={SHELL_IMAGE: ImageSpec(shell=True)},
    )


def ask(
    address: str, path: str, method: str = "GET", body: Any = None, version: str = "v1.41"
) -> tuple[int, Any, dict[str, str]]:
    """Ask an engine without any client between; gives status, JSON (or bytes) and headers."""
    connection = http.client.HTTPConnection("engine", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(10)
    connection.sock.connect(address.removeprefix("unix://"))
    prefix = f"/{version}" if version else ""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    text = None if body is None else json.dumps(body)
    connection.request(method, prefix + path, text, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    found = {name.title(): value for name, value in answer.getheaders()}
    is_json = found.get("Content-Type", "").startswith("application/json")
    return answer.status, json.loads(data) if is_json and data else data, found


class Reply(NamedTuple):
    """What a service answered: status, JSON (or bytes), headers."""

    status: int
    data: Any
    headers: dict[str, str]


def call(
    port: int,
    path: str,
    method: str = "GET",
    body: Any = None,
    *,
    timeout: float = 5.0,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Ask a service on a loopback port, following nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    try:
        connection.request(method, path, text, headers or {})
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    found = {name.title(): value for name, value in answer.getheaders()}
    is_json = found.get("Content-Type", "").startswith("application/json")
    return Reply(answer.status, json.loads(data) if is_json and data else data, found)


def filtered(**wanted: list[str]) -> str:
    """Give filters as they stand in a query."""
    return quote(json.dumps(wanted))


def docker(environ: dict[str, str], *args: str) -> "subprocess.CompletedProcess[str]":
    """Run the docker command line inside a rehearsal; skip where there is none."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command here")
    return subprocess.run(
        ["docker", *args],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
