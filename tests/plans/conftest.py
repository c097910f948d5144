"""A real engine, containers that go away again, and sessions with places of their own."""

import io
import os
import shutil
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

from actions.operations import Operations
from actions.session import Session, open_session

IMAGE = "busybox:test"
# A shell that ends at once when it is asked to, as a well-behaved service does.
POLITE = ("sh", "-c", "trap 'exit 0' TERM; sleep 10000 & wait")
# PID 1 without a handler: the kernel drops its SIGTERM, so a stop takes the whole grace.
DEAF = ("sleep", "10000")


@pytest.fixture(scope="session")
def engine() -> Iterator[APIClient]:
    """Give a client of the real engine of the tests; without one the test is skipped."""
    address = os.environ.get("GPUCONSOLE_TEST_ENGINE", "")
    if not address:
        if os.environ.get("GPUCONSOLE_REQUIRE_ENGINE"):
            pytest.fail("GPUCONSOLE_REQUIRE_ENGINE is set and GPUCONSOLE_TEST_ENGINE is not")
        pytest.skip("needs a real engine at GPUCONSOLE_TEST_ENGINE")
    client = APIClient(base_url=address, version="auto")
    if not client.images(name=IMAGE):
        _make_image(client)
    yield client
    client.close()


def _make_image(client: APIClient) -> None:
    """Make an image of the host's static busybox, so that nothing needs a network."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.fail(f"the engine has no {IMAGE} and there is no busybox to make it of")
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add(os.path.realpath(busybox), "bin/busybox")
        for name in ("sh", "sleep", "echo", "cat"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    name, _, tag = IMAGE.partition(":")
    client.import_image_from_data(data.getvalue(), repository=name, tag=tag)


class Containers:
    """Makes containers on the real engine and removes them when the test is over."""

    def __init__(self, client: APIClient) -> None:
        self.client = client
        self.mark = uuid.uuid4().hex[:6]
        self._ids: list[str] = []

    def make(
        self,
        command: tuple[str, ...] = POLITE,
        *,
        name: str = "a",
        running: bool = True,
        config: dict[str, Any] | None = None,
        **host: Any,
    ) -> str:
        """Create a container, started unless told otherwise; gives its name."""
        full = f"plans-{self.mark}-{name}"
        made = self.client.create_container(
            IMAGE,
            list(command),
            name=full,
            host_config=self.client.create_host_config(network_mode="none", **host),
            **(config or {}),
        )
        self._ids.append(made["Id"])
        if running:
            self.client.start(made["Id"])
        return full

    def state(self, name: str) -> str:
        """Give a container's state as the engine says it."""
        return str(self.client.inspect_container(name)["State"]["Status"])

    def ident(self, name: str) -> str:
        """Give a container's full id."""
        return str(self.client.inspect_container(name)["Id"])

    def remove_all(self) -> None:
        """Remove what was made, and what took a name of ours."""
        for entry in self.client.containers(all=True, filters={"name": f"plans-{self.mark}-"}):
            self.client.remove_container(entry["Id"], force=True)


@pytest.fixture
def containers(engine: APIClient) -> Iterator[Containers]:
    """Give a maker of containers."""
    maker = Containers(engine)
    yield maker
    maker.remove_all()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a user of this test alone."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "DOCKER_HOST": os.environ.get("GPUCONSOLE_TEST_ENGINE", "unix:///nowhere/docker.sock"),
        "SSH_CONNECTION": "10.0.0.5 50000 10.0.0.1 22",
    }


@pytest.fixture
def new_session(environ: dict[str, str]) -> Iterator[Callable[..., Session]]:
    """Give a maker of sessions, each like a console of its own of the same user."""
    made: list[Session] = []

    def make(read_only: bool = False, **changed: str) -> Session:
        session = open_session({**environ, **changed}, read_only=read_only)
        made.append(session)
        return session

    yield make
    for session in made:
        session.store.close()


@pytest.fixture
def operations(new_session: Callable[..., Session]) -> Operations:
    """Give the operations of one console."""
    return Operations(new_session(), via="tui")
