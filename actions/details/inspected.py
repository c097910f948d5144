"""From the engine's inspect to details: pure, and no answer, however odd, makes it raise."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from actions.details.snapshot import (
    ContainerDetails,
    Health,
    ImageFacts,
    Mount,
    Network,
    Probe,
    Runs,
    Variable,
)
from console.engine.parse import inspected
from console.engine.values import integer, items, mapping, moment, odd, text, texts
from console.mask import mask_arguments, mask_environment, mask_text
from console.text import clean_line
from console.unknown import Unknown

_NANO = 1_000_000_000
_MOST_OUTPUT = 600
LONGEST_VALUE = 32_768


def details_of(
    answer: Mapping[str, Any],
    now: datetime,
    image: ImageFacts | Unknown,
    runs: Runs | Unknown,
    raw: tuple[str, ...],
) -> ContainerDetails | None:
    """Give the details from an inspect answer; None where it is no container's."""
    container = inspected(answer, now)
    if container is None:
        return None
    config, host = mapping(answer.get("Config")), mapping(answer.get("HostConfig"))
    command = [text(answer.get("Path")), *texts(answer.get("Args"))]
    return ContainerDetails(
        taken_at=now,
        container=container,
        image=image,
        arguments=mask_arguments([word for word in command if word]),
        working_directory=text(config.get("WorkingDir")),
        user=text(config.get("User"), 100),
        log_driver=text(mapping(host.get("LogConfig")).get("Type"), 60),
        health=_health(mapping(answer.get("State")).get("Health"), config),
        runs=runs,
        networks=_networks(mapping(answer.get("NetworkSettings")).get("Networks")),
        mounts=_mounts(answer.get("Mounts"), host.get("Tmpfs")),
        environment=variables(config.get("Env"), image),
        raw=raw,
    )


def variables(told: object, image: ImageFacts | Unknown) -> tuple[Variable, ...]:
    """Give a list of `NAME=value` as variables, masked, sorted by name."""
    given = environment_pairs(told)
    brought = set() if isinstance(image, Unknown) else set(image.environment)
    shown = mask_environment(given)
    found = (
        Variable(
            name=name,
            value=value,
            masked=value != raw,
            origin="image" if (name, value) in brought else "container",
        )
        for (name, raw), (_, value) in zip(given, shown, strict=True)
    )
    return tuple(sorted(found, key=lambda one: one.name.lower()))


def environment_pairs(told: object) -> tuple[tuple[str, str], ...]:
    """Give a list of `NAME=value` as cleaned pairs, not masked; of equal names the last counts."""
    found: dict[str, str] = {}
    for entry in items(told):
        if isinstance(entry, str) and entry:
            name, _, value = entry.partition("=")
            found[clean_line(name, 300)] = clean_line(value, LONGEST_VALUE)
    return tuple(found.items())


def _health(told: object, config: Mapping[str, Any]) -> Health | None:
    facts = mapping(told)
    if not facts:
        return None
    check = mapping(config.get("Healthcheck"))
    interval = integer(check.get("Interval"))
    probes = [_probe(mapping(entry)) for entry in items(facts.get("Log"))]
    return Health(
        status=text(facts.get("Status"), 50) or "none",
        failing_streak=integer(facts.get("FailingStreak")) or 0,
        command=mask_arguments(texts(check.get("Test"))),
        interval_seconds=interval / _NANO if interval else None,
        probes=tuple(reversed(probes)),
    )


def _probe(entry: Mapping[str, Any]) -> Probe:
    began, ended = moment(entry.get("Start")), moment(entry.get("End"))
    took = (ended - began).total_seconds() if began and ended else None
    code = integer(entry.get("ExitCode"))
    return Probe(
        at=began or odd("State.Health.Log.Start"),
        seconds=odd("State.Health.Log.End") if took is None else max(0.0, took),
        exit_code=odd("State.Health.Log.ExitCode") if code is None else code,
        output=mask_text(text(entry.get("Output"), _MOST_OUTPUT)),
    )


def _networks(told: object) -> tuple[Network, ...]:
    found = []
    for name, entry in mapping(told).items():
        facts = mapping(entry)
        found.append(
            Network(
                name=text(name, 200),
                address=text(facts.get("IPAddress"), 64)
                or text(facts.get("GlobalIPv6Address"), 64),
                gateway=text(facts.get("Gateway"), 64),
                mac_address=text(facts.get("MacAddress"), 64),
                aliases=texts(facts.get("Aliases"), 200),
            )
        )
    return tuple(sorted(found, key=lambda one: one.name))


def _mounts(told: object, memory: object) -> tuple[Mount, ...]:
    found = []
    for entry in items(told):
        facts = mapping(entry)
        found.append(
            Mount(
                kind=text(facts.get("Type"), 40) or "bind",
                name=text(facts.get("Name"), 300),
                source=text(facts.get("Source")),
                target=text(facts.get("Destination")),
                writable=facts.get("RW") is not False,
            )
        )
    known = {mount.target for mount in found}
    found += [
        Mount(kind="tmpfs", name="", source="", target=text(target), writable=True)
        for target in mapping(memory)
        if text(target) not in known
    ]
    return tuple(sorted(found, key=lambda one: one.target))
