"""An operator reads a log: follows, searches, filters, unfolds, jumps, copies, saves."""

import time
from functools import partial
from pathlib import Path

import pytest
from textual.events import Key

from console.unknown import Unknown
from screens.tui.application import Console
from screens.tui.container.log_view import LogView
from screens.tui.container.logs_tab import LogsTab
from screens.tui.container.screen import ContainerScreen
from screens.tui.paint import TIMES
from tests.container.conftest import MakeConsole
from tests.container.stand_ins import Answers, FedFollower, details, entry
from tests.support import hosts
from tests.support.snapshots import ident
from tests.tui.seeing import line_with, seen, until, until_seen

SIZE = (100, 30)


def tab_of(app: Console) -> LogsTab:
    screen = app.screen
    assert isinstance(screen, ContainerScreen)
    assert isinstance(screen.current, LogsTab)
    return screen.current


def follower_of(answers: Answers) -> FedFollower:
    return answers.followers[-1]


async def test_following_shows_the_end_and_pausing_holds_it(
    make_app: MakeConsole, answers: Answers
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "● following")
        follower_of(answers).feed([entry(f"line {n}", 30 + n) for n in range(100)])
        await until_seen(pilot, "line 99")
        await pilot.press("space")
        await until_seen(pilot, "paused")
        follower_of(answers).feed([entry(f"more {n}", 200 + n) for n in range(50)])
        await until_seen(pilot, "50 new")
        assert "line 99" in seen(app)
        assert "more 49" not in seen(app)
        await pilot.press("space")
        await until_seen(pilot, "more 49")
        await pilot.press("up")
        await until_seen(pilot, "paused")
        await pilot.press("G")
        await until_seen(pilot, "● following")


async def test_streams_levels_sources_repeats_and_bars_are_told_without_colour(
    make_app: MakeConsole,
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "Running on local")
        assert "2▲ WARNING: xformers" in seen(app)
        assert "2✖ RuntimeError" in seen(app)
        assert "supervisor    Starting" in line_with(app, "Starting Forge")
        assert f"{TIMES}12" in line_with(app, "waiting for the model lock")
        assert "↻" in line_with(app, "12/20")


async def test_a_bar_is_one_living_line(make_app: MakeConsole, answers: Answers) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "Running on local")
        count = len(follower_of(answers).book)
        for step in range(5):
            bar = f" {step * 20}%|██   | {step}/5 [00:18<00:12,  1.56s/it]"
            follower_of(answers).feed([entry(bar, 50 + step, 2, "/var/log/x.log", progress=True)])
        await until_seen(pilot, "4/5")
        assert "3/5" not in seen(app)
        assert len(follower_of(answers).book) == count + 1


async def test_a_traceback_unfolds_and_folds(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "▸ 5 lines above")
        assert "launch_utils.py" not in seen(app)
        await pilot.press("{", "{", "enter")
        await until_seen(pilot, "launch_utils.py")
        assert "▾ 5 lines above" in seen(app)
        await pilot.press("enter")
        await until(pilot, lambda: "launch_utils.py" not in seen(app))


async def test_times_are_local_ages_or_none(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "22:31:07")
        await pilot.press("t")
        assert " 10m " in line_with(app, "Starting Forge")
        await pilot.press("t")
        assert line_with(app, "Starting Forge").startswith(" supervisor")
        await pilot.press("t")
        assert "22:31:07" in line_with(app, "Starting Forge")


async def test_search_counts_walks_and_knows_case_and_expressions(
    make_app: MakeConsole,
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L", "g", "slash", *"error", "enter")
        await until_seen(pilot, "of 2")
        await pilot.press("n", "n")
        await until_seen(pilot, "of 2")
        await pilot.press("c")
        await until_seen(pilot, "0 hits")
        await pilot.press("c", "full_stop", "slash", *"run(time|ning)", "enter")
        await until_seen(pilot, "of 2 regex")
        await pilot.press("slash", *"(((", "enter")
        await until_seen(pilot, "is not a regular expression")
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, ContainerScreen)


async def test_an_expression_without_end_stops_and_keys_go_on(
    make_app: MakeConsole, answers: Answers
) -> None:
    answers.prepared += [entry("a" * 5000 + "!", 60)]
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L", "full_stop", "slash", *"(a|a?)+$z", "enter")
        await pilot.press("t")
        assert "ages" in seen(app)
        await until(pilot, lambda: not tab_of(app).is_scanning("search"), 10)


