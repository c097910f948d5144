"""What a scene is made of: the data that `assets/scenarios/*.toml` is read into."""

import msgspec

from console.units import parse_duration

GIB = 1 << 30
MIB = 1 << 20

Span = str | float
"""A length of time in a scene file: seconds, or text such as `500ms`, `41s`, `3h`, `2d`."""


def seconds(span: Span) -> float:
    """Give a span of a scene file in seconds; ValueError names what cannot be read."""
    return parse_duration(span) if isinstance(span, str) else float(span)


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a scene file; an unknown key is an error, so that a typo cannot hide."""


class Phase(_Part, frozen=True, kw_only=True):
    """A stretch of a container's life.

    Attributes:
        seconds: how long it lasts.
        vram: GiB held at its end; reached along a curve from the phase before. None keeps it.
        memory: the same for host memory.
        gpu: utilisation of the card in percent. cpu: percent of one core.
        ready: whether a health check succeeds meanwhile.
        log: lines spread over the phase (or, without `spread`, all at its beginning); a leading
            `! ` sends one to stderr.
        exit: the process ends with this code when the phase is over.
        oom: that end is the kernel's doing, out of memory.
        job: what a service computes meanwhile, such as `edit`; phases one after another with the
            same word are one job. steps: of the sampler.
        stage: of ai-dock's beginning: `sync`, `preflight` or `provisioning`.
    """

    name: str
    seconds: Span
    vram: float | None = None
    memory: float | None = None
    gpu: float = 0.0
    cpu: float = 1.0
    ready: bool = True
    log: tuple[str, ...] = ()
    spread: bool = True
    exit: int | None = None
    oom: bool = False
    job: str = ""
    steps: int = 0
    stage: str = ""


class ServiceSpec(_Part, frozen=True, kw_only=True):
    """What a container serves, and what the rehearsal's config says of it.

    Attributes:
        kind: `forge`, `comfyui` or `none`; empty is what the image's name tells.
        version: of ComfyUI `0.33.0` or `0.3.64`, of Forge `newest` or `2024-09`.
        port: the container's; empty is the usual one of the kind.
        model: the checkpoint or diffusion model it loads.
        variant, vram_budget: as the config has them.
        gpu: the card it is meant for, by index; None is the one it is on.
        token: what the file has that the config names; empty is the true one (WEB_TOKEN).
        basic: the front takes WEB_USER and WEB_PASSWORD as a Basic login, too.
        context: GiB that CUDA takes for itself; what is held beyond is the models'.
        load: how long the models take to come back after they were unloaded.
        queue_limit: prompts that it lets wait; 0 is no limit.
        nodes: a ComfyUI's custom nodes, as `ComfyUI-GGUF`; None is all that its version may have.
        waiting: jobs that wait when the scene opens.
        mood: how it misbehaves then: `hang`, or what the cue `service-odd` knows; a new start
            heals it.
    """

    kind: str = ""
    version: str = ""
    port: str = ""
    model: str = ""
    variant: str = ""
    vram_budget: str = ""
    gpu: int | None = None
    token: str = ""
    basic: bool = False
    context: float = 0.4
    load: Span = "9s"
    queue_limit: int = 0
    nodes: tuple[str, ...] | None = None
    waiting: int = 0
    mood: str = ""


class HealthCheck(_Part, frozen=True, kw_only=True):
    """A container's health check, as an image or a compose file gives it."""

    command: str
    interval: Span = "30s"
    timeout: Span = "30s"
    start_period: Span = "0s"
    retries: int = 3
    output: str = ""


class IllSpec(_Part, frozen=True, kw_only=True):
    """What a container does instead of its life as long as the cause is there.

    Attributes:
        word: the cause, as it stands in the container's command or environment; empty is the
            container itself: one that is made anew is well.
        phases, loop: as the container's own.
    """

    word: str = ""
    phases: tuple[Phase, ...]
    loop: str = ""


