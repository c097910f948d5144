"""An operator works with services: sees how they are, what fits, and changes them by plans."""

import threading
from collections.abc import Iterator

import msgspec
import pytest

from actions.fit.model import Fit, WayOut
from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed, Refusal, StepProgress, StepStarted
from console.services.reading import Job as ServiceJob
from screens.tui.application import Console
from screens.tui.paint import UNKNOWN
from screens.tui.plan_dialog import PlanDialog
from screens.tui.services.screen import ServicesScreen
from tests.support import hosts
from tests.support.snapshots import (
    NOW,
    changed,
    container,
    engine_snapshot,
    host,
    ident,
    reading,
    service,
)
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script, entry, make_plan
from tests.tui.test_layout import screen_text
from tests.tui.test_service_pictures import CONFIG, busy_stop, refused_start


def test_services_stand_first_with_budget_beside_use() -> None:
    lines = screen_text(hosts.services_studio()).splitlines()
    rows = [line for line in lines if line[3:4] in {"●", "◆", "○"}]
    assert [row.split()[1] for row in rows if "▸" not in row][:2] == ["comfyui-qwen", "myia-turbo"]
    assert "5.6*/8.0" in next(line for line in rows if " myia " in line)
    busy = next(line for line in rows if "comfyui-qwen" in line)
    assert "busy edit 3/20, 2 wait" in busy
    assert "1*" in busy
    assert "20.9*/21.3" in busy
    stopped = next(line for line in rows if "myia-turbo" in line)
    assert "stopped" in stopped
    assert "1?" in stopped
    assert f"{UNKNOWN} /8.0" in stopped


def test_cards_name_services_with_their_own_figures() -> None:
    text = screen_text(hosts.services_studio(), 160, 48)
    assert "5.6* myia  service" in text
    assert "20.9* comfyui-qwen  service" in text
    assert "0.5~ other  worked out" in text
    troubled = screen_text(hosts.services_troubled(), 160, 48)
    assert f"{UNKNOWN}  comfyui-qwen  on it, does not tell how much" in troubled


def test_a_state_is_a_word_and_a_symbol() -> None:
    text = screen_text(hosts.services_troubled(), 100, 30)
    for words in ("▲ myia", "needs login", "✖ comfyui-qwen", "unreachable", "○ comfyui-lab",
                  "absent", "◐ myia-turbo", "starting provisioning 3m"):  # fmt: skip
        assert words in text
    text = screen_text(hosts.services_misplaced(), 120, 30)
    assert "misplaced on 0, meant for 1" in text


def test_three_hundred_containers_leave_services_in_sight() -> None:
    many = hosts.three_hundred()
    text = screen_text(changed(many, services=hosts.services_studio().services))
    assert "busy edit 3/20" in text
    assert "and 297 other containers" in text


def test_two_services_of_one_container_have_a_row_each() -> None:
    base = hosts.services_studio()
    first, *_ = base.services
    twin = msgspec.structs.replace(
        first, service=msgspec.structs.replace(first.service, name="myia-again")
    )
    text = screen_text(changed(base, services=(*base.services, twin)), 120, 40)
    assert "myia-again" in text


async def test_before_anybody_looked_the_services_of_the_config_have_rows(
    make_app: MakeApp,
) -> None:
    connecting = engine_snapshot(state="connecting", taken_at=None, heard_monotonic=None)
    app = make_app(host(engine=connecting), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "looking …")
        assert "looking …" in line_with(app, "comfyui-qwen")
        assert "/8.0" in line_with(app, "myia-turbo")
        app.live.become(hosts.services_studio())  # type: ignore[attr-defined]
        await until_seen(pilot, "busy edit 3/20")
        assert "looking …" not in seen(app)


async def test_enter_opens_the_container_or_the_services_view(make_app: MakeApp) -> None:
    app = make_app(hosts.services_troubled(), CONFIG)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("slash", *"lab", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, ServicesScreen))
        await until_seen(pilot, "there is no container comfyui-lab")
        await pilot.press("escape")
        await until_seen(pilot, "VRAM/budget  cpu")
        await pilot.press("slash", *"myia", "enter", "enter")
        await until_seen(pilot, "container myia")


async def test_keys_on_a_service_make_plans_by_its_name(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("escape", "2", "j", "r")
        await until(pilot, lambda: len(script.asked) == 2)
        await pilot.press("G", "s")
        await until(pilot, lambda: len(script.asked) == 3)
        assert script.asked == [
            ("stop", "myia"),
            ("restart", "comfyui-qwen"),
            ("start", "myia-turbo"),
        ]


async def test_move_asks_for_the_card(make_app: MakeApp, script: Script) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "M")
        await until_seen(pilot, "Move myia to")
        assert "it is here now" in seen(app)
        await pilot.press("enter")
        await until(pilot, lambda: script.asked == [("move", "myia")])
        assert script.options == [{"gpu": hosts.BIG.uuid}]


async def test_the_menu_offers_what_the_state_allows(make_app: MakeApp) -> None:
    app = make_app(hosts.services_troubled(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "G", "x")
        await until_seen(pilot, "comfyui-lab (absent)")
        text = seen(app)
        assert "s  Start" in text
        assert "Stop" not in text
        assert "Logs" not in text
        await pilot.press("escape", "g", "x")
        await until_seen(pilot, "myia (needs login)")
        assert "s  Stop" in seen(app)
        assert "Adopt" not in seen(app)


async def test_a_discovered_service_is_adopted_into_the_config(make_app: MakeApp) -> None:
    app = make_app(hosts.services_discovered())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "x")
        await until_seen(pilot, "a  Adopt")
        await pilot.press("a")
        await until_seen(pilot, "+ [services.comfyui-qwen]")
        assert not app.session.places.config_file.exists()
        await pilot.press("y")
        await until_seen(pilot, "✔ comfyui-qwen is in the config")
        written = app.session.places.config_file.read_text()
        assert "[services.comfyui-qwen]" in written
        assert 'kind = "comfyui"' in written


