"""What setup asks the doctor, and how findings read as things to do."""

from collections.abc import Sequence

from actions.doctor.check import Examination
from actions.doctor.examining import examine
from actions.doctor.ground import Ground as DoctorGround
from actions.runbook.finding import Finding
from actions.setup.ground import Ground


def examined(
    ground: Ground, only: Sequence[str], service: str = "", doctor: DoctorGround | None = None
) -> Examination:
    """Give the doctor's examination of some groups, or of what is outside of one service.

    Args:
        ground: of setup.
        only: the groups.
        service: only what is about it.
        doctor: what the checks read, for whoever needs it afterwards.
    """
    for event in examine(ground.session, only=only, service=service, ground=doctor):
        if isinstance(event, Examination):
            return event
    raise AssertionError  # an examination always ends with the whole of it


def commands_of(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Give what to do about findings, each line once, under what it is about."""
    lines = [f"{one.subject}: {line}" for one in findings for line in one.fix]
    return tuple(dict.fromkeys(lines))


def titles_of(findings: Sequence[Finding]) -> str:
    """Give what findings are about and say, in one line."""
    return "; ".join(f"{one.subject}: {one.title}" for one in findings)
