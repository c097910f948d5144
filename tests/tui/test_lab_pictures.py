"""Pictures of the lab, at both sizes, and of the main states in a light look."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.edits.kept import KeptEdit
from console.errors import ConsoleError
from screens.tui.application import Console
from screens.tui.lab.source import Checked
from screens.tui.view import Job
from tests.support import hosts
from tests.tui import lab_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.lab_scenes import Files, StillLab
from tests.tui.model_scenes import StillModels, on_disk
from tests.tui.seeing import until, until_seen
from tests.tui.test_pictures import SIZES, Compare, before
from tests.tui.test_service_pictures import CONFIG, themed

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
TRUE_COLOUR = {"COLORTERM": "truecolor", "TERM": "xterm-256color"}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Give pictures whose paths are the same on every machine."""
    (tmp_path / "jesse").mkdir()
    monkeypatch.chdir(tmp_path)
    return Files(Path("jesse"))


def lab_app(
    make_app: MakeApp,
    edits: Sequence[KeptEdit] = (),
    checked: Checked | ConsoleError | None = None,
    host: Any = hosts.services_studio,
    **changes: Any,
) -> Console:
    """Make a console whose edits stand still."""
    changes.setdefault("config", CONFIG)
    changes["environ"] = {**TRUE_COLOUR, **changes.get("environ", {})}
    app = make_app(host(), **changes)
    source = StillLab(app.session, edits)
    source.checked = checked
    app.lab._source = source
    app.models._source = StillModels(app.session, disk=on_disk(qwen_edit_2509_fp8="present"))
    return app


def filled(app: Console, files: Files) -> None:
    """Put an edit together."""
    draft = app.lab.state.draft
    draft.images = (files.before,)
    draft.prompt = "put the mug on a wooden table, morning light"
    draft.seed = 81422


def run_jobs(app: Console, *jobs: Job) -> None:
    """Have edits under way."""
    for one in jobs:
        app.desk.jobs[one.plan_id] = one
    app.show_jobs()


async def settled(pilot: Pilot[int]) -> None:
    """Wait until every picture in sight is drawn."""
    app = pilot.app
    assert isinstance(app, Console)
    await until(pilot, lambda: not getattr(app.screen, "drawing_pictures", False))
    await pilot.pause()


def taken(
    *keys: str, seen: str = "", first: Callable[[Console], None] | None = None
) -> Callable[[Pilot[int]], Any]:
    """Give what to do before a picture of the lab: open it, have things happen, press keys."""

    async def then(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Console)
        if first is not None:
            first(app)
            app.paint()
        for key in keys:
            if key.startswith("until:"):
                await until_seen(pilot, key.removeprefix("until:"))
            else:
                await pilot.press(key)
        if seen:
            await until_seen(pilot, seen)
        await settled(pilot)

    return before("4", "until:workflow", then=then)


