"""Real engines for tests: the one at hand, and private ones that may be killed."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import tarfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from docker.api.client import APIClient
from docker.errors import DockerException

from console.engine.client import EngineClient
from console.engine.endpoint import Endpoint, resolve
from console.engine.faults import EngineError
from tests.support.waiting import wait_until

IMAGE = "gpuconsole-test:1"
_BUSYBOX = Path("/bin/busybox")
_HOOK = "nvidia-container-runtime-hook"


def needed(reason: str) -> Any:
    """Skip a test for want of something, or fail it where CI demands a real engine."""
    if os.environ.get("GPUCONSOLE_REQUIRE_ENGINE") == "1":
        pytest.fail(f"GPUCONSOLE_REQUIRE_ENGINE=1, but {reason}")
    pytest.skip(reason)


def endpoint_at(address: str) -> Endpoint:
    """Give the endpoint of an address."""
    return resolve({"DOCKER_HOST": address})


def find_engine() -> str:
    """Give the address of a real engine that answers; skip or fail where there is none."""
    chosen = os.environ.get("GPUCONSOLE_TEST_ENGINE")
    endpoint = endpoint_at(chosen) if chosen else resolve(os.environ)
    try:
        with EngineClient(endpoint, 5) as client:
            client.version()
    except EngineError as error:
        return str(needed(f"no engine for tests: {error.title} ({error.detail})"))
    return endpoint.address


class Workbench:
    """Makes containers on a real engine and removes them all in the end.

    Names begin with a prefix of their own, so that tests running side by side do not meet.
    """

    def __init__(self, address: str, image: str = "") -> None:
        self.address = address
        self.prefix = f"gpuconsole-{uuid.uuid4().hex[:8]}-"
        self._api = APIClient(address, version="auto", timeout=60)
        self.image = image or _imported(self._api)
        self._made: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for container_id in self._made:
            self.remove(container_id)
        self._api.close()

    def create(self, name: str, command: Sequence[str], **settings: Any) -> str:
        """Make a container called prefix + `name` and give its id.

        `settings` are those of create_container; those of its host_config go under `host`.
        """
        host = {"network_mode": "none", **settings.pop("host", {})}
        made = self._api.create_container(
            self.image,
            list(command),
            name=self.prefix + name,
            host_config=self._api.create_host_config(**host),
            **settings,
        )
        container_id = str(made["Id"])
        self._made.append(container_id)
        return container_id

    def run(self, name: str, command: Sequence[str], **settings: Any) -> str:
        """Make a container, start it and give its id."""
        container_id = self.create(name, command, **settings)
        self._api.start(container_id)
        return container_id

    def remove(self, container_id: str) -> None:
        """Remove a container, running or not; one that is gone already is fine."""
        with contextlib.suppress(DockerException, OSError):
            self._api.remove_container(container_id, force=True)

    @property
    def api(self) -> APIClient:
        """The SDK's own client, to do what the console's door does not."""
        return self._api


def _imported(api: APIClient) -> str:
    """Make the test image of a static busybox where the engine has none yet."""
    if api.images(IMAGE):
        return IMAGE
    if not _BUSYBOX.exists() or b"dynamic" in _kind(_BUSYBOX):
        return str(needed("no static /bin/busybox (package busybox-static)"))
    api.import_image_from_data(_root_of(_BUSYBOX), *IMAGE.split(":"))
    return IMAGE


def _kind(program: Path) -> bytes:
    """Give how a program is linked, as far as its header tells: an interpreter means dynamic."""
    return b"dynamic" if b"/lib64/ld-linux" in program.read_bytes()[:4096] else b"static"


def _root_of(busybox: Path) -> bytes:
    """Give a tar of a file system that holds a busybox and its commonest names."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        entry.mode, entry.size = 0o755, busybox.stat().st_size
        with busybox.open("rb") as program:
            tar.addfile(entry, program)
        for name in ("sh", "sleep", "echo", "cat", "true", "false", "kill", "ps", "usleep"):
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return packed.getvalue()


class PrivateEngine:
    """A dockerd of a test's own, that it may kill, start again and ask for GPUs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None
        hook = folder / "bin" / _HOOK
        hook.parent.mkdir(parents=True)
        hook.write_text("#!/bin/sh\nexit 0\n")
        hook.chmod(0o755)

    def start(self) -> None:
        """Start it and wait until it answers."""
        place = self._folder
        with (place / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    _dockerd(), f"--host={self.address}", f"--data-root={place}/data",
                    f"--exec-root={place}/exec", f"--pidfile={place}/pid", "--bridge=none",
                    "--iptables=false", "--ip-masq=false",
                ],
                env={**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}:/usr/sbin:/sbin"},
                stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(self._answers, 60, "the private dockerd answers")

    def kill(self) -> None:
        """Kill it as a crash would: no goodbye to anyone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it as `systemctl stop docker` would."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(60)
            # A killed dockerd takes its containerd with it. Where nobody reaps that, its number
            # looks alive, and the next dockerd would wait for it in vain.
            for pidfile in ("pid", "exec/containerd/containerd.pid"):
                (self._folder / pidfile).unlink(missing_ok=True)

    def remove(self) -> None:
        """End it, what a killed one left behind, and remove its folder."""
        self.stop()
        for pid in self._leftovers():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            mounted = line.split()[1]
            if mounted.startswith(f"{self._folder}/"):
                subprocess.run(["umount", "-l", mounted], capture_output=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _leftovers(self) -> list[int]:
        """Give the processes that name our folder: containerd and its shims outlive a kill."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdecimal() and (folder / "cmdline").read_bytes().count(
                    str(self._folder).encode()
                ):
                    found.append(int(folder.name))
        return found

    def _answers(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            log = (self._folder / "dockerd.log").read_text(errors="replace")[-2000:]
            raise AssertionError(f"the private dockerd ended: {log}")
        try:
            with EngineClient(endpoint_at(self.address), 5) as client:
                client.list()
        except EngineError:
            return False
        return True


def _dockerd() -> str:
    found = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None or os.geteuid() != 0:
        return str(needed("a dockerd of the test's own needs dockerd and root"))
    return found


@pytest.fixture(scope="session")
def engine_address() -> str:
    """Give the address of a real engine."""
    return find_engine()


@pytest.fixture
def workbench(engine_address: str) -> Iterator[Workbench]:
    """Give a workbench on the real engine; what it made is removed."""
    with Workbench(engine_address) as bench:
        yield bench


@pytest.fixture
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateEngine]:
    """Give a private engine, started; it ends with the test."""
    # A socket's path has at most 107 bytes: pytest's own folders are too deep for it.
    folder = Path("/tmp") / f"gpuconsole-{uuid.uuid4().hex[:8]}"
    _dockerd()
    engine = PrivateEngine(folder)
    try:
        engine.start()
        yield engine
    finally:
        engine.remove()
