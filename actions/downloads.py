"""The downloads that have not ended for good, cheap enough to be asked for at each refresh."""

import msgspec

from actions.plan import StepProgress
from actions.session import Session
from actions.transfer import Transfer
from console.store.downloads import read_open_downloads
from console.store.markers import Markers


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A download in a line.

    Attributes:
        id: of its plan; what `jobs` and its sisters are given.
        target: what is fetched, as people call it.
        state: `queued`, `running`, `paused`, `interrupted` or `needs_token`.
        transfer: its newest figures; None before the first. The rate means something only while
            it is `running`.
        text: what it last told; may be empty.
    """

    id: str
    target: str
    state: str
    transfer: Transfer | None
    text: str


def read_downloads(session: Session) -> tuple[Download, ...]:
    """Give them newest first; without any mark of one the database is not asked at all."""
    if not Markers(session.places).any():
        return ()
    rows = read_open_downloads(session.store)
    found = []
    for row in rows:
        try:
            told = msgspec.convert(row.told, StepProgress) if row.told else None
        except msgspec.ValidationError:
            told = None
        found.append(
            Download(
                id=row.id,
                target=row.target,
                state=row.state,
                transfer=told.transfer if told else None,
                text=told.text if told else "",
            )
        )
    return tuple(found)
