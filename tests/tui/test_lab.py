"""An operator puts edits together, sends them, watches them and goes on from their results."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from actions.operations import RunningPlan
from actions.plan import AnyEvent, Check, Plan, PlanDone, StepProgress, StepStarted
from console.edits.kept import Timings
from screens.tui.application import Console
from screens.tui.browser.screen import BrowserScreen
from screens.tui.lab.choice_dialog import ChoiceDialog
from screens.tui.plan_dialog import PlanDialog
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui import lab_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.lab_scenes import Files, StillLab
from tests.tui.model_scenes import switch
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script, make_plan, refused
from tests.tui.test_lab_pictures import filled, lab_app, run_jobs

PROMPT = "put the mug on a wooden table, morning light"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    folder = tmp_path / "in"
    folder.mkdir()
    return Files(folder)


def edit_plan(options: dict[str, Any], **changes: Any) -> Plan:
    """Make the plan of an edit, its id by its seed."""
    return make_plan(
        "edit",
        "edit-single",
        **{
            "id": f"edit-{options.get('seed')}",
            "subject": "edits",
            "target_id": "edit-single",
            "facts": {"seed": options.get("seed")},
            "endless": True,
            **changes,
        },
    )


def source_of(app: Console) -> StillLab:
    source = app.lab.source
    assert isinstance(source, StillLab)
    return source


async def paste(pilot: Pilot[int], text: str) -> None:
    """Paste as a terminal does, in brackets."""
    pilot.app.screen.post_message(events.Paste(text))
    await pilot.pause()


async def test_an_edit_is_put_together_with_keys_alone_and_sent(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    script.plans["edit"] = edit_plan
    app = lab_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "choose the picture to edit")
        await paste(pilot, f"'{files.before}'")
        await until_seen(pilot, "48x36")
        await pilot.press("down", "enter", *"quick: 1 red mug, 4 spoons", "enter")
        await until_seen(pilot, "FITS")
        await pilot.press("s")
        await until(pilot, lambda: script.ran == ["edit"])
        assert script.asked == [("edit", "edit-single")]
        (options,) = script.options
        assert options["images"] == (files.before,)
        assert options["prompt"] == "quick: 1 red mug, 4 spoons"
        assert isinstance(options["seed"], int)
        assert app.lab.state.draft.seed == options["seed"] + 1, "the next one goes on"
        assert app.current_mode == "lab", "digits and letters were the prompt's, not the views'"


async def test_what_is_missing_is_said_and_the_cursor_goes_there(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    app = lab_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "choose the picture to edit")
        await pilot.press("s")
        await until_seen(pilot, "choose the picture to edit first")
        assert "picture" in line_with(app, "▸")
        app.lab.state.draft.images = (files.before,)
        await pilot.press("s")
        await until_seen(pilot, "say first what is to change")
        assert "prompt" in line_with(app, "▸")
        assert script.asked == []


async def test_a_plan_that_warns_is_shown_before_it_is_sent(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    warning = Check(id="edit.size", title="4.2 megapixels: things may double", verdict="warn")

    def plan(options: dict[str, Any]) -> Plan:
        return edit_plan(options, verdict="warned", checks=(warning,))

    script.plans["edit"] = plan
    app = lab_app(make_app)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert "4.2 megapixels" in seen(app)
        await pilot.press("escape")
        assert script.ran == []
        assert app.lab.state.draft.seed == 81422, "what was not sent uses up no seed"
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["edit"])


async def test_a_service_that_does_not_run_is_started_first(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    script.plans["edit"] = edit_plan
    script.plans["start"] = make_plan("start", "comfyui-qwen", subject="service")
    app = lab_app(make_app, checked=scenes.STOPPED)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "does not run")
        await pilot.press("s")
        await until_seen(pilot, "first this, then the edit")
        await pilot.press("y")
        await until(pilot, lambda: script.ran[:1] == ["start"])
        await until_seen(pilot, "This is what you asked for first.")
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["start", "edit"])


async def test_files_that_are_missing_are_fetched_by_one_key(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    app = lab_app(make_app, checked=scenes.MISSING_FILE)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "p fetches what is missing")
        await pilot.press("p")
        await until(pilot, lambda: script.asked == [("pull", "qwen-edit-2511-fp8mixed")])


async def test_a_read_only_console_says_so_and_its_plan_is_refused(
    make_app: MakeApp, script: Script, files: Files
) -> None:
    script.plans["edit"] = lambda options: refused(edit_plan(options))
    app = lab_app(make_app, read_only=True)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "read-only: nothing is sent")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("y")
        assert script.ran == []


async def test_numbers_are_typed_and_what_cannot_be_is_not_taken(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app)
    filled(app, files)

    def steps() -> int | None:
        return app.lab.state.draft.steps

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        app.lab.state.field = "steps"
        await pilot.press("enter", *"0", "enter")
        await until_seen(pilot, "steps is 1 to")
        assert app.lab.state.typing is not None, "it can be put right"
        await pilot.press("escape")
        assert steps() is None
        await pilot.press("enter", *"8", "enter")
        assert steps() == 8
        await pilot.press("right", "right", "left")
        assert steps() == 9
        await pilot.press("backspace")
        await until_seen(pilot, "steps       20")
        app.lab.state.field = "size"
        await pilot.press("enter", *"1000x1000", "enter")
        await until_seen(pilot, "a multiple of 16")
        await pilot.press("ctrl+u", *"2048x2048", "enter")
        await until_seen(pilot, "4.2 MP")


async def test_an_earlier_prompt_comes_back_by_arrows(make_app: MakeApp, files: Files) -> None:
    app = lab_app(make_app)
    filled(app, files)
    app.lab.state.draft.prompt = "mine"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        app.lab.state.field = "prompt"
        await pilot.press("enter")
        await pilot.press("up", "up")
        await until_seen(pilot, "earlier one 2 of 2")
        await pilot.press("enter")
        assert app.lab.state.draft.prompt == "make it blue"
        await pilot.press("enter", "ctrl+u", *"other", "ctrl+z", "escape")
        assert app.lab.state.draft.prompt == "make it blue"


async def test_a_template_and_the_history_are_offered(make_app: MakeApp, files: Files) -> None:
    app = lab_app(make_app)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("down", "enter")
        await until_seen(pilot, "Change the background to PLACE")
        assert app.lab.state.typing is not None, "its capitals are to be replaced"
        await pilot.press("escape", "H")
        await until_seen(pilot, "Earlier prompts")
        await pilot.press("down", "enter", "enter")
        assert app.lab.state.draft.prompt == "make it blue"


async def test_another_variant_is_chosen_and_checked_anew(make_app: MakeApp, files: Files) -> None:
    app = lab_app(make_app)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        await pilot.press("down", "down", "enter")
        await until_seen(pilot, "Choose: variant")
        await pilot.press("down", "down", "enter")
        await until_seen(pilot, "2509 BF16")
        await until(
            pilot, lambda: source_of(app).asked[-1].variant == "qwen-edit-2509-bf16", seconds=8
        )
        await until(pilot, lambda: "OFFLOADS" in seen(app) or "REFUSED" in seen(app))


async def test_a_merge_takes_several_dropped_files(make_app: MakeApp, files: Files) -> None:
    app = lab_app(make_app)
    app.lab.state.draft.workflow = "merge-2"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "picture 2")
        await paste(pilot, f"{files.before} {files.after} {files.live}")
        await until_seen(pilot, "1 more have no place here")
        assert app.lab.state.draft.images == (files.before, files.after)
        app.lab.state.field = "image 0"
        await pilot.press("backspace")
        assert app.lab.state.draft.images == ("", files.after)
        await until_seen(pilot, "choose image 1")


async def test_pasted_words_go_into_the_prompt_and_others_are_told(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "choose the picture")
        await paste(pilot, "make it blue")
        await until_seen(pilot, "no path of a picture")
        app.lab.state.field = "prompt"
        await paste(pilot, "make it\nblue")
        await until_seen(pilot, "letters")
        await paste(pilot, " and round")
        await pilot.press("enter")
        assert app.lab.state.draft.prompt == "make it\nblue and round"


async def test_a_picture_that_is_none_is_said_beside_its_name(
    make_app: MakeApp, tmp_path: Path
) -> None:
    page = tmp_path / "page.png"
    page.write_text("<html>login</html>")
    app = lab_app(make_app)
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "choose the picture")
        await paste(pilot, str(page))
        await until_seen(pilot, "✖ cannot be used")
        await until_seen(pilot, "a web page (HTML)")


async def test_the_browser_opens_for_the_row_under_the_cursor(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app)
    app.lab.state.draft.images = (files.before,)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "48x36")
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen))
        await until_seen(pilot, "result.png")
        await pilot.press("escape")
        await until_seen(pilot, "workflow")
        assert app.lab.state.draft.images == (files.before,)


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
        await until_seen(pilot, "Esc again cancels edit-single")
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


async def test_no_service_and_no_edit_leave_a_lab_that_can_be_used(make_app: MakeApp) -> None:
    app = lab_app(make_app, host=hosts.neither)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "no comfyui here")
        await until_seen(pilot, "No edit yet")
        for key in ("tab", "enter", "r", "R", "e", "w", "y", "f", "c", "d", "x", "escape",
                    "tab", "right_square_bracket", "left_square_bracket", "n", "L"):  # fmt: skip
            await pilot.press(key)
        assert "Lab" in seen(app)


async def test_the_pre_check_is_not_made_again_and_again_while_an_edit_moves_the_figures(
    make_app: MakeApp, files: Files
) -> None:
    app = lab_app(make_app)
    filled(app, files)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FITS")
        run_jobs(app, scenes.job())
        asked = len(source_of(app).asked)
        gpus = app.snapshot.gpu
        fuller = [msgspec.structs.replace(one, memory_free_bytes=1 << 30) for one in gpus.gpus]
        moved = msgspec.structs.replace(gpus, gpus=tuple(fuller))
        app.snapshot = msgspec.structs.replace(app.snapshot, gpu=moved)
        for _ in range(3):
            app.paint()
            await pilot.pause()
        assert len(source_of(app).asked) == asked


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
