"""Stand-ins for a container's screen: a source that answers as a test says, a log that is fed."""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from actions.details.inspected import variables
from actions.details.snapshot import (
    ContainerDetails,
    Health,
    ImageFacts,
    Mount,
    MountState,
    Network,
    Probe,
    Run,
    Runs,
    Top,
)
from actions.logs.book import LogBook
from actions.logs.line import Entry, stamp_of
from console.engine.snapshot import Compose, Container
from console.errors import ConsoleError, UsageError
from console.unknown import Unknown
from tests.support.snapshots import GIB, NOW

NOT_READ = Unknown("details.not-read-yet", "not read yet")
SECRET = "hf_aVerySecretTokenOf32Characters0"
HANGS = Unknown("host.path-hangs", "no answer within 2 s: a network share or drive that is gone?")
ENVIRONMENT = (
    "FORGE_ARGS=--gpu-device-id 0 --cuda-malloc --xformers --api",
    f"HF_TOKEN={SECRET}",
    "WEB_PASSWORD=correct horse battery staple",
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "CUDA_DEVICE_ORDER=PCI_BUS_ID",
)
IMAGE = ImageFacts(
    name="ghcr.io/example/forge:latest",
    id="sha256:4f1c7d2e9b3a" + "0" * 52,
    created_at=NOW - timedelta(days=420),
    size_bytes=int(13.4 * GIB),
    platform="linux/amd64",
    moved=True,
    environment=(("PATH", "/usr/local/bin:/usr/bin:/bin"),),
)
MODELS = Mount(
    kind="bind", name="", source="/home/jesse/SD/models", target="/models", writable=False
)
GONE = Mount(kind="bind", name="", source="/mnt/d/outputs", target="/outputs", writable=True)
DEAD = Mount(kind="bind", name="", source="/mnt/nas/share", target="/share", writable=True)
CACHE = Mount(
    kind="volume",
    name="forge-cache",
    source="/var/lib/docker/volumes/forge-cache/_data",
    target="/root/.cache",
    writable=True,
)


def mount_state(mount: Mount, present: bool | Unknown = True, free: float = 80) -> MountState:
    """Make how a mount is; `free` in GiB of 900."""
    unknown = present if isinstance(present, Unknown) else None
    return MountState(
        mount=mount,
        present=present,
        size_bytes=unknown or int(61.3 * GIB),
        free_bytes=unknown or int(free * GIB),
        total_bytes=unknown or 900 * GIB,
        read_only=unknown or False,
    )


STATES = (
    mount_state(MODELS),
    mount_state(GONE, False),
    mount_state(DEAD, HANGS),
    mount_state(CACHE, free=12),
)


def run(minutes: float, lasted: float, code: int, said: str, asked: bool = False) -> Run:
    """Make a run that ended some minutes ago after so many seconds."""
    end = NOW - timedelta(minutes=minutes)
    return Run(
        started_at=end - timedelta(seconds=lasted),
        ended_at=end,
        exit_code=code,
        meaning=said,
        asked=asked,
    )


RUNS = Runs(
    runs=(
        run(0.3, 12, 2, "usage error"),
        run(1, 11, 2, "usage error"),
        run(4, 3 * 3600, 143, "terminated, as asked", asked=True),
    ),
    forgotten=4,
    since=NOW - timedelta(hours=5),
)
HEALTH = Health(
    status="unhealthy",
    failing_streak=3,
    command=("CMD-SHELL", "curl -fs http://127.0.0.1:17860/internal/ping"),
    interval_seconds=30.0,
    probes=tuple(
        Probe(
            at=NOW - timedelta(seconds=30 * number),
            seconds=0.08,
            exit_code=0 if number == 2 else 7,
            output="ok" if number == 2 else "curl: (7) Failed to connect to 127.0.0.1 port 17860",
        )
        for number in range(3)
    ),
)


def details(container: Container, environment: Sequence[str] = ENVIRONMENT) -> ContainerDetails:
    """Make details of a container as the studio's Forge has them."""
    made = msgspec.structs.replace(
        container,
        compose=Compose(
            project="sd",
            service="forge-turbo",
            working_dir="/home/jesse/SD/workspace",
            config_files=("/home/jesse/SD/workspace/docker-compose.yml",),
        ),
    )
    return ContainerDetails(
        taken_at=NOW,
        container=made,
        image=IMAGE,
        arguments=("init.sh", "--api-auth", "user:***", "--listen"),
        working_directory="/workspace",
        user="",
        log_driver="json-file",
        health=HEALTH,
        runs=RUNS,
        networks=(
            Network(
                name="sd_default",
                address="172.18.0.4",
                gateway="172.18.0.1",
                mac_address="02:42:ac:12:00:04",
                aliases=("forge-turbo", "myia-turbo"),
            ),
        ),
        mounts=(MODELS, GONE, DEAD, CACHE),
        environment=variables(list(environment), IMAGE),
        raw=RAW,
    )


