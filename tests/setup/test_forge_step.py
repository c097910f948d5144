"""A Forge set up by examples from the internet: what is wrong with it, and setting it right."""

import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from actions.services.snapshot import ServiceStatus
from actions.setup.report import StepReport
from actions.status import read_status
from console.config.load import load
from console.simulator.scene import Scene
from tests.setup.places import Place, mounted_read_only, place
from tests.setup.walking import asked

SMALL, BIG = "GPU-3f1c9a52-7d84-4b0e-9a61-c2e5d8f07b13", "GPU-8b2d6e07-51fa-4c39-b7d8-19e4a3c6f520"
TOKEN, PASSWORD = "rehearsal-token", "rehearsal-password"
FORGE = {"correct": "forge"}


@pytest.fixture
def half(tmp_path: Path) -> Iterator[Place]:
    """Give a host with a Forge that has every usual mistake."""
    with place(tmp_path, "half-done-host") as here:
        yield here


def compose_of(here: Place, name: str = "forge") -> Path:
    """Give the compose file of a service."""
    found = status(here, name).service.compose_file
    assert found is not None
    return found


def status(here: Place, name: str = "forge") -> ServiceStatus:
    """Give how a service stands."""
    services = read_status(here.session()).services
    return next(one for one in services if one.name == name)


def mode(path: Path) -> int:
    """Give a file's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def service_in(file: Path, name: str = "forge") -> dict[str, object]:
    """Give a service of a compose file."""
    return dict(YAML(typ="safe").load(file.read_text())["services"][name])


def holding(folder: Path, secret: str) -> list[Path]:
    """Give the files below a folder that have a secret in them."""
    files = (one for one in folder.rglob("*") if one.is_file())
    return [one for one in files if secret.encode() in one.read_bytes()]


def test_without_a_word_a_forge_is_only_looked_at(half: Place) -> None:
    file = compose_of(half)
    before = file.read_text()
    found = half.look("existing")
    told = "\n".join(found.found)
    assert "forge: its compose file can be corrected, if you say so (forge.correct):" in told
    for what in (
        "pinned to NVIDIA GeForce RTX 3080 Laptop GPU", "updates are off: without FORGE_REF",
        "port 9001 is not published", "WEB_TOKEN and WEB_PASSWORD go into forge.env",
        "forge: it runs on RTX 3090 (card 1) now, and on RTX 3080 Laptop (card 0) then",
    ):  # fmt: skip
        assert what in told
    ask = asked(found, "forge.correct")
    assert (ask.value, [one.value for one in ask.options]) == ("", ["", "forge"])
    assert half.do("existing").state == "done"
    assert file.read_text() == before
    assert list(file.parent.glob("*.env")) == list(file.parent.glob("*before*")) == []


def test_a_forge_is_corrected_as_shown_and_then_runs_as_its_file_says(half: Place) -> None:
    file, container = compose_of(half), status(half).container_id
    before = file.read_text()
    assert status(half).state == "needs-auth"
    shown = half.look("existing", forge=FORGE)
    assert file.read_text() == before
    for line in ('-      - "9001:9001"', '+      AUTO_UPDATE: "false"', "+      - forge.env"):
        assert line in shown.diff.splitlines()
    assert TOKEN not in str(shown)
    assert PASSWORD not in str(shown)
    assert shown.steps == ("gpuconsole restart forge --recreate",)

    done = half.do("existing", forge=FORGE)
    assert done.state == "done", (done.detail, done.found, done.commands)
    assert done.plan
    service = service_in(file)
    assert service["environment"]["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"  # type: ignore[index]
    assert service["environment"]["AUTO_UPDATE"] == "false"  # type: ignore[index]
    assert not [one for one in service["ports"] if "9001" in one]  # type: ignore[attr-defined]
    _is_valid(file)
    env = file.parent / "forge.env"
    assert env.read_text() == f"WEB_PASSWORD={PASSWORD}\nWEB_TOKEN={TOKEN}\n" or (
        env.read_text() == f"WEB_TOKEN={TOKEN}\nWEB_PASSWORD={PASSWORD}\n"
    )
    (copy,) = file.parent.glob("*.before-*")
    assert copy.read_text() == before
    assert mode(env) == mode(copy) == 0o600
    assert mode(file) == 0o644
    assert {str(file), str(env), str(copy)} <= set(done.wrote)

    now = status(half)
    assert now.container_id != container
    assert now.gpu_uuid == SMALL
    assert now.state == "ready"
    assert TOKEN not in str(done)
    assert holding(half.session().places.state_dir, TOKEN) == []
    _knows_the_login(half)
    _has_no_more_to_do(half)


def _knows_the_login(here: Place) -> None:
    """See that the console gets past the login that was moved, by a file of its own."""
    auth = load(here.config).settings.services["forge"].auth
    assert auth is not None
    assert auth.file is not None
    assert auth.file.read_text() == f"{TOKEN}\n"
    assert mode(auth.file) == 0o600
    assert TOKEN not in here.config.read_text()


def _has_no_more_to_do(here: Place) -> None:
    """See that a second run finds all done."""
    text = compose_of(here).read_text()
    again = here.do("existing", forge=FORGE)
    assert (again.state, again.wrote) == ("done", ())
    assert "forge as it should be" in again.detail
    assert not [one for one in again.found if "can be corrected" in one]
    assert compose_of(here).read_text() == text


def test_a_forge_that_the_config_is_not_to_know_is_corrected_all_the_same(half: Place) -> None:
    course = half.course(forge=FORGE, existing={"adopt": False})
    course.look("existing")
    course.do("existing")
    assert service_in(compose_of(half))["env_file"] == ["forge.env"]
    assert load(half.config).settings.services == {}


def test_one_may_give_it_another_card(half: Place) -> None:
    ask = asked(half.look("existing", forge=FORGE), "forge.gpu")
    assert ask.value == SMALL
    shown = half.look("existing", forge={**FORGE, "gpu": "3090"})
    assert "--gpu-device-id 1 " in shown.diff
    odd = half.look("existing", forge={**FORGE, "gpu": "4090"})
    assert odd.state == "blocked"
    assert asked(odd, "forge.correct").value == "forge"


def test_what_is_left_to_a_person_is_not_called_as_it_should_be(half: Place) -> None:
    file = compose_of(half)
    text = file.read_text().replace(f'"{TOKEN}"', f'"{TOKEN} # two"').replace("9001:9001", "9001")
    file.write_text(text.replace('"9001"', '"9000-9002"'))
    done = half.do("existing", forge=FORGE)
    assert done.state == "done", (done.detail, done.found, done.commands)
    assert done.detail.endswith("forge: 2 left to correct by hand")
    told = "\n".join(done.commands)
    assert f"by hand in {file}" in told
    assert "WEB_TOKEN stays in the file" in told
    assert "9001 is within 9000-9002" in told
    assert TOKEN not in str(done)
    assert TOKEN in file.read_text()


def test_a_name_that_is_no_forge_is_said(half: Place) -> None:
    found = half.look("existing", forge={"correct": "frge"})
    assert found.state == "blocked"
    assert "'frge'" in found.detail
    assert "forge.correct names one of: forge" in found.commands[0]
    assert asked(found, "forge.correct").value == "frge"


def test_a_file_of_that_name_is_somebodys_and_stays(half: Place) -> None:
    file = compose_of(half)
    (file.parent / "forge.env").write_text("THEIRS=1\n")
    course = half.course(forge=FORGE)
    course.look("existing")
    course.do("existing")
    assert (file.parent / "forge.env").read_text() == "THEIRS=1\n"
    assert service_in(file)["env_file"] == ["forge-2.env"]
    assert TOKEN in (file.parent / "forge-2.env").read_text()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(half: Place) -> None:
    file = compose_of(half)
    course = half.course(forge=FORGE)
    course.look("existing")
    file.write_text(f"# somebody was here\n{file.read_text()}")
    text = file.read_text()
    failed = course.do("existing")
    assert failed.state == "failed"
    assert "changed by somebody meanwhile" in failed.detail
    assert file.read_text() == text


@pytest.fixture
def locked(half: Place) -> Iterator[Place]:
    """Give the host with the compose file's folder mounted read-only, as on a share."""
    with mounted_read_only(compose_of(half).parent):
        yield half


