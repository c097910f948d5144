"""A host that nobody has set up, for `gpuconsole setup`: as `demo --scenario fresh-host` has it.

It lives in a thread of the test's own process, as `tests.support.edits` has it, and is quicker.
"""

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from actions.session import Session
from console.simulator.ports import LOOPBACK
from console.simulator.scene import BuildSpec, Scene
from tests.support.edits import QUICK, EditHost, edit_host

FLAVOURS = {
    "": "fresh-host",
    "no-compose": "fresh-no-compose",
    "no-internet": "fresh-no-internet",
    "disk-full": "fresh-disk-full",
    "one-card": "fresh-one-card",
    "small-card": "fresh-small-card",
    "foreign-file": "fresh-foreign-file",
    "no-rights": "fresh-no-rights",
    "half-done": "half-done-host",
}
"""The scenario of each flavour of a fresh host."""

_RATE = "120 MB"
_BUILD = 0.4


class FreshHost:
    """The rehearsal.

    Attributes:
        rehearsal: all that can be done with it.
        environ: what to set for a program to meet it; a whole environment.
        home: the operator's home, which has all that they would write.
        models: the folder of ComfyUI's models that is there.
        config: where the config would be.
        port: one that nobody has, to publish ComfyUI at: 8188 may be another test's.
    """

    def __init__(self, rehearsal: EditHost) -> None:
        self.rehearsal = rehearsal
        self.environ = rehearsal.environ
        self.home = rehearsal.places.work
        self.models = rehearsal.models
        self.config = rehearsal.session().places.config_file
        self.port = free_port()

    def session(self) -> Session:
        """Open a session as `gpuconsole` would on this host."""
        return self.rehearsal.session()

    def answers(self, text: str = "") -> Path:
        """Write a file of answers: the port, and whatever else is said."""
        path = self.home / "answers.toml"
        path.write_text(f'comfyui.port = "{self.port}"\n{text}\n')
        return path

    def outputs(self) -> list[Path]:
        """Give the pictures that edits have left here, not those that they were made from."""
        folder = Path(self.environ["XDG_DATA_HOME"])
        return sorted(one for one in folder.rglob("*.png") if ".inputs" not in one.parts)


@contextlib.contextmanager
def fresh_host(
    home: Path,
    *,
    flavour: str = "",
    pace: float = QUICK,
    compose: str | None = None,
    change: Callable[[Scene], Scene] | None = None,
) -> Iterator[FreshHost]:
    """Have a fresh host for as long as the block lasts; `home` is a folder for the test's pictures.

    Args:
        home: that folder.
        flavour: one of `FLAVOURS`.
        pace: how many times faster than in life it edits.
        compose: `stand-in` or `none`, where it is not to be what the machine or the flavour has.
        change: makes another scene of it.
    """

    def quick(scene: Scene) -> Scene:
        made = msgspec.structs.replace(
            scene,
            hub=msgspec.structs.replace(scene.hub, rate=_RATE),
            build=BuildSpec(seconds=_BUILD, fault=scene.build.fault),
            compose=scene.compose if compose is None else compose,
        )
        return change(made) if change else made

    with edit_host(home, scenario=FLAVOURS[flavour], pace=pace, change=quick) as rehearsal:
        yield FreshHost(rehearsal)


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Have a file system of its own in a folder, such as `size=64m` or `ro`; only root can."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def free_port() -> int:
    """Give a loopback port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        opened.bind((LOOPBACK, 0))
        return int(opened.getsockname()[1])
