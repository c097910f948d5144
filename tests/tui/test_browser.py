"""An operator looks for a picture: folders, previews, whatever names and files there are."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from console.host.browsing import Folder, folder_of, natural, read_folder
from screens.tui.application import Console
from screens.tui.browser import screen as browser_screen
from screens.tui.browser.screen import BrowserScreen, choose_pictures
from screens.tui.browser.source import Place, SessionBrowser
from screens.tui.browser.state import listed
from screens.tui.lab.choice_dialog import ChoiceDialog
from tests.tui.conftest import MakeApp
from tests.tui.picture_files import write_picture
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.test_picture_view import TERMINAL, drawn

MOMENT = 1_764_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder with what an operator's has: pictures, folders, notes, something hidden."""
    there = tmp_path / "in"
    for number, name in enumerate(("mug.png", "sofa 2.png", "sofa 10.png"), 1):
        write_picture(there / name, 64, 48, number * 40)
        os.utime(there / name, (MOMENT + number, MOMENT + number))
    write_picture(there / "poses" / "stand.png", 32, 64)
    (there / "notes.txt").write_text("not a picture")
    write_picture(there / ".hidden.png")
    yield there
    browser_screen._HANGING.clear()


def browse(app: Console, at: Path | str, most: int = 1) -> list[tuple[str, ...]]:
    """Open the browser, and give what will hold its answers."""
    answers: list[tuple[str, ...]] = []
    choose_pictures(app, answers.append, at=str(at), most=most)
    return answers


async def opened(pilot: Pilot[int], words: str) -> BrowserScreen:
    await until_seen(pilot, words)
    screen = pilot.app.screen
    assert isinstance(screen, BrowserScreen)
    return screen


async def test_a_picture_is_found_seen_and_taken(make_app: MakeApp, folder: Path) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        answers = browse(app, folder)
        screen = await opened(pilot, "3 pictures, 1 folder")
        assert "notes.txt" not in seen(app)
        assert ".hidden" not in seen(app)
        await pilot.press("j")
        await drawn(pilot, screen)
        assert "64x48 PNG" in seen(app)
        await pilot.press("enter")
        assert answers == [(f"{folder}/mug.png",)]
        assert app.screen is not screen


async def test_names_stand_as_people_count(make_app: MakeApp, folder: Path) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, folder)
        await opened(pilot, "3 pictures")
        text = seen(app)
        assert text.index("poses/") < text.index("mug.png") < text.index("sofa 2.png")
        assert text.index("sofa 2.png") < text.index("sofa 10.png")
        await pilot.press("t")
        await until_seen(pilot, "newest first")
        text = seen(app)
        assert text.index("poses/") < text.index("sofa 10.png") < text.index("sofa 2.png")
        await pilot.press("a")
        await until_seen(pilot, "notes.txt")
        assert ".hidden.png" in seen(app)


async def test_folders_are_walked_and_left_where_one_came_from(
    make_app: MakeApp, folder: Path
) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        answers = browse(app, folder)
        screen = await opened(pilot, "poses/")
        await pilot.press("l")
        await until_seen(pilot, "stand.png")
        await pilot.press("backspace")
        await until_seen(pilot, "mug.png")
        assert screen.state.name == "poses"
        await pilot.press("h")
        await until_seen(pilot, "in/")
        assert screen.state.name == "in"
        await pilot.press("tilde")
        await until(pilot, lambda: screen.state.path == str(folder.parent))
        await pilot.press("escape")
        assert answers == [()]


async def test_the_filter_takes_every_key_and_digits_change_no_view(
    make_app: MakeApp, folder: Path
) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        answers = browse(app, folder)
        screen = await opened(pilot, "mug.png")
        await pilot.press("3")
        assert app.screen is screen, "a digit is no way out of a browser"
        await pilot.press("slash", "s", "o", "f", "a", "space", "1")
        await until(pilot, lambda: "mug.png" not in seen(app))
        assert "sofa 10.png" in seen(app)
        await pilot.press("enter", "enter")
        assert answers == [(f"{folder}/sofa 10.png",)]


