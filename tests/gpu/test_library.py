"""Which NVML library is taken: the one asked for, LD_LIBRARY_PATH's, WSL's, the system's."""

import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import pytest

from console.clock import HeldClock
from console.gpu.library import NoLibraryError, load
from console.gpu.reader import GpuReader
from console.simulator.driver_table import write_table
from console.unknown import known
from tests.gpu.world import Host, table
from tests.native.build import SONAME, build


@pytest.fixture
def places(tmp_path: Path, twin: Path) -> tuple[Path, Path]:
    """A folder of LD_LIBRARY_PATH and a root with WSL's folder, a library in each."""
    folder, root = tmp_path / "lib", tmp_path / "root"
    wsl = root / "usr/lib/wsl/lib"
    for place in (folder, wsl):
        place.mkdir(parents=True)
        shutil.copy(twin, place / SONAME)
    return folder, root


def test_what_was_asked_for_wins(places: tuple[Path, Path], twin: Path) -> None:
    folder, root = places
    environ = {
        "GPUCONSOLE_NVML_LIBRARY": str(twin),
        "LD_LIBRARY_PATH": str(folder),
        "GPUCONSOLE_ROOT": str(root),
    }
    assert load(environ).origin == str(twin)


def test_what_was_asked_for_has_no_stand_in(places: tuple[Path, Path], tmp_path: Path) -> None:
    folder, root = places
    environ = {
        "GPUCONSOLE_NVML_LIBRARY": str(tmp_path / "missing.so"),
        "LD_LIBRARY_PATH": str(folder),
        "GPUCONSOLE_ROOT": str(root),
    }
    with pytest.raises(NoLibraryError) as caught:
        load(environ)
    assert caught.value.reason.code == "nvml.lib-not-found"


def test_a_copy_in_the_library_path_comes_before_wsl(places: tuple[Path, Path]) -> None:
    folder, root = places
    environ = {"LD_LIBRARY_PATH": f":/nowhere:{folder}", "GPUCONSOLE_ROOT": str(root)}
    assert load(environ).origin == str(folder / SONAME)


def test_a_broken_copy_in_the_library_path_is_passed_over(places: tuple[Path, Path]) -> None:
    folder, root = places
    (folder / SONAME).write_bytes(b"of another machine")
    environ = {"LD_LIBRARY_PATH": str(folder), "GPUCONSOLE_ROOT": str(root)}
    assert load(environ).origin == str(root / "usr/lib/wsl/lib" / SONAME)


def test_wsl_is_found_though_the_loader_does_not_know_its_folder(
    places: tuple[Path, Path],
) -> None:
    environ = {"LD_LIBRARY_PATH": "", "GPUCONSOLE_ROOT": str(places[1])}
    assert load(environ).origin == str(places[1] / "usr/lib/wsl/lib" / SONAME)


def test_a_library_is_loaded_once_for_all_readers(twin: Path) -> None:
    environ = {"GPUCONSOLE_NVML_LIBRARY": str(twin), "UNRELATED": "1"}
    assert load(environ) is load({**environ, "UNRELATED": "2"})


PROGRAM = """
from console.clock import SystemClock
from console.gpu.reader import GpuReader
snapshot = GpuReader(SystemClock(), {"GPUCONSOLE_ROOT": "/nonexistent"}).read()
print(snapshot.driver.library if snapshot.problem is None else snapshot.problem.code)
"""


def by_soname(environ: dict[str, str]) -> str:
    """Read in a new process: a loader that had NVML once finds it by name ever after."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": ":".join(sys.path), **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_last_the_systems_loader_is_asked(tmp_path: Path, twin: Path) -> None:
    path = tmp_path / "driver.table"
    write_table(path, table())
    environ = {"LD_LIBRARY_PATH": str(twin.parent), "GPUCONSOLE_DRIVER_TABLE": str(path)}
    assert by_soname(environ) == str(twin)


@pytest.mark.skipif(bool(find_library("nvidia-ml")), reason="this host has an NVML of its own")
def test_a_host_without_any_library_says_so() -> None:
    assert by_soname({}) == "nvml.lib-not-found"


@pytest.mark.parametrize("way", ["asked", "wsl"])
def test_a_driver_update_is_picked_up_without_a_restart(
    tmp_path: Path, twin: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The library in memory is of the old driver; after the mismatch the new file is loaded."""
    folder = tmp_path / "usr/lib/wsl/lib"
    folder.mkdir(parents=True)
    copy = Path(shutil.copy(twin, folder / SONAME))
    host = Host(tmp_path, copy)
    monkeypatch.setenv("GPUCONSOLE_DRIVER_TABLE", str(host.table_path))
    environ = dict(host.environ)
    if way == "wsl":
        environ["GPUCONSOLE_ROOT"] = str(tmp_path)
        del environ["GPUCONSOLE_NVML_LIBRARY"]
        environ["LD_LIBRARY_PATH"] = ""
    reader = GpuReader(clock, environ)
    host.says(table())
    assert reader.read().problem is None
    host.says(table(faults={"*": "LIB_RM_VERSION_MISMATCH", "init": "LIB_RM_VERSION_MISMATCH"}))
    clock.advance(1)
    problem = reader.read().problem
    assert problem is not None
    assert problem.code == "nvml.version-mismatch"
    for version in ("14.1", "14.2"):
        build(folder, f'-DTWIN_NVML_VERSION="{version}"')
        host.says(table(faults={"init": "UNKNOWN"}))
        clock.advance(10)
        assert reader.read().problem is not None
        host.says(table())
        clock.advance(10)
        snapshot = reader.read()
        assert snapshot.problem is None
        assert known(snapshot.driver)
        assert snapshot.driver.nvml_version == version
    reader.close()
