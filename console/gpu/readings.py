"""The single readings of a card: which NVML calls give them, and which values are believed.

Each reading is one group of fields that come from one call. `calls` are tried in order where the
driver or the wrapper does not know the first ("function not found"); whatever a driver gives is
checked, and what cannot be is `nvml.nonsense` rather than a number.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pynvml

from console.gpu.faults import explain_name, state, throttle_names
from console.text import clean_line
from console.unknown import Unknown

FAST, SLOW, RARE = 0.0, 10.0, 30.0
"""Seconds between two looks: at what moves, at limits and links, at counters of faults."""

MEMORY_SLACK = 1.02
"""Used and free may overlap a little, since WDDM counts them one after the other."""

FAILURES: tuple[type[Exception], ...] = (
    pynvml.NVMLError,
    getattr(pynvml, "NVMLLibraryMismatchError", pynvml.NVMLError),
    ValueError,  # a text that is no UTF-8, a number that does not fit
    OverflowError,
    LookupError,
    MemoryError,  # a count of processes beyond belief
)
"""All that a call through the wrapper raises when the driver fails or gives garbage."""

PCI_BUS_ID = re.compile(r"[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7]")
PSTATE_UNKNOWN = 32

Values = tuple[Any, ...]
Call = Callable[[Any], Values]


class Reading(msgspec.Struct, frozen=True):
    """A group of a card's fields that one NVML call gives, and how often it is made."""

    fields: tuple[str, ...]
    calls: tuple[Call, ...]
    period: float = FAST


def within(value: float, low: float, high: float) -> Any:
    """Give a value that lies where such values can lie, else `nvml.nonsense`."""
    return value if low <= value <= high else state("nonsense")


def memory_fields(total: int, used: int, free: int) -> Values:
    """Check the three figures of one memory struct against each other.

    `used` is the driver's own figure: of struct version 2 without what the driver reserves for
    itself (as nvidia-smi shows it), so that used + free is a little less than total; of version 1,
    on older drivers, with it. Where used or free exceed the total, neither is believed.
    """
    nonsense = state("nonsense")
    if not 0 < total < 2**50:
        return nonsense, nonsense, nonsense
    if max(used, free) > total or used + free > total * MEMORY_SLACK:
        return total, nonsense, nonsense
    return total, used, free


def memory_v2(handle: Any) -> Values:
    """Read version 2 of the memory struct."""
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
    return memory_fields(memory.total, memory.used, memory.free)


def memory_v1(handle: Any) -> Values:
    """Read version 1 of the memory struct, all that drivers before 510 have."""
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return memory_fields(memory.total, memory.used, memory.free)


def number(function: str, low: float, high: float, *args: Any, unit: float = 1) -> Call:
    """Make a call that gives one number, divided by `unit`, if it lies within `low` to `high`.

    A function that this release of the wrapper does not have is one that is not found.
    """

    def call(handle: Any) -> Values:
        value = wrapper(function)(handle, *args)
        return (within(value if unit == 1 else value / unit, low, high),)

    return call


def wrapper(function: str) -> Any:
    """Give pynvml's function of this name.

    Raises:
        pynvml.NVMLError: `FUNCTION_NOT_FOUND` where this release of the wrapper lacks it.
    """
    found = getattr(pynvml, function, None)
    if found is None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
    return found


def _utilization(handle: Any) -> Values:
    rates = pynvml.nvmlDeviceGetUtilizationRates(handle)
    return within(rates.gpu, 0, 100), within(rates.memory, 0, 100)


def _throttle(function: str) -> Call:
    def call(handle: Any) -> Values:
        mask = wrapper(function)(handle)
        return (throttle_names(mask) if mask < 2**16 else state("nonsense"),)

    return call


def _performance_state(handle: Any) -> Values:
    number = pynvml.nvmlDeviceGetPerformanceState(handle)
    if number == PSTATE_UNKNOWN:
        return (explain_name("NO_DATA"),)
    return (f"P{number}" if 0 <= number <= 15 else state("nonsense"),)