class ContainerSpec(_Part, frozen=True, kw_only=True):
    """A container of the scene: what the engine tells of it, and how it behaves.

    Attributes:
        name: where the table's key can't hold it; else the key.
        compose: `project/service` for the labels of compose, compose_file: which of the files in
            compose_dir has the service.
        gpus: `all`, or a list of device ids for a device request; None asks for no card.
        ports: `[host_ip:]host_port:container_port[/protocol]`, or only the container's.
        state: `running`, `created`, `exited` or `paused` when the scene opens; `absent` is not
            there until compose creates it.
        since: how long ago it started, or (exited) ended.
        term: what SIGTERM does to process 1: `exit` or `ignore`.
        card: the index of the card it really computes on.
        loop: the phase the life goes back to after the last; empty stays in the last.
        flap: starts and deaths a second, for ever.
        vanishes: it is listed, but asked about it the engine says "no such container".
        start_error: the runtime's words with which each start fails. start_error_while: only as
            long as the container of this name runs.
        ill: what is wrong with it; None where its own phases are what it does.
        copies: that many of it, named with a number; `{n}` in ports counts with them.
        service: what it serves, where it is a Forge or a ComfyUI.
    """

    name: str = ""
    image: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: dict[str, str] = {}
    labels: dict[str, str] = {}
    compose: str = ""
    compose_dir: str = ""
    compose_file: str = "docker-compose.yml"
    gpus: str | tuple[str, ...] | None = None
    runtime: str = "runc"
    restart: str = "no"
    ports: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    network: str = "bridge"
    tty: bool = False
    init: bool = False
    health: HealthCheck | None = None
    stop_timeout: int | None = None
    stop_signal: str = ""
    state: str = "running"
    since: Span = "2d"
    created: Span | None = None
    exit_code: int = 0
    oom: bool = False
    term: str = "exit"
    term_code: int = 0
    term_seconds: float = 0.3
    card: int | None = None
    phases: tuple[Phase, ...] = ()
    loop: str = ""
    flap: float = 0.0
    vanishes: bool = False
    start_error: str = ""
    start_error_while: str = ""
    ill: IllSpec | None = None
    copies: int = 1
    remove: bool = False
    service: ServiceSpec = ServiceSpec()


class CardSpec(_Part, frozen=True, kw_only=True):
    """A card of the scene: what the driver tells of it at rest and at full load.

    Attributes:
        memory: GiB in all. desktop: GiB the desktop holds. reserved: MiB the driver keeps.
        fan: whether the board has a fan the driver knows.
        temperature: at rest and at full load, °C.
        heat: added to both, for a room that is too warm.
        throttle: NVML bit mask that is always set, beside what follows from the load.
        faults: NVML function to error constant without its prefix; `*` is every function.
        hangs: NVML function to the seconds it takes to answer.
    """

    name: str
    uuid: str = ""
    memory: float
    pci_bus_id: str = ""
    compute_capability: str = "8.6"
    multiprocessors: int = 82
    desktop: float = 0.0
    reserved: int = 260
    fan: bool = True
    temperature: tuple[int, int] = (38, 72)
    heat: int = 0
    power: tuple[float, float] = (22.0, 350.0)
    clocks: tuple[int, int] = (210, 1860)
    memory_clocks: tuple[int, int] = (405, 9751)
    pcie_generation: int = 4
    pcie_width: int = 16
    ecc: bool | None = None
    throttle: int = 0
    faults: dict[str, str] = {}
    hangs: dict[str, float] = {}
    copies: int = 1


class HostSpec(_Part, frozen=True, kw_only=True):
    """The host of the scene, as its /proc tells; memory in GiB."""

    flavour: str = "wsl"
    hostname: str = "studio-wsl"
    kernel: str = "6.6.87.2-microsoft-standard-WSL2"
    version: str = ""
    distribution: str = "Ubuntu 24.04.3 LTS"
    distribution_id: str = "ubuntu"
    cpu_model: str = "AMD Ryzen 9 5900HX with Radeon Graphics"
    cpus: int = 16
    memory: float = 62.7
    swap: float = 16.0
    base_memory: float = 2.6
    uptime: Span = "9d"


class DriverSpec(_Part, frozen=True, kw_only=True):
    """The driver; `fault` is what nvmlInit answers, `library` is `present` or `absent`."""

    version: str = "580.97"
    nvml_version: str = "13.580.97"
    cuda_version: int = 13000
    library: str = "present"
    fault: str = ""


class EngineSpec(_Part, frozen=True, kw_only=True):
    """The engine of the scene: `flavour` `29` or `20.10`; `state` `up`, `absent` or `denied`.

    `toolkit` false: it knows no NVIDIA runtime.
    """

    flavour: str = "29"
    state: str = "up"
    delay: float = 0.0
    toolkit: bool = True


class Cue(_Part, frozen=True, kw_only=True):
    """Something that happens on its own: `at` seconds after opening, `do` with what it needs.

    `fault` is one of the hub, with its facts: `{ kind = "cut", after = 1000 }`. With `request` it
    happens `at` seconds after so many submissions to the service of the container `of` (or to any),
    and then after each `every` more.
    """

    at: Span
    do: str
    container: str = ""
    card: int = 0
    function: str = "*"
    error: str = ""
    value: float = 0.0
    every: Span | None = None
    request: int = 0
    of: str = ""
    fault: dict[str, str | float | int | bool] = {}


class ImageSpec(_Part, frozen=True, kw_only=True):
    """An image that is on the host; size in GiB. `shell`: it has a busybox and nothing else.

    `entrypoint` and `command` are its own, for containers that are made without. `nodes` are the
    custom nodes in it, as the service's; None is not known.
    """

    size: float = 0.004
    created: Span = "60d"
    shell: bool = False
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    nodes: tuple[str, ...] | None = None


