"""Pictures on a screen: drawn beside everything else, kept, and gone without a trace."""

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.strip import Strip

from screens.tui.menu_dialog import MenuDialog
from screens.tui.pictures import drawing
from screens.tui.pictures.drawing import MOST_KEPT, Asked, Drawn, PictureBook
from screens.tui.pictures.frame import PAIR_FROM, Frame, Source, pair
from screens.tui.pictures.screen import PictureScreen
from screens.tui.pictures.view import PictureView, book_of
from screens.tui.view import Block
from tests.tui.conftest import MakeApp
from tests.tui.picture_files import write_picture
from tests.tui.seeing import seen, until, until_seen

TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
FOOT = {"TERM": "foot"}
KITTY = {"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}
KEYS = "\x1b"


class Shelf(PictureScreen):
    """A screen with whatever pictures a test hangs up."""

    def __init__(self, *hung: Frame) -> None:
        super().__init__()
        self.hung: Sequence[Frame] = hung

    def blocks(self, width: int, height: int) -> Sequence[Block]:
        return [Block("keys", 0, height - 1, width, 1, [])]

    def frames(self, width: int, height: int) -> Sequence[Frame]:
        return self.hung


def frame(source: Source | None, caption: str = "", name: str = "one", x: int = 2) -> Frame:
    return Frame(name, x, 1, 40, 20, source, caption)


async def hang(pilot: Pilot[int], *frames: Frame) -> Shelf:
    """Open a screen with pictures and wait until they are drawn."""
    shelf = Shelf(*frames)
    await pilot.app.push_screen(shelf)
    await drawn(pilot, shelf)
    return shelf


async def drawn(pilot: Pilot[int], screen: PictureScreen) -> None:
    """Wait until every picture in sight is drawn."""
    await until(pilot, lambda: screen._views and not screen.drawing_pictures)
    await pilot.pause()


def view_of(screen: PictureScreen, name: str = "one") -> PictureView:
    return screen._views[name]


def written(strips: Sequence[Strip]) -> str:
    """Give what a widget's rows send to a terminal."""
    from rich.console import Console as RichConsole

    console = RichConsole(color_system="truecolor", force_terminal=True)
    return "".join(strip.render(console) for strip in strips)


def rows_of(view: PictureView) -> list[Strip]:
    return [view.render_line(y) for y in range(view.size.height)]


async def test_a_picture_fills_its_frame_in_its_own_shape(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = str(write_picture(tmp_path / "wide.png", 128, 64))
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(file, "before"))
        assert "before" in seen(app)
        shown = view_of(shelf).drawn
        assert shown is not None
        assert (shown.width, len(shown.rows)) == (40, 10), "two to one, as the file is"
        corner = shown.rows[0][0].style
        assert corner is not None
        assert corner.bgcolor is not None
        assert corner.bgcolor.triplet == (255, 0, 0), "its corner is where the file has it"
        assert all(strip.cell_length == 40 for strip in rows_of(view_of(shelf)))


async def test_what_has_not_changed_is_neither_read_nor_repainted(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_picture(tmp_path / "one.png")
    other = write_picture(tmp_path / "other.png", turn=90)
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(str(file)))
        first = view_of(shelf).drawn
        refreshed: list[object] = []
        monkeypatch.setattr(view_of(shelf), "refresh", lambda *_, **__: refreshed.append(1))
        for _ in range(3):
            app.paint()
            await pilot.pause()
        assert refreshed == []
        monkeypatch.undo()
        shelf.hung = [frame(str(other))]
        shelf.paint()
        await drawn(pilot, shelf)
        assert view_of(shelf).drawn is not first
        shelf.hung = [frame(str(file))]
        shelf.paint()
        assert view_of(shelf).drawn is first, "what was drawn before is there at once"
        await drawn(pilot, shelf)
        assert view_of(shelf).drawn is first


async def test_a_file_that_was_replaced_is_read_again_and_the_last_picture_stays_meanwhile(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = write_picture(tmp_path / "live.png")
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(str(file), "live"))
        first = view_of(shelf).drawn
        write_picture(tmp_path / "next.png", turn=120).rename(file)
        shelf.hung = [frame(str(file), "live")._replace(version=1)]
        shelf.paint()
        assert view_of(shelf).drawn is first
        await drawn(pilot, shelf)
        second = view_of(shelf).drawn
        assert second is not None
        assert second.rows != first.rows if first is not None else False


async def test_the_last_live_picture_stays_when_its_file_goes(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = write_picture(tmp_path / "live.png")
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(str(file), "live"))
        last = view_of(shelf).drawn
        file.unlink()
        shelf.hung = [frame(str(file), "live")._replace(version=1)]
        shelf.paint()
        await drawn(pilot, shelf)
        assert view_of(shelf).drawn is last
        shelf.hung = [frame(str(tmp_path / "never.png"), "live")]
        shelf.paint()
        await until_seen(pilot, "there is no file")


async def test_bytes_are_a_picture_too_and_nothing_is_said_to_be_nothing(
    make_app: MakeApp, tmp_path: Path
) -> None:
    data = write_picture(tmp_path / "one.png").read_bytes()
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(
            pilot, frame(data), Frame("two", 44, 1, 30, 10, None, "after", "not made yet")
        )
        shown = view_of(shelf).drawn
        assert shown is not None
        assert shown.rows
        assert "not made yet" in seen(app)


@pytest.mark.parametrize(
    "env", [{"TERM": "dumb"}, {**TERMINAL, "NO_COLOR": "1"}], ids=["dumb", "no-colour"]
)
async def test_without_pictures_path_and_facts_are_told(
    make_app: MakeApp, tmp_path: Path, env: dict[str, str]
) -> None:
    file = write_picture(tmp_path / "mug.png", 80, 60)
    app = make_app(environ=env)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(str(file), "before"))
        text = seen(app)
        view = view_of(shelf)
        words = "".join(view.render_line(y).text for y in range(view.size.height))
        assert str(file) in words.replace(" ", ""), "all of it, on as many lines as it takes"
        assert "80x60 PNG" in text
        shown = view_of(shelf).drawn
        assert shown is not None
        assert shown.rows == ()
        assert "▄" not in text


