"""One container on the stage: its settings, its state and the runs it has had."""

import hashlib
from collections.abc import Callable

import msgspec

from console.simulator.life import Life, Moment, Span
from console.simulator.run import Run, Stint
from console.simulator.scene import GIB, ContainerSpec, seconds
from console.simulator.services.backstage import Order

_RUNS_KEPT = 64


class Probe(msgspec.Struct, frozen=True):
    """One answer of a health check."""

    start: float
    end: float
    exit_code: int
    output: str


class Health(msgspec.Struct):
    """What the health check has found since the container started."""

    status: str = "starting"
    streak: int = 0
    log: list[Probe] = []


class Actor:
    """A container: what it was made of never changes, what it does is changed by `acts`.

    Attributes:
        status: created, running, paused, restarting, exited or dead.
        started_at, finished_at: seconds since the scene opened; None while it never did.
        serial: grows with each start and end, so that what was planned before can be dropped.
        by_hand: it was stopped or killed by someone, so no policy starts it again.
        settled: called, once each, when the container has come to rest after an order.
        mood: how its service misbehaves: `hang`, an odd answer, or empty. mood_left: so often it
            still has its effect; 0 is always.
        order: the job of somebody's that is under way. waiting: those after it.
        ended: the jobs that ended since it started, with `success` or `interrupted`.
        unloads: its models are to be unloaded when the job is done.
        sticks: its VRAM will not come back when it ends.
    """

    def __init__(self, spec: ContainerSpec, name: str, seed: int, created_at: float) -> None:
        self.spec = spec
        self.name = name
        self.id = hashlib.sha256(f"{seed}/{name}".encode("utf-8", "replace")).hexdigest()
        self.life = Life(spec.phases, spec.loop)
        self.created_at = created_at
        self.status = "created"
        self.pid = 0
        self.exit_code = 0
        self.error = ""
        self.oom_killed = False
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.restart_count = 0
        self.back_off = 0.0
        self.serial = 0
        self.by_hand = False
        self.runs: list[Run] = []
        self.health: Health | None = None
        self.exec_ids: list[str] = []
        self.settled: list[Callable[[], None]] = []
        self.mood = ""
        self.mood_left = 0
        self.order: Order | None = None
        self.waiting: list[Order] = []
        self.ended: list[tuple[Order, str]] = []
        self.unloads = False
        self.sticks = False

    @property
    def running(self) -> bool:
        """Whether the engine counts it as running; a restarting or paused container is, too."""
        return self.status in {"running", "paused", "restarting"}

    @property
    def alive(self) -> bool:
        """Whether a process of it exists right now."""
        return self.status in {"running", "paused"}

    @property
    def gpu_pid(self) -> int:
        """The process that holds the VRAM: a child of process 1, as in the real images."""
        return self.pid + 7

    @property
    def policy(self) -> tuple[str, int]:
        """The restart policy and how many tries it has (0 is no limit)."""
        name, _, limit = self.spec.restart.partition(":")
        return name, int(limit or 0)

    def open_run(self, start: float) -> None:
        """Begin a run; the oldest ones are forgotten."""
        self.runs.append(Run(start))
        del self.runs[:-_RUNS_KEPT]
        self.order, self.waiting, self.ended = None, [], []
        self.mood, self.mood_left, self.unloads = "", 0, False

    def moment(self, at: float) -> Moment | None:
        """Give what it was doing at a time; None where it was not running."""
        for run in reversed(self.runs):
            if run.start <= at:
                if run.end is not None and run.end <= at:
                    return None
                service = self.spec.service
                return run.moment(self.life, at, int(service.context * GIB), seconds(service.load))
        return None

    def job(self, at: float) -> Span | None:
        """Give the job under way, its times in seconds since the scene opened."""
        if not self.alive or not self.runs:
            return None
        stint = self.runs[-1].stint(at)
        if stint is not None:
            effort = stint.effort
            return Span(
                what="edit", begin=stint.begin, end=stint.begin + effort.seconds,
                step=effort.step(at - stint.begin), steps=effort.steps,
            )  # fmt: skip
        position = self.runs[-1].position(at)
        span = self.life.job(position)
        if span is None:
            return None
        shift = at - position
        return msgspec.structs.replace(span, begin=span.begin + shift, end=span.end + shift)

    @property
    def stint(self) -> Stint | None:
        """The job under way, where somebody asked for it."""
        stints = self.runs[-1].stints if self.runs else []
        return stints[-1] if stints and stints[-1].end is None else None

    def cpu_seconds(self, at: float) -> float:
        """Give the processor time of the present run."""
        if not self.alive or not self.runs:
            return 0.0
        return self.runs[-1].cpu_seconds(self.life, at)

    def planned_end(self) -> tuple[float, int, bool] | None:
        """When (seconds into a run) and how it ends on its own; a flapping one lives briefly."""
        if self.spec.flap:
            return 0.5 / self.spec.flap, self.spec.exit_code, False
        return self.life.end

    def back_after(self) -> float | None:
        """Seconds until a flapping container is up again; None for all others."""
        return 0.5 / self.spec.flap if self.spec.flap else None

    def health_period(self) -> float:
        """Seconds between two health checks."""
        return seconds(self.spec.health.interval) if self.spec.health else 0.0
