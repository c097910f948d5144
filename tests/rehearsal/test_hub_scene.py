"""The hub of a rehearsal: the catalogue's files, the models on disk, and the scenes about them."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.models.catalog import packaged_catalog
from console.models.inventory.headers import header_from, read_header
from console.models.own_catalog import read_catalog
from console.simulator.held import HeldRehearsal, held_rehearsal
from console.simulator.hub.bodies import Hollow
from console.simulator.hub.faults import KINDS
from console.simulator.hub.headers import gguf_header, safetensors_header, tensors_of
from console.simulator.hub.shelf import Shelved, shelved
from console.simulator.rehearsal import rehearsal
from tests.support.hub import EVERYTHING, NOTHING

HF = Path(sys.executable).with_name("hf")
REHEARSAL = Path(__file__).parents[2] / "docs" / "rehearsal.md"
FP8 = "Comfy-Org/Qwen-Image-Edit_ComfyUI"
FP8_PATH = "split_files/diffusion_models/qwen_image_edit_2509_fp8_e4m3fn.safetensors"


def head(url: str, path: str, token: str = "", method: str = "HEAD") -> tuple[int, dict[str, str]]:
    """Give the status and the headers of an answer, following nothing."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{url}{path}", headers=headers, method=method)
    opener = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def read(body: Hollow, start: int, stop: int) -> bytes:
    return bytes(body.piece(start, min(stop, body.size, start + (1 << 20))))


@pytest.mark.parametrize("file", shelved(), ids=lambda file: file.id)
def test_each_file_has_a_header_that_promises_its_very_size(file: Shelved) -> None:
    body = file.body
    header = header_from(lambda start, stop: read(body, start, stop), body.size, file.name)
    assert header.problem is None
    assert header.promised_bytes == body.size
    assert header.format == file.path.rpartition(".")[2]
    assert file.known.startswith(f"{file.mark} "), "run python -m console.simulator.hub.shelf"


def test_hashes_are_those_of_the_bytes_and_no_two_files_are_the_same() -> None:
    assert len({file.body.sha256 for file in shelved()}) == len(shelved())
    small = [file for file in shelved() if file.body.size < 300_000_000]
    assert len(small) > 3
    for file in small:
        assert Hollow(file.body.header, file.body.size).sha256 == file.body.sha256


TENSORS = tensors_of([["in.weight", [64, 256]], ["in.bias", [256]], ["b.{}.w", [256, 256]]], 5)


@given(size=st.integers(2_000, 3_000_000), kind=st.sampled_from(["F8_E4M3", "BF16", "F32"]))
def test_a_safetensors_header_fits_any_size(size: int, kind: str) -> None:
    data = safetensors_header(TENSORS, kind, size, {"made": "up"})
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8:])
    spans = sorted(one["data_offsets"] for name, one in table.items() if name != "__metadata__")
    assert len(data) == length + 8
    assert spans[0][0] == 0
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
    assert 8 + length + spans[-1][1] == size


@given(size=st.integers(2_000, 3_000_000), kind=st.sampled_from([1, 2, 8, 12, 14, 30]))
def test_a_gguf_header_fits_any_size(size: int, kind: int) -> None:
    data = gguf_header(TENSORS, kind, size, "qwen_image", {"general.name": "made up"})
    body = Hollow(data, size)
    header = header_from(lambda start, stop: read(body, start, stop), size, "x.gguf")
    assert header.problem is None
    assert header.promised_bytes == size


@pytest.mark.parametrize("make", [safetensors_header, gguf_header])
def test_what_is_too_short_for_a_header_is_refused(make: Any) -> None:
    kind = "BF16" if make is safetensors_header else 1
    facts: tuple[Any, ...] = ({},) if make is safetensors_header else ("qwen_image", {})
    with pytest.raises(ValueError, match="no header fits a file of 50 bytes"):
        make(TENSORS, kind, 50, *facts)


@pytest.fixture(scope="module")
def host() -> Iterator[HeldRehearsal]:
    with held_rehearsal("studio") as host:
        yield host


def test_the_models_on_disk_are_those_of_the_hub(host: HeldRehearsal) -> None:
    name = "qwen_image_vae.safetensors"
    path = "/Comfy-Org/Qwen-Image_ComfyUI/resolve/main/split_files/vae/" + name
    status, facts = head(host.hub.url, path)
    on_disk = (host.places.models / "vae" / name).read_bytes()
    assert status == 302
    assert facts["X-Linked-Size"] == str(len(on_disk))
    assert facts["X-Linked-Etag"] == f'"{hashlib.sha256(on_disk).hexdigest()}"'
    for place in host.places.models.rglob("*"):
        if place.suffix in (".gguf", ".safetensors"):
            assert read_header(place).promised_bytes == place.stat().st_size
            assert place.stat().st_blocks * 512 < 1_000_000


def test_the_rehearsal_s_catalogue_has_the_hashes_of_its_hub(host: HeldRehearsal) -> None:
    config = Path(host.environ["XDG_CONFIG_HOME"]) / "gpuconsole" / "config.toml"
    named = Path(tomllib.loads(config.read_text())["paths"]["catalog"])
    packaged = packaged_catalog()
    catalog = read_catalog(named, packaged)
    by_id = {file.id: file for file in shelved()}
    assert [file.id for file in catalog.files] == [file.id for file in packaged.files]
    for file, before in zip(catalog.files, packaged.files, strict=True):
        assert file.sha256 == by_id[file.id].body.sha256
        assert file.bytes == by_id[file.id].body.size
        if before.bytes is not None:
            assert file.bytes == before.bytes, "a file is as long as the real one"
        revision = before.asked_revision
        status, facts = head(host.hub.url, f"/{file.repo}/resolve/{revision}/{file.path}")
        assert (status, facts["X-Linked-Etag"]) == (302, f'"{file.sha256}"')


