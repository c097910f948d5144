"""Setup's first page: the doctor's checks in plain words, and what only root or Windows can do."""

import shlex
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from actions.setup.host_help import Place as Kind
from actions.setup.host_help import help_for, host_words, lines_of
from actions.setup.report import StepReport
from console.simulator.scene import Scene
from tests.setup.places import place
from tests.setup.walking import walk

FAMILIES = ("ubuntu", "debian", "fedora", "other")


def page(home: Path, scenario: str) -> StepReport:
    """Give the page as it stands on a rehearsal."""
    with walk(home, scenario) as here:
        return here.look("host")


def test_a_healthy_host_has_nothing_in_the_way_and_every_check_has_a_name(tmp_path: Path) -> None:
    found = page(tmp_path, "edits")
    assert found.state == "done"
    assert found.commands == ()
    assert len(found.found) == 10
    assert all(one.startswith("fine ") for one in found.found)
    assert found.found[0].startswith("fine  this Linux: Ubuntu")
    assert not [one for one in found.found if "host." in one or "engine." in one]


def test_a_missing_toolkit_comes_with_every_command_from_the_key_to_the_restart(
    tmp_path: Path,
) -> None:
    found = page(tmp_path, "no-toolkit")
    assert found.state == "blocked"
    assert "NVIDIA's container toolkit is missing" in found.detail
    typed = "\n".join(found.commands)
    steps = (
        "gpgkey", "nvidia-container-toolkit.list", "apt-get update",
        "apt-get install -y nvidia-container-toolkit",
        "nvidia-ctk runtime configure --runtime=docker", "systemctl restart docker",
    )  # fmt: skip
    places = [typed.index(one) for one in steps]
    assert places == sorted(places)


def _without_runtime(scene: Scene) -> Scene:
    """Give a bare host whose engine was never told of NVIDIA."""
    engine = msgspec.structs.replace(scene.engine, toolkit=False)
    return msgspec.structs.replace(scene, engine=engine)


def test_a_host_with_no_container_at_all_is_told_of_the_missing_toolkit_too(
    tmp_path: Path,
) -> None:
    with place(tmp_path, "fresh-host", _without_runtime) as here:
        found = here.look("host")
        assert found.state == "blocked"
        assert "nvidia-ctk" in "\n".join(found.commands)


@pytest.mark.parametrize(
    ("scenario", "words", "line"),
    [
        ("no-driver", "driver is missing", "wsl --update"),
        ("no-engine", "Docker does not run here", "sudo systemctl enable --now docker"),
        ("engine-denied", "a plugin or a proxy", "sudo grep authorization-plugins"),
        ("driver-mismatch", "different versions", "sudo apt-get purge"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words_with_its_command(
    tmp_path: Path, scenario: str, words: str, line: str
) -> None:
    found = page(tmp_path, scenario)
    assert found.state == "blocked"
    assert words in found.detail
    assert any(one.startswith(line) for one in found.commands)
    assert any(one.startswith("wrong") for one in found.found)


def test_where_the_socket_lets_nobody_in_the_group_is_the_way() -> None:
    known = help_for("docker.daemon.permission")
    assert known is not None
    assert "not in the group docker" in known.words
    kind = Kind(platform="native", family="ubuntu", systemd=True, memory_gb=8)
    assert 'sudo usermod -aG docker "$USER"' in lines_of(known, kind)


def test_docker_without_compose_is_said_where_one_has_to_be_made_and_noted_elsewhere(
    tmp_path: Path,
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with walk(tmp_path / "half", "edits") as here:
        here.host.environ["PATH"] = str(empty)
        found = here.look("host")
        assert found.state == "done"
        assert "compose is not" in found.detail
        assert any("docker-compose-v2" in one for one in found.commands)
    with place(tmp_path / "bare", "fresh-host") as here:
        here.host.environ["PATH"] = str(empty)
        assert here.look("host").state == "blocked"


def test_it_is_checked_again_once_it_was_done(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with place(tmp_path, "fresh-host") as here:
        compose = shutil.which("docker-compose", path=here.host.environ["PATH"])
        assert compose is not None
        here.host.environ["PATH"] = str(empty)
        course = here.course()
        assert course.look("host").state == "blocked"
        (empty / "docker-compose").symlink_to(compose)
        assert course.look("host", anew=True).state == "done"


def test_little_memory_comes_with_the_text_of_wslconfig(tmp_path: Path) -> None:
    def small(scene: Scene) -> Scene:
        host = msgspec.structs.replace(scene.host, memory=12.0)
        return msgspec.structs.replace(scene, host=host)

    with walk(tmp_path, "edits", small) as here:
        found = here.look("host")
    assert found.state == "done"
    start = found.commands.index("[wsl2]")
    assert found.commands[start : start + 3] == ("[wsl2]", "memory=18GB", "swap=32GB")
    assert any("%UserProfile%\\.wslconfig" in one for one in found.commands)
    assert found.commands[-1].startswith("wsl --shutdown")


def test_a_driver_too_old_for_what_comfyui_needs_is_said_first_and_not_after_a_download(
    tmp_path: Path,
) -> None:
    def old(scene: Scene) -> Scene:
        driver = msgspec.structs.replace(scene.driver, version="470.82", cuda_version=11040)
        return msgspec.structs.replace(scene, driver=driver)

    with place(tmp_path, "fresh-host", old) as here:
        found = here.look("host")
    assert found.state == "blocked"
    assert "too old" in found.detail
    assert any("newest driver for Windows" in one for one in found.commands)


def _kinds() -> list[Kind]:
    return [
        Kind(platform=platform, family=family, systemd=systemd, memory_gb=24)
        for platform in ("wsl", "native")
        for family in FAMILIES
        for systemd in (True, False)
    ]


@pytest.mark.parametrize("kind", _kinds(), ids=lambda one: f"{one.platform}-{one.family}")
def test_everything_has_a_way_on_every_kind_of_host(kind: Kind) -> None:
    for one in host_words().help:
        lines = list(lines_of(one, kind))
        assert lines[0] == f"# {one.words}"
        if len(lines) == 1:
            # What only WSL has, or what no package of this kind of Linux mends.
            assert kind.platform == "native" or one.findings == ("docker.api.too-old",)
        assert not [line for line in lines if "{" in line and "${" not in line]


def test_on_native_linux_nobody_is_sent_to_windows() -> None:
    for family in FAMILIES:
        kind = Kind(platform="native", family=family, systemd=False, memory_gb=24)
        for one in host_words().help:
            if one.findings != ("host.wsl1",):
                text = "\n".join(lines_of(one, kind))
                assert "Windows" not in text
                assert "PowerShell" not in text or "under WSL" in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("finding", ["setup.no-toolkit", "setup.no-compose", "docker.daemon.down"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_root_types_is_a_script_that_a_shell_takes(finding: str, family: str) -> None:
    one = help_for(finding)
    assert one is not None
    kind = Kind(platform="native", family=family, systemd=True, memory_gb=24)
    text = "\n".join(lines_of(one, kind))
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.stderr == ""
    for line in text.splitlines():
        if not line.startswith("#"):
            shlex.split(line.removesuffix("\\"), comments=True)
