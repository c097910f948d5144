"""The files in the model folders of this host, of ComfyUI's, Forge's and whoever else is known."""

from actions.session import Session
from console.models.hashes import HashRecords
from console.models.inventory.found import FoundFile
from console.models.inventory.roots import roots_of
from console.models.inventory.scan import scan


def known_files(session: Session) -> tuple[FoundFile, ...]:
    """Give what lies in every models folder that the config names or leads to.

    A folder that hangs gives what it has; files that did not change are not opened again.
    """
    settings = session.settings
    roots = roots_of(settings, settings.services.values(), session.environ)
    return scan(roots, HashRecords(session.store, session.clock)).files
