"""`gpuconsole models list` and `show`, as scripts and people meet them, on rehearsal hosts."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from actions.models.catalogue import short_id
from console.models.catalog import packaged_catalog
from tests.support.program import run_program


@cache
def models(scenario: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    words = ["demo", "--scenario", scenario, "--", "gpuconsole", "models", *arguments]
    return subprocess.run(
        [sys.executable, "-m", "console", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def data(scenario: str, *arguments: str) -> dict[str, Any]:
    done = models(scenario, *arguments, "--json")
    whole = json.loads(done.stdout)
    assert (done.returncode, whole["schema"], whole["ok"]) == (0, "gpuconsole/1", True)
    told: dict[str, Any] = whole["data"]
    return told


def test_the_list_has_every_variant_with_all_that_one_chooses_by() -> None:
    told = data("studio", "list")
    assert [one["variant"] for one in told["variants"]] == [
        one.id for one in packaged_catalog().variants
    ]
    cards = {card["uuid"] for card in told["cards"]}
    assert len(cards) == 2
    for one in told["variants"]:
        assert {fit["gpu_uuid"] for fit in one["fits"]} == cards
        for fit in one["fits"]:
            assert fit["verdict"] in {"resident", "offload", "refused", None}
            assert (fit["verdict"] is None) == ("unavailable" in fit)
        assert one["needs"]["comfyui"]
        assert len(one["files"]) >= 3
        if one["state"] == "ready":
            assert one["missing_bytes"] == 0
        for uuid, why in {**one["recommended"], **one["impossible"]}.items():
            assert uuid in cards
            assert why
        assert not one["recommended"].keys() & one["impossible"].keys()
    for uuid in cards:
        assert any(uuid in one["recommended"] for one in told["variants"])
    fp4 = [one for one in told["variants"] if one["quant"].startswith("fp4")]
    assert fp4
    assert all(one["impossible"].keys() == cards for one in fp4)


def test_one_card_only() -> None:
    told = data("studio", "list", "--card", "3090")
    (card,) = told["cards"]
    assert "3090" in card["name"]
    assert all(len(one["fits"]) == 1 for one in told["variants"])


def test_the_table_is_for_people_with_80_columns() -> None:
    done = models("studio", "list")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert max(len(line) for line in lines) <= 80
    for variant in packaged_catalog().variants:
        assert any(short_id(variant.id) in line.split() for line in lines)
    text = " ".join(line.strip() for line in lines)
    assert "best choice that stays resident" in text
    assert "card 1: RTX 3090 (card 1), beside myia-turbo, comfyui-qwen" in text
    assert "☆ 2509-fp8: " in text
    assert "all of it is on disk" in text
    assert "needs an RTX 50" in text
    assert "\n✓ 2509-fp8 " in done.stdout


def test_a_host_without_a_driver_still_lists_what_is_here() -> None:
    done = models("no-driver", "list")
    assert done.returncode == 0
    assert "2509-fp8" in done.stdout
    assert "where they fit is not known" in done.stderr
    assert "cannot be seen: " not in done.stdout
    told = data("no-driver", "list")
    assert told["cards"] == []
    assert told["unavailable"][0]["source"] == "driver"


def test_sixteen_cards_do_not_take_sixteen_tables() -> None:
    done = models("sixteen-cards", "list")
    assert done.returncode == 0
    assert "the same for" in done.stdout
    assert done.stdout.count("2509-fp8 ") < 8
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_files_with_loras_and_controlnets() -> None:
    told = data("studio", "list", "--files")
    assert [one["id"] for one in told["files"]] == [one.id for one in packaged_catalog().files]
    text = models("studio", "list", "--files").stdout
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "lightning-2509-4steps-bf16" in text


def test_show_says_all_about_a_variant() -> None:
    text = models("studio", "show", "2509-fp8").stdout
    for words in ("rank 4", "ComfyUI 0.3.60 or newer", "grid", "qwen-edit-2509-fp8-scaled-lightx2v",
                  "RTX 3090", "hf:Comfy-Org/Qwen-Image_ComfyUI/split_files/vae/",
                  "apache-2.0", "sha256", "qwen_image_vae.safetensors", "hash"):  # fmt: skip
        assert words in text
    told = data("studio", "show", "2509 FP8")["variant"]
    assert told["variant"] == "qwen-edit-2509-fp8"
    assert [one["kind"] for one in told["files"]] == ["diffusion_model", "text_encoder", "vae"]
    for one in told["files"]:
        assert {"repo", "repo_path", "revision", "licence", "sha256", "path", "hash_state"} <= set(
            one
        )


def test_what_can_run_nowhere_is_not_offered_to_be_fetched() -> None:
    text = models("studio", "show", "2509-fp4-r32").stdout
    assert "never" in text
    assert "models pull" not in text
    done = models("studio", "pull", "2509-fp4-r32", "--dry-run", "--json")
    assert done.returncode == 3
    refusal = json.loads(done.stdout)["data"]["plan"]["refusal"]
    assert refusal["code"] == "models.no-card"
    assert "an RTX 50" in refusal["title"]


def test_show_says_all_about_a_file_by_its_id_or_its_name() -> None:
    name = "Qwen2.5-VL-7B-Instruct-mmproj-F16.gguf"
    told = data("studio", "show", name)["file"]
    assert told["id"] == "qwen2.5-vl-7b-mmproj-f16"
    assert told["path"].endswith(f"text_encoders/{name}")
    assert told["repo_path"] == "mmproj-F16.gguf"
    assert told["state"] == "missing"
    assert told["hash_state"] == ""
    assert told["needs"]["custom_node"] == "city96/ComfyUI-GGUF"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "2509-fp9"), "model.unknown", "lists all of it"),
        (("show", "vae"), "model.unknown", "qwen-image-vae"),
        (("show", ""), "model.unknown", "lists all of it"),
        (("show",), "usage.missing-parameter", "--help"),
        (("list", "--catalog", "/nowhere/catalog.toml"), "catalog.missing", "--catalog"),
    ],
)
def test_bad_input_is_told_with_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], code: str, words: str
) -> None:
    done = run_program(["models", *arguments, "--json"], tmp_path)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (2, code)
    assert words in error["title"] + error["hint"]
    assert b"Traceback" not in done.stderr


def test_a_card_that_is_not_there() -> None:
    done = models("studio", "list", "--card", "4090", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "gpu.not-here"
    ninth = models("studio", "fit", "--card", "9", "--json")
    assert json.loads(ninth.stdout)["error"]["title"] == "there is no card 9"
    assert models("no-driver", "list", "--card", "3090").returncode == 4


def test_a_catalogue_of_ones_own_is_part_of_the_list(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[[files]]\nid = "our-style"\nkind = "lora"\nrepo = "us/style"\npath = "s.safetensors"\n'
        'folder = "loras"\n[[variants]]\nid = "qwen-edit-2509-fp8"\ntitle = "ours"\n',
        encoding="utf-8",
    )
    told = json.loads(
        run_program(["models", "list", "--json", "--catalog", str(own)], tmp_path).stdout
    )
    assert "ours" in {one["title"] for one in told["data"]["variants"]}
    done = run_program(["models", "show", "our-style", "--json", "--catalog", str(own)], tmp_path)
    assert json.loads(done.stdout)["data"]["file"]["size_bytes"] is None


def test_an_empty_catalogue_says_so(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    none.write_text("alone = true\n", encoding="utf-8")
    assert b"paths.models is" in run_program(["models", "list"], tmp_path).stdout
    done = run_program(["models", "list", "--catalog", str(none)], tmp_path)
    assert done.stdout.strip() == b"The catalogue has no variants"


def test_a_hostile_catalogue_cannot_move_the_cursor(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[variants]]\nid = "qwen-edit-2509-fp8"\ntitle = "a\\u001b[2J"\n', "utf-8")
    done = run_program(["models", "list", "--catalog", str(own)], tmp_path)
    assert done.returncode == 2
    assert b"\x1b" not in done.stdout + done.stderr
