"""The processes on a card: NVML's lists merged, named from /proc, put into their containers."""

import ctypes
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pynvml

from console.gpu.faults import error_name, state
from console.gpu.readings import Values
from console.gpu.snapshot import GpuProcess
from console.host.cgroup import container_of
from console.host.platform import is_wsl
from console.text import clean_line
from console.unknown import Unknown

PID_LIMIT = 2**22
"""Linux knows no larger pid; R535's changed struct made some of 4294967295 under old wrappers."""

SUFFIXES = ("_v3", "_v2", "")
"""Of the functions that list processes, newest first; drivers before R450 have only the last."""

MOST_PROCESSES = 10_000
"""A count beyond this is nonsense, and making room for it would take all memory there is."""


NOT_AVAILABLE = 2**64 - 1
"""NVML's sentinel for memory that the platform does not tell (WDDM, on WSL2)."""


class Held(NamedTuple):
    """What one of NVML's lists says: a process and its bytes, None where they are not told."""

    pid: int
    used: int | None


class _Plain(ctypes.Structure):
    """NVML's first struct of a process, which the function without a suffix fills."""

    _fields_ = (("pid", ctypes.c_uint), ("usedGpuMemory", ctypes.c_ulonglong))


class ProcessReader:
    """Reads a card's processes.

    Args:
        root: prefix of /proc, `/` on a real host.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._on_wsl = False
        self._untold = state("no-process-memory")
        self._suffix: dict[str, str] = {}

    def begin(self) -> None:
        """Look at the platform and try the newest functions: the driver was initialised anew."""
        self._on_wsl = is_wsl(self._root)
        self._untold = state("wsl-no-process-memory" if self._on_wsl else "no-process-memory")
        self._suffix.clear()

    def __call__(self, handle: Any) -> Values:
        """Give a card's processes by pid: one tuple of `GpuProcess`, or why there is none.

        Raises:
            pynvml.NVMLError: the driver does not list the compute processes.
        """
        compute = self._list("Compute", handle)
        try:
            graphics = self._list("Graphics", handle)
        except pynvml.NVMLError as error:
            if error_name(error) == "GPU_IS_LOST":
                raise
            graphics = []
        if any(not 0 < held.pid < PID_LIMIT for held in (*compute, *graphics)):
            return (state("nonsense"),)
        return (tuple(self._merge(compute, graphics)),)

    def _list(self, kind: str, handle: Any) -> list[Held]:
        """Ask by the newest function that the driver has."""
        suffixes = [self._suffix[kind]] if kind in self._suffix else list(SUFFIXES)
        for suffix in suffixes:
            try:
                held = _ask(f"nvmlDeviceGet{kind}RunningProcesses{suffix}", handle)
            except pynvml.NVMLError as error:
                if error_name(error) == "FUNCTION_NOT_FOUND" and suffix != suffixes[-1]:
                    continue
                raise
            self._suffix[kind] = suffix
            return held
        return []

    def _merge(self, compute: list[Held], graphics: list[Held]) -> Iterator[GpuProcess]:
        """Make one row of each pid; a process in both lists has the same memory in both."""
        of_compute, of_graphics = _by_pid(compute), _by_pid(graphics)
        for pid in sorted(of_compute | of_graphics):
            both = pid in of_compute and pid in of_graphics
            told = [
                used for used in (of_compute.get(pid), of_graphics.get(pid)) if used is not None
            ]
            yield GpuProcess(
                pid=pid,
                name=process_name(pid, self._root),
                used_bytes=max(told) if told else self._untold,
                kind="both" if both else "compute" if pid in of_compute else "graphics",
                container_id=self._container_of(pid),
            )

    def _container_of(self, pid: int) -> str | Unknown | None:
        """Give a process's container; WSL2's driver gives numbers that may be Windows' own."""
        if self._on_wsl:
            return state("wsl-no-container")
        return container_of(pid, self._root)


def _ask(function: str, handle: Any) -> list[Held]:
    """Call a process function twice: for the count, then for the processes.

    pynvml's own function believes whatever count the driver gives; this one does not.

    Raises:
        pynvml.NVMLError: the driver does not answer.
        ValueError: the count is nonsense.
    """
    call = pynvml._nvmlGetFunctionPointer(function)
    count = ctypes.c_uint(0)
    code = call(handle, ctypes.byref(count), None)
    if code == pynvml.NVML_SUCCESS:
        return []
    if code != pynvml.NVML_ERROR_INSUFFICIENT_SIZE:
        raise pynvml.NVMLError(code)
    room = count.value * 2 + 5  # processes may start in between
    if room > MOST_PROCESSES:
        raise ValueError(f"{count.value} processes on one card")
    count.value = room
    struct = pynvml.c_nvmlProcessInfo_v2_t if function.endswith(("_v2", "_v3")) else _Plain
    rows = (struct * room)()
    code = call(handle, ctypes.byref(count), rows)
    if code != pynvml.NVML_SUCCESS:
        raise pynvml.NVMLError(code)
    if count.value > room:
        raise ValueError(f"{count.value} processes where there is room for {room}")
    return [
        Held(row.pid, None if row.usedGpuMemory == NOT_AVAILABLE else row.usedGpuMemory)
        for row in rows[: count.value]
    ]


def _by_pid(rows: Iterable[Held]) -> dict[int, int | None]:
    """Add up a pid's rows, of which a card cut into instances gives one for each."""
    found: dict[int, int | None] = {}
    for row in rows:
        before = found.get(row.pid)
        told = [used for used in (before, row.used) if used is not None]
        found[row.pid] = sum(told) if told else None
    return found


def believe_processes(
    processes: tuple[GpuProcess, ...] | Unknown, total: int | Unknown
) -> tuple[GpuProcess, ...] | Unknown:
    """Blank the memory of a process that is said to hold more than the card has."""
    if isinstance(processes, Unknown) or isinstance(total, Unknown):
        return processes
    return tuple(
        process
        if isinstance(process.used_bytes, Unknown) or process.used_bytes <= total
        else _without_memory(process)
        for process in processes
    )


def _without_memory(process: GpuProcess) -> GpuProcess:
    return GpuProcess(
        pid=process.pid,
        name=process.name,
        used_bytes=state("nonsense"),
        kind=process.kind,
        container_id=process.container_id,
    )


def process_name(pid: int, root: Path) -> str | Unknown:
    """Give a process's executable as it was called, without folder and arguments.

    Arguments are left out because they may hold secrets. A process that emptied its command line,
    or wrote its own into one piece, goes by its `comm`.
    """
    folder = root / "proc" / str(pid)
    try:
        with (folder / "cmdline").open("rb") as file:
            program, _, arguments = file.read(4096).partition(b"\0")
        if not program or (b" " in program and not arguments.strip(b"\0")):
            program = (folder / "comm").read_bytes()
    except OSError:
        return state("process-unknown")
    name = program.decode("utf-8", "replace").rsplit("/", 1)[-1]
    return clean_line(name, 128) or state("process-unknown")
