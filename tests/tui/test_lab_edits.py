"""Edits that were sent from the lab: watched, cancelled, looked at, made again, gone on from."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.operations import RunningPlan
from actions.plan import AnyEvent, PlanDone, StepProgress, StepStarted
from console.edits.kept import Timings
from screens.tui.plan_dialog import PlanDialog
from tests.support.snapshots import NOW
from tests.tui import lab_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.lab_scenes import Files
from tests.tui.model_scenes import switch
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script
from tests.tui.test_lab import PROMPT, edit_plan, source_of
from tests.tui.test_lab_pictures import filled, lab_app, run_jobs


@pytest.fixture
def files(tmp_path: Path) -> Files:
    folder = tmp_path / "in"
    folder.mkdir()
    return Files(folder)


def live(script: Script, files: Files, hold: threading.Event) -> None:
    """Have an edit run in another process, watched from here."""
    plan = edit_plan({"seed": 7}, id=scenes.EDIT_ID)
    script.under_way = (
        RunningPlan(plan=plan, since=NOW, step=1, text="", pid=4711, cancel_requested=False),
    )

    def told() -> Iterator[AnyEvent]:
        at: dict[str, Any] = {"at": NOW, "plan_id": plan.id}
        yield StepStarted(**at, step_id="run", title="Run it")
        queued = scenes.now("queued", ahead=1)
        yield StepProgress(**at, step_id="run", text="queued", edit=queued)
        sampled = scenes.now(preview=files.live, previews=1)
        yield StepProgress(**at, step_id="run", text="sampling", edit=sampled)
        hold.wait(20)
        script.under_way = ()
        yield PlanDone(**at, text="edit-single: 1 picture, 5m49s")

    script.events[plan.id] = told()


async def test_an_edit_of_another_console_is_watched_with_its_live_picture_and_card(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    hold = threading.Event()
    live(script, files, hold)
    running = scenes.kept(None, state="running", timings=Timings())
    app = lab_app(make_app, (running,))
    async with app.run_test(size=(80, 24)) as pilot:
        app.desk.follow_running()
        await until_seen(pilot, "sampling 12/20")
        assert "4 lab" in line_with(app, "▶ edit-single"), "the dashboard tells of it too"
        await pilot.press("4")
        await until_seen(pilot, "15.1 s/step")
        for words in ("2m00s left", "21.1/24.0 GiB", "341 W", "71 °C", "KSampler 11/13"):
            assert words in seen(app)
        await pilot.press("tab")
        (frame, *_) = app.screen.frames(80, 24)  # type: ignore[attr-defined]
        assert (frame.source, frame.version) == (files.live, 1)
        source_of(app).kept = (scenes.kept(files),)
        hold.set()
        await until_seen(pilot, "✔ edit edit-single")
        await until_seen(pilot, "seed 81421")


async def test_two_keys_cancel_and_one_does_not(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    app = lab_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "choose the picture")
        run_jobs(app, scenes.job())
        await pilot.press("escape")
        await until_seen(pilot, "Esc again cancels edit-single, sampling 12/20")
        await pilot.press("down")
        assert script.cancelled == []
        await pilot.press("escape", "escape")
        await until(pilot, lambda: script.cancelled == [scenes.EDIT_ID])
        await until_seen(pilot, "cancelling …")
        await pilot.press("escape", "escape", "escape")
        assert script.cancelled == [scenes.EDIT_ID]


async def test_leaving_the_lab_cancels_nothing_and_keeps_the_form(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    app = lab_app(make_app)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        run_jobs(app, scenes.job())
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "dashboard")
        assert "sampling 12/20" in line_with(app, "▶ edit-single")
        await pilot.press("escape", "escape", "4")
        await until_seen(pilot, PROMPT[:20])
        assert script.cancelled == []


async def test_one_thing_is_changed_and_the_edit_made_again(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    script.plans["edit"] = edit_plan
    app = lab_app(make_app, (scenes.kept(files),))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("tab", "r")
        await until_seen(pilot, "nothing changed yet")
        app.lab.state.field = "steps"
        await pilot.press("enter", "ctrl+u", *"8", "enter")
        await until_seen(pilot, "again: steps changed")
        assert "steps*" in seen(app)
        await pilot.press("s")
        await until(pilot, lambda: script.ran == ["edit"])
        (options,) = script.options
        assert (options["seed"], options["steps"]) == (81421, 8), "its seed stays locked"
        assert options["images"] == (files.before,)
        assert app.lab.state.draft.seed == 81421


async def test_a_form_that_another_took_the_place_of_comes_back(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app, (scenes.kept(files),))
    filled(app, files)
    app.lab.state.draft.prompt = "half a thought"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("tab", "r")
        await until_seen(pilot, "nothing changed yet")
        assert app.lab.state.draft.prompt == PROMPT
        await pilot.press("u")
        await until_seen(pilot, "half a thought")
        await pilot.press("n")
        await until_seen(pilot, "choose the picture to edit")
        await pilot.press("u")
        await until_seen(pilot, "half a thought")


async def test_an_edit_is_asked_about_where_the_policy_wants_it(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    script.plans["edit"] = edit_plan
    app = lab_app(make_app, config='[policy]\nconfirm = ["edit"]\n')
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert script.ran == []


async def test_an_edit_that_is_in_full_size_hides_no_form_that_is_sent(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    app = lab_app(make_app, (scenes.kept(files),))
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("tab", "enter")
        await until_seen(pilot, scenes.EDIT_ID)
        await pilot.press("s")
        await until_seen(pilot, "s sends what it holds")
        assert script.asked == []
        await pilot.press("s")
        await until(pilot, lambda: script.asked == [("edit", "edit-single")])


async def test_once_more_draws_another_seed(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    script.plans["edit"] = edit_plan
    app = lab_app(make_app, (scenes.kept(files),))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("tab", "R")
        await until(pilot, lambda: script.ran == ["edit"])
        assert script.options[0]["prompt"] == PROMPT
        assert script.options[0]["seed"] != 81421


async def test_a_result_is_edited_further_saved_and_its_path_copied(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app, (scenes.kept(files),))
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("tab", "y")
        await until_seen(pilot, "copied")
        assert app.clipboard == files.after
        await pilot.press("w", *"out", "enter")
        await until_seen(pilot, "saved as ~/out/result.png")
        await pilot.press("e")
        await until_seen(pilot, "the picture of the next edit")
        assert app.lab.state.draft.images == (files.after,)
        assert app.lab.state.draft.prompt == PROMPT, "the words stay, to be changed"


async def test_a_picture_made_from_words_goes_on_into_a_workflow_that_takes_one(
    make_app: MakeApp, files: Files
) -> None:
    made = scenes.kept(files, workflow="forge-text-to-image", variant="", service="myia")
    app = lab_app(make_app, (made,))
    app.lab.state.draft.workflow = "forge-text-to-image"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("tab", "e")
        await until_seen(pilot, "Image to image (Forge)")
        assert "result.png" in line_with(app, "▸ picture")


async def test_the_whole_pre_check_hides_no_list_that_arrows_move_in(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app, (scenes.kept(files),))
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("d")
        await until_seen(pilot, "Pre-check")
        await pilot.press("tab")
        await until_seen(pilot, "[Edits]")
        assert "✔ done" in seen(app)
        await pilot.press("d")
        await until_seen(pilot, "Pre-check")
        assert "[New edit]" in seen(app)


async def test_before_and_after_are_flipped_where_one_has_room(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app, (scenes.kept(files),))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "done")
        await pilot.press("tab")
        screen: Any = app.screen
        assert [one.source for one in screen.frames(80, 24)] == [files.after]
        await pilot.press("f")
        assert [one.source for one in screen.frames(80, 24)] == [files.before]
        await pilot.resize_terminal(160, 48)
        await until(
            pilot,
            lambda: [one.source for one in screen.frames(160, 48)] == [files.after, files.before],
        )
        await pilot.press("f")
        assert [one.source for one in screen.frames(160, 48)] == [files.before, files.after]


async def test_why_there_is_no_result_is_said_with_what_to_do(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app, (scenes.FAILED, scenes.UNCOLLECTED))
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "failed")
        await pilot.press("tab", "enter")
        await until_seen(pilot, "take a smaller variant")
        await pilot.press("right")
        await until_seen(pilot, "gpuconsole gallery collect")
        await pilot.press("e")
        await until_seen(pilot, "it has no result: uncollected")


async def test_among_the_jobs_an_edit_can_be_cancelled_and_one_that_was_left_goes_on(
    make_app: MakeApp, script: Script
) -> None:
    edit = msgspec.structs.replace(
        switch(), id="e1", kind="edit", verb="edit", target="edit-single", subject="edits",
        state="running", text="sampling 12/20", can=("watch", "cancel"), edit=scenes.now(),
    )  # fmt: skip
    left = msgspec.structs.replace(
        edit, id="e2", state="interrupted", can=("watch", "resume", "cancel"), edit=None
    )
    script.listed = (edit, left)
    app = lab_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await until_seen(pilot, "sampling 12/20")
        await pilot.press("p")
        await until_seen(pilot, "only downloads can be paused")
        await pilot.press("c")
        await until_seen(pilot, "Its service is told to stop")
        await pilot.press("y")
        await until(pilot, lambda: script.cancelled == ["e1"])
        await pilot.press("down", "p")
        await until(pilot, lambda: script.resumed == ["e2"])
