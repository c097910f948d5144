"""Each way of having no driver is its own state, with words and a way out."""

from pathlib import Path

import pynvml
import pytest

from console.clock import HeldClock
from console.gpu.faults import explain, slowing, state, texts, throttle_label, throttle_names
from console.gpu.reader import GpuReader
from console.unknown import Unknown
from tests.gpu.world import Host, table


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("DRIVER_NOT_LOADED", "nvml.driver-not-loaded"),
        ("LIB_RM_VERSION_MISMATCH", "nvml.version-mismatch"),
        ("OPERATING_SYSTEM", "nvml.os-blocked"),
        ("NO_PERMISSION", "nvml.no-permission"),
        ("GPU_IS_LOST", "nvml.gpu-lost"),
        ("UNKNOWN", "nvml.unknown-error"),
        ("FUNCTION_NOT_FOUND", "nvml.function-not-found"),
    ],
)
def test_a_driver_that_refuses_says_why(
    host: Host, reader: GpuReader, error: str, code: str
) -> None:
    host.says(table(faults={"init": error}))
    snapshot = reader.read()
    assert snapshot.gpus == ()
    assert snapshot.problem is not None
    assert snapshot.problem.code == code
    assert snapshot.problem.title
    assert snapshot.problem.hint
    assert snapshot.driver == snapshot.problem
    assert snapshot.taken_at is not None


def test_a_driver_that_is_not_there(host: Host, reader: GpuReader) -> None:
    problem = reader.read().problem
    assert problem is not None
    assert problem.code == "nvml.driver-not-loaded"


def test_a_driver_that_cannot_count_its_cards(host: Host, reader: GpuReader) -> None:
    host.says(table(faults={"nvmlDeviceGetCount": "UNKNOWN"}))
    problem = reader.read().problem
    assert problem is not None
    assert problem.code == "nvml.unknown-error"


@pytest.mark.parametrize("name", ["missing.so", "missing.py"])
def test_no_library(tmp_path: Path, clock: HeldClock, name: str) -> None:
    environ = {"GPUCONSOLE_NVML_LIBRARY": str(tmp_path / name)}
    problem = GpuReader(clock, environ).read().problem
    assert problem is not None
    assert problem.code == "nvml.lib-not-found"
    assert name in problem.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.so", b"not a library"),
        ("broken.py", b"def library(:"),
        ("empty.py", b""),
        ("needy.py", b"import nothing_of_that_name"),
    ],
)
def test_a_library_that_cannot_be_loaded(
    tmp_path: Path, clock: HeldClock, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    problem = GpuReader(clock, {"GPUCONSOLE_NVML_LIBRARY": str(path)}).read().problem
    assert problem is not None
    assert problem.code == "nvml.lib-not-found"
    assert str(path) in problem.hint


def test_a_library_that_turns_up_is_used(tmp_path: Path, host: Host, clock: HeldClock) -> None:
    link = tmp_path / Path(host.environ["GPUCONSOLE_NVML_LIBRARY"]).name
    reader = GpuReader(clock, {**host.environ, "GPUCONSOLE_NVML_LIBRARY": str(link)})
    assert reader.read().problem is not None
    host.says(table())
    link.symlink_to(host.environ["GPUCONSOLE_NVML_LIBRARY"])
    clock.advance(5)
    assert reader.read().problem is None
    reader.close()


def test_every_error_of_nvml_has_words() -> None:
    numbers = {value for name, value in vars(pynvml).items() if name.startswith("NVML_ERROR_")}
    for number in sorted(numbers):
        reason = explain(pynvml.NVMLError(number))
        assert reason.code.startswith("nvml.")
        assert reason.title
    assert explain(pynvml.NVMLError(4711)) == Unknown("nvml.error", "the driver reports error 4711")


def test_the_numbers_are_those_of_the_wrapper() -> None:
    for name, facts in texts()["errors"].items():
        assert getattr(pynvml, f"NVML_ERROR_{name}", facts["number"]) == facts["number"]


def test_every_state_has_words_once_filled_in() -> None:
    values = {"age": 4, "number": 1, "path": "{p}", "reason": "r", "missing": "m"}
    for name in texts()["states"]:
        reason = state(name, **values)
        assert "." in reason.code
        assert reason.title


def test_throttle_reasons_are_named_and_told_from_idleness() -> None:
    assert throttle_names(0) == ()
    assert throttle_names(0x1 | 0x4 | 0x40) == ("gpu_idle", "sw_power_cap", "hw_thermal_slowdown")
    assert throttle_names(0x800) == ("unknown_0x800",)
    assert slowing(("gpu_idle", "sw_power_cap", "unknown_0x800")) == (
        "sw_power_cap",
        "unknown_0x800",
    )
    assert throttle_label("sw_power_cap") == "power-capped"
    assert throttle_label("unknown_0x800") == "unknown_0x800"


def test_every_throttle_reason_of_the_wrapper_has_a_name() -> None:
    prefixes = ("nvmlClocksEventReason", "nvmlClocksThrottleReason")
    bits = {
        value
        for name, value in vars(pynvml).items()
        if name.startswith(prefixes) and value.bit_count() == 1
    }
    assert len(bits) >= 9
    assert bits <= {entry["bit"] for entry in texts()["throttle"]}