def test_without_rights_on_the_file_it_says_what_to_change_by_hand(locked: Place) -> None:
    found = locked.look("existing", forge=FORGE)
    assert found.state == "blocked"
    assert "you may not write" in found.detail
    told = "\n".join(found.commands)
    assert "leave forge.correct empty to go on without" in told
    assert "by hand" in told
    assert "AUTO_UPDATE" in told
    assert TOKEN not in told
    assert asked(found, "forge.correct").value == "forge"
    assert locked.look("existing").state == "needed"


def _made(change: Callable[[dict[str, object]], None]) -> Callable[[Scene], Scene]:
    """Give a scene whose Forge is otherwise."""

    def changed(scene: Scene) -> Scene:
        facts: dict[str, object] = {}
        change(facts)
        forge = msgspec.structs.replace(scene.containers["forge"], **facts)
        containers = {**scene.containers, "forge": forge}
        return msgspec.structs.replace(scene, containers=containers)

    return changed


def test_a_forge_that_does_not_run_is_corrected_and_not_started(tmp_path: Path) -> None:
    stopped = _made(lambda facts: facts.update(state="exited", exit_code=0))
    with place(tmp_path, "half-done-host", stopped) as here:
        done = here.do("existing", forge=FORGE)
        assert done.state == "done"
        assert service_in(compose_of(here))["env_file"] == ["forge.env"]
        assert status(here).state == "stopped"
        (line,) = [one for one in done.commands if "--recreate" in one]
        assert line.startswith("gpuconsole restart forge --recreate")


