"""Pictures of every state that matters: each at 80x24 and 160x48, and one in every other look."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from actions.plan import Check
from actions.snapshot import HostSnapshot
from screens.tui.application import Console
from screens.tui.plan_dialog import PlanDialog
from screens.tui.view import Job
from tests.support import hosts
from tests.tui.conftest import MakeApp
from tests.tui.seeing import until, until_seen
from tests.tui.stand_ins import Script, entry, make_plan, refused

SIZES = ((80, 24), (160, 48))
HOSTS: tuple[Callable[[], HostSnapshot], ...] = (
    hosts.healthy,
    hosts.crash_loop,
    hosts.no_driver,
    hosts.no_engine,
    hosts.neither,
    hosts.engine_lost,
    hosts.stale,
    hosts.one_card,
    hosts.sixteen_cards,
    hosts.three_hundred,
    hosts.hostile,
)
LOOKS = ("light", "high-contrast", "colour-blind")

Compare = Callable[..., bool]
Before = Callable[[Pilot[int]], Awaitable[None]]


def feed_history(app: Console) -> None:
    """Give the cards five minutes in which a model was loaded."""
    gpus = app.snapshot.gpu
    for second in range(310):
        load = 0.25 if second < 120 else min(1.0, 0.25 + (second - 120) / 80)
        cards = [_at_load(card, load, second) for card in gpus.gpus]
        app.history.feed(
            msgspec.structs.replace(gpus, gpus=tuple(cards), taken_monotonic=1_001.0 + second)
        )


def _at_load(card: Any, load: float, second: int) -> Any:
    used, busy = card.memory_used_bytes, card.utilization_percent
    if not isinstance(used, int) or not isinstance(busy, int):
        return card
    wave = (second * 7 % 23) / 23 * 20
    return msgspec.structs.replace(
        card,
        memory_used_bytes=int(used * load),
        utilization_percent=int(max(0, min(100, busy * load + wave - 10))),
    )


def before(*keys: str, seen: str = "", then: Before | None = None) -> Before:
    """Give what to do before the picture: feed the history, press keys, wait for words.

    A key such as `until:Files` waits for words before the next one is pressed.
    """

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Console)
        feed_history(app)
        app.paint()
        # A console that could not start would make an empty picture that always matches itself.
        await until_seen(pilot, app.snapshot.verdict.text[:6])
        for key in keys:
            if key.startswith("until:"):
                await until_seen(pilot, key.removeprefix("until:"))
            else:
                await pilot.press(key)
        if seen:
            await until_seen(pilot, seen)
        if then is not None:
            await then(pilot)
        await _computed(pilot, app)

    return run


async def _computed(pilot: Pilot[int], app: Console) -> None:
    """Wait until nothing that is in sight is still computed: one result may ask for the next."""
    for _ in range(2):
        await pilot.pause()
        await until(pilot, lambda: not app.fits._under_way)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("make", HOSTS, ids=lambda make: make.__name__)
def test_dashboard(
    snap_compare: Compare,
    make_app: MakeApp,
    make: Callable[[], HostSnapshot],
    size: tuple[int, int],
) -> None:
    assert snap_compare(make_app(make()), terminal_size=size, run_before=before())


@pytest.mark.parametrize("look", LOOKS)
def test_looks(snap_compare: Compare, make_app: MakeApp, look: str) -> None:
    app = make_app(hosts.crash_loop(), config=f'[ui]\ntheme = "{look}"\n')
    assert snap_compare(app, terminal_size=(80, 24), run_before=before())


def test_without_colour(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(hosts.crash_loop(), environ={"NO_COLOR": "1"})
    assert snap_compare(app, terminal_size=(80, 24), run_before=before())


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 15), (100, 30), (120, 40), (220, 60)])
def test_sizes_between(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    assert snap_compare(make_app(hosts.crash_loop()), terminal_size=size, run_before=before())


def test_rehearsal_and_read_only(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(hosts.healthy(), read_only=True, environ={"GPUCONSOLE_REHEARSAL": "studio"})
    assert snap_compare(app, terminal_size=(80, 24), run_before=before())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        (("left", "enter"), "card GPU 0"),
        (("i",), "this host"),
        (("question_mark",), "gpuconsole help"),
        (("x",), "(restarting)"),
        (("tab", "f"), "stop it to end the loop"),
        (("slash", "m", "y"), "/my"),
    ],
    ids=["card", "host", "help", "menu", "alerts", "search"],
)
def test_screens(
    snap_compare: Compare,
    make_app: MakeApp,
    keys: Sequence[str],
    seen: str,
    size: tuple[int, int],
) -> None:
    app = make_app(hosts.crash_loop())
    assert snap_compare(app, terminal_size=size, run_before=before(*keys, seen=seen))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("kind", ["ready", "warned", "refused", "kill"])
def test_plan_dialog(
    snap_compare: Compare, make_app: MakeApp, script: Script, kind: str, size: tuple[int, int]
) -> None:
    warning = Check(id="gpu", title="it holds 20.9 GiB of card 1 and is busy", verdict="warn")
    plans = {
        "ready": make_plan("stop", "myia-turbo"),
        "warned": make_plan(
            "stop", "myia-turbo", verdict="warned", checks=(*make_plan().checks, warning)
        ),
        "refused": refused(make_plan("stop", "myia-turbo")),
        "kill": make_plan("kill", "myia-turbo"),
    }
    script.plans["stop"] = plans[kind]

    async def wait(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanDialog))

    app = make_app(hosts.crash_loop())
    assert snap_compare(app, terminal_size=size, run_before=before("s", then=wait))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_running_plan(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    async def begin(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Console)
        job = Job(
            plan_id="1",
            verb="stop",
            target="myia",
            text="waiting for it to end by itself",
            started_monotonic=988.0,
            longest_seconds=25.0,
            detached=True,
        )
        app.desk.jobs[job.plan_id] = job
        app.show_jobs()

    app = make_app(hosts.healthy())
    assert snap_compare(app, terminal_size=size, run_before=before(then=begin))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_timeline(
    snap_compare: Compare, make_app: MakeApp, script: Script, size: tuple[int, int]
) -> None:
    script.entries = (
        entry(
            "kill", "myia-turbo", "done", 3, "myia-turbo is stopped, exit 137 (killed, as asked)"
        ),
        entry("stop", "myia-turbo", "failed", 5, "it did not end within 10 s; myia-turbo runs"),
        entry("start", "comfyui-qwen", "done", 90, "comfyui-qwen is running"),
        entry("restart", "caddy", "refused", 60 * 30, "this console is read-only"),
    )
    app = make_app(hosts.healthy())
    assert snap_compare(app, terminal_size=size, run_before=before("6", seen="22:36"))
