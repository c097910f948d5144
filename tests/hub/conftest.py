"""A hub with a few repositories, and a door to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.hub.door import HubDoor
from console.hub.facts import HubFile, HubSpec
from tests.support.hub import Content, Noise, RehearsalHub, rehearsal_hub, repo_of

LARGE = Noise(3_000_000, 1)
SPEC = HubSpec(repo="org/name", path="vae/x.safetensors")


@pytest.fixture
def hub() -> Iterator[RehearsalHub]:
    """One open repository, one that is gated and one that is private."""
    gated = repo_of("org/gated", {"x.safetensors": Noise(2_000_000, 2)}, gated="auto")
    private = repo_of("org/private", {"x.safetensors": Noise(2_000_000, 3)}, private=True)
    files: dict[str, Content] = {"vae/x.safetensors": LARGE, "vae/y.gguf": b"GGUF"}
    files["README.md"] = b"read me\n"
    repos = {"org/name": repo_of("org/name", files), "org/gated": gated, "org/private": private}
    with rehearsal_hub(repos) as made:
        yield made


@pytest.fixture
def open_door(hub: RehearsalHub, tmp_path: Path) -> Iterator[Callable[..., HubDoor]]:
    """Make doors to the hub; nobody is logged in unless the environment says so."""
    doors: list[HubDoor] = []

    def make(**environ: str) -> HubDoor:
        door = HubDoor({**hub.environ, "HF_HOME": str(tmp_path), **environ})
        doors.append(door)
        return door

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def door(open_door: Callable[..., HubDoor]) -> HubDoor:
    """A door that nobody is logged in at."""
    return open_door()


@pytest.fixture
def file(door: HubDoor) -> HubFile:
    """The large file."""
    return door.file(SPEC)
