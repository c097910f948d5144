"""What can be done with a container in its present state, from `assets/actions.toml`."""

from functools import cache

import msgspec

from console.engine.snapshot import Container
from console.packaged import read_table


class Verb(msgspec.Struct, frozen=True):
    """A change that the operator can ask for; `states` are those in which it makes sense."""

    verb: str
    key: str
    title: str
    states: tuple[str, ...]
    help: str


class _Table(msgspec.Struct):
    action: tuple[Verb, ...]


@cache
def all_verbs() -> tuple[Verb, ...]:
    """Give every verb in the order of the menu."""
    return msgspec.convert(read_table("actions.toml"), _Table).action


def verbs_of(container: Container) -> tuple[Verb, ...]:
    """Give the verbs that a container's actual state allows."""
    return tuple(verb for verb in all_verbs() if container.state in verb.states)


def verb_for_key(container: Container, key: str) -> Verb | None:
    """Give what a key does to a container now: `s` starts or stops it by its actual state."""
    return next((verb for verb in verbs_of(container) if verb.key == key), None)
