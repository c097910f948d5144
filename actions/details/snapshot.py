"""What is known of one container beyond its line on the dashboard: immutable, secrets masked."""

from datetime import datetime

import msgspec

from console.engine.snapshot import Container
from console.unknown import Unknown

NOT_READ = Unknown("details.not-read-yet", "not read yet")


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The image a container was made from.

    Attributes:
        name: as the container's settings name it.
        id: of the image that the container really runs, with its `sha256:`.
        created_at: when it was built.
        moved: the name means another, newer image by now: a recreated container would differ.
        environment: the variables it brings, masked, as pairs.
    """

    name: str
    id: str
    created_at: datetime | Unknown | None
    size_bytes: int | Unknown
    platform: str
    moved: bool | Unknown
    environment: tuple[tuple[str, str], ...] = ()


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One health check that was run; `seconds` is how long it took."""

    at: datetime | Unknown | None
    seconds: float | Unknown
    exit_code: int | Unknown
    output: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The health check of a container and its last results, newest first."""

    status: str
    failing_streak: int
    command: tuple[str, ...]
    interval_seconds: float | None
    probes: tuple[Probe, ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a container that the engine's events tell of.

    Attributes:
        started_at: None where the engine no longer remembers.
        ended_at: None while it goes on.
        meaning: of the exit code, in words; None where nothing is known about it.
        asked: somebody asked for the end, by a stop or a signal.
    """

    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    meaning: str | None
    asked: bool


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that the engine still remembers, newest first.

    Attributes:
        forgotten: restarts that the engine counts but has no event of any more.
        since: the oldest event that the engine remembers, of any container; None where none.
    """

    runs: tuple[Run, ...]
    forgotten: int
    since: datetime | None


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A network that a container is on; texts are empty where the engine tells none."""

    name: str
    address: str
    gateway: str
    mac_address: str
    aliases: tuple[str, ...]


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A path of the host, or a volume, inside a container.

    Attributes:
        kind: `bind`, `volume`, `tmpfs`, ...
        name: of a volume; empty for a bind mount.
        source: path on the host; empty where there is none.
        target: path inside.
        writable: the container may write there.
    """

    kind: str
    name: str
    source: str
    target: str
    writable: bool


class MountState(msgspec.Struct, frozen=True, kw_only=True):
    """How a mount is on the host now.

    Attributes:
        present: its source is there.
        size_bytes: of what lies in it.
        free_bytes: that an ordinary user may still write on its file system.
        read_only: the file system itself refuses writes.
    """

    mount: Mount
    present: bool | Unknown
    size_bytes: int | Unknown
    free_bytes: int | Unknown
    total_bytes: int | Unknown
    read_only: bool | Unknown


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """An environment variable as it may be shown; `masked` says that something was hidden.

    `origin` is `image` where the image brings this very value, else `container`.
    """

    name: str
    value: str
    masked: bool
    origin: str


class Top(msgspec.Struct, frozen=True, kw_only=True):
    """The processes of a container as the engine's `ps` prints them, secrets masked."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class ContainerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an inspect tells of one container, and what the engine knows around it.

    Attributes:
        arguments: the command line of its first process, masked.
        runs: Unknown where the engine would not tell its events.
        raw: the whole inspect as lines of JSON, masked.
        log_driver: such as `json-file`.
    """

    taken_at: datetime
    container: Container
    image: ImageFacts | Unknown
    arguments: tuple[str, ...]
    working_directory: str
    user: str
    log_driver: str
    health: Health | None
    runs: Runs | Unknown
    networks: tuple[Network, ...]
    mounts: tuple[Mount, ...]
    environment: tuple[Variable, ...]
    raw: tuple[str, ...]
