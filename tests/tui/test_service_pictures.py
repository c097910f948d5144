"""Pictures of services: the dashboard, the services view and the pre-check, at both sizes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from actions.fit.service import fit_service
from actions.plan import Check, Plan, Refusal, Step
from actions.session import Session
from actions.snapshot import HostSnapshot
from screens.tui.plan_dialog import PlanDialog
from tests.support import hosts
from tests.tui.conftest import MakeApp, make_session
from tests.tui.seeing import until, until_seen
from tests.tui.stand_ins import Script, entry, make_plan
from tests.tui.test_pictures import SIZES, Compare, before

CONFIG = """
[services.myia]
container = "myia"
kind = "forge"
gpu = "3080"
vram_budget = "8 GiB"

[services.comfyui-qwen]
container = "comfyui-qwen"
kind = "comfyui"
gpu = "3090"
variant = "qwen-edit-2509-fp8"

[services.myia-turbo]
container = "myia-turbo"
kind = "forge"
gpu = "3090"
vram_budget = "8 GiB"

[layouts.exclusive]
services = ["myia", "comfyui-qwen"]

[layouts.dual]
services = ["myia", "myia-turbo", "comfyui-qwen"]
"""
DASHBOARDS: tuple[Callable[[], HostSnapshot], ...] = (
    hosts.services_studio,
    hosts.services_crash,
    hosts.services_misplaced,
    hosts.services_troubled,
    hosts.services_discovered,
    hosts.services_hostile,
)
LOOKS = ("light", "high-contrast", "colour-blind")


def themed(look: str) -> str:
    """Give the config with a look."""
    return f'{CONFIG}\n[ui]\ntheme = "{look}"\n'


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("make", DASHBOARDS, ids=lambda make: make.__name__)
def test_dashboard(
    snap_compare: Compare,
    make_app: MakeApp,
    make: Callable[[], HostSnapshot],
    size: tuple[int, int],
) -> None:
    assert snap_compare(make_app(make(), CONFIG), terminal_size=size, run_before=before())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("make", "keys", "seen"),
    [
        (hosts.services_studio, ("2",), "meant for"),
        (hosts.services_studio, ("2", "j"), "now used"),
        (hosts.services_studio, ("2", "G", "d", "pagedown"), "in all"),
        (hosts.services_crash, ("2", "G"), "exit 2: usage error"),
        (hosts.services_misplaced, ("2", "j"), "device_ids are not honoured"),
        (hosts.services_troubled, ("2",), "302 to /login"),
        (hosts.services_troubled, ("2", "j"), "no answer in 2 s"),
        (hosts.services_troubled, ("2", "G"), "no compose service would create it"),
        (hosts.services_discovered, ("2",), "is on"),
        (hosts.services_hostile, ("2",), "is on"),
        (hosts.no_engine, ("2",), "No services yet"),
        (hosts.services_studio, ("2", "tab"), "offload"),
        (hosts.services_studio, ("2", "tab", "e", "l", "d"), "empty host"),
        (hosts.services_studio, ("2", "tab", "tab"), "resident"),
        (hosts.services_studio, ("2", "tab", "tab", "j"), "do not fit together"),
        (hosts.services_studio, ("2", "x"), "give its VRAM back"),
        (hosts.services_studio, ("2", "M"), "Move myia to"),
    ],
    ids=[
        "ready", "busy", "stopped", "crash", "misplaced", "needs-auth", "hung", "absent",
        "discovered", "hostile", "none", "matrix", "matrix-empty", "layouts", "layout-refused",
        "menu", "move",
    ],
)  # fmt: skip
def test_services_view(
    snap_compare: Compare,
    make_app: MakeApp,
    make: Callable[[], HostSnapshot],
    keys: Sequence[str],
    seen: str,
    size: tuple[int, int],
) -> None:
    assert snap_compare(
        make_app(make(), CONFIG), terminal_size=size, run_before=before(*keys, seen=seen)
    )


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("key", "seen"), [("j", "now used"), ("tab", "offload")], ids=["services", "matrix"]
)
def test_looks(snap_compare: Compare, make_app: MakeApp, look: str, key: str, seen: str) -> None:
    app = make_app(hosts.services_studio(), themed(look))
    assert snap_compare(app, terminal_size=(80, 24), run_before=before("2", key, seen=seen))


def test_without_colour(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(hosts.services_troubled(), CONFIG, environ={"NO_COLOR": "1"})
    assert snap_compare(app, terminal_size=(80, 24), run_before=before("2", seen="/login"))


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 15), (112, 30), (220, 60)])
def test_sizes_between(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app(hosts.services_studio(), CONFIG)
    assert snap_compare(app, terminal_size=size, run_before=before("2"))


def refused_start(session: Session, snapshot: HostSnapshot, name: str = "myia-turbo") -> Plan:
    """Make a start that the pre-check of that very host refuses."""
    fit = fit_service(session, snapshot, name)
    return make_plan(
        "start",
        name,
        subject="service",
        target_id=name,
        fits=(fit,),
        checks=(Check(id="fit.refused", title=fit.reason, verdict="refuse"),),
        verdict="refused",
        refusal=Refusal(code="fit.refused", title=fit.reason, hint="see the ways out"),
    )


def busy_stop() -> Plan:
    """Make a stop that interrupts a job."""
    check = Check(
        id="service.busy",
        title="it interrupts its edit (15 %, 41s in) and 2 waiting jobs",
        verdict="warn",
        detail="--wait lets it finish first, --interrupt ends it in order",
    )
    return make_plan("stop", "comfyui-qwen", subject="service", verdict="warned", checks=(check,))


def move_with_diff() -> Plan:
    """Make a move that changes a compose file."""
    diff = """\
