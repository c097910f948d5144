"""A variant: several files, each in its own folder, some of them here already."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pull.conftest import REPO, Host, all_of, checks
from tests.support.hub import Content, Noise, RehearsalHub, rehearsal_hub
from tests.support.waiting import wait_until

FILES = {
    "my-model": ("diffusion_model", "model.safetensors", "diffusion_models", 20_000_000),
    "my-encoder": ("text_encoder", "encoder.safetensors", "text_encoders", 9_000_000),
    "my-vae": ("vae", "vae.safetensors", "vae", 3_000_000),
}
CATALOGUE = """
[[variants]]
id = "my-model"
title = "Mine"
family = "qwen-image-edit-2509"
quant = "bf16"
loader = "UNETLoader"
files = ["my-model", "my-encoder", "my-vae"]
"""


@pytest.fixture
def hub() -> Iterator[RehearsalHub]:
    files: dict[str, Content] = {
        path: Noise(size, number) for number, (_, path, _, size) in enumerate(FILES.values())
    }
    with rehearsal_hub({REPO: files}) as made:
        yield made


@pytest.fixture
def host(tmp_path: Path, hub: RehearsalHub) -> Iterator[Host]:
    host = Host(tmp_path, hub)
    text = CATALOGUE
    for ident, (kind, path, folder, size) in FILES.items():
        entry = {"id": ident, "kind": kind, "repo": REPO, "path": path, "bytes": size}
        entry |= {"folder": folder, "also_in": ["clip"] if folder == "text_encoders" else []}
        text += "[[files]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in entry.items())
    (tmp_path / "catalog.toml").write_text(text)
    host.config.write_text(
        f'[paths]\nmodels = "{host.models}"\ncatalog = "{tmp_path}/catalog.toml"\n'
    )
    yield host
    host.close()


def test_every_file_goes_into_its_own_folder(host: Host) -> None:
    files = host.pull("my-model")["files"]
    assert [one["id"] for one in files] == list(FILES)
    assert {one["action"] for one in files} == {"fetched"}
    assert host.below() == {
        "diffusion_models/model.safetensors",
        "text_encoders/encoder.safetensors",
        "vae/vae.safetensors",
    }
    served = host.hub.bytes_served()
    elsewhere = host.pull("Mine", "--to", str(host.home / "second"))["files"]
    assert {one["action"] for one in elsewhere} == {"linked"}
    assert (host.home / "second" / "vae" / "vae.safetensors").is_file()
    assert host.hub.bytes_served() == served


def test_a_file_in_another_folder_that_comfyui_looks_into_is_kept_there(host: Host) -> None:
    (host.models / "clip" / "qwen").mkdir(parents=True)
    place = host.models / "clip" / "qwen" / "encoder.safetensors"
    place.write_bytes(all_of(Noise(9_000_000, 1)))
    plan = host.plan("my-model")
    assert "pull.read-first" in checks(plan)
    assert plan["facts"]["bytes_to_fetch"] == 23_000_000
    files = {one["id"]: one for one in host.pull("my-model")["files"]}
    assert files["my-encoder"]["action"] == "kept"
    assert files["my-encoder"]["path"] == str(place)
    assert not (host.models / "text_encoders").exists()


def test_a_job_killed_in_its_second_file_keeps_the_first(host: Host) -> None:
    host.hub.fault("slow", rate=100_000, path="encoder.safetensors")
    job = host.begin("my-model")
    wait_until(lambda: (host.job(job)["bytes_done"] or 0) > 20_000_000, 30)
    os.kill(host.wait_for(job, "running")["pid"], signal.SIGKILL)
    stopped = host.wait_for(job, "interrupted")
    assert stopped["bytes_total"] == 32_000_000
    assert stopped["bytes_done"] > 20_000_000
    host.hub.heal()
    assert host.run("jobs", "resume", job).returncode == 0
    host.wait_for(job, "done")
    files = {one["id"]: one["state"] for one in host.job(job)["files"]}
    assert files == {"my-model": "kept", "my-encoder": "fetched", "my-vae": "fetched"}
    assert host.hub.bytes_served("model.safetensors") == 20_000_000


def test_a_folder_for_a_whole_variant_makes_no_sense(host: Host) -> None:
    done = host.run("models", "pull", "my-model", "--folder", "vae", "--dry-run", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "models.one-folder"


def test_without_a_journal_on_disk_the_command_stays_until_all_is_here(host: Host) -> None:
    (host.home / ".local").write_text("no folder")
    done = host.run("models", "pull", "my-vae", "--yes")
    assert done.returncode == 0, done.stderr
    assert (host.models / "vae" / "vae.safetensors").stat().st_size == 3_000_000
