"""What `assets/setup_host.toml` has: checks in plain words, and what root or Windows can do."""

from collections.abc import Iterator
from functools import cache

import msgspec

from console.host.snapshot import HostFacts
from console.packaged import read_table
from console.units import GIB
from console.unknown import known

_OTHER = "other"
_OF_THE_VM = 1.5
"""WSL takes half of the PC's memory where nothing else is said: so much more is three quarters."""


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lines that somebody types: `who`, and where it holds; empty holds everywhere."""

    who: str
    lines: tuple[str, ...]
    platform: str = ""
    families: tuple[str, ...] = ()
    without_systemd: bool = False


class Help(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong in plain words, by the findings that show it, and the ways out of it."""

    findings: tuple[str, ...]
    words: str
    ways: tuple[Way, ...]
    blocks: bool = True


class HostWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    checks: dict[str, str]
    states: dict[str, str]
    heads: dict[str, str]
    families: dict[str, str]
    help: tuple[Help, ...]


@cache
def host_words() -> HostWords:
    """Give the table, read once."""
    return msgspec.convert(read_table("setup_host.toml"), HostWords)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What commands depend on.

    Attributes:
        platform: `wsl` or `native`.
        family: of the distribution: `ubuntu`, `debian`, `fedora` or `other`.
        systemd: it runs here.
        memory_gb: what WSL may be given, in gigabytes.
    """

    platform: str
    family: str
    systemd: bool
    memory_gb: int


def place_of(facts: HostFacts, *, systemd: bool) -> Place:
    """Give what commands depend on, on a host; what is not known is taken for the usual."""
    wsl = known(facts.platform) and str(facts.platform).startswith("wsl")
    name = str(facts.distribution).lower() if known(facts.distribution) else ""
    families = host_words().families
    family = next((family for word, family in families.items() if word in name), _OTHER)
    total = facts.memory_total_bytes if known(facts.memory_total_bytes) else 16 * GIB
    # An even number, as people write it.
    memory = max(8, 2 * round(_OF_THE_VM * total / GIB / 2))
    return Place(
        platform="wsl" if wsl else "native", family=family, systemd=systemd, memory_gb=memory
    )


def help_for(finding: str) -> Help | None:
    """Give what is said about a finding; None where nothing is."""
    return next((one for one in host_words().help if finding in one.findings), None)


def lines_of(one: Help, place: Place) -> Iterator[str]:
    """Give what to type about something, under who types it; its own words come first."""
    yield f"# {one.words}"
    said = ""
    for way in one.ways:
        if not _holds(way, place):
            continue
        head = host_words().heads[way.who]
        if head != said:
            yield head
            said = head
        for line in way.lines:
            yield line.replace("{memory}", str(place.memory_gb)).replace("{distro}", "Ubuntu")


def _holds(way: Way, place: Place) -> bool:
    return (
        way.platform in {"", place.platform}
        and (not way.families or place.family in way.families)
        and not (way.without_systemd and place.systemd)
    )
