"""A rehearsal in a process of its own: it can be met, leaves nothing behind, and meets no other."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from docker.api.client import APIClient

from console.errors import ConsoleError
from console.simulator.driver_table import parse_table
from console.simulator.held import OPENING, held_rehearsal
from console.simulator.places import new_places
from console.simulator.rehearsal import Rehearsal, rehearsal
from tests.rehearsal.support import call
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]


def test_it_can_be_met_and_is_gone_afterwards() -> None:
    with rehearsal("studio", seed=1) as host:
        folder = host.places.folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(host.places.engine_socket.stat().st_mode) == 0o600
        api = APIClient(host.address, version="auto", timeout=10)
        assert len(api.containers(all=True)) == 5
        api.close()
        assert len(parse_table(host.places.table.read_text()).cards) == 2
        root = Path(host.environ["GPUCONSOLE_ROOT"])
        assert "WSL2" in (root / "proc/sys/kernel/osrelease").read_text()
        pid = host.pid
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()
    assert not folder.exists()
    host.close()


def test_the_table_follows_what_is_ordered() -> None:
    with rehearsal("studio") as host:
        before = parse_table(host.places.table.read_text()).cards[1].memory_used or 0
        api = APIClient(host.address, version="auto", timeout=10)
        api.kill("comfyui-qwen")
        api.close()
        wait_until(
            lambda: (
                (parse_table(host.places.table.read_text()).cards[1].memory_used or 0)
                < before - 8 * 2**30
            )
        )


def test_its_services_are_where_the_config_says_and_end_with_it() -> None:
    with rehearsal("studio") as host:
        config = (host.places.config_home / "gpuconsole" / "config.toml").read_text()
        url = tomllib.loads(config)["services"]["comfyui-qwen"]["url"]
        port = int(url.rpartition(":")[2])
        before = parse_table(host.places.table.read_text()).cards[1].memory_used or 0
        assert call(port, "/interrupt", "POST").status == 200
        assert call(port, "/free", "POST", {"unload_models": True}).status == 200
        after = parse_table(host.places.table.read_text()).cards[1].memory_used or 0
        assert before - after > 11 * 2**30
        api = APIClient(host.address, version="auto", timeout=10)
        api.kill("comfyui-qwen")
        with pytest.raises(ConnectionRefusedError):
            call(port, "/queue")
        api.start("comfyui-qwen")
        api.close()
        with pytest.raises(ConnectionRefusedError):
            call(port, "/queue")
        host.control("job", container="comfyui-qwen")
    with pytest.raises(ConnectionRefusedError):
        call(port, "/queue")


def test_cues_come_in_over_the_control_socket() -> None:
    with rehearsal("studio") as host:
        host.control("card-fault", card=1, error="GPU_IS_LOST")
        assert parse_table(host.places.table.read_text()).cards[1].faults == {"*": "GPU_IS_LOST"}
        with pytest.raises(ValueError, match="no cue is called"):
            host.control("make-coffee")
        with pytest.raises(ValueError, match=r".+"):
            host.control("card-fault", card=77)


def test_two_rehearsals_do_not_meet() -> None:
    with rehearsal("studio") as one, rehearsal("empty") as other:
        first = APIClient(one.address, version="auto")
        second = APIClient(other.address, version="auto")
        assert (len(first.containers(all=True)), len(second.containers(all=True))) == (5, 0)
        shared = {
            name for name, value in one.environ.items() if value and other.environ[name] == value
        }
        # Where programs of the caller's own are, is no part of either.
        assert shared - {"PYTHONUSERBASE"} == {
            "DOCKER_BUILDKIT",
            "GPUCONSOLE_NVML_LIBRARY",
            "HF_HUB_DISABLE_TELEMETRY",
            "HF_HUB_DISABLE_UPDATE_CHECK",
            "NO_PROXY",
            "no_proxy",
        }
        first.close()
        second.close()


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = """
        import os, signal
        from console.simulator.rehearsal import Rehearsal
        host = Rehearsal("studio")
        host.wait_ready()
        print(host.places.folder, host.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder, pid = done.stdout.split()
    wait_until(lambda: not Path(folder).exists(), 10)
    wait_until(lambda: not Path(f"/proc/{pid}/fd/0").exists(), 10)


def test_a_host_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    host = Rehearsal("studio")
    with pytest.raises(ConsoleError, match="did not start"):
        host.wait_ready()
    assert not host.places.folder.exists()


def test_a_runtime_directory_too_deep_for_a_socket_is_not_used(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    places = new_places({"XDG_RUNTIME_DIR": str(deep)})
    try:
        assert not places.folder.is_relative_to(deep)
        assert len(str(places.engine_socket)) < 108
    finally:
        places.remove()


def test_native_linux_shows_the_processes_of_its_containers() -> None:
    with held_rehearsal("native") as host:
        table = parse_table(host.table.read_text())
        root = Path(host.environ["GPUCONSOLE_ROOT"])
        inside = {}
        for card in table.cards:
            for process in card.processes:
                cgroup = (root / f"proc/{process.pid}/cgroup").read_text()
                inside[process.pid] = cgroup.rsplit("docker-", 1)[1].split(".")[0]
        ids = host.look(lambda world: set(world.stage.actors))
        assert len(inside) == 3
        assert set(inside.values()) <= ids
        stopped = next(iter(inside))
        host.control("kill", container=inside[stopped])
        host.advance(1)
        assert not (root / f"proc/{stopped}").exists()


def test_memory_of_the_host_falls_as_containers_load() -> None:
    def available(root: Path) -> int:
        lines = (root / "proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))

    with held_rehearsal("studio") as host:
        root = host.places.root
        before = available(root)
        host.control("kill", container="comfyui-qwen")
        host.advance(1)
        assert available(root) > before + 10 * 2**20


def test_a_held_rehearsal_gives_the_same_bytes_each_time() -> None:
    def seen(seed: int) -> list[bytes]:
        tables = []
        with held_rehearsal("crash-loop", seed=seed) as host:
            assert host.clock.now() == OPENING
            for _ in range(5):
                host.advance(7.3)
                tables.append(host.table.read_bytes())
        return tables

    assert seen(4) == seen(4)
    assert seen(4) != seen(5)


def test_the_library_is_missing_where_the_scene_has_none() -> None:
    with held_rehearsal("no-nvml") as host:
        assert not Path(host.environ["GPUCONSOLE_NVML_LIBRARY"]).exists()
    with held_rehearsal("studio") as host:
        assert Path(host.environ["GPUCONSOLE_NVML_LIBRARY"]).name == "driver.py"
