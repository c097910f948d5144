"""An operator changes services: pre-checks, ways out, force, busy stops, what was interrupted."""

import threading
from collections.abc import Iterator

import msgspec
import pytest

from actions.fit.model import WayOut
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, Refusal, StepProgress, StepStarted
from actions.take_up import TakenUp
from console.errors import ConsoleError
from screens.tui.application import Console
from screens.tui.plan_dialog import PlanDialog
from tests.support import hosts
from tests.support.snapshots import (
    NOW,
)
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script, entry, make_plan
from tests.tui.test_service_pictures import CONFIG, busy_stop, refused_start


def _refusing(app: Console, script: Script) -> None:
    """Have every start refused as the pre-check of this host does, unless it is forced."""

    def start(options: dict[str, object]) -> Plan:
        plan = refused_start(app.session, app.snapshot)
        if options.get("force"):
            return msgspec.structs.replace(plan, verdict="warned", refusal=None, options=options)
        return plan

    script.plans["start"] = start


async def test_a_way_out_is_chosen_by_its_digit_and_then_the_start_is_offered_again(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        _refusing(app, script)
        await pilot.press("2", "G", "s")
        await until_seen(pilot, "1  stop comfyui-qwen first (busy)")
        text = seen(app)
        assert "REFUSED: 6.1 GiB short" in text
        assert "▲▲" in line_with(app, "over by")
        await pilot.press("y")
        assert isinstance(app.screen, PlanDialog), "a refused plan cannot be confirmed"
        await pilot.press("1")
        await until_seen(pilot, "First this, then start myia-turbo")
        assert script.asked[-1] == ("stop", "comfyui-qwen")
        await pilot.press("y")
        await until_seen(pilot, "This is what you asked for first.")
        assert script.ran == ["stop"]
        assert script.asked[-1] == ("start", "myia-turbo")


async def test_a_way_out_that_fails_offers_nothing_more(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    stop = make_plan("stop", "comfyui-qwen")
    failed = PlanFailed(at=NOW, plan_id=stop.id, outcome="failed", code="x", title="it did not end")
    script.events["stop"] = [failed]
    async with app.run_test(size=(80, 24)) as pilot:
        _refusing(app, script)
        await pilot.press("2", "G", "s")
        await until_seen(pilot, "1  stop comfyui-qwen")
        await pilot.press("1")
        await until_seen(pilot, "First this")
        await pilot.press("y")
        await until_seen(pilot, "it did not end")
        assert not isinstance(app.screen, PlanDialog)


async def test_details_show_every_term(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 40)) as pilot:
        _refusing(app, script)
        await pilot.press("2", "G", "s")
        await until_seen(pilot, "d details")
        assert "available in all" not in seen(app)
        await pilot.press("d")
        await until_seen(pilot, "available in all")
        assert "driver" in line_with(app, "free now")


async def test_force_wants_the_name_typed(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        _refusing(app, script)
        await pilot.press("2", "G", "s")
        await until_seen(pilot, "F force")
        await pilot.press("F")
        await until_seen(pilot, "Type myia-turbo")
        await pilot.press(*"myia", "enter")
        await until_seen(pilot, "that is not myia-turbo")
        assert len(script.asked) == 1
        await pilot.press(*"-turbo", "enter")
        await until(pilot, lambda: {"force": True} in script.options)
        await until_seen(pilot, "Start myia-turbo, forced")
        assert "▸[ Cancel ]" in seen(app)
        assert script.ran == []


@pytest.mark.parametrize("code", ["policy.read-only", "service.absent"])
async def test_what_is_not_about_vram_cannot_be_forced(
    make_app: MakeApp, script: Script, code: str
) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        plan = refused_start(app.session, app.snapshot)
        script.plans["start"] = msgspec.structs.replace(
            plan, refusal=Refusal(code=code, title="no")
        )
        await pilot.press("2", "G", "s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert "F force" not in seen(app)
        await pilot.press("F")
        assert isinstance(app.screen, PlanDialog)


@pytest.mark.parametrize(("key", "option"), [("w", "wait"), ("i", "interrupt")])
async def test_a_busy_stop_can_wait_or_interrupt(
    make_app: MakeApp, script: Script, key: str, option: str
) -> None:
    script.plans["stop"] = busy_stop()
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "j", "s")
        await until_seen(pilot, "w wait for the job  i interrupt it")
        await pilot.press(key)
        await until(pilot, lambda: len(script.asked) == 2)
        assert script.options == [{}, {option: True}]
        assert script.ran == []


async def test_another_card_is_a_way_out_by_moving(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        plan = refused_start(app.session, app.snapshot)
        ways = (
            WayOut(kind="gpu", title="use card 0", verdict="resident", target=hosts.SMALL.uuid),
            WayOut(
                kind="variant", title="use Q4", verdict="resident", target="q4", detail="on disk"
            ),
            WayOut(kind="resolution", title="edit 512x512", verdict="resident"),
        )  # fmt: skip
        fits = (msgspec.structs.replace(plan.fits[0], ways_out=ways),)
        script.plans["start"] = msgspec.structs.replace(plan, fits=fits)
        await pilot.press("2", "G", "s")
        await until_seen(pilot, "1-3 way out")
        await pilot.press("1")
        await until(pilot, lambda: ("move", "myia-turbo") in script.asked)
        assert script.options[-1] == {"gpu": hosts.SMALL.uuid}
        await pilot.press("escape", "s")
        await until_seen(pilot, "1-3 way out")
        await pilot.press("2")
        await until(pilot, lambda: script.options[-1] == {"variant": "q4"})
        await until_seen(pilot, 'set variant = "q4" for myia-turbo')
        await pilot.press("3")
        await until_seen(pilot, "edit 512x512: choose that when you edit")


async def test_a_plan_under_way_tells_its_step(make_app: MakeApp, script: Script) -> None:
    base = make_plan("switch", "dual", subject="layout")
    steps = tuple(msgspec.structs.replace(base.steps[0], id=f"{n}-step") for n in (1, 2, 3))
    plan = msgspec.structs.replace(base, steps=steps)
    script.plans["switch"] = plan
    gates: list[threading.Event] = []

    def events() -> Iterator[AnyEvent]:
        gate = threading.Event()
        gates.append(gate)
        yield StepStarted(step_id="2-step", title="Start comfyui-qwen", at=NOW, plan_id=plan.id)
        yield StepProgress(step_id="2-step", text="loading the model 40 %", at=NOW, plan_id=plan.id)
        assert gate.wait(10)
        yield StepStarted(step_id="back-1", title="Start myia", back=True, at=NOW, plan_id=plan.id)
        yield PlanDone(text="done", at=NOW, plan_id=plan.id)

    script.events["switch"] = events()
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("2", "tab", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("y")
        await until_seen(pilot, "loading the model 40 %")
        line = line_with(app, "▶ switch dual")
        assert "2/3" in line
        assert "c cancels" in line
        gates[0].set()
        await until_seen(pilot, "✔ switch dual: done")


AT_STEP = "switch dual was interrupted at step 3 of 7: its process ended"


@pytest.mark.parametrize("view", ["2", "6"])
@pytest.mark.parametrize(("key", "asked"), [("o", "go on"), ("B", "go back")])
async def test_what_was_interrupted_is_offered_to_go_on_or_back(
    make_app: MakeApp, script: Script, view: str, key: str, asked: str
) -> None:
    script.entries = (entry("switch", "dual", "interrupted", 28, AT_STEP),)
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(view)
        await until_seen(pilot, "▲ 22:13 switch dual was interrupted at step 3 of 7")
        await pilot.press(key)
        await until(pilot, lambda: (asked, "plan-switch-dual") in script.asked)
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))


async def test_a_download_that_was_interrupted_goes_on_under_its_own_id(
    make_app: MakeApp, script: Script
) -> None:
    stopped = entry("pull", "qwen-vae", "interrupted", 28, "pull qwen-vae was interrupted")
    script.entries = (msgspec.structs.replace(stopped, endless=True),)
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "comfyui-qwen")
        assert "pull qwen-vae" not in seen(app), "it is no service"
        await pilot.press("6")
        await until_seen(pilot, "▲ 22:13 pull qwen-vae was interrupted")
        assert "go back" not in seen(app)
        await pilot.press("B", "o")
        await until_seen(pilot, "▶ qwen-vae goes on")
        assert script.resumed == ["plan-pull-qwen-vae"]
        assert script.asked == []


async def test_a_download_whose_process_died_is_taken_up_by_the_open_screen(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "comfyui-qwen")
        taken = TakenUp(id="1", what="pull qwen-vae", why="its process had ended")
        script.taken_up = (taken,)
        app.desk.look_round()
        await until_seen(pilot, "▶ pull qwen-vae goes on: its process had ended")
        why = ConsoleError("runner.cannot-start", "the runner cannot be started")
        script.taken_up = (msgspec.structs.replace(taken, problem=why),)
        app.desk.look_round()
        await until_seen(pilot, "✖ go on with pull qwen-vae: the runner cannot be started")


async def test_what_was_taken_up_since_is_not_offered_again(
    make_app: MakeApp, script: Script
) -> None:
    script.entries = (
        entry("switch", "dual", "done", 5, "dual runs"),
        entry("switch", "dual", "interrupted", 28, AT_STEP),
    )
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until_seen(pilot, "dual runs")
        assert "o go on" not in seen(app)


async def test_a_plan_that_went_stale_is_asked_anew(make_app: MakeApp, script: Script) -> None:
    plan = make_plan("stop", "comfyui-qwen", subject="service", target_id="comfyui-qwen")
    anew = msgspec.structs.replace(plan, id="anew", checks=busy_stop().checks, verdict="warned")
    script.plans["stop"] = plan
    script.events["stop"] = [
        PlanFailed(
            at=NOW,
            plan_id=plan.id,
            outcome="stale",
            code="plan.stale",
            title="comfyui-qwen has begun a job",
            plan=anew,
        )
    ]
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "j", "s")
        await until_seen(pilot, "y yes")
        await pilot.press("y")
        await until_seen(pilot, "This is the plan as things are now")
        assert "it interrupts its edit" in seen(app)


