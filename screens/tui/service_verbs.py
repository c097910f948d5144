"""What can be done with a service in its present state, from `assets/service_actions.toml`."""

from functools import cache

import msgspec

from actions.services.snapshot import ServiceStatus
from console.packaged import read_table
from screens.tui.verbs import Verb


class ServiceVerb(msgspec.Struct, frozen=True):
    """Something that can be done with a service.

    Attributes:
        states: those in which it makes sense; empty for any.
        container: only where the service has a container.
        discovered: only for a service that is not in the config.
    """

    verb: str
    key: str
    title: str
    states: tuple[str, ...]
    help: str
    container: bool = False
    discovered: bool = False


class _Table(msgspec.Struct):
    action: tuple[ServiceVerb, ...]


@cache
def _all() -> tuple[ServiceVerb, ...]:
    return msgspec.convert(read_table("service_actions.toml"), _Table).action


def service_verbs(status: ServiceStatus) -> tuple[Verb, ...]:
    """Give what a service's actual state allows, in the order of the menu."""
    return tuple(
        Verb(one.verb, one.key, one.title, one.states, one.help)
        for one in _all()
        if (not one.states or status.state in one.states)
        and (not one.container or status.container_id)
        and (not one.discovered or status.service.source == "discovered")
    )


def service_verb_for_key(status: ServiceStatus, key: str) -> Verb | None:
    """Give what a key does to a service now: `s` starts or stops it by its actual state."""
    return next((verb for verb in service_verbs(status) if verb.key == key), None)
