"""Images that a real engine builds: told, cancelled, failing, and gone on with."""

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.errors import DockerException

from actions.building.recipe import LABEL
from actions.operations import Operations
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, StepProgress
from actions.session import open_session
from tests.plans.command import run
from tests.support.engine import Workbench, engine_address, workbench
from tests.support.waiting import wait_until

__all__ = ["engine_address", "workbench"]

pytestmark = pytest.mark.engine


class Builder:
    """A user with one service that is built here.

    Attributes:
        environ: of that user.
        image: its name.
    """

    def __init__(self, folder: Path, workbench: Workbench) -> None:
        self.folder = folder
        self.workbench = workbench
        self.image = f"gpuconsole-build-{uuid.uuid4().hex[:8]}:1"
        self.mark = uuid.uuid4().hex
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "DOCKER_HOST": workbench.address,
            "GPUCONSOLE_NVML_LIBRARY": str(folder / "none.so"),
        }
        compose = folder / "compose.yaml"
        compose.write_text(
            f"services:\n  it:\n    image: {self.image}\n    build:\n      context: ./context\n"
        )
        (folder / "context").mkdir()
        (folder / "context/a.txt").write_text("a\n")
        config = folder / ".config/gpuconsole/config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(
            f'[services.it]\nkind = "other"\ncompose_file = "{compose}"\ncompose_service = "it"\n'
        )

    def dockerfile(self, *lines: str, base: str = "") -> None:
        """Write the Dockerfile: from the test's image unless another base is said."""
        text = "\n".join((f"FROM {base or self.workbench.image}", *lines))
        (self.folder / "context/Dockerfile").write_text(f"{text}\n")

    def operations(self) -> Operations:
        """Give the operations of one console."""
        return Operations(open_session(self.environ), via="test")

    def built(self) -> dict[str, object]:
        """Give what the engine says of the image; empty where there is none."""
        with contextlib.suppress(DockerException):
            api: Any = self.workbench.api
            return dict(api.inspect_image(self.image))
        return {}

    def boxes(self) -> list[str]:
        """Give the containers in which the builder runs this test's commands now."""
        found = self.workbench.api.containers(all=True)
        return [one["Id"] for one in found if self.mark in str(one.get("Command"))]

    def close(self) -> None:
        """Remove what there is of it."""
        for ident in self.boxes():
            self.workbench.remove(ident)
        with contextlib.suppress(DockerException):
            self.workbench.api.remove_image(self.image, force=True)


@pytest.fixture
def builder(tmp_path: Path, workbench: Workbench) -> Iterator[Builder]:
    """Give a user with a service to build; image and containers are removed in the end."""
    made = Builder(tmp_path, workbench)
    try:
        yield made
    finally:
        made.close()


def texts(events: list[AnyEvent]) -> list[str]:
    return [one.text for one in events if isinstance(one, StepProgress)]


def test_an_image_is_built_from_its_compose_file_and_told_as_it_comes(builder: Builder) -> None:
    builder.dockerfile("COPY a.txt /a.txt", f"RUN echo {builder.mark} && sleep 1", 'CMD ["true"]')
    shown = run(builder.environ, "build", "it", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert builder.image in shown.stdout
    assert "docker compose -f" in shown.stdout
    assert not builder.built()
    plan = builder.operations().plan("build", "it")
    assert plan.detached
    events = list(builder.operations().run(plan))
    assert isinstance(events[-1], PlanDone), events[-1]
    assert events[-1].text == f"{builder.image} is built"
    assert any(one.startswith("step 3/5") for one in texts(events))
    config = builder.built()["Config"]
    assert isinstance(config, dict)
    assert len(config["Labels"][LABEL]) == 16
    again = run(builder.environ, "build", "it", "--yes")
    assert again.returncode == 0, again.stderr
    assert again.stdout == f"{builder.image} is built\n"
    assert "is there and gets built anew" in again.stderr


def test_a_build_that_is_cancelled_ends_in_the_engine_too(builder: Builder) -> None:
    builder.dockerfile(f"RUN echo {builder.mark} && sleep 600")
    operations = builder.operations()
    plan = operations.plan("build", "it")
    end = list(operations.run(plan, lambda: bool(builder.boxes())))[-1]
    assert isinstance(end, PlanFailed)
    assert end.code == "plan.cancelled"
    assert "was ended at step 2/3 RUN echo" in end.text
    assert end.left["image"] is False
    wait_until(lambda: not builder.boxes(), 30, "the builder's container is gone")
    assert not builder.built()


def test_a_build_whose_process_is_killed_ends_and_is_begun_anew(builder: Builder) -> None:
    builder.dockerfile(f"RUN echo {builder.mark} && sleep 600")
    operations = builder.operations()
    plan = operations.plan("build", "it")
    events = operations.run(plan)
    next(events)
    wait_until(lambda: bool(builder.boxes()), 30, "the builder runs")
    (running,) = operations.running()
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    end = list(events)[-1]
    assert isinstance(end, PlanFailed)
    assert end.outcome == "interrupted"
    wait_until(lambda: not builder.boxes(), 30, "nobody listens, so nothing is built")
    builder.dockerfile("RUN true")
    assert isinstance(_end(operations, operations.plan("build", "it")), PlanDone)


def test_a_build_that_fails_says_where_and_with_what_words(builder: Builder) -> None:
    builder.dockerfile("RUN echo first", "RUN echo pip says: nothing found && exit 3")
    done = run(builder.environ, "build", "it", "--yes")
    assert done.returncode == 1
    assert f"{builder.image} could not be built at step 3/4 RUN echo pip" in done.stderr
    assert "returned a non-zero code: 3" in done.stderr
    assert "pip says: nothing found" in done.stderr
    assert "Traceback" not in done.stderr
    assert not builder.built()


def test_without_a_way_to_the_registry_it_says_so(builder: Builder) -> None:
    builder.dockerfile("RUN true", base="127.0.0.1:9/library/python:3.12")
    end = _end(builder.operations(), builder.operations().plan("build", "it"))
    assert isinstance(end, PlanFailed)
    assert end.code == "build.no-internet"
    assert "does not reach the registry that has 127.0.0.1:9/library/python:3.12" in end.title
    assert "connection refused" in end.hint


def test_a_dockerfile_that_is_none_is_told_in_the_engines_words(builder: Builder) -> None:
    builder.dockerfile("NONSENSE")
    end = _end(builder.operations(), builder.operations().plan("build", "it"))
    assert isinstance(end, PlanFailed)
    assert "NONSENSE" in f"{end.title} {end.hint}".upper()


def _end(operations: Operations, plan: Plan) -> AnyEvent:
    return list(operations.run(plan))[-1]
