"""Pictures of the views of models and jobs, at both sizes, and of the main ones in a light look."""

from collections.abc import Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

from actions.downloads import Download
from actions.operations import RunningPlan
from actions.plan import AnyEvent, StepProgress, StepStarted
from actions.transfer import Transfer
from console.errors import ConsoleError
from screens.tui.application import Console
from screens.tui.models.source import Looked
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui import model_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.model_scenes import StillModels, download, on_disk, switch, transfer
from tests.tui.seeing import until_seen
from tests.tui.stand_ins import Script, make_plan
from tests.tui.test_pictures import SIZES, Compare, before
from tests.tui.test_service_pictures import CONFIG, themed

PARTLY = on_disk(qwen_edit_2509_fp8="present", qwen_vae="present")
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def models_app(
    make_app: MakeApp, looked: Looked = scenes.TIDY, disk: Any = None, **changes: Any
) -> Console:
    """Make a console whose model folders stand still."""
    changes.setdefault("config", CONFIG)
    app = make_app(hosts.services_studio(), **changes)
    app.models._source = StillModels(app.session, looked, disk)
    return app


def fetching(script: Script, moved: Transfer) -> None:
    """Have a download run in another console, at these figures."""
    plan = make_plan(
        "pull", "qwen-edit-2509-gguf-q4_k_m", id="7f3a9c21d0", subject="models", endless=True
    )
    script.under_way = (
        RunningPlan(plan=plan, since=NOW, step=1, text="", pid=48211, cancel_requested=False),
    )
    events: list[AnyEvent] = [
        StepStarted(at=NOW, plan_id=plan.id, step_id="1", title="Fetch it"),
        StepProgress(at=NOW, plan_id=plan.id, step_id="1", text="fetching", transfer=moved),
    ]
    script.events[plan.id] = _for_good(events)
    script.listed = (download(moved=moved),)


def _for_good(events: Sequence[AnyEvent]) -> Any:
    """Give events of a plan that goes on for as long as the test lasts."""
    import threading

    yield from events
    threading.Event().wait(60)


@sizes
@pytest.mark.parametrize(
    ("looked", "disk", "keys", "seen"),
    [
        (scenes.TIDY, on_disk(), ("3",), "get "),
        (scenes.TIDY, PARTLY, ("3",), "Files,"),
        (scenes.TIDY, PARTLY, ("3", "enter"), "Pre-check"),
        (scenes.TIDY, on_disk(qwen_edit_2509_fp8="wrong-size"), ("3",), "damaged"),
        (scenes.TIDY, on_disk(qwen_edit_2509_fp8="unreadable"), ("3",), "unreadable"),
        (scenes.NO_ROOTS, on_disk(), ("3",), "No models folder"),
        (scenes.TIDY, PARTLY, ("3", "until:Files,", "x"), "choose"),
        (scenes.TIDY, PARTLY, ("3", "tab"), "3 files"),
        (scenes.MESSY, PARTLY, ("3", "tab"), "10 files"),
        (scenes.MESSY, PARTLY, ("3", "i"), "not a model"),
        (scenes.MESSY, PARTLY, ("3", "i", "until:not a model", "j", "x"), "choose"),
        (scenes.MESSY, PARTLY, ("3", "t"), "By kind"),
        (scenes.GONE_ROOT, PARTLY, ("3", "tab"), "does not answer"),
        (scenes.NO_ROOTS, on_disk(), ("3", "tab"), "No models folder"),
        (scenes.TIDY, PARTLY, ("3", "tab", "tab"), "No download"),
    ],
    ids=[
        "nothing", "partly", "whole", "damaged", "unreadable", "no-folder", "menu", "tidy",
        "messy", "issues", "file-menu", "totals", "folder-hangs", "inventory-no-folder", "no-jobs",
    ],
)  # fmt: skip
def test_models(
    snap_compare: Compare,
    make_app: MakeApp,
    looked: Looked,
    disk: Any,
    keys: Sequence[str],
    seen: str,
    size: tuple[int, int],
) -> None:
    app = models_app(make_app, looked, disk)
    assert snap_compare(app, terminal_size=size, run_before=before(*keys, seen=seen))


