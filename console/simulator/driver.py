"""The simulated driver: an object in pynvml's library slot, in place of libnvidia-ml.so.1.

Its attributes are the C functions that pynvml calls, as plain callables which fill the ctypes
objects they are handed, so that everything above the slot is the real wrapper. What it answers
stands in a driver table (`console.simulator.driver_table`), read again whenever that file changes.
"""

import os
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pynvml

from console.simulator.driver_answers import CARD_ANSWERS, DRIVER_ANSWERS, card_index
from console.simulator.driver_table import DriverTable, TableError, parse_table

INITS = ("nvmlInit_v2", "nvmlInitWithFlags")
_VERSION = re.compile(r"_v\d+$")


def library(environ: Mapping[str, str] | None = None) -> "SimulatedLibrary":
    """Give a library that answers from the table which `GPUCONSOLE_DRIVER_TABLE` names.

    Args:
        environ: where that variable is looked up; the process's own environment by default.
    """
    return SimulatedLibrary(Path((environ or os.environ)["GPUCONSOLE_DRIVER_TABLE"]))


class SimulatedLibrary:
    """Stands for a loaded libnvidia-ml: `lib.nvmlDeviceGetCount_v2(byref(count))` and so on.

    A table that is absent is a driver that is not loaded; one that cannot be parsed is a driver in
    trouble (`UNKNOWN`). Functions answer `UNINITIALIZED` outside of init and shutdown, as NVML's
    do; a `fault init` also ends what is initialised, as a driver does that goes away. A hang
    blocks the calling thread only, without the interpreter's lock.
    """

    def __init__(self, table: Path) -> None:
        self._path = table
        self._seen: tuple[int, int] | None = None
        self._table: DriverTable | str = "DRIVER_NOT_LOADED"
        self._users = 0
        self._wait = threading.Event()  # never set: waiting for it is the hang

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in (*INITS, "nvmlShutdown", "nvmlErrorString", *DRIVER_ANSWERS, *CARD_ANSWERS):
            raise AttributeError(name)

        def function(*args: Any) -> Any:
            return self._call(name, args)

        setattr(self, name, function)
        return function

    def _call(self, name: str, args: tuple[Any, ...]) -> Any:
        """Answer one call: an error's code or, for `nvmlErrorString`, a text."""
        if name == "nvmlErrorString":
            return b"simulated error %d" % getattr(args[0], "value", args[0])
        table = self._read()
        if isinstance(table, str):
            return _code(table)
        if "init" in table.faults:
            self._users = 0
        if name not in INITS and not self._users:
            return pynvml.NVML_ERROR_UNINITIALIZED
        self._hang(name, table.hangs)
        if error := _match(name, table.faults):
            return _code(error)
        if name in INITS or name == "nvmlShutdown":
            self._users += 1 if name in INITS else -1
            return pynvml.NVML_SUCCESS
        if name in CARD_ANSWERS:
            return self._call_card(name, table, card_index(args[0]), args)
        if name.startswith("nvmlDeviceGetHandleByIndex"):
            return self._check_card(name, table, args[0].value) or DRIVER_ANSWERS[name](table, args)
        return DRIVER_ANSWERS[name](table, args)

    def _call_card(self, name: str, table: DriverTable, index: int, args: tuple[Any, ...]) -> int:
        if not 0 <= index < len(table.cards):
            return int(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        fault = self._check_card(name, table, index)
        return fault or CARD_ANSWERS[name](table, table.cards[index], args)

    def _check_card(self, name: str, table: DriverTable, index: int) -> int:
        """Hang as the card's facts ask, and give the code of the fault they ask for, or 0."""
        if index >= len(table.cards):
            return int(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        card = table.cards[index]
        self._hang(name, card.hangs)
        error = _match(name, card.faults)
        return _code(error) if error else 0

    def _hang(self, name: str, hangs: Mapping[str, float]) -> None:
        if seconds := _match(name, hangs):
            self._wait.wait(seconds)

    def _read(self) -> DriverTable | str:
        """Give the table, or the name of the error that every call answers without one."""
        try:
            now = self._path.stat()
            seen = (now.st_mtime_ns, now.st_ino)
            if seen != self._seen:
                text = self._path.read_text(encoding="utf-8", errors="surrogateescape")
                self._table, self._seen = parse_table(text), seen
        except TableError:
            self._table, self._seen = "UNKNOWN", None
        except OSError:
            self._table, self._seen, self._users = "DRIVER_NOT_LOADED", None, 0
        return self._table


def _match(name: str, facts: Mapping[str, Any]) -> Any:
    """Find the fact of a function: by its symbol, the symbol without `_vN`, `init`, or `*`."""
    if not facts:
        return None
    kind = "init" if name in INITS else name
    for key in (name, _VERSION.sub("", name), kind, "*"):
        if key in facts:
            return facts[key]
    return None


def _code(error: str) -> int:
    """Give the number of `NVML_ERROR_<error>`; a name unknown to pynvml is `UNKNOWN`."""
    return int(getattr(pynvml, f"NVML_ERROR_{error}", pynvml.NVML_ERROR_UNKNOWN))
