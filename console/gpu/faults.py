"""Every way in which NVML fails to answer, as `Unknown` with a title and a hint.

The texts are data (`assets/nvml.toml`); this module finds the right one. Codes that the runbook of
failures knows (`nvml.gpu-lost`, `nvml.os-blocked`, ...) are its ids.
"""

from functools import cache
from typing import Any

from console.packaged import read_table
from console.unknown import Unknown


@cache
def texts() -> dict[str, Any]:
    """Give the content of `assets/nvml.toml`: `errors`, `states` and `throttle`."""
    return read_table("nvml.toml")


@cache
def _names() -> dict[int, str]:
    return {facts["number"]: name for name, facts in texts()["errors"].items()}


def error_name(error: BaseException) -> str:
    """Name an exception of pynvml by its NVML constant without `NVML_ERROR_`.

    Returns:
        Such as `GPU_IS_LOST`; `FUNCTION_NOT_FOUND` for pynvml's own `NVMLLibraryMismatchError`,
        which has no number; `NONSENSE` where the wrapper choked on what the driver gave (a text
        that is no UTF-8, an impossible count); an empty text for a number we have no words for.
    """
    if type(error).__name__ == "NVMLLibraryMismatchError":
        return "FUNCTION_NOT_FOUND"
    number = getattr(error, "value", None)
    return "NONSENSE" if number is None else _names().get(number, "")


def explain(error: BaseException) -> Unknown:
    """Say what an exception of pynvml means."""
    name = error_name(error)
    if name == "NONSENSE":
        return state("nonsense")
    if not name:
        return state("other-error", number=getattr(error, "value", "?"))
    return explain_name(name)


@cache
def explain_name(name: str) -> Unknown:
    """Say what an NVML error means, by its constant's name without `NVML_ERROR_`."""
    facts = texts()["errors"][name]
    return Unknown(facts["code"], facts["title"], facts["hint"])


def state(name: str, **values: object) -> Unknown:
    """Say what a state means that is no error of NVML's, filling `values` into its texts."""
    facts = texts()["states"][name]
    return Unknown(facts["code"], facts["title"].format(**values), facts["hint"].format(**values))


def throttle_names(mask: int) -> tuple[str, ...]:
    """Name the reasons in NVML's mask, lowest bit first; `unknown_0x800` for a bit without name."""
    known = {entry["bit"]: entry["name"] for entry in texts()["throttle"]}
    bits = [1 << at for at in range(mask.bit_length()) if mask >> at & 1]
    return tuple(known.get(bit, f"unknown_{bit:#x}") for bit in bits)


def throttle_label(name: str) -> str:
    """Give a throttle reason's words for people, such as `power-capped`."""
    labels = {entry["name"]: entry["label"] for entry in texts()["throttle"]}
    return str(labels.get(name, name))


def slowing(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the reasons that an operator would call throttling; being idle is none."""
    harmless = {entry["name"] for entry in texts()["throttle"] if not entry["slows"]}
    return tuple(reason for reason in reasons if reason not in harmless)
