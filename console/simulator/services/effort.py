"""What an edit takes: seconds by node, and the VRAM that is held meanwhile and afterwards.

The figures are those of `rehearsal_edits.toml`; sizes of files are those on the disk.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

from console.packaged import read_table
from console.simulator.services.backstage import Graph
from console.simulator.services.graphs import class_of, inputs_of

_MIB, _GIB = 1 << 20, 1 << 30
_MEGAPIXEL = 1024 * 1024
_FILES = ("unet_name", "model_name", "clip_name", "vae_name", "lora_name", "control_net_name",
          "ckpt_name", "name")  # fmt: skip
_SHORTEST = 0.02
_USUAL_STEPS = 20


@dataclass(frozen=True)
class Stretch:
    """From the end of the one before to `until` (seconds), when `vram` bytes are held.

    `vram` is beyond what CUDA takes for itself; `gpu` and `cpu` in percent.
    """

    until: float
    vram: int
    gpu: float = 0.0
    cpu: float = 100.0


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What one job takes.

    Attributes:
        lengths: seconds by node, of those that are computed. leads: until the first step.
        stretches: how the VRAM goes. held: bytes of models that stay when it is over.
        models: the files that are loaded then.
        steps: of the sampler. sampling: when its first step begins and its last ends.
        outcome: `success`, `interrupted` (somebody else does it) or `dies`; it ends so after
            `seconds`, whatever its nodes would still have taken.
        frees: nothing stays loaded.
        lacks: the node that does not get the memory it needs; empty where none.
        log: lines of the container's log, with the second of each.
    """

    seconds: float
    lengths: Mapping[str, float] = field(default_factory=dict)
    leads: Mapping[str, float] = field(default_factory=dict)
    stretches: tuple[Stretch, ...] = ()
    held: int = 0
    models: tuple[str, ...] = ()
    steps: int = 0
    sampling: tuple[float, float] = (0.0, 0.0)
    outcome: str = "success"
    frees: bool = False
    lacks: str = ""
    log: tuple[tuple[float, str], ...] = ()

    def at(self, elapsed: float, before: int) -> Stretch:
        """Give what is held and done after so many seconds, `before` bytes being held at first."""
        began = Stretch(0.0, before)
        for low, high in pairwise((began, *self.stretches)):
            if elapsed < high.until:
                share = (elapsed - low.until) / (high.until - low.until)
                vram = low.vram + int((high.vram - low.vram) * share)
                return replace(high, vram=vram)
        return self.stretches[-1] if self.stretches else began

    def step(self, elapsed: float) -> int:
        """Give the steps done after so many seconds."""
        begin, end = self.sampling
        if end <= begin:
            return 0
        return int(min(1.0, max(0.0, (elapsed - begin) / (end - begin))) * self.steps)

    def cut(self, seconds: float, outcome: str, held: int | None = None) -> "Effort":
        """Give the same, ending early and otherwise."""
        kept = self.held if held is None else held
        return replace(
            self, seconds=max(_SHORTEST, min(seconds, self.seconds)), outcome=outcome, held=kept,
            models=() if held == 0 else self.models, frees=held == 0,
            log=tuple(line for line in self.log if line[0] < seconds),
        )  # fmt: skip

    def slower(self, factor: float) -> "Effort":
        """Give the same, taking so many times as long."""
        return replace(
            self,
            seconds=self.seconds * factor,
            lengths={node: length * factor for node, length in self.lengths.items()},
            leads={node: lead * factor for node, lead in self.leads.items()},
            stretches=tuple(replace(one, until=one.until * factor) for one in self.stretches),
            sampling=(self.sampling[0] * factor, self.sampling[1] * factor),
            log=(),
        )

    def left(self, elapsed: float, before: int) -> int:
        """Give what models hold once it has ended after so many seconds, or was broken off."""
        if self.frees or elapsed >= self.seconds - _SHORTEST:
            return self.held
        return min(self.at(elapsed, before).vram, max(self.held, before))


@dataclass(frozen=True, kw_only=True)
class Means:
    """What there is to do it with.

    Attributes:
        pace: how many times faster than in life everything goes.
        speed: of the card, an RTX 3090 being 1.
        room: bytes that the models may take: what is free and what they hold now.
        own: bytes they hold now. loaded: the files of those.
        warm: files read before, so that they come from memory.
        size_of: gives a file's bytes by its name.
        fixed: seconds that every job takes, whatever it is; None where it follows from the graph.
    """

    pace: float = 1.0
    speed: float = 1.0
    room: int = 24 * _GIB
    own: int = 0
    loaded: tuple[str, ...] = ()
    warm: frozenset[str] = frozenset()
    size_of: Callable[[str], int] = lambda _: _GIB
    fixed: float | None = None


def files_of(graph: Graph, node: str) -> tuple[str, ...]:
    """Give the model files that a node names."""
    given = inputs_of(graph, node)
    return tuple(str(given[name]) for name in _FILES if isinstance(given.get(name), str))


