"""A host that nobody has set up, for `gpuconsole setup`: as `demo --scenario fresh-host` has it.

It lives in a thread of the test's own process, as `tests.support.edits` has it, and is quicker.
"""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from console.simulator.ports import LOOPBACK
from console.simulator.scene import Scene
from tests.support.edits import QUICK, EditHost, edit_host

FLAVOURS = {"": "fresh-host"}
"""The scenario of each flavour of a fresh host."""


class FreshHost:
    """The rehearsal.

    Attributes:
        rehearsal: all that can be done with it.
        environ: what to set for a program to meet it; a whole environment.
        home: the operator's home, which has all that they would write.
        models: the folder of ComfyUI's models that is there, without a model.
        config: where the config would be.
    """

    def __init__(self, rehearsal: EditHost) -> None:
        self.rehearsal = rehearsal
        self.environ = rehearsal.environ
        self.home = rehearsal.places.work
        self.models = rehearsal.models
        self.config = rehearsal.session().places.config_file


@contextlib.contextmanager
def fresh_host(
    home: Path,
    *,
    flavour: str = "",
    pace: float = QUICK,
    change: Callable[[Scene], Scene] | None = None,
) -> Iterator[FreshHost]:
    """Have a fresh host for as long as the block lasts; `home` is a folder for the test's pictures.

    `flavour` is one of `FLAVOURS`; `change` makes another scene of it.
    """
    with edit_host(home, scenario=FLAVOURS[flavour], pace=pace, change=change) as rehearsal:
        yield FreshHost(rehearsal)


def free_port() -> int:
    """Give a loopback port that nobody has, to publish a service at: 8188 may be another test's."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        opened.bind((LOOPBACK, 0))
        return int(opened.getsockname()[1])
