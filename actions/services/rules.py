"""By what services are recognised and how long they may take, read from `assets/services.toml`."""

from functools import cache

import msgspec

from console.packaged import read_table


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words that must all be in a name, and what that counts."""

    words: tuple[str, ...]
    points: int


class KnownPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port inside a container, and what it counts that it is published."""

    port: int
    points: int


class KindRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what one kind of service is recognised.

    Attributes:
        title: as people write it, such as `ComfyUI`.
        image, compose, container: words in the image's, compose service's and container's name.
        ports: inside the container; url_ports: in which order one is taken for the API.
        own_port: where it listens unless told otherwise.
        variables: that carry its flags.
        programs, flags: of its command; needs_flags: the program's name alone proves little.
        entries: entry points that weakly speak for it.
        card_flag: by which it picks a card; flags_in: where its flags usually stand.
    """

    kind: str
    title: str
    image: tuple[Words, ...]
    compose: tuple[Words, ...]
    container: tuple[Words, ...]
    ports: tuple[KnownPort, ...]
    url_ports: tuple[int, ...]
    own_port: int
    variables: tuple[str, ...]
    programs: tuple[str, ...]
    program_points: int
    needs_flags: bool
    flags: frozenset[str]
    entries: tuple[str, ...]
    card_flag: str
    flags_in: str


class ReadyRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long things may take."""

    limit_minutes: float
    slow_minutes: float
    stale_seconds: float


class CardRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a card that a service names is matched to one of the driver's."""

    total_tolerance_percent: float


class ServiceRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    enough: int
    beside: frozenset[str]
    ready: ReadyRules
    cards: CardRules
    kinds: tuple[KindRules, ...]

    def kind(self, name: str) -> KindRules | None:
        """Give the rules of a kind; None for `other`."""
        return next((rules for rules in self.kinds if rules.kind == name), None)


@cache
def service_rules() -> ServiceRules:
    """Read the rules once."""
    return msgspec.convert(read_table("services.toml"), ServiceRules)
