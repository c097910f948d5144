"""The folder of a comparison's report: `OUTPUTS/DATE/compare-ID/`, 0700."""

from datetime import datetime
from pathlib import Path

from actions.edits.places import outputs_root
from actions.session import Session
from console.edits.keep_faults import keep_fault


def folder_of(session: Session, ident: str, at: datetime) -> Path:
    """Give where the report of a comparison goes; it need not exist."""
    return outputs_root(session) / f"{at.astimezone():%Y-%m-%d}" / f"compare-{ident}"


def make_folder(session: Session, folder: Path) -> None:
    """Make it, and the day's; what the config names is not made out of nothing.

    Raises:
        EditKeepError: it cannot be made.
    """
    root = outputs_root(session)
    try:
        if session.settings.paths.outputs is None:
            root.mkdir(parents=True, mode=0o700, exist_ok=True)
        else:
            root.mkdir(mode=0o700, exist_ok=True)
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise keep_fault(error, folder, folder.name) from error
