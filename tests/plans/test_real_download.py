"""A real pull from a hub, by the real command: what ends it, who takes it up, what it costs."""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plans.test_take_up import Host as Machine
from tests.pull.conftest import Host
from tests.support.hub import Noise, RehearsalHub, rehearsal_hub
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

SIZE = 40_000_000
BODY = Noise(SIZE, 7)
NAME = "split_files/vae/long_vae.safetensors"
TARGET = f"hf:org/name/{NAME}"
FETCHED_AGAIN = 16 << 20


@pytest.fixture
def hub() -> Iterator[RehearsalHub]:
    """Give a hub with one file that takes its time."""
    with rehearsal_hub({"org/name": {NAME: BODY}}) as made:
        made.fault("slow", rate=15_000_000)
        yield made


@pytest.fixture
def host(tmp_path: Path, hub: RehearsalHub) -> Host:
    """Give an operator's host, whose kernel tells which boot it is."""
    made = Host(tmp_path, hub)
    made.environ["GPUCONSOLE_ROOT"] = str(tmp_path / "root")
    return made


@pytest.fixture
def machine(host: Host, tmp_path: Path) -> Machine:
    """Give the host as something that can be started anew."""
    return Machine(tmp_path / "root")


def placed(host: Host) -> Path:
    return host.models / "vae" / "long_vae.safetensors"


def under_way(host: Host, job_id: str, least: int) -> dict[str, Any]:
    """Give the job once so many bytes are there."""

    def enough() -> dict[str, Any] | None:
        job = host.job(job_id)
        assert job["state"] in {"queued", "running"}, job
        return job if (job["bytes_done"] or 0) >= least else None

    return wait_until(enough, 30) or {}


def is_right(host: Host) -> bool:
    """Tell whether the file is there, whole, and nothing else is."""
    assert host.below() == {"vae/long_vae.safetensors"}
    with placed(host).open("rb") as body:
        return hashlib.file_digest(body, "sha256").hexdigest() == BODY.sha256


def test_a_download_outlives_its_console_its_process_and_its_host(
    host: Host, machine: Machine, hub: RehearsalHub
) -> None:
    console = host.start("models", "pull", TARGET, "--folder", "vae", "--yes", "--wait", "--json")
    assert console.stdout is not None
    assert '"planned"' in console.stdout.readline()
    wait_until(lambda: '"transfer":{' in console.stdout.readline(), 20)  # type: ignore[union-attr]
    console.send_signal(signal.SIGHUP)
    console.communicate(timeout=20)
    assert console.returncode == -signal.SIGHUP
    ident = str(host.job("last")["id"])
    job = under_way(host, ident, SIZE // 4)
    assert not placed(host).exists()
    os.kill(job["pid"], signal.SIGKILL)
    host.wait_for(ident, "interrupted")
    assert not placed(host).exists()
    machine.start_anew()
    assert "the host was started anew" in host.run("timeline").stderr
    job = under_way(host, ident, SIZE // 2)
    assert (job["attempts"], job["state"]) == (2, "running")
    assert job["resumed_from_bytes"] > 0
    # The host goes down in good order: nothing that is fetched is lost.
    before = hub.bytes_served(NAME)
    assert before <= job["bytes_done"] + FETCHED_AGAIN + (4 << 20)
    os.kill(job["pid"], signal.SIGTERM)
    stopped = host.wait_for(ident, "interrupted")
    assert stopped["can"] == ["watch", "resume", "cancel"]
    machine.start_anew()
    watched = host.run("jobs", "watch", ident, "--json")
    assert watched.returncode == 0, watched.stdout + watched.stderr
    done = host.job(ident)
    assert (done["state"], done["attempts"], done["bytes_done"]) == ("done", 3, SIZE)
    assert is_right(host)
    assert hub.bytes_served(NAME) <= SIZE + FETCHED_AGAIN + (8 << 20)


def test_the_full_screen_takes_it_up_too(host: Host, machine: Machine, hub: RehearsalHub) -> None:
    ident = host.begin(TARGET, "--folder", "vae")
    os.kill(under_way(host, ident, SIZE // 8)["pid"], signal.SIGKILL)
    host.wait_for(ident, "interrupted")
    hub.heal()
    command = [sys.executable, "-m", "console", "--config", str(host.config)]
    with Terminal(command, {**os.environ, **host.environ}):
        host.wait_for(ident, "done")
    assert is_right(host)


def test_what_is_given_up_leaves_no_byte(host: Host, machine: Machine, hub: RehearsalHub) -> None:
    ident = host.begin(TARGET, "--folder", "vae")
    under_way(host, ident, SIZE // 8)
    assert host.run("jobs", "pause", ident).returncode == 0
    paused = host.job(ident)
    assert (paused["state"], host.below() == set()) == ("paused", False)
    machine.start_anew()
    assert host.run("timeline").stderr == "", "it was paused by somebody"
    given_up = host.run("jobs", "cancel", ident, "--yes")
    assert given_up.returncode == 0, given_up.stderr
    assert "removed" in given_up.stdout
    assert host.below() == set()
    assert host.job(ident)["state"] == "cancelled"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_without_a_journal_the_console_stays_until_it_is_done(
    host: Host, hub: RehearsalHub, form: tuple[str, ...]
) -> None:
    hub.heal()
    host.environ["XDG_STATE_HOME"] = "/proc/nowhere"
    done = host.run("models", "pull", TARGET, "--folder", "vae", "--yes", *form)
    assert done.returncode == 0, done.stderr
    assert is_right(host)
    assert "survives this console" not in done.stderr
    if form:
        assert json.loads(done.stdout)["data"]["job_id"]
