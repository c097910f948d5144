"""Setup that stands still: a walk that was recorded, shown at one of its steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from actions.setup.report import StepReport
from console.errors import ConsoleError
from screens.tui.application import Console
from screens.tui.setup.flow import open_setup, setup_flow
from screens.tui.setup.walk import Doing, Running, Walk
from tests.tui_setup.record import recorded

PICTURES = ("mug.png", "table.png")


def still(
    app: Console,
    reports: Mapping[str, StepReport],
    at: str,
    *,
    running: Running | None = None,
    doing: Doing | None = None,
    problem: ConsoleError | None = None,
) -> Walk:
    """Open setup at a step of a walk whose thread never runs."""
    flow = setup_flow(app)
    walk = flow.walk
    walk.begun = True
    walk.steps = tuple(one.before.id for one in recorded()["fresh"])
    walk.reports = dict(reports)
    walk.at = at
    walk.running, walk.doing, walk.problem = running, doing, problem
    walk.applies = problem is None
    open_setup(app)
    return walk


def walked(host: str, at: str, *, done: bool = False, folder: Path | None = None) -> dict[str, Any]:
    """Give the reports of somebody who has come as far as a step, and has done it or not.

    `folder` is where the pictures of this test are.
    """
    found: dict[str, StepReport] = {}
    for one in recorded()[host]:
        here = one.before.id == at
        report = one.after if done or not here else one.before
        if folder is not None and report.pictures:
            names = PICTURES[: len(report.pictures)]
            report = msgspec.structs.replace(
                report, pictures=tuple(folder / name for name in names)
            )
        found[report.id] = report
        if here:
            break
    return found
