"""Having compose bring up one service: its output as it comes, an end when somebody asks for it."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO

from console.clock import SystemClock
from console.compose.command import ComposeCommand, Version
from console.compose.faults import ComposeCancelledError, ComposeError
from console.compose.project import ComposeService, Project
from console.mask import mask_text
from console.text import clean_bytes, clean_line

_TICK_SECONDS = 0.1
_END_SECONDS = 10.0
_KEPT_LINES = 40
_TOLD_LINES = 6
_LONGEST_LINE = 16 << 10
_TELLING = re.compile(r"\b(?:error|failed|cannot|denied|no such|invalid|conflict)\b", re.IGNORECASE)
_PACE = SystemClock()
# Of an image; compose 1.x looks there for the volumes of the container that it replaces.
_NOT_TOLD = "'ContainerConfig'"
_NEWER = "Install the compose plugin (package docker-compose-plugin or docker-compose-v2)"


def up(
    command: ComposeCommand,
    target: ComposeService,
    service: str,
    *,
    recreate: bool,
    tell: Callable[[str], None],
    cancelled: Callable[[], bool],
    limit: float,
    start: bool = True,
    renew: bool = False,
) -> str:
    """Create a service's container where there is none, and start it; gives the result in words.

    Args:
        command: the compose to use.
        target: the service's file and project.
        service: its name.
        recreate: make a new container also where there is one, and leave the others alone.
        tell: gets each line of output, cleaned and masked.
        cancelled: asked every moment; once true, compose is told to end as by Ctrl-C.
        limit: seconds it may take.
        start: also start it; otherwise the container is only there.
        renew: the container that is there has no volumes without a name, so none need be taken
            over: compose 1.x cannot do that with an engine of 2024 and later.

    Raises:
        ComposeError: it cannot be run, failed (`compose.failed`, with its last telling lines), is
            too old for the engine (`compose.too-old`) or was not over within the limit
            (`compose.outlasted`).
        ComposeCancelledError: it ended because somebody asked to cancel.
    """
    renew = renew and recreate and command.legacy
    arguments = [
        *command.words,
        *_globals(command, target.project),
        *_up(service, recreate, start, renew=renew),
    ]
    begun = _PACE.monotonic()
    try:
        # A group of its own: Ctrl-C reaches all of compose, and nobody else.
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=command.environ,
            cwd=target.project.place,
            start_new_session=True,
        )
    except OSError as error:
        why = error.strerror or str(error)
        title = f"compose cannot be run in {clean_line(str(target.project.place), 200)}: {why}"
        raise ComposeError("compose.broken", title) from error
    output = _Output(process, tell)
    while (code := _wait(process, _TICK_SECONDS)) is None:
        if cancelled():
            _end(process, output)
            title = f"compose was told to end while it brought {service} up"
            raise ComposeCancelledError("compose.cancelled", title, detail=output.last())
        if _PACE.monotonic() - begun > limit:
            _end(process, output)
            title = f"compose had not brought {service} up after {limit:g} s"
            raise ComposeError("compose.outlasted", title, detail=output.last())
    output.close()
    if code:
        raise _too_old(command, service, output) or _failed(service, code, output)
    return f"compose brought {service} up" if start else f"compose created {service} anew"


def shown_command(project: Project, service: str, *, recreate: bool, start: bool = True) -> str:
    """Give the command line that a person could type for it, with the plugin."""
    words = ["docker", "compose", *_places(project), *_up(service, recreate, start)]
    return mask_text(shlex.join(words))


def _globals(command: ComposeCommand, project: Project) -> list[str]:
    """Give what stands before the subcommand: plain output, and which project."""
    plain = ["--progress", "plain"]
    if command.legacy:
        ansi = command.version >= Version(major=1, minor=28)
        plain = ["--ansi", "never"] if ansi else ["--no-ansi"]
    if command.legacy and len(project.env_files) > 1:
        title = f"docker-compose {command.version} takes one environment file, not several"
        raise ComposeError("compose.broken", title, "Install the newer compose plugin")
    return [*plain, *_places(project)]


def _places(project: Project) -> list[str]:
    words = ["-p", project.name] if project.name else []
    if project.directory is not None:
        words += ["--project-directory", str(project.directory)]
    for file in project.files:
        words += ["-f", str(file.absolute())]
    for file in project.env_files:
        words += ["--env-file", str(file)]
    return words


def _up(service: str, recreate: bool, start: bool = True, *, renew: bool = False) -> list[str]:
    """Give the subcommand: nothing that is there is touched, or this one container is made anew."""
    how = ["--no-deps", "--force-recreate"] if recreate else ["--no-recreate"]
    if renew:
        how.append("--renew-anon-volumes")
    return ["up", "-d" if start else "--no-start", *how, "--", service]


class _Output:
    """What a process writes, read by a thread of its own and told line by line."""

    def __init__(self, process: "subprocess.Popen[bytes]", tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        assert process.stdout is not None  # noqa: S101 -- it was asked for
        self._thread = threading.Thread(
            target=self._read, args=(process.stdout,), name="compose-output", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Wait for what is still in the pipe; a helper that outlives compose may hold it open."""
        self._thread.join(1.0)

    def last(self) -> str:
        """Give the last telling lines: those that name trouble, else the last of all."""
        lines = list(self._lines)
        return "\n".join((_telling(lines) or lines)[-_TOLD_LINES:])

    def has(self, words: str) -> bool:
        """Tell whether one of the last lines has some words."""
        return any(words in line for line in list(self._lines))

    def _read(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            while line := pipe.readline(_LONGEST_LINE):
                for part in clean_bytes(line).splitlines():
                    text = mask_text(clean_line(part, 500))
                    if text:
                        self._lines.append(text)
                        self._tell(text)


def _telling(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if _TELLING.search(line)]


def _too_old(command: ComposeCommand, service: str, output: _Output) -> ComposeError | None:
    """Give the error of a compose 1.x that falls over what newer engines do not tell any more."""
    if not (command.legacy and output.has(_NOT_TOLD)):
        return None
    title = (
        f"docker-compose {command.version} is too old for this engine: it cannot make a new "
        f"container for {service} in place of the one there is"
    )
    return ComposeError("compose.too-old", title, _NEWER, detail=output.last())


def _failed(service: str, code: int, output: _Output) -> ComposeError:
    how = f"exit {code}" if code > 0 else f"ended by signal {-code}"
    said = output.last()
    first = said.rpartition("\n")[2]
    title = f"compose could not bring {service} up ({how})" + (
        f": {clean_line(first, 160)}" if first else ""
    )
    return ComposeError("compose.failed", title, detail=said)


def _end(process: "subprocess.Popen[bytes]", output: _Output) -> None:
    """End compose as Ctrl-C would; one that does not listen is killed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        if _wait(process, _END_SECONDS) is not None:
            break
    output.close()


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
