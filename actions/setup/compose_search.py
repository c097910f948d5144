"""Compose files that lie around, and the Forges and ComfyUIs in them that have no container yet."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from actions.services.recognise import recognise
from actions.services.rules import service_rules
from actions.services.snapshot import Service
from console.compose.faults import ComposeError
from console.compose.settings import DEVICES
from console.engine.snapshot import Compose, Container, DeviceRequest, GpuDeclaration
from console.packaged import read_table
from console.text import clean_line
from console.unknown import Unknown

_NOT_MADE = Unknown("container.none", "it has no container yet")


class _Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table of `assets/setup_existing.toml`."""

    home: tuple[str, ...]
    rooted: tuple[str, ...]
    mounted: tuple[str, ...]
    files: tuple[str, ...]
    models_rooted: tuple[str, ...]
    models_mounted: tuple[str, ...]
    most: int


@cache
def _places() -> _Places:
    return msgspec.convert(read_table("setup_existing.toml"), _Places)


def model_places(root: Path) -> Iterator[Path]:
    """Give more folders of the host that may hold models."""
    return (root / one for one in _places().models_rooted)


def drive_places(drive: Path) -> Iterator[Path]:
    """Give the folders of a drive where ComfyUI for Windows keeps its models."""
    for pattern in _places().models_mounted:
        try:
            yield from sorted(drive.glob(pattern))
        except OSError:
            continue


def compose_files(home: Path | None, root: Path, drives: Iterable[Path]) -> Iterator[Path]:
    """Give the compose files in the usual folders; what cannot be read is passed over.

    Args:
        home: the home directory; None where there is none.
        root: of the host.
        drives: folders of drives, such as those below /mnt.
    """
    places = _places()
    below = [(home, one) for one in places.home] if home is not None else []
    below += [(root, one) for one in places.rooted]
    below += [(drive, one) for drive in drives for one in places.mounted]
    seen: set[Path] = set()
    for base, folder in below:
        for file in _matching(base, folder):
            if file not in seen:
                seen.add(file)
                yield file
            if len(seen) >= places.most:
                return


def _matching(base: Path, folder: str) -> Iterator[Path]:
    for name in _places().files:
        pattern = f"{folder}/{name}" if folder else name
        try:
            yield from sorted(one for one in base.glob(pattern) if one.is_file())
        except OSError:
            continue


def services_in(file: Path) -> tuple[Service, ...]:
    """Give the services of a compose file that are a Forge or a ComfyUI, as discovered ones.

    A file that cannot be read, or is no compose file, has none.
    """
    from console.compose.project import parse, read_text

    try:
        content = parse(read_text(file), file)
    except ComposeError:
        return ()
    services = content.get("services")
    if not isinstance(services, Mapping):
        return ()
    found = (
        _service(file, str(name), entry)
        for name, entry in services.items()
        if isinstance(entry, Mapping)
    )
    return tuple(one for one in found if one is not None)


def _service(file: Path, name: str, entry: Mapping[str, Any]) -> Service | None:
    recognised = recognise(_as_container(file, name, entry))
    if recognised is None:
        return None
    container = clean_line(str(entry.get("container_name") or ""), 200)
    container = "" if "$" in container else container
    return Service(
        name=container or clean_line(name, 80),
        kind=recognised.kind,
        source="discovered",
        container=container,
        compose_file=file,
        compose_service=name,
        compose_files=(file,),
        url=_address(entry, recognised.kind),
        reasons=recognised.reasons,
    )


def _as_container(file: Path, name: str, entry: Mapping[str, Any]) -> Container:
    """Give the container that compose would make, as far as it tells what is in it."""
    words = [*_words(entry.get("entrypoint")), *_words(entry.get("command"))]
    return Container(
        id="",
        name=clean_line(str(entry.get("container_name") or ""), 200),
        image=clean_line(str(entry.get("image") or ""), 300),
        state="created",
        status="",
        created_at=_NOT_MADE,
        ports=(),
        compose=Compose(project="", service=name, config_files=(str(file),)),
        gpu=GpuDeclaration(
            requests=tuple(_requests(entry)),
            environment=tuple(variables(entry).items()),
            arguments=tuple(words),
        ),
    )


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError:
            return value.split()
    return [str(one) for one in value] if isinstance(value, list) else []


def variables(entry: Mapping[str, Any]) -> dict[str, str]:
    """Give the environment of a service as its compose file has it: a mapping, or a list."""
    told = entry.get("environment")
    if isinstance(told, Mapping):
        return {str(name): _plain(value) for name, value in told.items()}
    pairs = (str(one).partition("=") for one in told) if isinstance(told, list) else ()
    return {name: value for name, equals, value in pairs if equals}


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def device_ids(entry: Mapping[str, Any]) -> list[str]:
    """Give the cards that a service asks the engine for by id; none where it asks for all."""
    asked = (one.get("device_ids") for one in _devices(entry) if isinstance(one, Mapping))
    ids = [str(one) for several in asked if isinstance(several, list) for one in several]
    return [one for one in ids if "$" not in one]


def _devices(entry: Mapping[str, Any]) -> list[Any]:
    value: Any = entry
    for key in DEVICES:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, list) else []


def _requests(entry: Mapping[str, Any]) -> Iterator[DeviceRequest]:
    if _devices(entry):
        yield DeviceRequest(driver="nvidia", count=-1, device_ids=(), capabilities=("gpu",))


def published(entry: Mapping[str, Any]) -> dict[int, tuple[str, int]]:
    """Give what a service publishes: address and port on the host, by the port inside.

    What is a range, or has a variable in it, is left out.
    """
    ports = entry.get("ports")
    found: dict[int, tuple[str, int]] = {}
    for one in ports if isinstance(ports, list) else ():
        told = _long(one) if isinstance(one, Mapping) else _short(str(one))
        if told is not None:
            inside, address, outside = told
            found.setdefault(inside, (address, outside))
    return found


def _long(one: Mapping[str, Any]) -> tuple[int, str, int] | None:
    inside, outside = str(one.get("target", "")), str(one.get("published", ""))
    if not (inside.isdecimal() and outside.isdecimal()):
        return None
    return int(inside), str(one.get("host_ip") or ""), int(outside)


def _short(text: str) -> tuple[int, str, int] | None:
    outer, _, inside = text.partition("/")[0].rpartition(":")
    address, _, outside = outer.rpartition(":")
    if not (inside.isdecimal() and outside.isdecimal()):
        return None
    return int(inside), address.strip("[]"), int(outside)


def _address(entry: Mapping[str, Any], kind: str) -> str:
    """Give where its API will be; empty where its file does not tell."""
    rules = service_rules().kind(kind)
    ports = published(entry)
    if entry.get("network_mode") == "host" and rules is not None and rules.own_port:
        return f"http://127.0.0.1:{rules.own_port}"
    for inside in rules.url_ports if rules is not None else ():
        if inside in ports:
            address, outside = ports[inside]
            here = address in {"", "0.0.0.0", "::", "127.0.0.1", "::1"}  # noqa: S104 -- read, not bound
            shown = f"[{address}]" if ":" in address else address
            return f"http://{'127.0.0.1' if here else shown}:{outside}"
    return ""
