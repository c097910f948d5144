"""An operator puts edits together, sends them, watches them and goes on from their results."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from actions.plan import Check, Plan
from screens.tui.application import Console
from screens.tui.browser.screen import BrowserScreen
from screens.tui.lab.choice_dialog import ChoiceDialog
from screens.tui.plan_dialog import PlanDialog
from tests.support import hosts
from tests.tui import lab_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.lab_scenes import Files, StillLab
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
        await pilot.press("enter")
        await until_seen(pilot, "below 0.5 MP fine things get lost")
        await pilot.press(*"1000x1000", "enter")
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
        await until_seen(pilot, "1 more has no place here")
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
        await paste(pilot, files.before)
        await until_seen(pilot, "48x36")
        assert "no path of a picture" not in seen(app), "what was wrong before is not wrong now"
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
