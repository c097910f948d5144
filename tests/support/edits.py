"""A quick rehearsal to edit pictures with: ComfyUI and Forge that idle, on a clock that runs.

It lives in a thread of the test's own process and starts in a fraction of a second; programs that
the test starts meet it through `environ`, as they meet any host. Its edits take what their variant
takes on that card, `pace` times faster.
"""

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from actions.operations import Operations
from actions.session import Session, open_session
from console.clock import SystemClock
from console.simulator.actor import Actor
from console.simulator.held import LoopThread
from console.simulator.host import Host
from console.simulator.places import new_places
from console.simulator.ports import LOOPBACK, KeptPort
from console.simulator.scenario import load_scenario
from console.simulator.scene import ContainerSpec, Cue, Phase, Scene, seconds
from console.simulator.services.pixels import write_png
from console.simulator.world import World

T = TypeVar("T")

COMFY, FORGE = "comfyui-qwen", "myia"
QUICK = 200.0
"""An edit of 20 steps takes about half a second."""

START = 0.2
"""Seconds of each phase of a service's start."""

ON_DISK = (
    "qwen-edit-2509-fp8", "qwen-edit-2509-gguf-q2_k", "qwen-edit-2509-gguf-q4_0",
    "qwen-edit-2509-gguf-q4_k_m", "qwen-edit-2509-gguf-q6_k", "qwen-edit-2509-gguf-q8_0",
    "qwen-edit-2509-nunchaku-int4-r32", "qwen-edit-2511-fp8mixed",
)  # fmt: skip
"""The variants whose files are there."""


class EditHost:
    """The rehearsal.

    Attributes:
        environ: what to set for a program to meet it; has PATH, so that it is a whole environment.
        ports: the loopback port of each service, by container.
        models: the folder of model files, as the config names it.
        outputs: `paths.outputs` of the config.
        service_files: the folder of ComfyUI's own `input` and `output`.
        pictures: a folder for pictures of the test.
    """

    def __init__(self, scene: Scene, home: Path) -> None:
        self.places = new_places()
        port = KeptPort()
        met = self.places.environ(scene, f"http://{LOOPBACK}:{port.number}")
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        own = {} if scene.bare else {"HOME": str(home)}
        self.environ = {**kept, "TERM": "xterm-256color", **met, **own}
        self.models = self.places.models
        self.outputs = self.places.work / "outputs"
        self.service_files = self.places.models.parent
        self.pictures = home / "pictures"
        self.pictures.mkdir(parents=True, exist_ok=True)
        self._thread = LoopThread()
        try:
            self._host = Host(scene, self.places, SystemClock(), 1, port.number)
            self._thread.wait(self._host.start())
            self._thread.begin(self._host.run())
        except BaseException:
            self.places.remove()
            raise
        finally:
            port.give_up()
        self.ports = self._host.ports

    def url(self, service: str = COMFY) -> str:
        """Give a service's address."""
        return f"http://{LOOPBACK}:{self.ports[service]}"

    def session(self, **settings: object) -> Session:
        """Open a session as `gpuconsole` would on this host."""
        return open_session(environ=self.environ, **settings)  # type: ignore[arg-type]

    def operations(self) -> Operations:
        """Give the door to plans of a new session."""
        return Operations(self.session(), via="test")

    def picture(
        self, name: str = "photo.png", size: tuple[int, int] = (96, 64), shade: int = 200
    ) -> Path:
        """Put a picture among the test's own; another `shade` is another picture."""
        path = self.pictures / name
        path.write_bytes(a_png(*size, shade))
        return path

    def control(self, do: str, **facts: object) -> None:
        """Give a cue, such as `control("kill", container=COMFY)`."""

        def act() -> None:
            self._host.world.play()
            self._host.world.prompter.perform(Cue(at=0.0, do=do, **facts))  # type: ignore[arg-type]
            self._host.world.follow()
            self._host.refresh()

        self._thread.call(act)

    def mood(self, mood: str, service: str = COMFY) -> None:
        """Let a service misbehave from now on; an empty mood heals it."""
        if mood:
            self.control("service-odd", container=service, error=mood)
        else:
            self.control("service-heal", container=service)

    def look(self, act: Callable[[World], T]) -> T:
        """Give what a function finds in the world, called where the world lives."""
        return self._thread.call(lambda: act(self._host.world))

    def actor(self, service: str = COMFY) -> Actor:
        """Give a container as it is on the stage."""
        return self.look(lambda world: world.stage.find(service))

    def close(self) -> None:
        """End it and remove its folder."""
        try:
            self._thread.wait(self._host.stop())
            self._thread.close()
        finally:
            self.places.remove()


@contextlib.contextmanager
def edit_host(
    home: Path,
    *,
    scenario: str = "edits",
    pace: float = QUICK,
    change: Callable[[Scene], Scene] | None = None,
) -> Iterator[EditHost]:
    """Have a rehearsal for as long as the block lasts; `home` is the operator's home.

    `change` makes another scene of the one that is named, such as one without a Forge.
    """
    scene = _quick(load_scenario(scenario), pace)
    host = EditHost(change(scene) if change else scene, home)
    try:
        yield host
    finally:
        host.close()


def _quick(scene: Scene, pace: float) -> Scene:
    """Give a scene whose services are soon there again when they are started."""
    containers = {
        name: msgspec.structs.replace(
            spec, phases=tuple(_hurried(spec, one) for one in spec.phases)
        )
        for name, spec in scene.containers.items()
    }
    return msgspec.structs.replace(scene, containers=containers, pace=pace)


def _hurried(spec: ContainerSpec, phase: Phase) -> Phase:
    if not spec.service.kind or phase.name == spec.loop or phase.job:
        return phase
    return msgspec.structs.replace(phase, seconds=min(seconds(phase.seconds), START))


def a_png(width: int, height: int, shade: int = 200) -> bytes:
    """Give a picture with something in it: bands of colours, another for each shade."""
    seed = zlib.crc32(bytes([shade % 256]))
    rows = (
        bytes(
            part
            for x in range(width)
            for part in ((x * 3 + shade) % 256, (y * 5 + seed) % 256, (x + y + shade) % 256)
        )
        for y in range(height)
    )
    return write_png(width, height, rows)
