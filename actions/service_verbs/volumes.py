"""Whether a container has volumes of its own, which a new one made in its place must take over."""

import re
from collections.abc import Mapping

from actions.service_verbs.doing import Doing
from console.engine.faults import NoSuchContainerError

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def has_own_volumes(doing: Doing, container_id: str) -> bool:
    """Tell whether a container has volumes without a name: what is in them nobody else holds.

    Raises:
        EngineError: the engine does not answer as it should.
    """
    if not container_id:
        return False
    try:
        with doing.client() as client:
            inspected = client.inspect(container_id)
    except NoSuchContainerError:
        return False
    mounts = inspected.get("Mounts")
    entries = mounts if isinstance(mounts, list) else []
    return any(_is_anonymous(entry) for entry in entries if isinstance(entry, Mapping))


def _is_anonymous(mount: Mapping[str, object]) -> bool:
    named = _ANONYMOUS.fullmatch(str(mount.get("Name") or ""))
    return mount.get("Type") == "volume" and named is not None
