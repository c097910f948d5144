"""What the engine door publishes: immutable pictures of the engine and its containers."""

from datetime import datetime

import msgspec

from console.unknown import Unknown

NOT_COUNTED = Unknown("engine.not-counted", "the engine counts none for it")
NOT_INSPECTED = Unknown("engine.not-inspected", "not inspected yet")
UP = frozenset({"running", "paused", "restarting"})
"""States of a container that has processes, or is about to have some again by its policy."""

# Variables whose value is appended to the program's command line.
ARGUMENT_NAMES = (
    "FORGE_ARGS",
    "FORGE_FLAGS",
    "WEBUI_ARGS",
    "WEBUI_FLAGS",
    "COMMANDLINE_ARGS",
    "CLI_ARGS",
    "COMFYUI_ARGS",
    "COMFYUI_FLAGS",
    "EXTRA_ARGS",
)


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a container; `host_ip` and `host_port` are None where it is only exposed."""

    container_port: int
    protocol: str
    host_ip: str | None = None
    host_port: int | None = None


class Compose(msgspec.Struct, frozen=True, kw_only=True):
    """Which compose project and service created a container, from its labels."""

    project: str
    service: str
    working_dir: str = ""
    config_files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()


class DeviceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU request of a container as the engine keeps it (`HostConfig.DeviceRequests`).

    Attributes:
        driver: such as `nvidia`, or empty.
        count: how many; -1 is all; 0 where `device_ids` names them.
        device_ids: indexes or UUIDs as text.
        capabilities: flattened, such as `("gpu",)`.
    """

    driver: str
    count: int
    device_ids: tuple[str, ...]
    capabilities: tuple[str, ...]


class GpuDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in a container's settings that says which card it should use.

    Attributes:
        requests: GPU device requests (compose `devices`, `--gpus`).
        runtime: OCI runtime, such as `runc` or `nvidia`.
        environment: only the names that choose a card or carry flags: `NVIDIA_VISIBLE_DEVICES`,
            `CUDA_VISIBLE_DEVICES`, `CUDA_DEVICE_ORDER`, `FORGE_ARGS`, `COMMANDLINE_ARGS`, ...
        arguments: entrypoint and command as one list, as the engine keeps them.
    """

    requests: tuple[DeviceRequest, ...] = ()
    runtime: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One container as the engine tells it: names are cleaned of control characters.

    Fields that only an inspect gives are Unknown(`engine.not-inspected`) until it came.
    None means "does not apply", such as `exit_code` of a running container.

    Attributes:
        state: created, running, paused, restarting, removing, exited or dead.
        status: the engine's own sentence, such as `Up 3 hours (healthy)`.
        health: healthy, unhealthy, starting, or none where there is no health check.
        exit_code: of the last run that ended; None while running for the first time or created.
        error: the engine's own words of a failed start; empty where there was none.
        restart_count: restarts by policy since the last start by hand.
        restart_policy: no, always, unless-stopped, on-failure or on-failure:N.
        stop_timeout: seconds of grace the container is configured with; None is the engine's 10.
        pid: of the container's init in the host's namespace; None where it does not run.
        network_mode: such as `bridge`, `host` or a network's name; empty where it is not told.
        image_id: the digest of the image it was made of, such as `sha256:…`; a tag may have moved
            on since. Empty where it is not told.
        revision: grows with each change the door has seen, so that views know what to redraw.
    """

    id: str
    name: str
    image: str
    state: str
    status: str
    created_at: datetime | Unknown
    ports: tuple[Port, ...]
    compose: Compose | None
    labels: tuple[tuple[str, str], ...] = ()
    health: str | Unknown = NOT_INSPECTED
    exit_code: int | Unknown | None = NOT_INSPECTED
    error: str | Unknown = NOT_INSPECTED
    oom_killed: bool | Unknown = NOT_INSPECTED
    restart_count: int | Unknown = NOT_INSPECTED
    restart_policy: str | Unknown = NOT_INSPECTED
    started_at: datetime | Unknown | None = NOT_INSPECTED
    finished_at: datetime | Unknown | None = NOT_INSPECTED
    stop_timeout: int | Unknown | None = NOT_INSPECTED
    pid: int | Unknown | None = NOT_INSPECTED
    gpu: GpuDeclaration | Unknown = NOT_INSPECTED
    network_mode: str = ""
    image_id: str = ""
    revision: int = 0


class EngineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One container event of the engine's stream, kept for alerts and the timeline.

    Attributes:
        action: start, die, oom, kill, stop, restart, destroy, `health_status: unhealthy`, ...
        exit_code: of `die` events, else None.
        signal: of `kill` events, else None.
    """

    at: datetime
    container_id: str
    container_name: str
    action: str
    exit_code: int | None = None
    signal: str | None = None


class EngineSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The engine and its containers as last heard.

    Attributes:
        endpoint: the address in use, such as `unix:///var/run/docker.sock`.
        endpoint_source: why this one: `DOCKER_HOST`, `DOCKER_CONTEXT studio`,
            `docker context studio` or `default`.
        state: `connecting`, `connected` or `lost`.
        problem: why it is not connected: absent, permission, timeout, too old. None while it is.
        containers: sorted by name; the last known ones are kept while the engine is lost.
        events: the newest container events first, at most 200.
        asked_to_stop: ids of containers whose end was asked for (stop or kill seen), newest run.
        heard_monotonic: when the engine last proved alive, seconds; None before the first time.
    """

    endpoint: str
    endpoint_source: str
    state: str
    problem: Unknown | None = None
    version: str | Unknown = Unknown("engine.not-read-yet", "not read yet")
    api_version: str | Unknown = Unknown("engine.not-read-yet", "not read yet")
    containers: tuple[Container, ...] = ()
    events: tuple[EngineEvent, ...] = ()
    asked_to_stop: frozenset[str] = frozenset()
    taken_at: datetime | None = None
    heard_monotonic: float | None = None


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that went one way: since the container was started, and per second lately."""

    total_bytes: int | Unknown
    per_second: float | Unknown


NO_FLOW = Flow(total_bytes=NOT_COUNTED, per_second=NOT_COUNTED)


class ContainerUsage(msgspec.Struct, frozen=True, kw_only=True):
    """CPU, memory and traffic of one container from two one-shot samples.

    Attributes:
        cpu_percent: of one core, so 200 is two cores; Unknown until the second sample.
        memory_bytes: used without page cache (usage minus inactive_file).
        memory_limit_bytes: Unknown where there is no limit of its own.
        received, sent: over its networks; Unknown where it shares the host's.
        read, written: from and to block devices.
        taken_monotonic: seconds.
    """

    cpu_percent: float | Unknown
    memory_bytes: int | Unknown
    memory_limit_bytes: int | Unknown
    taken_monotonic: float
    received: Flow = NO_FLOW
    sent: Flow = NO_FLOW
    read: Flow = NO_FLOW
    written: Flow = NO_FLOW
