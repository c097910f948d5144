"""The ComfyUI that setup makes where there is none, and all that may be in its way."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.operations import Operations
from actions.plan import PlanDone
from actions.session import open_session
from actions.setup.answers import answers_of
from actions.setup.comfyui_step import look_at_comfyui
from actions.setup.course import Course, show
from actions.setup.files.comfyui import COMPOSE
from actions.setup.ground import Ground
from actions.setup.ports import free_port as next_free
from actions.setup.report import StepReport
from console.config.load import load
from console.simulator.scene import Scene
from tests.plans.command import run, start
from tests.setup import places
from tests.setup.walking import asked
from tests.support.edits import COMFY, FORGE, edit_host
from tests.support.fresh import FreshHost, free_port, fresh_host
from tests.support.waiting import wait_until

NAME = "comfyui-qwen"
OTHERS = ("host", "existing", "layout", "sharing", "fetch", "start", "verify", "first-edit",
          "outside", "keep-running")  # fmt: skip


class Person:
    """Somebody who sets a bare host up, as far as ComfyUI.

    Attributes:
        host: theirs.
        port: a free one, so that tests do not meet.
        folder: where the files go.
    """

    def __init__(self, host: FreshHost) -> None:
        self.host = host
        # The newer compose where it is there: the old one takes its second for each look.
        host.environ["PATH"] = f"{Path(sys.executable).parent}:{host.environ['PATH']}"
        self.port = free_port()
        self.folder = Path(host.home) / "gpuconsole" / NAME
        host.config.parent.mkdir(parents=True, exist_ok=True)
        host.config.write_text(f'[paths]\nmodels = "{host.models}"\n')

    def course(self, **comfyui: Any) -> Course:
        """Give a walk with answers to this step."""
        given = {"port": str(self.port), **comfyui}
        return Course(open_session(self.host.environ), answers_of({"comfyui": given}), applies=True)

    def look(self, **comfyui: Any) -> StepReport:
        return self.course(**comfyui).look("comfyui")

    def do(self, **comfyui: Any) -> StepReport:
        """Do what the step proposes, once."""
        course = self.course(**comfyui)
        assert course.look("comfyui").able
        return course.do("comfyui")

    def files(self) -> dict[str, str]:
        """Give what lies in the folder."""
        found = self.folder.rglob("*")
        return {
            str(one.relative_to(self.folder)): one.read_text() for one in found if one.is_file()
        }


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with fresh_host(tmp_path) as host:
        yield Person(host)


def test_files_config_and_image_come_one_after_the_other_and_stay_then(person: Person) -> None:
    shown = person.look()
    assert (shown.state, shown.able) == ("needed", True)
    assert "takes the compose file" in shown.found[0]
    assert f"+[services.{NAME}]" in shown.diff
    assert "+FROM python:3.12" in shown.diff
    assert any("only this host reaches it" in line for line in shown.proposes)
    assert any("--normalvram is gone" in line for line in shown.proposes)
    assert not person.folder.exists()

    written = person.do()
    assert set(person.files()) == {COMPOSE, "comfyui/Dockerfile", "comfyui/pinned.txt"}
    assert (person.folder / "data/user").is_dir()
    service = load(person.host.config).settings.services[NAME]
    assert (service.kind, service.container, service.compose_service) == ("comfyui", NAME, NAME)
    assert service.compose_file == person.folder / COMPOSE
    assert service.url == f"http://127.0.0.1:{person.port}"
    assert str(person.folder / COMPOSE) in written.wrote
    assert any(".bak" in one for one in written.wrote)
    assert "is not there yet" in written.detail
    assert written.steps[0].startswith("docker compose -f")

    assert person.do().state == "done"
    before = (person.files(), person.host.config.read_text())
    again = person.look()
    assert (again.state, again.able, again.diff) == ("done", False, "")
    assert (person.files(), person.host.config.read_text()) == before


def test_a_dry_run_shows_every_line_and_writes_none(person: Person) -> None:
    answers = answers_of({"comfyui": {"port": str(person.port)}})
    reports = {one.id: one for one in show(open_session(person.host.environ), answers)}
    report = reports["comfyui"]
    assert report.state == "needed"
    assert "+    init: true" in report.diff
    assert "numpy==" in report.diff
    assert report.steps == (f"gpuconsole build {NAME}",)
    assert not person.folder.exists()
    assert reports["start"].state == "needed"


def test_a_port_that_is_taken_is_told_with_the_next_free_one(person: Person) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        report = person.look(port=str(number))
        assert report.state == "blocked"
        assert report.detail == f"port {number} is taken by a program of this host"
        (hint,) = report.commands
        assert hint.startswith("comfyui.port = ")
        assert asked(report, "comfyui.port").value == str(number)
        ground = Ground(open_session(person.host.environ), answers_of({}), applies=False)
        assert next_free(ground.snapshot, number, "127.0.0.1") > number
    assert person.look(port=str(number)).state == "needed"


def test_the_default_port_gives_way_and_says_to_whom(person: Person) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8188))
            taken.listen()
        except OSError:
            pass  # another has it: just as well
        report = person.look(port="")
    assert report.state == "needed"
    assert any(line.startswith("not 8188: ") for line in report.proposes)
    assert int(str(asked(report, "comfyui.port").value)) > 8188


def test_a_compose_file_of_somebody_else_stays_and_the_way_round_works(person: Person) -> None:
    person.folder.mkdir(parents=True)
    (person.folder / COMPOSE).write_text("services:\n  mine:\n    image: x\n")
    report = person.look()
    assert report.state == "blocked"
    assert "setup did not write it" in report.detail
    assert any("another folder" in line for line in report.commands)
    assert person.files() == {COMPOSE: "services:\n  mine:\n    image: x\n"}
    other = person.folder.parent / "other"
    assert person.do(folder=str(other)).state == "needed"
    assert (other / COMPOSE).is_file()
    assert person.files() == {COMPOSE: "services:\n  mine:\n    image: x\n"}


def test_what_somebody_changed_since_stays_until_it_is_said_otherwise(person: Person) -> None:
    person.do()
    file = person.folder / COMPOSE
    mine = file.read_text().replace("interval: 30s", "interval: 5s  # mine")
    file.write_text(mine)
    report = person.look()
    assert report.diff == ""
    assert any("was changed since" in line for line in report.found)
    assert asked(report, "comfyui.rewrite").value is False
    anew = person.look(rewrite=True)
    assert "-      interval: 5s  # mine" in anew.diff
    assert file.read_text() == mine
    person.do(rewrite=True)
    assert "interval: 30s" in file.read_text()
    (copy,) = person.folder.glob(f"{COMPOSE}.*.bak")
    assert copy.read_text() == mine


def test_what_is_removed_of_it_is_proposed_again(person: Person) -> None:
    person.do()
    files = person.files()
    shutil.rmtree(person.folder)
    assert person.look().state == "needed"
    person.do()
    assert person.files() == files
    shutil.rmtree(person.folder / "data")
    lacking = person.look()
    assert (lacking.state, lacking.diff) == ("needed", "")
    assert any("data is not there any more" in line for line in lacking.found)
    person.do()
    assert (person.folder / "data/user").is_dir()


def test_a_disk_that_fills_leaves_whole_files_and_the_rest_comes_later(
    person: Person, tmp_path: Path
) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    answers = {"folder": str(place / "it"), "data": str(tmp_path / "data")}
    try:
        (place / "other").write_bytes(b"x" * (12 << 10))
        report = person.do(**answers)
        assert report.state == "failed"
        assert "Dockerfile cannot be written: No space left on device" in report.detail
        names = [one.name for one in (place / "it").rglob("*") if one.is_file()]
        assert names == [COMPOSE]
        assert not load(person.host.config).settings.services
        (place / "other").unlink()
        assert "is not there yet" in person.do(**answers).detail
        assert load(person.host.config).settings.services[NAME].compose_file
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_another_answer_changes_what_setup_wrote_and_the_address_with_it(person: Person) -> None:
    person.do()
    other = free_port()
    shown = person.look(port=str(other), reserve="2.5")
    assert f'+      - "127.0.0.1:{other}:8188"' in shown.diff
    assert "--reserve-vram 2.5" in shown.diff
    person.do(port=str(other), reserve="2.5")
    assert load(person.host.config).settings.services[NAME].url == f"http://127.0.0.1:{other}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"port": "eighty"}, "comfyui.port is no port"),
        ({"port": "70000"}, "comfyui.port is no port"),
        ({"bind": "lan"}, "comfyui.bind is no address"),
        ({"bind": "192.0.2.7"}, "comfyui.bind is no address of this host"),
        ({"reserve": "much"}, "comfyui.reserve is no number"),
        ({"reserve": "nan"}, "comfyui.reserve is no number"),
        ({"folder": "here"}, "comfyui.folder is no absolute path"),
        ({"data": "here"}, "comfyui.data is no absolute path"),
    ],
)
def test_answers_that_make_no_sense_are_asked_again(
    person: Person, answer: dict[str, str], said: str
) -> None:
    report = person.look(**answer)
    assert report.state == "blocked"
    assert said in report.detail
    (key,) = answer
    assert asked(report, f"comfyui.{key}").value == answer[key]


def test_a_wider_bind_is_only_made_when_asked_for_and_names_its_risk(person: Person) -> None:
    assert asked(person.look(), "comfyui.bind").value == "127.0.0.1"
    report = person.look(bind="0.0.0.0")
    assert any("everybody who reaches it" in line for line in report.proposes)
    assert f'+      - "0.0.0.0:{person.port}:8188"' in report.diff
    assert "put a login in front" in report.diff
    person.do(bind="0.0.0.0")
    assert load(person.host.config).settings.services[NAME].url == f"http://127.0.0.1:{person.port}"


def test_without_compose_files_and_image_come_all_the_same_and_what_installs_it_is_said(
    person: Person,
) -> None:
    person.host.environ["PATH"] = "/nonexistent"
    report = person.look()
    assert report.state == "needed"
    assert "a start needs it" in report.found[0]
    assert any("sudo apt-get install docker-compose" in line for line in report.commands)
    person.do()
    done = person.do()
    assert done.state == "done"
    assert any("sudo apt-get install docker-compose" in line for line in done.commands)


def test_another_variant_has_another_image_and_the_container_is_made_anew(person: Person) -> None:
    odd = Path(person.host.home) / "it's $x: ü, #1" / NAME
    variant = {"service": {"variant": "2509-q4_k_m"}, "existing": {"replace": True}}

    def course(port: int, **more: Any) -> Course:
        answers = answers_of({"comfyui": {"port": str(port), "folder": str(odd)}, **more})
        made = Course(open_session(person.host.environ), answers, applies=True)
        for ident in ("cards", "variant"):
            made.look(ident)
        return made

    walk = course(person.port)
    assert walk.look("comfyui").able
    assert walk.do("comfyui").state == "needed"
    assert walk.do("comfyui").state == "done"
    operations = Operations(open_session(person.host.environ))
    end = list(operations.run(operations.plan("start", NAME)))[-1]
    assert isinstance(end, PlanDone), end
    assert course(person.port).look("comfyui").state == "done"

    other = free_port()
    walk = course(other, **variant)
    assert walk.do("variant").state == "done"
    shown = walk.look("comfyui")
    assert "-    image: gpuconsole-comfyui:0.33.0-core-cu128" in shown.diff
    assert "+    image: gpuconsole-comfyui:0.33.0-gguf-cu128" in shown.diff
    assert "ComfyUI-GGUF.git" in shown.diff
    written = walk.do("comfyui")
    assert written.detail == "its image gpuconsole-comfyui:0.33.0-gguf-cu128 is not there yet"
    built = walk.do("comfyui")
    assert (built.state, built.able) == ("needed", True)
    assert "of before the file was changed" in built.detail
    assert "not yet as the file says: its image, its port" in built.found
    assert walk.do("comfyui").state == "done"
    spec = person.host.rehearsal.actor(NAME).spec
    assert spec.ports == (f"127.0.0.1:{other}:8188/tcp",)
    assert spec.image == "gpuconsole-comfyui:0.33.0-gguf-cu128"


def test_a_folder_that_cannot_be_written_is_told_before_anything_is(
    person: Person, tmp_path: Path
) -> None:
    place = tmp_path / "locked"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        report = person.look(folder=str(place / "it"))
    finally:
        subprocess.run(["umount", str(place)], check=True)
    assert report.state == "blocked"
    assert f"no right to write in {place}" in report.detail
    assert any("comfyui.folder" in line for line in report.commands)


@pytest.mark.parametrize(
    ("fault", "said"),
    [("no-internet", "does not reach"), ("disk-full", "the disk is full where the engine")],
)
def test_a_build_that_fails_says_why_and_is_proposed_again(
    tmp_path: Path, fault: str, said: str
) -> None:
    def faulty(scene: Scene) -> Scene:
        return msgspec.structs.replace(
            scene, build=msgspec.structs.replace(scene.build, fault=fault)
        )

    with fresh_host(tmp_path, change=faulty) as host:
        person = Person(host)
        person.do()
        report = person.do()
        assert report.state == "failed"
        assert said in report.detail
        assert report.exit_code == 1
        assert any(line for line in report.commands)
        again = person.look()
        assert (again.state, again.able) == ("needed", True)


def test_a_build_goes_on_where_setup_is_killed_and_the_next_run_joins_it(tmp_path: Path) -> None:
    def slow(scene: Scene) -> Scene:
        return msgspec.structs.replace(scene, build=msgspec.structs.replace(scene.build, seconds=4))

    with fresh_host(tmp_path, change=slow) as host:
        Person(host)
        words = ("setup", "--answers", str(host.answers(f"skip = {json.dumps(OTHERS)}")), "--yes")
        first = start(host.environ, *words)
        operations = Operations(open_session(host.environ))
        # Its own process has to have it: before, it dies with setup.
        wait_until(lambda: any(one.pid for one in operations.running()), 60, "it is being built")
        (running,) = operations.running()
        first.kill()
        first.communicate()
        again = run(host.environ, *words, "--json")
        told = json.loads(again.stdout)["data"]["steps"]
        (comfyui,) = [one for one in told if one["id"] == "comfyui"]
        assert comfyui["state"] == "done", comfyui
        builds = [one for one in operations.jobs(everything=True) if one.verb == "build"]
        assert [(one.id, one.state) for one in builds] == [(running.plan.id, "done")]


def test_a_container_of_that_name_that_is_not_setups_is_left_alone(tmp_path: Path) -> None:
    def taken(scene: Scene) -> Scene:
        first = next(iter(scene.containers.values()))
        other = msgspec.structs.replace(
            first, image="postgres:16", state="exited", service=type(first.service)()
        )
        return msgspec.structs.replace(scene, containers={**scene.containers, NAME: other})

    with fresh_host(tmp_path, change=taken) as host:
        report = Person(host).look()
    assert report.state == "blocked"
    assert NAME in report.detail


def test_beside_a_forge_more_of_the_card_is_kept_free(tmp_path: Path) -> None:
    def forge_only(scene: Scene) -> Scene:
        left = {name: one for name, one in scene.containers.items() if "forge" in name}
        return msgspec.structs.replace(scene, containers=left)

    with places.place(tmp_path, "half-done-host", forge_only) as host:
        host.config.parent.mkdir(parents=True, exist_ok=True)
        host.config.write_text(f'[paths]\nmodels = "{host.host.models}"\n')
        reserves = {}
        for layout in ("exclusive", "dual"):
            walk = host.course(
                applies=False,
                layout={"name": layout, "forge_vram": "6 GB"},
                comfyui={"port": str(free_port())},
                service={"gpu": "1"},
                skip=["existing"],
            )
            for ident in ("cards", "layout", "variant"):
                assert walk.look(ident).state == "done"
            report = walk.look("comfyui")
            assert report.state == "needed", (report.detail, report.commands)
            (reserves[layout],) = re.findall(r"--reserve-vram (\S+)", report.diff)
            assert asked(report, "comfyui.reserve").value == reserves[layout]
    assert reserves == {"exclusive": "1", "dual": "2"}


def test_a_comfyui_that_is_here_stays_and_its_traps_are_named(tmp_path: Path) -> None:
    with edit_host(tmp_path) as host:
        ground = Ground(open_session(host.environ), answers_of({}), applies=True)
        look = look_at_comfyui(ground)
    assert (look.state, look.write, look.plan) == ("done", None, None)
    assert look.detail.startswith(f"{COMFY} is here already and stays as it is")


def test_sharing_mounts_a_forges_store_and_says_what_is_where(
    person: Person, tmp_path: Path
) -> None:
    store = tmp_path / "storage/stable_diffusion/models"
    for name in ("ckpt", "lora", "vae"):
        (store / name).mkdir(parents=True)
    person.do()

    def course(**sharing: str) -> Course:
        given = {"comfyui": {"port": str(person.port)}, "sharing": sharing}
        made = Course(open_session(person.host.environ), answers_of(given), applies=True)
        made.look("comfyui")
        return made

    assert course().look("sharing").state == "done"  # no Forge, nothing is asked for
    nowhere = course(way="comfyui").look("sharing")
    assert nowhere.state == "blocked"
    assert "sharing.store" in nowhere.commands[0]
    walk = course(way="comfyui", store=str(store))
    shown = walk.look("sharing")
    assert shown.state == "needed"
    assert f"+        source: {store}" in shown.diff
    assert "+  checkpoints: ckpt" in shown.diff
    assert walk.do("sharing").state == "done"
    paths = person.files()["extra_model_paths.yaml"]
    assert "\nai_dock:\n  base_path: /store\n" in paths
    assert "target: /opt/ComfyUI/extra_model_paths.yaml" in person.files()[COMPOSE]
    # The step before keeps what this one wrote.
    assert person.look().diff == ""


def test_forge_is_told_of_comfyuis_models_in_its_own_file(tmp_path: Path) -> None:
    with edit_host(tmp_path) as host:
        session = host.session()
        services = session.settings.services
        file = tmp_path / "forge.yaml"
        file.write_text(
            "services:\n  forge:  # mine\n    image: f\n    environment:\n"
            "      - FORGE_ARGS=--api\n    volumes:\n      - ./w:/workspace\n"
        )
        text = session.places.config_file.read_text()
        assert FORGE in services
        text += f'\n[services.other-forge]\nkind = "forge"\ncompose_file = "{file}"\n'
        session.places.config_file.write_text(text + 'compose_service = "forge"\n')
        before = file.read_text()
        answers = answers_of({"sharing": {"way": "forge", "forge": "other-forge"}})
        course = Course(open_session(host.environ), answers, applies=True)
        shown = course.look("sharing")
        assert shown.state == "needed", shown
        assert f'+      - "{host.models}:/comfyui-models:ro"' in shown.diff
        assert "--ckpt-dir" in shown.diff
        assert file.read_text() == before
        done = course.do("sharing")
        assert done.state == "done"
        assert "image: f" in file.read_text()
        assert "# mine" in file.read_text()
        # Forge makes folders that are missing, which it cannot where they are mounted read only.
        assert all((host.models / one).is_dir() for one in ("checkpoints", "loras", "embeddings"))
        copies = [Path(one) for one in done.wrote if "before-" in one]
        assert [one.read_text() for one in copies] == [before]
