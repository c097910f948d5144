"""Whatever a container says of itself, no byte of it steers the terminal."""

from typing import Any

import pytest

from actions.details.inspected import details_of
from actions.details.raw import raw_lines
from actions.details.snapshot import ImageFacts
from actions.logs.tidy import tidy
from screens.tui.application import Console
from tests.container.conftest import MakeConsole
from tests.container.stand_ins import NOT_READ, Answers, entry
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui.seeing import until, until_seen

EVIL = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202eevil\u2066\x00\ud800\r\n\tend" + "x" * 5000


def hostile_inspect(ident: str) -> dict[str, Any]:
    """Give an inspect answer in which every text is hostile."""
    return {
        "Id": ident,
        "Name": f"/{EVIL}",
        "Path": EVIL,
        "Args": [EVIL, "--api-auth", EVIL],
        "State": {
            "Status": "running",
            "Error": EVIL,
            "Health": {"Status": EVIL, "Log": [{"Output": EVIL, "Start": EVIL}]},
        },
        "Config": {
            "Env": [EVIL, f"A={EVIL}", "=x", ""],
            "Image": EVIL,
            "User": EVIL,
            "WorkingDir": EVIL,
            "Labels": {EVIL: EVIL},
        },
        "HostConfig": {"LogConfig": {"Type": EVIL}, "Tmpfs": {EVIL: EVIL}},
        "Mounts": [{"Type": EVIL, "Source": EVIL, "Destination": EVIL, "Name": EVIL}],
        "NetworkSettings": {"Networks": {EVIL: {"IPAddress": EVIL, "Aliases": [EVIL]}}},
    }


def written(app: Console) -> str:
    """Give all that the screen's panes would send, as text."""
    panes = [pane for pane in app.screen.query("Pane") if pane.display]
    return "".join(pane.render_line(y).text for pane in panes for y in range(pane.size.height))


@pytest.mark.parametrize("key", ["O", "L", "E", "M", "T", "R"])
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_no_control_character_reaches_the_screen(
    make_app: MakeConsole, answers: Answers, key: str, size: tuple[int, int]
) -> None:
    host = hosts.hostile()
    ident = host.engine.containers[0].id
    told = hostile_inspect(ident)
    image = ImageFacts(
        name="x", id="y", created_at=None, size_bytes=1, platform="z", moved=NOT_READ
    )
    made = details_of(told, NOW, image, NOT_READ, raw_lines(told))
    assert made is not None
    answers.made = lambda _ident: made
    answers.prepared = [entry(tidy(text)[0], 1) for text in ("plain", EVIL, "end of it")]
    app = make_app(host)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.open_container(ident)
        await until(pilot, lambda: "Overview" in written(app))
        await pilot.press(key)
        if key == "L":
            await until_seen(pilot, "end of it")
        for _ in range(4):
            text = written(app)
            odd = [c for c in text if ord(c) < 32 or 0x7F <= ord(c) < 0xA0]
            assert odd == []
            assert not set(text) & set("\u202e\u2066\u200b\ufeff")
            await pilot.press("pagedown")
