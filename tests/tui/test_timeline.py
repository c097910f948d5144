"""The timeline shows what happened to the host beside what was done to it."""

from datetime import timedelta

import msgspec

from actions.timeline import TimelineEntry
from tests.support import hosts
from tests.support.snapshots import NOW, ident
from tests.tui.conftest import MakeApp
from tests.tui.seeing import seen, until, until_seen
from tests.tui.stand_ins import Script, entry


def happened(kind: str, target: str, severity: str, minutes: float, text: str) -> TimelineEntry:
    """Make an entry of something that nobody asked for."""
    return msgspec.structs.replace(
        entry(kind, target, severity, minutes, text),
        kind=kind,
        plan_id=None,
        target_id=ident(target),
        command="",
        user="",
        ssh_origin="",
        via="",
        duration_seconds=None,
    )


async def test_what_happened_stands_between_what_was_done(
    make_app: MakeApp, script: Script
) -> None:
    loop = msgspec.structs.replace(
        happened("container", "myia-turbo", "error", 90, "ended, exit 2: usage error"),
        until=NOW - timedelta(minutes=2),
        count=57,
    )
    script.entries = (
        happened("alert", "card 1 RTX 3090", "ok", 1, "over: is nearly full"),
        loop,
        entry("restart", "myia", "done", 5, "myia is ready"),
        happened("config", "docker-compose.yaml", "info", 9, "it was edited"),
    )
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until_seen(pilot, "57 times since 21:11")
        lines = seen(app).splitlines()
        order = ("over: is nearly full", "✖ myia-turbo", "✔ restart myia", "docker-compose.yaml")
        places = [next(n for n, line in enumerate(lines) if words in line) for words in order]
        assert places == sorted(places)
        assert "22:39" in lines[places[1]]
        await pilot.press("a")
        await until(pilot, lambda: "docker-compose.yaml" not in seen(app))
        assert "restart myia" in seen(app)
        assert "1 entry" in seen(app)
        await pilot.press("a")
        await until_seen(pilot, "docker-compose.yaml")


async def test_a_name_without_end_leaves_room_for_what_happened(
    make_app: MakeApp, script: Script
) -> None:
    script.entries = (happened("container", "x" * 300, "error", 1, "ended, exit 2 " * 60),)
    app = make_app(hosts.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until_seen(pilot, "ended, exit 2")
        assert "…" in seen(app)
