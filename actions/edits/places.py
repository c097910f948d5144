"""Where edits are kept on this host, and what of them lies beside the journal meanwhile."""

import os
from pathlib import Path

from actions.session import Session
from console.edits.keeping import KeptFiles
from console.errors import UsageError
from console.paths import expand, find_home
from console.text import clean_line


def outputs_root(session: Session) -> Path:
    """Give the folder of kept pictures: `paths.outputs`, else `gpuconsole/outputs` of XDG's data.

    It need not exist.
    """
    own = session.settings.paths.outputs
    if own is not None:
        return expand(str(own), session.environ)
    data = session.environ.get("XDG_DATA_HOME", "")
    if data.startswith("/"):
        return Path(data) / "gpuconsole" / "outputs"
    home = find_home(session.environ)
    if home is None:
        return session.places.state_dir / "outputs"
    return home / ".local" / "share" / "gpuconsole" / "outputs"


def kept_files(session: Session) -> KeptFiles:
    """Give who puts pictures there; a folder that the config names is not made out of nothing."""
    named = session.settings.paths.outputs is not None
    return KeptFiles(outputs_root(session), session.clock, make_root=not named)


def preview_file(session: Session, edit_id: str, ending: str) -> Path:
    """Give the file of an edit's newest live picture, such as one that ends in `.jpg`."""
    return session.places.state_dir / "previews" / f"{edit_id}{ending}"


def spool_file(session: Session, edit_id: str, number: int) -> Path:
    """Give where a result waits that only we have, until its folder takes it."""
    return session.places.state_dir / "uncollected" / f"{edit_id}-{number}"


def check_out(folder: str) -> None:
    """See that copies may go into a folder, or that it may be made.

    Raises:
        UsageError: they may not, which is better known before an edit than after it
            (`edit.bad-out`).
    """
    said = ""
    for level in (Path(folder), *Path(folder).parents):
        try:
            level.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            said = error.strerror or str(error)
            break
        if not level.is_dir():
            said = f"{clean_line(str(level), 200)} is no folder"
        elif not os.access(level, os.W_OK | os.X_OK):
            said = f"{clean_line(str(level), 200)} may not be written to"
        break
    if said:
        raise UsageError(
            "edit.bad-out",
            f"the picture cannot be copied to {clean_line(folder, 200)}: {said}",
            "Name another folder; it is made where there is none",
        )
