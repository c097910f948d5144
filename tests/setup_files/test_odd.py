"""Odd names, folders, addresses and cards: taken as they are by both composes, or refused."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from actions.setup.files.comfyui import check_folder, comfyui_files, compose_file, extra_model_paths
from actions.setup.files.forge import forge_file
from actions.setup.files.torch import check_route, check_variant
from actions.setup.files.wanted import Card, SetupFilesError, Store
from console.errors import UsageError
from console.models.catalog import packaged_catalog
from tests.plans.command import run
from tests.setup_files.test_files import composes, wanted
from tests.support.fresh import FreshHost, fresh_host

ODD = (
    """/srv/a b/$HOME ${x}/it's "so"/ünï 日本/c: d #e/[f]{g},&*!|>%@`/back\\slash/-/""" + "x" * 200
)


@pytest.mark.parametrize("program", composes())
def test_odd_folders_are_the_same_for_compose(program: str, tmp_path: Path) -> None:
    given = {part: Path(f"{ODD}/{part}") for part in ("models", "data", "store")}
    this = wanted(
        models=given["models"], data=given["data"], store=Store(path=given["store"]), bind="::1"
    )
    for one in comfyui_files(this):
        (tmp_path / one.name).parent.mkdir(exist_ok=True)
        (tmp_path / one.name).write_text(one.text)
    done = subprocess.run(
        [program, "-f", "docker-compose-comfyui.yaml", "config"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "variable is not set" not in done.stderr
    service = YAML(typ="safe").load(done.stdout)["services"]["comfyui"]
    mounts = {one["target"]: one["source"].replace("$$", "$") for one in service["volumes"]}
    assert mounts["/opt/ComfyUI/models"] == str(given["models"])
    assert mounts["/data"] == str(given["data"])
    assert mounts["/store"] == str(given["store"])
    assert "::1" in json.dumps(service["ports"])


@pytest.mark.parametrize("text", ["/srv/a\nb", "/srv/\x00", "/srv/\u2028", "/srv/\udcff", "/\x85"])
def test_what_is_no_line_of_text_gets_into_no_file(text: str) -> None:
    with pytest.raises(UsageError, match="no text"):
        compose_file(wanted(models=Path(text)))
    with pytest.raises(UsageError, match="no text"):
        extra_model_paths(wanted(store=Store(path=Path(text))))


@pytest.mark.parametrize("name", ["123", "on", "null", "1e3", "yes", "0x1F", "A.B_c", "x" * 63])
def test_a_name_that_yaml_reads_otherwise_stays_a_name(name: str) -> None:
    text = compose_file(wanted(service=name, container=name)).text
    (service,) = YAML(typ="safe", pure=True).load(text)["services"].items()
    assert (service[0], service[1]["container_name"]) == (name, name)


@pytest.mark.parametrize(
    "name", ["", "x", "a b", "a$b", 'a"b', "ünï", "-x", "~", "x: y", "#x", "a/b", "../b", "a\nb",
             "x" * 64],
)  # fmt: skip
def test_a_name_that_compose_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="take no such name"):
        compose_file(wanted(service=name))
    with pytest.raises(UsageError, match="take no such name"):
        forge_file(wanted(container=name))


@pytest.mark.parametrize(
    ("bind", "written", "wide"),
    [
        ("127.0.0.1", "127.0.0.1:8188:8188", False),
        ("127.8.0.1", "127.8.0.1:8188:8188", False),
        ("::1", "[::1]:8188:8188", False),
        ("0.0.0.0", "0.0.0.0:8188:8188", True),
        ("::", "[::]:8188:8188", True),
        ("192.0.2.7", "192.0.2.7:8188:8188", True),
    ],
)
def test_whatever_address_is_open_to_others_says_so(bind: str, written: str, wide: bool) -> None:
    text = compose_file(wanted(bind=bind)).text
    assert f'- "{written}"' in text
    assert ("put a login in front" in text) is wide


@pytest.mark.parametrize("bind", ["", "lan", "localhost", "fe80::1%eth0", "127.0.0.1:80", '1"\n'])
def test_what_is_no_address_is_refused(bind: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        compose_file(wanted(bind=bind))


@pytest.mark.parametrize("name", ["日本", "-_-", "ß"])
def test_a_folder_after_which_compose_cannot_call_a_project_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="calls a project after its folder"):
        check_folder(Path("/srv") / name)
    check_folder(Path("/srv") / f"{name} 1")


def _card(capability: str) -> Card:
    return Card(index=0, uuid="GPU-x", name="it", capability=capability)


@pytest.mark.parametrize("capability", ["7.5", "8.6", "8.9", "12.0", "12.1", ""])
def test_nunchaku_is_made_for_turing_to_ada_and_for_blackwell(capability: str) -> None:
    check_route("nunchaku", _card(capability))


@pytest.mark.parametrize("capability", ["7.0", "9.0", "10.0"])
def test_nunchaku_is_made_for_no_other_card(capability: str) -> None:
    with pytest.raises(SetupFilesError, match=r"7\.5 to 8\.9 or 12\.0 to 12\.1"):
        check_route("nunchaku", _card(capability))


@pytest.mark.parametrize(
    ("quant", "capability", "runs"),
    [("int4", "8.6", True), ("int4", "12.0", False), ("fp4", "12.0", True), ("fp4", "8.9", False)],
)
def test_each_of_nunchakus_weights_is_for_its_own_cards(
    quant: str, capability: str, runs: bool
) -> None:
    variants = packaged_catalog().variants
    variant = next(one for one in variants if f"nunchaku-{quant}" in one.id)
    if runs:
        check_variant(variant, _card(capability))
    else:
        with pytest.raises(SetupFilesError, match=f"{variant.id} needs compute capability"):
            check_variant(variant, _card(capability))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshHost]:
    with fresh_host(tmp_path_factory.mktemp("odd")) as made:
        yield made


