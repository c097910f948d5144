"""The downloads and edits that have not ended for good, cheap enough to be asked for often."""

import msgspec

from actions.edit_now import EditNow
from actions.plan import StepProgress
from actions.session import Session
from actions.transfer import Transfer
from console.store.downloads import OpenDownload, read_open_downloads, read_open_edits
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


class RunningEdit(msgspec.Struct, frozen=True, kw_only=True):
    """An edit, a comparison or a load run in a line.

    Attributes:
        id: of its plan, and of the edit where it is one.
        target: its workflow, as people call it.
        state: `queued`, `running` or `interrupted`.
        now: how it goes, newest; None before the first word.
        text: the same in words; may be empty.
    """

    id: str
    target: str
    state: str
    now: EditNow | None
    text: str


def read_downloads(session: Session) -> tuple[Download, ...]:
    """Give them newest first; without any mark of one the database is not asked at all."""
    if not Markers(session.places).any():
        return ()
    found = []
    for row in read_open_downloads(session.store):
        told = _told(row)
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


def read_running_edits(session: Session) -> tuple[RunningEdit, ...]:
    """Give those that make pictures, newest first; as cheap as `read_downloads`."""
    if not Markers(session.places).any():
        return ()
    found = []
    for row in read_open_edits(session.store):
        told = _told(row)
        found.append(
            RunningEdit(
                id=row.id,
                target=row.target,
                state=row.state,
                now=told.edit if told else None,
                text=told.text if told else "",
            )
        )
    return tuple(found)


def _told(row: OpenDownload) -> StepProgress | None:
    """Give what it told last; None where it has not, or somebody else wrote it."""
    try:
        return msgspec.convert(row.told, StepProgress) if row.told else None
    except msgspec.ValidationError:
        return None