RAW = (
    "{",
    '  "Id": "4d7969612d747572626f",',
    '  "State": {',
    '    "Status": "restarting",',
    '    "ExitCode": 2',
    "  },",
    '  "Config": {',
    '    "Env": [',
    '      "HF_TOKEN=***"',
    "    ]",
    "  }",
    "}",
)
TOP = Top(
    titles=("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"),
    rows=(
        ("root", "4242", "4200", "0", "19:41", "?", "00:00:01", "/usr/bin/supervisord -n"),
        ("user", "4310", "4242", "98", "19:41", "?", "01:12:44", "python launch.py --api-auth ***"),
    ),
)


class FedFollower:
    """A follower whose book a test feeds."""

    def __init__(self, names: Sequence[str], on_change: Callable[[], None]) -> None:
        self.names = tuple(names)
        self.book = LogBook()
        self.state = "following"
        self.problem: Unknown | None = None
        self.started = 0
        self.stopped = threading.Event()
        self._on_change = on_change

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stopped.set()

    def feed(self, entries: Iterable[Entry]) -> None:
        """Append entries and tell the screen, as the real one does from its thread."""
        self.book.append(entries)
        self._on_change()

    def become(self, state: str, problem: Unknown | None = None) -> None:
        """Change how it is doing."""
        self.state, self.problem = state, problem
        self._on_change()


class Answers:
    """A source that answers at once, what a test put into it."""

    def __init__(self) -> None:
        self.made: Callable[[str], ContainerDetails] | None = None
        self.error: ConsoleError | None = None
        self.mount_states: tuple[MountState, ...] = STATES
        self.processes = TOP
        self.asked: list[str] = []
        self.followers: list[FedFollower] = []
        self.prepared: list[Entry] = []
        self.hold = threading.Event()
        self.hold.set()

    def details(self, ident: str) -> ContainerDetails:
        self._ask("details")
        assert self.made is not None
        return self.made(ident)

    def mounts(self, mounts: Sequence[Mount]) -> tuple[MountState, ...]:
        self._ask("mounts")
        return self.mount_states

    def top(self, ident: str) -> Top:
        self._ask("top")
        return self.processes

    def reveal(self, ident: str, name: str) -> str:
        self._ask(f"reveal {name}")
        pairs = dict(entry.split("=", 1) for entry in ENVIRONMENT)
        if name not in pairs:
            raise UsageError("details.no-variable", f"There is no variable {name} any more")
        return pairs[name]

    def follow(self, names: Sequence[str], on_change: Callable[[], None]) -> FedFollower:
        self.asked.append("follow")
        follower = FedFollower(names, on_change)
        follower.book.append(self.prepared)
        self.followers.append(follower)
        return follower

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        self.hold.wait(20)
        if self.error is not None:
            raise self.error


def entry(
    text: str,
    seconds: float = 0,
    stream: int = 1,
    source: str = "",
    container: str = "myia-turbo",
    progress: bool = False,
    at: datetime = NOW - timedelta(minutes=10),
) -> Entry:
    """Make a log entry, so many seconds after ten minutes ago."""
    return Entry(
        stamp=stamp_of(at + timedelta(seconds=seconds)),
        stream=stream,
        source=source,
        container=container,
        text=text,
        progress=progress,
    )


TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/workspace/launch.py", line 48, in <module>',
    "    main()",
    '  File "/workspace/modules/launch_utils.py", line 472, in prepare',
    "    raise RuntimeError('Torch is not able to use GPU')",
    "RuntimeError: Torch is not able to use GPU",
)


def story() -> list[Entry]:
    """Give a log as a Forge writes it: a start, a warning, a traceback, repeats, a bar."""
    supervisor, forge = "/var/log/supervisor/supervisor.log", "/var/log/supervisor/forge.log"
    lines = [
        entry("Starting Forge...", 0, source=supervisor),
        entry("Python 3.10.15 (main, Sep 27 2024) [GCC 11.4.0]", 1, source=forge),
        entry("Set device to: 0", 2, source=forge),
        entry("WARNING: xformers not found, using pytorch attention", 3, 2, forge),
    ]
    lines += [entry(text, 4, 2, forge) for text in TRACEBACK]
    lines += [entry("waiting for the model lock", 5 + n, source=forge) for n in range(12)]
    lines += [
        entry(" 60%|██████    | 12/20 [00:18<00:12,  1.56s/it]", 20, 2, forge, progress=True),
        entry("INFO: 日本語のプロンプト を受信しました", 21, source=forge),
        entry("ERROR: out of memory " + "x" * 150, 22, 2, forge),
        entry("Running on local URL:  http://127.0.0.1:17860", 23, source=forge),
    ]
    return lines
