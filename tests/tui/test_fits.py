"""Pre-checks off the screen's thread: kept, not made twice, made anew when the host has moved."""

import threading

from actions.snapshot import HostSnapshot
from console.errors import UsageError
from screens.tui.application import Console
from screens.tui.fits import GAP_SECONDS, ground
from tests.support import hosts
from tests.support.snapshots import changed, facts, gpu, gpu_snapshot
from tests.tui.conftest import MakeApp
from tests.tui.seeing import until


def with_free(used: float) -> HostSnapshot:
    """Give the studio with so many GiB used on its card."""
    return changed(hosts.services_studio(), gpu=gpu_snapshot(gpu(0, used=used)))


def test_idle_flicker_is_no_news_and_a_model_that_loads_is() -> None:
    assert ground(with_free(8.01)) == ground(with_free(8.02))
    assert ground(with_free(8)) != ground(with_free(9))
    less_ram = changed(with_free(8), host=facts(memory_available_bytes=20 * 1024**3))
    assert ground(less_ram) != ground(with_free(8))


async def test_it_gives_what_it_has_and_never_waits(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    gate, made = threading.Event(), []

    def make() -> str:
        made.append(1)
        assert gate.wait(10)
        return "done"

    async with app.run_test() as pilot:
        book = app.fits
        assert book.get("x", ("q", 1), make) is None
        assert book.get("x", ("q", 1), make) is None
        assert len(made) <= 1
        gate.set()
        await until(pilot, lambda: book.get("x", ("q", 1), make) == "done")
        assert made == [1]
        assert book.answers("x", ("q", 2))
        assert not book.answers("x", ("other", 1))


async def test_what_moved_is_made_anew_but_not_too_often(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    made: list[int] = []

    def ask(app: Console, question: str, state: int) -> object:
        def make() -> int:
            made.append(state)
            return state

        return app.fits.get("x", (question, state), make)

    async with app.run_test() as pilot:
        ask(app, "q", 1)
        await until(pilot, lambda: ask(app, "q", 1) == 1)
        assert ask(app, "q", 2) == 1
        await pilot.pause()
        assert made == [1], "the clock stands still: too soon"
        app.session.clock.advance(GAP_SECONDS)  # type: ignore[attr-defined]
        await until(pilot, lambda: ask(app, "q", 2) == 2)
        ask(app, "another", 2)
        await until(pilot, lambda: made == [1, 2, 2])


async def test_why_there_is_nothing_is_kept(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())

    def make() -> str:
        raise UsageError("layout.unknown", "there is no layout x")

    async with app.run_test() as pilot:
        app.fits.get("x", ("q", 1), make)
        await until(pilot, lambda: app.fits.trouble("x") is not None)
        error = app.fits.trouble("x")
        assert error is not None
        assert error.title == "there is no layout x"


async def test_what_a_plan_may_have_changed_is_made_anew(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy())
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return len(made)

    async with app.run_test() as pilot:
        await until(pilot, lambda: app.fits.get("x", ("q", 1), make) == 1)
        app.session.clock.advance(GAP_SECONDS)  # type: ignore[attr-defined]
        assert app.fits.get("x", ("q", 1), make) == 1
        await pilot.pause()
        assert made == [0], "nothing has moved"
        app.journal_changed()
        await until(pilot, lambda: app.fits.get("x", ("q", 1), make) == 2)
        await pilot.pause()
        assert made == [0, 1]
