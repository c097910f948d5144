"""A card is read value by value; what one call does not give blanks one value only."""

import msgspec
import pytest

from console.clock import HeldClock
from console.gpu.reader import GpuReader
from console.gpu.snapshot import Gpu, GpuDriver
from console.unknown import Unknown, known
from tests.gpu.world import BIG, CONTAINER, GIB, LAPTOP, Host, big_card, laptop_card, process, table


def unknown_fields(gpu: Gpu) -> dict[str, str]:
    """Give the codes of a card's unknown fields by name."""
    facts = msgspec.structs.asdict(gpu)
    return {name: value.code for name, value in facts.items() if isinstance(value, Unknown)}


def test_both_cards_of_the_house(host: Host, reader: GpuReader, clock: HeldClock) -> None:
    host.says(table())
    snapshot = reader.read()
    assert snapshot.problem is None
    assert snapshot.taken_at == clock.now()
    assert snapshot.driver == GpuDriver(
        version="580.97",
        nvml_version="13.580.97",
        cuda_version="13.0",
        library=host.environ["GPUCONSOLE_NVML_LIBRARY"],
    )
    laptop, big = snapshot.gpus
    assert (laptop.uuid, laptop.index, laptop.cuda_ordinal) == (LAPTOP, 0, 1)
    assert unknown_fields(laptop) == dict.fromkeys(
        ("fan_percent", "ecc_mode", "ecc_errors"), "nvml.not-supported"
    )
    assert big == Gpu(
        uuid=BIG,
        index=1,
        cuda_ordinal=0,
        pci_bus_id="00000000:0A:00.0",
        name="NVIDIA GeForce RTX 3090",
        compute_capability="8.6",
        memory_total_bytes=24 * GIB,
        memory_used_bytes=20 * GIB,
        memory_free_bytes=24 * GIB - 20 * GIB - GIB // 4,
        utilization_percent=92,
        memory_utilization_percent=60,
        temperature_celsius=71,
        power_watts=338.5,
        power_limit_watts=350.0,
        clock_graphics_mhz=1700,
        clock_memory_mhz=9501,
        fan_percent=64,
        throttle_reasons=("sw_power_cap",),
        pcie_generation=4,
        pcie_width=16,
        ecc_mode="disabled",
        ecc_errors=0,
        performance_state="P2",
        processes=(),
    )


@pytest.mark.parametrize(
    ("function", "fields"),
    [
        ("nvmlDeviceGetName", ["name"]),
        ("nvmlDeviceGetPciInfo", ["pci_bus_id"]),
        ("nvmlDeviceGetUtilizationRates", ["utilization_percent", "memory_utilization_percent"]),
        ("nvmlDeviceGetTemperature", ["temperature_celsius"]),
        ("nvmlDeviceGetPowerUsage", ["power_watts"]),
        ("nvmlDeviceGetEnforcedPowerLimit", ["power_limit_watts"]),
        ("nvmlDeviceGetClockInfo", ["clock_graphics_mhz", "clock_memory_mhz"]),
        ("nvmlDeviceGetFanSpeed", ["fan_percent"]),
        ("nvmlDeviceGetCurrentClocksEventReasons", ["throttle_reasons"]),
        ("nvmlDeviceGetCurrPcieLinkGeneration", ["pcie_generation"]),
        ("nvmlDeviceGetCurrPcieLinkWidth", ["pcie_width"]),
        ("nvmlDeviceGetEccMode", ["ecc_mode"]),
        ("nvmlDeviceGetTotalEccErrors", ["ecc_errors"]),
        ("nvmlDeviceGetPerformanceState", ["performance_state"]),
        ("nvmlDeviceGetComputeRunningProcesses", ["processes"]),
        (
            "nvmlDeviceGetMemoryInfo",
            ["memory_total_bytes", "memory_used_bytes", "memory_free_bytes"],
        ),
    ],
)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("NOT_SUPPORTED", "nvml.not-supported"),
        ("NO_PERMISSION", "nvml.no-permission"),
        ("UNKNOWN", "nvml.unknown-error"),
        ("OPERATING_SYSTEM", "nvml.os-blocked"),
    ],
)
def test_one_call_that_fails_blanks_its_own_values(
    host: Host, reader: GpuReader, function: str, fields: list[str], error: str, code: str
) -> None:
    host.says(table(big_card(faults={function: error}), laptop_card(uuid=LAPTOP, fan=1, ecc=0)))
    broken, other = reader.read().gpus
    assert unknown_fields(broken) == dict.fromkeys(fields, code)
    assert broken.lost is None
    assert known(other.memory_used_bytes)


