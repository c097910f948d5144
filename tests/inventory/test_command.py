"""`models inventory` and `models verify` as somebody types them."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from screens.cli.main import run
from tests.inventory import build

LORA = build.safetensors(build.LORA_SDXL)
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Call:
    """Run a command line; gives its exit code and what it wrote on stdout."""
    config = tmp_path / "config.toml"
    config.write_text(f'[paths]\nmodels = "{models}"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def typed(*words: str) -> tuple[int, str]:
        code = run(["models", *words, "--config", str(config)])
        return code, capfd.readouterr().out

    return typed


def data(answer: tuple[int, str]) -> dict[str, Any]:
    whole = json.loads(answer[1])
    assert whole["ok"] is (answer[0] in {0, 5})
    found: dict[str, Any] = whole["data"]
    return found


def test_the_inventory_in_json_has_files_issues_and_totals(call: Call, models: Path) -> None:
    first = build.put(models / "loras" / "a.safetensors", LORA)
    build.put(models / "loras" / "b.safetensors", LORA)
    os.link(first, models / "loras" / "c.safetensors")
    found = data(call("inventory", "--json"))
    assert [file["kind"] for file in found["files"]] == ["lora"] * 3
    size = first.stat().st_size
    assert found["totals"]["by_kind"] == {"lora": {"files": 3, "bytes": 2 * size}}
    assert found["totals"]["by_root"][str(models)]["files"] == 3
    assert found["totals"]["duplicate_bytes"] == size
    assert [issue["code"] for issue in found["issues"]] == ["duplicate"]
    assert data(call("inventory", "--json", "--kind", "vae"))["files"] == []
    below = data(call("inventory", "--json", str(models / "loras" / "b.safetensors")))
    assert [file["name"] for file in below["files"]] == ["b.safetensors"]


def test_the_inventory_for_people_fits_eighty_columns_and_hides_no_name(
    call: Call, models: Path
) -> None:
    long = "Qwen-Image-Edit-2509-Lightning-4steps-V1.0-bf16.safetensors"
    build.put(models / "loras" / long, build.safetensors(build.LORA_QWEN))
    build.put(models / "vae" / "\x1b[31mred.safetensors", build.safetensors(build.QWEN_VAE))
    code, text = call("inventory")
    assert code == 0
    assert long in text
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if str(models) not in line]
    assert max(map(len, rows)) <= 80


def test_issues_alone_end_with_five_where_something_is_broken(call: Call, models: Path) -> None:
    assert call("inventory", "--issues") == (0, "Nothing is wrong with the model files\n")
    build.put(models / "vae" / "a.safetensors", LORA)
    code, text = call("inventory", "--issues")
    assert code == 5
    assert "it belongs in loras" in text


def test_a_root_that_is_none_is_a_mistake_of_usage(call: Call) -> None:
    for words, why in ((("--root", "/nowhere"), "root"), (("/nowhere/at-all",), "path")):
        code, text = call("inventory", *words, "--json")
        assert (code, json.loads(text)["error"]["code"]) == (2, f"models.no-such-{why}")


def test_paths_may_be_folders_and_lead_through_links(
    call: Call, models: Path, tmp_path: Path
) -> None:
    build.put(models / "loras" / "a.safetensors", LORA)
    build.put(models / "vae" / "v.safetensors", build.safetensors(build.QWEN_VAE))
    (tmp_path / "way").symlink_to(models)
    for place in (models / "loras", tmp_path / "way/loras", tmp_path / "way/loras/a.safetensors"):
        for verb in ("inventory", "verify"):
            (file,) = data(call(verb, str(place), "--json"))["files"]
            assert file["path"] == str(models / "loras/a.safetensors")
    assert len(data(call("inventory", "--root", str(tmp_path / "way"), "--json"))["files"]) == 2


def test_verify_reads_once_and_is_instant_until_a_file_changes(call: Call, models: Path) -> None:
    path = build.put(models / "loras" / "a.safetensors", LORA)
    size = path.stat().st_size
    assert data(call("verify", "--json"))["files"] == []  # nobody tells anything of it
    for full, read in ((False, size), (False, 0), (True, size)):
        (file,) = data(call("verify", "a.safetensors", "--json", *["--full"] * full))["files"]
        assert (file["state"], file["read_bytes"]) == ("known", read)
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_bytes_that_changed_behind_the_same_time_are_found_by_reading_in_full(
    call: Call, models: Path
) -> None:
    path = build.put(models / "loras" / "a.safetensors", LORA)
    call("verify", "--all")
    facts = path.stat()
    with path.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert call("verify", "--all")[0] == 0
    code, text = call("verify", "--all", "--full")
    assert code == 5
    assert text.startswith("changed")


def test_verify_compares_with_the_catalogue(call: Call, models: Path, tmp_path: Path) -> None:
    path = build.put(models / "loras" / "mine.safetensors", LORA)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    for sha256, code, state in ((right, 0, "checked"), ("0" * 64, 5, "differs")):
        own = tmp_path / f"{state}.toml"
        own.write_text(
            f'[[files]]\nid = "mine"\nkind = "lora"\nrepo = "me/mine"\npath = "mine.safetensors"\n'
            f'bytes = {path.stat().st_size}\nsha256 = "{sha256}"\nfolder = "loras"\n'
        )
        answer = call("verify", "mine", "--json", "--catalog", str(own))
        (file,) = data(answer)["files"]
        assert (answer[0], file["id"], file["state"]) == (code, "mine", state)
    found = data(call("inventory", "--json", "--catalog", str(own)))
    assert [issue["code"] for issue in found["issues"]] == ["hash-differs"]


def test_verify_tells_at_sight_what_is_cut_off_or_missing(call: Call, models: Path) -> None:
    build.put(models / "loras" / "a.safetensors", LORA, cut=10)
    answer = call("verify", "a.safetensors", "qwen-image-vae", "--json")
    states = {file["state"]: file for file in data(answer)["files"]}
    assert answer[0] == 5
    assert states["truncated"]["read_bytes"] == 0
    assert states["missing"]["id"] == "qwen-image-vae"
    code, text = call("verify", "a.safetensor", "--json")
    assert code == 2
    assert "a.safetensors" in json.loads(text)["error"]["hint"]


def test_verify_of_no_name_finds_what_was_damaged_behind_our_back(
    call: Call, models: Path, tmp_path: Path
) -> None:
    path = build.put(models / "loras" / "a.safetensors", LORA)
    cut = build.put(models / "vae" / "qwen_image_vae.safetensors",
                    build.safetensors(build.QWEN_VAE), cut=9)  # fmt: skip
    assert call("verify", "a.safetensors")[0] == 0
    answer = call("verify", "--json")
    states = {file["path"]: file["state"] for file in data(answer)["files"]}
    assert (answer[0], states) == (5, {str(path): "known", str(cut): "truncated"})
    cut.unlink()
    assert call("verify")[0] == 0
    with path.open("r+b") as file:  # nobody but an earlier look knows what it should be
        file.seek(-1, 2)
        file.write(b"!")
    (told,) = data(call("inventory", "--json"))["files"]
    assert (told["hash_state"], told["sha256"]) == ("unchecked", None)
    code, text = call("verify")
    assert (code, text.partition(" ")[0]) == (5, "changed")
    assert call("verify")[0] == 0  # told once; from now on this is what it has