async def test_why_a_picture_cannot_be_shown_stands_in_its_place(
    make_app: MakeApp, tmp_path: Path
) -> None:
    whole = write_picture(tmp_path / "whole.png", 200, 200).read_bytes()
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole[: len(whole) // 2])
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        no_file = Frame("two", 2, 21, 70, 2, str(tmp_path / "no.png"))
        shelf = await hang(pilot, frame(str(cut))._replace(width=70), no_file)
        for name in ("one", "two"):
            shown = view_of(shelf, name).drawn
            assert shown is not None
            assert shown.error is not None
        assert "there is no file" in seen(app)
        assert "the rest cannot be read" in " ".join(seen(app).split())


async def test_a_large_picture_does_not_hold_the_screen_up(
    make_app: MakeApp, tmp_path: Path
) -> None:
    from PIL import Image

    file = tmp_path / "large.png"
    noise = Image.effect_noise((600, 400), 60).resize((6000, 4000))
    noise.convert("RGB").save(file, compress_level=1)
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        late: list[float] = []
        ended = asyncio.Event()

        async def tick() -> None:
            while not ended.is_set():
                before = time.perf_counter()
                await asyncio.sleep(0.005)
                late.append(time.perf_counter() - before - 0.005)

        ticking = asyncio.create_task(tick())
        shelf = Shelf(frame(str(file)))
        await app.push_screen(shelf)
        await until(pilot, lambda: shelf._views and not shelf.drawing_pictures, seconds=20)
        ended.set()
        await ticking
        shown = view_of(shelf).drawn
        assert shown is not None
        assert shown.facts is not None
        assert shown.facts.width == 6000
        assert max(late) < 0.35, f"the screen stood still for {max(late):.2f} s"


async def test_a_disk_that_hangs_is_named_and_holds_nothing_up(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_picture(tmp_path / "other.png")
    hangs = threading.Event()
    real = PictureBook.draw

    def draw(book: PictureBook, asked: Asked) -> Drawn:
        if "dead" in str(asked.source):
            hangs.wait(30)
        return real(book, asked)

    monkeypatch.setattr(PictureBook, "draw", draw)
    app = make_app(environ=TERMINAL)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            shelf = Shelf(frame("/dead/mount.png"))
            await app.push_screen(shelf)
            await until_seen(pilot, "its disk does not answer")
            shelf.hung = [frame(str(other))]
            shelf.paint()
            await until(pilot, lambda: (view_of(shelf).drawn or Drawn()).rows)
    finally:
        hangs.set()


async def test_a_sixel_lies_over_cells_and_goes_while_a_dialog_is_open(
    make_app: MakeApp, tmp_path: Path
) -> None:
    pytest.importorskip("textual_image")
    file = write_picture(tmp_path / "one.png", 200, 100)
    app = make_app(environ=FOOT)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(str(file), "before"))
        view = view_of(shelf)
        text = written(rows_of(view))
        assert text.count("\x1bP") == 1, "one picture"
        assert "▄" in text, "and cells below it"
        assert "\x1b7" in text
        assert "\x1b8" in text, "the cursor is where it was"
        at = text.index("\x1bP")
        assert "▄" not in text[at:], "no cell wipes out what was painted"
        assert all(strip.cell_length == 40 for strip in rows_of(view))
        await app.push_screen(MenuDialog("a", "b", ()))
        await until(pilot, lambda: "\x1bP" not in written(rows_of(view)))
        assert "▄" in written(rows_of(view))
        await pilot.press("escape")
        await until(pilot, lambda: "\x1bP" in written(rows_of(view)))


async def test_kitty_is_sent_a_picture_once_and_told_to_forget_it(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_picture(tmp_path / "one.png", 200, 100)
    sent: list[str] = []
    monkeypatch.setattr(PictureView, "_tell_terminal", lambda _, text: sent.append(text))
    app = make_app(environ=KITTY)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(str(file)), frame(str(file), "", "two", 44))
        await until(pilot, lambda: sent)
        for name in ("one", "two"):
            text = written(rows_of(view_of(shelf, name)))
            assert text.count("\U0010eeee") == 20 * 5
            assert all(strip.cell_length == 40 for strip in rows_of(view_of(shelf, name)))
        assert len(sent) == 1, "both show the same picture of the terminal's"
        assert "a=T" in sent[0]
        shelf.hung = [frame(str(file))]
        shelf.paint()
        await pilot.pause()
        assert len(sent) == 1, "the other one still shows it"
        await pilot.press("escape")
        app.leave(shelf)
        await until(pilot, lambda: len(sent) == 2)
        assert "a=d" in sent[1]


async def test_views_of_other_modes_and_sizes_are_borne(make_app: MakeApp, tmp_path: Path) -> None:
    file = write_picture(tmp_path / "one.png")
    app = make_app(environ=TERMINAL)
    async with app.run_test(size=(80, 24)) as pilot:
        shelf = await hang(pilot, frame(str(file)))
        app.wear("light")
        shelf.hung = [Frame("one", 0, 0, 3, 1, str(file), "caption")]
        shelf.paint()
        await pilot.pause()
        shelf.hung = [Frame("one", 5, 2, 60, 15, str(file), "")]
        shelf.paint()
        await drawn(pilot, shelf)
        shown = view_of(shelf).drawn
        assert shown is not None
        assert len(shown.rows) == 15
        shelf.hung = []
        shelf.paint()
        await pilot.pause()
        assert not view_of(shelf).display
        assert book_of(app).last(Asked(str(file), 60, 15, "half-blocks")) is shown


def test_two_pictures_share_a_frame_or_one_is_flipped() -> None:
    wide = Frame("before", 4, 2, 100, 20, "a")
    after = Frame("after", 0, 0, 0, 0, "b")
    left, right = pair(wide, after)
    assert (left.x, left.width, right.x, right.width) == (4, 49, 55, 49)
    assert [one.source for one in pair(wide, after, flipped=True)] == ["b", "a"]
    narrow = wide._replace(width=PAIR_FROM - 1)
    assert [one.source for one in pair(narrow, after)] == ["b"]
    assert [one.source for one in pair(narrow, after, flipped=True)] == ["a"]
    assert pair(narrow, after)[0][1:5] == narrow[1:5]


def test_the_book_keeps_the_newest_and_no_more_than_its_share(tmp_path: Path) -> None:
    book = PictureBook()
    files = [str(write_picture(tmp_path / f"{n}.png", 8, 8)) for n in range(MOST_KEPT + 3)]
    for file in files:
        book.draw(Asked(file, 8, 4, "half-blocks"))
    assert book.last(Asked(files[0], 8, 4, "half-blocks")) is None
    kept = book.last(Asked(files[-1], 8, 4, "half-blocks"))
    assert kept is not None
    assert book.draw(Asked(files[-1], 8, 4, "half-blocks")) is kept
    os.utime(files[-1], (1, 1))
    assert book.draw(Asked(files[-1], 8, 4, "half-blocks")) is not kept, "the file was touched"


def test_of_a_live_picture_only_the_newest_is_kept(tmp_path: Path) -> None:
    book = PictureBook()
    asked = Asked(str(write_picture(tmp_path / "live.png", 8, 8)), 8, 4, "half-blocks")
    for version in range(5):
        book.draw(asked._replace(version=version))
    assert [book.last(asked._replace(version=n)) is not None for n in (0, 3, 4)] == [
        False, False, True,
    ]  # fmt: skip


def test_a_sixel_over_ssh_is_small(tmp_path: Path) -> None:
    pytest.importorskip("textual_image")
    file = str(write_picture(tmp_path / "big.png", 2000, 2000))
    asked = Asked(file, 150, 45, "sixel", cell=(10, 20), most=drawing.MOST_PIXELS_FAR)
    shown = PictureBook().draw(asked)
    assert shown.pixels is not None
    assert (shown.width, len(shown.rows)) == (56, 28)
