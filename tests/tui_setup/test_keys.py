"""Keys and mouse in setup: answers are chosen, steps left out, jobs left and cancelled."""

from textual.pilot import Pilot

from actions.operations import Operations
from actions.setup.answers import read_answers
from actions.setup.memory import Memory
from console.config.load import load
from screens.tui.application import Console
from screens.tui.setup.flow import open_setup
from screens.tui.setup.screen import SetupScreen
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui_setup.conftest import Unset, report_of, settled, walk_of

GGUF = "qwen-edit-2509-gguf-q4_k_m"


async def opened(pilot: Pilot[int], at: str = "host") -> Console:
    """Open setup and go to a step, leaving out what needs something."""
    app = pilot.app
    assert isinstance(app, Console)
    open_setup(app)
    await settled(pilot)
    while walk_of(app).at != at:
        walk_of(app).wish(at, "look", lambda course: [course.look(one) for one in upto(course, at)])
        await settled(pilot)
    return app


def upto(course, at: str) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    """Give the steps from the first to one."""
    return tuple(course.steps[: course.steps.index(at) + 1])


def answer(app: Console, key: str) -> object:
    return next(one.value for one in report_of(app).asks if one.key == key)


async def test_a_card_is_chosen_by_keys_and_by_the_mouse(unset: Unset) -> None:
    app = unset.console()
    async with app.run_test(size=(160, 48)) as pilot:
        await opened(pilot, "cards")
        assert "RTX 3090" in report_of(app).detail
        await pilot.press("tab")
        rows = app.screen._rows()  # type: ignore[attr-defined]
        other = next(at for at, row in enumerate(rows) if "3080" in f"{row.option}")
        # The cursor comes to the answer that holds: who presses Enter twice changes nothing.
        here = app.screen.state.row  # type: ignore[attr-defined]
        assert rows[here].chosen
        await pilot.press(*["up" if other < here else "down"] * abs(other - here))
        await pilot.press("enter")
        await settled(pilot)
        assert "3080" in str(answer(app, "service.gpu")) + report_of(app).detail
        assert Memory(app.session.places).now.answers["service.gpu"]
        shown = seen(app).splitlines()
        wanted = next(y for y, line in enumerate(shown) if "( ) " in line and "3090" in line)
        await pilot.click(offset=(shown[wanted].index("( )") + 6, wanted))
        await settled(pilot)
        assert "RTX 3090" in report_of(app).detail
        await pilot.press("escape")
        first = seen(app).splitlines()
        place = next(y for y, line in enumerate(first) if " 1 The host" in line)
        await pilot.click(offset=(10, place))
        await settled(pilot)
        assert report_of(app).id == "host"


async def test_a_folder_is_typed_and_what_cannot_be_is_said(unset: Unset) -> None:
    app = unset.console()
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot, "existing")
        await to_text(pilot, "existing.models")
        await pilot.press("enter", "ctrl+u", *"models", "enter")
        await settled(pilot)
        assert report_of(app).state == "blocked"
        await until_seen(pilot, "no absolute path")
        # With digits too, which open views elsewhere.
        folder = unset.config.parent / "models2"
        await to_text(pilot, "existing.models")
        await pilot.press("enter", "ctrl+u", *str(folder), "enter")
        await settled(pilot)
        assert isinstance(app.screen, SetupScreen)
        assert f'models = "{folder}"' in report_of(app).diff
        await pilot.press("escape", "d")
        await until_seen(pilot, "+++ ")
        await pilot.press("escape", "enter")
        await settled(pilot)
        assert str(load(unset.config).settings.paths.models) == str(folder)
        assert str(unset.config) in report_of(app).wrote


async def to_text(pilot: Pilot[int], key: str) -> None:
    """Put the cursor where a text is typed."""
    app = pilot.app
    await pilot.press("tab")
    screen = app.screen
    assert isinstance(screen, SetupScreen)
    for place, row in enumerate(screen._rows()):
        if row.ask.key == key and row.kind == "text":
            screen.state.row, screen.state.seek = place, True
            screen.paint()
            return
    raise AssertionError(f"{key} is not asked for")


