"""An operator opens a container and reads it to the bottom."""

import msgspec
import pytest

from console.errors import UnreachableError
from screens.tui.container.screen import ContainerScreen
from screens.tui.dashboard_screen import DashboardScreen
from screens.tui.paint import TIMES
from tests.container.conftest import MakeConsole
from tests.container.stand_ins import SECRET, Answers
from tests.support import hosts
from tests.support.snapshots import ident
from tests.tui.seeing import seen, until, until_seen
from tests.tui.stand_ins import Script, StillLive

TALL = (80, 80)


async def test_enter_opens_the_container_with_all_that_is_known(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter")
        await until_seen(pilot, "container myia-turbo")
        await until_seen(pilot, "sd / forge-turbo")
        text = seen(app)
        assert f"crash-loop exit 2 {TIMES}6" in text
        assert "usage error" in text
        assert "4 earlier restarts" in text
        assert "(420d ago)" in text
        assert "the name means another image by now" in text
        assert "--api-auth user:***" in text
        assert "unhealthy, failed 3 times in a row" in text
        assert "curl: (7) Failed to connect" in text
        assert "172.18.0.4" in text
        assert "docker-compose.yml" in text


async def test_the_first_frame_does_not_wait_for_the_engine(
    make_app: MakeConsole, answers: Answers
) -> None:
    answers.hold.clear()
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter")
        await until_seen(pilot, "crash-loop exit 2")
        assert "Asking the engine" in seen(app)
        await pilot.press("M", "tab", "T", "R", "E", "O")
        assert answers.asked.count("details") == 1
        answers.hold.set()
        await until_seen(pilot, "sd / forge-turbo")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("O", "Restarts, by the engine's events"),
        ("L", "Starting Forge..."),
        ("E", "CUDA_DEVICE_ORDER"),
        ("M", "/home/jesse/SD/models"),
        ("T", "It is restarting: it has no processes"),
        ("R", '"Status": "restarting"'),
    ],
)
async def test_each_tab_has_its_letter(make_app: MakeConsole, key: str, words: str) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", key)
        await until_seen(pilot, words)


