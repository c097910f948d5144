"""`make pictures`: the pictures of the docs, taken of the real screens in a rehearsal.

`make pictures ARGS="lab models"` takes only those named.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from textual import events
from textual.pilot import Pilot

from actions.live import LiveHost
from actions.operations import Operations
from actions.session import Session, open_session
from actions.workflows.building import Wish, build
from actions.workflows.shelf import packaged_workflows
from console.models.catalog import packaged_catalog
from console.simulator.rehearsal import rehearsal
from screens.tui.application import Console
from screens.tui.setup.arrival import arrive
from tests.edits.making import asked, make
from tests.support.edits import EditHost, edit_host
from tests.tui.picture_files import write_picture
from tests.tui.seeing import seen, until
from tests.tui_setup.conftest import make_console, settled

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LARGE = (120, 34)


class Shot(NamedTuple):
    """A picture: on which rehearsal, how large, after which keys, watched how long before."""

    scenario: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    seconds: float = 8


# Where history is on the screen, the host is watched until there is some.
SHOTS = {
    "dashboard": Shot("crash-loop", LARGE, seconds=45),
    "dashboard-80x24": Shot("studio", (80, 24), seconds=45),
    "plan": Shot("studio", (100, 30), ("j", "s"), seconds=45),
    "services": Shot("studio", LARGE, ("2",)),
    "models": Shot("studio", LARGE, ("3",)),
    "findings": Shot("crash-loop", LARGE, ("5",)),
}
SETUP = {
    "half-done-host": ("existing", "layout"),
    "fresh-host": ("cards", "variant", "comfyui", "first-edit"),
}
"""The steps of setup that are taken, by the host, each as `setup-STEP`."""
PROMPTS = (
    ("put the mug on a wooden table", "qwen-edit-2509-fp8"),
    ("the same mug in morning light", "qwen-edit-2509-gguf-q4_0"),
    ("a mug of blue glass", "qwen-edit-2509-gguf-q8_0"),
    ("snow outside the window behind it", "qwen-edit-2511-fp8mixed"),
    ("take the shadow away", "qwen-edit-2509-nunchaku-int4-r32"),
)
"""Prompts and variants of the edits that the gallery shows."""


def words(pilot: Pilot[int]) -> str:
    """Give what the screen says."""
    app = pilot.app
    assert isinstance(app, Console)
    return seen(app)


def keep(name: str, app: Console) -> None:
    """Write what the screen shows.

    Without `xml:space` librsvg drops the spaces in front of a word, and columns no longer line up.
    """
    picture = app.export_screenshot(title="gpuconsole")
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / f"{name}.svg").write_text(
        picture.replace("<svg ", '<svg xml:space="preserve" ', 1), "utf-8"
    )


Step = Callable[[Pilot[int]], Awaitable[None]]


async def take(name: str, session: Session, size: tuple[int, int], step: Step) -> None:
    """Open the console, let `step` bring up what is wanted, and keep what the screen shows."""
    app = Console(session, LiveHost(session), lambda: Operations(session, via="tui"))
    async with app.run_test(size=size) as pilot:
        await step(pilot)
        keep(name, app)


async def watched(name: str, shot: Shot) -> None:
    """Watch a rehearsal for a while, press the keys, and take the picture."""

    async def step(pilot: Pilot[int]) -> None:
        until_then = time.monotonic() + shot.seconds
        while time.monotonic() < until_then:
            await pilot.pause(0.5)
        for key in shot.keys:
            await pilot.press(key)
            await pilot.pause(2.5)

    with rehearsal(shot.scenario, seed=1) as host:
        await take(name, open_session(host.environ), shot.size, step)


def photo(host: EditHost, turn: int) -> Path:
    """Put a picture to be edited among the host's."""
    return write_picture(host.pictures / f"mug-{turn}.png", 640, 480, turn)


async def gallery() -> None:
    """Take the gallery, once there are edits in it."""

    async def step(pilot: Pilot[int]) -> None:
        await pilot.press("4", "g")
        await until(pilot, lambda: "What it took" in words(pilot), 30)
        await pilot.press("j")
        await pilot.pause(2.5)

    with tempfile.TemporaryDirectory() as home, edit_host(Path(home)) as host:
        session = host.session()
        for turn, (prompt, variant) in enumerate(PROMPTS):
            images = (str(photo(host, 40 * turn)),)
            make(session, asked(host, images=images, prompt=prompt, variant=variant, steps=20))
        await take("gallery", host.session(), LARGE, step)


