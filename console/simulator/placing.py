"""A scene put in its place: ports that are free, compose files that are there."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from console.simulator.casting import inner_port, kind_of
from console.simulator.scene import ContainerSpec, Scene, seconds

_HOME = "/home/jesse"
_LABEL = "com.docker.compose.project"
_GPU_NOTE = "  # ids as in nvidia-smi; WSL2 does not obey them"


def published(scene: Scene) -> tuple[str, ...]:
    """Give the containers whose service can be reached from the host."""
    return tuple(
        name
        for name, spec in scene.containers.items()
        if kind_of(spec) and any(_is_service_port(spec, port) for port in spec.ports)
    )


def placed(scene: Scene, work: Path, ports: Mapping[str, int]) -> Scene:
    """Give a scene with the true ports of its services, its compose folders in `work`."""
    containers = {
        name: _placed(spec, work, ports.get(name), scene.bare)
        for name, spec in scene.containers.items()
    }
    return msgspec.structs.replace(scene, containers=containers)


def _placed(spec: ContainerSpec, work: Path, port: int | None, bare: bool) -> ContainerSpec:
    """Put a container in its place; where the home is `work`, what it mounts of that is there."""
    folder = compose_folder(spec, work)
    labels = dict(spec.labels)
    if folder is not None and f"{_LABEL}.working_dir" in labels:
        labels[f"{_LABEL}.working_dir"] = str(folder)
        labels[f"{_LABEL}.config_files"] = str(folder / spec.compose_file)
    mapped = tuple(
        f"{port}:{inner_port(spec)}" if port and _is_service_port(spec, text) else text
        for text in spec.ports
    )
    mounts = tuple(_moved(one, work) for one in spec.mounts) if bare else spec.mounts
    return msgspec.structs.replace(spec, labels=labels, ports=mapped, mounts=mounts)


def _moved(mount: str, work: Path) -> str:
    return f"{work}{mount.removeprefix(_HOME)}" if mount.startswith(f"{_HOME}/") else mount


def _is_service_port(spec: ContainerSpec, text: str) -> bool:
    plain = text.partition("/")[0]
    return ":" in plain and plain.rpartition(":")[2] == inner_port(spec)


def compose_folder(spec: ContainerSpec, work: Path) -> Path | None:
    """Give the folder of a container's compose file; None where compose did not make it."""
    if not spec.compose or not spec.compose_dir:
        return None
    return work / spec.compose_dir.removeprefix(_HOME).strip("/")


def write_compose_files(scene: Scene, work: Path) -> None:
    """Write every compose file of the scene, each with all services that it makes."""
    files: dict[Path, list[ContainerSpec]] = {}
    for spec in scene.containers.values():
        folder = compose_folder(spec, work)
        if folder is not None:
            files.setdefault(folder / spec.compose_file, []).append(spec)
    for path, specs in files.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(_compose_file(path, specs), encoding="utf-8")


def _compose_file(path: Path, specs: list[ContainerSpec]) -> str:
    project = specs[0].compose.partition("/")[0]
    lines = [
        "# Of a rehearsal: the containers that it makes are simulated.",
        f"# docker compose -p {project} -f {path.name} up -d",
        "",
        "services:",
    ]
    known: set[str] = set()
    for spec in specs:
        service = spec.compose.partition("/")[2]
        if service not in known:
            lines += [f"  {service}:", *(f"    {line}" for line in _service(spec)), ""]
        known.add(service)
    return "\n".join(lines)


def _service(spec: ContainerSpec) -> Iterator[str]:
    yield f"image: {spec.image}"
    yield f"container_name: {spec.name}"
    if spec.command:
        yield f"command: {json.dumps(spec.command)}"
    if spec.init:
        yield "init: true                     # else SIGTERM does nothing"
    if spec.restart != "no":
        yield f"restart: {spec.restart}"
    yield from _listed("ports", spec.ports)
    if spec.env:
        yield "environment:"
        yield from (f"  {name}: {_scalar(value)}" for name, value in spec.env.items())
    yield from _listed("volumes", spec.mounts)
    yield from _health(spec)
    yield from _gpus(spec)


def _listed(key: str, values: tuple[str, ...]) -> Iterator[str]:
    if values:
        yield f"{key}:"
        yield from (f"  - {_scalar(value)}" for value in values)


def _health(spec: ContainerSpec) -> Iterator[str]:
    if spec.health is None:
        return
    yield "healthcheck:"
    yield f'  test: ["CMD-SHELL", {_scalar(spec.health.command)}]'
    for key in ("interval", "timeout", "start_period"):
        yield f"  {key}: {seconds(getattr(spec.health, key)):g}s"
    yield f"  retries: {spec.health.retries}"


def _gpus(spec: ContainerSpec) -> Iterator[str]:
    if spec.gpus is None:
        return
    everything = isinstance(spec.gpus, str)
    yield "deploy:"
    yield "  resources:"
    yield "    reservations:"
    yield "      devices:"
    yield "        - driver: nvidia"
    if everything:
        yield "          count: all"
    else:
        yield f"          device_ids: {json.dumps(spec.gpus)}{_GPU_NOTE}"
    yield "          capabilities: [gpu]"


def _scalar(text: str) -> str:
    """Write a text so that neither YAML nor compose reads anything into it."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)
