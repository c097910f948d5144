"""A host of cards for the tests: what its driver says and what its /proc shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from console.simulator.driver_table import CardTable, DriverTable, TableProcess, write_table

GIB = 2**30
LAPTOP = "GPU-30800000-0000-4000-8000-000000000000"
BIG = "GPU-30900000-0000-4000-8000-000000000001"
CONTAINER = "c0" * 32


def big_card(**facts: Any) -> CardTable:
    """Give a desktop card that tells everything."""
    card = CardTable(
        uuid=BIG,
        name="NVIDIA GeForce RTX 3090",
        pci_bus_id="00000000:0A:00.0",
        compute_capability="8.6",
        multiprocessors=82,
        max_clock_graphics=2100,
        memory_total=24 * GIB,
        memory_used=20 * GIB,
        memory_reserved=GIB // 4,
        utilization=92,
        memory_utilization=60,
        temperature=71,
        power_mw=338_500,
        power_limit_mw=350_000,
        clock_graphics=1700,
        clock_memory=9501,
        fan=64,
        throttle=0x4,
        pcie_generation=4,
        pcie_width=16,
        ecc=0,
        ecc_errors=0,
        pstate=2,
    )
    return msgspec.structs.replace(card, **facts)


def laptop_card(**facts: Any) -> CardTable:
    """Give a laptop board of 16 GiB, which has no fan and no ECC of its own."""
    return msgspec.structs.replace(
        big_card(
            uuid=LAPTOP,
            name="NVIDIA GeForce RTX 3080 Laptop GPU",
            pci_bus_id="00000000:01:00.0",
            multiprocessors=48,
            memory_total=16 * GIB,
            memory_used=6 * GIB,
            fan=None,
            ecc=None,
            ecc_errors=None,
        ),
        **facts,
    )


def table(*cards: CardTable, **facts: Any) -> DriverTable:
    """Give a driver with these cards; both cards of the house where none are named."""
    base = DriverTable(
        driver_version="580.97",
        nvml_version="13.580.97",
        cuda_version=13000,
        cards=cards or (laptop_card(), big_card()),
    )
    return msgspec.structs.replace(base, **facts)


class Host:
    """A host in a folder: its driver table, its /proc, its environment."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.table_path = folder / "driver.table"
        self.root = folder / "root"
        self.root.mkdir()
        self.environ: Mapping[str, str] = {
            "GPUCONSOLE_NVML_LIBRARY": str(library),
            "GPUCONSOLE_DRIVER_TABLE": str(self.table_path),
            "GPUCONSOLE_ROOT": str(self.root),
        }

    def says(self, facts: DriverTable) -> None:
        """Let the driver answer from these facts from now on."""
        write_table(self.table_path, facts)

    def is_wsl(self) -> None:
        """Let the kernel be WSL's."""
        path = self.root / "proc/sys/kernel/osrelease"
        path.parent.mkdir(parents=True)
        path.write_text("6.6.87.2-microsoft-standard-WSL2\n")

    def runs(self, pid: int, cmdline: bytes, container: str = "", comm: bytes = b"") -> None:
        """Let a process run, in a container where one is named."""
        folder = self.root / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "cmdline").write_bytes(cmdline)
        (folder / "comm").write_bytes(comm)
        scope = f"system.slice/docker-{container}.scope" if container else "user.slice"
        (folder / "cgroup").write_text(f"0::/{scope}\n")


def process(pid: int, used: int | None, kind: Any = "compute") -> TableProcess:
    """Give a process as the driver lists it."""
    return TableProcess(pid, kind, used)
