"""What an operator is told after a drill, as text and as JSON."""

from collections.abc import Iterator
from typing import Any

from actions.drills.debrief import Debrief
from actions.drills.deeds import CONSOLE, Deed
from console.units import format_duration
from console.unknown import Unknown, plain
from screens.cli.table import columns


def debrief_data(told: Debrief, exit_code: int | None = None) -> dict[str, Any]:
    """Give a debrief as JSON has it.

    Args:
        told: what is to be told.
        exit_code: of the command that was run inside; None where it was the full screen.
    """
    data = plain(told)
    data = {**data.pop("secret"), **data, "first_deed_seconds": told.first_seconds}
    if exit_code is not None:
        data["exit_code"] = exit_code
    return {"drill": data}


def debrief_text(told: Debrief) -> str:
    """Give a debrief in lines: how long, what it was, what mends it, what was done and when."""
    return "\n".join(_lines(told))


def _lines(told: Debrief) -> Iterator[str]:
    secret = told.secret
    yield f"DRILL      over after {format_duration(told.seconds)}: {_outcome(told)}"
    yield f"It was     {secret.scenario}: {secret.title}"
    yield f"Cause      {secret.cause}"
    for number, step in enumerate(secret.fix, 1):
        yield f"{'Fix' if number == 1 else '':<9}  {number}  {step}"
    yield f"Doctor     {secret.finding}, {secret.subject}"
    if not told.deeds:
        yield "You did    nothing that changed anything"
        return
    rows = columns([_row(one) for one in told.deeds], right=frozenset({0}))
    for number, row in enumerate(rows):
        yield f"{'You did' if not number else '':<9}  {row}"


def _outcome(told: Debrief) -> str:
    if isinstance(told.still_there, Unknown):
        return f"whether the cause is gone is not known ({told.still_there.title})"
    return "the cause is still there" if told.still_there else "the cause is gone"


def _row(one: Deed) -> list[str]:
    if one.by == CONSOLE:
        said = f"{one.outcome}: {one.text}" if one.text else one.outcome
    else:
        said = one.text
    return [f"+{format_duration(one.seconds)}", one.by, f"{one.what} {one.target}", said]
