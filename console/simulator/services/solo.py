"""A service without a stage: one process that starts, loads, works off its jobs, on a clock."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console.packaged import read_table
from console.simulator.services.backstage import Figures, Graph, JobNow, Order, SeenCard
from console.simulator.services.cuda import MIB, Picked

_DRIVER_KEEPS = 300 * MIB
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
        job: how long a job takes. first_job: one that is under way as soon as it is ready.
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
    job: float = 20.0
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
    """The service; everything follows from the time since it was made and its orders."""

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
        self._running: tuple[Order, float, float] | None = None
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

    def interrupt(self, ident: str = "") -> None:
        """End the job under way, or only the one named."""
        self._play()
        if self._running and ident in {"", self._running[0].ident}:
            self._end("interrupted", self._monotonic())

    def queue(self, ident: str, graph: Graph, extra: dict[str, Any]) -> Order:
        """Take a job."""
        self._play()
        order = Order(
            ident=ident, number=next(self._numbers), asked=self._wall(), graph=graph, extra=extra
        )
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
        if self.age < self.ready_at:
            return 0
        if self._running is not None:
            return max(self.habits.busy, self.habits.idle)
        return self.habits.idle if self._loaded else 0

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
        order, begun, length = self._running
        share = min(1.0, (self._monotonic() - begun) / length) if length else 0.0
        steps = self.habits.steps
        left = max(0.0, length - (self._monotonic() - begun))
        return JobNow(order=order, share=share, step=int(share * steps), steps=steps, left=left)

    def _play(self) -> None:
        """Bring the queue up to now."""
        if self.age < self.ready_at:
            return
        if not self._greeted:
            self._greet()
        while self._running and self._running[1] + self._running[2] <= self._monotonic():
            self._end("success", self._running[1] + self._running[2])
        self._begin(self._monotonic())

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
        if self._running is None and self._waiting:
            order = self._waiting.pop(0)
            begun = Order(
                ident=order.ident,
                number=order.number,
                asked=order.asked,
                begun=self._wall() - (self._monotonic() - at),
                graph=order.graph,
                extra=order.extra,
            )
            self._running = (begun, at, length or self.habits.job)
            self._loaded = True

    def _end(self, how: str, at: float) -> None:
        if self._running is None:
            return
        self._ended.append((self._running[0], how))
        self._running = None
        if self._free_later:
            self._free_later = self._loaded = False
        self._begin(at)
