"""Whatever happens to the host or the terminal, the console stays open and tells the truth."""

import random
import time

import pytest

from screens.tui.app import OPEN_REHEARSAL
from screens.tui.application import URGENT_GAP_SECONDS
from screens.tui.themes import Palette, choose_theme, textual_theme, theme_names
from tests.support import hosts
from tests.support.snapshots import alert, changed, container, engine_snapshot, host
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until, until_seen


async def test_losing_and_finding_engine_and_driver(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        for snapshot, words in (
            (hosts.engine_lost(), "engine lost"),
            (hosts.no_engine(), "No containers"),
            (hosts.neither(), "No cards"),
            (hosts.stale(), "stale 12s"),
            (hosts.healthy(), "live"),
        ):
            app.live.become(snapshot)  # type: ignore[attr-defined]
            await until_seen(pilot, words)
        await until_seen(pilot, "GPU 1")
        assert "No cards" not in seen(app)


async def test_a_resize_storm(make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop())
    dice = random.Random(7)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(40):
            await pilot.resize_terminal(dice.randint(1, 200), dice.randint(1, 60))
        await pilot.resize_terminal(20, 5)
        await until_seen(pilot, "needs 40x10")
        assert seen(app).startswith("✖ broken: myia-turbo")
        await pilot.resize_terminal(160, 48)
        await until_seen(pilot, "2 alerts")
        assert "▸ ✖ myia-turbo" in seen(app)


@pytest.mark.parametrize("key", ["enter", "question_mark", "6", "x", "s"])
async def test_every_screen_opens_and_closes_on_a_tiny_terminal(
    make_app: MakeApp, key: str
) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        await pilot.press("escape", "escape", "1")
        await until_seen(pilot, "needs 40x10")


async def test_a_flapping_container_is_painted_a_few_times_a_second_only(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(hosts.healthy())
    painted = 0
    async with app.run_test() as pilot:
        paint = app.paint

        def counted() -> None:
            nonlocal painted
            painted += 1
            paint()

        monkeypatch.setattr(app, "paint", counted)
        begun = time.monotonic()
        for turn in range(50):
            state = "running" if turn % 2 else "exited"
            engine = engine_snapshot(container("flapping", state))
            app.live.become(changed(hosts.healthy(), engine=engine, gpu=app.snapshot.gpu))  # type: ignore[attr-defined]
            await pilot.pause()
        assert painted <= 2 + (time.monotonic() - begun) / URGENT_GAP_SECONDS
        await until_seen(pilot, "flapping")


async def test_d_leaves_for_the_rehearsal_host_only_where_there_is_nothing(
    make_app: MakeApp,
) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("d")
        assert app.is_running
        app.live.become(hosts.neither())  # type: ignore[attr-defined]
        await until_seen(pilot, "opens the rehearsal host")
        await pilot.press("d")
    assert app.return_value == OPEN_REHEARSAL


async def test_q_quits_and_stops_reading(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("q")
    assert app.return_code == 0
    assert app.live.stopped == 1  # type: ignore[attr-defined]


async def test_reading_starts_once_the_first_frame_is_out(make_app: MakeApp) -> None:
    app = make_app(host())
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.live.started == 1)  # type: ignore[attr-defined]


async def test_mouse_can_be_switched_off_and_on(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("m")
        await until_seen(pilot, "mouse off: select text as usual")
        await pilot.press("m")
        await until_seen(pilot, "mouse on")


async def test_the_palette_changes_the_look(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"light", "enter")
        await until(pilot, lambda: app.look == "light")
        assert app.palette.name == "light"


async def test_the_palette_does_what_the_keys_do(make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"everything that can", "enter")
        await until_seen(pilot, "myia-turbo (restarting)")


async def test_alert_without_a_subject_says_what_to_do(make_app: MakeApp) -> None:
    app = make_app(hosts.no_driver())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("tab", "enter")
        await until_seen(pilot, "→ load it with")


async def test_a_long_alert_list_scrolls(make_app: MakeApp) -> None:
    many = tuple(
        alert("container.exited", "warning", f"job-{n}", "ended", minutes=n) for n in range(30)
    )
    app = make_app(changed(hosts.healthy(), alerts=many))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "more" in line_with(app, "and ")
        await pilot.press("tab", "G")
        await until_seen(pilot, "job-29")


@pytest.mark.parametrize(
    ("environ", "config", "look"),
    [
        ({}, "", "dark"),
        ({"NO_COLOR": "1"}, '[ui]\ntheme = "light"\n', "mono"),
        ({}, '[ui]\ntheme = "high-contrast"\n', "high-contrast"),
        ({"COLORFGBG": "0;15"}, "", "light"),
        ({"COLORFGBG": "15;0"}, "", "dark"),
    ],
)
async def test_the_look_follows_config_and_environment(
    make_app: MakeApp, environ: dict[str, str], config: str, look: str
) -> None:
    app = make_app(hosts.healthy(), config=config, environ=environ)
    assert choose_theme(app.session) == look
    assert app.look == look


@pytest.mark.parametrize("name", theme_names())
async def test_every_look_comes_up_with_palette_and_help(make_app: MakeApp, name: str) -> None:
    if name == "mono":
        app = make_app(hosts.crash_loop(), environ={"NO_COLOR": "1"})
    else:
        app = make_app(hosts.crash_loop(), config=f'[ui]\ntheme = "{name}"\n')
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "crash-looping")
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press("escape", "question_mark")
        await until_seen(pilot, "gpuconsole help")


@pytest.mark.parametrize("name", theme_names())
def test_every_look_has_every_role(name: str) -> None:
    first = Palette(theme_names()[0])
    palette = Palette(name)
    assert set(palette._roles) == set(first._roles)
    for role in palette._roles:
        for place in ("", "|selected", "|dialog"):
            assert palette.style(role + place) is not None
    assert textual_theme(name).name == name


def test_no_colour_means_no_colour() -> None:
    palette = Palette("mono")
    for role in palette._roles:
        style = palette.style(role)
        assert style.color is None or style.color.is_default
        assert style.bgcolor is None or style.bgcolor.is_default