class LayoutSpec(_Part, frozen=True, kw_only=True):
    """A layout in the rehearsal's config: services by name, variants where they differ."""

    services: tuple[str, ...]
    variants: dict[str, str] = {}


class HubSpec(_Part, frozen=True, kw_only=True):
    """The hub of the scene.

    Attributes:
        rate: bytes a second that it sends in all, such as `110 MB`; empty is the usual.
        token: what the operator has: `everything` (may read all), `nothing` (is on no list);
            empty is none.
        xet: it names the xet storage of large files, too; nothing can be fetched there.
        miniature: its files, and those on disk, are so small that fetching them takes seconds;
            once loaded they take what the real ones take.
        faults: what is wrong from the beginning: `{ kind = "slow", rate = 300000 }`.
    """

    rate: str = ""
    token: str = ""
    xet: bool = False
    miniature: bool = False
    faults: tuple[dict[str, str | float | int | bool], ...] = ()


class BuildSpec(_Part, frozen=True, kw_only=True):
    """How the engine builds images: it takes `seconds` in all; `fault` is what it ends with.

    `fault` is `no-internet` or `disk-full`; empty is well.
    """

    seconds: Span = "2s"
    fault: str = ""


class OwnFile(_Part, frozen=True, kw_only=True):
    """A file in the operator's home: `at`, below it; `mode` in octal digits, of a folder too.

    `text` is its content; None makes a folder.
    """

    at: str
    text: str | None = None
    mode: str = ""


class ProxySpec(_Part, frozen=True, kw_only=True):
    """What stands between a service and the outside; its address is the config's public URL.

    Attributes:
        tls: `good` or `expired`, a certificate for localhost; empty is plain http.
        host: what the service sees as Host: what the client sent (`kept`), or `backend`, the
            address behind it, as ARR does by default.
        websocket: `relays`, `refuses`, `uncompressed` (takes the offer of compression away) or
            `breaks-compression` (hangs up at the first compressed frame).
        body_limit: bytes of a request beyond which it answers 413; 0 is no limit.
        login: `basic`, `page` (a form with status 200) or `redirect`; empty asks for none.
        answers: `everything` (200 and a page of its own), `nobody` (502) or `away` (a redirect to
            an address that only this host has); empty relays.
    """

    tls: str = "good"
    host: str = "kept"
    websocket: str = "relays"
    body_limit: int = 0
    login: str = ""
    answers: str = ""


class OddFile(_Part, frozen=True, kw_only=True):
    """A file in the models folder that should not be as it is.

    Attributes:
        at: its place below the models folder.
        model: the catalogue's file whose bytes it has.
        bytes: only so many of them; without a model, so many zeros.
        text, hex: what it has instead. link: where it points instead. same_as: the file that it
            is another name of (a hard link). gone: it is not there.
    """

    at: str
    model: str = ""
    bytes: int | None = None
    text: str = ""
    hex: str = ""
    link: str = ""
    same_as: str = ""
    gone: bool = False


class DrillSpec(_Part, frozen=True, kw_only=True):
    """What a scenario is about, to be told after a drill; heirs of a scenario do not have its.

    Attributes:
        finding, subject: of the doctor's finding that is the root cause.
        cause: what is wrong and how it came about. fix: what mends it, step by step.
    """

    finding: str
    subject: str
    cause: str
    fix: tuple[str, ...]


class Scene(_Part, frozen=True, kw_only=True):
    """A whole scene: the host, its driver and cards, its engine and containers, the script.

    `proxies` are by the container whose service they stand before.
    `layouts` are those of the rehearsal's config, `models` lie in its folder beside what is well.
    What is submitted to its services is done `pace` times faster than in life. `drill` is None
    where nothing is wrong that somebody could find.

    Attributes:
        bare: nobody has set this host up: there is no config, and no file of a model but
            `models`; the operator's home is the rehearsal's, where `files` lie.
        compose: `stand-in` hides the host's own behind a small one, `none` hides them all; empty is
            the host's own or, on a bare host without one, the stand-in.
        build: how images are built. registry: what can be pulled, by name without a tag.
    """

    id: str
    title: str
    host: HostSpec = HostSpec()
    driver: DriverSpec = DriverSpec()
    engine: EngineSpec = EngineSpec()
    cards: tuple[CardSpec, ...] = ()
    images: dict[str, ImageSpec] = {}
    containers: dict[str, ContainerSpec] = {}
    script: tuple[Cue, ...] = ()
    layouts: dict[str, LayoutSpec] = {}
    hub: HubSpec = HubSpec()
    proxies: dict[str, ProxySpec] = {}
    models: tuple[OddFile, ...] = ()
    pace: float = 1.0
    drill: DrillSpec | None = None
    bare: bool = False
    compose: str = ""
    build: BuildSpec = BuildSpec()
    registry: dict[str, ImageSpec] = {}
    files: tuple[OwnFile, ...] = ()
