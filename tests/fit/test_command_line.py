"""`gpuconsole models fit` as scripts and people meet it, on hosts of the rehearsal."""

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
from console.packaged import packaged
from tests.support.program import run_program

ROW = {
    "variant", "gpu_uuid", "verdict", "reason", "code", "need_bytes", "expected_use_bytes",
    "available_bytes", "terms", "ways_out", "cost", "notes", "on_disk",
}  # fmt: skip


@cache
def fit(scenario: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    words = ["demo", "--scenario", scenario, "--", "gpuconsole", "models", "fit", *arguments]
    return subprocess.run(
        [sys.executable, "-m", "console", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def rows(scenario: str, *arguments: str) -> list[dict[str, Any]]:
    done = fit(scenario, *arguments, "--json")
    whole = json.loads(done.stdout)
    assert (done.returncode, whole["schema"], whole["ok"]) == (0, "gpuconsole/1", True)
    found: list[dict[str, Any]] = whole["data"]["rows"]
    return found


def problem(scenario: str, *arguments: str) -> tuple[int, dict[str, str]]:
    done = fit(scenario, *arguments, "--json")
    whole = json.loads(done.stdout)
    assert whole["ok"] is False
    assert "Traceback" not in done.stderr
    return done.returncode, whole["error"]


def test_every_variant_on_every_card_with_its_arithmetic() -> None:
    found = rows("studio")
    assert len(found) == 2 * len(packaged_catalog().variants)
    for row in found:
        assert set(row) >= ROW
        if row["need_bytes"] is None:
            assert row["verdict"] is None
            assert "need_bytes" in {item["field"] for item in row["unavailable"]}
            continue
        assert sum(term["bytes"] for term in row["terms"]) == row["need_bytes"]
        reserve = row["terms"][-1]
        assert reserve["name"] == "reserve"
        assert row["need_bytes"] - row["expected_use_bytes"] == reserve["bytes"]
        assert (row["verdict"] == "resident") == (
            row["need_bytes"] <= row["available_bytes"] and row["code"] == ""
        )
        for term in row["terms"]:
            assert set(term) >= {"name", "bytes", "source", "title"}


def test_an_empty_host_has_more_room_and_resident_fp8() -> None:
    now = {(row["variant"], row["gpu_uuid"]): row for row in rows("studio")}
    for row in rows("studio", "--empty"):
        place = (row["variant"], row["gpu_uuid"])
        assert row["available_bytes"] >= now[place]["available_bytes"]
    (fp8,) = rows("studio", "2509-fp8", "--gpu", "3090", "--empty")
    assert fp8["verdict"] == "resident"
    assert fp8["ways_out"] == []


def test_fp8_beside_what_runs_is_not_resident_and_there_are_ways_out() -> None:
    (row,) = rows("studio", "qwen-edit-2509-fp8", "--gpu", "3090")
    assert row["verdict"] in {"offload", "refused"}
    stops = [way for way in row["ways_out"] if way["kind"] == "stop"]
    assert stops[0]["verdict"] == "resident"
    assert stops[0]["command"].startswith("gpuconsole stop ")


def test_a_larger_picture_needs_more() -> None:
    (small,) = rows("studio", "2509-q4_0", "--gpu", "1")
    (large,) = rows(
        "studio", "2509-q4_0", "--gpu", "1", "--width", "2048", "--height", "2048", "--images", "3"
    )
    assert large["need_bytes"] > small["need_bytes"]
    assert large["task"] == {"width": 2048, "height": 2048, "images": 3}


@pytest.mark.parametrize("words", ["2509 Q4_0 GGUF", "2509q40", "QWEN-Edit-2509-GGUF-q4_0"])
def test_a_variant_may_be_named_as_people_write_it(words: str) -> None:
    (row,) = rows("studio", words, "--gpu", "1")
    assert row["variant"] == "qwen-edit-2509-gguf-q4_0"


def test_now_says_beside_what_and_empty_does_not() -> None:
    for words in ((), ("2509-fp8",)):
        now = fit("studio", *words).stdout
        assert "One more beside what runs: myia (card 0); myia-turbo, comfyui-qwen (card 1)" in now
        assert "--empty" in now
    assert "runs it there already" not in fit("studio", "2509-fp8").stdout
    assert "comfyui-qwen runs it there already" in fit("studio", "2509-q4_k_m").stdout
    empty = fit("studio", "2509-fp8", "--gpu", "3090", "--empty").stdout
    assert "beside" not in empty


def test_where_no_single_step_helps_that_is_said() -> None:
    done = fit("full-card", "2509-fp8", "--gpu", "3080")
    assert "Ways out: none that one step leads to" in done.stdout
    assert "measured" not in done.stdout


def test_a_lora_beside_it_counts() -> None:
    (bare,) = rows("studio", "2509-q4_0", "--gpu", "1")
    (lora,) = rows("studio", "2509-q4_0", "--gpu", "1", "--with", "lightning-2509-4steps-bf16")
    assert lora["need_bytes"] - bare["need_bytes"] == 849_608_296


def test_what_fits_nowhere_is_an_answer_and_no_error() -> None:
    done = fit("studio", "2509-fp4-r32")
    assert done.returncode == 0
    assert done.stdout.count("refused") >= 2
    assert "needs a card of compute capability 12.0 to 12.1; this one has 8.6" in done.stdout


def test_the_table_is_for_people_with_80_columns() -> None:
    done = fit("studio")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert max(len(line) for line in lines) <= 80
    for variant in packaged_catalog().variants:
        assert any(short_id(variant.id) in line.split() for line in lines)
    assert "★ best quality" in done.stdout
    assert "✓ 2509-fp8" in done.stdout


def test_the_arithmetic_is_shown_line_by_line() -> None:
    done = fit("studio", "2509-fp8", "--gpu", "3090")
    assert done.returncode == 0
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    for words in ("weights (fp8_e4m3fn)", "CUDA context", "reserve", "= it needs", "= available",
                  "Ways out", "gpuconsole stop"):  # fmt: skip
        assert words in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("2509-fp9",), "variant.unknown", "2509-fp8"),
        (("q4_k_m",), "variant.unknown", "2509-q4_k_m or 2511-q4_k_m"),
        (("Q4KM",), "variant.unknown", "2509-q4_k_m or 2511-q4_k_m"),
        (("",), "variant.unknown", "lists them"),
        (("--width", "0"), "usage.bad-parameter", ""),
        (("--height", "-1"), "usage.bad-parameter", ""),
        (("--width", "99999999"), "usage.bad-parameter", ""),
        (("--images", "0"), "usage.bad-parameter", ""),
        (("--images", "1000"), "usage.bad-parameter", ""),
        (("--width", "wide"), "usage.bad-parameter", ""),
        (("--with", "qwen-image-vae"), "model.not-an-extra", ""),
        (("--catalog", "/nowhere/catalog.toml"), "catalog.missing", "--catalog"),
    ],
)
def test_bad_input_is_told_with_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], code: str, words: str
) -> None:
    done = run_program(["models", "fit", *arguments, "--json"], tmp_path)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (2, code)
    assert words in error["title"] + error["hint"]
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("card", "code", "words"),
    [
        ("4090", "gpu.not-here", "RTX 3090"),
        ("RTX", "gpu.ambiguous", "GPU-"),
        ("", "gpu.not-here", ""),
    ],
)
def test_a_card_that_nobody_can_mean(card: str, code: str, words: str) -> None:
    exit_code, error = problem("studio", "--gpu", card)
    assert (exit_code, error["code"]) == (2, code)
    assert words in error["title"] + error["hint"]