async def lab() -> None:
    """Take the lab while an edit samples."""

    async def step(pilot: Pilot[int]) -> None:
        await pilot.press("4")
        await until(pilot, lambda: "choose the picture" in words(pilot), 30)
        pilot.app.screen.post_message(events.Paste(str(picture)))
        await until(pilot, lambda: "640x480" in words(pilot), 30)
        await pilot.press("down", "enter", *PROMPTS[0][0], "enter")
        await until(pilot, lambda: "FITS" in words(pilot) and "checking" not in words(pilot), 60)
        await pilot.press("s")
        await until(pilot, lambda: "sampl" in words(pilot), 60)
        await pilot.pause(4)

    with tempfile.TemporaryDirectory() as home, edit_host(Path(home), pace=6) as host:
        picture = photo(host, 0)
        await take("lab", host.session(), LARGE, step)


async def workflows() -> None:
    """Take the choice of a workflow in the lab."""

    async def step(pilot: Pilot[int]) -> None:
        await pilot.press("4")
        await until(pilot, lambda: "choose the picture" in words(pilot), 30)
        await pilot.press("up", "up", "up", "up", "up", "up", "up", "enter")
        await until(pilot, lambda: "Product showcase" in words(pilot), 30)
        await pilot.press("down", "down")
        await pilot.pause(1)

    with tempfile.TemporaryDirectory() as home, edit_host(Path(home)) as host:
        await take("workflows", host.session(), (100, 28), step)


async def api() -> None:
    """Take the services while a program has one edit run and two wait."""
    graph = build(
        next(one for one in packaged_workflows() if one.name == "edit-single"),
        packaged_catalog(),
        Wish(
            variant=packaged_catalog().variant("qwen-edit-2509-gguf-q4_k_m"),
            images=("picture-1.png",),
            prompt=PROMPTS[0][0],
        ),
    ).graph

    def send(url: str, seed: int) -> None:
        own = json.loads(json.dumps(graph))
        own["3"]["inputs"]["seed"] = seed
        body = json.dumps({"prompt": own}).encode()
        urllib.request.urlopen(f"{url}/prompt", body).close()

    async def step(pilot: Pilot[int]) -> None:
        await pilot.press("2")
        await until(pilot, lambda: "2 wait" in words(pilot), 60)
        await pilot.press("j")
        await until(pilot, lambda: "0 B (its own word)" not in words(pilot), 60)
        await pilot.pause(1)

    with tempfile.TemporaryDirectory() as home, edit_host(Path(home), pace=3) as host:
        shutil.copy(photo(host, 0), host.service_files / "input" / "picture-1.png")
        for seed in range(3):
            send(host.url(), seed)
        await take("api", host.session(), (100, 28), step)


def do(host: EditHost, home: Path, *lines: str) -> None:
    """Run commands on the host, one after the other, without a question."""
    environ = {**host.environ, "PYTHONPATH": str(IMAGES.parents[1])}
    for line in lines:
        command = [sys.executable, "-m", "console", *line.split(), "--yes"]
        subprocess.run(command, env=environ, cwd=home, capture_output=True)


async def timeline() -> None:
    """Take the timeline of a host on which something was done."""

    async def step(pilot: Pilot[int]) -> None:
        await pilot.press("6")
        await until(pilot, lambda: "restart comfyui-qwen" in words(pilot), 30)
        await pilot.pause(2)

    with tempfile.TemporaryDirectory() as home, edit_host(Path(home)) as host:
        photo(host, 0)
        edit = f"edit --workflow edit-single --image {host.pictures}/mug-0.png --prompt snow"
        lines = ("stop myia", "start myia", edit, "kill myia", "start myia", "restart comfyui-qwen")
        do(host, Path(home), *lines)
        await take("timeline", host.session(), (100, 28), step)


async def walk_setup(host: EditHost, wanted: tuple[str, ...]) -> None:
    """Walk setup by Enter and take the steps that are wanted, then leave."""
    app = make_console(open_session(host.environ))
    app.arrival = lambda: arrive(app, True)
    left = set(wanted)
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "Guided setup" in seen(app), 60)
        while left:
            report = await settled(pilot)
            # What a step finds is shown before it is done; a picture when it is there.
            if report.id in left and (report.state == "done" or report.id != "first-edit"):
                left.remove(report.id)
                await pilot.pause(1.5)
                keep(f"setup-{report.id}", app)
            assert report.state in {"done", "needed", "skipped"}, seen(app)
            await pilot.press("enter")


async def setup() -> None:
    """Take steps of setup: on a host that has nothing, and on one that has half of it."""
    for scenario, wanted in SETUP.items():
        with (
            tempfile.TemporaryDirectory() as home,
            edit_host(Path(home), scenario=scenario, pace=60) as host,
        ):
            await walk_setup(host, wanted)


ONES = {
    "gallery": gallery,
    "lab": lab,
    "workflows": workflows,
    "api": api,
    "timeline": timeline,
    "setup": setup,
}
"""Those that take more than keys, each on a host of its own."""


async def main(names: list[str]) -> None:
    """Take the pictures named, or every one, one after the other."""
    for name in names or [*SHOTS, *ONES]:
        print(name, flush=True)
        if name in SHOTS:
            await watched(name, SHOTS[name])
        else:
            await ONES[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
