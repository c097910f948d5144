"""The driver as a whole: starting and ending the connection, what it says about itself."""

import contextlib
from collections.abc import Callable, Mapping

import pynvml

from console.gpu.card import DriverLostError
from console.gpu.faults import error_name, explain, state
from console.gpu.library import Loaded, NoLibraryError, install, installed, load
from console.gpu.readings import FAILURES, believe_text, wrapper
from console.gpu.snapshot import GpuDriver
from console.text import clean_line
from console.unknown import Unknown

MOST_CARDS = 256


def initialise(environ: Mapping[str, str]) -> Loaded:
    """Load the library that the environment asks for and initialise the driver through it.

    Raises:
        DriverLostError: there is no library, or the driver refuses.
    """
    try:
        loaded = load(environ)
        install(loaded)
        _begin()
    except NoLibraryError as error:
        raise DriverLostError(error.reason) from error
    except FAILURES as error:
        raise DriverLostError(explain(error)) from error
    return loaded


def _begin() -> None:
    """Initialise NVML by the newest function that the driver has.

    The wrapper asks for `nvmlInitWithFlags` alone, which drivers before R396 lack.

    Raises:
        pynvml.NVMLError: the driver refuses.
    """
    try:
        pynvml.nvmlInit()
    except FAILURES as error:
        if error_name(error) != "FUNCTION_NOT_FOUND":
            raise
        code = pynvml._nvmlGetFunctionPointer("nvmlInit_v2")()
        if code != pynvml.NVML_SUCCESS:
            raise pynvml.NVMLError(code) from error


def shut_down(loaded: Loaded) -> None:
    """End what `initialise` began; a driver that is gone may refuse, and nothing follows from it.

    The library's own function is called where another one is in pynvml's slot by now.
    """
    with contextlib.suppress(*FAILURES, AttributeError):
        if installed(loaded):
            pynvml.nvmlShutdown()
        else:
            loaded.library.nvmlShutdown()


def count_cards() -> int:
    """Give the number of cards the driver reports.

    Raises:
        DriverLostError: it does not answer, or with a number no machine has.
    """
    try:
        count = int(pynvml.nvmlDeviceGetCount())
    except FAILURES as error:
        raise DriverLostError(explain(error)) from error
    if count > MOST_CARDS:
        raise DriverLostError(state("nonsense"))
    return count


def read_driver(origin: str) -> GpuDriver:
    """Read the driver's versions, each on its own.

    Args:
        origin: where the library was loaded from.
    """
    return GpuDriver(
        version=_version("nvmlSystemGetDriverVersion"),
        nvml_version=_version("nvmlSystemGetNVMLVersion"),
        cuda_version=_cuda_version(),
        library=clean_line(origin),
    )


def _version(function: str) -> str | Unknown:
    found = _ask(wrapper(function))
    return found if isinstance(found, Unknown) else believe_text(str(found))


def _cuda_version() -> str | Unknown:
    """Give the newest CUDA as `13.0`; NVML gives 1000 * major + 10 * minor."""
    found = _ask(pynvml.nvmlSystemGetCudaDriverVersion_v2)
    if isinstance(found, Unknown) and found.code == "nvml.function-not-found":
        found = _ask(pynvml.nvmlSystemGetCudaDriverVersion)
    if isinstance(found, Unknown):
        return found
    number = int(str(found))
    return (
        f"{number // 1000}.{number % 1000 // 10}" if 1000 <= number < 10**6 else state("nonsense")
    )


def _ask(function: Callable[[], object]) -> object:
    try:
        return function()
    except FAILURES as error:
        if error_name(error) == "UNINITIALIZED":
            raise DriverLostError(explain(error)) from error
        return explain(error)
