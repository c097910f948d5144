"""The host says what it is; a file that is missing or garbled blanks only its own values."""

import errno
import os
import threading
from pathlib import Path

import pytest

from console.host.disks import DiskReader, read_disk
from console.host.facts import read_facts, ssh_origin
from console.unknown import Unknown, known
from tests.support.waiting import wait_until

WSL2 = "5.15.153.1-microsoft-standard-WSL2"
FILES = {
    "proc/sys/kernel/osrelease": WSL2 + "\n",
    "proc/sys/kernel/hostname": "studio-wsl\n",
    "proc/version": f"Linux version {WSL2} (root@x) #1 SMP",
    "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
    "proc/cpuinfo": (
        "processor\t: 0\nmodel name\t: AMD Ryzen 9\n\nprocessor\t: 1\nmodel name\t: x\n"
    ),
    "proc/meminfo": (
        "MemTotal:       16384 kB\nMemFree: 1 kB\nMemAvailable:    8192 kB\n"
        "SwapTotal:       4096 kB\nSwapFree:           0 kB\n"
    ),
    "proc/uptime": "12345.67 890.12\n",
}


def host(root: Path, **changes: str | None) -> Path:
    """Lay out a host below `root`; a change of None leaves a file out."""
    files: dict[str, str | None] = {
        **FILES,
        **{k.replace("__", "/"): v for k, v in changes.items()},
    }
    for name, text in files.items():
        if text is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    return root


def test_a_wsl2_host_is_read_whole(tmp_path: Path) -> None:
    facts = read_facts(host(tmp_path), [("models", tmp_path)])
    assert (facts.hostname, facts.platform, facts.wsl_version) == (
        "studio-wsl",
        "wsl2",
        "5.15.153.1",
    )
    assert (facts.distribution, facts.kernel) == ("Ubuntu 24.04.1 LTS", WSL2)
    assert (facts.cpu_model, facts.cpu_count) == ("AMD Ryzen 9", 2)
    assert (facts.memory_total_bytes, facts.memory_available_bytes) == (16 << 20, 8 << 20)
    assert (facts.swap_total_bytes, facts.swap_free_bytes) == (4 << 20, 0)
    assert facts.uptime_seconds == pytest.approx(12345.67)
    assert facts.disks[0].purpose == "models"


@pytest.mark.parametrize(
    ("release", "banner", "trace", "platform", "version"),
    [
        ("4.4.0-19041-Microsoft", "Linux version 4.4.0-19041-Microsoft", "", "wsl1", "4.4.0"),
        (WSL2, None, "", "wsl2", "5.15.153.1"),
        (None, f"Linux version {WSL2}", "", "wsl2", None),
        ("6.6.1-custom", "Linux version 6.6.1-custom", "dev/dxg", "wsl2", "6.6.1"),
        ("6.6.1-custom", "x", "run/WSL/1_interop", "wsl2", "6.6.1"),
        ("6.6.1-custom", "x", "proc/sys/fs/binfmt_misc/WSLInterop", "wsl2", "6.6.1"),
        ("6.1.0-28-amd64", "Linux version 6.1.0-28-amd64", "", "linux", None),
    ],
)
def test_the_platform_is_told_by_kernel_or_by_traces(
    tmp_path: Path,
    release: str | None,
    banner: str | None,
    trace: str,
    platform: str,
    version: str | None,
) -> None:
    host(tmp_path, proc__sys__kernel__osrelease=release, proc__version=banner)
    if trace:
        (tmp_path / trace).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / trace).write_text("")
    facts = read_facts(tmp_path, [])
    assert facts.platform == platform
    if version is None and platform == "wsl2":
        assert isinstance(facts.wsl_version, Unknown)
    else:
        assert facts.wsl_version == version


def test_an_empty_root_makes_everything_unknown_and_nothing_zero(tmp_path: Path) -> None:
    facts = read_facts(tmp_path, [])
    for name in facts.__struct_fields__:
        value = getattr(facts, name)
        if name not in {"hostname", "disks"}:
            assert isinstance(value, Unknown), name
            assert value.title
    assert facts.hostname