@sizes
def test_a_first_look(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = lab_app(make_app)
    assert snap_compare(app, terminal_size=size, run_before=taken(seen="choose the picture"))


@sizes
@pytest.mark.parametrize(
    ("checked", "seen"),
    [(None, "FITS"), (scenes.MISSING_FILE, "fetches"), (scenes.STOPPED, "does not run")],
    ids=["fits", "missing", "stopped"],
)
def test_put_together(
    snap_compare: Compare,
    make_app: MakeApp,
    files: Files,
    checked: Checked | ConsoleError | None,
    seen: str,
    size: tuple[int, int],
) -> None:
    app = lab_app(make_app, (scenes.kept(files), scenes.FAILED), checked)
    filled(app, files)
    assert snap_compare(app, terminal_size=size, run_before=taken(seen=seen))


LIVE = "sampling 12/20"


def under_way(files: Files, *others: Job) -> Callable[[Console], None]:
    """Have an edit sampled, with a live picture; more may wait."""

    def begin(app: Console) -> None:
        filled(app, files)
        state = app.lab.state
        state.looks = True
        run_jobs(app, scenes.job(scenes.now(preview=files.live, previews=3)), *others)

    return begin


def waiting(edit_id: str = "5ea2", ahead: int = 1) -> Job:
    """Make an edit that waits in the queue of its service."""
    now = scenes.now("queued", edit_id=edit_id, ahead=ahead, step=0, steps=0, node="", number=0,
                     total=0, left_seconds=None, seconds_per_step=None)  # fmt: skip
    return scenes.job(now, plan_id=edit_id)


RUNNING = {"state": "running", "ended_at": None, "vram_peak_bytes": None, "seed": 81422}


@sizes
def test_sampling(
    snap_compare: Compare, make_app: MakeApp, files: Files, size: tuple[int, int]
) -> None:
    running = scenes.kept(None, **RUNNING, recipe={"request": {"images": [files.before]}})
    earlier = scenes.kept(files, id="0a11")
    app = lab_app(make_app, (running, earlier))
    run = taken(seen=LIVE, first=under_way(files, waiting()))
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
def test_waiting_in_the_queue(
    snap_compare: Compare, make_app: MakeApp, files: Files, size: tuple[int, int]
) -> None:
    def begin(app: Console) -> None:
        filled(app, files)
        run_jobs(app, waiting(ahead=2))

    app = lab_app(make_app, ())
    run = taken(seen="queued, 2 before it", first=begin)
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        (("tab",), "seed 81421"),
        (("tab", "f"), "seed 81421"),
        (("tab", "enter"), scenes.EDIT_ID),
        (("tab", "x"), "its result as the next"),
        (("d",), "weights"),
        (("down",) * 4 + ("enter", "end"), "letters"),
        (("t",), "Begin with"),
        (("down", "down", "until:FITS", "enter"), "get 28.0 GiB"),
        (("H",), "Earlier prompts"),
    ],
    ids=["result", "flipped", "full", "menu", "details", "typing", "templates", "variants",
         "history"],
)  # fmt: skip
def test_around_a_result(
    snap_compare: Compare,
    make_app: MakeApp,
    files: Files,
    keys: Sequence[str],
    seen: str,
    size: tuple[int, int],
) -> None:
    edits = (scenes.kept(files), scenes.FAILED, scenes.UNCOLLECTED, scenes.CANCELLED)
    app = lab_app(make_app, edits)
    filled(app, files)
    run = taken("until:done", "until:FITS", *keys, seen=seen)
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
@pytest.mark.parametrize("place", [1, 2], ids=["failed", "uncollected"])
def test_without_a_result(
    snap_compare: Compare, make_app: MakeApp, files: Files, place: int, size: tuple[int, int]
) -> None:
    edits = (scenes.kept(files), scenes.FAILED, scenes.UNCOLLECTED, scenes.CANCELLED)
    app = lab_app(make_app, edits)
    run = taken("until:done", "tab", *["down"] * place, "enter", seen=edits[place].id)
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
def test_one_thing_changed(
    snap_compare: Compare, make_app: MakeApp, files: Files, size: tuple[int, int]
) -> None:
    app = lab_app(make_app, (scenes.kept(files),))
    keys = ("until:done", "tab", "r", "until:again: nothing", *["down"] * 3, "right", "right")
    run = taken(*keys, seen="again: steps changed")
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
@pytest.mark.parametrize("kind", ["read-only", "no-service", "no-pictures", "no-colour"])
def test_what_is_missing(
    snap_compare: Compare, make_app: MakeApp, files: Files, kind: str, size: tuple[int, int]
) -> None:
    cases: dict[str, dict[str, Any]] = {
        "read-only": {"read_only": True},
        "no-service": {
            "host": hosts.healthy,
            "checked": ConsoleError(
                "workflow.no-service",
                "no comfyui is known here",
                "`gpuconsole status` shows the services; `gpuconsole config adopt` adds some",
            ),
        },
        "no-pictures": {"config": f'{CONFIG}\n[ui]\npictures = "none"\n'},
        "no-colour": {"environ": {"NO_COLOR": "1"}},
    }
    app = lab_app(make_app, (scenes.kept(files),), **cases[kind])
    filled(app, files)
    seen = {"read-only": "nothing is sent", "no-service": "no comfyui is known"}.get(kind, "FITS")
    assert snap_compare(app, terminal_size=size, run_before=taken("until:done", seen=seen))


@sizes
def test_in_a_light_look(
    snap_compare: Compare, make_app: MakeApp, files: Files, size: tuple[int, int]
) -> None:
    app = lab_app(make_app, (scenes.kept(files), scenes.FAILED), config=themed("light"))
    filled(app, files)
    run = taken("until:done", "until:FITS", "tab", seen="seed 81421")
    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (100, 30), (120, 40)])
def test_sizes_between(
    snap_compare: Compare, make_app: MakeApp, files: Files, size: tuple[int, int]
) -> None:
    app = lab_app(make_app, (scenes.kept(files),))
    filled(app, files)
    assert snap_compare(app, terminal_size=size, run_before=taken())
