"""Pictures of the file browser, at both sizes, and in a light look."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.host.browsing import Folder, read_folder
from screens.tui.application import Console
from screens.tui.browser.screen import BrowserScreen, choose_pictures
from screens.tui.browser.source import Place, SessionBrowser
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui.conftest import MakeApp
from tests.tui.picture_files import write_picture
from tests.tui.seeing import until, until_seen
from tests.tui.test_picture_view import TERMINAL, drawn
from tests.tui.test_pictures import SIZES, Compare, before

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
NAMES = (
    "mug.png",
    "sofa 2.png",
    "sofa 10.png",
    "a picture that was exported twice and named by it (final) 0012.png",
    "two\nlines \x1b[31m猫.png",
)


class Here(SessionBrowser):
    """Folders below this one: their paths are the same on every machine."""

    def read(self, path: str, exact: bool = True) -> Folder:
        return read_folder(path or "in")

    def places(self) -> tuple[Place, ...]:
        return (
            Place("/home/jesse/SD/in", "used for single-edit"),
            Place("/home/jesse/pictures/of/the/studio/november", "used for merge-2"),
        )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay out a folder with pictures, folders, and what is none."""
    there = tmp_path / "in"
    for number, name in enumerate(NAMES):
        _at(write_picture(there / name, 96, 64, number * 40), number)
    _at(write_picture(there / "tall.png", 40, 90), 7)
    (there / "page.png").write_text("<!doctype html><html><body>404</body></html>")
    _at(there / "page.png", 8)
    (there / "notes.txt").write_text("not a picture")
    _at(there / "notes.txt", 9)
    (there / "poses").mkdir()
    (there / "empty").mkdir()
    monkeypatch.chdir(tmp_path)


def _at(path: Path, hours: int) -> Path:
    moment = NOW.timestamp() - 3600 * (hours + 1)
    os.utime(path, (moment, moment))
    return path


def taken(
    *keys: str, words: str = "pictures", most: int = 1
) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Give what to do before a picture: open the browser, press keys, wait for its preview."""

    async def then(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Console)
        choose_pictures(
            app, lambda _: None, most=most, source=Here(app.session), title="Choose picture 1"
        )
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen))
        screen = app.screen
        assert isinstance(screen, BrowserScreen)
        await until(pilot, lambda: screen.state.folder is not None)
        for key in keys:
            await pilot.press(key)
        await until_seen(pilot, words)
        if screen.frames(*app.size):
            await drawn(pilot, screen)

    return before(then=then)


@sizes
@pytest.mark.parametrize(
    ("keys", "words", "most"),
    [
        ((), "7 pictures", 1),
        (("j", "j", "j"), "96x64 PNG", 1),
        (("G", "k"), "40x90 PNG", 1),
        (("G",), "96x64 PNG", 1),
        (("j", "j", "j", "space", "space", "j"), "2 of 3 picked", 3),
        (("slash", "p", "a", "g"), "web page", 1),
        (("a", "t"), "newest first", 1),
        (("enter",), "this folder is empty", 1),
        (("p",), "used for merge-2", 1),
    ],
    ids=["folder", "picture", "tall", "odd-name", "several", "no-picture", "all", "empty",
         "places"],
)  # fmt: skip
def test_browser(
    snap_compare: Compare,
    make_app: MakeApp,
    keys: tuple[str, ...],
    words: str,
    most: int,
    size: tuple[int, int],
) -> None:
    app = make_app(hosts.services_studio(), environ=TERMINAL)
    assert snap_compare(app, terminal_size=size, run_before=taken(*keys, words=words, most=most))


@sizes
def test_light(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app(hosts.services_studio(), environ=TERMINAL, config='[ui]\ntheme = "light"\n')
    run = taken("j", "j", "j", words="96x64 PNG")
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
def test_without_colour(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app(hosts.services_studio(), environ={**TERMINAL, "NO_COLOR": "1"})
    run = taken("j", "j", "j", words="96x64 PNG")
    assert snap_compare(app, terminal_size=size, run_before=run)
