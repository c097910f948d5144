"""The scenarios: scene files by name, one built on another, checked when they are read."""

import difflib
import hashlib
from typing import Any

import msgspec

from console.errors import UsageError
from console.packaged import packaged, read_table
from console.simulator.scene import CardSpec, ContainerSpec, Scene

DEFAULT = "studio"
_FOLDER = "scenarios"


def scenario_names() -> tuple[str, ...]:
    """Give the names of all scenarios, the default one first, the rest by name."""
    names = sorted(path.stem for path in packaged(_FOLDER).glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def scenario_title(name: str) -> str:
    """Give the one line that says what a scenario shows."""
    return str(_read(name).get("title", ""))


def drill_names() -> tuple[str, ...]:
    """Give the names of the scenarios in which something is wrong that can be found, by name."""
    return tuple(sorted(name for name in scenario_names() if "drill" in _read(name)))


def load_scenario(name: str) -> Scene:
    """Read a scenario with everything it is built on.

    Raises:
        UsageError: no scenario has this name (the hint has the nearest), or its file is wrong.
    """
    data = _with_base(name, ())
    data["id"] = name
    try:
        scene = msgspec.convert(data, Scene)
    except (msgspec.ValidationError, ValueError) as error:
        raise UsageError("demo.bad-scenario", f"scenario {name} is wrong: {error}") from error
    return msgspec.structs.replace(
        scene, cards=_dealt(scene.cards), containers=_named(scene.containers)
    )


def _read(name: str) -> dict[str, Any]:
    if name not in scenario_names():
        near = difflib.get_close_matches(name, scenario_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else "`gpuconsole demo --list` names them all"
        raise UsageError("demo.no-such-scenario", f"no scenario is called {name!r}", hint)
    return read_table(f"{_FOLDER}/{name}.toml")


def _with_base(name: str, seen: tuple[str, ...]) -> dict[str, Any]:
    if name in seen:
        raise UsageError("demo.bad-scenario", f"scenario {name} is built on itself")
    data = _read(name)
    base = data.pop("base", "")
    if not base:
        return data
    below = _with_base(base, (*seen, name))
    below.pop("drill", None)
    return _merged(below, data)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one table over another: tables merge, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            merged[key] = _merged(under, value)
        else:
            merged[key] = value
    return merged


def _dealt(cards: tuple[CardSpec, ...]) -> tuple[CardSpec, ...]:
    """Give each copy of a card a bus id and a UUID of its own where the file gives none."""
    dealt: list[CardSpec] = []
    for card in cards:
        for _ in range(card.copies):
            index = len(dealt)
            dealt.append(
                msgspec.structs.replace(
                    card,
                    uuid=card.uuid or _uuid(f"{card.name}/{index}"),
                    pci_bus_id=card.pci_bus_id or f"00000000:{index + 1:02X}:00.0",
                    copies=1,
                )
            )
    return tuple(dealt)


def _uuid(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    parts = (digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])
    return "GPU-" + "-".join(parts)


def _named(containers: dict[str, ContainerSpec]) -> dict[str, ContainerSpec]:
    """Drop what an heir removed, and give each copy its own name and ports."""
    named: dict[str, ContainerSpec] = {}
    for key, spec in containers.items():
        if spec.remove:
            continue
        for number in range(1, spec.copies + 1):
            name = spec.name or (key if spec.copies == 1 else f"{key}-{number:03d}")
            ports = tuple(port.replace("{n}", str(20000 + number)) for port in spec.ports)
            labels = {**_compose_labels(spec), **spec.labels}
            named[name] = msgspec.structs.replace(
                spec, name=name, ports=ports, labels=labels, copies=1
            )
    return named


def _compose_labels(spec: ContainerSpec) -> dict[str, str]:
    """Give the labels that compose puts on what it creates; none for other containers."""
    project, _, service = spec.compose.partition("/")
    if not service:
        return {}
    facts = {
        "config-hash": hashlib.sha256(spec.compose.encode()).hexdigest(),
        "container-number": "1",
        "depends_on": "",
        "image": "sha256:" + hashlib.sha256(spec.image.encode()).hexdigest(),
        "oneoff": "False",
        "project": project,
        "project.config_files": f"{spec.compose_dir}/{spec.compose_file}",
        "project.working_dir": spec.compose_dir,
        "service": service,
        "version": "5.5.0",
    }
    return {f"com.docker.compose.{name}": value for name, value in facts.items()}
