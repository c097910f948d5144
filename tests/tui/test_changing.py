"""An operator changes something: always through a plan, never by a slip of a key."""

import threading
from collections.abc import Iterator

import pytest

from actions.operations import RunningPlan
from actions.plan import AnyEvent, PlanDone, PlanFailed, PlanStarted, StepProgress
from console.errors import UnreachableError
from screens.tui.plan_dialog import PlanDialog
from tests.support import hosts
from tests.support.snapshots import NOW, ident
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script, entry, make_plan, refused


async def test_stop_asks_first_shows_the_plan_and_then_runs_it(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"myia", "enter", "s")
        await until_seen(pilot, "Stop myia")
        text = seen(app)
        assert "$ docker stop myia" in text
        assert "undo: docker start myia" in text
        assert "it gets 10 s to end by itself" in text
        assert script.ran == []
        await pilot.press("y")
        await until_seen(pilot, "✔ stop myia: myia is as asked")
        assert script.ran == ["stop"]


@pytest.mark.parametrize("key", ["escape", "n", "q"])
async def test_no_means_no(make_app: MakeApp, script: Script, key: str) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press(key)
        await until_seen(pilot, "left as it is")
        assert script.ran == []
        assert app.is_running


async def test_start_of_what_is_stopped_needs_no_question(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("G", "s")
        await until_seen(pilot, "✔ start watchtower")
        assert script.asked == [("start", ident("watchtower"))]


async def test_the_config_says_which_verbs_ask(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.healthy(), config='[policy]\nconfirm = ["start"]\n')
    async with app.run_test() as pilot:
        await pilot.press("G", "s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("escape", "g", "s")
        await until(pilot, lambda: script.ran == ["stop"])


async def test_a_crash_looping_container_is_offered_stop_and_a_crashed_one_is_not(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        await until_seen(pilot, "myia-turbo (restarting)")
        assert "Stop" in seen(app)
        await pilot.press("escape", "G", "x")
        await until_seen(pilot, "watchtower (exited)")
        text = seen(app)
        assert "Start" in text
        assert "ask it to end" not in text
        assert "end it at once" not in text


async def test_kill_is_destructive_and_enter_does_not_do_it(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        await until_seen(pilot, "Kill")
        await pilot.press("k")
        await until_seen(pilot, "▸[ Cancel ]")
        assert "cannot be undone" in seen(app)
        await pilot.press("enter")
        await until_seen(pilot, "left as it is")
        assert script.ran == []
        await pilot.press("x")
        await until_seen(pilot, "Kill")
        await pilot.press("k")
        await until_seen(pilot, "▸[ Cancel ]")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: script.ran == ["kill"])


async def test_a_refused_plan_can_only_be_closed(make_app: MakeApp, script: Script) -> None:
    script.plans["stop"] = refused(make_plan())
    app = make_app(hosts.healthy(), read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "READ-ONLY" in seen(app)
        await pilot.press("s")
        await until_seen(pilot, "REFUSED: this console is read-only")
        assert "Start it without --read-only" in seen(app)
        await pilot.press("y", "tab", "enter")
        await until(pilot, lambda: not isinstance(app.screen, PlanDialog))
        assert script.ran == []


async def test_keys_act_on_what_the_cursor_means(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("left", "s")
        await until_seen(pilot, "nothing is selected")
        assert script.asked == []
        await pilot.press("tab", "tab", "s")
        await until_seen(pilot, "Stop myia-turbo")
        assert script.asked == [("stop", ident("myia-turbo"))]


async def test_a_warned_plan_always_asks(make_app: MakeApp, script: Script) -> None:
    script.plans["start"] = make_plan("start", "watchtower", verdict="warned")
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("G", "s")
        await until_seen(pilot, "READY, with a warning")
        assert "▸[ Cancel ]" in seen(app)


async def test_nothing_to_do_is_said_and_not_asked(make_app: MakeApp, script: Script) -> None:
    script.plans["start"] = make_plan("start", "watchtower", steps=())
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("G", "s")
        await until_seen(pilot, "watchtower: it gets 10 s")
        assert script.ran == []


async def test_an_engine_that_cannot_be_asked_is_said_with_what_to_do(
    make_app: MakeApp, script: Script
) -> None:
    script.error = UnreachableError("engine.absent", "nothing listens there", "start the engine")
    app = make_app(hosts.healthy())
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("r")
        await until_seen(pilot, "nothing listens there; start the engine")


async def test_a_running_plan_shows_how_it_goes_and_esc_twice_cancels(
    make_app: MakeApp, script: Script
) -> None:
    go_on = threading.Event()
    plan = make_plan()

    def events() -> Iterator[AnyEvent]:
        yield PlanStarted(at=NOW, plan_id=plan.id)
        yield StepProgress(
            at=NOW, plan_id=plan.id, step_id="1", text="waiting for it to end", longest_seconds=25
        )
        assert go_on.wait(10)
        yield PlanFailed(
            at=NOW,
            plan_id=plan.id,
            outcome="interrupted",
            code="plan.cancelled",
            title="cancelled",
            text="myia still runs",
        )

    script.plans["stop"] = plan
    script.events["stop"] = events()
    app = make_app(hosts.healthy())
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("y")
        await until_seen(pilot, "waiting for it to end")
        assert "0s of at most 25s" in line_with(app, "waiting for it to end")
        assert "Esc cancels" in line_with(app, "waiting for it to end")
        await pilot.press("j")
        assert app.view.jobs, "keys go on working"
        await pilot.press("escape")
        await until_seen(pilot, "Esc again cancels")
        assert script.cancelled == []
        await pilot.press("escape")
        await until(pilot, lambda: script.cancelled == [plan.id])
        go_on.set()
        await until_seen(pilot, "interrupted: cancelled (myia still runs)")
        assert app.view.jobs == ()


async def test_a_stop_that_times_out_offers_kill(make_app: MakeApp, script: Script) -> None:
    plan = make_plan("stop", "comfyui-qwen")
    script.events["stop"] = [
        PlanFailed(
            at=NOW,
            plan_id=plan.id,
            outcome="failed",
            code="container.still-running",
            title="it did not end within 10 s",
            offers=("kill",),
        )
    ]
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("y")
        await until_seen(pilot, "Kill comfyui-qwen")
        assert "Stop did not succeed: it did not end within 10 s" in seen(app)
        assert "▸[ Cancel ]" in seen(app)
        assert script.ran == ["stop"]


async def test_undo_shows_what_it_takes_back_and_asks(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("u")
        await until_seen(pilot, "Undo: Start myia")
        await pilot.press("enter")
        await until(pilot, lambda: script.ran == ["start"])


async def test_a_plan_of_an_earlier_console_is_watched_again(
    make_app: MakeApp, script: Script
) -> None:
    plan = make_plan("restart", "myia")
    go_on = threading.Event()

    def events() -> Iterator[AnyEvent]:
        yield PlanStarted(at=NOW, plan_id=plan.id)
        assert go_on.wait(10)
        yield PlanDone(at=NOW, plan_id=plan.id, text="myia runs again")

    script.under_way = (
        RunningPlan(plan=plan, since=NOW, step=1, text="", pid=1, cancel_requested=False),
    )
    script.events[plan.id] = events()
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await until_seen(pilot, "▶ restart myia")
        go_on.set()
        await until_seen(pilot, "✔ restart myia: myia runs again")


async def test_the_timeline_tells_who_did_what(make_app: MakeApp, script: Script) -> None:
    script.entries = (
        entry("stop", "myia", "failed", 5, "it did not end"),
        entry("start", "comfyui-qwen", "done", 90, "comfyui-qwen is running"),
    )
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until_seen(pilot, "22:36")
        lines = seen(app).splitlines()
        first = next(place for place, line in enumerate(lines) if "stop myia" in line)
        second = next(place for place, line in enumerate(lines) if "start comfyui-qwen" in line)
        assert first < second
        assert "failed" in lines[first]
        assert "jesse from 192.0.2.7, tui" in lines[first]
        assert "$ docker stop myia" in seen(app)


async def test_the_timeline_tells_an_end_whole_or_marks_the_cut(
    make_app: MakeApp, script: Script
) -> None:
    long = "went back: what was there before is restored; now " + "; ".join(
        f"service-{number} is ready" for number in range(40)
    )
    script.entries = (
        entry("switch", "dual", "failed", 5, long),
        entry("switch", "exclusive", "failed", 9, long[:190]),
    )
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until_seen(pilot, "went back")
        assert seen(app).count("…") == 1
        assert long[:190].split()[-1] in " ".join(seen(app).split("switch exclusive")[1].split())
