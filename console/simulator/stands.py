"""The services of a rehearsal on the ports that its containers publish: there while they run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from console.simulator import acts, jobs
from console.simulator.actor import Actor
from console.simulator.cards import used_bytes
from console.simulator.casting import kind_of, outer_port, seen_cards
from console.simulator.hostroot import memory_kib
from console.simulator.hub.shelf import MINIATURE
from console.simulator.mounted import Mounted
from console.simulator.ports import KeptPort
from console.simulator.published import PublishedPorts
from console.simulator.scene import GIB, MIB, ContainerSpec
from console.simulator.services.backstage import Figures, Graph, JobNow, Order, SeenCard
from console.simulator.services.comfyui import ComfyUI
from console.simulator.services.cuda import flag
from console.simulator.services.effort import Effort
from console.simulator.services.forge import Forge
from console.simulator.services.front import Front
from console.simulator.services.moods import HANG, RUNS
from console.simulator.services.server import ServiceServer
from console.simulator.world import World

_KIB = 1024
_USUAL_MODEL = 6_938_040_682
"""Bytes of a checkpoint that lies in no folder of ours: those of an SDXL."""

_FULL_SPEED = 82 * 1860
"""Multiprocessors times MHz of an RTX 3090."""
_MODEL_NAMES = (".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft", ".gguf")
_GGUF = {"unet_gguf": "diffusion_models", "clip_gguf": "text_encoders"}


def _basic(spec: ContainerSpec) -> str:
    """Give the Basic login that the front takes; empty where it takes none."""
    if not spec.service.basic:
        return ""
    return f"{spec.env.get('WEB_USER', 'user')}:{spec.env.get('WEB_PASSWORD', '')}"


class StageService:
    """A container's service: what its life and the cards say at the moment; its orders."""

    def __init__(
        self, world: World, actor: Actor, models: Path, refresh: Callable[[], None]
    ) -> None:
        self._world = world
        self._actor = actor
        self._mounted = Mounted(actor.spec, models)
        self._refresh = refresh
        self._sizes: dict[str, int] = {}
        self._times = MINIATURE if world.scene.hub.miniature else 1

    @property
    def died(self) -> bool:
        """Whether its container has no process any more."""
        return not self._actor.alive

    def die(self, code: int) -> None:
        """End its container's process."""
        self._world.play()
        acts.end(self._world.stage, self._actor, code)
        self._refresh()

    def spend(self) -> None:
        """Take note that its mood had its effect once more."""
        actor = self._actor
        if actor.mood_left:
            actor.mood_left -= 1
            if not actor.mood_left:
                actor.mood = ""

    def size_of(self, file: str) -> int:
        """Give the bytes of a model file, wherever it lies."""
        if file not in self._sizes:
            found = [path / file for path in self._mounted.every() if (path / file).is_file()]
            size = found[0].stat().st_size * self._times if file and found else _USUAL_MODEL
            self._sizes[file] = size
        return self._sizes[file]

    def figures(self) -> Figures:
        """Give what it is and does now."""
        stage, actor = self._world.stage, self._actor
        moment = actor.moment(stage.now)
        if moment is None:
            return Figures(up=False, front=False)
        context = int(actor.spec.service.context * GIB)
        total, available = memory_kib(stage)
        return Figures(
            up=moment.ready and not moment.stage,
            stage=moment.stage,
            cards=self._cards(),
            own=max(0, moment.vram_bytes - context) // MIB * MIB,
            ram_total=total * _KIB,
            ram_free=available * _KIB,
            ram_own=moment.memory_bytes,
            model=actor.spec.service.model,
            job=self._job(),
            waiting=tuple(actor.waiting),
            arguments=self._arguments(),
            now=stage.wall(stage.now).timestamp(),
            pace=stage.scene.pace,
            speed=self._speed(),
        )

    def _speed(self) -> float:
        """Give how fast its card is, an RTX 3090 being 1."""
        index = self._actor.spec.card
        if index is None or index >= len(self._world.scene.cards):
            return 1.0
        card = self._world.scene.cards[index]
        return max(0.05, card.multiprocessors * card.clocks[1] / _FULL_SPEED)

    def _cards(self) -> tuple[SeenCard, ...]:
        """Give the cards it sees: the one it is on, and those that no flag hides."""
        stage, spec = self._world.stage, self._actor.spec
        if spec.card is None or spec.card >= len(stage.scene.cards):
            return ()
        seen = seen_cards(stage.scene, spec).cards
        others = [card.index for card in seen if card.index != spec.card]
        told = flag((*spec.entrypoint, *spec.command), spec.env) is not None
        indexes = [spec.card] if told else [spec.card, *others]
        return tuple(self._card(index) for index in indexes)

    def _card(self, index: int) -> SeenCard:
        card = self._world.scene.cards[index]
        total = int(card.memory * GIB)
        free = total - card.reserved * MIB - used_bytes(self._world.stage, index)
        return SeenCard(name=card.name, total=total, free=max(0, free))

    def _job(self) -> JobNow | None:
        now = jobs.current(self._world.stage, self._actor)
        if now is None:
            return None
        span, order = now
        at = self._world.stage.now
        share = (at - span.begin) / (span.end - span.begin) if span.end > span.begin else 1.0
        left = max(0.0, span.end - at)
        return JobNow(
            order=order, share=min(1.0, share), step=span.step, steps=span.steps, left=left
        )

    def _arguments(self) -> tuple[str, ...]:
        spec = self._actor.spec
        if kind_of(spec) == "forge":
            return ("launch.py", *spec.env.get("FORGE_ARGS", "").split())
        words = [*spec.entrypoint, *spec.command]
        return tuple(words[words.index("main.py") :] if "main.py" in words else words)

    def free(self) -> None:
        """Unload its models."""
        jobs.unload(self._world.stage, self._actor)

    def interrupt(self, ident: str = "") -> None:
        """Break off its job."""
        jobs.interrupt(self._world.stage, self._actor, ident)

    def queue(
        self, ident: str, graph: Graph, extra: dict[str, Any],
        measure: Callable[[Order], Effort] | None = None,
    ) -> Order:  # fmt: skip
        """Take a job."""
        stage = self._world.stage
        plain = jobs.somebodys_order(stage, self._actor)
        order = Order(
            ident=ident, number=plain.number, asked=plain.asked, graph=graph, extra=extra,
            measure=measure,
        )  # fmt: skip
        jobs.take(stage, self._actor, order)
        self._world.prompter.submitted(self._actor.name)
        return order

    def finish(self, ident: str, graph: Graph, extra: dict[str, Any]) -> Order:
        """Take a job that ends at once."""
        plain = jobs.somebodys_order(self._world.stage, self._actor)
        order = Order(
            ident=ident, number=plain.number, asked=plain.asked, begun=plain.asked, graph=graph,
            extra=extra,
        )  # fmt: skip
        self._actor.ended.append((order, "success"))
        self._world.prompter.submitted(self._actor.name)
        return order

    def folder(self) -> Path:
        """Give the folder that has its input and output: beside its models, unless told."""
        return self._mounted.files()

    def forget(self, idents: list[str] | None) -> None:
        """Drop jobs that wait; None drops them all."""
        waiting = self._actor.waiting
        waiting[:] = [o for o in waiting if idents is not None and o.ident not in idents]

    def erase(self, idents: list[str] | None) -> None:
        """Drop jobs that ended."""
        ended = self._actor.ended
        ended[:] = [pair for pair in ended if idents is not None and pair[0].ident not in idents]

    def history(self) -> list[tuple[Order, str]]:
        """Give the jobs of somebody's that ended."""
        return list(self._actor.ended)

    def models(self, folder: str) -> list[str] | None:
        """Give the files in a folder of models, as they lie there."""
        if folder == "checkpoints" and kind_of(self._actor.spec) == "forge":
            return [self._actor.spec.service.model]
        several = self._mounted.models(_GGUF.get(folder, folder))
        if folder == "input":
            several = [self._mounted.files() / folder]
        there = [path for path in several if path.is_dir()]
        if not there:
            return None
        files = sorted(
            {file.name for path in there for file in path.iterdir() if _offered(folder, file.name)}
        )
        return [name for name in files if (name.endswith(".gguf")) == (folder in _GGUF)]


