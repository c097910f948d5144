"""Pictures of the gallery, at both sizes, and of the main state in other looks."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.store.edits import EditRecords
from screens.tui.application import Console
from screens.tui.gallery.screen import GalleryScreen, open_gallery
from tests.support import hosts
from tests.tui import gallery_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.seeing import until, until_seen
from tests.tui.test_picture_view import TERMINAL, drawn
from tests.tui.test_pictures import SIZES, Compare, before
from tests.tui.test_service_pictures import CONFIG, themed

OUT = Path("outputs")
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture(autouse=True)
def same_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep pictures where their paths are the same on every machine."""
    (tmp_path / "jesse").mkdir()
    monkeypatch.chdir(tmp_path / "jesse")


def gallery_app(make_app: MakeApp, **changes: object) -> Console:
    changes.setdefault("config", CONFIG)
    changes.setdefault("environ", TERMINAL)
    return make_app(hosts.services_studio(), **changes)


def taken(*keys: str, words: str = "single-edit") -> Callable[[Pilot[int]], Awaitable[None]]:
    """Give what to do before a picture: open the gallery, press keys, wait for its pictures."""

    async def then(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Console)
        open_gallery(app)
        await until_seen(pilot, "Gallery")
        screen = app.screen
        assert isinstance(screen, GalleryScreen)
        await until(pilot, lambda: screen.drawing.hung() is not None)
        for key in keys:
            await pilot.press(key)
        await until_seen(pilot, words)
        if screen.frames(*app.size):
            await drawn(pilot, screen)
        app.paint()

    return before(then=then)


@sizes
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ((), "81421"),
        (("f",), "before"),
        (("j", "right_square_bracket"), "after 2 of 2"),
        (("enter",), "13.1 s/step"),
        (("enter", "o"), "13.1 s/step"),
        (("j", "j"), "ran out of memory"),
        (("j", "j", "j"), "the disk is full"),
        (("space", "space", "t"), "marked"),
        (("slash", "s", "o", "f", "a"), "1 edit"),
        (("slash", "z", "z", "enter"), "No edit is like that"),
        (("x",), "its recipe in the lab"),
    ],
    ids=["first", "flipped", "second", "full", "one", "failed", "uncollected", "marked", "search",
         "none-found", "menu"],
)  # fmt: skip
def test_gallery(
    snap_compare: Compare,
    make_app: MakeApp,
    keys: tuple[str, ...],
    words: str,
    size: tuple[int, int],
) -> None:
    app = gallery_app(make_app)
    scenes.hang_up(app, OUT, many=9)
    assert snap_compare(app, terminal_size=size, run_before=taken(*keys, words=words))


@sizes
def test_filters(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = gallery_app(make_app)
    scenes.hang_up(app, OUT)

    async def then(pilot: Pilot[int]) -> None:
        await taken()(pilot)
        screen = app.screen
        assert isinstance(screen, GalleryScreen)
        await until(pilot, lambda: screen.drawing.names() is not None)
        await pilot.press("F")
        await until_seen(pilot, "comfyui-two")

    assert snap_compare(app, terminal_size=size, run_before=then)


@sizes
def test_a_file_that_is_gone(
    snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = gallery_app(make_app)
    edits = scenes.hang_up(app, OUT)
    scenes.lose(edits[0].of_role("output")[0])
    words = "its file is not there any more"
    assert snap_compare(app, terminal_size=size, run_before=taken(words=words))


@sizes
def test_nothing_kept(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = gallery_app(make_app)
    assert snap_compare(app, terminal_size=size, run_before=taken(words="No edit has been kept"))


@sizes
@pytest.mark.parametrize("look", ["light", "high-contrast"])
def test_looks(snap_compare: Compare, make_app: MakeApp, look: str, size: tuple[int, int]) -> None:
    app = gallery_app(make_app, config=themed(look))
    scenes.hang_up(app, OUT, many=9)
    assert snap_compare(app, terminal_size=size, run_before=taken(words="81421"))


@sizes
def test_without_colour_path_and_facts_stand_for_pictures(
    snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = gallery_app(make_app, environ={**TERMINAL, "NO_COLOR": "1"})
    scenes.hang_up(app, OUT, many=3)
    assert snap_compare(app, terminal_size=size, run_before=taken(words="96x64 PNG"))


@sizes
def test_hostile_words(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = gallery_app(make_app)
    bad = scenes.edit(
        0,
        prompt="\x1b[2J\x07two\nlines of 猫 " + "x" * 3000,
        workflow="w\x1b[31mörk" * 20,
        service="s\x07" * 90,
        variant="v" * 120,
        warnings=("\x1b]0;title\x07a warning of the service",),
    )
    EditRecords(app.session.store).add(bad)
    assert snap_compare(app, terminal_size=size, run_before=taken(words="two"))
