"""Findings on rehearsed hosts: the real doctor, timeline, plans and faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actions.operations import Operations
from actions.status import read_status
from screens.tui.application import Console
from screens.tui.plan_dialog import PlanDialog
from tests.support.edits import EditHost, edit_host
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import StillLive


@contextmanager
def rehearsed(folder: Path, scenario: str) -> Iterator[tuple[EditHost, Console]]:
    with edit_host(folder, scenario=scenario, pace=1.0) as host:
        session = host.session()
        live = StillLive(read_status(session))
        yield host, Console(session, live, lambda: Operations(session, "tui"))


def over(app: Console) -> bool:
    progress = app.findings.progress
    return progress is not None and progress.over


def number(app: Console) -> int:
    progress = app.findings.progress
    return progress.number if progress is not None else 0


async def test_a_crash_loop_is_followed_from_the_verdict_to_what_changed(tmp_path: Path) -> None:
    with rehearsed(tmp_path, "crash-loop") as (host, app):

        def settings() -> list[str]:
            return [one.read_text() for one in sorted(host.places.work.rglob("*compose*.y*ml"))]

        before = settings()
        assert before
        for path in host.places.work.rglob("docker-compose.yml"):
            path.touch()
        operator = Operations(app.session, "cli")
        for _event in operator.run(operator.plan("stop", "comfyui-qwen")):
            pass
        async with app.run_test(size=(120, 60)) as pilot:
            await until_seen(pilot, "v open")
            assert app.findings.progress is None, "nothing is examined for a first screen"
            await pilot.press("v")
            await until(pilot, lambda: over(app), 15)
            await until_seen(pilot, "args.unrecognized, myia-turbo")
            await until(pilot, lambda: "▸" in line_with(app, "does not know --cuda-malloc"))
            assert "launch.py: error: unrecognized arguments: --cuda-malloc" in seen(app)
            await pilot.press("w")
            await until_seen(pilot, "it began")
            await until_seen(pilot, "ended, exit 2: usage error")
            await until_seen(pilot, "docker-compose.yml was edited")
            await until_seen(pilot, "stop comfyui-qwen done")
            await pilot.press("enter")
            await until_seen(pilot, "making the plan to take --cuda-malloc out")
            await until(pilot, lambda: isinstance(app.screen, PlanDialog), 30)
            await until_seen(pilot, "This is to mend: The program does not know --cuda-malloc")
            lines = [line for line in seen(app).splitlines() if "FORGE_ARGS" in line]
            taken = [line for line in lines if "--cuda-malloc" in line]
            assert len(taken) == 1, "the difference is shown: with it, then without"
            assert len(lines) > 1
            assert settings() == before, "a plan that is shown changes nothing"
            await pilot.press("escape")
            await pilot.press("l")
            await until_seen(pilot, "unrecognized arguments")
            await pilot.press("escape")
            await until_seen(pilot, "args.unrecognized, myia-turbo")
            await pilot.press("c")
            await until_seen(pilot, "Containers")


async def test_a_misplaced_model_is_really_mended_by_its_plan(tmp_path: Path) -> None:
    with rehearsed(tmp_path, "messy-models") as (host, app):
        folder = host.models / "text_encoders"
        async with app.run_test(size=(140, 50)) as pilot:
            await pilot.press("5")
            await until(pilot, lambda: over(app), 15)
            await until_seen(pilot, "qwen.mmproj-missing, mmproj-F16.gguf")
            assert (folder / "mmproj-F16.gguf").exists()
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, PlanDialog), 10)
            await until_seen(pilot, "This is to mend: The GGUF text encoder has no vision tower")
            assert (folder / "mmproj-F16.gguf").exists(), "a plan that is shown changes nothing"
            begun = number(app)
            await pilot.press("y")
            await until(pilot, lambda: not (folder / "mmproj-F16.gguf").exists(), 15)
            await until(pilot, lambda: over(app) and number(app) > begun, 20)
            await until(pilot, lambda: "qwen.mmproj-missing" not in seen(app), 10)
            assert not any(
                row.finding.id == "qwen.mmproj-missing" for row in app.findings.listed().rows
            )


async def test_a_host_without_engine_says_what_was_not_checked(tmp_path: Path) -> None:
    with rehearsed(tmp_path, "no-engine") as (_, app):
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("5")
            await until(pilot, lambda: over(app), 15)
            await until_seen(pilot, "docker.daemon.down, engine")
            await pilot.press("c")
            await until_seen(pilot, "not checked, because")


@pytest.mark.parametrize(
    ("scenario", "cause"),
    [
        ("no-driver", "nvml.no-driver, driver"),
        ("engine-denied", "docker.daemon.permission, engine"),
        ("oom", "host.oom-kill, comfyui-qwen"),
    ],
)
async def test_the_verdict_leads_to_the_cause_whatever_it_calls_it(
    tmp_path: Path, scenario: str, cause: str
) -> None:
    with rehearsed(tmp_path, scenario) as (_, app):
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("v")
            await until(pilot, lambda: over(app), 15)
            await until_seen(pilot, f"error {cause}")
            assert "nothing was found of" not in seen(app)


async def test_a_host_that_is_well_says_so(tmp_path: Path) -> None:
    with rehearsed(tmp_path, "native") as (_, app):
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("5")
            await until(pilot, lambda: over(app), 15)
            await until_seen(pilot, " well  at ")
            title = seen(app).splitlines()[0]
            assert "✖" not in title
            assert "▲" not in title
