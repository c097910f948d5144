"""The step `host`: driver, container engine and disks, as the doctor sees them."""

from actions.setup.examined import commands_of, examined, titles_of
from actions.setup.ground import Ground
from actions.setup.report import Look

_BENEATH = ("host", "driver", "engine")


def look_at_host(ground: Ground) -> Look:
    """Run the doctor's checks of host, driver and engine."""
    whole = examined(ground, _BENEATH)
    found = tuple(f"{one.state:<4} {one.title}" for one in whole.results if one.state != "skip")
    findings = [one for one in whole.findings if one.severity != "info" and one.current]
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        return Look(
            state="blocked", detail=titles_of(errors), found=found, commands=commands_of(findings)
        )
    said = f"; to look at: {titles_of(findings)}" if findings else ""
    return Look(
        state="done",
        detail=f"{len(found)} checks, nothing in the way{said}",
        found=found,
        commands=commands_of(findings),
    )
