"""Adopting discovered services into the config: which ones, and what is written of each."""

import difflib
from collections.abc import Sequence
from typing import Any

from actions.gate import READ_ONLY, as_error, refusal
from actions.services.find import service_named
from actions.services.snapshot import Service
from actions.session import Session
from actions.snapshot import HostSnapshot
from console.config.load import dotted
from console.errors import ConsoleError, UsageError

_MOST_NAMED = 5


def adoptable(snapshot: HostSnapshot, names: Sequence[str]) -> tuple[Service, ...]:
    """Give the discovered services that are meant; all of them where no name is given.

    Raises:
        UsageError: a name means none (`service.unknown`), or one that the config has already
            (`service.configured`).
    """
    services = [status.service for status in snapshot.services]
    discovered = [one for one in services if one.source == "discovered"]
    if not names:
        return tuple(discovered)
    chosen: dict[str, Service] = {}
    for name in names:
        meant = service_named(services, snapshot.engine.containers, name)
        if meant is None:
            raise _unknown(name, [one.name for one in discovered])
        if meant.source != "discovered":
            raise UsageError(
                "service.configured",
                f"{meant.name} is in the config already",
                "`gpuconsole config print` shows what is in force",
            )
        chosen[meant.name] = meant
    return tuple(chosen.values())


def values_of(services: Sequence[Service]) -> dict[str, Any]:
    """Give what the config says of services then: value by dotted key, in the order to be written.

    Only what was seen is written: neither a card nor a budget is guessed, nor is a login.
    """
    values: dict[str, Any] = {}
    for service in services:
        seen = {
            "kind": service.kind,
            "container": service.container,
            "compose_file": str(service.compose_file) if service.compose_file else "",
            "compose_service": service.compose_service,
            "url": service.url,
        }
        for key, value in seen.items():
            if value:
                values[dotted(("services", service.name, key))] = value
    return values


def sections_of(services: Sequence[Service]) -> str:
    """Give the sections as they will stand in the config, under what each was recognised by.

    The latter is for whoever decides, and is not written.
    """
    from console.config.show import toml_value

    blocks = []
    for service in services:
        head = dotted(("services", service.name))
        lines = [f"# {reason}" for reason in service.reasons]
        lines.append(f"[{head}]")
        own = values_of([service])
        lines += [f"{key.rpartition('.')[2]} = {toml_value(value)}" for key, value in own.items()]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def adopt(session: Session, services: Sequence[Service]) -> None:
    """Write services into the config; its comments and everything else stay as they are.

    Raises:
        ConsoleError: read-only, or the config has mistakes or cannot be written.
    """
    from console.config.write import set_values

    check_writable(session)
    set_values(session.places.config_file, values_of(services))


def check_writable(session: Session) -> None:
    """Refuse where nothing may be changed.

    Raises:
        ConsoleError: read-only (exit 3), or a config with mistakes (exit 2).
    """
    reason = refusal(session)
    if reason is None:
        return
    error: ConsoleError = as_error(reason)
    if reason.code == READ_ONLY:
        error.title = "read-only: the config is not written"
    raise error


def _unknown(name: str, known: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    if near:
        hint = f"Did you mean {near[0]}?"
    elif known:
        more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
        hint = f"Discovered are {', '.join(known[:_MOST_NAMED])}{more}"
    else:
        hint = "Nothing was discovered that is not in the config"
    return UsageError("service.unknown", f"no discovered service is called {name[:80]}", hint)
