"""The host changes under the cursor: it stays on the same thing, and nothing is done to another."""

from actions.snapshot import Alert, HostSnapshot
from screens.tui.plan_dialog import PlanDialog
from tests.support import hosts
from tests.support.snapshots import alert, container, engine_snapshot, host, ident
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script


def named(*names: str) -> HostSnapshot:
    """Give a host with its cards and these containers, all running."""
    return host(hosts.healthy().gpu, engine_snapshot(*(container(name) for name in names)))


async def test_a_newer_alert_does_not_push_the_cursor_to_another_container(
    make_app: MakeApp, script: Script
) -> None:
    base = hosts.healthy()

    def trouble(name: str, minutes: float) -> Alert:
        return alert("container.exited", "error", name, "ended", minutes, subject_id=ident(name))

    old = host(base.gpu, base.engine, alerts=(trouble("myia", 9),))
    app = make_app(old)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("tab")
        assert app.view.focus == "alerts"
        newer = (trouble("comfyui-qwen", 1), trouble("myia", 9))
        app.live.become(host(base.gpu, base.engine, alerts=newer))  # type: ignore[attr-defined]
        await until_seen(pilot, "2 alerts")
        await pilot.press("s")
        await until(pilot, lambda: bool(script.asked))
        assert script.asked == [("stop", ident("myia"))]


async def test_when_the_container_goes_its_neighbour_is_selected_not_the_first(
    make_app: MakeApp,
) -> None:
    app = make_app(named("a", "b", "c", "d"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "down")
        assert "▸" in line_with(app, "● c ")
        app.live.become(named("a", "b", "d"))  # type: ignore[attr-defined]
        await until(pilot, lambda: "● c " not in seen(app))
        assert "▸" in line_with(app, "● d ")
        app.live.become(named("a", "b"))  # type: ignore[attr-defined]
        await until(pilot, lambda: "● d " not in seen(app))
        assert "▸" in line_with(app, "● b ")


async def test_a_container_that_is_made_anew_keeps_the_cursor(make_app: MakeApp) -> None:
    first = named("a", "b", "web")
    app = make_app(first)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        base = hosts.healthy().gpu
        old, new = container("0f0e_web", id=ident("web")), container("web", id=ident("web-2"))
        both = host(base, engine_snapshot(container("a"), container("b"), old, new))
        app.live.become(both)  # type: ignore[attr-defined]
        await until_seen(pilot, "0f0e_web")
        app.live.become(host(base, engine_snapshot(container("a"), container("b"), new)))  # type: ignore[attr-defined]
        await until(pilot, lambda: "0f0e_web" not in seen(app))
        assert "▸" in line_with(app, "● web ")
        assert app.view.container == ident("web-2")


async def test_a_key_pressed_twice_asks_once(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s", "s", "s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("escape")
        await until_seen(pilot, "left as it is")
        assert len(app.screen_stack) == 1
        assert script.ran == []


async def test_what_was_acted_on_keeps_the_cursor_wherever_it_goes(
    make_app: MakeApp, script: Script
) -> None:
    base = hosts.healthy().gpu
    app = make_app(named("a", "b"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: bool(script.asked))
        await pilot.press("escape")
        stopped = container("a", "exited", exit_code=0)
        app.live.become(host(base, engine_snapshot(stopped, container("b"))))  # type: ignore[attr-defined]
        await until_seen(pilot, "exited 0")
        assert "▸" in line_with(app, "○ a ")


async def test_what_was_found_stays_selected_when_the_search_ends(make_app: MakeApp) -> None:
    app = make_app(hosts.three_hundred())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"batch-271", "enter", "escape")
        await until(pilot, lambda: not app.view.search)
        assert "▸" in line_with(app, "batch-271")
        await pilot.press("escape")
        await until_seen(pilot, "other containers")


async def test_a_search_given_up_leaves_the_cursor_where_it_was(make_app: MakeApp) -> None:
    app = make_app(hosts.three_hundred())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        before = app.view.container
        await pilot.press("slash", *"batch-271")
        await until(pilot, lambda: app.view.container != before)
        await pilot.press("escape")
        await until_seen(pilot, "other containers")
        assert app.view.container == before