async def test_a_switch_to_another_layout_settles_the_one_that_was_interrupted(
    make_app: MakeApp, script: Script
) -> None:
    script.entries = (
        entry("switch", "exclusive", "done", 5, "exclusive runs"),
        entry("switch", "dual", "interrupted", 28, AT_STEP),
    )
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until_seen(pilot, "exclusive runs")
        assert "o go on" not in seen(app)


async def test_going_on_where_nothing_is_left_is_written_down_as_done(
    make_app: MakeApp, script: Script
) -> None:
    script.entries = (entry("switch", "dual", "interrupted", 28, AT_STEP),)
    plan = make_plan("switch", "dual", subject="layout", steps=(), continues="plan-switch-dual")
    script.plans["go on"] = plan
    script.events["switch"] = [PlanDone(text="dual: nothing is left", at=NOW, plan_id=plan.id)]
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "o go on")
        await pilot.press("o")
        await until_seen(pilot, "✔ switch dual: nothing is left")
        assert script.ran == ["switch"]


async def test_a_start_with_another_variant_says_that_no_setting_changes(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    plan = refused_start(app.session, app.snapshot)
    way = WayOut(
        kind="variant",
        title="use 2509 Q4_K_M GGUF for myia-turbo",
        verdict="resident",
        command="",
        target="qwen-edit-2509-gguf-q4_k_m",
        detail="on disk",
    )
    fit = msgspec.structs.replace(plan.fits[0], ways_out=(way,))
    refused = msgspec.structs.replace(plan, fits=(fit,))

    def start(options: dict[str, object]) -> Plan:
        return make_plan("start", "myia-turbo", options=options) if options else refused

    script.plans["start"] = start
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "G", "s")
        await until_seen(pilot, "1  use 2509 Q4_K_M GGUF")
        await pilot.press("1")
        await until_seen(pilot, "no setting")
        text = " ".join(seen(app).replace("│", " ").split())
        assert "Only this pre-check counts with qwen-edit-2509-gguf-q4_k_m" in text
        assert 'set variant = "qwen-edit-2509-gguf-q4_k_m" for myia-turbo in the config' in text
        assert script.asked[-1] == ("start", "myia-turbo")


