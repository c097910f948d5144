"""Which container a process belongs to, told by its cgroup."""

import re
from pathlib import Path

from console.files import read_limited
from console.unknown import Unknown

_LIMIT = 64 * 1024
# A container id is 64 hexadecimal digits, alone (cgroupfs: `/docker/<id>`, kubepods) or between a
# prefix and `.scope` (systemd: `docker-<id>.scope`, `cri-containerd-<id>.scope`, `libpod-<id>`).
# conmon is podman's watcher: it carries the id and runs outside.
_ID = re.compile(r"(?:^|[/:-])(?<!conmon-)([0-9a-f]{64})(?=$|[/.:])")


def container_of(pid: int, root: Path) -> str | Unknown | None:
    """Give the full id of the container that a process runs in.

    Where containers are nested it is the outermost one, which is the one the host's engine knows.

    Args:
        pid: process id in the host's namespace.
        root: prefix of /proc, `/` on a real host.

    Returns:
        64 hexadecimal digits; None where the process runs outside of one; Unknown
        (`process.gone`, `cgroup.unreadable`) where nobody can tell.
    """
    found = containers_of(pid, root)
    if isinstance(found, Unknown):
        return found
    return found[0] if found else None


def containers_of(pid: int, root: Path) -> tuple[str, ...] | Unknown:
    """Give the ids of all containers around a process, outermost first; empty outside of any."""
    if pid <= 0:
        return Unknown("process.gone", "no such process")
    try:
        data = read_limited(root / "proc" / str(pid) / "cgroup", _LIMIT)
    except (FileNotFoundError, ProcessLookupError):
        return Unknown("process.gone", "the process has ended")
    except OSError as error:
        reason = error.strerror or str(error)
        return Unknown("cgroup.unreadable", f"its cgroup cannot be read: {reason}")
    return ids_in(data.decode("utf-8", "replace"))


def ids_in(text: str) -> tuple[str, ...]:
    """Give the container ids of a cgroup file (v1: a line per controller, v2: one line).

    Controllers of v1 may disagree where some are not delegated; the line that tells most counts.
    """
    best: list[str] = []
    for line in text.splitlines():
        path = line.split(":", 2)[-1]
        if not path.startswith("/"):
            continue
        ids = list(dict.fromkeys(_ID.findall(path)))
        if len(ids) > len(best):
            best = ids
    return tuple(best)
