"""A hub with one file, and a fetch of it that a test can lead."""

import contextlib
import dataclasses
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.clock import Clock, SystemClock
from console.transfer.fetch import fetch
from console.transfer.wanted import Placed, Progress, Source, Wanted
from tests.support.hub import Noise, RehearsalHub, rehearsal_hub
from tests.transfer.plain import PlainSource

MIB = 1024 * 1024
NAME = "qwen.safetensors"
REPO = "org/models"
SIZE = 40 * MIB + 12_345


class FastClock(SystemClock):
    """A monotonic clock on which an hour passes in `3600 / speed` seconds."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = time.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._speed


@dataclasses.dataclass
class Scene:
    """A hub with a file, and a folder for it."""

    hub: RehearsalHub
    folder: Path
    body: Noise
    told: list[Progress] = dataclasses.field(default_factory=list)

    @property
    def final(self) -> Path:
        return self.folder / NAME

    @property
    def url(self) -> str:
        return f"{self.hub.url}/{REPO}/resolve/main/{NAME}"

    def wanted(self, **changes: object) -> Wanted:
        facts: dict[str, object] = {
            "path": self.final,
            "size": self.body.size,
            "sha256": self.body.sha256,
            "origin": f"{REPO}@main/{NAME}",
        }
        return Wanted(**{**facts, **changes})  # type: ignore[arg-type]

    def fetch(
        self,
        *,
        wanted: Wanted | None = None,
        source: Source | None = None,
        clock: Clock | None = None,
        until: Callable[[Progress], str] = lambda _: "",
        limit: Callable[[], float | None] = lambda: None,
        connections: int = 4,
        boot_id: str = "",
    ) -> Placed:
        """Fetch it; `until` sees what is told and may answer `pause` or `cancel`.

        Seconds pass four times as fast, those of `limit` too.
        """
        how = ""

        def report(progress: Progress) -> None:
            nonlocal how
            self.told.append(progress)
            how = how or until(progress)

        return fetch(
            wanted or self.wanted(),
            source or PlainSource(self.url),
            clock=clock or FastClock(4),
            report=report,
            stop=lambda: how,
            limit=limit,
            connections=connections,
            boot_id=boot_id,
        )

    def served(self) -> int:
        return self.hub.bytes_served(NAME)

    def states(self) -> list[str]:
        """What was told, each state once a row."""
        states: list[str] = []
        for progress in self.told:
            if states[-1:] != [progress.state]:
                states.append(progress.state)
        return states

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def is_right(self) -> bool:
        return self.final.read_bytes() == content(self.body)


def content(body: Noise) -> bytes:
    """Give all bytes of a body."""
    return b"".join(
        bytes(body.piece(start, min(start + MIB, body.size))) for start in range(0, body.size, MIB)
    )


@contextlib.contextmanager
def scene_of(folder: Path, size: int = SIZE, seed: int = 1) -> Iterator[Scene]:
    body = Noise(size, seed)
    with rehearsal_hub({REPO: {NAME: body}}) as hub:
        yield Scene(hub, folder, body)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_of(tmp_path / "diffusion_models") as made:
        yield made


@contextlib.contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """Mount a file system of a few MiB; skip where this user may not mount."""
    place.mkdir(parents=True, exist_ok=True)
    if shutil.which("mount") is None or mount("-t", "tmpfs", "-o", f"size={size}", "none", place):
        pytest.skip("mounting a small disk takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


def mount(*arguments: object) -> int:
    """Call mount, and give its exit code."""
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode
