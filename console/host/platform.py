"""Whether this is WSL, which one, and which distribution."""

import re
from pathlib import Path

from console.files import read_limited
from console.text import clean_line
from console.unknown import Unknown, known

_LIMIT = 64 * 1024
# Any of these tells WSL where the kernel was built by its user and no longer says so.
_WSL_TRACES = (
    "dev/dxg",
    "run/WSL",
    "proc/sys/fs/binfmt_misc/WSLInterop",
    "proc/sys/fs/binfmt_misc/WSLInterop-late",
)
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_PRETTY = re.compile(r"^PRETTY_NAME=(.*)$", re.MULTILINE)
_NAME = re.compile(r"^NAME=(.*)$", re.MULTILINE)


def platform_of(root: Path, kernel: str | Unknown) -> str | Unknown:
    """Give `wsl2`, `wsl1` or `linux`.

    WSL1 is a translation layer that calls itself 4.4.0-NNNNN-Microsoft; WSL2 kernels end in
    -microsoft-standard-WSL2, or are told by the virtual GPU and the interop files around them.

    Args:
        root: prefix of /proc, /dev and /run.
        kernel: release, as `/proc/sys/kernel/osrelease` has it.
    """
    banner = _banner(root)
    words = f"{kernel if known(kernel) else ''} {banner if known(banner) else ''}".lower()
    if "wsl2" in words:
        return "wsl2"
    if "microsoft" in words:
        return "wsl1" if words.lstrip().startswith(("4.4.", "linux version 4.4.")) else "wsl2"
    if any(_exists(root / trace) for trace in _WSL_TRACES):
        return "wsl2"
    if not known(kernel) and not (known(banner) and banner.strip()):
        return kernel
    return "linux"


def is_wsl(root: Path) -> bool:
    """Tell WSL from a Linux of its own; where nobody can tell it counts as Linux."""
    kernel: str | Unknown
    try:
        kernel = read_limited(root / "proc/sys/kernel/osrelease", _LIMIT).decode("utf-8", "replace")
    except OSError as error:
        kernel = Unknown("host.unreadable", error.strerror or str(error))
    return platform_of(root, kernel) in {"wsl1", "wsl2"}


def wsl_version_of(platform: str | Unknown, kernel: str | Unknown) -> str | Unknown | None:
    """Give the version of WSL's kernel, such as `5.15.153.1`; None outside of WSL."""
    if not known(platform):
        return platform
    if platform == "linux":
        return None
    if isinstance(kernel, Unknown):
        return kernel
    match = _VERSION.match(kernel)
    return match[0] if match else Unknown("host.not-told", "the kernel's release has no version")


def distribution(root: Path) -> str | Unknown:
    """Give the distribution's own name, such as `Debian GNU/Linux 12 (bookworm)`."""
    for place in ("etc/os-release", "usr/lib/os-release"):
        try:
            text = read_limited(root / place, _LIMIT).decode("utf-8", "replace")
        except OSError:
            continue
        match = _PRETTY.search(text) or _NAME.search(text)
        name = clean_line(match[1], 200).strip("\"'") if match else ""
        if name:
            return name
    return Unknown("host.not-told", "there is no os-release that names the distribution")


def _banner(root: Path) -> str | Unknown:
    try:
        return read_limited(root / "proc/version", _LIMIT).decode("utf-8", "replace")
    except OSError as error:
        reason = error.strerror or str(error)
        return Unknown("host.unreadable", f"/proc/version cannot be read: {reason}")


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True
