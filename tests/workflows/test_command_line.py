"""`gpuconsole workflows`, as scripts and people meet it."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import run_program
from tests.workflows.build import EDITS, WORKFLOWS, simple


@cache
def in_demo(scenario: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    words = ["demo", "--scenario", scenario, "--", "gpuconsole", "workflows", *arguments]
    return subprocess.run(
        [sys.executable, "-m", "console", *words], capture_output=True, text=True, timeout=60
    )


def alone(home: Path, *arguments: str) -> tuple[int, Any]:
    done = run_program(["workflows", *arguments, "--json"], home)
    return done.returncode, json.loads(done.stdout)


def test_the_list_has_every_workflow_and_fits_80_columns(tmp_path: Path) -> None:
    code, whole = alone(tmp_path, "list")
    assert (code, whole["ok"]) == (0, True)
    assert [one["name"] for one in whole["data"]["workflows"]] == list(WORKFLOWS)
    text = run_program(["workflows", "list"], tmp_path).stdout.decode()
    assert all(name in text for name in WORKFLOWS)
    text = text.replace(str(tmp_path), "~")
    assert max(map(len, text.splitlines())) <= 80


def test_show_gives_the_graph_for_a_variant(tmp_path: Path) -> None:
    code, whole = alone(
        tmp_path, "show", "merge-2", "--variant", "2511-fp8mixed", "--lightning", "4"
    )
    data = whole["data"]
    assert (code, data["variant"], data["steps"]) == (0, "qwen-edit-2511-fp8mixed", 4)
    assert data["graph"]["148"]["class_type"] == "FluxKontextMultiReferenceLatentMethod"
    assert data["workflow"]["images"][1]["slot"] == "106.image"
    plain = run_program(["workflows", "show", "merge-2", "--graph"], tmp_path).stdout
    assert json.loads(plain)["37"]["class_type"] == "UNETLoader"
    text = run_program(["workflows", "show", "product-showcase"], tmp_path).stdout.decode()
    assert "may be left out" in text
    assert "1328x1328" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "merge-9"), "workflow.unknown"),
        (("show", "merge-2", "--variant", "2512"), "variant.unknown"),
        (("show", "merge-2", "--lightning", "5"), "workflow.no-lightning"),
        (("show", "merge-2", "--text-encoder", "x"), "workflow.no-encoder"),
        (("check", "merge-9"), "workflow.unknown"),
    ],
)
def test_what_is_not_there_is_a_wrong_use(
    tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    exit_code, whole = alone(tmp_path, *arguments)
    assert (exit_code, whole["error"]["code"]) == (2, code)
    assert whole["error"]["hint"]


def test_your_own_graphs_are_listed_and_bad_ones_are_told(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "gpuconsole" / "workflows"
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text(json.dumps(simple()))
    (folder / "bad\x1b[31m.json").write_text('{"nodes": [], "links": []}')
    code, whole = alone(tmp_path, "list")
    assert code == 0
    own = whole["data"]["workflows"][-1]
    assert (own["name"], own["fewest_images"]) == ("mine", 1)
    (bad,) = whole["data"]["unavailable"]
    assert bad["code"] == "workflow.wrong"
    done = run_program(["workflows", "list"], tmp_path)
    assert b"Export (API)" in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr


def test_a_check_without_a_service_says_that_none_is_there(tmp_path: Path) -> None:
    code, whole = alone(tmp_path, "check", "edit-single")
    assert (code, whole["error"]["code"]) == (4, "workflow.no-service")


def test_a_check_on_the_rehearsals_comfyui_runs_the_services_own_variant() -> None:
    done = in_demo("studio", "check", "edit-single", "merge-3", "--json")
    whole = json.loads(done.stdout)
    assert (done.returncode, whole["ok"]) == (0, True)
    data = whole["data"]
    assert (data["service"], data["version"], data["fetch"]) == ("comfyui-qwen", "0.33.0", [])
    for one in data["workflows"]:
        assert one["good"]
        assert one["variant"] == "qwen-edit-2509-gguf-q4_k_m"


def test_what_a_service_lacks_is_named_with_what_to_do_and_exits_5() -> None:
    done = in_demo("studio", "check", "--json")
    whole = json.loads(done.stdout)
    assert (done.returncode, whole["ok"]) == (5, True)
    data = whole["data"]
    assert [one["name"] for one in data["workflows"]] == EDITS
    assert data["fetch"] == [
        "gpuconsole models pull controlnet-instantx-union",
        "gpuconsole models pull modelpatch-diffsynth-canny",
    ]
    text = in_demo("studio", "check")
    assert text.returncode == 5
    for words in ("✓ edit-single", "✗ controlnet-edit", "Fannovel16/comfyui_controlnet_aux",
                  "gpuconsole models pull controlnet-instantx-union"):  # fmt: skip
        assert words in text.stdout
    assert max(map(len, text.stdout.splitlines())) <= 80


def test_another_variant_is_checked_on_request() -> None:
    done = in_demo("studio", "check", "edit-single", "--variant", "2511-fp8mixed", "--json")
    assert done.returncode == 5
    (one,) = json.loads(done.stdout)["data"]["workflows"]
    (problem,) = one["problems"]
    assert problem["command"] == "gpuconsole models pull qwen-edit-2511-fp8mixed"


def test_forge_and_services_of_the_wrong_kind() -> None:
    done = in_demo("studio", "check", "--service", "myia", "--json")
    data = json.loads(done.stdout)["data"]
    assert (done.returncode, data["kind"]) == (0, "forge")
    assert all(one["good"] for one in data["workflows"])
    wrong = in_demo("studio", "check", "edit-single", "--service", "myia", "--json")
    assert wrong.returncode == 5
    (problem,) = json.loads(wrong.stdout)["data"]["workflows"][0]["problems"]
    assert problem["code"] == "workflow.kind"
    several = in_demo("studio", "check", "forge-text-to-image", "--json")
    assert several.returncode == 2
    assert "myia" in json.loads(several.stdout)["error"]["hint"]
    nobody = in_demo("studio", "check", "--service", "nobody", "--json")
    assert json.loads(nobody.stdout)["error"]["code"] == "service.unknown"
