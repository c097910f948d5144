"""The mounts of a container as they are on the host: there or not, size, room, read-only."""

from collections.abc import Sequence

from actions.details.snapshot import Mount, MountState
from actions.session import Session
from console.host.folders import ANSWERS_WITHIN, Folder, all_unknown, look_at
from console.unknown import Unknown

_IN_MEMORY = Unknown("details.in-memory", "lives in the container's memory, not on the host")
_NO_SOURCE = Unknown("details.no-source", "the engine names no path of the host for it")
_ELSEWHERE = Unknown(
    "details.other-host", "the engine runs on another host, whose disks cannot be seen from here"
)
_LOCAL = ("unix:", "http+unix:")


def read_mounts(
    session: Session, mounts: Sequence[Mount], within: float = ANSWERS_WITHIN
) -> tuple[MountState, ...]:
    """Look at each mount's source on this host; returns after `within` seconds at the latest.

    Sources are paths of the host, so they lie below its root (GPUCONSOLE_ROOT) like /proc does.
    """
    here = session.endpoint.address.startswith(_LOCAL)
    paths = {mount.source: _place(session, mount) for mount in mounts if _on_host(mount)}
    found = look_at(list(paths.values()), within) if here else {}
    by_source = {source: found[path] for source, path in paths.items() if here}
    return tuple(_state(mount, _folder(mount, by_source, here)) for mount in mounts)


def _place(session: Session, mount: Mount) -> str:
    return str(session.root / mount.source.lstrip("/"))


def _on_host(mount: Mount) -> bool:
    return mount.kind != "tmpfs" and mount.source.startswith("/")


def _folder(mount: Mount, found: dict[str, Folder], here: bool) -> Folder:
    if mount.kind == "tmpfs":
        return all_unknown(_IN_MEMORY)
    if not mount.source.startswith("/"):
        return all_unknown(_NO_SOURCE)
    return found[mount.source] if here else all_unknown(_ELSEWHERE)


def _state(mount: Mount, folder: Folder) -> MountState:
    return MountState(
        mount=mount,
        present=folder.present,
        size_bytes=folder.size_bytes,
        free_bytes=folder.free_bytes,
        total_bytes=folder.total_bytes,
        read_only=folder.read_only,
    )