async def test_the_filter_leaves_matches_with_context_and_follows(
    make_app: MakeConsole, answers: Answers
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L", "ampersand", *"Set device", "enter")
        await until(pilot, lambda: "Running on local" not in seen(app))
        text = seen(app)
        assert "Set device to: 0" in text
        assert "Starting Forge" in text
        assert "RuntimeError" in text
        await pilot.press("minus", "minus")
        await until(pilot, lambda: "RuntimeError" not in seen(app))
        follower_of(answers).feed([entry("noise", 40), entry("Set device to: 1", 41)])
        await until_seen(pilot, "Set device to: 1")
        assert "noise" not in seen(app)
        await pilot.press("escape")
        await until_seen(pilot, "noise")


async def test_one_source_at_a_time(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L", "o")
        await until(pilot, lambda: "Set device" not in seen(app))
        assert "Starting Forge" in seen(app)
        await pilot.press("o")
        await until_seen(pilot, "Set device")
        await until(pilot, lambda: "Starting Forge" not in seen(app))
        await pilot.press("o")
        await until_seen(pilot, "Starting Forge")


async def test_jumps_to_errors_times_and_the_last_start(
    make_app: MakeConsole, answers: Answers
) -> None:
    from datetime import timedelta

    from tests.support.snapshots import NOW

    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L", "g", "}")
        tab = tab_of(app)
        assert tab.view is not None

        def text_here() -> str:
            line = tab.view.line_here() if tab.view is not None else None
            return line.text if line is not None else ""

        assert text_here().startswith("RuntimeError")
        await pilot.press("}")
        assert text_here().startswith("ERROR: out of memory")
        await pilot.press("}")
        await until_seen(pilot, "no error below")
        await pilot.press("colon", *"22:31:10", "enter")
        assert text_here().startswith("WARNING: xformers")
        await pilot.press("colon", *"soon", "enter")
        await until_seen(pilot, "is no time such as")
        await pilot.press("^")
        await until_seen(pilot, "no line of the last start")
        follower_of(answers).book.mark_start(
            "myia-turbo", NOW - timedelta(minutes=10) + timedelta(seconds=2)
        )
        await pilot.press("^")
        assert text_here() == "Set device to: 0"


async def test_marked_lines_are_copied_harmless(
    make_app: MakeConsole, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "Running on local")
        follower_of(answers).feed([entry("evil \x1b]52;c;aGk=\x07 \x9b31m line", 60)])
        await until_seen(pilot, "evil")
        await pilot.press("up", "down", "v", "up", "y")
        await until_seen(pilot, "copied 2 lines")
        assert copied[0].splitlines()[0].startswith("Running on local URL")
        assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in copied[0])
        await pilot.press("g", "shift+down", "shift+down", "y")
        assert copied[1].splitlines()[2] == "Set device to: 0"
        await pilot.press("g", "y")
        assert copied[2] == "Starting Forge..."


async def test_lines_are_saved_where_it_says(make_app: MakeConsole, tmp_path: Path) -> None:
    app = make_app()
    target = tmp_path / "out.log"
    async with app.run_test(size=(160, 30)) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "Running on local")
        await pilot.press("S")
        assert str(tmp_path) in seen(app)
        await pilot.press("ctrl+u", *str(target), "enter")
        await until_seen(pilot, f"10 lines saved to {target}")
        text = target.read_text()
        assert (
            "2026-11-22T22:31:07.000Z stdout [/var/log/supervisor/supervisor.log] Starting" in text
        )
        assert "launch_utils.py" in text
        assert target.stat().st_mode & 0o777 == 0o600
        await pilot.press("S", "ctrl+u", *"/nowhere/at/all.log", "enter")
        await until_seen(pilot, "not saved")


async def test_long_and_wide_lines_wrap_or_scroll(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "out of memory")
        assert "…" in line_with(app, "out of memory")
        await pilot.press("right", "right")
        await until(pilot, lambda: "out of memory" not in seen(app))
        await pilot.press("left", "left", "w")
        await until_seen(pilot, "out of memory")
        assert seen(app).count("xxxxxxxxxx") >= 3
        assert "日本語のプロンプト" in seen(app)


