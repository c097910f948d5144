"""What a service's own API said at one moment, whatever kind it is, or why it said nothing."""

from datetime import datetime

import msgspec

from console.unknown import Unknown

NOT_ASKED = Unknown("service.not-asked", "the service was not asked")
NOT_TOLD = Unknown("service.not-told", "the service does not tell")

ANSWERS = ("ready", "starting", "needs-auth", "front-only", "unreachable", "odd", "not-asked")
"""`ready`: its API answered as that kind does. `starting`: it says that it is not there yet.
`needs-auth`: a login is in the way. `front-only`: a proxy answers, nothing behind it does.
`unreachable`: no connection, or no answer in time. `odd`: something else answers there.
`not-asked`: no URL, or its container does not run."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a service computes right now, as it says.

    Attributes:
        what: in a few words, cleaned, such as `edit` or `txt2img`; the prompt's id where known.
        percent: 0-100.
        step, steps: of the sampler.
        running_seconds: since it began.
        left_seconds: the service's own estimate.
    """

    what: str = ""
    ident: str = ""
    percent: float | Unknown = NOT_TOLD
    step: int | Unknown = NOT_TOLD
    steps: int | Unknown = NOT_TOLD
    running_seconds: float | Unknown = NOT_TOLD
    left_seconds: float | Unknown = NOT_TOLD


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """The card a service says it computes on.

    Attributes:
        name: as the driver names it, such as `NVIDIA GeForce RTX 3090`; cleaned.
        ordinal: the service's own CUDA ordinal: says nothing about which card it is.
        allocator: such as `cudaMallocAsync`; may be empty.
        total_bytes: VRAM of the whole card as CUDA counts it.
        source: `service` (its API) or `log` (its start log).
    """

    name: str | Unknown = NOT_TOLD
    ordinal: int | Unknown = NOT_TOLD
    allocator: str = ""
    total_bytes: int | Unknown = NOT_TOLD
    source: str = "service"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a service; sizes in bytes. Texts are cleaned, secrets in them masked.

    Attributes:
        answer: one of `ANSWERS`.
        detail: what was seen, in words for people, such as `GET /system_stats: 200`.
        problem: why it is not `ready`, with what to do; None where it is.
        stage: what it is at while it starts, such as `provisioning` or `loading`; else empty.
        version: of the program behind the API.
        queue_running, queue_pending: jobs under way and waiting.
        job: what it computes now; None where it idles.
        device: the card as it names it.
        vram_free_bytes: of the whole card, as the service sees it.
        vram_own_bytes: what its allocator holds (torch), without the CUDA context.
        model: the loaded checkpoint, where it has one and tells.
        arguments: its command line, masked; Unknown where it does not tell.
        taken_monotonic: when, in seconds on the monotonic counter.
        took_seconds: how long the look took.
    """

    answer: str = "not-asked"
    detail: str = ""
    problem: Unknown | None = NOT_ASKED
    stage: str = ""
    version: str | Unknown = NOT_TOLD
    queue_running: int | Unknown = NOT_TOLD
    queue_pending: int | Unknown = NOT_TOLD
    job: Job | None = None
    device: Device | Unknown = NOT_TOLD
    vram_free_bytes: int | Unknown = NOT_TOLD
    vram_own_bytes: int | Unknown = NOT_TOLD
    ram_own_bytes: int | Unknown = NOT_TOLD
    model: str | Unknown = NOT_TOLD
    arguments: tuple[str, ...] | Unknown = NOT_TOLD
    taken_monotonic: float = 0.0
    took_seconds: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether it has a job under way, as far as it tells."""
        running = self.queue_running
        return self.job is not None or (isinstance(running, int) and running > 0)


class StartLog(msgspec.Struct, frozen=True, kw_only=True):
    """What a container's log since its last start says of its service.

    Attributes:
        container_id, started_at: whose log and of which run (as the engine writes the time).
        device: from `Device: cuda:0 NAME : ALLOCATOR` and `Total VRAM N MB`; `source` is `log`.
        picked_ordinal: N of `Set device to: N` (Forge) or `Set cuda device to: N` (ComfyUI).
        stage: of ai-dock's provisioning, as far as the log has come; else empty.
        reserve_bytes: VRAM that ComfyUI says it keeps free, where it says so.
        dynamic_vram: whether ComfyUI says that dynamic VRAM is on; None where it says nothing.
        version: of Forge or ComfyUI, where it prints one; Forge tells it nowhere else.
        finished: it says that it is up; `stage` then is empty.
        finished_at: when it said so, by the engine's clock; None where it did not or that is not
            told.
        evidence: the lines that say all this, cleaned and masked, newest last.
    """

    container_id: str
    started_at: str
    device: Device | Unknown = NOT_TOLD
    picked_ordinal: int | Unknown = NOT_TOLD
    stage: str = ""
    reserve_bytes: int | Unknown = NOT_TOLD
    dynamic_vram: bool | None = None
    version: str = ""
    finished: bool = False
    finished_at: datetime | None = None
    evidence: tuple[str, ...] = ()


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A service to be looked at.

    Attributes:
        name: of the service.
        kind: `forge`, `comfyui` or `other`.
        url: of its API as reached from this host; empty where nobody knows.
        scheme, secret_env, secret_file, parameter: how to log in (`console.config.schema.Auth`);
            an empty scheme is no login. The secret itself is read when it is needed.
        container_id: full id; empty where there is no container.
        started_at: of its present run, as the engine writes it; empty where it does not run.
        running: whether its container runs; a service without a container is asked anyway.
    """

    name: str
    kind: str
    url: str = ""
    scheme: str = ""
    secret_env: str = ""
    secret_file: str = ""
    parameter: str = "token"
    container_id: str = ""
    started_at: str = ""
    running: bool = True