def _ecc_mode(handle: Any) -> Values:
    current = pynvml.nvmlDeviceGetEccMode(handle)[0]
    return ({0: "disabled", 1: "enabled"}.get(current) or state("nonsense"),)


def _text(function: str) -> Call:
    def call(handle: Any) -> Values:
        return (believe_text(wrapper(function)(handle)),)

    return call


def believe_text(text: str | bytes) -> str | Unknown:
    """Give a driver's text cleaned to one line, or `nvml.nonsense` where nothing is left of it.

    Wrappers of different releases give text or bytes.
    """
    line = clean_line(text.decode("utf-8", "replace") if isinstance(text, bytes) else text, 128)
    return line or state("nonsense")


def _pci_bus_id(handle: Any) -> Values:
    text = believe_text(pynvml.nvmlDeviceGetPciInfo(handle).busId)
    if isinstance(text, Unknown) or PCI_BUS_ID.fullmatch(text):
        return (text,)
    return (state("nonsense"),)


def _capability(handle: Any) -> Values:
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    believed = 1 <= major <= 99 and 0 <= minor <= 99
    return (f"{major}.{minor}" if believed else state("nonsense"),)


STATIC = (
    Reading(("name",), (_text("nvmlDeviceGetName"),)),
    Reading(("pci_bus_id",), (_pci_bus_id,)),
    Reading(("compute_capability",), (_capability,)),
    Reading(("cores",), (number("nvmlDeviceGetNumGpuCores", 1, 10**6),)),
    Reading(
        ("max_clock",),
        (number("nvmlDeviceGetMaxClockInfo", 1, 20_000, pynvml.NVML_CLOCK_GRAPHICS),),
    ),
)
"""Facts that do not change while the driver runs; the last two only serve CUDA's order."""

MEMORY_FIELDS = ("memory_total_bytes", "memory_used_bytes", "memory_free_bytes")

LIVE = (
    Reading(("utilization_percent", "memory_utilization_percent"), (_utilization,)),
    Reading(
        ("temperature_celsius",),
        (
            number("nvmlDeviceGetTemperature", 0, 150, pynvml.NVML_TEMPERATURE_GPU),
            number("nvmlDeviceGetTemperatureV", 0, 150, pynvml.NVML_TEMPERATURE_GPU),
        ),
    ),
    Reading(("power_watts",), (number("nvmlDeviceGetPowerUsage", 0, 3000, unit=1000),)),
    Reading(
        ("power_limit_watts",),
        (
            number("nvmlDeviceGetEnforcedPowerLimit", 1, 3000, unit=1000),
            number("nvmlDeviceGetPowerManagementLimit", 1, 3000, unit=1000),
        ),
        SLOW,
    ),
    Reading(
        ("clock_graphics_mhz",),
        (number("nvmlDeviceGetClockInfo", 0, 20_000, pynvml.NVML_CLOCK_GRAPHICS),),
    ),
    Reading(
        ("clock_memory_mhz",),
        (number("nvmlDeviceGetClockInfo", 0, 50_000, pynvml.NVML_CLOCK_MEM),),
    ),
    Reading(("fan_percent",), (number("nvmlDeviceGetFanSpeed", 0, 100),)),
    Reading(
        ("throttle_reasons",),
        (
            _throttle("nvmlDeviceGetCurrentClocksEventReasons"),
            _throttle("nvmlDeviceGetCurrentClocksThrottleReasons"),
        ),
    ),
    Reading(("pcie_generation",), (number("nvmlDeviceGetCurrPcieLinkGeneration", 1, 16),), SLOW),
    Reading(("pcie_width",), (number("nvmlDeviceGetCurrPcieLinkWidth", 1, 32),), SLOW),
    Reading(("ecc_mode",), (_ecc_mode,), SLOW),
    Reading(
        ("ecc_errors",),
        (
            number(
                "nvmlDeviceGetTotalEccErrors",
                0,
                2**48,
                pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
                pynvml.NVML_VOLATILE_ECC,
            ),
        ),
        RARE,
    ),
    Reading(("performance_state",), (_performance_state,)),
)
"""What a card tells of itself while it works, besides memory and processes."""