def test_one_garbled_file_blanks_only_its_own_values(tmp_path: Path) -> None:
    garbage = "\x00\x1b[31m\ufffd nonsense"
    facts = read_facts(host(tmp_path, proc__meminfo=garbage, proc__uptime=garbage), [])
    for value in (facts.memory_total_bytes, facts.swap_free_bytes, facts.uptime_seconds):
        assert isinstance(value, Unknown)
    assert known(facts.kernel)
    assert facts.cpu_count == 2


def test_names_from_the_host_are_cleaned(tmp_path: Path) -> None:
    hostile = 'PRETTY_NAME="\x1b]0;owned\x07Ubuntu\x1b[31m"\n'
    facts = read_facts(
        host(tmp_path, etc__os_release=None, proc__sys__kernel__hostname="a\x1b[2Jb"), []
    )
    assert facts.hostname == "ab"
    (tmp_path / "etc").mkdir(exist_ok=True)
    (tmp_path / "etc/os-release").write_text(hostile)
    assert read_facts(tmp_path, []).distribution == "Ubuntu"


def test_a_folder_that_does_not_exist_yet_is_measured_where_it_will_be(tmp_path: Path) -> None:
    disk = read_disk("models", tmp_path / "not/made/yet")
    assert disk.path == str(tmp_path / "not/made/yet")
    assert disk.total_bytes == read_disk("x", tmp_path).total_bytes
    assert isinstance(disk.free_bytes, int)
    assert disk.read_only is False


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_disk_that_does_not_answer_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_path: Path) -> os.statvfs_result:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "statvfs", fail)
    disk = read_disk("models", tmp_path)
    assert isinstance(disk.total_bytes, Unknown)
    assert os.strerror(number) in disk.total_bytes.title


def test_a_place_that_is_no_disk_has_no_size() -> None:
    assert isinstance(read_disk("x", Path("/proc/self")).total_bytes, Unknown)
    assert isinstance(read_disk("x", Path("/nul\0")).total_bytes, Unknown)


def test_the_real_host_has_its_facts() -> None:
    facts = read_facts(Path("/"), [("system", Path("/"))])
    for value in (
        facts.platform,
        facts.kernel,
        facts.cpu_count,
        facts.memory_total_bytes,
        facts.uptime_seconds,
    ):
        assert known(value)


def test_an_operator_over_ssh_is_known_by_address() -> None:
    assert ssh_origin({"SSH_CONNECTION": "203.0.113.7 50122 10.0.0.2 22"}) == "203.0.113.7"
    assert ssh_origin({"SSH_CONNECTION": "fe80::1%eth0 1 ::1 22"}) == "fe80::1%eth0"
    assert ssh_origin({"SSH_CONNECTION": " "}) is None
    assert ssh_origin({}) is None


def test_a_dead_mount_costs_its_own_space_and_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks one may wait for good; the kernel, WSL or not, and all other disks are told."""
    dead, back = tmp_path / "dead", threading.Event()
    asked: list[str] = []
    real = os.statvfs

    def statvfs(path: Path) -> os.statvfs_result:
        asked.append(str(path))
        if path == dead:
            back.wait(60)
        return real(tmp_path)

    dead.mkdir()
    monkeypatch.setattr("console.host.disks.os.statvfs", statvfs)
    disks, reader = [("models", dead), ("state", tmp_path), ("outputs", dead)], DiskReader(0.2)
    for _ in range(3):
        facts = read_facts(host(tmp_path), disks, reader)
        assert facts.platform == "wsl2"
        assert isinstance(facts.disks[0].free_bytes, Unknown)
        assert facts.disks[0].free_bytes.code == "host.disk-hangs"
        assert known(facts.disks[1].free_bytes)
    assert asked.count(str(dead)) == 1
    back.set()
    wait_until(lambda: known(reader.read(disks)[2].free_bytes))
    assert [disk.purpose for disk in reader.read(disks)] == ["models", "state", "outputs"]


def test_a_kernel_that_says_nothing_is_no_linux_by_guess(tmp_path: Path) -> None:
    facts = read_facts(host(tmp_path, proc__sys__kernel__osrelease="\n", proc__version=""), [])
    assert isinstance(facts.platform, Unknown)