def test_a_forge_that_was_made_without_compose_is_left_and_said(tmp_path: Path) -> None:
    bare = _made(lambda facts: facts.update(compose="", labels={}))
    with place(tmp_path, "half-done-host", bare) as here:
        found = here.look("existing")
        assert "forge: left as it is: its container was made without compose" in found.found
        assert here.look("existing", forge=FORGE).state == "blocked"
        assert here.look("existing", forge={"correct": "all"}).state == "blocked"


def test_two_forges_of_one_file_are_corrected_together(tmp_path: Path) -> None:
    with place(tmp_path, "studio") as here:
        (here.home / "ComfyUI/models/vae").mkdir(parents=True)
        file = compose_of(here, "myia")
        before = file.read_text()
        ask = asked(here.look("existing"), "forge.correct")
        assert [one.value for one in ask.options] == ["", "all", "myia", "myia-turbo"]
        course = here.course(forge={"correct": "myia, myia-turbo"})
        course.look("existing")
        course.do("existing")
        assert service_in(file, "forge")["env_file"] == ["myia.env"]
        assert service_in(file, "forge-turbo")["env_file"] == ["myia-turbo.env"]
        assert TOKEN not in file.read_text()
        first, second = sorted(file.parent.glob("*.before-*"))
        assert first.read_text() == before
        assert mode(first) == mode(second) == 0o600


def new(folder: Path, **more: object) -> dict[str, object]:
    """Give answers that want a new Forge."""
    return {"new": True, "folder": str(folder), **more}


def test_a_new_forge_is_written_only_when_asked_for(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        folder = here.home / "sd"
        found = here.look("existing")
        assert asked(found, "forge.new").value is False
        assert "docker-compose-forge" not in found.diff
        assert "services" not in found.diff
        shown = here.look("existing", forge=new(folder, name="myia"))
        assert not folder.exists()
        assert "+[services.myia]" in shown.diff
        assert "container_name: myia" in shown.diff
        done = here.do("existing", forge=new(folder, name="myia"))
        assert done.state == "done"
        assert any(one.startswith("gpuconsole start myia") for one in done.commands)
        _is_as_promised(here, folder, done)
        assert here.look("existing", forge=new(folder, name="myia")).state == "done"


def _is_as_promised(here: Place, folder: Path, done: StepReport) -> None:
    """See that files, login and config of a new Forge are as they should be."""
    settings = load(here.config).settings.services["myia"]
    file = folder / "docker-compose-forge.yaml"
    assert settings.compose_file == file
    # ComfyUI gets the big card.
    assert settings.gpu == SMALL
    assert settings.auth is not None
    assert settings.auth.file is not None
    token = settings.auth.file.read_text().strip()
    assert len(token) >= 32
    assert (folder / "forge.env").read_text() == f"WEB_TOKEN={token}\n"
    assert mode(folder / "forge.env") == mode(settings.auth.file) == 0o600
    assert token not in file.read_text() + here.config.read_text() + str(done)
    assert holding(here.session().places.state_dir, token) == []
    service = service_in(file, "myia")
    assert service["ports"] == [f"127.0.0.1:{settings.url.rpartition(':')[2]}:7860"]  # type: ignore[union-attr]
    assert "--gpu-device-id 0" in service["environment"]["FORGE_ARGS"]  # type: ignore[index]
    _is_valid(file)


def _is_valid(file: Path) -> None:
    """See that every compose that is here takes a file."""
    for program in _composes():
        checked = subprocess.run(
            [program, "-f", str(file), "config"], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


def _composes() -> list[str]:
    found = {shutil.which("docker-compose"), shutil.which("docker-compose", path="/usr/bin")}
    return [one for one in found if one is not None]


def test_a_new_forge_keeps_off_files_and_names_of_others(tmp_path: Path) -> None:
    with place(tmp_path, "half-done-host") as here:
        folder = here.home / "sd"
        taken = here.look("existing", forge=new(folder))
        assert taken.state == "blocked"
        assert "a service is called forge already" in taken.detail
        assert asked(taken, "forge.name").value == "forge"
        folder.mkdir(parents=True)
        theirs = folder / "docker-compose-forge.yaml"
        theirs.write_text("services: {}\n")
        foreign = here.look("existing", forge=new(folder, name="second"))
        assert foreign.state == "blocked"
        assert "setup did not write it" in foreign.detail
        assert theirs.read_text() == "services: {}\n"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": "my forge"}, "forge.name cannot be"),
        ({"folder": "sd"}, "no absolute path"),
        ({"gpu": "4090"}, "4090"),
    ],
)
def test_answers_that_cannot_be_are_said_and_can_be_mended(
    tmp_path: Path, more: dict[str, object], words: str
) -> None:
    with place(tmp_path, "fresh-host") as here:
        found = here.look("existing", forge={**new(here.home / "sd"), **more})
        assert found.state == "blocked"
        assert words in found.detail
        assert asked(found, "forge.folder").kind == "text"
