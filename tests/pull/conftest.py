"""A host with a models folder of its own, a hub on loopback, and the real command."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.operations import Operations
from actions.session import Session, open_session
from console.errors import ConsoleError
from console.simulator.hub.faults import Fault
from console.unknown import plain
from tests.plans.command import lines, run, start
from tests.support.hub import Content, Noise, RehearsalHub, rehearsal_hub
from tests.support.waiting import wait_until

REPO = "org/name"
VAE = "split_files/vae/pull_vae.safetensors"
LORA = "pull_lora.safetensors"
SIZE = 24_000_000
BRISK = 8_000_000
CRAWL = 100_000


def all_of(body: Noise) -> bytes:
    """Give the bytes of a file on the hub."""
    data = bytearray()
    while len(data) < body.size:
        data += body.piece(len(data), body.size)
    return bytes(data)


class Host:
    """What one operator has: config, state, models folder, and the way to the hub."""

    def __init__(self, home: Path, hub: RehearsalHub) -> None:
        self.home = home
        self.hub = hub
        self.models = home / "models"
        self.models.mkdir()
        self.config = home / "c.toml"
        self.configure()
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "DOCKER_HOST": f"unix://{home}/no-docker.sock",
            **hub.environ,
        }
        self._session: Session | None = None
        self._brake: Fault | None = None

    def configure(self, models: Path | None = None, more: str = "") -> None:
        """Write the config with another models folder, or more of it."""
        self.config.write_text(f'[paths]\nmodels = "{models or self.models}"\n{more}')

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end."""
        return run(self.environ, "--config", str(self.config), *words)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start the command and leave it."""
        return start(self.environ, "--config", str(self.config), *words)

    def pull(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Pull and wait; gives the data of the last line, with its error."""
        done = self.run("models", "pull", *words, "--yes", "--wait", "--json")
        assert done.returncode == code, done.stdout + done.stderr
        last = lines(done.stdout)[-1]
        assert "Traceback" not in done.stderr
        return {**last["data"], **({"error": last["error"]} if "error" in last else {})}

    def begin(self, *words: str) -> str:
        """Start a job and leave it; gives its id."""
        done = self.run("models", "pull", *words, "--yes", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return str(json.loads(done.stdout)["data"]["job_id"])

    def plan(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Give the plan of a dry run."""
        done = self.run("models", "pull", *words, "--dry-run", "--json")
        assert done.returncode == code, done.stdout + done.stderr
        plan: dict[str, Any] = json.loads(done.stdout)["data"]["plan"]
        return plan

    def job(self, job_id: str) -> dict[str, Any]:
        """Give a job as `jobs show` tells it, read in this process."""
        return plain(self.console.one_job(job_id))

    def refusal(self, target: str, **options: Any) -> ConsoleError:
        """Give the error that no plan is made with, asked for in this process."""
        with pytest.raises(ConsoleError) as caught:
            self.console.plan("pull", target, **options)
        return caught.value

    @property
    def console(self) -> Operations:
        """This process, which is a console too, with the config as it was at its first use."""
        if self._session is None:
            self._session = open_session(self.environ, str(self.config))
        return Operations(self._session)

    def let_come(self, path: str, count: int) -> None:
        """Let so many bytes of a file come, and then hardly any until the hub is healed."""
        if self._brake is None or self._brake.over.is_set():
            self._brake = self.hub.fault("slow", rate=CRAWL)
        self._brake.throttle.rate = BRISK
        wait_until(lambda: self.hub.bytes_served(path) >= count, 30)
        self._brake.throttle.rate = CRAWL

    def close(self) -> None:
        """Close the console of this process; another begins with config and environment anew."""
        if self._session is not None:
            self._session.store.close()
        self._session = None

    def wait_for(self, job_id: str, *states: str, seconds: float = 30) -> dict[str, Any]:
        """Give a job once it is in one of these states."""

        def there() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job["state"] in states else None

        return wait_until(there, seconds, f"job {job_id} is {' or '.join(states)}") or {}

    def below(self, folder: Path | None = None) -> set[str]:
        """Give every file in the models folder, hidden ones too."""
        top = folder or self.models
        return {str(one.relative_to(top)) for one in top.rglob("*") if not one.is_dir()}


@pytest.fixture
def hub() -> Iterator[RehearsalHub]:
    """Give a hub with a VAE, a LoRA and a text."""
    files: dict[str, Content] = {
        VAE: Noise(SIZE, 1),
        LORA: Noise(3_000_000, 2),
        "README.md": b"# about\n",
    }
    with rehearsal_hub({REPO: files}) as made:
        yield made


@pytest.fixture
def host(tmp_path: Path, hub: RehearsalHub) -> Iterator[Host]:
    """Give the host of this test alone."""
    made = Host(tmp_path, hub)
    yield made
    made.close()


def hear(process: "subprocess.Popen[str]", word: str) -> list[dict[str, Any]]:
    """Give what a command told until a line with `word` came, that line last."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(json.loads(line))
        if word in line:
            return told
    raise AssertionError(f"{word} was not told: {told}")


def checks(plan: dict[str, Any]) -> dict[str, str]:
    """Give what a plan looked at, by id."""
    return {one["id"]: one["title"] for one in plan["checks"]}