def quant_of(files: tuple[str, ...]) -> Mapping[str, Any]:
    """Give the kind of quantization of the diffusion model among files, the first that fits."""
    for name in files:
        for quant in _table()["quants"]:
            if quant["name"] in name.lower().replace("-", "_"):
                return dict(quant)
    return {"slow": 1.0, "grain": 0}


def effort_of(
    graph: Graph, turns: list[str], order: list[str], megapixels: float, references: int,
    means: Means,
) -> Effort:  # fmt: skip
    """Reckon what the nodes of `turns` take; `order` has those, too, that are cached."""
    if means.fixed is not None:
        return _fixed(graph, turns, means.fixed)
    return _Reckoning(graph, turns, order, megapixels, references, means).effort()


def _fixed(graph: Graph, turns: list[str], seconds: float) -> Effort:
    weights = {node: _weight(class_of(graph, node)) for node in turns}
    total = sum(weights.values()) or 1.0
    lengths = {node: weight * seconds / total for node, weight in weights.items()}
    return Effort(seconds=seconds, lengths=lengths)


def _weight(kind: str) -> float:
    """Give how long a node takes against the others; a sampler takes most of it."""
    if "Sampler" in kind:
        return 10.0
    if "TextEncode" in kind or "CLIPLoader" in kind:
        return 0.8
    if "Loader" in kind:
        return 1.5
    return 0.5 if kind.startswith("VAE") else 0.05


def weights(graph: Graph, turns: list[str]) -> dict[str, float]:
    """Give how long nodes take against each other, where nothing else is known."""
    return {node: _weight(class_of(graph, node)) for node in turns}


class _Reckoning:
    """One graph on one card, node by node."""

    def __init__(
        self, graph: Graph, turns: list[str], order: list[str], megapixels: float,
        references: int, means: Means,
    ) -> None:  # fmt: skip
        self._graph = graph
        self._turns = turns
        self._means = means
        self._speed = _table()["speed"]
        self._vram = _table()["vram"]
        every = [file for node in order for file in files_of(graph, node)]
        self._encoders = self._named(order, "CLIPLoader")
        self._models = tuple(file for file in every if file not in self._encoders)
        self._quant = quant_of(tuple(n for n in self._models if "lightning" not in n.lower())
                               or self._models)  # fmt: skip
        latent = megapixels * _MEGAPIXEL / 64
        each = self._vram["mib_per_latent_pixel"] * _MIB
        self._activations = int(each * (latent + references * _MEGAPIXEL / 64))
        self._canvas = megapixels + references
        self._at = 0.0
        self._held = means.own
        self._in_vram = set(means.loaded)
        self._lengths: dict[str, float] = {}
        self._leads: dict[str, float] = {}
        self._stretches: list[Stretch] = []
        self._steps, self._sampling, self._lacks = 0, (0.0, 0.0), ""
        self._log: list[tuple[float, str]] = [(0.001, "got prompt")]

    def _named(self, nodes: list[str], kind: str) -> tuple[str, ...]:
        return tuple(
            file
            for node in nodes
            if class_of(self._graph, node).startswith(kind)
            for file in files_of(self._graph, node)
        )

    def effort(self) -> Effort:
        """Go through the nodes."""
        for node in self._turns:
            began = self._at
            self._node(node, class_of(self._graph, node))
            self._lengths[node] = self._at - began
        if not self._turns:
            self._pass(self._speed["small"])
        said = f"Prompt executed in {self._at * self._means.pace:.2f} seconds"
        return Effort(
            seconds=max(_SHORTEST, self._at),
            lengths=self._lengths,
            leads=self._leads,
            stretches=tuple(self._stretches),
            held=self._held,
            models=tuple(sorted(self._in_vram)),
            steps=self._steps,
            sampling=self._sampling,
            lacks=self._lacks,
            log=(*self._log, (self._at, said)),
        )

    def _node(self, node: str, kind: str) -> None:
        if "Sampler" in kind:
            self._sample(node)
        elif "TextEncode" in kind:
            self._load(self._encoders, "QwenImageTEModel_")
            self._pass(self._speed["encode_seconds"] / self._means.speed, gpu=70.0,
                       more=self._vram["encode_gib"] * _GIB)  # fmt: skip
        elif "Loader" in kind:
            files = [name for name in files_of(self._graph, node) if name not in self._means.warm]
            size = sum(self._means.size_of(name) for name in files)
            self._pass(size / self._speed["read"] + self._speed["small"], cpu=104.0, gpu=1.0)
        elif kind.startswith("VAE"):
            more = self._vram["decode_gib"] * _GIB if kind == "VAEDecode" else 0
            self._pass(self._speed["vae_seconds"] / self._means.speed, gpu=80.0, more=more)
        else:
            self._pass(self._speed["small"])

    def _sample(self, node: str) -> None:
        began = self._at
        weights = sum(map(self._means.size_of, self._models))
        spare = int(self._vram["spare_gib"] * _GIB)
        fits = self._means.room - self._activations - spare
        if fits < 0:
            self._lacks = node
        resident = max(0, min(weights, fits))
        self._load(self._models, "QwenImage", resident)
        # What does not fit is streamed from host RAM in each step.
        streamed = (weights - resident) / self._speed["move"]
        given = inputs_of(self._graph, node)
        self._steps = steps_of(given)
        passes = 2 if _number(given.get("cfg"), 1.0) > 1.0 else 1
        each = self._speed["seconds_per_pass"] * self._quant["slow"] * self._canvas * passes
        each = each / self._means.speed + streamed * passes
        self._leads[node] = self._at - began
        first = self._at
        self._pass(each * self._steps, gpu=96.0, more=self._activations)
        self._sampling = (first, self._at)
        spent, steps = each * self._steps, self._steps
        bar = f"100%|##########| {steps}/{steps} [{spent:.0f}s, {each:.2f}s/it]"
        self._log.append((self._at, bar))

    def _load(self, files: tuple[str, ...], what: str, resident: int | None = None) -> None:
        """Bring models into VRAM; those that are there go out, as they do where room is short."""
        if not files or self._in_vram == set(files):
            return
        size = sum(map(self._means.size_of, files)) if resident is None else resident
        self._log.append((self._at, f"Requested to load {what}"))
        self._in_vram = set(files)
        self._held = min(size, self._means.room)
        self._pass(size / self._speed["move"], gpu=8.0, cpu=104.0)

    def _pass(
        self, seconds: float, *, gpu: float = 3.0, cpu: float = 60.0, more: float = 0
    ) -> None:
        """Let time pass, with so much more in use than the models hold."""
        vram = min(self._held + int(more), max(self._means.room, self._held))
        if more:
            rise = min(0.1, seconds / self._means.pace / 4)
            self._stretches.append(Stretch(self._at + rise, vram, gpu, cpu))
        self._at += seconds / self._means.pace
        self._stretches.append(Stretch(self._at, vram, gpu, cpu))
        if more:
            self._stretches.append(Stretch(self._at + 1e-6, self._held, gpu, cpu))
            self._at += 1e-6


