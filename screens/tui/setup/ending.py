"""What setup ends with: what there is now, what is open, and where to go from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from actions.setup.report import StepReport
from screens.tui.setup.dialogs import Buttons
from screens.tui.setup.places import short
from screens.tui.setup.words import PASSED, capital

TELLING = ("start", "verify", "first-edit", "outside", "keep-running")
"""The steps whose state in a sentence says what there is now."""
NEXT = (
    "From here: 4 is the lab, where pictures of your own are edited; 1 shows cards and services; "
    "Ctrl-P finds everything. `gpuconsole doctor` says what is wrong, should anything be."
)
DOCS = "To read on: docs/workflows.md, docs/maintenance.md, docs/troubleshooting.md."


def ending(steps: Sequence[str], reports: Mapping[str, StepReport], home: Path | None) -> Buttons:
    """Give the last box: answers `lab`, `leave`, or the id of the first step that is open."""
    known = [reports[ident] for ident in steps]
    left = [one for one in known if one.state not in PASSED]
    if left:
        titles = ", ".join(capital(one.title) for one in left)
        return Buttons(
            "Setup is not finished",
            (f"Still open: {titles}.", "It can be left like this, and goes on at any time."),
            ((f"Go to: {capital(left[0].title)}", left[0].id), ("Leave", "leave")),
        )
    told = [f"✔ {short(_said(one), home)}" for one in known if _tells(one)]
    without = [capital(one.title) for one in known if one.state == "skipped"]
    told += [f"· left out: {', '.join(without)}"] if without else []
    return Buttons(
        "This host is set up",
        ("\n".join(told), NEXT, DOCS),
        (("Edit a picture", "lab"), ("Dashboard", "leave"), ("Stay in setup", "")),
    )


def _tells(report: StepReport) -> bool:
    return report.id in TELLING and report.state == "done"


def _said(report: StepReport) -> str:
    """Give how a step stands: of a picture and of a service where it is rather than its figures."""
    if report.id in {"start", "first-edit"} and report.found:
        return f"{report.detail.partition(':')[0]}: {report.found[0]}"
    return report.detail
