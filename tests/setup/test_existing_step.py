"""What is here already: containers, compose files nobody runs, model folders; adopted if agreed."""

import os
from pathlib import Path

import msgspec
import pytest

from actions.operations import Operations
from actions.session import open_session
from actions.setup.answers import answers_of
from actions.setup.course import Course
from console.config.load import load
from console.simulator.rehearsal import rehearsal
from console.simulator.scene import Scene
from tests.setup.places import Place, mounted_read_only, place
from tests.setup.walking import asked
from tests.support.edits import COMFY, FORGE

COMPOSE = """\
services:
  pictures:
    image: yanwk/comfyui-boot:cu128-slim
    container_name: my-comfy
    command: ["python", "main.py", "--listen", "0.0.0.0", "--cuda-device", "0"]
    ports:
      - "127.0.0.1:8288:8188"
    deploy: {resources: {reservations: {devices: [{driver: nvidia, capabilities: [gpu]}]}}}
  sd:
    image: ghcr.io/ai-dock/stable-diffusion-webui-forge:latest-cuda
    environment:
      - FORGE_ARGS=--api
    ports:
      - target: 7860
        published: 7890
  db:
    image: postgres:16
"""


def lies(folder: Path, text: str = COMPOSE, name: str = "docker-compose.yml") -> Path:
    """Put a compose file somewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def models_in(folder: Path, *names: str) -> Path:
    """Make a folder with models."""
    for name in names or ("diffusion_models", "vae"):
        (folder / name).mkdir(parents=True)
        (folder / name / "one.safetensors").write_text("x")
    return folder


def test_a_bare_host_gets_a_models_folder_below_home_and_nothing_else(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        models = here.home / "ComfyUI/models"
        found = here.look("existing")
        assert found.state == "needed"
        assert f'+models = "{models}"' in found.diff
        ask = asked(found, "existing.models")
        assert (ask.value, [one.value for one in ask.options]) == (str(models), [str(models)])
        assert "no container of a Forge or a ComfyUI" in found.found
        assert not models.exists()
        done = here.do("existing")
        assert done.state == "done"
        assert set(done.wrote) == {str(models), str(here.config)}
        assert here.look("existing").state == "done"


def test_containers_are_adopted_as_a_diff_and_stay_as_they_are(tmp_path: Path) -> None:
    with place(tmp_path, "edits") as here:
        models_in(here.home / "ComfyUI/models")
        found = here.look("existing")
        assert found.state == "needed"
        for name in (COMFY, FORGE):
            assert f"+[services.{name}]" in found.diff
            assert any(one.startswith(f"{name}: ") for one in found.found)
        assert asked(found, "existing.adopt").value is True
        declined = here.look("existing", existing={"adopt": False})
        assert "services" not in declined.diff
        here.do("existing")
        settings = load(here.config).settings
        assert settings.services[COMFY].compose_service == "comfyui"
        assert settings.services[FORGE].kind == "forge"


def test_services_of_compose_files_that_nobody_runs_are_found_and_can_be_started(
    tmp_path: Path,
) -> None:
    with place(tmp_path, "fresh-host") as here:
        file = lies(here.home / "pictures")
        found = here.look("existing")
        assert f"my-comfy: comfyui, has no container, {file}" in found.found
        assert f"sd: forge, has no container, {file}" in found.found
        assert not [one for one in found.found if one.startswith("db")]
        here.do("existing")
        services = load(here.config).settings.services
        assert set(services) == {"my-comfy", "sd"}
        assert services["my-comfy"].url == "http://127.0.0.1:8288"
        assert services["sd"].url == "http://127.0.0.1:7890"
        assert services["sd"].container is None
        assert services["sd"].compose_file == file
        assert here.look("existing").state == "done"
        assert not [one for one in here.look("existing").found if "has no container" in one]
        plan = Operations(here.session()).plan("start", "my-comfy")
        assert any(f"-f {file} up -d" in one.command for one in plan.steps)


def test_of_compose_files_one_may_take_some_or_none(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        lies(here.home)
        ask = asked(here.look("existing"), "existing.files")
        assert [one.value for one in ask.options] == ["", "my-comfy", "sd", "none"]
        assert "services.sd" not in here.look("existing", existing={"files": "my-comfy"}).diff
        assert "services" not in here.look("existing", existing={"files": "none"}).diff
        assert "services" not in here.look("existing", existing={"adopt": False}).diff


def test_of_two_files_with_one_name_the_first_counts_and_the_other_is_told(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        first, second = lies(here.home / "a"), lies(here.home / "b")
        found = here.look("existing")
        assert str(first) in found.diff
        assert str(second) not in found.diff
        assert f"my-comfy: another of that name is left out: {second}" in found.found


@pytest.mark.parametrize(
    "text",
    [
        "services: [",
        "services:\n  comfyui: 3\n",
        "services: {comfyui: {image: [1, 2]}}",
        "\x00",
        "",
    ],
)
def test_files_that_make_no_sense_are_passed_over(tmp_path: Path, text: str) -> None:
    with place(tmp_path, "fresh-host") as here:
        lies(here.home / "broken", text)
        lies(here.home / "pictures")
        found = here.look("existing")
        assert found.state == "needed"
        assert "+[services.my-comfy]" in found.diff


def test_a_folder_on_a_windows_drive_is_found_after_the_others_with_a_warning(
    tmp_path: Path,
) -> None:
    with place(tmp_path, "fresh-host") as here:
        drive = models_in(here.host.places.root / "mnt/d/ComfyUI/models", "checkpoints")
        alone = here.look("existing")
        assert f'+models = "{drive}"' in alone.diff
        assert any("a Windows drive: WSL reads those slowly" in one for one in alone.proposes)
        linux = models_in(here.home / "ComfyUI/models")
        both = here.look("existing")
        ask = asked(both, "existing.models")
        assert [one.value for one in ask.options] == [str(linux), str(drive)]
        assert ask.options[0].recommended
        assert "slow: a Windows drive" in ask.options[1].detail
        assert f'+models = "{linux}"' in both.diff
        assert not any("slowly" in one for one in both.proposes)
        chosen = here.look("existing", existing={"models": str(drive)})
        assert f'+models = "{drive}"' in chosen.diff


def test_what_comfyui_for_windows_keeps_is_found_too(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        drive = here.host.places.root / "mnt/c"
        theirs = models_in(drive / "Users/jesse/Documents/ComfyUI/models")
        portable = models_in(drive / "ComfyUI_windows_portable/ComfyUI/models")
        server = models_in(here.host.places.root / "srv/ComfyUI/models")
        ask = asked(here.look("existing"), "existing.models")
        assert ask.options[0].value == str(server)
        assert {one.value for one in ask.options[1:]} == {str(theirs), str(portable)}


def test_what_a_container_has_its_models_from_comes_first(tmp_path: Path) -> None:
    mounted = models_in(tmp_path / "elsewhere/weights")

    def bound(scene: Scene) -> Scene:
        comfy = msgspec.structs.replace(
            scene.containers["comfyui"], mounts=(f"{mounted}:/opt/ComfyUI/models",)
        )
        return msgspec.structs.replace(scene, containers={**scene.containers, "comfyui": comfy})

    with place(tmp_path, "half-done-host", bound) as here:
        models_in(here.home / "ComfyUI/models")
        found = here.look("existing")
        assert f'+models = "{mounted}"' in found.diff


def test_the_same_path_is_not_slow_on_native_linux(tmp_path: Path) -> None:
    with place(tmp_path, "native") as here:
        models_in(here.host.places.root / "mnt/d/ComfyUI/models")
        found = here.look("existing")
        assert not any("slowly" in one for one in (*found.found, *found.proposes))


def test_an_answer_that_is_no_absolute_path_blocks_and_can_be_mended(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        found = here.look("existing", existing={"models": "ComfyUI/models"})
        assert found.state == "blocked"
        assert "no absolute path" in found.detail
        assert asked(found, "existing.models").value == "ComfyUI/models"
        assert "~/" in " ".join(found.commands)


def _config(here: Place, text: str) -> None:
    here.config.parent.mkdir(parents=True, exist_ok=True)
    here.config.write_text(text)


def test_a_config_that_names_another_folder_is_changed_only_when_that_is_said(
    tmp_path: Path,
) -> None:
    with place(tmp_path, "fresh-host") as here:
        mine, other = models_in(here.home / "mine"), models_in(here.home / "other")
        _config(here, f'# mine\n[paths]\nmodels = "{mine}"  # here\n')
        assert here.look("existing").state == "done"
        assert here.look("existing", existing={"models": str(mine)}).state == "done"
        against = here.look("existing", existing={"models": str(other)})
        assert against.state == "blocked"
        assert f"is {mine}, the answers say {other}" in against.detail
        assert asked(against, "existing.replace").kind == "flag"
        assert asked(against, "existing.models").kind == "text"
        done = here.do("existing", existing={"models": str(other), "replace": True})
        assert done.state == "done"
        assert here.config.read_text() == f'# mine\n[paths]\nmodels = "{other}"  # here\n'
        assert any(one.endswith(".bak") for one in done.wrote)


def test_a_folder_of_the_config_that_is_missing_is_made(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        _config(here, f'[paths]\nmodels = "{here.home}/gone/models"\n')
        found = here.look("existing")
        assert found.state == "needed"
        assert f"makes {here.home}/gone/models" in found.detail
        assert here.do("existing").state == "done"
        assert (here.home / "gone/models").is_dir()


def test_a_folder_that_cannot_be_made_is_told_with_another_way(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        (here.home / "file").write_text("in the way")
        told = here.do("existing", existing={"models": f"{here.home}/file/models"})
        assert told.state == "blocked"
        assert f"{here.home}/file is a file" in told.detail
        assert "existing.models" in " ".join(told.commands)
        assert not here.config.exists() or "models" not in here.config.read_text()


def test_a_folder_without_rights_comes_with_roots_command(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        models = models_in(here.home / "ComfyUI/models")
        with mounted_read_only(models):
            found = here.look("existing")
            assert f'sudo chown -R "$USER" {models}' in found.commands
            new = here.look("existing", existing={"models": f"{models}/more/models"})
            assert f'sudo install -d -o "$USER" {models}/more/models' in new.commands
        assert here.look("existing").commands == ()


def test_a_disk_that_does_not_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        # Reading a pipe that nobody writes to hangs as a dead share does.
        trap = here.home / "a" / "docker-compose.yml"
        trap.parent.mkdir()
        os.mkfifo(trap)
        assert here.look("existing").state == "needed"


def test_without_an_engine_it_says_where_that_is_mended(tmp_path: Path) -> None:
    with place(tmp_path, "no-engine") as here:
        found = here.look("existing")
    assert found.state == "blocked"
    assert "the step host says what to do about it" in found.commands


@pytest.mark.parametrize("scenario", ["studio", "fresh-host"])
def test_a_rehearsal_looks_into_no_home_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str
) -> None:
    theirs = tmp_path / "theirs"
    lies(theirs / "pictures", COMPOSE.replace("my-comfy", "not-rehearsed"))
    models_in(theirs / "ai/ComfyUI/models")
    monkeypatch.setenv("HOME", str(theirs))
    with rehearsal(scenario) as host:
        session = open_session({"PATH": os.environ["PATH"], "HOME": str(theirs), **host.environ})
        told = str(Course(session, answers_of({}), applies=False).look("existing"))
    assert str(theirs) not in told
    assert "not-rehearsed" not in told