--- docker-compose-comfyui.yaml
+++ docker-compose-comfyui.yaml
@@ -8,7 +8,7 @@
   comfyui:
     # the big card
-    command: --cuda-device 1 --listen 0.0.0.0
+    command: --cuda-device 0 --listen 0.0.0.0
"""
    steps = tuple(
        Step(id=str(place), title=title, touches=("service comfyui-qwen",), command=command)
        for place, (title, command) in enumerate(
            [
                ("Change the card in its compose file", "edit docker-compose-comfyui.yaml"),
                ("Recreate comfyui-qwen", "docker compose up -d --force-recreate comfyui"),
                ("Wait until it is ready", "curl -fsS http://127.0.0.1:8188/system_stats"),
                ("See on which card it is", "curl -fsS http://127.0.0.1:8188/system_stats"),
            ],
            1,
        )
    )  # fmt: skip
    return make_plan("move", "comfyui-qwen", subject="service", steps=steps, diff=diff)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("kind", ["refused", "details", "busy", "move", "force"])
def test_plan_dialog(
    snap_compare: Compare,
    make_app: MakeApp,
    script: Script,
    tmp_path: Path,
    kind: str,
    size: tuple[int, int],
) -> None:
    snapshot = hosts.services_studio()
    session = make_session(tmp_path, CONFIG, False, {})
    plans = {"busy": busy_stop(), "move": move_with_diff()}
    plan = plans.get(kind) or refused_start(session, snapshot)
    script.plans["stop"] = script.plans["start"] = plan
    place = () if kind in plans else ("G",)
    after = {"details": ("d",), "force": ("F",)}.get(kind, ())

    async def wait(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanDialog))
        await pilot.press(*after)
        if kind == "force":
            await until_seen(pilot, "Type myia-turbo")

    app = make_app(snapshot, CONFIG)
    assert snap_compare(app, terminal_size=size, run_before=before("2", *place, "s", then=wait))


INTERRUPTED = (
    "switch dual was interrupted at step 3 of 7: its process ended; Start comfyui-qwen was begun; "
    "whether it was done is not known"
)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", ["2", "6"])
def test_interrupted(
    snap_compare: Compare,
    make_app: MakeApp,
    script: Script,
    view: str,
    size: tuple[int, int],
) -> None:
    script.entries = (entry("switch", "dual", "interrupted", 28, INTERRUPTED),)
    app = make_app(hosts.services_studio(), CONFIG)
    assert snap_compare(
        app, terminal_size=size, run_before=before(view, seen="▲ 22:13 switch dual was interrupted")
    )
