"""A hub on loopback with repositories of a test's own, which counts bytes and misbehaves on demand.

    with rehearsal_hub({"org/name": {"vae/x.safetensors": Noise(5_000_000)}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)    # or {**os.environ, **hub.environ}
        hub.fault("cut", after=1_000_000, times=1)
        ...
        assert hub.bytes_served("vae/x.safetensors") < 7_000_000

A file is bytes, a path on disk or a body (`Noise(size, seed)`, `Hollow(header, size)`). Names that
end like a model's, and what is larger than a MiB, are large files (LFS, with a sha256); the others
are small ones, in git. The tokens `EVERYTHING` and `NOTHING` are valid.
"""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from console.simulator.hub.bodies import Body, Held, Hollow, Noise, OnDisk
from console.simulator.hub.faults import KINDS
from console.simulator.hub.hub import EVERYTHING, NOTHING, RehearsalHub, repos_of
from console.simulator.hub.repos import Content, Repo, repo_of

__all__ = [
    "EVERYTHING",
    "KINDS",
    "NOTHING",
    "Body",
    "Content",
    "Held",
    "Hollow",
    "HubProcess",
    "Noise",
    "OnDisk",
    "RehearsalHub",
    "Repo",
    "hub_process",
    "rehearsal_hub",
    "repo_of",
]


@contextlib.contextmanager
def rehearsal_hub(
    repos: Mapping[str, Mapping[str, Content] | Repo], *, rate: float | None = None
) -> Iterator[RehearsalHub]:
    """Have a hub with these repositories, in threads of this process.

    `rate` is bytes a second, of all connections together.
    """
    hub = RehearsalHub(repos_of(repos), rate=rate)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


class HubProcess:
    """A hub in a process of its own, for clients whose speed is measured.

    Attributes:
        url: what HF_ENDPOINT has to be.
        told: the JSON line it began with: `endpoint`, `cdn`, `repo`, `files` (path, size, sha256).
    """

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "console.simulator.hub", "--port", "0", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.told: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.url: str = self.told["endpoint"]

    @property
    def environ(self) -> dict[str, str]:
        """What to set for a program to meet it, and not to meet anybody else."""
        return dict(self.told["environ"])

    def bytes_served(self, path: str = "") -> int:
        """Give the bytes of bodies sent: of one file (`ORG/NAME/PATH` or its end), or in all."""
        files = self._ask("counts")["files"]
        return sum(
            count
            for name, count in files.items()
            if path in ("", name) or name.endswith(f"/{path}")
        )

    def fault(self, kind: str, **facts: Any) -> None:
        """Let something go wrong from now on."""
        self._ask("fault", {"kind": kind, **facts})

    def heal(self, kind: str = "") -> None:
        """End the faults of a kind, or all."""
        self._ask("heal", {"kind": kind})

    def _ask(self, word: str, facts: dict[str, Any] | None = None) -> Any:
        data = None if facts is None else json.dumps(facts).encode()
        with urllib.request.urlopen(f"{self.url}/api/rehearsal/{word}", data, timeout=10) as answer:
            return json.loads(answer.read())

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)


@contextlib.contextmanager
def hub_process(*arguments: str) -> Iterator[HubProcess]:
    """Have a hub in a process of its own; arguments as `python -m console.simulator.hub` has."""
    hub = HubProcess(*arguments)
    try:
        yield hub
    finally:
        hub.close()