def test_without_a_card_it_cannot_answer() -> None:
    assert problem("no-driver")[0] == 4
    assert problem("nothing")[0] == 4


def test_without_an_engine_the_cards_still_answer() -> None:
    assert len(rows("no-engine", "2509-q4_0")) == 2


def test_a_catalogue_of_ones_own(tmp_path: Path) -> None:
    text = packaged("catalog.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace("11_928_271_392", "1_000_000_000"), encoding="utf-8")
    (row,) = rows("studio", "2509-q4_0", "--gpu", "1", "--catalog", str(own), "--empty")
    weights = next(term for term in row["terms"] if term["name"] == "weights")
    assert weights["bytes"] == 1_000_000_000


def test_a_catalogue_without_variants_has_none_to_show(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    none.write_text("alone = true\n", encoding="utf-8")
    assert rows("studio", "--catalog", str(none)) == []
    assert fit("studio", "--catalog", str(none)).stdout == "The catalogue has no variants\n"


def test_a_bad_catalogue_is_told_and_not_replaced(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[[variants]]\nid = 3\n", encoding="utf-8")
    code, error = problem("studio", "--catalog", str(bad))
    assert (code, error["code"]) == (2, "catalog.wrong")


def test_a_bad_catalogue_is_a_finding_where_nobody_needs_it(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[[variants]\n", encoding="utf-8")
    words = ["status", "--json", "--catalog", str(bad)]
    done = run_program(words, tmp_path)
    alerts = json.loads(done.stdout)["data"]["alerts"]
    assert "catalog.wrong" in {alert["id"] for alert in alerts}
