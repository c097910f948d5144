"""The wheel, built and installed outside the clone: what a `uv tool` or `pipx` user gets."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = {"actions", "assets", "console", "screens"}

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the commands of a clean environment that has only the wheel."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    pip = subprocess.run(
        [folder / "bin/python", "-m", "pip", "install", "-q", "-c", _constraints(folder), wheel],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert pip.returncode == 0, pip.stderr
    return folder / "bin"


def _constraints(folder: Path) -> Path:
    """Give the lock's versions without its hashes, which pip refuses beside a local wheel."""
    lock = (REPOSITORY / "requirements.lock").read_text()
    pins = [line.split(" ")[0] for line in lock.splitlines() if line[:1].isalnum()]
    path = folder / "constraints.txt"
    path.write_text("\n".join(pins) + "\n")
    return path


def _run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user would who has never seen the clone."""
    environ = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        [str(folder / command[0]), *command[1:]],
        cwd=folder.parent,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_wheel_has_our_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in inside} == PACKAGES
    tracked = subprocess.run(
        ["git", "ls-files", *sorted(PACKAGES)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert set(tracked) <= inside
    assert not [name for name in inside if name.endswith((".pyc", ".c", ".so"))]


def test_status_on_the_rehearsal_host_from_the_installed_command(installed: Path) -> None:
    done = _run(installed, "gpuconsole", "demo", "--", "gpuconsole", "status", "--json")
    assert done.returncode in {0, 5}, done.stderr
    answer = json.loads(done.stdout)
    assert answer["schema"] == "gpuconsole/1"
    assert answer["rehearsal"] is True
    assert [gpu["index"] for gpu in answer["data"]["gpus"]] == [0, 1]
    assert {"myia", "comfyui-qwen"} <= {item["name"] for item in answer["data"]["containers"]}


def test_version_and_help_from_the_installed_command(installed: Path) -> None:
    assert "gpuconsole" in _run(installed, "gpuconsole", "--version").stdout
    assert "status" in _run(installed, "gpuconsole", "--help").stdout
