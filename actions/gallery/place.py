"""Where this session keeps the pictures of edits, and the records of them."""

from actions.session import Session
from console.edits import folder
from console.edits.keeping import KeptFiles
from console.store.edits import EditRecords


def kept_files(session: Session) -> KeptFiles:
    """Give the folder of kept pictures; nothing of it is looked at yet."""
    return folder.kept_files(session.settings.paths.outputs, session.environ, session.clock)


def edit_records(session: Session) -> EditRecords:
    """Give the records of edits."""
    return EditRecords(session.store)
