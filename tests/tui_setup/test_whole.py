"""From the offer to the last step by keyboard, on a host that has nothing but cards and Docker."""

import tomllib
from pathlib import Path

import pytest
from textual.pilot import Pilot

from actions.session import open_session
from actions.setup.report import StepReport
from console.store.edits import EditRecords
from screens.tui.application import Console
from screens.tui.setup.arrival import arrive
from screens.tui.setup.state import BUTTON
from tests.support.fresh import FreshHost, fresh_host
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui_setup.conftest import make_console, report_of, settled, walk_of

MOST_PRESSES = 80
SIZE = (160, 48)

pytestmark = pytest.mark.timeout(600)


async def type_answer(pilot: Pilot[int], key: str, text: str) -> StepReport:
    """Go to a question with Tab and type its answer."""
    app = pilot.app
    assert isinstance(app, Console)
    for _ in range(20):
        await pilot.press("tab")
        row = app.screen.state.row  # type: ignore[attr-defined]
        rows = app.screen._rows()  # type: ignore[attr-defined]
        if row != BUTTON and rows[row].ask.key == key:
            break
    else:
        pytest.fail(f"no question {key}:\n{seen(app)}")
    while rows[app.screen.state.row].kind != "text":  # type: ignore[attr-defined]
        await pilot.press("down")
    await pilot.press("enter", "ctrl+u", *text, "enter")
    report = await settled(pilot)
    await until(pilot, lambda: answer_of(report_of(app), key) == text)
    await pilot.press("escape")
    return report


def answer_of(report: StepReport, key: str) -> object:
    """Give how a question is answered now."""
    return next((one.value for one in report.asks if one.key == key), None)


async def walk_on(pilot: Pilot[int], port: int) -> list[str]:
    """Press Enter, and nothing else but for one port, until the last step; gives what was seen."""
    app = pilot.app
    assert isinstance(app, Console)
    walk, heads = walk_of(app), []
    for _ in range(MOST_PRESSES):
        report = await settled(pilot)
        assert report.state in {"done", "needed", "skipped"}, seen(app)
        heads.append(f"{report.id} {report.state}")
        if report.id == "comfyui" and answer_of(report, "comfyui.port") != str(port):
            await type_answer(pilot, "comfyui.port", str(port))
            continue
        if report.id == walk.steps[-1] and report.state in {"done", "skipped"}:
            return heads
        await pilot.press("enter")
    raise AssertionError(f"no end in sight: {heads}\n{seen(app)}")


async def test_enter_leads_from_the_offer_to_an_edited_picture(tmp_path: Path) -> None:
    with fresh_host(tmp_path) as host:
        app = make_console(open_session(host.environ))
        app.arrival = lambda: arrive(app, False)
        async with app.run_test(size=SIZE) as pilot:
            await until_seen(pilot, "Set this host up now")
            await pilot.press("enter")
            heads = await walk_on(pilot, host.port)
            assert {one.partition(" ")[2] for one in heads} <= {"done", "needed", "skipped"}
            await until_seen(pilot, "Finish")
            await go_back_to(pilot, "first-edit")
            await until_seen(pilot, "after")
            shown = [frame.source for frame in app.screen.frames(*SIZE)]  # type: ignore[attr-defined]
            assert len(shown) == 2
            assert "VRAM at most" in seen(app)
            while walk_of(app).at != walk_of(app).steps[-1]:
                await pilot.press("right")
                await settled(pilot)
            await pilot.press("enter")
            await until_seen(pilot, "This host is set up")
            assert "has made a picture: " in seen(app)
            await until_seen(pilot, "[ Dashboard ]")
            await pilot.press("enter")
            await until(pilot, lambda: app.current_mode == "lab")
        check_host(host)


async def go_back_to(pilot: Pilot[int], ident: str) -> None:
    """Leaf back to a step."""
    app = pilot.app
    assert isinstance(app, Console)
    while walk_of(app).at != ident:
        await pilot.press("b")
        await settled(pilot)


def check_host(host: FreshHost) -> None:
    """See that what setup said is there: config, compose file, picture."""
    session = open_session(host.environ)
    config = tomllib.loads(host.config.read_text())
    (service,) = config["services"].values()
    assert service["kind"] == "comfyui"
    compose = Path(service["compose_file"])
    assert "PCI_BUS_ID" in compose.read_text()
    (edit,) = EditRecords(session.store).find()
    assert edit.state == "done"


async def test_what_is_written_is_shown_before_it_is_written(tmp_path: Path) -> None:
    with fresh_host(tmp_path) as host:
        app = make_console(open_session(host.environ))
        app.arrival = lambda: arrive(app, True)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "Guided setup" in seen(app))
            await settled(pilot)
            while walk_of(app).at != "existing":
                await pilot.press("enter")
                await settled(pilot)
            assert report_of(app).diff
            # Enter, and nothing else: the diff does not fit the page, so it comes first.
            await until_seen(pilot, "▸[ Show what it writes ]")
            await pilot.press("enter")
            await until_seen(pilot, "+[paths]")
            assert "Nothing is written yet. ↵ writes this" in seen(app)
            assert "Found" not in seen(app)
            await pilot.press("escape")
            await until_seen(pilot, "Found")
            await until_seen(pilot, "▸[ Write it ]")
            # Another answer makes another diff, which nobody has seen.
            other = host.home / "elsewhere"
            await type_answer(pilot, "existing.models", str(other))
            await until_seen(pilot, "▸[ Show what it writes ]")
            await pilot.press("enter")
            await until_seen(pilot, "elsewhere")
            assert not host.config.exists(), "looking writes nothing"
            await pilot.press("enter")
            await settled(pilot)
            assert str(host.config) in report_of(app).wrote
            assert "Written" in seen(app)
            assert line_with(app, "Guided setup").split()[2:5] == ["3", "of", "13"]


async def test_a_diff_that_is_in_sight_is_written_at_once(tmp_path: Path) -> None:
    with fresh_host(tmp_path) as host:
        app = make_console(open_session(host.environ))
        app.arrival = lambda: arrive(app, True)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: "Guided setup" in seen(app))
            await settled(pilot)
            while walk_of(app).at != "existing":
                await pilot.press("enter")
                await settled(pilot)
            await until_seen(pilot, "+[paths]")
            await pilot.resize_terminal(80, 24)
            await pilot.resize_terminal(*SIZE)
            await until_seen(pilot, "▸[ Write it ]")
            await pilot.press("enter")
            await settled(pilot)
            assert host.config.exists()
