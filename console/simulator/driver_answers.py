"""What the simulated driver answers to each NVML function, from one table of facts.

An answer is a function of the facts and the caller's arguments that writes into those arguments as
the C function would (`byref(x)` is reached by its `_obj`) and returns an NVML error code. The
dictionaries at the end are the library's exported symbols; what is not in them is "not found".
"""

import ctypes
from collections.abc import Callable
from typing import Any

import pynvml

from console.simulator.driver_table import CardTable, DriverTable

NOT_SUPPORTED: int = pynvml.NVML_ERROR_NOT_SUPPORTED
INVALID_ARGUMENT: int = pynvml.NVML_ERROR_INVALID_ARGUMENT
INSUFFICIENT_SIZE: int = pynvml.NVML_ERROR_INSUFFICIENT_SIZE
NOT_AVAILABLE = 2**64 - 1
"""NVML's sentinel for a value of 64 bits that the platform does not give (WDDM, on WSL2)."""

MEMORY_CLOCK: int = pynvml.NVML_CLOCK_MEM
CORES_PER_MULTIPROCESSOR = {"7.0": 64, "7.5": 64, "8.0": 64}
"""By compute capability; 128 elsewhere (8.6 and later), as NVIDIA's programming guide lists."""

DriverAnswer = Callable[[DriverTable, tuple[Any, ...]], int]
CardAnswer = Callable[[DriverTable, CardTable, tuple[Any, ...]], int]


def give(target: Any, value: float | None) -> int:
    """Write a number behind a `byref`, or say that it is not supported where there is none."""
    if value is None:
        return NOT_SUPPORTED
    target._obj.value = value
    return 0


def give_text(buffer: Any, size: Any, text: str | None) -> int:
    """Write a text into a caller's buffer of `size` bytes, its closing zero included."""
    if text is None:
        return NOT_SUPPORTED
    raw = text.encode("utf-8", "surrogateescape")
    if len(raw) >= int(getattr(size, "value", size)):
        return INSUFFICIENT_SIZE
    buffer.value = raw
    return 0


def number(field: str) -> CardAnswer:
    """Answer `f(device, *anything, byref(number))` with one of the card's facts."""
    return lambda _, card, args: give(args[-1], getattr(card, field))


def text(field: str) -> CardAnswer:
    """Answer `f(device, buffer, size)` with one of the card's texts."""
    return lambda _, card, args: give_text(args[1], args[2], getattr(card, field))


