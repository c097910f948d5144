"""A compose of 1.x that fails in the middle of making a container anew: nothing is lost by it."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.operations import Operations
from actions.plan import PlanFailed
from actions.service_verbs.around import engine_client
from tests.layouts.bench import Bench, bench_on
from tests.service_plans.stage import Stage, stage
from tests.support.engine import Workbench, engine_address, needed, own_engine, workbench
from tests.support.waiting import wait_until

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
    (step,) = [one for one in plan.steps if one.options["do"] == "compose-up"]
    assert step.command.startswith("docker-compose -p sd ")  # as this host can be told
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


def test_where_it_stays_stopped_its_container_keeps_its_name_too(
    studio: Stage, tmp_path: Path
) -> None:
    studio.do("stop", "myia")
    before = names(studio)
    studio.session = studio.new_session({"PATH": old_compose(tmp_path)})
    studio.operations = Operations(studio.session)
    plan = studio.plan("move", "myia", gpu="3090")
    assert plan.steps[-1].options["do"] == "compose-create"
    end = studio.run(plan)
    assert isinstance(end, PlanFailed)
    assert (end.code, end.went_back) == ("compose.too-old", "yes")
    assert names(studio) == before
    assert studio.state("myia") == "exited"


def test_a_cancel_after_compose_did_its_work_says_what_runs(tmp_path: Path) -> None:
    new = Path(sys.executable).with_name("docker-compose")
    if not new.exists():
        needed(f"no docker-compose at {new}")
    done = tmp_path / "done"
    program = tmp_path / "docker-compose"
    program.write_text(
        f'#!/bin/bash\n{new} "$@" || exit\n[ "$1" = version ] && exit\n'
        f"/usr/bin/touch {done}\nexec /usr/bin/sleep 600\n"
    )
    program.chmod(0o755)
    with stage(scenario="no-comfyui") as here:
        here.session = here.new_session({"PATH": f"{tmp_path}:/usr/sbin:/sbin"})
        here.operations = Operations(here.session)
        plan = here.plan("start", "comfyui-qwen")
        ends: list[object] = []
        work = threading.Thread(target=lambda: ends.append(here.run(plan)))
        work.start()
        wait_until(done.exists, 60)
        assert here.operations.cancel(plan.id)
        work.join(60)
        (end,) = ends
        assert isinstance(end, PlanFailed)
        assert (end.code, end.exit_code) == ("plan.cancelled", 130)
        assert here.state("comfyui-qwen") == "running"
        said, _, state = end.text.rpartition("; ")
        assert said == "compose was told to end while it brought comfyui up"
        up = ("starting", "unreachable", "ready")  # time runs fast here
        assert state in {f"comfyui-qwen is {how} now" for how in up}


@pytest.mark.engine
def test_a_new_container_that_cannot_start_makes_way_for_the_old_one(
    old_bench: Bench,
) -> None:
    old_bench.up("forge")
    before = old_bench.container("forge")["Id"]
    text = old_bench.file.read_text()
    old_bench.file.write_text(text.replace('"busybox"', '"no-such-program"', 1))
    end = old_bench.run(old_bench.operations().plan("move", "forge", gpu="3090"))
    assert isinstance(end, PlanFailed)
    assert end.code == "compose.failed"
    assert "no-such-program" in end.hint
    assert f"is {old_bench.prefix}forge again" in end.title
    assert end.went_back == "yes"
    assert old_bench.container("forge")["Id"] == before
    assert old_bench.is_ready("forge")
