"""From the engine's JSON to Containers; no answer, however odd, makes this raise."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from console.engine.declared import declaration
from console.engine.sentence import sentence
from console.engine.snapshot import NOT_INSPECTED, Compose, Container, EngineEvent, Port
from console.engine.values import integer, items, mapping, moment, odd, pairs, text, texts
from console.mask import mask_environment, mask_text
from console.unknown import Unknown

# What a run changes: wrong as soon as the state is another one than at the inspect.
_OF_A_RUN: dict[str, Unknown] = dict.fromkeys(
    (
        "health", "exit_code", "error", "oom_killed", "restart_count", "started_at",
        "finished_at", "pid",
    ),
    NOT_INSPECTED,
)  # fmt: skip
_PORT = re.compile(r"(\d{1,5})(?:/(\w{1,8}))?", re.ASCII)
_MOST_PORTS = 200
_PROJECT = "com.docker.compose.project"
_FILE_ENDINGS = (".yml", ".yaml", ".json", ".env")


def listed(entry: Mapping[str, Any], known: Container | None = None) -> Container | None:
    """Give the container of a list entry; None where the entry has no id.

    Of a `known` container only name, state and sentence are taken: the rest an inspect told more
    exactly, and another is asked for where it changed. Where the state is another than at the last
    inspect, what that inspect said of the run is dropped: it is of a run that is over.
    """
    container_id = text(entry.get("Id"), 128)
    if not container_id:
        return None
    state = _state(entry.get("State"))
    fresh: dict[str, Any] = {
        "name": _listed_name(entry.get("Names")) or container_id[:12],
        "state": state,
        "status": text(entry.get("Status"), 300),
    }
    if known is not None:
        dropped = _OF_A_RUN if known.state != state else {}
        return msgspec.structs.replace(known, **fresh, **dropped)
    labels = pairs(entry.get("Labels"))
    return Container(
        id=container_id,
        image=text(entry.get("Image")),
        created_at=moment(entry.get("Created")) or odd("Created"),
        ports=_listed_ports(entry.get("Ports")),
        compose=compose(labels),
        labels=mask_environment(labels),
        network_mode=text(mapping(entry.get("HostConfig")).get("NetworkMode"), 200),
        image_id=text(entry.get("ImageID"), 100),
        **fresh,
    )


def inspected(answer: Mapping[str, Any], now: datetime) -> Container | None:
    """Give the container of an inspect answer, its sentence as of `now`; None without an id."""
    container_id = text(answer.get("Id"), 128)
    if not container_id:
        return None
    told = mapping(answer.get("State"))
    config = mapping(answer.get("Config"))
    host = mapping(answer.get("HostConfig"))
    labels = pairs(config.get("Labels"))
    state = _state(told.get("Status"))
    run = _run(told, state)
    count = integer(answer.get("RestartCount"))
    return Container(
        id=container_id,
        name=text(answer.get("Name"), 300).lstrip("/") or container_id[:12],
        image=text(config.get("Image")) or text(answer.get("Image")),
        state=state,
        status=_status(run, state, told, now),
        created_at=moment(answer.get("Created")) or odd("Created"),
        ports=_inspected_ports(mapping(answer.get("NetworkSettings")).get("Ports")),
        compose=compose(labels),
        labels=mask_environment(labels),
        restart_count=count if count is not None and count >= 0 else odd("RestartCount"),
        restart_policy=_restart_policy(mapping(host.get("RestartPolicy"))),
        stop_timeout=_optional(config, "StopTimeout"),
        gpu=declaration(answer),
        network_mode=text(host.get("NetworkMode"), 200),
        image_id=text(answer.get("Image"), 100),
        **run,
    )


def event(told: Mapping[str, Any]) -> tuple[int, EngineEvent] | None:
    """Give an event and its time in nanoseconds; None for what is no container's event.

    Newer engines have `Action` and `Actor`; `status` and `id` are their older twins.
    """
    actor = mapping(told.get("Actor"))
    attributes = mapping(actor.get("Attributes"))
    action = text(told.get("Action"), 200) or text(told.get("status"), 200)
    container_id = text(actor.get("ID"), 128) or text(told.get("id"), 128)
    if told.get("Type", "container") != "container" or not action or not container_id:
        return None
    seconds, nanoseconds = integer(told.get("time")), integer(told.get("timeNano"))
    if nanoseconds is None:
        nanoseconds = (seconds or 0) * 1_000_000_000
    at = moment(nanoseconds // 1_000_000_000)
    if at is None:
        return None
    at = at.replace(microsecond=nanoseconds % 1_000_000_000 // 1000)
    return nanoseconds, EngineEvent(
        at=at,
        container_id=container_id,
        container_name=text(attributes.get("name"), 300) or container_id[:12],
        action=action,
        exit_code=_number(attributes.get("exitCode")) if action == "die" else None,
        signal=text(attributes.get("signal"), 20) or None if action == "kill" else None,
    )


def compose(labels: Sequence[tuple[str, str]]) -> Compose | None:
    """Give project and service from a container's labels; None where compose did not make it."""
    found = dict(labels)
    project, service = found.get(_PROJECT, ""), found.get("com.docker.compose.service", "")
    if not project or not service:
        return None
    return Compose(
        project=project,
        service=service,
        working_dir=found.get(f"{_PROJECT}.working_dir", ""),
        config_files=_names(found.get(f"{_PROJECT}.config_files", "")),
        env_files=_names(found.get(f"{_PROJECT}.environment_file", "")),
    )


