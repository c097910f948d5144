"""The host that every program is measured on: two cards, N containers, one driver library."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.simulator.driver_table import CardTable, DriverTable, write_table
from tests.native.build import build
from tests.support.engine import Workbench

GIB = 1024**3
PREFIX = "bench-"
SETTLED_SECONDS = 62
"""A container this old shows its age in minutes: the steady state of a host, not its start."""


def two_cards() -> DriverTable:
    """Give the studio's two cards, at work; their figures stay as they are."""
    common: dict[str, Any] = {
        "compute_capability": "8.6",
        "memory_utilization": 41,
        "temperature": 63,
        "clock_graphics": 1695,
        "clock_memory": 9501,
        "pcie_generation": 4,
        "pcie_width": 16,
        "pstate": 2,
        "throttle": 0,
    }
    return DriverTable(
        driver_version="580.97",
        nvml_version="13.580.97",
        cuda_version=13000,
        flavour="native",
        cards=(
            CardTable(
                uuid="GPU-30800000-aaaa-bbbb-cccc-000000003080",
                name="NVIDIA GeForce RTX 3080 Laptop GPU",
                pci_bus_id="00000000:01:00.0",
                memory_total=16 * GIB,
                memory_used=6 * GIB,
                memory_reserved=300 * 1024**2,
                utilization=37,
                power_mw=142_000,
                power_limit_mw=200_000,
                multiprocessors=48,
                **common,
            ),
            CardTable(
                uuid="GPU-30900000-aaaa-bbbb-cccc-000000003090",
                name="NVIDIA GeForce RTX 3090",
                pci_bus_id="00000000:41:00.0",
                memory_total=24 * GIB,
                memory_used=21 * GIB,
                memory_reserved=400 * 1024**2,
                utilization=92,
                power_mw=338_000,
                power_limit_mw=350_000,
                multiprocessors=82,
                fan=63,
                **common,
            ),
        ),
    )


class Mover:
    """Moves the cards' figures a little each second, as a host at work does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._step = 0

    def step(self) -> None:
        """Write the next table: VRAM, utilisation, temperature and power change on both cards."""
        import msgspec

        self._step += 1
        table = two_cards()
        wave = self._step % 10
        cards = tuple(
            msgspec.structs.replace(
                card,
                memory_used=(card.memory_used or 0) + wave * 64 * 1024**2,
                utilization=(card.utilization or 0) - wave,
                temperature=(card.temperature or 0) + wave // 3,
                power_mw=(card.power_mw or 0) - wave * 1_300,
            )
            for card in table.cards
        )
        write_table(self._path, msgspec.structs.replace(table, cards=cards))


def environment(folder: Path, address: str) -> dict[str, str]:
    """Give the environment in which every program meets the same driver and the same engine."""
    library = build(folder / "lib")
    table = folder / "driver.table"
    write_table(table, two_cards())
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "DOCKER_HOST": address,
        "GPUCONSOLE_NVML_LIBRARY": str(library),
        "GPUCONSOLE_DRIVER_TABLE": str(table),
        "LD_LIBRARY_PATH": str(library.parent),
    }


SERVICES = (("forge", "NVIDIA GeForce RTX 3080 Laptop GPU"), ("forge", "NVIDIA GeForce RTX 3090"),
            ("comfyui", "NVIDIA GeForce RTX 3090"))  # fmt: skip


@contextmanager
def services(folder: Path) -> Iterator[None]:
    """Run the servers of three services, and write the config that names them and containers.

    Two Forges that idle and a ComfyUI at work: what the dashboard of a studio shows.
    """
    config = folder / ".config" / "gpuconsole" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    processes, blocks = [], []
    try:
        for number, (kind, card) in enumerate(SERVICES):
            words = ["--kind", kind, "--port", "0", "--device", card]
            if kind == "comfyui":
                words += ["--busy", "7200", "--pending", "2"]
            process = subprocess.Popen(
                [sys.executable, "-m", "console.simulator.services", *words],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            processes.append(process)
            assert process.stdout is not None
            port = next(line for line in process.stdout if line.startswith("port ")).split()[1]
            blocks.append(
                f'[services.service-{number}]\nkind = "{kind}"\n'
                f'container = "{PREFIX}{number:02d}"\nurl = "http://127.0.0.1:{port}"\n'
                f'vram_budget = "8 GiB"\n'
            )
        config.write_text("\n".join(blocks), encoding="utf-8")
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def containers(address: str, count: int) -> Iterator[float]:
    """Run `count` idle containers on a real engine, and remove them in the end.

    Gives the monotonic time from which on they are settled.
    """
    with Workbench(address) as workbench:
        workbench.prefix = PREFIX
        for number in range(count):
            workbench.run(f"{number:02d}", ["sleep", "3600"], stop_signal="SIGKILL")
        yield time.monotonic() + SETTLED_SECONDS
