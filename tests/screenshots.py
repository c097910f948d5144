"""`make pictures`: the pictures of the docs, taken of the real screens in a rehearsal.

`make pictures ARGS="lab models"` takes only those named.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from textual import events
from textual.pilot import Pilot

from actions.live import LiveHost
from actions.operations import Operations
from actions.session import Session, open_session
from console.simulator.rehearsal import rehearsal
from screens.tui.application import Console
from tests.edits.making import asked, make
from tests.support.edits import EditHost, edit_host
from tests.tui.picture_files import write_picture
from tests.tui.seeing import seen, until

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


Step = Callable[[Pilot[int]], Awaitable[None]]


async def take(name: str, session: Session, size: tuple[int, int], step: Step) -> None:
    """Open the console, let `step` bring up what is wanted, and keep what the screen shows."""
    app = Console(session, LiveHost(session), lambda: Operations(session, via="tui"))
    async with app.run_test(size=size) as pilot:
        await step(pilot)
        IMAGES.mkdir(parents=True, exist_ok=True)
        (IMAGES / f"{name}.svg").write_text(app.export_screenshot(title="gpuconsole"))


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


async def main(names: list[str]) -> None:
    """Take the pictures named, or every one, one after the other."""
    for name in names or [*SHOTS, "gallery", "lab"]:
        print(name, flush=True)
        if name in SHOTS:
            await watched(name, SHOTS[name])
        else:
            await {"gallery": gallery, "lab": lab}[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
