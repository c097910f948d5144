"""The lab on a rehearsed host: the real form, checks, runner and pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events

from actions.operations import Operations
from actions.status import read_status
from console.errors import ConsoleError
from screens.tui.application import Console
from screens.tui.lab.source import SessionLab
from tests.support.edits import EditHost, edit_host
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import StillLive


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("jesse")) as found:
        yield found


def console(host: EditHost) -> Console:
    """Make a console on the host as it is now."""
    session = host.session()
    return Console(session, StillLive(read_status(session)), lambda: Operations(session, "tui"))


async def test_an_edit_goes_from_a_dropped_file_to_a_picture_that_is_edited_further(
    host: EditHost,
) -> None:
    picture = host.picture("my mug.png", (96, 64))
    app = console(host)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "choose the picture to edit")
        app.screen.post_message(events.Paste(f"'{picture}'"))
        await until_seen(pilot, "96x64")
        await pilot.press("down", "enter", *"make it blue", "enter")
        await until(pilot, lambda: "sends it" in seen(app) and "checking" not in seen(app), 15)
        await until_seen(pilot, "FITS")
        seed = app.lab.state.draft.seed
        await pilot.press("s")
        await until(pilot, app.lab.jobs, 15)
        await until(pilot, lambda: "done" in line_with(app, "edit-single "), 30)
        await pilot.press("tab")
        await until(pilot, lambda: "seed" in seen(app).rpartition("when")[0], 5)
        assert seed is None, "nobody chose one"
        (edit,) = SessionLab(host.session()).edits(10)
        assert app.lab.state.draft.seed == (edit.seed or 0) + 1
        (output,) = edit.of_role("output")
        assert Path(output.path).is_relative_to(host.outputs)
        screen = app.screen
        shown = [frame.source for frame in screen.frames(100, 30)]  # type: ignore[attr-defined]
        assert output.path in shown
        await pilot.press("r")
        await until_seen(pilot, "nothing changed yet")
        assert app.lab.state.draft.images == (str(picture),), "as the operator chose it"
        await pilot.press("tab", "e")
        await until_seen(pilot, "the picture of the next edit")
        assert app.lab.state.draft.images == (output.path,)
        assert SessionLab(host.session()).words("edit-single", False) == ("make it blue",)


async def test_an_edit_under_way_is_really_cancelled_by_two_keys(host: EditHost) -> None:
    host.mood("run-slow")
    picture = host.picture("slow.png")
    app = console(host)
    try:
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.press("4")
            await until_seen(pilot, "choose the picture to edit")
            app.lab.state.draft.images = (str(picture),)
            app.lab.state.draft.prompt = "make it green"
            await pilot.press("s")
            await until(pilot, app.lab.jobs, 15)
            await until(pilot, lambda: any(one.edit for one in app.lab.jobs().values()), 15)
            await pilot.press("escape", "escape")
            await until(pilot, lambda: not app.lab.jobs(), 20)
            newest = SessionLab(host.session()).edits(1)[0]
            assert (newest.prompt, newest.state) == ("make it green", "cancelled")
    finally:
        host.mood("")


def test_a_copy_is_saved_beside_what_is_there(host: EditHost, tmp_path: Path) -> None:
    source = SessionLab(host.session())
    edit = next(one for one in source.edits(10) if one.state == "done")
    (output,) = edit.of_role("output")
    (first,) = source.save([output], str(tmp_path / "out"))
    assert Path(first).read_bytes() == Path(output.path).read_bytes()
    Path(first).write_text("somebody's own")
    (second,) = source.save([output], str(tmp_path / "out"))
    assert Path(second).read_bytes() == Path(output.path).read_bytes()
    assert Path(first).read_text() == "somebody's own"
    with pytest.raises(ConsoleError, match="not a whole path"):
        source.save(edit.of_role("output"), "out")
