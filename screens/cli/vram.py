"""`gpuconsole timeline --vram`: how full the cards were, as a watch or a console has seen it."""

from datetime import datetime, timedelta
from typing import Any

from actions.watching.vram import CardHistory, Slice, read_vram
from console.errors import ExitCode
from console.units import format_gib
from console.unknown import NOT_KNOWN, iso_time
from screens.cli.context import Cli
from screens.cli.output import emit, say, write

_USUALLY = timedelta(hours=2)
_ROWS = 24
_BAR = 30


def vram_history(cli: Cli, since: datetime | None) -> int:
    """Show each card's VRAM over time, in at most 24 rows; JSON gives every minute."""
    session = cli.session
    now = session.clock.now()
    begin = now - _USUALLY if since is None else since
    cards = read_vram(session, begin, None if cli.as_json else _ROWS)
    if cli.as_json:
        data: dict[str, Any] = {
            "since": iso_time(begin),
            "cards": [
                {"uuid": card.uuid, "minutes": [_minute(one) for one in card.slices]}
                for card in cards
            ],
        }
        return emit(data)
    if session.rehearsal:
        say(f"REHEARSAL ({session.rehearsal})")
    if not cards:
        say("Nobody has watched the cards since then: `gpuconsole watch` does.")
    for card in cards:
        write(f"{card.uuid}  VRAM in GiB: mean, peak, of all; busy")
        _write_rows(card)
    return ExitCode.DONE


def _write_rows(card: CardHistory) -> None:
    before: Slice | None = None
    for one in card.slices:
        if before is not None and one.at - before.at > 2 * card.step:
            write("  …  nobody watched")
        before = one
        filled = round(_BAR * one.used / one.total) if one.total else 0
        peak = round(_BAR * one.peak / one.total) if one.total else 0
        bar = "█" * filled + "▒" * max(0, peak - filled)
        busy = NOT_KNOWN if one.busy is None else f"{one.busy:.0f} %"
        write(
            f"  {one.at.astimezone():%m-%d %H:%M}  {bar:<{_BAR}}  {format_gib(one.used):>5} "
            f"{format_gib(one.peak):>5} /{format_gib(one.total):>5}  {busy:>5}"
        )


def _minute(one: Slice) -> dict[str, Any]:
    return {
        "at": iso_time(one.at),
        "used_bytes": one.used,
        "peak_bytes": one.peak,
        "total_bytes": one.total,
        "busy_percent": one.busy,
    }