def _names(listed: str) -> tuple[str, ...]:
    """Give the files of a list with commas, which compose does not mark where a path has one.

    Compose 2 and later list whole paths: what follows half of one, and begins none, belongs to it.
    """
    names: list[str] = []
    for part in listed.split(","):
        half = names and names[-1].startswith("/") and not names[-1].endswith(_FILE_ENDINGS)
        if half and not part.lstrip().startswith("/"):
            names[-1] += f",{part}"
        elif part.strip():
            names.append(part.strip())
    return tuple(names)


def _run(told: Mapping[str, Any], state: str) -> dict[str, Any]:
    """Give what the last run of a container was like."""
    # The engine repeats the command that it could not run, with whatever stood in it.
    error = mask_text(text(told.get("Error"), 2000))
    started_at, finished_at = _time(told, "StartedAt"), _time(told, "FinishedAt")
    killed = told.get("OOMKilled")
    pid = integer(told.get("Pid"))
    return {
        "health": text(mapping(told.get("Health")).get("Status"), 50) or "none",
        "exit_code": _exit_code(told, state, bool(error)),
        "error": error,
        "oom_killed": killed if isinstance(killed, bool) else odd("State.OOMKilled"),
        "started_at": started_at,
        "finished_at": finished_at,
        "pid": (pid or None) if pid is not None and pid >= 0 else odd("State.Pid"),
    }


def _exit_code(told: Mapping[str, Any], state: str, failed_start: bool) -> int | Unknown | None:
    """Give the exit code where a run ended; the engine says 0 for one that still goes on."""
    code = integer(told.get("ExitCode"))
    if state in {"running", "paused"} or (state == "created" and not failed_start):
        return None
    return odd("State.ExitCode") if code is None else code


def _status(run: Mapping[str, Any], state: str, told: Mapping[str, Any], now: datetime) -> str:
    def time(value: object) -> datetime | None:
        return value if isinstance(value, datetime) else None

    return sentence(
        state,
        health=run["health"],
        exit_code=integer(told.get("ExitCode")),
        started_at=time(run["started_at"]),
        finished_at=time(run["finished_at"]),
        now=now,
    )


def _time(told: Mapping[str, Any], field: str) -> datetime | Unknown | None:
    """Give a time; None for the engine's zero time, Unknown for what is no time."""
    value = told.get(field)
    found = moment(value)
    if found is None and not (isinstance(value, str) and value.startswith("0001-01-01T")):
        return odd(f"State.{field}")
    return found


def _optional(told: Mapping[str, Any], field: str) -> int | Unknown | None:
    value = told.get(field)
    if value is None:
        return None
    number = integer(value)
    return odd(f"Config.{field}") if number is None else number


def _restart_policy(told: Mapping[str, Any]) -> str | Unknown:
    if "Name" not in told:
        return odd("HostConfig.RestartPolicy")
    name = text(told["Name"], 50) or "no"
    most = integer(told.get("MaximumRetryCount"))
    return f"{name}:{most}" if name == "on-failure" and most and most > 0 else name


def _state(value: object) -> str:
    return text(value, 50).lower() or "unknown"


def _listed_name(told: object) -> str:
    """Give the container's own name: those with a second slash are links of others to it."""
    names = [name.lstrip("/") for name in texts(told, 300)]
    return min((name for name in names if name), key=lambda name: name.count("/"), default="")


def _listed_ports(told: object) -> tuple[Port, ...]:
    found = []
    for entry in items(told):
        port = mapping(entry)
        number = integer(port.get("PrivatePort"))
        if number is not None:
            protocol, address = text(port.get("Type"), 8) or "tcp", text(port.get("IP"), 64)
            found.append(_port(number, protocol, address, integer(port.get("PublicPort"))))
    return _sorted(found)


def _inspected_ports(told: object) -> tuple[Port, ...]:
    found = []
    for key, bindings in list(mapping(told).items())[:_MOST_PORTS]:
        match = _PORT.fullmatch(str(key))
        if match is None:
            continue
        number, protocol = int(match[1]), match[2] or "tcp"
        for binding in items(bindings) or ({},):
            public = mapping(binding)
            address = text(public.get("HostIp"), 64)
            found.append(_port(number, protocol, address, _number(public.get("HostPort"))))
    return _sorted(found)


def _port(number: int, protocol: str, address: str, public: int | None) -> Port:
    published = bool(public)
    return Port(
        container_port=number,
        protocol=protocol,
        host_ip=address if published else None,
        host_port=public if published else None,
    )


def _sorted(ports: list[Port]) -> tuple[Port, ...]:
    unique = {(p.container_port, p.protocol, p.host_ip or "", p.host_port or 0): p for p in ports}
    return tuple(unique[key] for key in sorted(unique))[:_MOST_PORTS]


def _number(value: object) -> int | None:
    """Give a number that the engine writes as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
        return int(value)
    return integer(value)
