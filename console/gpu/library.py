"""Which NVML library is used, and putting it into pynvml's slot.

nvidia-ml-py (module `pynvml`, 12.535.108 to 13.x) loads `CDLL("libnvidia-ml.so.1")` by its bare
name, which a loader cache without WSL's folder does not find. It does so only where its global
`nvmlLib` is None, so the library is chosen and put there before init. The functions it looked up
stay in `_nvmlGetFunctionPointer_cache`, which is emptied whenever the slot changes.
"""

import ctypes
import importlib.util
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pynvml

from console.gpu.faults import explain_name, state
from console.text import clean_line
from console.unknown import Unknown

SONAME = "libnvidia-ml.so.1"
WSL_FOLDER = "usr/lib/wsl/lib"
DEEP = os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0)
"""A library loaded again must see its own functions before those of its older copy."""


class NoLibraryError(Exception):
    """There is no NVML library to be had; `reason` says why and what to do."""

    def __init__(self, reason: Unknown) -> None:
        super().__init__(reason.title)
        self.reason = reason


class Loaded:
    """A library that is in the process: the object for pynvml's slot and where it is from.

    Attributes:
        library: a `ctypes.CDLL` or an object with the same functions.
        origin: path of its file; the bare name where that is not known.
        lock: lets one reading at a time into the library.
        round: how often the library has been loaded, this time included.
    """

    def __init__(self, library: Any, origin: str, round_: int) -> None:
        self.library = library
        self.origin = origin
        self.lock = threading.Lock()
        self.round = round_
        self._file = _identity(origin)

    def replaced(self) -> bool:
        """Tell whether another file is now where this one was loaded from."""
        return _identity(self.origin) != self._file


_loaded: dict[tuple[tuple[str, str], ...], Loaded] = {}
_loading = threading.Lock()


def load(environ: Mapping[str, str]) -> Loaded:
    """Give the library that this environment asks for, loaded once for all readers.

    The order: `GPUCONSOLE_NVML_LIBRARY` (a `.py` file is a module whose `library(environ)` gives
    the object, anything else a shared library), a copy in a folder of `LD_LIBRARY_PATH`, WSL's copy
    (under `GPUCONSOLE_ROOT`), whatever the system's loader finds. A library whose file was replaced
    meanwhile (a driver update) is loaded anew; the old copy stays in memory, since its functions
    may still be running.

    Raises:
        NoLibraryError: none of them exists or can be loaded.
    """
    key = tuple(
        sorted(
            (name, value)
            for name, value in environ.items()
            if name == "LD_LIBRARY_PATH" or name.startswith("GPUCONSOLE_")
        )
    )
    with _loading:
        before = _loaded.get(key)
        if before is None or before.replaced():
            _loaded[key] = _find(environ, before.round + 1 if before else 1)
        return _loaded[key]


def install(loaded: Loaded) -> None:
    """Put a library into pynvml's slot, forgetting the functions of the one before."""
    with _loading:
        pynvml.nvmlLib = loaded.library
        pynvml._nvmlGetFunctionPointer_cache.clear()


def installed(loaded: Loaded) -> bool:
    """Tell whether pynvml's slot holds this very library."""
    return pynvml.nvmlLib is loaded.library


def _find(environ: Mapping[str, str], round_: int) -> Loaded:
    """Load the first candidate that can be loaded."""
    asked = environ.get("GPUCONSOLE_NVML_LIBRARY", "")
    if asked.endswith(".py"):
        return Loaded(_load_module(Path(asked), environ), asked, round_)
    broken: Unknown | None = None
    for path, mode in _candidates(environ, asked):
        try:
            return Loaded(_open(path, mode, round_), _origin(path), round_)
        except OSError as error:
            if asked or path != SONAME:
                broken = _broken(path, error) if broken is None else broken
    raise NoLibraryError(explain_name("LIBRARY_NOT_FOUND") if broken is None else broken)


def _candidates(environ: Mapping[str, str], asked: str) -> Iterator[tuple[str, int]]:
    """Give the paths to try, best first, each with the mode in which it is loaded."""
    if asked:
        yield asked, ctypes.DEFAULT_MODE
        return
    for folder in environ.get("LD_LIBRARY_PATH", "").split(":"):
        if folder and (path := Path(folder, SONAME)).exists():
            yield str(path), ctypes.DEFAULT_MODE
    wsl = Path(environ.get("GPUCONSOLE_ROOT") or "/", WSL_FOLDER, SONAME)
    if wsl.exists():
        yield str(wsl), ctypes.RTLD_GLOBAL
    yield SONAME, ctypes.DEFAULT_MODE


def _open(path: str, mode: int, round_: int) -> ctypes.CDLL:
    """Load a shared library; from the second round on past the loader's memory of names.

    The loader knows a library by the name it was asked for and then by its inode. Each round asks
    by another spelling of the path, so that the inode decides: the same file is not loaded twice,
    a replaced one is.
    """
    if round_ == 1:
        return ctypes.CDLL(path, mode=mode)
    real = Path(path if "/" in path else _mapped() or path)
    if not real.is_absolute():
        return ctypes.CDLL(path, mode=mode)
    return ctypes.CDLL(f"{real.parent}/{'./' * round_}{real.name}", mode=DEEP)


def _origin(path: str) -> str:
    return path if "/" in path else _mapped() or path


def _identity(path: str) -> tuple[int, int, int] | None:
    """Tell files apart that follow one another under one path; None where there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _mapped() -> str:
    """Give the path from which the loader took NVML in this process; empty where it is not."""
    try:
        maps = Path("/proc/self/maps").read_text(errors="replace")
    except OSError:
        return ""
    paths = [line.split(maxsplit=5)[-1] for line in maps.splitlines() if SONAME[:-2] in line]
    return paths[0].removesuffix(" (deleted)") if paths else ""


def _load_module(path: Path, environ: Mapping[str, str]) -> Any:
    """Run a Python file as a module and give what its `library(environ)` gives."""
    spec = importlib.util.spec_from_file_location("gpuconsole_nvml_library", path)
    if spec is None or spec.loader is None:
        raise NoLibraryError(_broken(str(path), OSError("not a Python module")))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return module.library(environ)
    except (OSError, ImportError, SyntaxError, AttributeError, LookupError) as error:
        raise NoLibraryError(_broken(str(path), error)) from error


def _broken(path: str, error: Exception) -> Unknown:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    path, reason = clean_line(path), clean_line(reason, 300)
    # The loader names the file itself, Python does not.
    return state("library-broken", reason=reason if path in reason else f"{path}: {reason}")