async def test_several_are_picked_in_order_and_no_more_than_asked_for(
    make_app: MakeApp, folder: Path
) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        answers = browse(app, folder, most=2)
        await opened(pilot, "0 of 2 picked")
        await pilot.press("G", "space", "g", "j", "space")
        await until_seen(pilot, "2 of 2 picked")
        await pilot.press("space")
        await until_seen(pilot, "2 are picked already")
        assert answers == []
        await pilot.press("enter")
        assert answers == [(f"{folder}/sofa 10.png", f"{folder}/mug.png")]


async def test_a_dropped_file_is_gone_to(make_app: MakeApp, folder: Path) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, folder / "poses")
        screen = await opened(pilot, "stand.png")
        screen.post_message(Paste(f"'{folder}/sofa 2.png'"))
        await until(pilot, lambda: screen.state.name == "sofa 2.png" and screen.state.folder)
        await until_seen(pilot, "64x48 PNG")
        screen.post_message(Paste("rm -rf"))
        await until_seen(pilot, "is no path")


async def test_a_path_is_typed(make_app: MakeApp, folder: Path) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, folder)
        screen = await opened(pilot, "mug.png")
        await pilot.press("colon", *"poses", "enter")
        await until_seen(pilot, "a path is written from / or ~ on")
        await pilot.press("ctrl+u", *"~/in/poses/", "enter")
        await until_seen(pilot, "stand.png")
        await pilot.press("colon", *"~/in/sofa 2.png", "enter")
        await until_seen(pilot, "64x48 PNG")
        assert screen.state.name == "sofa 2.png"


async def test_a_long_path_is_pasted_whole(make_app: MakeApp, folder: Path) -> None:
    deep = folder.joinpath(*["of many names, each long and none left out"] * 9)
    write_picture(deep / "deep.png", 64, 48)
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, folder)
        screen = await opened(pilot, "mug.png")
        await pilot.press("colon")
        await until_seen(pilot, "Which folder")
        app.screen.post_message(Paste(f"{deep}/deep.png"))
        await pilot.press("enter")
        await until_seen(pilot, "deep.png")
        assert screen.state.path == str(deep)


async def test_what_is_no_picture_says_so(make_app: MakeApp, tmp_path: Path) -> None:
    there = tmp_path / "bad"
    there.mkdir()
    (there / "page.png").write_text("<html><body>404</body></html>")
    (there / "void.png").touch()
    (there / "gone.png").symlink_to(there / "nowhere.png")
    os.mkfifo(there / "pipe.png")
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, there)
        screen = await opened(pilot, "page.png")
        await drawn(pilot, screen)
        assert "HTML" in seen(app) or "html" in seen(app)
        await pilot.press("j")
        await drawn(pilot, screen)
        await until_seen(pilot, "empty")
        await pilot.press("a")
        await until_seen(pilot, "gone.png")
        await pilot.press("g", "enter")
        await until_seen(pilot, "leads nowhere")


@pytest.mark.parametrize(
    "name",
    [
        "a b.png",
        'it\'s "it".png',
        "two\nlines.png",
        "\x1b[31mred.png",
        "n" * 250 + ".png",
        "\udcff\udcfe.png",
        "mañana 猫.png",
    ],
    ids=["blank", "quotes", "newline", "escape", "long", "undecodable", "wide"],
)
async def test_any_name_can_be_shown_and_taken(
    make_app: MakeApp, tmp_path: Path, name: str
) -> None:
    there = tmp_path / "names"
    good = write_picture(tmp_path / "good.png")
    there.mkdir()
    good.rename(there / name)
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        answers = browse(app, there)
        screen = await opened(pilot, "1 picture")
        await drawn(pilot, screen)
        await until_seen(pilot, "64x64 PNG")
        assert "\x1b" not in seen(app)
        assert all(len(line) <= 80 for line in seen(app).splitlines())
        await pilot.press("enter")
        assert answers == [(f"{there}/{name}",)]


