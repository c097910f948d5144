"""The ComfyUI that setup makes, on a real engine: its own files, and an image made here."""

import contextlib
import fcntl
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.errors import DockerException

from actions.setup.answers import answers_of
from actions.setup.course import Course
from actions.setup.files.comfyui import COMPOSE, DOCKERFILE
from tests.layouts.bench import Bench, bench_on
from tests.support.engine import Workbench, engine_address, workbench
from tests.support.fresh import free_port
from tests.support.waiting import wait_until

__all__ = ["engine_address", "workbench"]

pytestmark = pytest.mark.engine

IMAGE = "gpuconsole-comfyui:0.33.0-core-cu128"
VARIANT = "qwen-edit-2509-fp8"
BEFORE = ("host", "existing", "layout")
"""Steps that this test is not about."""

PYTHON = """\
#!/bin/busybox sh
# Stands in for the image's Python: for ComfyUI where it is told so, else for the health check.
if [ "$1" = -c ]; then
  exec /bin/busybox wget -q -O /dev/null http://127.0.0.1:8188/system_stats
fi
echo "$@" > /data/output/arguments
/bin/busybox id -u > /data/output/user
if /bin/busybox touch /opt/ComfyUI/models/x; then echo yes; else echo no; fi > /data/output/writes
exec /bin/busybox httpd -f -p 8188 -h /www
"""
STANDS_IN = """\
FROM gpuconsole-test:1
COPY python /bin/python
RUN /bin/busybox chmod 755 /bin/python && /bin/busybox mkdir -p /www /data /opt/ComfyUI/models \\
    && echo '{}' > /www/system_stats
"""


