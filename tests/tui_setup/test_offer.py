"""Setup is offered once, to who opens a console on a host without a config."""

from collections.abc import Iterator

import pytest

from actions.session import open_session
from actions.setup.memory import Memory
from console.config.load import load
from screens.tui.application import Console
from screens.tui.setup.arrival import arrive, may_offer
from screens.tui.setup.dialogs import Buttons
from screens.tui.setup.screen import SetupScreen
from tests.support import hosts
from tests.support.fresh import FreshHost, fresh_host
from tests.tui.conftest import MakeApp, make_app, script
from tests.tui.seeing import seen, until, until_seen
from tests.tui_setup.conftest import Unset, make_console, report_of, settled, walk_of

__all__ = ["make_app", "script"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshHost]:
    with fresh_host(tmp_path_factory.mktemp("bare")) as host:
        yield host


def opened(host: FreshHost) -> Console:
    """Make a console that has just been opened."""
    app = make_console(open_session(host.environ))
    app.arrival = lambda: arrive(app, False)
    return app


async def test_it_is_offered_once_and_who_looks_around_is_not_asked_again(
    bare: FreshHost,
) -> None:
    app = opened(bare)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Set this host up?")
        assert "Nothing is written or installed without a yes" in seen(app)
        await pilot.press("tab", "enter")
        await until_seen(pilot, "gpuconsole setup opens it later")
        places = app.session.places
        await until(pilot, lambda: Memory(places).now.offered)
    assert not bare.config.exists()
    again = opened(bare)
    async with again.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "2 cards, 0 of 0 containers")
        # Longer than the offer waits for a host.
        for _ in range(20):
            await pilot.pause(0.03)
        assert not isinstance(again.screen, Buttons)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"guided", "enter")
        await until(pilot, lambda: isinstance(again.screen, SetupScreen))
        assert (await settled(pilot)).id == "host"


async def test_nobody_is_asked_who_has_a_config_or_may_change_nothing(
    bare: FreshHost, unset: Unset
) -> None:
    assert may_offer(opened(bare))
    assert not may_offer(make_console(open_session(bare.environ, read_only=True)))
    assert not may_offer(unset.console())


async def test_who_may_change_nothing_is_shown_all_and_told_why(bare: FreshHost) -> None:
    from screens.tui.setup.flow import open_setup

    app = make_console(open_session(bare.environ, read_only=True))
    async with app.run_test(size=(80, 24)) as pilot:
        open_setup(app)
        await settled(pilot)
        assert "Nothing is changed from here" in seen(app)
        while walk_of(app).at != "variant":
            await pilot.press("enter")
            await settled(pilot)
        assert not bare.config.exists()
    assert not load(bare.config).present


async def test_where_there_is_neither_card_nor_engine_a_key_opens_it(make_app: MakeApp) -> None:
    app = make_app(hosts.neither())
    app.arrival = lambda: arrive(app, False)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sets this host up")
        await until_seen(pilot, "opens the rehearsal host")
        assert not isinstance(app.screen, Buttons)
        await pilot.press("S")
        await settled(pilot)
        assert report_of(app).state == "blocked"
        await until_seen(pilot, "What you can do")


async def test_left_for_the_host_it_says_how_to_come_back(bare: FreshHost) -> None:
    from screens.tui.setup.flow import open_setup

    app = opened(bare)
    async with app.run_test(size=(100, 30)) as pilot:
        open_setup(app)
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("escape")
        await until_seen(pilot, "setup goes on here the next time")
    assert Memory(app.session.places).now.at == "cards"
    later = opened(bare)
    async with later.run_test(size=(100, 30)) as pilot:
        open_setup(later)
        report = await settled(pilot)
        assert report.id == "cards"
        # Whoever hurries on at once finds the steps before in the list all the same.
        await pilot.press("enter")
        await until(pilot, lambda: "host" in walk_of(later).reports)
        assert walk_of(later).reports["host"].state == "done"


@pytest.mark.parametrize("view", ["setup", "4", "5"])
async def test_ctrl_c_quits_from_everywhere(bare: FreshHost, view: str) -> None:
    from screens.tui.setup.flow import open_setup

    app = make_console(open_session(bare.environ))
    async with app.run_test(size=(80, 24)) as pilot:
        if view == "setup":
            open_setup(app)
            await settled(pilot)
        else:
            await pilot.press(view)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0