def _offered(folder: str, name: str) -> bool:
    """Tell whether ComfyUI lists a file: any picture, models by the ends of their names."""
    return folder == "input" or name.lower().endswith(_MODEL_NAMES)


class Stands:
    """Every port that a service of the scene may be met on."""

    def __init__(
        self,
        world: World,
        ports: Mapping[str, KeptPort],
        models: Path,
        refresh: Callable[[], None],
    ) -> None:
        self._world = world
        self._ports = PublishedPorts(ports, takes=world.scene.bare)
        world.stage.refuses = self._ports.refusal
        self._models = models
        self._refresh = refresh
        self._open: dict[int, tuple[str, ServiceServer]] = {}

    def follow(self) -> None:
        """Open, close and put into its mood each service as its container is now."""
        owners = {
            outer_port(actor.spec): actor
            for actor in self._world.stage.actors.values()
            if actor.alive and kind_of(actor.spec)
        }
        for number in tuple(self._ports):
            self._follow(number, owners.get(number))
            if number not in owners:
                self._ports.give_back(number)

    def _follow(self, number: int, owner: Actor | None) -> None:
        ident, server = self._open.get(number, ("", None))
        run = f"{owner.id}/{owner.started_at}" if owner else ""
        if server is not None and ident != run:
            server.close()
            del self._open[number]
            server = None
        if owner is None:
            return
        if server is None:
            server = self._server(owner, self._ports[number])
            self._open[number] = (run, server)
        server.mood = HANG if owner.status == "paused" else owner.mood
        moment = owner.moment(self._world.stage.now)
        fronted = kind_of(owner.spec) == "forge"
        odd = owner.mood and owner.mood not in RUNS
        if fronted or odd or (moment is not None and moment.ready):
            server.open()
        else:
            server.close()

    def _server(self, actor: Actor, port: KeptPort) -> ServiceServer:
        spec = actor.spec
        behind = StageService(self._world, actor, self._models, self._after)
        version = spec.service.version
        after = self._after
        if kind_of(spec) == "comfyui":
            api = ComfyUI(behind, version, spec.service.queue_limit, spec.service.nodes)
            return ServiceServer(behind, api, None, port, self._world.play, after)
        guarded = spec.env.get("WEB_ENABLE_AUTH", "true") != "false"
        front = Front(spec.env.get("WEB_TOKEN", ""), _basic(spec), auth=guarded)
        forge = Forge(behind, version)
        return ServiceServer(behind, forge, front, port, self._world.play, after)

    def _after(self) -> None:
        self._world.follow()
        self._refresh()

    async def stop(self) -> None:
        """Close everything and give up the ports."""
        for _, server in self._open.values():
            server.close()
        self._open.clear()
        self._ports.stop()