@sizes
@pytest.mark.parametrize(
    "view",
    [("1",), ("3",), ("3", "shift+tab"), ("7",)],
    ids=["dashboard", "catalogue", "downloads", "jobs"],
)
@pytest.mark.parametrize(
    ("moved", "seen"),
    [(transfer(), "60 %"), (scenes.STALLED, "60 %")],
    ids=["fetching", "stalled"],
)
def test_a_download_under_way(
    snap_compare: Compare,
    make_app: MakeApp,
    script: Script,
    moved: Transfer,
    seen: str,
    view: Sequence[str],
    size: tuple[int, int],
) -> None:
    app = models_app(make_app, disk=PARTLY)
    fetching(script, moved)
    app.desk.follow_running()
    assert snap_compare(app, terminal_size=size, run_before=before(*view, seen=seen))


@sizes
@pytest.mark.parametrize("state", ["paused", "interrupted", "needs_token", "failed"])
def test_a_download_that_stopped(
    snap_compare: Compare, make_app: MakeApp, script: Script, state: str, size: tuple[int, int]
) -> None:
    app = models_app(make_app, disk=PARTLY)
    hub = "The hub is not there: nothing answers at huggingface.co"
    text = hub if state == "failed" else ""
    script.listed = (download(state, text=text), switch())
    assert snap_compare(app, terminal_size=size, run_before=before("7", seen="60 %"))


@sizes
def test_a_download_that_waits_stands_on_the_dashboard(
    snap_compare: Compare, make_app: MakeApp, script: Script, size: tuple[int, int]
) -> None:
    app = models_app(make_app, disk=PARTLY)
    script.downloads = (
        Download(
            id="7f3a9c21d0",
            target="qwen-edit-2509-gguf-q4_k_m",
            state="needs_token",
            transfer=transfer(),
            text="",
        ),
    )
    app.desk.follow_running()
    assert snap_compare(app, terminal_size=size, run_before=before(seen="needs token"))


@sizes
def test_the_hub_is_down(
    snap_compare: Compare, make_app: MakeApp, script: Script, size: tuple[int, int]
) -> None:
    app = models_app(make_app)
    script.error = ConsoleError(
        "hub.unreachable",
        "the hub cannot be reached: nothing answers at huggingface.co",
        "look at the network, a proxy or HF_ENDPOINT; what is fetched already is kept",
    )

    async def fetch(pilot: Pilot[int]) -> None:
        await pilot.press("p")
        await until_seen(pilot, "cannot be reached")

    run = before("3", seen="get ", then=fetch)
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
def test_what_can_never_run_on_a_card_says_why(
    snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]
) -> None:
    async def find(pilot: Pilot[int]) -> None:
        await pilot.press(*"/fp4", "enter", "escape")
        await until_seen(pilot, "2509 Nunchaku fp4 r32  qwen")

    app = models_app(make_app)
    run = before("3", seen="get ", then=find)
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
def test_read_only(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = models_app(make_app, disk=PARTLY, read_only=True)
    assert snap_compare(app, terminal_size=size, run_before=before("3", seen="Files,"))


@pytest.mark.parametrize("look", ["light", "high-contrast", "colour-blind"])
@pytest.mark.parametrize(
    ("keys", "seen"), [(("3",), "Files,"), (("3", "i"), "not a model"), (("7",), "60 %")],
    ids=["catalogue", "issues", "jobs"],
)  # fmt: skip
def test_looks(
    snap_compare: Compare,
    make_app: MakeApp,
    script: Script,
    look: str,
    keys: Sequence[str],
    seen: str,
) -> None:
    app = models_app(make_app, scenes.MESSY, PARTLY, config=themed(look))
    script.listed = (download(), download("paused", id="b2"), switch())
    assert snap_compare(app, terminal_size=(80, 24), run_before=before(*keys, seen=seen))


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 15), (112, 30), (220, 60)])
@pytest.mark.parametrize("keys", [("3",), ("3", "i"), ("7",)], ids=["catalogue", "issues", "jobs"])
def test_sizes_between(
    snap_compare: Compare,
    make_app: MakeApp,
    script: Script,
    keys: Sequence[str],
    size: tuple[int, int],
) -> None:
    app = models_app(make_app, scenes.MESSY, PARTLY)
    script.listed = (download(), switch())
    small = size[0] < 40 or size[1] < 10
    seen = "" if small else {"3": "get ", "i": "detail", "7": "switch dual"}[keys[-1]]
    assert snap_compare(app, terminal_size=size, run_before=before(*keys, seen=seen))