def pci_info(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer `nvmlDeviceGetPciInfo_v3`, with the numbers that the bus id's text holds."""
    if card.pci_bus_id is None:
        return NOT_SUPPORTED
    info = args[1]._obj
    info.busId = card.pci_bus_id.encode("utf-8", "surrogateescape")[:31]
    parts = card.pci_bus_id.replace(".", ":").split(":")
    if len(parts) == 4:
        info.domain, info.bus, info.device = (int(part, 16) for part in parts[:3])
    return 0


def free_memory(card: CardTable) -> int:
    """Give the card's free bytes: as told, else what its used and reserved bytes leave."""
    if card.memory_free is not None:
        return card.memory_free
    taken = (card.memory_used or 0) + (card.memory_reserved or 0)
    return max(0, (card.memory_total or 0) - taken)


def memory_v1(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer with version 1 of the struct, in which the reserved bytes count as used."""
    if card.memory_total is None or card.memory_used is None:
        return NOT_SUPPORTED
    memory = args[1]._obj
    memory.total, memory.free = card.memory_total, free_memory(card)
    memory.used = card.memory_used + (card.memory_reserved or 0)
    return 0


def memory_v2(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer with version 2 of the struct, in which the reserved bytes stand apart."""
    memory = args[1]._obj
    if memory.version != pynvml.nvmlMemory_v2:
        return int(pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH)
    if card.memory_total is None or card.memory_used is None:
        return NOT_SUPPORTED
    memory.total, memory.free = card.memory_total, free_memory(card)
    memory.used, memory.reserved = card.memory_used, card.memory_reserved or 0
    return 0


def utilization(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer `nvmlDeviceGetUtilizationRates`, which gives both rates or neither."""
    if card.utilization is None:
        return NOT_SUPPORTED
    rates = args[1]._obj
    rates.gpu, rates.memory = card.utilization, card.memory_utilization or 0
    return 0


def clock(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer `nvmlDeviceGetClockInfo`: the memory's clock, or the graphics clock for the rest."""
    of_memory = args[1].value == MEMORY_CLOCK
    return give(args[2], card.clock_memory if of_memory else card.clock_graphics)


def compute_capability(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer with the two numbers of `8.6`."""
    if card.compute_capability is None:
        return NOT_SUPPORTED
    major, _dot, minor = card.compute_capability.partition(".")
    return give(args[1], int(major)) or give(args[2], int(minor))


def cores(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer `nvmlDeviceGetNumGpuCores`: the multiprocessors times the cores of each."""
    if card.multiprocessors is None:
        return NOT_SUPPORTED
    each = CORES_PER_MULTIPROCESSOR.get(card.compute_capability or "", 128)
    return give(args[1], card.multiprocessors * each)


def ecc_mode(_: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer with the mode now and the mode after the next boot, which are the same here."""
    return give(args[1], card.ecc) or give(args[2], card.ecc)


def minor_number(table: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
    """Answer with N of `/dev/nvidiaN`, which WSL2 does not have."""
    return give(args[1], None if table.flavour == "wsl" else table.cards.index(card))


def processes(kind: str) -> CardAnswer:
    """Answer a process call: the count where no room is offered, else the processes."""

    def answer(table: DriverTable, card: CardTable, args: tuple[Any, ...]) -> int:
        found = [process for process in card.processes if process.kind == kind]
        room, array = args[1]._obj.value, args[2]
        args[1]._obj.value = len(found)
        if found and (array is None or room < len(found)):
            return INSUFFICIENT_SIZE
        for at, process in enumerate(found):
            unavailable = process.used_bytes is None or table.flavour == "wsl"
            array[at].pid = process.pid
            array[at].usedGpuMemory = NOT_AVAILABLE if unavailable else process.used_bytes
        return 0

    return answer


def count(table: DriverTable, args: tuple[Any, ...]) -> int:
    """Answer with the number of cards."""
    return give(args[0], len(table.cards))


def handle(table: DriverTable, args: tuple[Any, ...]) -> int:
    """Hand out a card's handle: a pointer that is never followed, its index and one in it."""
    index = int(args[0].value)
    if index >= len(table.cards):
        return INVALID_ARGUMENT
    pointer = ctypes.c_void_p(index + 1)
    ctypes.memmove(ctypes.byref(args[1]._obj), ctypes.byref(pointer), ctypes.sizeof(pointer))
    return 0


def card_index(device: Any) -> int:
    """Give the index of the card whose handle this is; -1 for none of ours."""
    return (ctypes.cast(device, ctypes.c_void_p).value or 0) - 1


DRIVER_ANSWERS: dict[str, DriverAnswer] = {
    "nvmlDeviceGetCount_v2": count,
    "nvmlDeviceGetHandleByIndex_v2": handle,
    "nvmlSystemGetDriverVersion": lambda table, args: give_text(
        args[0], args[1], table.driver_version
    ),
    "nvmlSystemGetNVMLVersion": lambda table, args: give_text(args[0], args[1], table.nvml_version),
    "nvmlSystemGetCudaDriverVersion": lambda table, args: give(args[0], table.cuda_version),
    "nvmlSystemGetCudaDriverVersion_v2": lambda table, args: give(args[0], table.cuda_version),
}

CARD_ANSWERS: dict[str, CardAnswer] = {
    "nvmlDeviceGetUUID": text("uuid"),
    "nvmlDeviceGetName": text("name"),
    "nvmlDeviceGetPciInfo_v3": pci_info,
    "nvmlDeviceGetCudaComputeCapability": compute_capability,
    "nvmlDeviceGetNumGpuCores": cores,
    "nvmlDeviceGetMaxClockInfo": number("max_clock_graphics"),
    "nvmlDeviceGetMinorNumber": minor_number,
    "nvmlDeviceGetMemoryInfo": memory_v1,
    "nvmlDeviceGetMemoryInfo_v2": memory_v2,
    "nvmlDeviceGetUtilizationRates": utilization,
    "nvmlDeviceGetTemperature": number("temperature"),
    "nvmlDeviceGetPowerUsage": number("power_mw"),
    "nvmlDeviceGetEnforcedPowerLimit": number("power_limit_mw"),
    "nvmlDeviceGetPowerManagementLimit": number("power_limit_mw"),
    "nvmlDeviceGetClockInfo": clock,
    "nvmlDeviceGetFanSpeed": number("fan"),
    "nvmlDeviceGetCurrentClocksEventReasons": number("throttle"),
    "nvmlDeviceGetCurrentClocksThrottleReasons": number("throttle"),
    "nvmlDeviceGetCurrPcieLinkGeneration": number("pcie_generation"),
    "nvmlDeviceGetCurrPcieLinkWidth": number("pcie_width"),
    "nvmlDeviceGetEccMode": ecc_mode,
    "nvmlDeviceGetTotalEccErrors": number("ecc_errors"),
    "nvmlDeviceGetPerformanceState": number("pstate"),
    "nvmlDeviceGetComputeRunningProcesses_v3": processes("compute"),
    "nvmlDeviceGetGraphicsRunningProcesses_v3": processes("graphics"),
}
