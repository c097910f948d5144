"""A compose of 1.x that fails in the middle of making a container anew: nothing is lost by it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions.operations import Operations
from actions.plan import PlanFailed
from actions.service_verbs.around import engine_client
from tests.layouts.bench import Bench, bench_on
from tests.service_plans.stage import Stage, stage
from tests.support.engine import Workbench, engine_address, needed, own_engine, workbench

__all__ = ["engine_address", "own_engine", "workbench"]

_LEGACY = Path("/usr/bin/docker-compose")


@pytest.fixture
def studio() -> Iterator[Stage]:
    """Give the rehearsal host, whose engine does not tell what compose 1.x asks of it."""
    with stage() as here:
        yield here


@pytest.fixture
def old_bench(tmp_path: Path, workbench: Workbench, engine_address: str) -> Iterator[Bench]:
    """Give a host with compose 1.29 on a real engine."""
    assert workbench.image
    with bench_on(tmp_path, engine_address, "1.29") as host:
        yield host


def names(here: Stage) -> dict[str, str]:
    with engine_client(here.session) as client:
        return {str(one["Id"]): str(one["Names"][0]).lstrip("/") for one in client.list()}


def old_compose(folder: Path) -> str:
    """Give a PATH with compose 1.x, which takes old volumes over as it does where there are any."""
    if not _LEGACY.exists():
        needed(f"no docker-compose 1.x at {_LEGACY}")
    program = folder / "docker-compose"
    program.write_text(
        "#!/bin/bash\nwords=()\n"
        'for word in "$@"; do [ "$word" = --renew-anon-volumes ] || words+=("$word"); done\n'
        f'exec {_LEGACY} "${{words[@]}}"\n'
    )
    program.chmod(0o755)
    return f"{folder}:/usr/sbin:/sbin"


def test_where_it_falls_over_a_new_engine_the_service_runs_again_as_before(
    studio: Stage, tmp_path: Path
) -> None:
    for name in ("comfyui-qwen", "myia-turbo"):
        studio.do("stop", name)
    before = names(studio)
    studio.session = studio.new_session({"PATH": old_compose(tmp_path)})
    studio.operations = Operations(studio.session)
    plan = studio.plan("move", "myia", gpu="3090")
    assert plan.steps, plan.checks
    end = studio.run(plan)
    assert isinstance(end, PlanFailed)
    assert end.code == "compose.too-old"
    assert end.title.startswith("docker-compose 1.29")
    assert end.title.endswith("its old container, which compose had renamed, is myia again")
    assert "docker-compose-plugin" in end.hint
    assert "'ContainerConfig'" in end.hint
    assert "***" not in end.hint
    assert end.went_back == "yes"
    assert names(studio) == before
    assert studio.state("myia") == "running"


@pytest.mark.engine
def test_a_new_container_that_cannot_start_makes_way_for_the_old_one(
    old_bench: Bench, break_off: Callable[[Bench], None]
) -> None:
    old_bench.up("forge")
    before = old_bench.container("forge")["Id"]
    break_off(old_bench)
    end = old_bench.run(old_bench.operations().plan("move", "forge", gpu="3090"))
    assert isinstance(end, PlanFailed)
    assert end.code == "compose.failed"
    assert "no-such-program" in end.hint
    assert f"is {old_bench.prefix}forge again" in end.title
    assert end.went_back == "yes"
    assert old_bench.container("forge")["Id"] == before
    assert old_bench.is_ready("forge")


@pytest.fixture
def break_off() -> Callable[[Bench], None]:
    """Give what makes the next container of Forge one that cannot start."""

    def damage(host: Bench) -> None:
        text = host.file.read_text()
        host.file.write_text(text.replace('"busybox"', '"no-such-program"', 1))

    return damage