async def test_a_step_is_left_out_and_taken_up_again(unset: Unset) -> None:
    app = unset.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "existing")
        await pilot.press("s")
        assert (await settled(pilot)).id == "layout"
        assert walk_of(app).reports["existing"].state == "skipped"
        await pilot.press("b")
        assert (await settled(pilot)).state == "skipped"
        await until_seen(pilot, "c takes it up")
        await pilot.press("c")
        assert (await settled(pilot)).state != "skipped"
        assert Memory(app.session.places).now.answers["skip"] == []
        await pilot.press("right")
        await until_seen(pilot, "s leaves it out")
        assert walk_of(app).at == "existing"


async def test_answers_are_written_into_a_file_that_the_command_line_takes(unset: Unset) -> None:
    app = unset.console()
    path = unset.config.parent / "answers.toml"
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "cards")
        await pilot.press("w")
        await until_seen(pilot, "Into which file?")
        await pilot.press("ctrl+u", *str(path), "enter")
        await until(pilot, path.exists)
        await until_seen(pilot, "written:")
        await pilot.press("w")
        await until_seen(pilot, "Into which file?")
        theirs = unset.config
        await pilot.press("ctrl+u", *str(theirs), "enter")
        await until(
            pilot, lambda: app.view.notice is not None and app.view.notice.role == "warning"
        )
    read_answers(path)
    assert theirs.read_text().startswith("[paths]"), "nothing of somebody's is overwritten"


async def test_an_edit_is_left_to_go_on_and_one_is_really_cancelled(unset: Unset) -> None:
    make_ready(unset)
    unset.host.mood("run-slow")
    app = unset.console()
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot, "first-edit")
        assert report_of(app).state == "needed", seen(app)
        await pilot.press("enter")
        await until(pilot, lambda: walk_of(app).running is not None, 30)
        await pilot.press("b")
        await until_seen(pilot, "it is under way")
        await pilot.press("escape", "escape")
        await until_seen(pilot, "Leave setup?")
        await pilot.press("enter")
        await until_seen(pilot, "setup goes on here the next time")
        assert [one.plan.verb for one in Operations(app.session).running()] == ["edit"]
        open_setup(app)
        await until_seen(pilot, "Esc leaves or cancels it")
        await pilot.press("escape")
        await until(pilot, lambda: "Leave setup?" in seen(app) or not app.view.notice)
        if "Leave setup?" not in seen(app):
            await pilot.press("escape")
        await until_seen(pilot, "Leave setup?")
        await press_button(pilot, "Cancel it")
        report = await settled(pilot)
        assert report.state == "failed", report
        assert "cancel" in report.detail
        unset.host.mood("")
        await pilot.press("enter")
        assert (await settled(pilot)).state == "needed"
        await pilot.press("enter")
        report = await settled(pilot)
        assert report.state == "done", report
        assert len(report.pictures) == 2
        assert report.pictures[1].suffix == ".png"


async def test_the_end_names_what_is_open_and_leads_there(unset: Unset) -> None:
    app = unset.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "cards")
        walk = walk_of(app)
        last = walk.steps[-1]
        walk.wish(last, "look", lambda course: course.skip(last))
        await settled(pilot)
        await until(pilot, lambda: set(walk.reports) == set(walk.steps), 60)
        assert walk.reports["existing"].state == "blocked"
        await pilot.press("enter")
        await until_seen(pilot, "Setup is not finished")
        await until_seen(pilot, "Still open: What is here already")
        await pilot.press("enter")
        assert (await settled(pilot)).id == "existing"


async def press_button(pilot: Pilot[int], label: str) -> None:
    """Move the mark to a button and press it."""
    app = pilot.app
    assert isinstance(app, Console)
    for _ in range(8):
        if f"▸[ {label} ]" in line_with(app, label):
            break
        await pilot.press("tab")
    await pilot.press("enter")


def make_ready(unset: Unset) -> None:
    """Have everything set up but the first edit, as the command line does it."""
    from actions.setup.answers import answers_of
    from actions.setup.course import carry_out

    answers = answers_of(
        {
            "existing": {"models": str(unset.host.models)},
            "service": {"variant": GGUF},
            "skip": ["first-edit"],
        }
    )
    for _ in carry_out(unset.session(), answers, lambda _: True, lambda *_: None):
        pass
    memory = Memory(unset.session().places)
    memory.keep_answers({**memory.now.answers, "skip": []})