def steps_of(given: Mapping[str, Any]) -> int:
    """Give a sampler's steps, within reason."""
    return min(200, max(1, int(_number(given.get("steps"), _USUAL_STEPS))))


def _number(value: Any, usual: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return usual
    return number if math.isfinite(number) else usual


def forge_effort(body: Mapping[str, Any], means: Means) -> Effort:
    """Reckon what a picture of Forge's takes; its checkpoint is loaded already, or comes back."""
    if means.fixed is not None:
        return Effort(seconds=means.fixed)
    speed, vram = _table()["speed"], _table()["vram"]
    width, height = (_number(body.get(key), 512) for key in ("width", "height"))
    megapixels = min(16.0, max(0.01, width * height / _MEGAPIXEL))
    steps = steps_of(body)
    passes = 2 if _number(body.get("cfg_scale"), 7.0) > 1.0 else 1
    share = _number(body.get("denoising_strength"), 0.75) if body.get("init_images") else 1.0
    done = max(1, round(steps * min(1.0, max(0.0, share))))
    held = means.own if means.own > _GIB // 2 else means.size_of("")
    begin = 0.6 + (0.0 if means.own > _GIB // 2 else held / speed["read"])
    sampling = speed["forge_seconds_per_pass"] * megapixels * passes * done / means.speed
    busy = held + int(vram["forge_busy_gib"] * megapixels * _GIB)
    marks = [begin, begin + sampling, begin + sampling + 0.8]
    first, last, over = (mark / means.pace for mark in marks)
    return Effort(
        seconds=max(_SHORTEST, over),
        stretches=(
            Stretch(first, held, 15.0), Stretch(first + 1e-6, busy, 96.0),
            Stretch(last, busy, 96.0), Stretch(over, held, 60.0),
        ),
        held=held,
        steps=done,
        sampling=(first, last),
        log=((over, f"100%|##########| {done}/{done} [{sampling:.0f}s]"),),
    )  # fmt: skip


def somebodys_effort(pace: float) -> Effort:
    """Give what a job takes of which nothing is known but that somebody has it done."""
    seconds, held = 20.0 / pace, int(12.2 * _GIB)
    marks = ((0.2, held), (0.21, held + _GIB), (0.99, held + _GIB), (1.0, held))
    stretches = tuple(Stretch(seconds * share, vram, 92.0) for share, vram in marks)
    return Effort(seconds=seconds, stretches=stretches, held=held)


@cache
def _table() -> dict[str, Any]:
    return read_table("rehearsal_edits.toml")
