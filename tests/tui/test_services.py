"""An operator works with services: sees how they are and what fits."""

import msgspec
import pytest

from actions.fit.model import Fit
from actions.services.snapshot import Service, ServiceStatus
from console.config.schema import LayoutSettings
from console.services.reading import Job as ServiceJob
from screens.tui.paint import UNKNOWN
from screens.tui.plan_dialog import PlanDialog
from screens.tui.services.layouts_panel import runs_now
from screens.tui.services.screen import ServicesScreen
from tests.support import hosts
from tests.support.snapshots import (
    changed,
    container,
    engine_snapshot,
    gpu,
    gpu_snapshot,
    host,
    ident,
    reading,
    service,
)
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script
from tests.tui.test_layout import screen_text
from tests.tui.test_service_pictures import CONFIG


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


async def test_f_gives_the_details_the_whole_screen(make_app: MakeApp) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "now used")
        assert "What it is" not in seen(app)
        await pilot.press("f")
        await until_seen(pilot, "What it is")
        assert "▸" not in seen(app)
        await pilot.press("escape")
        await until_seen(pilot, "▸ ● myia")


async def test_a_long_list_says_which_rows_are_in_sight_and_shows_the_selected_one(
    make_app: MakeApp,
) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    count = len(app.snapshot.services)
    async with app.run_test(size=(60, 13)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, f"1-2 of {count}")
        for status in app.snapshot.services[1:]:
            await pilot.press("down")
            assert status.name in line_with(app, "▸")
        await until_seen(pilot, f"of {count}")
        await pilot.press("tab")
        await until_seen(pilot, "1-")
        assert " of " in line_with(app, "1024x1024")


async def test_many_cards_say_how_many_are_out_of_sight(make_app: MakeApp) -> None:
    many = changed(hosts.services_studio(), gpu=gpu_snapshot(*(gpu(index) for index in range(16))))
    app = make_app(many, CONFIG)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "tab")
        await until_seen(pilot, "→")
        assert "…" not in line_with(app, "variant")


def test_a_layout_that_nobody_reaches_is_not_said_to_run() -> None:
    def state(name: str, state: str, container_id: str) -> ServiceStatus:
        return ServiceStatus(
            service=Service(name=name, kind="forge"), state=state, container_id=container_id
        )

    layouts = {"both": LayoutSettings(services=("a", "b"))}
    lost = changed(
        hosts.healthy(),
        services=(state("a", "unreachable", ""), state("b", "unreachable", "")),
    )
    assert runs_now(lost, layouts) == ()
    hung = changed(
        hosts.healthy(),
        services=(state("a", "unreachable", "c1"), state("b", "ready", "c2")),
    )
    assert runs_now(hung, layouts) == ("both",)
