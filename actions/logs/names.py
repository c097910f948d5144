"""Which containers the names on a command line mean."""

from collections.abc import Sequence

from actions.containers.find import container_of, find, listed_of
from actions.session import Session


def find_containers(session: Session, names: Sequence[str]) -> list[str]:
    """Give the ids of the containers that are meant: by service, name, id or its beginning.

    One that is named twice is given once.

    Raises:
        UsageError: a name means no container, or several.
        EngineError: the engine does not tell.
    """
    from console.engine.client import EngineClient

    with EngineClient(session.endpoint) as client:
        listed = [listed_of(entry) for entry in client.list()]
    found = [find(listed, container_of(session.settings, name)) for name in names]
    return list(dict.fromkeys(one.id for one in found))