def _files(host: FreshHost, *words: str) -> "subprocess.CompletedProcess[str]":
    return run(host.environ, "setup", "files", "--models", str(host.models), *words)


def test_each_reads_the_others_store_and_not_its_own(host: FreshHost, tmp_path: Path) -> None:
    (tmp_path / "ckpt").mkdir()
    found = _files(host, "--kind", "extra-model-paths", "--store", str(tmp_path))
    assert "ai_dock:" in found.stdout
    forge = _files(host, "--kind", "forge", "--store", str(tmp_path))
    assert f"source: {tmp_path}" in forge.stdout
    assert "--controlnet-dir=/comfyui-models/controlnet" in forge.stdout
    own = _files(host, "--kind", "compose", "--store", str(tmp_path), "--store-kind", "comfyui")
    assert (own.returncode, own.stdout) == (2, "")
    assert "--store-kind forge or ai-dock" in own.stderr
    own = _files(host, "--kind", "forge", "--store", str(tmp_path), "--store-kind", "forge")
    assert own.returncode == 2


def test_what_is_to_be_made_first_is_said_so_that_a_shell_takes_it(
    host: FreshHost, tmp_path: Path
) -> None:
    place = tmp_path / "it's $here"
    done = _files(host, "--out", str(place), "--data", str(place / "data"), "--yes")
    assert done.returncode == 0, done.stderr
    (line,) = [one for one in done.stderr.splitlines() if "mkdir" in one]
    subprocess.run(line.partition(": ")[2], shell=True, check=True)
    assert (place / "data/user").is_dir()
    again = _files(host, "--out", str(place), "--data", str(place / "data"), "--yes")
    assert "mkdir" not in again.stderr
    forge = _files(host, "--kind", "forge", "--out", str(place), "--yes")
    assert f"write WEB_TOKEN=... into {place}/forge.env" in forge.stderr


@pytest.mark.parametrize(
    "words", [("--out", ""), ("--models", ""), ("--out", "/tmp/日本"), ("--service", "a b")]
)
def test_what_makes_no_sense_ends_with_2_before_anything_is_written(
    host: FreshHost, words: tuple[str, ...]
) -> None:
    done = _files(host, *words, "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