def test_nobody_s_own_token_goes_to_the_rehearsal(host: HeldRehearsal, tmp_path: Path) -> None:
    assert host.environ["HF_TOKEN"] == host.environ["HUGGING_FACE_HUB_TOKEN"] == ""
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_TOKEN_PATH"):
        assert Path(host.environ[name]).is_relative_to(host.places.folder)
    assert host.environ["HF_ENDPOINT"] == host.hub.url
    assert host.hub.url.startswith("http://127.0.0.1:")


def test_a_fault_comes_on_cue_and_goes_again(host: HeldRehearsal) -> None:
    path = "/rehearsal/small/resolve/main/loras/evening.safetensors"
    host.control("hub-fault", fault={"kind": "error", "status": 502})
    assert head(host.hub.url, path)[0] == 502
    host.control("hub-heal", error="error")
    assert head(host.hub.url, path)[0] == 302
    host.control("hub-fault", fault={"kind": "rate-limit", "times": 1, "retry_after": 3})
    assert head(host.hub.url, path)[1]["Retry-After"] == "3"
    with pytest.raises(ValueError, match="no fault is called 'nonsense'"):
        host.control("hub-fault", fault={"kind": "nonsense"})


def test_a_script_lets_the_hub_misbehave_when_its_time_has_come() -> None:
    path = f"/{FP8}/resolve/main/{FP8_PATH}"
    with held_rehearsal("token-revoked") as host:
        token = (Path(host.environ["HF_TOKEN_PATH"])).read_text()
        assert token == EVERYTHING
        assert head(host.hub.url, path, token)[0] == 302
        host.advance(19)
        assert head(host.hub.url, path, token)[0] == 302
        host.advance(2)
        assert head(host.hub.url, path, token)[0] == 401


def test_scenes_are_as_their_titles_say() -> None:
    path = f"/{FP8}/resolve/main/{FP8_PATH}"
    lora = "Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors"
    with held_rehearsal("gated") as host:
        assert Path(host.environ["HF_TOKEN_PATH"]).stat().st_mode & 0o777 == 0o600
        assert head(host.hub.url, path)[0] == 401
        status, facts = head(host.hub.url, path, NOTHING)
        assert (status, facts["X-Error-Code"]) == (403, "GatedRepo")
    with held_rehearsal("hub-down") as host, pytest.raises(urllib.error.URLError, match="refused"):
        head(host.hub.url, path)
    with held_rehearsal("hub-rate-limited") as host:
        _, facts = head(host.hub.url, path)
        answers = [head(facts["Location"], "") for _ in range(3)]
        assert [(status, told.get("Retry-After")) for status, told in answers] == [
            (429, "5"),
            (429, "5"),
            (200, None),
        ]
        host.advance(11)
        assert head(host.hub.url, path)[0] == 429
    with held_rehearsal("changed-upstream") as host:
        _, facts = head(
            host.hub.url, f"/lightx2v/Qwen-Image-Edit-2511-Lightning/resolve/main/{lora}"
        )
        known = next(file for file in shelved() if file.id == "lightning-2511-4steps-bf16")
        assert facts["X-Linked-Etag"] != f'"{known.body.sha256}"'
        assert facts["X-Linked-Size"] == str(known.body.size)


def test_messy_models_are_a_mess() -> None:
    with held_rehearsal("messy-models") as host:
        models = host.places.models
        assert read_header(models / "vae" / "qwen_image_2.1_vae_bf16.safetensors").format == "html"
        pointer = "Qwen-Image-Edit-2509-Lightning-8steps-V1.0-bf16.safetensors"
        assert read_header(models / "loras" / pointer).format == "lfs-pointer"
        assert read_header(models / "checkpoints" / "dreamer-v3.ckpt").format == "pickle"
        short = models / "diffusion_models" / "Qwen-Image-Edit-2509-Q5_K_M.gguf"
        promised = read_header(short).promised_bytes
        assert promised is not None
        assert promised > short.stat().st_size
        assert not (models / "vae" / "sdxl_vae.safetensors").exists()
        assert (models / "vae" / "sdxl_vae.safetensors").is_symlink()
        link = models / "loras" / "qwen" / "lightning-4steps.safetensors"
        assert link.stat().st_nlink == 2


def test_the_real_command_fetches_from_a_rehearsal_at_the_pace_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "localhost")
    with rehearsal("studio") as host:
        environ = {**os.environ, **host.environ}
        command = [str(HF), "download", "Comfy-Org/Qwen-Image_ComfyUI"]
        command += ["split_files/vae/qwen_image_vae.safetensors", "--local-dir", str(tmp_path)]
        begun = time.monotonic()
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stderr
        assert time.monotonic() - begun > 2, "254 MB at 110 MB/s"
        found = (tmp_path / "split_files" / "vae" / "qwen_image_vae.safetensors").read_bytes()
        known = next(file for file in shelved() if file.id == "qwen-image-vae")
        assert hashlib.sha256(found).hexdigest() == known.body.sha256
        straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        told = straight.open(f"{environ['HF_ENDPOINT']}/api/rehearsal/counts", timeout=10)
        counts = json.loads(told.read())
        assert counts["bytes"] == len(found)
        host.control("hub-fault", fault={"kind": "gone", "path": "rehearsal/small"})
        command = [str(HF), "download", "rehearsal/small"]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0
        assert "not found" in ended.stderr.lower()


def test_the_documentation_names_every_fault() -> None:
    text = REHEARSAL.read_text("utf-8")
    table = text[text.index("<!-- faults:") : text.index("<!-- end of faults -->")]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    assert {kind.strip(" `"): words.strip() for kind, words in rows} == KINDS
