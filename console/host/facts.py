"""What the host says about itself: kernel, processors, memory, disks; each value on its own.

Everything is read below a root, which GPUCONSOLE_ROOT moves for tests and for odd hosts. A file
that is missing or garbled blanks the values that come from it, and no others.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from console.files import read_limited
from console.host.disks import DiskReader
from console.host.platform import distribution, platform_of, wsl_version_of
from console.host.snapshot import HostFacts
from console.text import clean_line
from console.unknown import Unknown, known

_LIMIT = 8 * 1024 * 1024
_KIB = 1024
_MEMORY = re.compile(r"^(\w+):\s+(\d{1,15}) kB$", re.MULTILINE)
_MODEL = re.compile(r"^(?:model name|Model|Hardware|cpu model)\s*:\s*(\S.*)$", re.MULTILINE)
_PROCESSOR = re.compile(r"^processor\s*:", re.MULTILINE)
_UPTIME = re.compile(r"(\d{1,12}(?:\.\d+)?)\s")


def read_facts(
    root: Path, disks: Sequence[tuple[str, Path]], reader: DiskReader | None = None
) -> HostFacts:
    """Read the host once; takes a few milliseconds, with a dead mount a second, and never raises.

    Args:
        root: prefix of /proc, /etc and so on; `/` on a real host.
        disks: (purpose, path) of what space matters for; paths are taken as they are.
        reader: remembers from one reading to the next which disks hang.
    """
    kernel = _line(root, "proc/sys/kernel/osrelease")
    memory = _memory(_text(root, "proc/meminfo"))
    processors = _text(root, "proc/cpuinfo")
    platform = platform_of(root, kernel)
    return HostFacts(
        hostname=_hostname(root),
        platform=platform,
        wsl_version=wsl_version_of(platform, kernel),
        distribution=distribution(root),
        kernel=kernel,
        cpu_model=_cpu_model(processors),
        cpu_count=_cpu_count(processors),
        memory_total_bytes=_amount(memory, "MemTotal"),
        memory_available_bytes=_amount(memory, "MemAvailable"),
        swap_total_bytes=_amount(memory, "SwapTotal"),
        swap_free_bytes=_amount(memory, "SwapFree"),
        uptime_seconds=_uptime(_text(root, "proc/uptime")),
        disks=(reader or DiskReader()).read(disks),
    )


def ssh_origin(environ: Mapping[str, str]) -> str | None:
    """Give the address the operator's SSH line comes from, by SSH_CONNECTION; None where local."""
    words = environ.get("SSH_CONNECTION", "").split()
    return clean_line(words[0], 64) if words else None


def _text(root: Path, name: str) -> str | Unknown:
    try:
        return read_limited(root / name, _LIMIT).decode("utf-8", "replace")
    except OSError as error:
        reason = error.strerror or str(error)
        return Unknown("host.unreadable", f"/{name} cannot be read: {reason}")


def _line(root: Path, name: str) -> str | Unknown:
    text = _text(root, name)
    if isinstance(text, Unknown):
        return text
    return clean_line(text, 200) or Unknown("host.unreadable", f"/{name} is empty")


def _hostname(root: Path) -> str:
    name = _line(root, "proc/sys/kernel/hostname")
    return name if known(name) else clean_line(os.uname().nodename, 200)


def _cpu_model(text: str | Unknown) -> str | Unknown:
    if isinstance(text, Unknown):
        return text
    match = _MODEL.search(text)
    if match is None:
        return Unknown("host.not-told", "the kernel does not name the processor")
    return clean_line(match[1], 200)


def _cpu_count(text: str | Unknown) -> int | Unknown:
    if isinstance(text, Unknown):
        return text
    count = len(_PROCESSOR.findall(text))
    return count or Unknown("host.not-told", "/proc/cpuinfo lists no processor")


def _memory(text: str | Unknown) -> dict[str, int] | Unknown:
    if isinstance(text, Unknown):
        return text
    return {match[1]: int(match[2]) * _KIB for match in _MEMORY.finditer(text)}


def _amount(memory: dict[str, int] | Unknown, name: str) -> int | Unknown:
    if isinstance(memory, Unknown):
        return memory
    return memory.get(name, Unknown("host.not-told", f"/proc/meminfo has no {name}"))


def _uptime(text: str | Unknown) -> float | Unknown:
    if isinstance(text, Unknown):
        return text
    match = _UPTIME.match(text)
    return float(match[1]) if match else Unknown("host.not-told", "/proc/uptime is garbled")
