"""One card behind its handle: what was read once, what is read again and when."""

from typing import Any

import pynvml

from console.gpu.faults import error_name, explain
from console.gpu.processes import ProcessReader, believe_processes
from console.gpu.readings import FAILURES, LIVE, MEMORY_FIELDS, STATIC, Call, Reading, believe_text
from console.unknown import Unknown

DRIVER_LOST = frozenset({"UNINITIALIZED", "DRIVER_NOT_LOADED", "LIB_RM_VERSION_MISMATCH"})
"""Errors that concern all cards: the driver has to be initialised anew."""

CARD_LOST = frozenset({"GPU_IS_LOST", "GPU_NOT_FOUND", "RESET_REQUIRED"})
UNSUPPORTED = frozenset({"NOT_SUPPORTED", "FUNCTION_NOT_FOUND", "ARGUMENT_VERSION_MISMATCH"})

REPROBE = 60.0
"""Seconds until a value that is not supported is asked for again."""

PROCESS_PERIOD = 2.0
EARLY = 0.25
"""Seconds by which a look may come before its time, so that a period of 2 s stays one at 1 Hz."""


class DriverLostError(Exception):
    """The driver as a whole does not answer any more."""

    def __init__(self, reason: Unknown) -> None:
        super().__init__(reason.title)
        self.reason = reason


class CardLostError(Exception):
    """One card does not answer any more."""

    def __init__(self, reason: Unknown) -> None:
        super().__init__(reason.title)
        self.reason = reason


class Card:
    """A card from one initialisation of the driver to the next.

    Attributes:
        index: NVML's index.
        uuid: its identity; empty while it could not be read.
        lost: why the card does not answer; None while it does.
        static: fields that `STATIC` gives.
    """

    def __init__(self, index: int, processes: ProcessReader) -> None:
        self.index = index
        self.uuid = ""
        self.lost: Unknown | None = None
        self.static: dict[str, Any] = {}
        self._values: dict[str, Any] = {}
        self._due: dict[str, float] = {}
        self._processes = Reading(("processes",), (processes,), PROCESS_PERIOD)
        self._handle: Any = None
        self._answers = 0
        self._failure: Unknown | None = None

    @property
    def attached(self) -> bool:
        """Whether the driver gave a handle for the card."""
        return self._handle is not None

    def attach(self) -> None:
        """Get the card's handle and what never changes; `lost` says so where that fails.

        Raises:
            DriverLostError: the driver as a whole does not answer.
        """
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(self.index)
            self.uuid = self._read_uuid(handle)
            for reading in STATIC:
                self._take(reading, handle, 0.0, self.static)
        except FAILURES as error:
            if error_name(error) in DRIVER_LOST:
                raise DriverLostError(explain(error)) from error
            self.lost = explain(error)
        except CardLostError as error:
            self.lost = error.reason
        else:
            self._handle, self.lost = handle, None

    def _read_uuid(self, handle: Any) -> str:
        """Give the UUID, or an empty text where it cannot be read or has odd characters."""
        try:
            raw = pynvml.nvmlDeviceGetUUID(handle)
        except FAILURES as error:
            if error_name(error) in DRIVER_LOST | CARD_LOST:
                raise
            return ""
        text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else raw
        believed = text == believe_text(text) and text.isascii() and " " not in text
        return text if believed else ""

    def try_memory(self, call: Call) -> bool:
        """Tell whether the driver knows this version of the memory struct.

        A card that cannot answer at all is no evidence against it.
        """
        try:
            call(self._handle)
        except FAILURES as error:
            return error_name(error) not in UNSUPPORTED | {"INVALID_ARGUMENT", "DEPRECATED"}
        return True

    def read(self, now: float, memory: Call) -> dict[str, Any]:
        """Read what is due and give all live fields of `Gpu`; sets or clears `lost`.

        Args:
            now: seconds on the monotonic counter.
            memory: the version of the memory struct that all cards are read with.

        Raises:
            DriverLostError: the driver as a whole does not answer.
        """
        if self._handle is None:
            self.attach()
        if self._handle is None:
            return {}
        self._answers, self._failure = 0, None
        try:
            for reading in (Reading(MEMORY_FIELDS, (memory,)), *LIVE, self._processes):
                self._take(reading, self._handle, now, self._values)
        except CardLostError as error:
            self._failure = error.reason
            self._answers = 0
        self.lost = None if self._answers else self._failure
        if self.lost is not None:
            self._due.clear()
            return {}
        total = self._values["memory_total_bytes"]
        return {
            **self._values,
            "processes": believe_processes(self._values["processes"], total),
        }

    def _take(self, reading: Reading, handle: Any, now: float, into: dict[str, Any]) -> None:
        """Make one reading if it is due; a failure blanks its own fields only."""
        key = reading.fields[0]
        if now < self._due.get(key, now):
            return
        self._due[key] = now + max(0.0, reading.period - EARLY)
        try:
            values = _ask(reading, handle)
            self._answers += 1
        except FAILURES as error:
            name = error_name(error)
            if name in DRIVER_LOST:
                raise DriverLostError(explain(error)) from error
            if name in CARD_LOST:
                raise CardLostError(explain(error)) from error
            if name in UNSUPPORTED:
                self._due[key] = now + REPROBE
            else:
                self._failure = explain(error) if self._failure is None else self._failure
            values = (explain(error),) * len(reading.fields)
        into.update(zip(reading.fields, values, strict=True))


def _ask(reading: Reading, handle: Any) -> tuple[Any, ...]:
    """Make the first of a reading's calls that driver and wrapper know."""
    *preferred, last = reading.calls
    for call in preferred:
        try:
            return call(handle)
        except FAILURES as error:
            if error_name(error) != "FUNCTION_NOT_FOUND":
                raise
    return last(handle)
