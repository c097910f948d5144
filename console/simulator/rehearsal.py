"""Rehearsals for whoever needs one: in a process of its own, or held still inside a test."""

import contextlib
import http.client
import json
import os
import select
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from console.errors import ConsoleError
from console.itself import importable, own_command
from console.simulator.places import RehearsalPlaces, new_places
from console.simulator.ports import LOOPBACK, KeptPort
from console.simulator.scenario import DEFAULT, load_scenario
from console.text import clean, clean_line

FROM_STDIN = "-"
"""For a scenario's name: it comes in the first line of stdin."""

_START_TAKES = 20.0
_END_TAKES = 5.0


DRILL = "drill"
"""What a rehearsal is called whose scenario is to be found out."""


class Rehearsal:
    """A rehearsal in a process of its own.

    A `hidden` one does not say which scenario it is, neither in its environment nor in the list of
    processes.

    Attributes:
        environ: what to set for a program to meet it.
        address: of its engine, such as `unix:///run/user/1000/gpuconsole-demo-x/engine.sock`.
    """

    def __init__(
        self,
        scenario: str = DEFAULT,
        seed: int = 0,
        environ: Mapping[str, str] = os.environ,
        *,
        hidden: bool = False,
    ) -> None:
        scene = load_scenario(scenario)
        try:
            self.places: RehearsalPlaces = new_places(environ)
        except OSError as error:
            raise _not_started(str(error)) from error
        self._hub_port = KeptPort()
        self.environ = self.places.environ(scene, f"http://{LOOPBACK}:{self._hub_port.number}")
        if hidden:
            self.environ["GPUCONSOLE_REHEARSAL"] = DRILL
        self.address = self.environ["DOCKER_HOST"]
        command = own_command("console.simulator.host")
        command += ["--scenario", FROM_STDIN if hidden else scenario, "--seed", str(seed)]
        command += ["--folder", str(self.places.folder)]
        command += ["--hub-port", str(self._hub_port.number)]
        try:
            with self.places.log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=importable(environ),
                    start_new_session=True,
                )
        except OSError as error:
            self._hub_port.give_up()
            self.places.remove()
            raise _not_started(str(error)) from error
        if hidden:
            self._whisper(scenario)

    def _whisper(self, scenario: str) -> None:
        """Tell the process which scenario it is; one that is gone already is missed later."""
        pipe = self._process.stdin
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.write(f"{scenario}\n".encode())
                pipe.flush()

    def wait_ready(self, seconds: float = _START_TAKES) -> None:
        """Wait until it can be met.

        Raises:
            ConsoleError: it ended, or was not ready in time; the detail is what it said.
        """
        pipe = self._process.stdout
        said = ""
        if pipe is not None and select.select([pipe], [], [], seconds)[0]:
            said = pipe.readline().decode("utf-8", "replace").strip()
        if said == "ready":
            return
        words = "" if said else self._log()
        self.close()
        raise _not_started(said, words)

    def _log(self) -> str:
        """Give the end of what it wrote to its log; nothing where it took the log with it."""
        try:
            return clean(self.places.log.read_text("utf-8", "replace")).strip()[-2000:]
        except OSError:
            return ""

    def control(self, do: str, **facts: Any) -> None:
        """Make something happen, such as `control("card-fault", card=1)`.

        Raises:
            ValueError: nobody knows how.
        """
        connection = _UnixConnection(self.places.control_socket)
        with contextlib.closing(connection):
            connection.request("POST", "/cue", json.dumps({"at": 0, "do": do, **facts}))
            answer = connection.getresponse()
            if answer.status >= http.client.BAD_REQUEST:
                raise ValueError(answer.read().decode())

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process and remove its folder; doing it twice does no harm."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(_END_TAKES)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._hub_port.give_up()
        self.places.remove()


@contextlib.contextmanager
def rehearsal(scenario: str = DEFAULT, seed: int = 0) -> Iterator[Rehearsal]:
    """Have a rehearsal, ready to be met, for as long as the block lasts."""
    host = Rehearsal(scenario, seed)
    try:
        host.wait_ready()
        yield host
    finally:
        host.close()


def _not_started(why: str, words: str = "") -> ConsoleError:
    """Give the error of a rehearsal that cannot be met: why, or else what it wrote to its log."""
    if not why:
        title = "the rehearsal did not start"
        return ConsoleError("demo.not-started", title, "Please report this", words)
    return ConsoleError(
        "demo.not-started",
        f"the rehearsal cannot start: {clean_line(why, 300)}",
        "XDG_RUNTIME_DIR, or else TMPDIR, says where its files go",
    )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_END_TAKES)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
