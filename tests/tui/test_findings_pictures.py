"""Pictures of the findings view, at both sizes, and in a light look and without colour."""

from pathlib import Path

import pytest

from actions.runbook.finding import Finding
from screens.tui.application import Console
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui.conftest import make_session
from tests.tui.finding_scenes import MEND, StillDoctor, around, change, finding, result
from tests.tui.stand_ins import Script, StillLive
from tests.tui.test_pictures import SIZES, Compare, before

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
LOOP = finding(
    "container.crash-loop",
    title="myia-turbo crash-looping: 6 restarts since 22:14, exit 2: usage error",
    fix=(),
)
CUT = finding(
    "models.truncated",
    "qwen_image_edit_2509_fp8.safetensors",
    title="A model file is cut off: its header promises 20.4 GiB, 11.2 GiB are there",
    count=1,
    since=None,
    evidence=(),
)
WIDE = finding(
    "security.published-widely",
    "comfyui-qwen",
    severity="warning",
    title="comfyui-qwen is published to the whole network: port 8188",
    count=1,
    since=None,
)
PAST = finding("torch.oom", "myia", title="The card ran out of VRAM", count=4, current=False)
CHANGED = around(
    change(-0.2, "ended, exit 2: usage error", severity="error", count=6, until=NOW, verb="die"),
    change(1, "image ghcr.io/forge:1 became ghcr.io/forge:2", kind="image", changes=True),
    change(3, "restart myia-turbo done: runs", kind="plan", changes=True, who="jesse, tui"),
    change(50, "the NVIDIA driver was changed from 580.97 to 581.29", "driver", changes=True),
    change(2, "started", "watchtower", near=False),
)


def console(folder: Path, script: Script, *findings: Finding, config: str = "") -> Console:
    session = make_session(folder, config, False, {})
    skipped = result(
        ident="service.ready:myia",
        state="skip",
        title="API of myia: not checked, because the container does not run",
    )
    doctor = StillDoctor(result(*findings), result(), skipped, changes=CHANGED)
    return Console(session, StillLive(hosts.crash_loop()), lambda: script, findings=doctor)


ALL = (finding(mend=MEND), LOOP, CUT, WIDE, PAST)
KEYS = {
    "finding": ("5",),
    "step": ("5", "until:3 checks", "2"),
    "changes": ("5", "until:3 checks", "w"),
    "checks": ("5", "until:3 checks", "c"),
    "full": ("5", "until:3 checks", "f"),
    "search": ("5", "until:3 checks", "slash", "q", "w", "e", "n"),
}


@sizes
@pytest.mark.parametrize("scene", KEYS)
def test_findings(
    snap_compare: Compare, tmp_path: Path, script: Script, scene: str, size: tuple[int, int]
) -> None:
    app = console(tmp_path, script, *ALL)
    run = before(*KEYS[scene], seen="3 checks")
    assert snap_compare(app, terminal_size=size, run_before=run)


@sizes
def test_nothing_is_wrong(
    snap_compare: Compare, tmp_path: Path, script: Script, size: tuple[int, int]
) -> None:
    app = console(tmp_path, script)
    run = before("5", seen="Nothing wrong was found")
    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize("look", ["light", "high-contrast", "colour-blind"])
def test_looks(snap_compare: Compare, tmp_path: Path, script: Script, look: str) -> None:
    app = console(tmp_path, script, *ALL, config=f'[ui]\ntheme = "{look}"\n')
    run = before("5", seen="3 checks")
    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


@pytest.mark.parametrize("size", [(60, 16), (100, 30), (120, 60)], ids=str)
def test_sizes_between(
    snap_compare: Compare, tmp_path: Path, script: Script, size: tuple[int, int]
) -> None:
    app = console(tmp_path, script, *ALL)
    assert snap_compare(app, terminal_size=size, run_before=before("5", seen="3 checks"))
