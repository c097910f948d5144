"""What is measured of one program in a terminal, and how."""

import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence

import msgspec

from tests.support.terminal import Terminal


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program to measure.

    Attributes:
        ready: pattern of the text that shows live VRAM (or the bare app's figure).
        complete: pattern of the text that shows the containers; empty where it has none.
        keys: pressed in turn for the latency; empty where pressing means nothing.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    ready: bytes
    complete: bytes = b""
    keys: tuple[bytes, ...] = ()


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Medians of one program: seconds, percent of one core, bytes a second, bytes."""

    first_screen: float
    containers_later: float | None
    processor_percent: float
    bytes_per_second: float
    memory_bytes: int
    key_p50: float | None
    key_p95: float | None


def first_screens(programs: Sequence[Program], runs: int) -> dict[str, tuple[float, float | None]]:
    """Give each program's median seconds to (first screen, containers after it), interleaved."""
    shown: dict[str, list[float]] = {program.name: [] for program in programs}
    later: dict[str, list[float]] = {program.name: [] for program in programs}
    for _ in range(runs):
        for program in programs:
            with Terminal(program.command, program.environ) as terminal:
                at = terminal.wait_for(program.ready)
                shown[program.name].append(at)
                if program.complete:
                    later[program.name].append(terminal.wait_for(program.complete) - at)
    return {
        name: (statistics.median(times), statistics.median(later[name]) if later[name] else None)
        for name, times in shown.items()
    }


def steady(program: Program, seconds: float) -> Figures:
    """Run one program for a while and give its steady figures; first screens are added later."""
    with Terminal(program.command, program.environ) as terminal:
        terminal.wait_for(program.ready)
        if program.complete:
            terminal.wait_for(program.complete)
        terminal.read(8)
        before = terminal.processor_seconds()
        began = time.perf_counter()
        drawn = terminal.read(seconds)
        elapsed = time.perf_counter() - began
        used = terminal.processor_seconds() - before
        memory = terminal.memory_bytes()
        latencies = _latencies(terminal, program.keys)
    return Figures(
        first_screen=0.0,
        containers_later=None,
        processor_percent=100 * used / elapsed,
        bytes_per_second=drawn / elapsed,
        memory_bytes=memory,
        key_p50=statistics.median(latencies) if latencies else None,
        key_p95=statistics.quantiles(latencies, n=20)[-1] if len(latencies) > 1 else None,
    )


def wall_times(command: Sequence[str], environ: Mapping[str, str], runs: int) -> list[float]:
    """Give the wall seconds of a command that ends by itself; its output is thrown away."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(
            list(command), env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        times.append(time.perf_counter() - began)
    return times


def _latencies(terminal: Terminal, keys: tuple[bytes, ...], presses: int = 40) -> list[float]:
    """Press keys one by one on a quiet screen; the tick of the second is let pass first."""
    latencies = []
    for number in range(presses if keys else 0):
        terminal.read(0.13)
        took = terminal.press(keys[number % len(keys)])
        if took is not None:
            latencies.append(took)
    return latencies