async def test_several_containers_are_merged_from_the_menu(
    make_app: MakeConsole, answers: Answers
) -> None:
    import msgspec

    host = hosts.crash_loop()
    compose = details(host.engine.containers[0]).container.compose
    both = tuple(
        msgspec.structs.replace(one, compose=compose) if one.name.startswith("myia") else one
        for one in host.engine.containers
    )
    host = msgspec.structs.replace(
        host, engine=msgspec.structs.replace(host.engine, containers=both)
    )
    answers.prepared = [entry("one says", 1, container="myia"), entry("two says", 2)]
    app = make_app(host)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("x")
        await until_seen(pilot, "compose project")
        await pilot.press("P")
        await until_seen(pilot, "logs of project sd")
        assert set(follower_of(answers).names) == {ident("myia"), ident("myia-turbo")}
        assert "myia           " in line_with(app, "one says")
        assert "myia-turbo" in line_with(app, "two says")
        await pilot.press("s", "e", "x", "T")
        await pilot.press("escape")
        assert not isinstance(app.screen, ContainerScreen)
        assert follower_of(answers).stopped.is_set()


@pytest.mark.parametrize(
    ("state", "problem", "words"),
    [
        ("removed", None, "removed"),
        ("lost", Unknown("engine.lost", "the engine hung up"), "the engine hung up"),
        ("ended", None, "ended: it does not run"),
    ],
)
async def test_how_reading_goes_is_said(
    make_app: MakeConsole, answers: Answers, state: str, problem: Unknown | None, words: str
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "● following")
        follower_of(answers).become(state, problem)
        await until_seen(pilot, words)
        assert "Running on local" in seen(app)


async def test_a_driver_that_keeps_nothing_is_explained(
    make_app: MakeConsole, answers: Answers
) -> None:
    answers.prepared = []
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "empty so far")
        why = Unknown("logs.driver", "its log driver none keeps no log", "set it to json-file")
        follower_of(answers).become("ended", why)
        await until_seen(pilot, "its log driver none keeps no log")
        assert "set it to json-file" in seen(app)


async def test_what_was_dropped_is_said(make_app: MakeConsole, answers: Answers) -> None:
    from actions.logs.book import LogBook

    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter")
        tab = next(tab for tab in app.screen.tabs if tab.name == "logs")  # type: ignore[attr-defined]
        tab.opened()
        follower = follower_of(answers)
        follower.book = tab.view.book = LogBook(most_lines=4096)
        await pilot.press("L", "g")
        for begin in range(0, 20_000, 500):
            follower.feed([entry(f"line {begin + n}", begin + n) for n in range(500)])
        await until_seen(pilot, "older dropped")
        await pilot.press("down", "down", "n", "G")
        await until_seen(pilot, "line 19999")


async def test_a_hundred_thousand_lines_open_and_are_searched_at_once(
    make_app: MakeConsole, answers: Answers
) -> None:
    answers.prepared = [
        entry(f"step {n} of the sampler took 1.{n % 97} s", n / 50) for n in range(100_000)
    ]
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter")
        await until_seen(pilot, "container myia-turbo")
        await pilot.press("L")
        await until_seen(pilot, "step 99999")
        tab = tab_of(app)
        assert tab.view is not None
        begun = time.perf_counter()
        await pilot.press("slash", *"step 4242 ", "enter")
        await until_seen(pilot, "1 of 1")
        assert time.perf_counter() - begun < 3
        assert tab.view.line_here() is not None
        await pilot.press("G")
        await until_seen(pilot, "step 99999")


def _moved(view: LogView, turn: int) -> bool:
    return view.offset == (turn + 1) * 16


async def test_a_flood_loses_no_key(make_app: MakeConsole, answers: Answers) -> None:
    import threading

    app = make_app()
    over = threading.Event()
    fed = 0

    def flood() -> None:
        nonlocal fed
        follower = follower_of(answers)
        while not over.wait(0.01):
            follower.feed([entry(f"flood {fed + n}", fed / 2000) for n in range(20)])
            fed += 20

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "L")
        await until_seen(pilot, "● following")
        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        try:
            await until(pilot, lambda: fed > 200)
            tab = tab_of(app)
            view = tab.view
            assert view is not None
            # Not by Pilot's keys: each waits for an idle processor, which a flood never leaves.
            for turn in range(40):
                app.simulate_key("w")
                app.simulate_key("right")
                await until(pilot, partial(_moved, view, turn))
                assert view.wrap is (turn % 2 == 0)
            app.simulate_key("space")
            await until(pilot, lambda: not view.following)
            held = view.cursor
            for _ in range(3):
                app.simulate_key("up")
            await until(pilot, lambda: view.cursor == held - 3)
            app.simulate_key("slash")
            for letter in "flood":
                app.post_message(Key(letter, letter))
            app.simulate_key("enter")
            await until_seen(pilot, " of ")
            app.simulate_key("G")
            await until(pilot, lambda: view.following)
        finally:
            over.set()
            thread.join()
