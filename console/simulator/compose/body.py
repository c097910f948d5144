"""What `POST /containers/create` is sent for a service of a compose file."""

import hashlib
import json
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.units import parse_duration

VERSION = "2.29.0"
_NANO = 1_000_000_000
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<braced>[^}]*)\}|(?P<plain>[A-Za-z_]\w*))")
_LABEL = "com.docker.compose"
_SPANS = {"interval": "Interval", "timeout": "Timeout", "start_period": "StartPeriod"}


def filled_in(value: Any, known: Mapping[str, str]) -> Any:
    """Give a value of a compose file with its `${VARIABLES}` filled in, all the way down."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found, known), str(value))
    if isinstance(value, Mapping):
        return {str(key): filled_in(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [filled_in(one, known) for one in value]
    return value


def _variable(found: re.Match[str], known: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    name, _, usual = (found["braced"] or found["plain"]).partition(":-")
    return known.get(name) or usual


def name_of(service: Mapping[str, Any], name: str, project: str) -> str:
    """Give the name of a service's container."""
    return str(service.get("container_name") or f"{project}-{name}-1")


def hash_of(service: Mapping[str, Any]) -> str:
    """Give what tells a service that was changed from what it was."""
    return hashlib.sha256(json.dumps(service, sort_keys=True, default=str).encode()).hexdigest()


def labels_of(name: str, project: str, place: Path, files: list[Path], mark: str) -> dict[str, str]:
    """Give the labels by which compose knows its own."""
    facts = {
        "config-hash": mark,
        "container-number": "1",
        "depends_on": "",
        "oneoff": "False",
        "project": project,
        "project.config_files": ",".join(map(str, files)),
        "project.working_dir": str(place),
        "service": name,
        "version": VERSION,
    }
    return {f"{_LABEL}.{key}": value for key, value in facts.items()}


def body_of(service: Mapping[str, Any], image: str, network: str, place: Path) -> dict[str, Any]:
    """Give the container of a service; relative paths count from `place`.

    Raises:
        ValueError: something in it is not to be read.
    """
    body: dict[str, Any] = {
        "Image": image,
        "Env": [f"{key}={value}" for key, value in _environment(service, place).items()],
        "Labels": _pairs(service.get("labels")),
        "HostConfig": {
            "NetworkMode": network,
            "RestartPolicy": _policy(str(service.get("restart") or "no")),
            "PortBindings": _ports(service.get("ports") or []),
            "Mounts": _mounts(service.get("volumes") or [], place),
            "DeviceRequests": _devices(service),
            "Init": bool(service.get("init")),
            "LogConfig": _logging(service.get("logging") or {}),
        },
    }
    if service.get("healthcheck"):
        body["Healthcheck"] = _health(service["healthcheck"])
    if service.get("user"):
        body["User"] = str(service["user"])
    if service.get("stop_grace_period"):
        body["StopTimeout"] = int(parse_duration(str(service["stop_grace_period"])))
    for key, field in (("command", "Cmd"), ("entrypoint", "Entrypoint")):
        if service.get(key):
            body[field] = _words(service[key])
    return body


def _words(value: Any) -> list[str]:
    return shlex.split(value) if isinstance(value, str) else [str(one) for one in value]


def _pairs(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {key: "" if one is None else _text(one) for key, one in value.items()}
    split = (str(one).partition("=") for one in value or [])
    return {key: text for key, _, text in split}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _environment(service: Mapping[str, Any], place: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    files = service.get("env_file") or []
    for file in [files] if isinstance(files, str) else files:
        try:
            text = (place / str(file)).read_text("utf-8")
        except OSError as error:
            raise ValueError(f"env file {place / str(file)} not found: {error.strerror}") from error
        lines = (line.strip() for line in text.splitlines())
        found |= _pairs([line for line in lines if line and not line.startswith("#")])
    return found | _pairs(service.get("environment"))


def _policy(text: str) -> dict[str, Any]:
    name, _, tries = text.partition(":")
    return {"Name": name, "MaximumRetryCount": int(tries or 0)}


def _ports(several: list[Any]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for one in several:
        if isinstance(one, Mapping):
            host, outer, inner = (
                str(one.get(key, "")) for key in ("host_ip", "published", "target")
            )
            protocol = str(one.get("protocol", "tcp"))
        else:
            plain, _, protocol = str(one).partition("/")
            *before, inner = plain.rsplit(":", 2)
            outer = before[-1] if before else ""
            host = before[0].strip("[]") if len(before) > 1 else ""
        found.setdefault(f"{inner}/{protocol or 'tcp'}", []).append(
            {"HostIp": host, "HostPort": outer}
        )
    return found


def _mounts(several: list[Any], place: Path) -> list[dict[str, Any]]:
    found = []
    for one in several:
        if isinstance(one, Mapping):
            source, target = str(one.get("source", "")), str(one.get("target", ""))
            read_only = bool(one.get("read_only"))
            makes = (one.get("bind") or {}).get("create_host_path", True)
        else:
            source, _, rest = str(one).partition(":")
            target, _, mode = rest.partition(":")
            read_only, makes = "ro" in mode.split(","), True
        if not source.startswith((".", "/", "~")):
            continue  # a volume with a name, which nobody looks into here
        path = Path(os.path.normpath(place / Path(source).expanduser()))
        found.append(
            {"Type": "bind", "Source": str(path), "Target": target, "ReadOnly": read_only,
             "BindOptions": {"CreateMountpoint": makes}}
        )  # fmt: skip
    return found


def _devices(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    asked: Any = service
    for key in ("deploy", "resources", "reservations", "devices"):
        asked = (asked or {}).get(key)
    return [
        {
            "Driver": one.get("driver", ""),
            "Count": 0 if one.get("device_ids") else -1,
            "DeviceIDs": [str(ident) for ident in one.get("device_ids") or []] or None,
            "Capabilities": [one.get("capabilities") or ["gpu"]],
        }
        for one in asked or []
    ]


def _logging(table: Mapping[str, Any]) -> dict[str, Any]:
    options = {key: str(value) for key, value in (table.get("options") or {}).items()}
    return {"Type": str(table.get("driver") or "json-file"), "Config": options}


def _health(table: Mapping[str, Any]) -> dict[str, Any]:
    test = table.get("test") or []
    found: dict[str, Any] = {"Test": ["CMD-SHELL", test] if isinstance(test, str) else list(test)}
    for key, field in _SPANS.items():
        if table.get(key):
            found[field] = int(parse_duration(str(table[key])) * _NANO)
    if table.get("retries"):
        found["Retries"] = int(table["retries"])
    return found
