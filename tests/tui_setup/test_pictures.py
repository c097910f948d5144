"""Pictures of every step of setup, on a fresh host and on one that is half done."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from actions.plan import StepProgress
from actions.transfer import Transfer
from console.errors import ConsoleError
from console.packaged import packaged
from screens.tui.application import Console
from screens.tui.setup.dialogs import leave, offer
from screens.tui.setup.walk import Running
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui.conftest import MakeApp, make_app, script
from tests.tui.seeing import until, until_seen
from tests.tui.stand_ins import make_plan
from tests.tui_setup.record import recorded
from tests.tui_setup.scenes import PICTURES, still, walked

__all__ = ["make_app", "script"]

SIZES = ((80, 24), (160, 48))
STEPS = [one.before.id for one in recorded()["fresh"]]
HALF_DONE = ("existing", "layout", "comfyui", "sharing", "start", "keep-running")
HERE = {"COLORTERM": "truecolor", "TERM": "xterm-256color", "HOME": "/home/jesse"}
Compare = Callable[..., bool]

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of pictures whose path is the same on every machine."""
    (tmp_path / "jesse").mkdir()
    for name in PICTURES:
        shutil.copy(packaged("pictures") / name, tmp_path / "jesse" / name)
    monkeypatch.chdir(tmp_path)
    return Path("jesse")


def console(make: MakeApp, look: str = "dark", **changes: Any) -> Console:
    """Make a console whose host stands still."""
    return make(hosts.healthy(), config=f'[ui]\ntheme = "{look}"\n', environ=HERE, **changes)


def at(
    show: Callable[[Console], object], *keys: str, seen: str = "Guided setup"
) -> Callable[[Pilot[int]], Any]:
    """Give what to do before a picture: open setup somewhere, press keys, wait for words."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Console)
        show(app)
        await until_seen(pilot, seen)
        for key in keys:
            await pilot.press(key)
        await until(pilot, lambda: not getattr(app.screen, "drawing_pictures", False))
        await pilot.pause()

    return run


@sizes
@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_a_fresh_host(
    snap_compare: Compare, make_app: MakeApp, folder: Path, step: str, size: tuple[int, int]
) -> None:
    reports = walked("fresh", step, folder=folder)
    run = at(lambda app: still(app, reports, step))
    assert snap_compare(console(make_app), terminal_size=size, run_before=run)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_in_a_light_look(
    snap_compare: Compare, make_app: MakeApp, folder: Path, step: str
) -> None:
    size = SIZES[STEPS.index(step) % 2]
    reports = walked("fresh", step, folder=folder, done=True)
    run = at(lambda app: still(app, reports, step))
    assert snap_compare(console(make_app, "light"), terminal_size=size, run_before=run)


@pytest.mark.parametrize("step", HALF_DONE)
def test_each_step_of_a_host_that_is_half_done(
    snap_compare: Compare, make_app: MakeApp, folder: Path, step: str
) -> None:
    size = SIZES[HALF_DONE.index(step) % 2]
    reports = walked("half-done", step, folder=folder)
    run = at(lambda app: still(app, reports, step))
    assert snap_compare(console(make_app), terminal_size=size, run_before=run)


@pytest.mark.parametrize(("host", "step"), [("small-card", "cards"), ("no-internet", "comfyui")])
def test_what_stands_in_the_way(
    snap_compare: Compare, make_app: MakeApp, host: str, step: str
) -> None:
    reports = walked(host, step, done=True)
    run = at(lambda app: still(app, reports, step), seen="What you can do")
    assert snap_compare(console(make_app), terminal_size=SIZES[0], run_before=run)


FETCHING = Transfer(
    bytes_done=7_900_000_000,
    bytes_total=30_200_000_000,
    rate_bytes_per_second=48_100_000.0,
    eta_seconds=463.0,
)


def fetching(app: Console) -> None:
    """Have files fetched."""
    plan = make_plan("pull", "qwen-edit-2511-fp8mixed", endless=True)
    told = StepProgress(at=NOW, plan_id=plan.id, step_id="1", text="", transfer=FETCHING)
    title = "Fetch qwen_image_edit_2511_fp8mixed.safetensors"
    began = app.session.clock.monotonic() - 171
    running = Running(plan=plan, title=title, number=1, progress=told, began=began)
    still(app, walked("fresh", "fetch"), "fetch", running=running)


@sizes
def test_files_that_come(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    run = at(fetching, seen="left")
    assert snap_compare(console(make_app), terminal_size=size, run_before=run)


@pytest.mark.parametrize(
    ("show", "words"),
    [
        (lambda app: app.push_screen(offer()), "Look around"),
        (lambda app: app.push_screen(leave("pull qwen", True, True)), "Leave setup?"),
    ],
    ids=["offer", "leave"],
)
def test_what_is_asked(
    snap_compare: Compare, make_app: MakeApp, show: Callable[[Console], object], words: str
) -> None:
    run = at(show, seen=words)
    assert snap_compare(console(make_app), terminal_size=SIZES[0], run_before=run)


@pytest.mark.parametrize(
    ("step", "keys", "size"),
    [
        ("comfyui", ("tab", "tab", "enter"), (80, 24)),
        ("comfyui", ("d",), (80, 24)),
        ("variant", ("tab", "down", "down"), (160, 48)),
        ("first-edit", ("tab",), (60, 15)),
        ("existing", (), (40, 10)),
    ],
    ids=["typing", "diff", "variants", "small", "smallest"],
)
def test_around_the_answers(
    snap_compare: Compare,
    make_app: MakeApp,
    folder: Path,
    step: str,
    keys: tuple[str, ...],
    size: tuple[int, int],
) -> None:
    reports = walked("fresh", step, folder=folder)
    run = at(lambda app: still(app, reports, step), *keys)
    assert snap_compare(console(make_app), terminal_size=size, run_before=run)


def test_where_nothing_may_be_changed(snap_compare: Compare, make_app: MakeApp) -> None:
    why = ConsoleError(
        "policy.read-only",
        "this console is read-only: it changes nothing",
        "Start it without --read-only, or set policy.read_only = false in the config",
    )
    reports = walked("fresh", "existing")
    run = at(lambda app: still(app, reports, "existing", problem=why))
    app = console(make_app, read_only=True)
    assert snap_compare(app, terminal_size=SIZES[0], run_before=run)
