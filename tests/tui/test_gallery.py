"""An operator looks through what was made, finds one, and goes on from it."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.store.edits import EditRecords
from screens.tui.application import Console
from screens.tui.gallery.screen import GalleryScreen, open_gallery
from screens.tui.help_screen import HelpScreen
from screens.tui.lab.choice_dialog import ChoiceDialog
from screens.tui.lab.screen import LabScreen
from screens.tui.paint import plain_text
from screens.tui.plan_dialog import PlanDialog
from tests.tui import gallery_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script, make_plan
from tests.tui.test_picture_view import TERMINAL, drawn


async def gallery(pilot: Pilot[int], words: str = "single-edit") -> GalleryScreen:
    """Open the gallery and wait for words on it."""
    app = pilot.app
    assert isinstance(app, Console)
    open_gallery(app)
    await until_seen(pilot, words)
    screen = app.screen
    assert isinstance(screen, GalleryScreen)
    return screen


async def test_edits_are_seen_newest_first_with_picture_and_recipe(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await gallery(pilot)
        await drawn(pilot, screen)
        text = seen(app)
        assert "5 edits" in text
        assert text.index("single-edit") < text.index("pose") < text.index("merge-2")
        for words in ("before  96x64", "after  96x64", "81421", "20.9 GiB", "13.1 s/step",
                      "morning light"):  # fmt: skip
            assert words in text, words
        shown = [view.drawn for view in screen._views.values() if view.display]
        assert len(shown) == 2
        assert all(one is not None and one.rows for one in shown)


async def test_pictures_take_the_whole_screen_and_are_flipped(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await gallery(pilot)
        await drawn(pilot, screen)
        assert "after  96x64" in seen(app)
        assert "before" not in seen(app)
        await pilot.press("f")
        await until_seen(pilot, "before  96x64")
        await pilot.press("enter", "o")
        await drawn(pilot, screen)
        frames = screen.frames(80, 24)
        assert [(one.width, one.caption.split()[0]) for one in frames] == [(80, "before")]
        await pilot.press("f")
        await until_seen(pilot, "after  96x64")
        await pilot.press("o", "j", "right_square_bracket")
        await until_seen(pilot, "after 2 of 2")
        await pilot.press("escape")
        await until_seen(pilot, "state")


async def test_text_workflow_and_state_choose_what_is_listed(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await gallery(pilot)
        await pilot.press("slash", *"sofa")
        await until_seen(pilot, "1 edit ")
        assert "merge-2" in line_with(app, "▸")
        await pilot.press("1", "enter")
        await until_seen(pilot, "No edit is like that: /sofa1")
        assert app.screen is screen, "digits are typed, not views"
        await pilot.press("escape")
        await until_seen(pilot, "5 edits")
        await pilot.press("t", "t")
        await until_seen(pilot, "2 edits  not well")
        await pilot.press("t")
        await until_seen(pilot, "1 edit  not over")
        await pilot.press("escape")
        await until_seen(pilot, "5 edits")
        await until(pilot, lambda: screen.drawing.names() is not None)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        assert "comfyui-two" in seen(app)
        await pilot.press("G", "enter")
        await until_seen(pilot, "1 edit  comfyui-two")
        await pilot.press("escape", "escape")
        assert app.screen is not screen


async def test_what_went_wrong_says_why_and_what_to_do(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(160, 48)) as pilot:
        await gallery(pilot)
        await pilot.press("j", "j")
        await until_seen(pilot, "the card ran out of memory while sampling")
        assert "Take a smaller variant" in seen(app)
        assert "CUDA out of memory" in seen(app)
        assert "r puts its recipe into the lab" in seen(app)
        await pilot.press("j")
        await until_seen(pilot, "the disk is full")
        assert "c fetches its pictures" in seen(app)


async def test_what_is_not_fetched_is_fetched_by_a_key(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(80, 24)) as pilot:
        await gallery(pilot)
        await pilot.press("c")
        await until_seen(pilot, "its pictures are here")
        # Nobody sent this one, and so nothing of it can be at a service.
        await pilot.press("j", "j", "j", "c")
        await until_seen(pilot, "a7c4e1: its picture could not be kept")


async def test_a_console_that_only_reads_fetches_nothing(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(environ=TERMINAL, read_only=True)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(80, 24)) as pilot:
        await gallery(pilot)
        await pilot.press("j", "j", "j", "c")
        await until_seen(pilot, "read-only")
        await until_seen(pilot, "it changes nothing")


async def test_edits_are_deleted_after_their_plan_was_seen(
    make_app: MakeApp, script: Script, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    edits = scenes.hang_up(app, tmp_path / "out")
    script.plans["gallery-rm"] = make_plan(
        "gallery-rm", "2 edits", subject="edits", verdict="warned"
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await gallery(pilot)
        await pilot.press("j", "j", "space", "space")
        await until_seen(pilot, "+2 marked")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert script.asked == [("gallery-rm", edits[2].id)]
        assert script.options == [{"also": [edits[3].id]}]
        assert script.ran == []
        EditRecords(app.session.store).remove([edits[2].id, edits[3].id])
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["gallery-rm"])
        await until_seen(pilot, "3 edits")


async def test_a_file_that_is_gone_is_told_and_not_used(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(environ=TERMINAL)
    edits = scenes.hang_up(app, tmp_path / "out")
    scenes.lose(edits[0].of_role("output")[0])
    async with app.run_test(size=(160, 48)) as pilot:
        await gallery(pilot)
        await until_seen(pilot, "is not there any more: moved")
        assert "its file is not there any more" in seen(app)
        await pilot.press("e")
        await until_seen(pilot, "png is not there any more")
        assert isinstance(app.screen, GalleryScreen)


async def test_a_path_is_copied_and_a_result_is_the_next_edits_picture(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    edits = scenes.hang_up(app, tmp_path / "out")
    result = edits[0].of_role("output")[0].path
    async with app.run_test(size=(160, 48)) as pilot:
        await gallery(pilot)
        await pilot.press("y")
        await until_seen(pilot, "copied")
        assert app.clipboard == result
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        assert app.lab.state.draft.image(0) == result


async def test_an_edit_is_made_again_in_the_lab(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(environ=TERMINAL)
    edits = scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(160, 48)) as pilot:
        await gallery(pilot)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, LabScreen))
        assert app.lab.state.draft.prompt == edits[0].prompt


async def test_the_menu_offers_what_its_state_allows(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await gallery(pilot)
        await pilot.press("x")
        await until_seen(pilot, "the next edit")
        assert "its service has made" not in seen(app)
        assert "Anew     the same with another seed" in seen(app)
        await pilot.press("enter")
        await until(pilot, lambda: screen.state.full)
        await pilot.press("enter", "j", "j", "j", "x")
        await until_seen(pilot, "its service has made")
        assert "Edit on" not in seen(app)


async def test_a_thousand_edits_are_read_as_they_are_needed(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out", many=245)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await gallery(pilot, "of 250 edits")
        assert len(screen.drawing.edits()) == 100
        await pilot.press("G")
        await until(pilot, lambda: len(screen.drawing.edits()) == 200)
        await pilot.press("G")
        await until(pilot, lambda: len(screen.drawing.edits()) == 250)
        await pilot.press("G")
        await until_seen(pilot, "244-250 of 250 edits")


async def test_nothing_kept_says_where_edits_are_made(make_app: MakeApp) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await gallery(pilot, "No edit has been kept yet")
        await pilot.press("enter", "f", "d", "r", "R", "e", "y", "c", "x", "o", "j", "G", "w")
        await until_seen(pilot, "no edit is selected")
        assert app.screen is screen
        open_gallery(app)
        assert app.screen is screen, "it opens once"


async def test_an_edit_that_ends_meanwhile_comes_by_itself(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    edits = scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await gallery(pilot)
        assert screen.state.edit == edits[0].id
        EditRecords(app.session.store).add(scenes.edit(-1, workflow="fresh"))
        app.session.clock.advance(6.0)  # type: ignore[attr-defined]
        app.paint()
        await until_seen(pilot, "fresh")
        assert screen.state.edit == edits[0].id, "the cursor stays on what it was on"


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 15), (112, 30), (220, 60)])
async def test_any_terminal_is_borne(
    make_app: MakeApp, tmp_path: Path, size: tuple[int, int]
) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=size) as pilot:
        open_gallery(app)
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
        await pilot.press("j", "enter", "f", "k")
        await pilot.resize_terminal(90, 30)
        await until_seen(pilot, "single-edit")


async def test_hostile_words_are_cleaned(make_app: MakeApp) -> None:
    app = make_app(environ=TERMINAL)
    bad = scenes.edit(0, prompt="\x1b[2J\x07two\nlines " + "x" * 100_000, workflow="w\x1b[31m" * 50)
    EditRecords(app.session.store).add(bad)
    async with app.run_test(size=(80, 24)) as pilot:
        await gallery(pilot, "two")
        assert "\x1b" not in seen(app)
        assert all(len(line) <= 80 for line in seen(app).splitlines())


async def test_the_palette_opens_it_and_the_help_knows_its_keys(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(environ=TERMINAL)
    scenes.hang_up(app, tmp_path / "out")
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("ctrl+p", *"Gallery", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
        await pilot.press("question_mark")
        await until_seen(pilot, "gpuconsole help")
        assert isinstance(app.screen, HelpScreen)
        text = "\n".join(plain_text(line) for line in app.screen.content(80))
        assert "In the file browser" in text
        assert "only edits whose prompts" in text
