"""`POST /containers/create`: a container from the settings a client sends."""

import re
from pathlib import Path
from typing import Any

import msgspec

from console.simulator.actor import Actor
from console.simulator.casting import played
from console.simulator.engine.images import find_image
from console.simulator.engine.smi import is_nvidia_smi, nvidia_smi
from console.simulator.refusal import Refusal
from console.simulator.scene import ContainerSpec, HealthCheck, ImageSpec, Phase
from console.simulator.shell import Script, read_command
from console.simulator.world import World

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_NANO = 1_000_000_000
_MISSING = (
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
    'container process: exec: "{name}": executable file not found in $PATH: unknown'
)
_BUSY = (Phase(name="running", seconds="1h", memory=0.02),)


def create(world: World, body: dict[str, Any], name: str) -> Actor:
    """Make a container; what it does is read from its command where that is a plain one.

    Raises:
        Refusal: the name is taken or not allowed, or the image is not there.
    """
    stage = world.stage
    name = name.removeprefix("/") or f"made_{len(stage.actors)}"
    if not _NAME.fullmatch(name):
        raise Refusal("create-bad-name", name=name)
    tag, image = find_image(stage, str(body.get("Image", "")), "create-no-such-image")
    body = _filled(body, tag, image)
    if not _words(body.get("Cmd")) + _words(body.get("Entrypoint")):
        raise Refusal("no-command")
    for other in stage.actors.values():
        if other.name == name:
            raise Refusal("create-name-taken", name=name, id=other.id)
    spec = _spec(body, name, image)
    spec = nvidia_smi(stage.scene, spec) if is_nvidia_smi(spec) else played(stage.scene, spec)
    if image.nodes is not None:
        service = msgspec.structs.replace(spec.service, nodes=image.nodes)
        spec = msgspec.structs.replace(spec, service=service)
    actor = Actor(spec, name, stage.seed + stage.next_pid(), stage.now)
    stage.add(actor)
    stage.tell(actor, "create")
    return actor


def _filled(body: dict[str, Any], tag: str, image: ImageSpec) -> dict[str, Any]:
    """Fill in what the image has: its name, and its command where none is given."""
    filled = dict(body)
    if str(body["Image"]).startswith("sha256:"):
        filled["Image"] = tag
    if not _words(body.get("Entrypoint")):
        filled["Entrypoint"] = list(image.entrypoint)
        filled["Cmd"] = _words(body.get("Cmd")) or list(image.command)
    return filled


def _spec(body: dict[str, Any], name: str, image: ImageSpec) -> ContainerSpec:
    host = body.get("HostConfig") or {}
    entrypoint, command = _words(body.get("Entrypoint")), _words(body.get("Cmd"))
    script = read_command([*entrypoint, *command])
    init = bool(host.get("Init"))
    lacks = image.shell and bool(script.missing)
    return ContainerSpec(
        name=name,
        image=str(body["Image"]),
        entrypoint=tuple(entrypoint),
        command=tuple(command),
        env=dict(text.split("=", 1) for text in body.get("Env") or [] if "=" in text),
        labels=dict(body.get("Labels") or {}),
        gpus=_gpus(host.get("DeviceRequests") or []),
        restart=_policy(host.get("RestartPolicy") or {}),
        ports=_ports(host.get("PortBindings") or {}),
        mounts=_mounts(host),
        network=_network(host),
        tty=bool(body.get("Tty")),
        init=init,
        health=_health(body.get("Healthcheck") or {}),
        stop_timeout=body.get("StopTimeout"),
        stop_signal=body.get("StopSignal") or "",
        state="created",
        term="exit" if init else script.term,
        term_code=143 if init and script.term == "ignore" else script.term_code,
        term_seconds=0.05,
        phases=_phases(script, body),
        loop=script.loop,
        start_error=_MISSING.format(name=script.missing) if lacks else "",
    )


def _phases(script: Script, body: dict[str, Any]) -> tuple[Phase, ...]:
    """Give the phases of a command, unready throughout where its health check must fail."""
    words = " ".join(_words((body.get("Healthcheck") or {}).get("Test")))
    ready = not re.search(r"\bfalse\b|exit [1-9]", words)
    return tuple(msgspec.structs.replace(p, ready=ready) for p in script.phases or _BUSY)


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(part) for part in value or []]


def _mounts(host: dict[str, Any]) -> tuple[str, ...]:
    """Give the bind mounts, in either way of asking for them; read-only ones end in `:ro`.

    Raises:
        Refusal: what is to be mounted is not there, and nobody asked to make it.
    """
    found = [str(bind).removesuffix(":rw") for bind in host.get("Binds") or []]
    for mount in host.get("Mounts") or []:
        if mount.get("Type") != "bind":
            continue
        source, options = str(mount.get("Source")), mount.get("BindOptions") or {}
        if not options.get("CreateMountpoint") and not Path(source).exists():
            raise Refusal("no-bind-source", path=source)
        found.append(f"{source}:{mount.get('Target')}{':ro' if mount.get('ReadOnly') else ''}")
    return tuple(found)


def _policy(policy: dict[str, Any]) -> str:
    name, tries = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{tries}" if tries else str(name)


def _network(host: dict[str, Any]) -> str:
    mode = str(host.get("NetworkMode") or "default")
    return "bridge" if mode == "default" else mode


def _ports(bindings: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for inner, outer in bindings.items():
        number, _, protocol = inner.partition("/")
        for binding in outer or []:
            address = binding.get("HostIp") or ""
            prefix = f"{address}:" if address else ""
            found.append(f"{prefix}{binding.get('HostPort')}:{number}/{protocol or 'tcp'}")
    return tuple(found)


def _gpus(requests: list[dict[str, Any]]) -> str | tuple[str, ...] | None:
    for request in requests:
        ids = request.get("DeviceIDs")
        return tuple(str(name) for name in ids) if ids else "all"
    return None


def _health(check: dict[str, Any]) -> HealthCheck | None:
    """Read a health check; whether it succeeds follows from its command."""
    test = check.get("Test") or []
    if len(test) < 2:
        return None
    command = " ".join(str(part) for part in test[1:])
    return HealthCheck(
        command=command,
        interval=(check.get("Interval") or 30 * _NANO) / _NANO,
        timeout=(check.get("Timeout") or 30 * _NANO) / _NANO,
        start_period=(check.get("StartPeriod") or 0) / _NANO,
        retries=check.get("Retries") or 3,
        output=_echoed(command),
    )


def _echoed(command: str) -> str:
    found = re.search(r"echo ([^\s;]+)", command)
    return f"{found[1]}\n" if found else ""
