"""Which compose this host has: docker's plugin, else `docker-compose`, old or new."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from console.compose.faults import ComposeError
from console.engine.endpoint import Endpoint
from console.mask import mask_text
from console.text import clean_bytes, clean_line

_LOOK_SECONDS = 10.0
_VERSION = re.compile(r"(?<![\d.])v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?")
_CONTEXTS = ("docker context", "DOCKER_CONTEXT")
_TOLD: dict[tuple[str | int, ...], "Version"] = {}
_HINT = "Install the plugin (package docker-compose-plugin or docker-compose-v2) or docker-compose"


class Version(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A version of compose; compares as numbers."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class ComposeCommand(msgspec.Struct, frozen=True, kw_only=True):
    """How to call compose.

    Attributes:
        words: the program and, for the plugin, its name, such as `/usr/bin/docker compose`.
        version: as it says.
        environ: what it is to be run with, so that it reaches the session's engine; it may hold
            secrets and is never shown.
    """

    words: tuple[str, ...]
    version: Version
    environ: dict[str, str]

    @property
    def legacy(self) -> bool:
        """Whether it is the one written in Python (1.x), which has options of its own."""
        return self.version.major < 2

    @property
    def shown(self) -> str:
        """How a person would call it, with its version."""
        first, *rest = self.words
        return " ".join([Path(first).name, *rest, f"({self.version})"])

    def __repr__(self) -> str:
        return f"ComposeCommand({self.shown})"


def find_compose(environ: Mapping[str, str], endpoint: Endpoint) -> ComposeCommand:
    """Give the compose to use: `docker compose` where it works, else `docker-compose`.

    One of 1.x only where PATH has nothing newer.

    Raises:
        ComposeError: there is none (`compose.missing`), or none that works (`compose.broken`).
    """
    tried = []
    older: ComposeCommand | None = None
    for words in _candidates(environ.get("PATH")):
        surroundings = environment_for(environ, endpoint, legacy=False)
        version = _known_version(words, surroundings)
        if not isinstance(version, Version):
            tried.append(f"{' '.join((Path(words[0]).name, *words[1:]))}: {version}")
        elif version.major >= 2:
            return ComposeCommand(words=words, version=version, environ=surroundings)
        elif older is None:
            surroundings = environment_for(environ, endpoint, legacy=True)
            older = ComposeCommand(words=words, version=version, environ=surroundings)
    if older is not None:
        return older
    if not tried:
        title = "there is neither docker nor docker-compose on this host"
        raise ComposeError("compose.missing", title, _HINT)
    missing = all("docker compose: " in one for one in tried)
    code = "compose.missing" if missing else "compose.broken"
    raise ComposeError(code, "no compose on this host works", _HINT, "\n".join(tried))


def _candidates(path: str | None) -> Iterator[tuple[str, ...]]:
    """Give what may be compose, best first: a newer one may stand behind an old one in PATH."""
    docker = shutil.which("docker", path=path)
    if docker is not None:
        yield (docker, "compose")
    seen = set[str]()
    for folder in (os.defpath if path is None else path).split(os.pathsep):
        program = shutil.which("docker-compose", path=folder) if folder else None
        if program is not None and os.path.realpath(program) not in seen:
            seen.add(os.path.realpath(program))
            yield (program,)


def environment_for(
    environ: Mapping[str, str], endpoint: Endpoint, *, legacy: bool
) -> dict[str, str]:
    """Give the environment in which compose reaches the engine of an endpoint, in plain text.

    The 1.x line does not follow docker's contexts everywhere: it is given the address itself. An
    address goes by the environment, never as an argument: it may hold a password.
    """
    given = dict(environ)
    kind, _, name = endpoint.source.rpartition(" ")
    by_context = kind in _CONTEXTS
    if by_context and not legacy:
        given.pop("DOCKER_HOST", None)
        given["DOCKER_CONTEXT"] = name
    elif by_context:
        given.pop("DOCKER_CONTEXT", None)
        given |= _address(endpoint)
    elif endpoint.source == "DOCKER_HOST":
        given.pop("DOCKER_CONTEXT", None)
        given["DOCKER_HOST"] = endpoint.address
    return given | {"COMPOSE_ANSI": "never", "COMPOSE_MENU": "0", "NO_COLOR": "1"}


def _address(endpoint: Endpoint) -> dict[str, str]:
    """Give address and certificates of a context as the variables that everybody reads."""
    found = {"DOCKER_HOST": endpoint.address}
    tls = endpoint.tls
    if tls is not None:
        place = tls.ca or tls.certificate
        if place:
            found["DOCKER_CERT_PATH"] = str(Path(place).parent)
        if tls.verify:
            found["DOCKER_TLS_VERIFY"] = "1"
    return found


def _known_version(words: tuple[str, ...], environ: Mapping[str, str]) -> Version | str:
    """Give the version of a compose; a program that has told it is asked anew once it changes.

    The one written in Python takes half a second to tell. Which plugin docker has, only it knows.
    """
    try:
        there = Path(words[0]).stat()
    except OSError:
        return _version(words, environ)
    mark: tuple[str | int, ...] = (*words, there.st_ino, there.st_size, there.st_mtime_ns)
    version = _TOLD.get(mark) or _version(words, environ)
    if isinstance(version, Version) and len(words) == 1:
        _TOLD[mark] = version
    return version


def _version(words: tuple[str, ...], environ: Mapping[str, str]) -> Version | str:
    """Ask a compose for its version; gives why not in words where it does not tell."""
    try:
        process = subprocess.Popen(
            [*words, "version", "--short"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        return f"it cannot be run: {error.strerror or error}"
    try:
        out, err = process.communicate(timeout=_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        # All of it: a wrapper's child would hold the pipes open.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"it did not tell its version within {_LOOK_SECONDS:g} s"
    found = _VERSION.search(clean_bytes(out[:4096]))
    if process.returncode == 0 and found:
        major, minor, patch = (int(part or 0) for part in found.groups())
        return Version(major=major, minor=minor, patch=patch)
    said = clean_bytes(err[:4096] or out[:4096]).strip().splitlines()
    return mask_text(clean_line(said[0], 200)) if said else f"exit {process.returncode}"
