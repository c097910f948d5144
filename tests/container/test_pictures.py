"""Pictures of every tab, each at 80x24 and 160x48, and of the logs in their states."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
from textual.pilot import Pilot

from screens.tui.application import Console
from tests.container.conftest import MakeConsole
from tests.container.stand_ins import Answers
from tests.support import hosts
from tests.tui.seeing import until_seen

SIZES = ((80, 24), (160, 48))
Compare = Callable[..., bool]
Before = Callable[[Pilot[int]], Awaitable[None]]
sized = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def pressed(*keys: str, seen: str = "", opened: str = "container ") -> Before:
    """Give what to do before the picture: open the container, press keys, wait for words."""

    async def run(pilot: Pilot[int]) -> None:
        assert isinstance(pilot.app, Console)
        await pilot.press("enter")
        await until_seen(pilot, opened)
        await pilot.press(*keys)
        if seen:
            await until_seen(pilot, seen)
        pilot.app.view.notice = None
        pilot.app.paint()
        await pilot.pause()

    return run


TABS = {
    "overview": ((), "which means"),
    "logs": (("L",), "Running on local"),
    "environment": (("E",), "HF_TOKEN"),
    "mounts": (("M",), "61.3 GiB"),
    "raw": (("R", "slash", "s", "t", "enter"), "1 of 2"),
}


@sized
@pytest.mark.parametrize("tab", list(TABS))
def test_tab(snap_compare: Compare, make_app: MakeConsole, tab: str, size: tuple[int, int]) -> None:
    keys, words = TABS[tab]
    assert snap_compare(make_app(), terminal_size=size, run_before=pressed(*keys, seen=words))


@sized
def test_top(snap_compare: Compare, make_app: MakeConsole, size: tuple[int, int]) -> None:
    app = make_app(hosts.healthy())
    assert snap_compare(app, terminal_size=size, run_before=pressed("T", seen="supervisord -n"))


@sized
@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        (("g", "slash", *"local", "enter"), "of 1"),
        (("g", "ampersand", *"error", "enter"), "±2"),
        (("G", "left_curly_bracket", "left_curly_bracket", "enter"), "▾"),
        (("w", "t"), "10m"),
        (("up", "up", "v", "up", "up"), "3 marked"),
        (("o", "o"), "only /var/log/supervisor/forge"),
    ],
    ids=["search", "filter", "unfolded", "wrapped-ages", "marked", "one-source"],
)
def test_logs(
    snap_compare: Compare,
    make_app: MakeConsole,
    keys: Sequence[str],
    seen: str,
    size: tuple[int, int],
) -> None:
    assert snap_compare(make_app(), terminal_size=size, run_before=pressed("L", *keys, seen=seen))


def test_nothing_is_known_yet(
    snap_compare: Compare, make_app: MakeConsole, answers: Answers
) -> None:
    answers.hold.clear()
    assert snap_compare(make_app(), terminal_size=(80, 24), run_before=pressed("E"))
