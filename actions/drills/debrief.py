"""The end of a drill: what the cause was, how long it took, what was done, whether it is over."""

from datetime import datetime

import msgspec

from actions.drills.deeds import Deed, read_deeds
from actions.drills.secret import Secret
from actions.runbook.finding import Finding
from actions.session import Session
from console.errors import ConsoleError
from console.unknown import Unknown


class Debrief(msgspec.Struct, frozen=True, kw_only=True):
    """What is told after a drill.

    Attributes:
        seconds: from the start of the clock to the end.
        deeds: what was done, the oldest first.
        still_there: whether the doctor finds the cause at the end; Unknown where it could not
            look, or where what it stands on cannot be looked at.
        first_seconds: when the first thing was done; None where nothing was.
    """

    secret: Secret
    started_at: datetime
    ended_at: datetime
    seconds: float
    deeds: tuple[Deed, ...]
    still_there: bool | Unknown

    @property
    def first_seconds(self) -> float | None:
        """When the first thing was done, in seconds; None where nothing was."""
        return self.deeds[0].seconds if self.deeds else None


def debrief(session: Session, secret: Secret, started_at: datetime) -> Debrief:
    """Look at the host once more, and give what is to be told; takes a second or two.

    Args:
        session: of the host, as the operator left it.
        secret: what it was.
        started_at: when the clock was started; it ends now.
    """
    ended_at = session.clock.now()
    return Debrief(
        secret=secret,
        started_at=started_at,
        ended_at=ended_at,
        seconds=round(max((ended_at - started_at).total_seconds(), 0.0), 1),
        deeds=read_deeds(session, started_at),
        still_there=_still_there(session, secret),
    )


def _still_there(session: Session, secret: Secret) -> bool | Unknown:
    from actions.doctor.check import Examination
    from actions.doctor.examining import examine

    try:
        *_, last = examine(session)
    except ConsoleError as error:
        return Unknown(error.code, error.title, error.hint)
    if not isinstance(last, Examination):
        return Unknown("drill.not-examined", "the doctor did not come to an end")
    if any(_is(one, secret) for one in last.findings):
        return True
    # Where the engine, or the driver, went meanwhile, nothing that stands on it can be looked at.
    blind = [one for one in last.results if one.state == "skip"]
    if blind and any(one.severity == "error" and one.current for one in last.findings):
        return Unknown("drill.hidden", f"not checked any more: {blind[0].title}")
    return False


def _is(one: Finding, secret: Secret) -> bool:
    return one.current and (one.id, one.subject) == (secret.finding, secret.subject)