async def test_ten_thousand_pictures_are_walked_at_once(make_app: MakeApp, tmp_path: Path) -> None:
    there = tmp_path / "many"
    there.mkdir()
    for number in range(10_000):
        (there / f"shot {number}.png").touch()
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, there)
        screen = await opened(pilot, "10000 pictures")
        await pilot.press("G")
        await until_seen(pilot, "shot 9999.png")
        await pilot.press("slash", "9", "9", "9", "8")
        await until_seen(pilot, "1 picture")
        assert screen.state.name == "shot 9998.png"


async def test_a_folder_that_cannot_be_read_says_why(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, tmp_path)
        screen = await opened(pilot, "0 pictures")
        screen.go(str(tmp_path / "nowhere"))
        await until_seen(pilot, "This folder is not there")
        await pilot.press("backspace")
        await until(pilot, lambda: screen.state.path == str(tmp_path))


async def test_a_dead_mount_holds_nothing_up(make_app: MakeApp, folder: Path) -> None:
    hangs = threading.Event()

    class Dead(SessionBrowser):
        def read(self, path: str, exact: bool = True) -> Folder:
            if path.endswith("poses"):
                hangs.wait(30)
            return super().read(path, exact)

    app = make_app(environ=TERMINAL)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            choose_pictures(app, lambda _: None, at=str(folder), source=Dead(app.session))
            screen = await opened(pilot, "poses/")
            await pilot.press("enter")
            await until_seen(pilot, "does not answer")
            await pilot.press("backspace")
            await until_seen(pilot, "mug.png")
            threads = threading.active_count()
            await pilot.press("enter")
            await until_seen(pilot, "does not answer")
            assert threading.active_count() == threads, "what hangs already is not asked again"
            assert isinstance(screen, BrowserScreen)
    finally:
        hangs.set()


async def test_folders_used_of_late_are_offered(make_app: MakeApp, folder: Path) -> None:
    class Used(SessionBrowser):
        def used(self) -> tuple[Place, ...]:
            return (Place(str(folder / "poses"), "used for single"),)

    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        choose_pictures(app, lambda _: None, source=Used(app.session))
        await opened(pilot, "stand.png")
        await pilot.press("backspace", "p")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        assert "used for single" in seen(app)
        await pilot.press("enter")
        await until_seen(pilot, "stand.png")


async def test_who_has_no_picture_yet_is_led_to_samples(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("not a picture")
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, tmp_path / "notes")
        await opened(pilot, "p leads to samples")
        await pilot.press("p")
        await until_seen(pilot, "sample pictures to try it with")
        await pilot.press("enter")
        await until_seen(pilot, "512x512 PNG")


async def test_it_begins_where_the_last_picture_came_from(make_app: MakeApp, folder: Path) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        browse(app, folder / "mug.png")
        screen = await opened(pilot, "mug.png")
        assert screen.state.name == "mug.png"
        await pilot.press("enter")
        browse(app, "")
        await until_seen(pilot, "sofa 2.png")


@pytest.mark.parametrize("size", [(20, 5), (45, 12), (63, 20), (200, 60)])
async def test_any_terminal_is_borne(
    make_app: MakeApp, folder: Path, size: tuple[int, int]
) -> None:
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=size) as pilot:
        browse(app, folder)
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen))
        await pilot.press("j", "k", "question_mark")
        await pilot.pause()
        assert line_with(app, "") is not None


def test_a_huge_folder_is_cut_and_says_so(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.png").touch()
    found = read_folder(str(tmp_path), most=20)
    assert (len(found.entries), found.cut) == (20, True)
    assert len(listed(found, False, "name", "")) == 20


def test_numbers_in_names_count(tmp_path: Path) -> None:
    names = ["a10.png", "a2.png", "A1.png", "b.png", "٣.png"]
    assert sorted(names, key=natural) == ["A1.png", "a2.png", "a10.png", "b.png", "٣.png"]


def test_the_nearest_folder_is_given_where_one_is_gone(tmp_path: Path) -> None:
    assert folder_of(str(tmp_path / "gone" / "further")) == str(tmp_path)
    assert folder_of("relative") == str(Path.home())
