"""What can be done with a container in its present state, from `assets/actions.toml`."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec

import assets
from console.engine.snapshot import Container


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
    path = Path(assets.__file__).parent / "actions.toml"
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Table).action


def verbs_of(container: Container) -> tuple[Verb, ...]:
    """Give the verbs that a container's actual state allows."""
    return tuple(verb for verb in all_verbs() if container.state in verb.states)


def verb_for_key(container: Container, key: str) -> Verb | None:
    """Give what a key does to a container now: `s` starts or stops it by its actual state."""
    return next((verb for verb in verbs_of(container) if verb.key == key), None)
