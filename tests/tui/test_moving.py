"""An operator looks around: moves, searches, opens details, comes back."""

from screens.tui.paint import UNKNOWN
from tests.support import hosts
from tests.support.snapshots import NO_GPU, changed, container, engine_snapshot, ident
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until_seen


async def test_the_cursor_waits_on_what_is_wrong_and_enter_opens_it(make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test(size=(80, 24)) as pilot:
        assert "▸ ✖ myia-turbo" in seen(app)
        await pilot.press("enter")
        await until_seen(pilot, "container myia-turbo")
        text = seen(app)
        assert "crash-loop exit 2" in text
        assert "read its log for the first error" in text
        await pilot.press("escape")
        await until_seen(pilot, "GPU 0")


async def test_details_give_every_unknown_with_its_reason(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.press("left", "enter")
        await until_seen(pilot, "card GPU 0")
        text = seen(app)
        words = f"{UNKNOWN} not supported by this card's driver"
        assert words in " ".join(line_with(app, "  fan ").split())
        assert "worked out: fastest first" in text
        assert "nvidia-smi's order" in text


async def test_details_show_the_chain_that_leads_to_a_card(make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.press("enter")
        await until_seen(pilot, "--gpu-device-id = 0")
        assert "→ sets CUDA_VISIBLE_DEVICES" in seen(app)
        assert "known by            declared" in seen(app)


async def test_i_tells_all_about_the_host(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.press("i")
        await until_seen(pilot, "this host")
        text = seen(app)
        assert "6.6.87.2-microsoft-standard-WSL2" in text
        assert "unix:///var/run/docker.sock (from default)" in text
        assert "41.0 GiB" in text
        assert "412 GiB free of 1000 GiB" in text
        app.live.become(hosts.neither())  # type: ignore[attr-defined]
        await until_seen(pilot, "The NVIDIA driver is not loaded")


async def test_details_stay_live_and_survive_the_container(make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press("enter")
        await until_seen(pilot, "container myia-turbo")
        app.live.become(hosts.healthy())  # type: ignore[attr-defined]
        await until_seen(pilot, "● running")
        app.live.become(hosts.no_engine())  # type: ignore[attr-defined]
        await until_seen(pilot, "engine lost")
        await pilot.press("escape")
        await until_seen(pilot, "No containers")


async def test_search_finds_one_of_three_hundred(make_app: MakeApp) -> None:
    app = make_app(hosts.three_hundred())
    async with app.run_test(size=(80, 24)) as pilot:
        assert "batch-271" not in seen(app)
        await pilot.press("slash", *"batch-27")
        await until_seen(pilot, "/batch-27▏")
        assert "▸ " in line_with(app, "batch-270") or "▸ " in line_with(app, "batch-271")
        await pilot.press("enter")
        first = app.view.container
        await pilot.press("n")
        assert app.view.container != first
        await pilot.press("N")
        assert app.view.container == first
        await pilot.press("escape", "escape")
        await until_seen(pilot, "other containers")


async def test_keys_are_text_while_searching(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("slash", *"qs1")
        assert app.view.search == "qs1"
        await pilot.press("backspace", "escape")
        assert not app.view.typing
        assert app.is_running


async def test_a_search_without_a_match_says_so(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("slash", *"zzz", "enter")
        await until_seen(pilot, "nothing matches zzz")


async def test_the_folded_rest_opens_and_closes(make_app: MakeApp) -> None:
    app = make_app(hosts.three_hundred())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G", "enter")
        await until_seen(pilot, "▸ ")
        assert app.view.unfolded
        await pilot.press("G")
        await until_seen(pilot, "batch-294")
        await pilot.press("escape")
        await until_seen(pilot, "and 297 other containers")


async def test_tab_goes_round_the_panels_and_f_gives_one_the_screen(make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("tab")
        assert app.view.focus == "alerts"
        await pilot.press("f")
        await until_seen(pilot, "stop it to end the loop")
        assert "GPU 0" not in seen(app)
        await pilot.press("escape", "tab")
        assert app.view.focus == "cards"
        await until_seen(pilot, "▸GPU 0")


async def test_arrows_cross_from_the_table_to_the_cards_and_back(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("g", "up")
        assert app.view.focus == "cards"
        await pilot.press("l")
        await until_seen(pilot, "▸GPU 1")
        await pilot.press("j")
        assert app.view.focus == "containers"


async def test_clicks_select_and_open(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        y = seen(app).splitlines().index(line_with(app, "● caddy"))
        await pilot.click(offset=(10, y))
        assert app.view.container == ident("caddy")
        await pilot.click(offset=(10, y), times=2)
        await until_seen(pilot, "container caddy")
        await pilot.press("escape")
        await pilot.click(offset=(seen(app).splitlines()[-1].index("? help"), 23))
        await until_seen(pilot, "gpuconsole help")


async def test_copying_goes_through_the_terminal(make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop())
    async with app.run_test() as pilot:
        await pilot.press("y")
        assert app.clipboard == "myia-turbo"
        await until_seen(pilot, "copied myia-turbo")
        await pilot.press("Y")
        assert app.clipboard == ident("myia-turbo")


async def test_help_is_made_of_the_bindings_themselves(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test(size=(220, 80)) as pilot:
        await pilot.press("question_mark")
        await until_seen(pilot, "gpuconsole help")
        text = seen(app)
        for key in app.screen_stack[0].BINDINGS:
            assert str(getattr(key, "description", "")) in text
        assert "declared in the settings only" in text
        await pilot.press("escape")
        await until_seen(pilot, "GPU 0")


async def test_the_cursor_stays_on_its_container_when_others_come_and_go(
    make_app: MakeApp,
) -> None:
    before = hosts.healthy()
    app = make_app(before)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G", "k")
        assert app.view.container == ident("caddy")
        more = engine_snapshot(*before.engine.containers, container("aaa"), container("zzz"))
        claims = {**before.claims, ident("aaa"): NO_GPU, ident("zzz"): NO_GPU}
        app.live.become(changed(before, engine=more, claims=claims))  # type: ignore[attr-defined]
        await until_seen(pilot, "aaa")
        assert "▸ ● caddy" in seen(app)


async def test_the_views_switch_by_number(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    async with app.run_test() as pilot:
        await pilot.press("6")
        await until_seen(pilot, "Nothing has been changed from here yet")
        await pilot.press("9")
        assert app.current_mode == "timeline"
        await pilot.press("1")
        await until_seen(pilot, "GPU 0")


async def test_only_visible_containers_are_read(make_app: MakeApp) -> None:
    app = make_app(hosts.three_hundred())
    async with app.run_test(size=(80, 24)) as pilot:
        assert len(app.live.watched) == 3  # type: ignore[attr-defined]
        await pilot.press("G", "enter", "G")
        assert ident("batch-294") in app.live.watched  # type: ignore[attr-defined]
        assert len(app.live.watched) < 24  # type: ignore[attr-defined]