async def test_tab_and_brackets_go_round(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter")
        screen = app.screen
        assert isinstance(screen, ContainerScreen)
        walked = []
        for _ in range(6):
            await pilot.press("tab")
            walked.append(screen.current.name)
        assert walked == ["logs", "environment", "mounts", "top", "raw", "overview"]
        await pilot.press("[")
        assert screen.current.name == "raw"
        await pilot.press("]")
        assert screen.current.name == "overview"
        await pilot.press("escape")
        assert isinstance(app.screen, DashboardScreen)


async def test_numbers_still_switch_views(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", "L", "6")
        await until(pilot, lambda: app.current_mode == "timeline")
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_a_secret_is_shown_alone_on_demand_and_hidden_again(
    make_app: MakeConsole, answers: Answers
) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", "E")
        await until_seen(pilot, "HF_TOKEN")
        assert SECRET not in seen(app)
        assert "correct horse" not in seen(app)
        await pilot.press("slash", *"HF_", "enter", "enter")
        await until_seen(pilot, SECRET)
        assert "correct horse" not in seen(app)
        await pilot.press("down")
        await until(pilot, lambda: SECRET not in seen(app))
        await pilot.press("up", "enter")
        await until_seen(pilot, SECRET)
        await pilot.press("enter")
        assert SECRET not in seen(app)
        assert answers.asked.count("reveal HF_TOKEN") == 2


@pytest.mark.parametrize(
    "way", [("O", "E"), ("tab", "E"), ("question_mark", "escape"), ("x", "escape")]
)
async def test_leaving_hides_the_secret(make_app: MakeConsole, way: tuple[str, ...]) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", "E")
        await until_seen(pilot, "HF_TOKEN")
        await pilot.press("slash", *"HF_", "enter", "enter")
        await until_seen(pilot, SECRET)
        await pilot.press(*way)
        await until_seen(pilot, "HF_TOKEN")
        assert SECRET not in seen(app)


async def test_a_screenshot_never_has_the_secret(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", "E")
        await until_seen(pilot, "HF_TOKEN")
        await pilot.press("slash", *"HF_", "enter", "enter")
        await until_seen(pilot, SECRET)
        picture = app.export_screenshot()
        assert "HF_TOKEN" in picture
        assert SECRET not in picture


async def test_copying_a_shown_secret_does_not_say_it(
    make_app: MakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", "E")
        await until_seen(pilot, "HF_TOKEN")
        await pilot.press("slash", *"HF_", "enter", "y")
        assert copied == ["HF_TOKEN=***"]
        await pilot.press("enter")
        await until_seen(pilot, SECRET)
        await pilot.press("y")
        assert copied[-1] == SECRET
        assert "copied the value of HF_TOKEN" in seen(app)


async def test_mounts_say_what_is_there_and_what_hangs(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", "M")
        await until_seen(pilot, "✖ missing")
        text = seen(app)
        assert "read-only inside" in text
        assert "61.3 GiB" in text
        assert "80.0 GiB of 900 GiB" in text
        assert "no answer within 2 s" in text
        assert "▲ 12.0 GiB of 900 GiB" in text


async def test_top_is_asked_again_while_it_is_looked_at(
    make_app: MakeConsole, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screens.tui.container.top_tab.EVERY_SECONDS", 0.02)
    app = make_app(hosts.healthy())
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter", "T")
        await until_seen(pilot, "supervisord -n")
        await until(pilot, lambda: answers.asked.count("top") >= 3)
        await pilot.press("O")
        await pilot.pause(0.05)
        before = answers.asked.count("top")
        await pilot.pause(0.1)
        assert answers.asked.count("top") == before


async def test_raw_is_searched_with_a_count(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "R")
        await until_seen(pilot, "HF_TOKEN=***")
        await pilot.press("slash", *"st", "enter")
        await until_seen(pilot, "1 of 2")
        await pilot.press("n")
        await until_seen(pilot, "2 of 2")
        await pilot.press("n")
        await until_seen(pilot, "1 of 2")
        await pilot.press("c")
        await until_seen(pilot, "1 hits")
        await pilot.press("c", "slash", *"exit|env", "enter")
        await until_seen(pilot, "0 hits")
        await pilot.press("full_stop")
        await until_seen(pilot, "of 2")
        await pilot.press("escape")
        assert isinstance(app.screen, ContainerScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_a_container_removed_while_open_keeps_what_was_known(make_app: MakeConsole) -> None:
    app = make_app()
    live = app.live
    assert isinstance(live, StillLive)
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter")
        await until_seen(pilot, "sd / forge-turbo")
        host = hosts.crash_loop()
        left = tuple(one for one in host.engine.containers if one.id != ident("myia-turbo"))
        engine = msgspec.structs.replace(host.engine, containers=left)
        live.become(msgspec.structs.replace(host, engine=engine, alerts=()))
        await until_seen(pilot, "removed: the engine no longer lists it")
        assert "sd / forge-turbo" in seen(app)
        await pilot.press("tab", "tab", "tab", "tab", "tab", "tab", "s", "x", "e")


async def test_an_engine_that_is_lost_is_said_and_the_old_figures_stay(
    make_app: MakeConsole, answers: Answers
) -> None:
    app = make_app()
    live = app.live
    assert isinstance(live, StillLive)
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter")
        await until_seen(pilot, "sd / forge-turbo")
        answers.error = UnreachableError("engine.lost", "the engine hung up", "start it again")
        live.become(hosts.engine_lost())
        await until_seen(pilot, "engine lost")
        screen = app.screen
        assert isinstance(screen, ContainerScreen)
        screen.questions.details()
        await until_seen(pilot, "the engine hung up")
        assert "sd / forge-turbo" in seen(app)


async def test_a_change_on_the_host_is_read_at_once(
    make_app: MakeConsole, answers: Answers
) -> None:
    app = make_app()
    live = app.live
    assert isinstance(live, StillLive)
    async with app.run_test(size=TALL) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: answers.asked.count("details") == 1)
        await until_seen(pilot, "sd / forge-turbo")
        live.become(hosts.healthy())
        await until(pilot, lambda: answers.asked.count("details") == 2)


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (12, 4), (20, 6), (40, 10), (80, 24), (300, 90)])
@pytest.mark.parametrize("key", ["O", "L", "E", "M", "T", "R"])
async def test_no_size_is_too_small(make_app: MakeConsole, size: tuple[int, int], key: str) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("enter", key)
        await pilot.pause(0.05)
        await pilot.press("down", "G", "g", "pagedown", "slash", "a", "escape")
        assert app.is_running


async def test_a_storm_of_resizes_leaves_a_whole_picture(make_app: MakeConsole) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "L")
        for width in range(20, 160, 7):
            await pilot.resize_terminal(width, 5 + width % 40)
        await pilot.resize_terminal(80, 24)
        await until_seen(pilot, "Running on local URL")


async def test_keys_change_the_container_through_plans(
    make_app: MakeConsole, script: Script
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "s")
        await until_seen(pilot, "Stop myia-turbo")
        assert script.asked == [("stop", ident("myia-turbo"))]
        await pilot.press("escape", "x")
        await until_seen(pilot, "follow, search and save its log")
        await pilot.press("L")
        await until_seen(pilot, "Starting Forge...")
