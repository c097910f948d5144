"""From a bare host to a picture, and what keeps somebody from it there."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from console.compose.command import find_compose
from console.simulator.actor import Actor
from tests.plans.command import start
from tests.support.fresh import FreshHost, free_port, fresh_host, mounted
from tests.support.program import ROOT
from tests.support.waiting import wait_until

NAME = "comfyui-qwen"
GIB = 1 << 30
GGUF, NUNCHAKU = "qwen-edit-2509-gguf-q4_k_m", "qwen-edit-2509-nunchaku-int4-r32"
LOADERS = {"UnetLoaderGGUF", "NunchakuQwenImageDiTLoader"}


def set_up(host: FreshHost, *words: str, answers: str = "") -> dict[str, Any]:
    """Run setup to its end without a terminal; gives what it reports."""
    path = str(host.answers(answers))
    process = start(host.environ, "setup", "--answers", path, "--yes", "--json", *words)
    out, err = process.communicate(timeout=110)
    try:
        told: dict[str, Any] = json.loads(out)["data"]
    except (ValueError, KeyError):
        pytest.fail(out + err)
    told["code"] = process.returncode
    return told


def states(told: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["state"] for one in told["steps"]}


def step(told: dict[str, Any], ident: str) -> dict[str, Any]:
    return next(one for one in told["steps"] if one["id"] == ident)


def comfyui(host: FreshHost) -> Actor:
    return host.rehearsal.actor(NAME)


def custom_nodes(host: FreshHost) -> set[str]:
    """Give the nodes that its ComfyUI has beside its own: those that the Dockerfile installs."""
    with urllib.request.urlopen(f"http://127.0.0.1:{host.port}/object_info") as answer:
        nodes = json.loads(answer.read())
    return {name for name, one in nodes.items() if "custom_nodes" in one["python_module"]}


def test_the_demo_leads_from_a_bare_host_to_a_picture(tmp_path: Path) -> None:
    """As somebody types it: `gpuconsole demo --scenario fresh-host -- sh`, and in there setup."""
    answers = tmp_path / "answers.toml"
    answers.write_text(f'[comfyui]\nport = "{free_port()}"\n')
    inside = (
        f'test ! -e "$XDG_CONFIG_HOME/gpuconsole/config.toml" && '
        f"gpuconsole setup --answers {answers} --yes --json > {tmp_path}/told.json; "
        f"echo $? > {tmp_path}/code; gpuconsole doctor > {tmp_path}/doctor.txt; "
        f'echo $? >> {tmp_path}/code; cp -r "$HOME" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" {tmp_path}'
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-P", "-m", "console", "demo", "--scenario", "fresh-host"]
    done = subprocess.run(
        [*words, "--", "sh", "-c", inside], env=environ, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "told.json").read_text()
    doctor = (tmp_path / "doctor.txt").read_text()
    assert (tmp_path / "code").read_text() == "0\n0\n", text + doctor
    assert "nothing is wrong" in doctor
    told = json.loads(text)
    assert told["rehearsal"] is True
    assert told["data"]["finished"]
    done_ones = {name for name, state in states(told["data"]).items() if state == "done"}
    assert done_ones >= {"host", "cards", "variant", "comfyui", "fetch", "start", "verify"}
    assert "first-edit" in done_ones
    picture = next((tmp_path / "data").rglob("[!.]*/*-edit-single-*.png"))
    with Image.open(picture) as made:
        assert "prompt" in made.info
    config = (tmp_path / "config" / "gpuconsole" / "config.toml").read_text()
    assert f"[services.{NAME}]" in config
    compose = tmp_path / "work" / "gpuconsole" / NAME / "docker-compose-comfyui.yaml"
    assert "--cuda-device 1" in compose.read_text()


@pytest.fixture
def fresh(tmp_path: Path) -> Any:
    """Give the host of this test alone."""
    with fresh_host(tmp_path, compose="stand-in") as host:
        yield host


def test_what_comes_of_it_is_what_the_files_say(fresh: FreshHost) -> None:
    """With a variant that needs a node of somebody else's, unlike the one that is recommended."""
    words = f'service.variant = "{GGUF}"'
    told = set_up(fresh, answers=words)
    assert told["code"] == 0, told
    assert custom_nodes(fresh) & LOADERS == {"UnetLoaderGGUF"}
    made = comfyui(fresh)
    spec = made.spec
    assert (spec.card, spec.init, spec.restart) == (1, True, "unless-stopped")
    assert spec.ports == (f"127.0.0.1:{fresh.port}:8188/tcp",)
    assert f"{fresh.models}:/opt/ComfyUI/models:ro" in spec.mounts
    # The picture lies where the compose file says, and it is another than the one that went in.
    there = sorted((fresh.home / "gpuconsole" / NAME / "data" / "output").rglob("*.png"))
    kept = fresh.outputs()
    assert len(there) == len(kept) == 1
    sample = ROOT / "assets" / "pictures" / "mug.png"
    with Image.open(sample) as before, Image.open(kept[0]) as after:
        small = [one.convert("RGB").resize((32, 32)).tobytes() for one in (before, after)]
    assert small[0] != small[1]
    # It holds what the real one would, though its files are miniatures.
    held = fresh.rehearsal.look(lambda world: made.moment(world.stage.now))
    assert held is not None
    assert 12 * GIB < held.vram_bytes < 23 * GIB, held
    assert sum(one.stat().st_size for one in fresh.models.rglob("*.*")) < GIB // 8
    # Twice is once: nothing is to be done any more.
    again = set_up(fresh, answers=words)
    assert (again["code"], [one["wrote"] for one in again["steps"] if one["wrote"]]) == (0, [])
    assert len(fresh.outputs()) == 1


