"""`make pictures`: the pictures of the docs, taken of the real screens in a rehearsal."""

import asyncio
import time
from pathlib import Path

from actions.live import LiveHost
from actions.operations import Operations
from actions.session import open_session
from console.simulator.rehearsal import rehearsal
from screens.tui.application import Console

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PICTURES = {
    "dashboard": ("crash-loop", (120, 34), ()),
    "dashboard-80x24": ("studio", (80, 24), ()),
    "plan": ("studio", (100, 30), ("j", "s")),
}
HISTORY_SECONDS = 45
"""How long a host is watched first, so that its history has something to show."""


async def take(name: str, scenario: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    """Watch a rehearsal for a while, press `keys`, and keep what the screen shows."""
    with rehearsal(scenario, seed=1) as host:
        session = open_session(host.environ)
        app = Console(session, LiveHost(session), lambda: Operations(session, via="tui"))
        async with app.run_test(size=size) as pilot:
            until = time.monotonic() + HISTORY_SECONDS
            while time.monotonic() < until:
                await pilot.pause(0.5)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(1.5)
            IMAGES.mkdir(parents=True, exist_ok=True)
            (IMAGES / f"{name}.svg").write_text(app.export_screenshot(title="gpuconsole"))


async def main() -> None:
    """Take every picture, one after the other."""
    for name, (scenario, size, keys) in PICTURES.items():
        await take(name, scenario, size, keys)


if __name__ == "__main__":
    asyncio.run(main())