async def test_adopting_is_refused_where_nothing_may_be_changed(make_app: MakeApp) -> None:
    app = make_app(hosts.services_discovered(), read_only=True)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("2", "x")
        await until_seen(pilot, "a  Adopt")
        await pilot.press("a", "y")
        await until_seen(pilot, "read-only: the config is not written")
        assert not app.session.places.config_file.exists()


async def test_y_copies_the_url(make_app: MakeApp) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "y")
        await until_seen(pilot, f"copied {hosts.FORGE_URL}")
        await pilot.press("G", "y")
        await until_seen(pilot, "where myia-turbo listens is not known")


async def test_searching_services(make_app: MakeApp) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "slash", *"turbo", "enter")
        await until(pilot, lambda: "▸ ○ myia-turbo" in seen(app))
        await pilot.press("slash", *"zzz", "enter", "n")
        await until_seen(pilot, "nothing matches zzz")


@pytest.mark.parametrize("keys", [("2",), ("2", "tab"), ("2", "tab", "tab"), ("2", "slash", "a"),
                                  ("2", "x"), ("2", "M"), ("2", "tab", "t")])  # fmt: skip
async def test_esc_always_gets_out(make_app: MakeApp, keys: tuple[str, ...]) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        await pilot.press("escape", "escape", "escape")
        await until_seen(pilot, "VRAM/budget  cpu")


# -- what fits ----------------------------------------------------------------------------------


async def test_the_matrix_is_computed_only_when_it_is_shown(make_app: MakeApp) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "now used")
        assert app.fits._kept.keys() == {"service myia"}
        await pilot.press("tab")
        await until_seen(pilot, "◐ offload")
        assert "matrix" in app.fits._kept


async def test_keys_change_what_the_matrix_is_for(make_app: MakeApp) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "tab")
        await until_seen(pilot, "1024x1024, 1 picture, as the host is now")
        await until_seen(pilot, "[◐ offload")
        await pilot.press("e", "i")
        await until_seen(pilot, "1024x1024, 2 pictures, on an empty host")
        await pilot.press("plus")
        await until_seen(pilot, "1328x1328")
        await pilot.press("l")
        await until_seen(pilot, "[● resident")
        await pilot.press("t")
        await until_seen(pilot, "Size and pictures")
        await pilot.press("ctrl+u", *"99999x2", "enter")
        await until_seen(pilot, "width and height are from")
        await pilot.press("ctrl+u", *"800x600 3", "enter")
        await until_seen(pilot, "800x600, 3 pictures")


async def test_a_layout_that_does_not_fit_says_so_and_enter_plans_the_switch(
    make_app: MakeApp, script: Script
) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2", "tab", "tab")
        await until_seen(pilot, "runs")
        assert "runs" in line_with(app, "exclusive")
        await pilot.press("j")
        await until_seen(pilot, "REFUSED: myia-turbo and comfyui-qwen do not fit together")
        await pilot.press("enter")
        await until(pilot, lambda: script.asked == [("switch", "dual")])


async def test_without_cards_the_matrix_says_why(make_app: MakeApp) -> None:
    app = make_app(changed(hosts.no_driver(), services=hosts.services_studio().services), CONFIG)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2", "tab")
        await until_seen(pilot, "The NVIDIA driver is not loaded")


async def test_a_fault_in_the_arithmetic_is_said_and_the_view_goes_on(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Fit:
        raise RuntimeError("boo")

    monkeypatch.setattr("actions.fit.service.fit_service", broken)
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "a fault of gpuconsole")
        await pilot.press("j")
        await until_seen(pilot, "meant for")


# -- plans --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("view", ["2", "6"])
@pytest.mark.parametrize(("key", "asked"), [("o", "go on"), ("B", "go back")])
async def test_what_was_interrupted_is_offered_to_go_on_or_back(
    make_app: MakeApp, script: Script, view: str, key: str, asked: str
) -> None:
    script.entries = (entry("switch", "dual", "interrupted", 28, "at step 3 of 7"),)
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(view)
        await until_seen(pilot, "switch dual was interrupted at 22:13")
        await pilot.press(key)
        await until(pilot, lambda: (asked, "plan-switch-dual") in script.asked)
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))


async def test_what_was_taken_up_since_is_not_offered_again(
    make_app: MakeApp, script: Script
) -> None:
    script.entries = (
        entry("switch", "dual", "done", 5, "dual runs"),
        entry("switch", "dual", "interrupted", 28, "at step 3 of 7"),
    )
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until_seen(pilot, "dual runs")
        assert "was interrupted at" not in seen(app)


async def test_a_service_whose_job_has_no_end_is_cut_not_broken(make_app: MakeApp) -> None:
    wild = service(
        "w" * 90,
        "busy",
        card=hosts.BIG,
        used=1.0,
        reading=reading(job=ServiceJob(what="[red]" * 80, step=1, steps=2)),
        container_id=ident("w"),
    )
    base = host(engine=engine_snapshot(container("w")))
    app = make_app(changed(base, services=(wild,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "is on")
        assert max(len(line) for line in seen(app).splitlines()) <= 80