@pytest.mark.parametrize(
    ("changes", "word"),
    [({}, "[ Switch ]"), ({"undoes": "earlier"}, "[ Undo ]"), ({"continues": "it"}, "[ Go on ]")],
)
async def test_the_button_says_what_happens_and_the_keys_stand_beside_it(
    make_app: MakeApp, script: Script, changes: dict[str, str], word: str
) -> None:
    script.plans["switch"] = make_plan("switch", "dual", subject="layout", **changes)
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "tab", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        line = line_with(app, word)
        assert "y yes" in line
        assert "Esc no" in line


async def test_a_forced_plan_names_every_key_that_matters_in_80_columns(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        _refusing(app, script)
        await pilot.press("2", "G", "s")
        await until_seen(pilot, "F force")
        await pilot.press("F", *"myia-turbo", "enter")
        await until_seen(pilot, "[ Start ]")
        line = line_with(app, "[ Start ]")
        for hint in ("way out", "y yes", "d details", "Esc no"):
            assert hint in line


async def test_how_a_plan_ended_is_said_whole(make_app: MakeApp, script: Script) -> None:
    plan = make_plan("switch", "dual", subject="layout")
    script.plans["switch"] = plan
    script.events["switch"] = [
        PlanFailed(
            at=NOW,
            plan_id=plan.id,
            outcome="failed",
            code="x",
            title="myia-turbo ended while it started: exit 0 (finished)",
            text="went back: what was there before is restored; now myia is busy",
        )
    ]
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "tab", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("y")
        await until_seen(pilot, "✖ switch dual: myia-turbo ended")
        await until(pilot, lambda: "now myia is busy)" in " ".join(seen(app).split()))