class Here:
    """A host that setup has made a ComfyUI for.

    Attributes:
        folder: its files.
        port: where it is published.
        name: of service and container.
    """

    def __init__(self, bench: Bench, workbench: Workbench) -> None:
        self.bench = bench
        self.api = workbench.api
        self.port = free_port()
        self.name = f"{workbench.prefix}comfyui"
        self.folder = bench.folder / "it's made: here, $x"
        self.models = bench.folder / "models"
        config = bench.folder / ".config/gpuconsole/config.toml"
        config.write_text(f'[paths]\nmodels = "{self.models}"\n')
        self.course = Course(bench.session(), self._answers(), applies=True)
        for ident in ("cards", "variant"):
            self.course.look(ident)

    def _answers(self) -> Any:
        return answers_of(
            {
                "skip": list(BEFORE),
                "service": {"name": self.name, "variant": VARIANT, "gpu": "3090"},
                "comfyui": {"folder": str(self.folder), "port": str(self.port)},
            }
        )

    def make(self) -> None:
        """Have the files written, and the image built of a Dockerfile that stands in."""
        assert self.course.look("comfyui").state == "needed"
        written = self.course.do("comfyui")
        assert IMAGE in written.detail, written
        (self.folder / DOCKERFILE).write_text(STANDS_IN)
        (self.folder / "comfyui/python").write_text(PYTHON)
        self.course.look("comfyui", anew=True)
        built = self.course.do("comfyui")
        assert built.state == "done", built

    def compose(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Call this host's compose with the file, and checks of health that come quicker."""
        quick = self.folder / "quick.yaml"
        quick.write_text(f"services:\n  {self.name}:\n    healthcheck: {{interval: 1s}}\n")
        program = shutil.which("docker-compose", path=self.bench.environ["PATH"])
        assert program is not None
        return subprocess.run(
            [program, "-f", COMPOSE, "-f", quick.name, *words], cwd=self.folder,
            env=self.bench.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def inspected(self) -> dict[str, Any]:
        """Give what the engine says of the container."""
        return dict(self.api.inspect_container(self.name))

    def close(self) -> None:
        """Remove containers, network and image."""
        if (self.folder / COMPOSE).exists():
            self.compose("down", "--timeout", "1")
        with contextlib.suppress(DockerException):
            self.api.remove_image(IMAGE, force=True)


@pytest.fixture(params=["1.29", "v5"])
def here(
    request: pytest.FixtureRequest, tmp_path: Path, workbench: Workbench, engine_address: str
) -> Iterator[Here]:
    """Give a host with one compose or the other; all that is made is removed."""
    wsl = request.param == "1.29"
    with alone(), bench_on(tmp_path, engine_address, request.param, wsl=wsl) as bench:
        with contextlib.suppress(DockerException):
            api: Any = workbench.api
            api.inspect_image(IMAGE)
            pytest.skip(f"{IMAGE} is somebody's already")
        made = Here(bench, workbench)
        try:
            yield made
        finally:
            made.close()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one test at a time have the image: its name is the one that setup writes."""
    with (Path(tempfile.gettempdir()) / "gpuconsole-tests-comfyui.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_what_setup_writes_comes_up_healthy_and_is_just_as_it_says(here: Here) -> None:
    here.make()
    for part in ("input", "output", "temp", "user"):
        assert (here.folder / "data" / part).is_dir()
    up = here.compose("up", "-d")
    assert up.returncode == 0, up.stderr
    wait_until(lambda: _health(here) == "healthy", 60, "its health check goes healthy")
    with urllib.request.urlopen(f"http://127.0.0.1:{here.port}/system_stats") as answer:
        assert answer.status == 200
    for address in _others():
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((address, here.port), 2).close()

    host = here.inspected()["HostConfig"]
    assert host["PortBindings"] == {
        "8188/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(here.port)}]
    }
    assert host["Init"] is True
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {
        "Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"},
    }  # fmt: skip
    (request,) = host["DeviceRequests"]
    assert (request["Driver"], request["Capabilities"]) == ("nvidia", [["gpu"]])
    mounts = {one["Destination"]: one for one in here.inspected()["Mounts"]}
    assert mounts["/opt/ComfyUI/models"]["Source"] == str(here.models)
    assert mounts["/opt/ComfyUI/models"]["RW"] is False
    assert mounts["/data"]["RW"] is True
    said = (here.folder / "data/output/arguments").read_text()
    assert said.startswith("main.py --listen 0.0.0.0 --port 8188")
    assert ("--cuda-device 1" in said) is here.bench.wsl
    assert (here.folder / "data/output/writes").read_text() == "no\n"

    # Whoever restarts it by the engine has it as it was.
    here.api.restart(here.name, timeout=20)
    wait_until(lambda: _health(here) == "healthy", 60, "it is healthy after a restart")
    assert here.inspected()["HostConfig"] == host

    # What lies there and runs is left alone by the next look.
    before = {one: one.read_bytes() for one in here.folder.rglob("*") if one.is_file()}
    report = here.course.look("comfyui", anew=True)
    assert (report.state, report.able) == ("done", False)
    assert {one: one.read_bytes() for one in before} == before
    (here.folder / DOCKERFILE).write_text(f"{STANDS_IN}# one line more\n")
    report = here.course.look("comfyui", anew=True)
    assert (report.state, report.able) == ("needed", True)
    assert report.detail == f"its image {IMAGE} is of an older Dockerfile"

    begun = here.api.inspect_container(here.name)["State"]["StartedAt"]
    stopped = here.compose("stop", "--timeout", "20")
    assert stopped.returncode == 0, stopped.stderr
    state = here.inspected()["State"]
    assert state["StartedAt"] == begun
    # Passed on by the init; a process 1 that ignores it would be killed with 137 after 20 s.
    assert state["ExitCode"] in {0, 143}


def _health(here: Here) -> str:
    return str(here.inspected()["State"].get("Health", {}).get("Status"))


def _others() -> list[str]:
    """Give addresses of this host that are not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return []
        address = str(tried.getsockname()[0])
    return [] if address.startswith("127.") else [address]