def test_a_machine_without_compose_has_one_that_stands_in(tmp_path: Path) -> None:
    """And where there is one, the newest makes the same, on a card given by its UUID."""
    newest = Path(sys.executable).with_name("docker-compose")
    with fresh_host(tmp_path, flavour="one-card", compose="stand-in") as host:
        found = find_compose(host.environ, host.session().endpoint)
        assert str(host.rehearsal.places.folder) in found.words[0]
        if newest.exists():
            host.environ["PATH"] = f"{newest.parent}:{host.environ['PATH']}"
        told = set_up(host, answers='skip = ["fetch", "first-edit"]')
        assert told["code"] == 0, told
        assert states(told)["verify"] == "done"
        spec = comfyui(host).spec
        assert (spec.card, spec.gpus) == (0, ("GPU-8b2d6e07-51fa-4c39-b7d8-19e4a3c6f520",))
        assert (spec.init, spec.restart) == (True, "unless-stopped")
        assert f"{host.models}:/opt/ComfyUI/models:ro" in spec.mounts
        label = "com.docker.compose.project.working_dir"
        assert spec.labels[label] == str(host.home / "gpuconsole" / NAME)


def test_a_variant_for_the_other_card_has_its_own_nodes(fresh: FreshHost) -> None:
    words = f'service.variant = "{NUNCHAKU}"\nservice.gpu = "3080"\nskip = ["fetch"]'
    assert states(set_up(fresh, answers=words))["verify"] == "done"
    assert comfyui(fresh).spec.card == 0
    assert custom_nodes(fresh) & LOADERS == {"NunchakuQwenImageDiTLoader"}


def test_docker_without_compose_is_told_with_what_to_install(tmp_path: Path) -> None:
    with fresh_host(tmp_path, flavour="no-compose") as host:
        assert shutil.which("docker-compose", path=host.environ["PATH"]) is None
        assert shutil.which("sh", path=host.environ["PATH"])
        told = set_up(host)
        assert told["code"] != 0
        words = json.dumps(told["steps"])
        assert "compose" in words
        assert "Install" in words or "install" in words
        assert states(told)["start"] == "blocked"


def test_without_internet_the_image_cannot_be_built_and_that_is_said(tmp_path: Path) -> None:
    with fresh_host(tmp_path, flavour="no-internet") as host:
        told = set_up(host)
        assert told["code"] != 0
        assert states(told)["comfyui"] == "failed"
        assert "registry" in json.dumps(step(told, "comfyui"))
        assert not host.outputs()


