"""The programs that are measured: ours, a bare Textual app, and the peers that are installed."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.bench.measure import Program


def console(environ: Mapping[str, str]) -> Program:
    """Give the console; ready when a card's VRAM stands there, complete with its containers."""
    return Program(
        name="gpuconsole",
        command=[sys.executable, "-m", "console"],
        environ=environ,
        ready=rb"\d+\.\d / 24\.0",
        complete=rb"bench-03|other containers",
        keys=(b"j", b"k"),
    )


def bare_app(environ: Mapping[str, str]) -> Program:
    """Give the smallest Textual app with something live on it."""
    return Program(
        name="bare Textual",
        command=[sys.executable, str(Path(__file__).with_name("bare.py"))],
        environ=environ,
        ready=rb"figure \d",
    )


def peers(environ: Mapping[str, str]) -> list[Program]:
    """Give those of nvitop and gpustat that are installed beside this interpreter or on PATH."""
    found = []
    if nvitop := _command("nvitop"):
        found.append(
            Program(
                name="nvitop",
                command=[nvitop, "--monitor", "full", "--interval", "1"],
                environ=environ,
                ready=rb"MiB / |GiB / ",
                keys=(b"h", b"q"),
            )
        )
    if gpustat := _command("gpustat"):
        found.append(
            Program(
                name="gpustat",
                command=[gpustat, "--interval", "1", "--no-processes"],
                environ=environ,
                ready=rb"\d+ / +\d+ MB",
            )
        )
    return found


def _command(name: str) -> str | None:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)
