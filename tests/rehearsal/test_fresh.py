"""What a fresh rehearsal is made of: images that come and go, ports, mounts, compose."""

import contextlib
import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from actions.fit.matrix import matrix
from actions.session import open_session
from actions.setup.answers import Answers
from actions.setup.course import Course
from actions.status import read_status
from console.errors import UsageError
from console.simulator.hub.shelf import MINIATURE, shelved
from console.simulator.mounted import Mounted
from console.simulator.operator import at_home, lay_out_docker, lay_out_programs, path_of
from console.simulator.scenario import load_scenario
from console.simulator.scene import ContainerSpec
from console.units import format_bytes
from tests.support.fresh import FreshHost, free_port, fresh_host
from tests.support.waiting import wait_until

IMAGE = "gpuconsole-comfyui:0.33.0-core-cu128"
FORGE = "ghcr.io/ai-dock/stable-diffusion-webui-forge"
DOCKERFILE = 'FROM python:3.12-slim\nRUN pip install torch\nCMD ["python", "main.py"]\n'


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshHost]:
    """Give a host that the tests of this file share; each uses names of its own."""
    with fresh_host(tmp_path_factory.mktemp("fresh"), compose="stand-in") as host:
        yield host


class _Engine(http.client.HTTPConnection):
    """The rehearsal's engine, without a client of ours."""

    def __init__(self, host: FreshHost) -> None:
        super().__init__("localhost", timeout=30)
        self._path = host.environ["DOCKER_HOST"].removeprefix("unix://")

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def ask(host: FreshHost, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Ask the engine; gives the status and, of JSON, what it says."""
    with contextlib.closing(_Engine(host)) as engine:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
        engine.request(method, path, data, {"Content-Type": kind})
        answer = engine.getresponse()
        lines = [json.loads(line) for line in answer.read().splitlines() if line.strip()]
        return answer.status, lines[0] if len(lines) == 1 else lines


def context(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            made.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def images(host: FreshHost) -> list[str]:
    _, found = ask(host, "GET", "/images/json")
    several = found if isinstance(found, list) else [found]
    return [name for one in several for name in one["RepoTags"]]


def test_nobody_has_set_it_up(fresh: FreshHost) -> None:
    assert not fresh.config.exists()
    assert ask(fresh, "GET", "/containers/json?all=1") == (200, [])
    assert [one for one in fresh.models.rglob("*") if one.is_file()] == []
    assert fresh.environ["HOME"] == str(fresh.home)
    snapshot = read_status(fresh.session())
    assert [one.processes for one in snapshot.gpu.gpus] == [(), ()]


def test_files_are_miniatures_and_are_weighed_as_the_real_ones(fresh: FreshHost) -> None:
    session = fresh.session()
    weighed = {one.variant: one.need_bytes for one in matrix(session, read_status(session))}
    for small, real in zip(shelved(True), shelved(), strict=True):
        assert (small.id, small.whole) == (real.id, real.body.size)
        entry = session.catalog.file(small.id)
        if entry is None:
            continue
        assert (entry.bytes, entry.loaded_bytes) == (small.body.size, real.body.size)
        assert small.body.size <= max(real.body.size // MINIATURE, 256 << 10)
        need = weighed.get(small.id)
        if isinstance(need, int):
            assert need > real.body.size, f"{small.id} needs {format_bytes(need)}"


def test_whoever_chooses_a_variant_reads_how_large_the_real_one_is(fresh: FreshHost) -> None:
    look = Course(fresh.session(), Answers({}), applies=False).look("variant")
    assert look.table is not None
    size, fetch = (look.table.head.index(name) for name in ("size", "to fetch"))
    for row in look.table.rows:
        assert row[size].endswith("GiB"), row
        assert row[fetch].endswith("MiB") or row[fetch] == "nothing", row
    assert any("small" in line for line in look.found)


def test_whoever_leaves_in_the_middle_of_a_build_has_no_image(tmp_path: Path) -> None:
    with fresh_host(tmp_path) as host:
        with contextlib.closing(_Engine(host)) as engine:
            head = {"Content-Type": "application/x-tar"}
            engine.request("POST", f"/build?t={IMAGE}", context(Dockerfile=DOCKERFILE), head)
            answer = engine.getresponse()
            assert b"Step 1/3" in answer.readline()
        # Longer than the build would have taken.
        begun = host.rehearsal.look(lambda world: world.stage.time())
        wait_until(lambda: host.rehearsal.look(lambda world: world.stage.time()) > begun + 1.5, 20)
        assert images(host) == []


def test_the_registry_has_what_the_scene_says(fresh: FreshHost) -> None:
    status, said = ask(fresh, "POST", f"/images/create?fromImage={FORGE}&tag=latest-cuda")
    assert status == 200
    assert said[0]["status"] == f"Pulling from {FORGE}"
    assert {"current", "total"} <= set(said[2]["progressDetail"])
    assert f"{FORGE}:latest-cuda" in images(fresh)
    status, said = ask(fresh, "POST", "/images/create?fromImage=nobody/nothing&tag=1")
    assert (status, "pull access denied" in said["message"]) == (404, True)
    where = quote(f"{FORGE}:latest-cuda", safe="/:")
    assert ask(fresh, "DELETE", f"/images/{where}")[0] == 200
    assert f"{FORGE}:latest-cuda" not in images(fresh)


def test_what_is_to_be_mounted_must_be_there_unless_it_is_to_be_made(fresh: FreshHost) -> None:
    ask(fresh, "POST", f"/build?t={IMAGE}", context(Dockerfile=DOCKERFILE))
    body: dict[str, Any] = {
        "Image": IMAGE,
        "HostConfig": {"Mounts": [{"Type": "bind", "Source": "/not/there", "Target": "/data"}]},
    }
    status, said = ask(fresh, "POST", "/containers/create?name=lacking", body)
    assert (status, said["message"]) == (
        400,
        'invalid mount config for type "bind": bind source path does not exist: /not/there',
    )
    mount = {"Source": str(fresh.models), "Target": "/opt/ComfyUI/models", "ReadOnly": True}
    body["HostConfig"]["Mounts"] = [{"Type": "bind", **mount}]
    status, made = ask(fresh, "POST", "/containers/create?name=mounting", body)
    assert status == 201
    _, found = ask(fresh, "GET", f"/containers/{made['Id']}/json")
    assert [(one["Source"], one["RW"]) for one in found["Mounts"]] == [(str(fresh.models), False)]
    ask(fresh, "DELETE", "/containers/mounting")


def test_two_rehearsals_do_not_share_a_port(fresh: FreshHost, tmp_path: Path) -> None:
    number = free_port()
    bindings = {"8188/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(number)}]}
    every = [{"Count": -1, "Capabilities": [["gpu"]]}]
    body = {"Image": IMAGE, "HostConfig": {"PortBindings": bindings, "DeviceRequests": every}}
    with fresh_host(tmp_path) as other:
        for host in (fresh, other):
            ask(host, "POST", f"/build?t={IMAGE}", context(Dockerfile=DOCKERFILE))
            assert ask(host, "POST", "/containers/create?name=porter", body)[0] == 201
        assert ask(fresh, "POST", "/containers/porter/start")[0] == 204
        status, said = ask(other, "POST", "/containers/porter/start")
        assert status == 500
        assert f"failed to bind host port 127.0.0.1:{number}/tcp" in said["message"]
        assert ask(fresh, "DELETE", "/containers/porter?force=1")[0] == 204
        assert ask(other, "POST", "/containers/porter/start")[0] == 204
        wait_until(lambda: _answers(number), 20)


def _answers(number: int) -> bool:
    try:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", number)) as service:
            service.request("GET", "/system_stats")
            return service.getresponse().status == 200
    except OSError:
        return False


COMPOSE = """\
services:
  thing:
    container_name: thing
    image: {image}
    init: true
    restart: on-failure:3
    stop_grace_period: 12s
    user: "1000:1000"
    command: python main.py --listen 0.0.0.0 --say "two words" --price $$5 --of ${{OF:-everybody}}
    env_file: [thing.env]
    environment:
      CUDA_DEVICE_ORDER: PCI_BUS_ID
      MARK: "true"
    labels: {{mine: "yes"}}
    ports: ["127.0.0.1:{port}:8188", "{other}:9000/udp"]
    volumes:
      - ./data:/data
      - type: bind
        source: {models}
        target: /opt/ComfyUI/models
        read_only: true
    deploy:
      resources:
        reservations:
          devices: [{{driver: nvidia, count: all, capabilities: [gpu]}}]
    healthcheck:
      test: ["CMD", "true"]
      interval: 7s
      timeout: 2s
      retries: 4
      start_period: 1m30s
"""


def composes() -> list[str]:
    beside = Path(sys.executable).with_name("docker-compose")
    usual = shutil.which("docker-compose", path=os.defpath)
    return ["", *filter(None, (usual, str(beside) if beside.exists() else None))]


def test_the_stand_in_makes_what_the_real_ones_make(fresh: FreshHost) -> None:
    if len(composes()) < 2:
        pytest.skip("this machine has no compose to compare with")
    ask(fresh, "POST", f"/build?t={IMAGE}", context(Dockerfile=DOCKERFILE))
    folder = fresh.home / "compared"
    (folder / "data").mkdir(parents=True)
    (folder / "thing.env").write_text("# a comment\nSECRET=in a file\n")
    text = COMPOSE.format(image=IMAGE, port=free_port(), other=free_port(), models=fresh.models)
    (folder / "docker-compose.yml").write_text(text)
    made = []
    for program in composes():
        stand_in = shutil.which("docker-compose", path=fresh.environ["PATH"])
        file = str(folder / "docker-compose.yml")
        words = [program or str(stand_in), "-f", file, "up", "-d"]
        done = subprocess.run(
            words, cwd=folder, env=fresh.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        made.append(_facts(fresh))
        assert ask(fresh, "DELETE", "/containers/thing?force=1")[0] == 204
    for one in made[1:]:
        assert one == made[0]


def _facts(host: FreshHost) -> dict[str, Any]:
    _, found = ask(host, "GET", "/containers/thing/json")
    config, own = found["Config"], found["HostConfig"]
    labels = {"project", "service", "project.working_dir", "project.config_files", "oneoff"}
    return {
        "env": sorted(config["Env"]),
        "command": config["Cmd"],
        "labels": {
            name: value
            for name, value in config["Labels"].items()
            if name == "mine" or name.removeprefix("com.docker.compose.") in labels
        },
        "health": config["Healthcheck"],
        "mounts": sorted((one["Source"], one["Destination"], one["RW"]) for one in found["Mounts"]),
        **{
            key: own.get(key)
            for key in ("PortBindings", "RestartPolicy", "Init", "NetworkMode", "DeviceRequests")
        },
    }


def test_an_older_docker_builds_as_well(fresh: FreshHost, tmp_path: Path) -> None:
    """Docker's own client takes BuildKit unless it is told that there is none here."""
    docker = shutil.which("docker", path=os.defpath)
    if docker is None:
        pytest.skip("this machine has no docker of its own")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    words = [docker, "build", "-t", "by-hand:1", str(tmp_path)]
    done = subprocess.run(words, env=fresh.environ, capture_output=True, text=True, check=False)
    assert (done.returncode, "Successfully tagged by-hand:1" in done.stdout) == (0, True), done
    assert "by-hand:1" in images(fresh)
    # What docker notes for itself stays in here.
    assert Path(fresh.environ["DOCKER_CONFIG"]).parent == fresh.home


def test_docker_has_the_plugins_of_the_caller_and_not_their_logins(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "cli-plugins").mkdir(parents=True)
    (own / "config.json").write_text('{"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}}')
    (own / "cli-plugins" / "docker-compose").write_text("#!/bin/sh\n")
    (tmp_path / "home").mkdir()
    lay_out_docker(tmp_path / "home", {"DOCKER_CONFIG": str(own)})
    there = Path(at_home(tmp_path / "home")["DOCKER_CONFIG"])
    assert [one.name for one in there.rglob("*")] == ["cli-plugins"]
    assert (there / "cli-plugins" / "docker-compose").is_file()


def test_this_very_program_is_found_in_there(tmp_path: Path) -> None:
    """A shell in a rehearsal knows `gpuconsole`, from a clone that is not installed too."""
    bare = {"PATH": os.defpath, "HOME": str(tmp_path)}
    lay_out_programs("", tmp_path / "bin", bare)
    path = path_of(load_scenario("fresh-host"), tmp_path / "bin", bare)
    done = subprocess.run(
        ["gpuconsole", "--version"], env={**bare, "PATH": path}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout[:10]) == (0, "gpuconsole"), done


def test_the_stand_in_says_what_is_wrong(fresh: FreshHost, tmp_path: Path) -> None:
    stand_in = str(shutil.which("docker-compose", path=fresh.environ["PATH"]))

    def run(text: str, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [stand_in, "-f", "-", *words], input=text, cwd=tmp_path, env=fresh.environ,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert run("services: {a: {image: x}}", "config", "--quiet").returncode == 0
    for text in ("services: [", "a: 1", "services: {a: {}}"):
        done = run(text, "config", "--quiet")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.strip()
    gone = run("services: {a: {image: nobody/nothing}}", "up", "-d", "--", "a")
    assert (gone.returncode, "pull access denied" in gone.stderr) == (1, True)
    unknown = run("services: {a: {image: x}}", "up", "-d", "--", "b")
    assert (unknown.returncode, "no such service: b" in unknown.stderr) == (1, True)


def test_a_catalogue_named_by_the_environment_counts_and_is_named_where_it_is_wrong(
    fresh: FreshHost, tmp_path: Path
) -> None:
    own = tmp_path / "catalog.toml"
    own.write_text('[[files]]\nid = "qwen-image-vae"\nloaded_bytes = 7_000_000_000\n')
    session = open_session({**fresh.environ, "GPUCONSOLE_CATALOG": str(own)})
    vae = session.needed_catalog().file("qwen-image-vae")
    assert vae is not None
    real = next(one.body.size for one in shelved() if one.id == "qwen-image-vae")
    assert (vae.loaded_bytes, vae.bytes) == (7_000_000_000, real)
    for text in ("not TOML", '[[files]]\nid = "qwen-image-vae"\nloaded_bytes = -1\n'):
        own.write_text(text)
        session = open_session({**fresh.environ, "GPUCONSOLE_CATALOG": str(own)})
        with pytest.raises(UsageError) as wrong:
            session.needed_catalog()
        assert "GPUCONSOLE_CATALOG" in wrong.value.hint


def test_a_mounted_file_of_paths_adds_the_folders_that_it_names(tmp_path: Path) -> None:
    for name in ("models/vae", "forge/models/VAE", "data/output"):
        (tmp_path / name).mkdir(parents=True)
    paths = tmp_path / "extra_model_paths.yaml"
    paths.write_text("forge:\n  base_path: /store\n  vae: models/VAE\n  loras: models/Lora\n")
    spec = ContainerSpec(
        image="comfyui:1",
        command=("python", "main.py", "--output-directory", "/data/output"),
        mounts=(
            f"{tmp_path}/models:/opt/ComfyUI/models:ro",
            f"{tmp_path}/forge:/store:ro",
            f"{paths}:/opt/ComfyUI/extra_model_paths.yaml:ro",
            f"{tmp_path}/data:/data",
        ),
    )
    mounted = Mounted(spec, tmp_path / "usual")
    assert mounted.models("vae") == [tmp_path / "models/vae", tmp_path / "forge/models/VAE"]
    assert mounted.models("diffusion_models")[:2] == [
        tmp_path / "models/diffusion_models",
        tmp_path / "models/unet",
    ]
    assert mounted.files() == tmp_path / "data"
    plain = Mounted(ContainerSpec(image="comfyui:1"), tmp_path / "usual")
    assert plain.models("vae") == [tmp_path / "usual" / "vae"]
    assert plain.files() == tmp_path
