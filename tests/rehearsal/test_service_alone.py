"""The stand-alone Forge and ComfyUI: for real containers, so they read what those are given."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.simulator.services.__main__ import main, size, stages
from console.simulator.services.cuda import GIB, Card, Picked
from console.simulator.services.ledger import held
from console.simulator.services.solo import Habits, Solo
from tests.rehearsal.support import call
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
CARDS = [
    {"name": "RTX 3080", "memory": 16, "bus_id": "01", "multiprocessors": 48, "uuid": "GPU-a"},
    {"name": "RTX 3090", "memory": 24, "bus_id": "2D", "multiprocessors": 82, "uuid": "GPU-b"},
]


class Alone:
    """A service in a process of its own."""

    def __init__(self, *args: str, **environ: str) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("CUDA_", "NVIDIA_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console.simulator.services", "--port", "0", *args],
            env={**clean, "PYTHONPATH": str(ROOT), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        self.port = int(first.removeprefix("port "))

    def answers(self, path: str, headers: dict[str, str] | None = None) -> Any:
        def asked() -> Any:
            with contextlib.suppress(OSError):
                return call(self.port, path, headers=headers)
            return None

        return wait_until(asked, 10)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        return code, self.process.stdout.read(), self.process.stderr.read()


@contextlib.contextmanager
def alone(*args: str, **environ: str) -> Iterator[Alone]:
    service = Alone(*args, **environ)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.communicate()


def test_a_comfyui_starts_says_so_and_ends_on_sigterm() -> None:
    with alone("--kind", "comfyui", "--start-log", "--", "--cuda-device", "0", "--lowvram") as one:
        answer = one.answers("/system_stats").data
        assert answer["system"]["argv"] == ["main.py", "--cuda-device", "0", "--lowvram"]
        assert answer["devices"][0]["name"] == "cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync"
        code, _, log = one.end()
        assert code == 0
        assert "Set cuda device to: 0\n" in log
        assert "Total VRAM 24576 MB, total RAM 65536 MB\n" in log
        assert "Device: cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync\n" in log
        assert "To see the GUI go to: http://" in log


@pytest.mark.parametrize(
    ("args", "environ", "name"),
    [
        (["--", "--cuda-device", "1"], {}, "RTX 3080"),
        (["--cuda-device", "1"], {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "RTX 3090"),
        ([], {"CUDA_VISIBLE_DEVICES": "GPU-a"}, "RTX 3080"),
        (["--native"], {"NVIDIA_VISIBLE_DEVICES": "0"}, "RTX 3080"),
        ([], {"NVIDIA_VISIBLE_DEVICES": "0"}, "RTX 3090"),
    ],
)
def test_it_reports_the_card_that_its_settings_lead_to(
    tmp_path: Path, args: list[str], environ: dict[str, str], name: str
) -> None:
    file = tmp_path / "cards.json"
    file.write_text(json.dumps(CARDS))
    with alone("--kind", "comfyui", "--cards", str(file), *args, **environ) as one:
        assert name in one.answers("/system_stats").data["devices"][0]["name"]


def test_a_forge_is_behind_its_front_and_goes_through_its_stages() -> None:
    token = {"Authorization": "Bearer secret-token-of-a-test"}
    with alone(
        "--kind", "forge", "--token-env", "WEB_TOKEN", "--start-log", "--stages",
        "provisioning=0.3", "--ready-after", "0.3",
        WEB_TOKEN="secret-token-of-a-test", FORGE_ARGS="--gpu-device-id 0 --api",
    ) as one:  # fmt: skip
        assert one.answers("/internal/ping").status == 302
        seen = {one.answers("/internal/ping", headers=token).status}
        wait_until(lambda: call(one.port, "/internal/ping", headers=token).data == {}, 10)
        assert seen <= {200, 502}
        flags = call(one.port, "/sdapi/v1/cmd-flags", headers=token).data
        assert (flags["api"], flags["gpu_device_id"]) == (True, 0)
        code, log, _ = one.end()
        assert code == 0
        assert "Set device to: 0\n" in log
        assert log.index("/var/log/provisioning.log") < log.index("Starting Forge...")


def test_one_that_ignores_sigterm_has_to_be_killed(tmp_path: Path) -> None:
    with alone("--kind", "comfyui", "--ignore-term", "--ledger", str(tmp_path)) as one:
        one.answers("/queue")
        one.process.send_signal(signal.SIGTERM)
        assert one.answers("/queue").status == 200
        assert held(tmp_path)[0] > 0
        assert one.end(signal.SIGKILL)[0] == -signal.SIGKILL
        assert held(tmp_path) == {}


def test_a_job_can_be_under_way_from_the_beginning(tmp_path: Path) -> None:
    with alone(
        "--kind", "comfyui", "--busy", "600", "--pending", "2", "--ledger", str(tmp_path)
    ) as one:
        queue = one.answers("/queue").data
        assert (len(queue["queue_running"]), len(queue["queue_pending"])) == (1, 2)
        wait_until(lambda: held(tmp_path).get(0, 0) > 13 * GIB, 10)
        for _ in range(3):
            call(one.port, "/interrupt", "POST")
        assert call(one.port, "/queue").data == {"queue_running": [], "queue_pending": []}
        call(one.port, "/free", "POST", {"unload_models": True})
        wait_until(lambda: held(tmp_path).get(0, 0) < GIB, 10)


def test_it_can_misbehave_and_end_by_itself() -> None:
    with alone("--kind", "comfyui", "--mood", "html", "--exit-after", "1", "--exit-code", "7") as o:
        assert o.answers("/queue").headers["Content-Type"].startswith("text/html")
        assert o.process.wait(10) == 7


def test_without_a_card_it_ends_as_torch_does() -> None:
    with alone("--kind", "comfyui", "--start-log", CUDA_VISIBLE_DEVICES="") as one:
        assert one.process.wait(10) == 1
        assert one.process.stderr is not None
        assert "No CUDA GPUs are available" in one.process.stderr.read()


def test_it_needs_nothing_but_aiohttp() -> None:
    program = (
        "import sys\n"
        "sys.modules['msgspec'] = sys.modules['docker'] = sys.modules['click'] = None\n"
        "from console.simulator.services.__main__ import main\n"
        "main(['--help'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "--cards FILE" in done.stdout


def test_mistakes_in_its_options_are_told(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "cards.json"
    file.write_text("{}")
    for wrong in (["--cards", str(file)], ["--vram-total", "much"], ["--stages", "sync"]):
        with pytest.raises(SystemExit) as ended:
            main(["--kind", "forge", "--port", "0", *wrong], {})
        assert ended.value.code == 2
    assert "no list of cards" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--kind", "forge", "--port", port], {}) == 1
    assert "in use" in capsys.readouterr().err
    assert (size("24GiB"), size("300 MiB"), size("7")) == (24 * GIB, 300 << 20, 7)
    assert stages("sync=2,preflight=1") == (("sync", 2.0), ("preflight", 1.0))


class Ticking:
    """A clock to set."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_its_life_follows_from_the_clock_alone() -> None:
    clock = Ticking()
    habits = Habits(kind="comfyui", ready_after=2, idle=12 * GIB, busy=13 * GIB, job=10, pending=1,
                    first_job=5)  # fmt: skip
    solo = Solo(habits, Picked((Card(index=0, name="X", memory=24 * GIB),)), clock, clock)
    assert (solo.figures().up, solo.held) == (False, 0)
    clock.at = 4.0
    now = solo.figures()
    assert now.job is not None
    assert (now.job.share, now.job.left, len(now.waiting)) == (0.4, 3.0, 1)
    solo.free()
    clock.at = 8.0
    now = solo.figures()
    assert now.job is not None
    assert (now.job.share, now.own) == (0.1, 13 * GIB)
    clock.at = 18.0
    assert (solo.figures().job, solo.figures().own) == (None, 12 * GIB)
    solo.free()
    assert solo.figures().own == 0
    assert [how for _, how in solo.history()] == ["success", "success"]
