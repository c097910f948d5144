"""How WSL is reached from Windows: NAT or mirrored, and what tells."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from console.files import read_limited

_LIMIT = 64 * 1024
_MOST_USERS = 40
_MODE = re.compile(r"^\s*networkingMode\s*=\s*([A-Za-z]+)", re.MULTILINE | re.IGNORECASE)
_CLOSED = re.compile(r"^\s*localhostForwarding\s*=\s*false", re.MULTILINE | re.IGNORECASE)


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """How it is.

    Attributes:
        mode: `nat` or `mirrored`; the two that make a difference for a proxy on Windows.
        why: what tells, in words.
        closed: Windows does not forward localhost to WSL, by `.wslconfig`.
    """

    mode: str
    why: str
    closed: bool = False


def read_network(root: Path) -> Network:
    """Give it from what is running, else from `.wslconfig`, else as WSL does by default.

    Args:
        root: prefix of /sys and /mnt.
    """
    configs = list(_configs(root))
    closed = any(_CLOSED.search(text) for _, text in configs)
    interfaces = _names(root / "sys/class/net")
    # Only mirrored mode has the second loopback, by which Windows' own is reached.
    if "loopback0" in interfaces:
        return Network(mode="mirrored", why="the network of Windows is mirrored into WSL here")
    modes = {match[1].lower() for _, text in configs if (match := _MODE.search(text)) is not None}
    if "eth0" in interfaces:
        later = "; .wslconfig says mirrored, after wsl --shutdown" if "mirrored" in modes else ""
        return Network(mode="nat", why=f"WSL has a network of its own here{later}", closed=closed)
    if modes == {"mirrored"}:
        return Network(mode="mirrored", why=".wslconfig says so")
    if modes:
        return Network(mode="nat", why=".wslconfig says so", closed=closed)
    return Network(mode="nat", why="WSL's default; nothing here says otherwise", closed=closed)


def _configs(root: Path) -> Iterator[tuple[Path, str]]:
    users = root / "mnt/c/Users"
    for name in sorted(_names(users))[:_MOST_USERS]:
        path = users / name / ".wslconfig"
        try:
            yield path, read_limited(path, _LIMIT).decode("utf-8-sig", "replace")
        except OSError:
            continue


def _names(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in folder.iterdir()}
    except OSError:
        return set()
