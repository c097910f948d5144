"""What every screen has to say of itself: a rehearsal, a journal that is not kept, every key."""

import pytest
from msgspec.structs import replace

from console.unknown import Unknown
from screens.tui import details_screen, keys, menu_dialog, plan_dialog
from screens.tui.container import keys as container_keys
from screens.tui.keys import KeyHelp
from screens.tui.models.keys import JOBS, MODELS
from tests.support import hosts
from tests.support.snapshots import changed
from tests.tui.conftest import MakeApp
from tests.tui.seeing import line_with, seen, until_seen
from tests.tui.stand_ins import Script

GONE = Unknown("gpu.lost", "the card fell off the bus")
REHEARSAL = {"GPUCONSOLE_REHEARSAL": "studio"}
SHOWN = {
    "question_mark": "?", "slash": "/", "escape": "Esc", "enter": "↵", "pageup": "PgUp",
    "pagedown": "PgDn", "home": "Home", "end": "End", "up": "↑", "down": "↓", "left": "←",
    "right": "→", "tab": "Tab", "shift+tab": "Shift-Tab", "f1": "F1",
}  # fmt: skip
SPOKEN = {"ctrl+q": "Ctrl-Q"}
"""Keys that the words of the help name."""


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12), (24, 6), (20, 5)])
@pytest.mark.parametrize("key", ["", "question_mark", "i", "6", "left,enter", "s", "x"])
async def test_every_screen_says_that_it_is_a_rehearsal(
    make_app: MakeApp, size: tuple[int, int], key: str
) -> None:
    app = make_app(hosts.healthy(), environ=REHEARSAL)
    async with app.run_test(size=size) as pilot:
        if key:
            await pilot.press(*key.split(","))
            await pilot.pause(0.1)
        await until_seen(pilot, "REHEARSAL")


async def test_a_journal_that_is_not_kept_is_said_and_stays_said(
    make_app: MakeApp, script: Script
) -> None:
    script.problem = Unknown("store.full", "the journal is not kept: the disk is full", "Make room")
    app = make_app(hosts.healthy())
    async with app.run_test(size=(100, 30)) as pilot:
        app.desk.follow_running()
        await until_seen(pilot, "▲ the journal is not kept: the disk is full; Make room")
        await pilot.press("down")
        assert "the disk is full" not in seen(app)
        assert "JOURNAL TROUBLE" in line_with(app, "gpuconsole")
        await pilot.press("6")
        await until_seen(pilot, "the journal is not kept: the disk is full; Make room")


async def test_no_colour_stays_without_colour(make_app: MakeApp) -> None:
    app = make_app(hosts.healthy(), environ={"NO_COLOR": "1"})
    async with app.run_test(size=(80, 24)):
        offered = [command.title for command in app.get_system_commands(app.screen)]
        assert sum(title.startswith("Theme:") for title in offered) == 1


@pytest.mark.parametrize(
    "key",
    [
        *keys.DASHBOARD, *keys.EVERYWHERE, *plan_dialog.KEYS, *menu_dialog.KEYS,
        *details_screen.KEYS, *container_keys.TABS, *MODELS, *JOBS,
    ],
    ids=lambda key: key.keys,
)  # fmt: skip
def test_the_help_names_every_key_that_works(key: KeyHelp) -> None:
    told = key.shown.split()
    for name in key.keys.split(","):
        if len(name) == 1 or name in SHOWN:
            word = "Tab" if name == "shift+tab" and "Tab" in told else SHOWN.get(name, name)
            assert word in told, f"{name} of {key.help}"
        elif name in SPOKEN:
            assert SPOKEN[name] in key.help


async def test_a_lost_card_is_not_said_to_be_free(make_app: MakeApp) -> None:
    base = hosts.healthy()
    lost = replace(base.gpu.gpus[0], lost=GONE, memory_used_bytes=GONE)
    snapshot = changed(base, gpu=replace(base.gpu, gpus=(lost, *base.gpu.gpus[1:])))
    app = make_app(snapshot)
    async with app.run_test(size=(120, 40)):
        assert "nobody holds memory" not in seen(app)
        assert "who holds it is not known" in seen(app)
    narrow = make_app(snapshot)
    async with narrow.run_test(size=(40, 12)):
        assert "✖ lost" in seen(narrow)


async def test_without_an_engine_memory_is_not_said_to_be_of_others(make_app: MakeApp) -> None:
    app = make_app(hosts.no_engine())
    async with app.run_test(size=(80, 24)):
        text = seen(app)
        assert "not told apart" in text
        assert " other " not in text


async def test_heat_is_named_before_the_power_cap_and_once(make_app: MakeApp) -> None:
    base = hosts.healthy()
    reasons = ("sw_power_cap", "sw_thermal_slowdown", "hw_thermal_slowdown")
    hot = replace(base.gpu.gpus[0], throttle_reasons=reasons)
    app = make_app(changed(base, gpu=replace(base.gpu, gpus=(hot, *base.gpu.gpus[1:]))))
    async with app.run_test(size=(160, 48)):
        assert "slowed by heat, power-capped" in seen(app)


async def test_a_hint_that_is_cut_says_so(make_app: MakeApp) -> None:
    base = hosts.no_driver()
    told = Unknown("nvml.driver-not-loaded", "no driver", "first this, " * 30)
    app = make_app(changed(base, gpu=replace(base.gpu, problem=told)))
    async with app.run_test(size=(80, 24)):
        hint = [line for line in seen(app).splitlines() if "first this" in line]
        assert len(hint) == 2
        assert hint[1].endswith("…")
