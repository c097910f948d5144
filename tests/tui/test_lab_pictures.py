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
from tests.tui.seeing import until, until_seen
from tests.tui.test_pictures import SIZES, Compare, before
from tests.tui.test_service_pictures import CONFIG, themed

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
TRUE_COLOUR = {"COLORTERM": "truecolor", "TERM": "xterm-256color"}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Give pictures whose paths are the same on every machine."""
    folder = tmp_path / "jesse"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Files(folder)


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