def test_a_disk_that_fills_up_ends_the_build(tmp_path: Path) -> None:
    with fresh_host(tmp_path, flavour="disk-full") as host:
        told = set_up(host)
        assert states(told)["comfyui"] == "failed"
        assert "space" in json.dumps(step(told, "comfyui"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small file system")
def test_a_disk_that_fills_up_during_the_fetch_leaves_what_is_here_and_goes_on(
    tmp_path: Path,
) -> None:
    with (
        fresh_host(tmp_path, compose="stand-in") as host,
        mounted(host.home / "small", "size=80m"),
    ):
        models = host.home / "small" / "models"
        (models / "vae").mkdir(parents=True)
        control = host.rehearsal.control
        control("hub-fault", fault={"kind": "slow", "rate": 4_000_000})
        words = f'[existing]\nmodels = "{models}"'
        path = str(host.answers(words))
        process = subprocess.Popen(
            [sys.executable, "-m", "console", "setup", "--answers", path, "--yes", "--json"],
            env=host.environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_until(lambda: any(one.stat().st_size for one in models.rglob("*part*")), 60)
        filler = host.home / "small" / "filler"
        with filler.open("wb") as opened:
            while True:
                try:
                    opened.write(b"x" * (1 << 20))
                    opened.flush()
                except OSError:
                    break
        out, err = process.communicate(timeout=60)
        told = json.loads(out)["data"]
        assert states(told)["fetch"] in {"failed", "blocked"}, out + err
        assert "no room" in json.dumps(step(told, "fetch"))
        filler.unlink()
        control("hub-heal")
        told = set_up(host, answers=f'skip = ["start"]\n{words}')
        assert states(told)["fetch"] == "done"


def test_a_card_too_small_for_anything_says_so_and_what_could_be_done(tmp_path: Path) -> None:
    with fresh_host(tmp_path, flavour="small-card") as host:
        told = set_up(host)
        cards = step(told, "cards")
        assert cards["state"] == "blocked"
        assert "too small" in cards["detail"]
        assert cards["commands"]
        assert not host.config.exists() or "services" not in host.config.read_text()


@pytest.mark.parametrize("flavour", ["foreign-file", "no-rights"])
def test_what_is_not_ours_is_left_alone_and_another_folder_does(
    tmp_path: Path, flavour: str
) -> None:
    with fresh_host(tmp_path, flavour=flavour, compose="stand-in") as host:
        before = {one: one.read_bytes() for one in (host.home / "gpuconsole").rglob("*.yaml")}
        told = set_up(host)
        assert states(told)["comfyui"] == "blocked"
        assert "folder" in json.dumps(step(told, "comfyui")["commands"])
        assert {one: one.read_bytes() for one in before} == before
        if flavour == "no-rights":
            assert str(host.home / "gpuconsole") in step(told, "comfyui")["detail"]
            return
        other = f'skip = ["fetch", "start", "first-edit"]\ncomfyui.folder = "{host.home}/elsewhere"'
        assert states(set_up(host, answers=other))["comfyui"] == "done"
        assert list((host.home / "elsewhere").rglob("*.yaml"))


def test_a_port_that_somebody_has_is_taken_here_as_well(tmp_path: Path) -> None:
    with (
        fresh_host(tmp_path, compose="stand-in") as host,
        socket.create_server(("127.0.0.1", 0)) as somebody,
    ):
        host.port = somebody.getsockname()[1]
        told = set_up(host)
        assert states(told)["comfyui"] == "blocked"
        assert str(host.port) in step(told, "comfyui")["detail"]


def test_the_other_half_of_a_host_that_is_half_done(tmp_path: Path) -> None:
    with fresh_host(tmp_path, flavour="half-done", compose="stand-in") as host:
        assert not host.config.exists()
        before = {one: one.read_bytes() for one in host.home.rglob("docker-compose*")}
        assert len(before) == 2
        told = set_up(host)
        assert (told["code"], states(told)["first-edit"]) == (0, "done"), told
        text = host.config.read_text()
        assert "[services.comfyui]" in text
        assert "[services.forge]" in text
        # Nobody said that a Forge is to be corrected: its file stays.
        assert {one: one.read_bytes() for one in before} == before
        assert "9001" in json.dumps(step(told, "existing"))
