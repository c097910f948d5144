"""What a test sees of a running console: the screen as text, and waiting for words on it."""

from collections.abc import Callable

from textual.pilot import Pilot

from screens.tui.application import Console


def seen(app: Console) -> str:
    """Give the whole screen as text, dialogs and all."""
    screens = [*app._background_screens, app.screen]
    size = app.size
    rows = [[" "] * size.width for _ in range(size.height)]
    for screen in screens:
        for widget in screen.query("Pane, PictureView"):
            if not widget.display:
                continue
            region = widget.region
            for y in range(region.height):
                text = widget.render_line(y).text
                if 0 <= region.y + y < size.height:
                    rows[region.y + y][region.x : region.x + len(text)] = list(text)
    return "\n".join("".join(row)[: size.width].rstrip() for row in rows)


def line_with(app: Console, words: str) -> str:
    """Give the first line of the screen that contains `words`."""
    return next((line for line in seen(app).splitlines() if words in line), "")


async def until(pilot: Pilot[int], condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Let the console work until a condition holds, and fail after `seconds`.

    Raises:
        AssertionError: it never held.
    """
    import asyncio

    async def turn() -> None:
        while not condition():
            await pilot.pause(0.01)

    try:
        await asyncio.wait_for(turn(), seconds)
    except TimeoutError:
        app = pilot.app
        shown = seen(app) if isinstance(app, Console) else ""
        raise AssertionError(f"not within {seconds} s; the screen says:\n{shown}") from None


async def until_seen(pilot: Pilot[int], words: str) -> None:
    """Wait until the screen says `words`."""
    app = pilot.app
    assert isinstance(app, Console)
    await until(pilot, lambda: words in seen(app))