def test_what_is_not_supported_is_asked_again_only_rarely(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    host.says(table(big_card(fan=None)))
    assert unknown_fields(reader.read().gpus[0]) == {"fan_percent": "nvml.not-supported"}
    host.says(table(big_card(fan=50)))
    clock.advance(30)
    assert not known(reader.read().gpus[0].fan_percent)
    clock.advance(31)
    assert reader.read().gpus[0].fan_percent == 50


def test_what_moves_moves_and_limits_follow_after_a_while(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    host.says(table(big_card()))
    reader.read()
    host.says(table(big_card(memory_used=3 * GIB, temperature=50, power_limit_mw=200_000)))
    clock.advance(1)
    [gpu] = reader.read().gpus
    assert (gpu.memory_used_bytes, gpu.temperature_celsius) == (3 * GIB, 50)
    assert gpu.power_limit_watts == 350
    clock.advance(10)
    assert reader.read().gpus[0].power_limit_watts == 200


def test_an_old_driver_knows_only_version_1_of_the_memory_struct(
    host: Host, reader: GpuReader
) -> None:
    """One card that lacks version 2 is enough: figures of two kinds are never mixed."""
    host.says(
        table(
            big_card(faults={"nvmlDeviceGetMemoryInfo_v2": "FUNCTION_NOT_FOUND"}),
            laptop_card(),
        )
    )
    for gpu, total, used in zip(reader.read().gpus, (24, 16), (20, 6), strict=True):
        assert gpu.memory_total_bytes == total * GIB
        assert gpu.memory_used_bytes == used * GIB + GIB // 4
        assert gpu.memory_free_bytes == (total - used) * GIB - GIB // 4


def test_older_names_of_a_function_serve_as_well(host: Host, reader: GpuReader) -> None:
    missing = (
        "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetEnforcedPowerLimit",
    )
    host.says(
        table(
            big_card(throttle=0x60, faults=dict.fromkeys(missing, "FUNCTION_NOT_FOUND")),
            faults={"nvmlSystemGetCudaDriverVersion_v2": "FUNCTION_NOT_FOUND"},
        )
    )
    snapshot = reader.read()
    [gpu] = snapshot.gpus
    assert gpu.throttle_reasons == ("sw_thermal_slowdown", "hw_thermal_slowdown")
    assert gpu.power_limit_watts == 350
    assert known(snapshot.driver)
    assert snapshot.driver.cuda_version == "13.0"


def test_processes_on_native_linux_have_memory_and_container(host: Host, reader: GpuReader) -> None:
    host.runs(100, b"/usr/bin/python3\0main.py\0--api-key=secret\0", CONTAINER)
    host.runs(200, b"/usr/lib/xorg/Xorg\0:0\0")
    host.runs(300, b"", comm=b"kworker\x1b[31m\n")
    used = (process(100, 5 * GIB), process(200, GIB, "graphics"), process(300, 7))
    both = (process(100, 5 * GIB, "graphics"), process(400, 9))
    host.says(table(big_card(processes=used + both)))
    [gpu] = reader.read().gpus
    assert known(gpu.processes)
    rows = [(p.pid, p.name, p.used_bytes, p.kind) for p in gpu.processes]
    assert rows[:3] == [
        (100, "python3", 5 * GIB, "both"),
        (200, "Xorg", GIB, "graphics"),
        (300, "kworker", 7, "compute"),
    ]
    assert [p.container_id for p in gpu.processes[:3]] == [CONTAINER, None, None]
    gone = gpu.processes[3]
    assert gone.used_bytes == 9
    assert isinstance(gone.name, Unknown)
    assert gone.name.code == "gpu.process-unknown"
    assert isinstance(gone.container_id, Unknown)


def test_wsl_lists_processes_without_their_memory(host: Host, reader: GpuReader) -> None:
    host.is_wsl()
    host.says(table(big_card(processes=(process(79, 5 * GIB),)), flavour="wsl"))
    [gpu] = reader.read().gpus
    assert known(gpu.processes)
    [listed] = gpu.processes
    assert isinstance(listed.used_bytes, Unknown)
    assert listed.used_bytes.code == "nvml.wsl-no-process-memory"
    assert "WDDM" in listed.used_bytes.hint


def test_a_process_under_wsl_is_put_into_no_container_whatever_runs_by_its_number(
    host: Host, reader: GpuReader
) -> None:
    """The number may be one of Windows'; a kernel of one's own build does not name Microsoft."""
    (host.root / "dev").mkdir()
    (host.root / "dev/dxg").touch()
    host.runs(79, b"python\0", CONTAINER)
    host.says(table(big_card(processes=(process(79, 5 * GIB),))))
    [gpu] = reader.read().gpus
    assert known(gpu.processes)
    assert isinstance(gpu.processes[0].container_id, Unknown)
    assert gpu.processes[0].container_id.code == "nvml.wsl-no-container"


def test_sixteen_cards(host: Host, reader: GpuReader) -> None:
    cards = [big_card(uuid=f"GPU-{at}", pci_bus_id=f"00000000:{at:02X}:00.0") for at in range(16)]
    host.says(table(*cards))
    gpus = reader.read().gpus
    assert [gpu.uuid for gpu in gpus] == [f"GPU-{at}" for at in range(16)]
    assert [gpu.cuda_ordinal for gpu in gpus] == list(range(16))


def test_a_driver_without_cards_is_a_state_of_its_own(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    host.says(table(cards=()))
    snapshot = reader.read()
    assert snapshot.gpus == ()
    assert known(snapshot.driver)
    assert snapshot.problem is not None
    assert snapshot.problem.code == "nvml.no-cards"
    host.says(table())
    clock.advance(1)
    assert [gpu.uuid for gpu in reader.read().gpus] == [LAPTOP, BIG]


def test_two_readers_at_once_do_not_disturb_each_other(
    host: Host, reader: GpuReader, clock: HeldClock
) -> None:
    """A plan reads its facts again while the dashboard's sampler goes on."""
    host.says(table())
    first = reader.read().gpus
    other = GpuReader(clock, host.environ)
    assert other.read().gpus == first
    assert reader.read().problem is None
    other.close()
    assert reader.read().problem is None
    assert reader.read().gpus == first
