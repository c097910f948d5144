"""A service without a stage: one process that starts, loads, works off its jobs, on a clock."""

import itertools
import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console.packaged import read_table
from console.simulator.services.backstage import Figures, Graph, JobNow, Order, SeenCard
from console.simulator.services.cuda import GIB, MIB, Picked
from console.simulator.services.effort import Effort
from console.simulator.services.moods import SEGFAULT

_DRIVER_KEEPS = 300 * MIB
_USUAL = 20.0
_GGUF = {"unet_gguf": "diffusion_models", "clip_gguf": "text_encoders"}
_FOLDERS = {
    "diffusion_models", "text_encoders", "vae", "loras", "controlnet", "checkpoints", "input",
    *_GGUF,
}  # fmt: skip


@cache
def somebodys_graph() -> Graph:
    """Give the graph of a job that came from nowhere."""
    return dict(read_table("rehearsal_comfyui.toml")["somebody"]["graph"])


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a stand-alone service behaves; sizes in bytes, times in seconds.

    Attributes:
        stages: ai-dock's, with how long each takes, before Forge itself starts.
        ready_after: until its API answers, counted after the stages.
        context: what CUDA takes for itself as soon as it is up.
        idle: what the allocator holds with a model loaded; busy: with a job under way.
        preloaded: the model is loaded at the start, as Forge does.
        job: how long a job takes; None is what follows from what is asked, `pace` times faster.
        speed: of its card, an RTX 3090 is 1. sizes: bytes of model files by name.
        first_job: one that is under way as soon as it is ready.
        pending: jobs that wait as soon as it is ready.
        others: what others hold on its card.
        files: the folder of what is uploaded and made; None is a temporary one.
    """

    kind: str
    stages: tuple[tuple[str, float], ...] = ()
    ready_after: float = 0.0
    context: int = 450 * MIB
    idle: int = 0
    busy: int = 0
    preloaded: bool = False
    job: float | None = 20.0
    pace: float = 1.0
    speed: float = 1.0
    sizes: Mapping[str, int] = field(default_factory=dict)
    first_job: float = 0.0
    pending: int = 0
    others: int = 0
    ram_total: int = 64 * 1024 * MIB
    ram_own: int = 4 * 1024 * MIB
    model: str = ""
    steps: int = 20
    arguments: tuple[str, ...] = ()
    files: Path | None = None


class Solo:
    """The service; everything follows from the time since it was made and its orders.

    Attributes:
        died: it has ended by itself, with `code`.
        spent: called when a mood of its server had its effect.
    """

    def __init__(
        self,
        habits: Habits,
        picked: Picked,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.habits = habits
        self._picked = picked
        self._monotonic = monotonic
        self._wall = wall
        self._made = monotonic()
        self._numbers = itertools.count()
        self._loaded = habits.preloaded
        self._free_later = False
        self.died = False
        self.code = 0
        self.spent: Callable[[], None] = _nothing
        self._running: tuple[Order, float, Effort] | None = None
        self._kept: int | None = None
        self._playing = False
        self._waiting: list[Order] = []
        self._ended: list[tuple[Order, str]] = []
        self._greeted = False
        self._folder: Path | None = None

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return self._monotonic() - self._made

    @property
    def ready_at(self) -> float:
        """The age at which its API answers."""
        return sum(length for _, length in self.habits.stages) + self.habits.ready_after

    def figures(self) -> Figures:
        """Give what it is and does now."""
        self._play()
        habits, age = self.habits, self.age
        own = self._own()
        cards = tuple(
            SeenCard(
                name=card.name,
                total=card.memory,
                free=max(0, card.memory - _DRIVER_KEEPS - self._taken(place)),
            )
            for place, card in enumerate(self._picked.cards)
        )
        return Figures(
            up=age >= self.ready_at,
            stage=self._stage(age),
            cards=cards,
            own=own,
            ram_total=habits.ram_total,
            ram_free=max(0, habits.ram_total - habits.ram_own - 3072 * MIB),
            ram_own=habits.ram_own,
            model=habits.model,
            job=self._job(),
            waiting=tuple(self._waiting),
            arguments=habits.arguments,
            now=self._wall(),
            pace=habits.pace,
            fixed=habits.job,
            speed=habits.speed,
        )

    @property
    def held(self) -> int:
        """Bytes of VRAM of the whole process: its allocator's and the context."""
        self._play()
        return self._own() + self.habits.context if self.age >= self.ready_at else 0

    def free(self) -> None:
        """Unload the models: now, or when the job under way is done."""
        self._play()
        self._free_later = self._running is not None
        self._loaded = self._loaded and self._free_later
        if not self._free_later:
            self._kept = None

    def interrupt(self, ident: str = "") -> None:
        """End the job under way, or only the one named."""
        self._play()
        if self._running and ident in {"", self._running[0].ident}:
            self._end("interrupted", self._monotonic())

    def die(self, code: int) -> None:
        """End at once."""
        self.died, self.code = True, code

    def spend(self) -> None:
        """Take note that the mood of its server had its effect."""
        self.spent()

    def size_of(self, file: str) -> int:
        """Give the bytes of a model file."""
        table = read_table("rehearsal_comfyui.toml")["files"]
        known = {name: size for files in table.values() for name, size in files.items()}
        return int({**known, **self.habits.sizes}.get(file, self.habits.idle or GIB))

    def queue(
        self, ident: str, graph: Graph, extra: dict[str, Any],
        measure: "Callable[[Order], Effort] | None" = None,
    ) -> Order:  # fmt: skip
        """Take a job."""
        self._play()
        order = Order(
            ident=ident, number=next(self._numbers), asked=self._wall(), graph=graph, extra=extra,
            measure=measure,
        )  # fmt: skip
        self._waiting.append(order)
        self._play()
        return order

    def finish(self, ident: str, graph: Graph, extra: dict[str, Any]) -> Order:
        """Take a job that ends at once."""
        now = self._wall()
        order = Order(
            ident=ident, number=next(self._numbers), asked=now, begun=now, graph=graph, extra=extra
        )
        self._ended.append((order, "success"))
        return order

    def folder(self) -> Path:
        """Give the folder of its files: the one named, else one that ends with the process."""
        if self._folder is None:
            if self.habits.files is not None:
                self._folder = self.habits.files
            else:
                self._own_folder = TemporaryDirectory(prefix="rehearsed-service-")
                self._folder = Path(self._own_folder.name)
        return self._folder

    def forget(self, idents: list[str] | None) -> None:
        """Drop jobs that wait; None drops them all."""
        self._waiting = [o for o in self._waiting if idents is not None and o.ident not in idents]

    def erase(self, idents: list[str] | None) -> None:
        """Drop jobs that ended; None drops them all."""
        self._ended = [e for e in self._ended if idents is not None and e[0].ident not in idents]

    def history(self) -> list[tuple[Order, str]]:
        """Give the jobs that ended."""
        self._play()
        return list(self._ended)

    def models(self, folder: str) -> list[str] | None:
        """Give the files of a folder: its own model, and those that an edit takes besides."""
        if folder == "checkpoints" and self.habits.model:
            return [self.habits.model]
        if folder not in _FOLDERS:
            return None
        table = read_table("rehearsal_comfyui.toml")["files"]
        names = {*table.get(_GGUF.get(folder, folder), {})}
        names = {name for name in names if name.endswith(".gguf") == (folder in _GGUF)}
        if folder == "diffusion_models" and self.habits.model:
            names.add(self.habits.model)
        return sorted(names)

    def _own(self) -> int:
        if self.age < self.ready_at or self.died:
            return 0
        habits = self.habits
        before = habits.idle if self._kept is None and self._loaded else self._kept or 0
        if self._running is None:
            return before
        _, begun, effort = self._running
        if not effort.stretches:
            return max(habits.busy, habits.idle)
        return effort.at(self._monotonic() - begun, before).vram

    def _taken(self, place: int) -> int:
        return self.held + self.habits.others if place == 0 else 0

    def _stage(self, age: float) -> str:
        for name, length in self.habits.stages:
            if age < length:
                return name
            age -= length
        return ""

    def _job(self) -> JobNow | None:
        if self._running is None:
            return None
        order, begun, effort = self._running
        elapsed = self._monotonic() - begun
        share = min(1.0, elapsed / effort.seconds) if effort.seconds else 0.0
        steps = effort.steps or self.habits.steps
        step = effort.step(elapsed) if effort.steps else int(share * steps)
        left = max(0.0, effort.seconds - elapsed)
        return JobNow(order=order, share=share, step=step, steps=steps, left=left)

    def _play(self) -> None:
        """Bring the queue up to now."""
        # Whoever measures a job that begins asks for figures.
        if self.age < self.ready_at or self._playing or self.died:
            return
        self._playing = True
        try:
            if not self._greeted:
                self._greet()
            while self._running and self._over() <= self._monotonic():
                self._end(self._running[2].outcome, self._over())
            self._begin(self._monotonic())
        finally:
            self._playing = False

    def _over(self) -> float:
        """Give when the job under way ends."""
        return self._running[1] + self._running[2].seconds if self._running else math.inf

    def _greet(self) -> None:
        """Let be under way and wait what does so from the beginning."""
        self._greeted = True
        for _ in range(self.habits.pending + bool(self.habits.first_job)):
            order = Order(
                ident=str(uuid.uuid5(uuid.NAMESPACE_URL, f"job/{len(self._waiting)}")),
                number=next(self._numbers),
                asked=self._wall(),
                graph=somebodys_graph(),
            )
            self._waiting.append(order)
        self._begin(self._made + self.ready_at, self.habits.first_job)

    def _begin(self, at: float, length: float = 0.0) -> None:
        if self._running is not None or not self._waiting or self.died:
            return
        order = self._waiting.pop(0)
        begun = replace(order, begun=self._wall() - (self._monotonic() - at))
        if order.measure is not None and not length:
            effort = self._measured(order.measure, begun)
        else:
            usual = self.habits.job if self.habits.job is not None else _USUAL / self.habits.pace
            effort = Effort(seconds=length or usual)
        self._running = (begun, at, effort)
        self._loaded = True

    def _measured(self, measure: Callable[[Order], Effort], order: Order) -> Effort:
        """Ask what a job takes; whoever is asked looks at the figures of this moment."""
        playing, self._playing = self._playing, True
        try:
            return measure(order)
        finally:
            self._playing = playing

    def _end(self, how: str, at: float) -> None:
        if self._running is None:
            return
        order, begun, effort = self._running
        self._running = None
        if how == "dies":
            self.die(SEGFAULT)
            return
        self._ended.append((order, how))
        if effort.stretches:
            self._kept = effort.left(at - begun, self._kept or 0)
            self._loaded = bool(self._kept)
        elif effort.frees:
            self._loaded = False
        if self._free_later:
            self._free_later, self._loaded, self._kept = False, False, None
        self._begin(at)


def _nothing() -> None:
    """Stand in until a server wants to know."""
