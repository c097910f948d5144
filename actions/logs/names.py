"""Which containers the names on a command line mean."""

from collections.abc import Sequence

from actions.containers.find import Listed, find
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
        listed = [
            Listed(
                id=str(entry.get("Id") or ""),
                names=tuple(str(one).lstrip("/") for one in entry.get("Names") or ()),
            )
            for entry in client.list()
        ]
    found = [find(listed, _container_of(session, name)) for name in names]
    return list(dict.fromkeys(one.id for one in found))


def _container_of(session: Session, name: str) -> str:
    service = session.settings.services.get(name)
    return (service.container if service is not None else "") or name
