"""What a check says of a graph on a server, before anything is sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.workflows.checking import Checked, check
from actions.workflows.graphs import own_copy
from actions.workflows.object_info import read_nodes
from actions.workflows.problem import Problem
from tests.workflows.build import (
    CATALOG,
    EDITS,
    FP8,
    FP8_2511,
    GGUF,
    NUNCHAKU,
    WORKFLOWS,
    built,
    server,
)

SHARED = Path(__file__).parents[3] / "shared"
NODES = SHARED / "captures" / "object_info_qwen_nodes.json"


def checked(
    graph: dict[str, Any], nodes: dict[str, Any], name: str = "edit-single", **more: Any
) -> Checked:
    pictures = [one.slot for one in WORKFLOWS[name].inputs.images]
    return check(graph, nodes, CATALOG, pictures=pictures, **more)


def only(found: Checked, severity: str = "error") -> Problem:
    (problem,) = [one for one in found.problems if one.severity == severity]
    return problem


@pytest.mark.parametrize("name", EDITS)
def test_a_server_that_has_all_takes_every_workflow_for_every_variant(name: str) -> None:
    nodes = server()
    for one in CATALOG.variants:
        if one.family in WORKFLOWS[name].families:
            found = checked(built(name, one.id).graph, nodes, name, version="0.33.0")
            assert found.problems == (), one.id


def test_a_missing_node_names_the_custom_node_once() -> None:
    nodes = server(new=False)
    problem = only(checked(built("edit-single", GGUF).graph, nodes, version="0.3.64"))
    assert problem.code == "workflow.missing-node"
    assert (problem.class_type, problem.custom_node) == ("UnetLoaderGGUF", "city96/ComfyUI-GGUF")
    assert "Install the custom node city96/ComfyUI-GGUF" in problem.hint
    graph = built("edit-single", NUNCHAKU).graph
    assert only(checked(graph, nodes)).custom_node == "nunchux-ai/ComfyUI-nunchaku"
    del nodes["TextEncodeQwenImageEditPlus"]  # twice in the graph
    found = checked(built("edit-single").graph, nodes, version="0.3.58")
    (problem,) = [one for one in found.problems if one.code == "workflow.missing-node"]
    assert "Update ComfyUI: it comes with 0.3.60 or newer (this is 0.3.58)" in problem.hint


def test_all_missing_nodes_are_named_where_the_server_names_one() -> None:
    nodes = server()
    del nodes["DWPreprocessor"], nodes["CFGNorm"]
    found = checked(built("pose-from-photo").graph, nodes, "pose-from-photo")
    assert {one.class_type for one in found.problems} == {"DWPreprocessor", "CFGNorm"}
    assert not found.good


def test_a_missing_file_names_the_command_that_fetches_it() -> None:
    nodes = server("qwen_image_edit_2509_fp8_e4m3fn.safetensors", "qwen_image_vae.safetensors")
    found = checked(built("edit-single").graph, nodes)
    commands = {one.command for one in found.problems}
    assert commands == {
        "gpuconsole models pull qwen-edit-2509-fp8",
        "gpuconsole models pull qwen-image-vae",
    }
    first = next(one for one in found.problems if one.file == FP8)
    assert (first.code, first.input) == ("workflow.missing-file", "unet_name")
    assert "in diffusion_models" in first.title


def test_a_file_nobody_knows_names_its_folder_and_the_nearest() -> None:
    graph = own_copy(built("edit-single").graph)
    graph["39"]["inputs"]["vae_name"] = "qwen_image_vae_v2.safetensors"
    problem = only(checked(graph, server()))
    assert problem.command == ""
    assert "folder vae" in problem.hint
    assert "qwen_image_vae.safetensors" in problem.hint


def test_a_file_in_a_sub_folder_of_the_servers_is_found_and_named_as_there() -> None:
    graph = built("edit-single").graph
    nodes = server(diffusion_models=["qwen/qwen_image_edit_2509_fp8_e4m3fn.safetensors"])
    found = checked(graph, nodes)
    assert found.good
    name = found.graph["37"]["inputs"]["unet_name"]
    assert name == "qwen/qwen_image_edit_2509_fp8_e4m3fn.safetensors"
    assert graph["37"]["inputs"]["unet_name"] == "qwen_image_edit_2509_fp8_e4m3fn.safetensors"
    windows = server(vae=["sub\\qwen_image_vae.safetensors"])
    assert checked(graph, windows).graph["39"]["inputs"]["vae_name"].startswith("sub\\")


def test_two_files_of_one_name_are_not_chosen_between() -> None:
    nodes = server(vae=["a/qwen_image_vae.safetensors", "b/qwen_image_vae.safetensors"])
    assert only(checked(built("edit-single").graph, nodes)).file == "qwen-image-vae"


def test_a_wrong_choice_says_which_are_allowed() -> None:
    graph = own_copy(built("edit-single").graph)
    graph["3"]["inputs"]["sampler_name"] = "eular"
    problem = only(checked(graph, server()))
    assert problem.code == "workflow.wrong-value"
    assert "'eular'" in problem.title
    assert "euler, euler_cfg_pp" in problem.hint
    assert "euler" in problem.allowed


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "too small"), (10_001, "too large"), ("abc", "not a whole number"),
        (None, "not a whole number"), (float("inf"), "not a whole number"), ({}, "not a whole"),
    ],
)  # fmt: skip
def test_a_wrong_number_says_what_is_allowed(value: Any, words: str) -> None:
    nodes = server()
    steps = {"default": 20, "min": 1, "max": 10_000}
    nodes["KSampler"]["input"]["required"]["steps"] = ["INT", steps]
    graph = own_copy(built("edit-single").graph)
    graph["3"]["inputs"]["steps"] = value
    problem = only(checked(graph, nodes))
    assert words in problem.title
    assert problem.hint == "Allowed: 1 to 10000"


@pytest.mark.parametrize("value", ["20", 19.7, 1, 10_000])
def test_numbers_that_the_server_converts_are_taken(value: Any) -> None:
    graph = own_copy(built("edit-single").graph)
    graph["3"]["inputs"]["steps"] = value
    assert checked(graph, server()).good


def test_choices_of_the_new_shape_bind_new_servers_only() -> None:
    """0.3.64 took a graph whose `index_timestep_zero` it did not list; 0.33.0 holds to its list."""
    nodes = server()
    shape = ["COMBO", {"options": ["offset", "index"]}]
    required = nodes["FluxKontextMultiReferenceLatentMethod"]["input"]["required"]
    required["reference_latents_method"] = shape
    graph = built("edit-single", FP8_2511).graph
    old = checked(graph, nodes, version="0.3.64")
    assert old.good
    assert {one.severity for one in old.problems} == {"warning"}
    assert not checked(graph, nodes, version="0.33.0").good


@pytest.mark.parametrize(
    ("node", "name", "value", "words"),
    [
        ("60", "images", ["99", 0], "linked to node 99, which is not there"),
        ("60", "images", ["8", 4], "VAEDecode has no output 4"),
        ("60", "images", ["8", -1], "no output -1"),
        ("60", "images", ["78", 1], "takes a IMAGE, and is given a MASK"),
        ("60", "images", ["8"], "takes a link to a IMAGE"),
        ("60", "images", "8", "takes a link to a IMAGE"),
        ("3", "steps", [20], "a list is taken for a link"),
        ("3", "sampler_name", [1, 2], "a list is taken for a link"),
    ],
)
def test_a_broken_link_says_how(node: str, name: str, value: Any, words: str) -> None:
    graph = own_copy(built("edit-single").graph)
    graph[node]["inputs"][name] = value
    problem = only(checked(graph, server()))
    assert (problem.code, problem.node) == ("workflow.wrong-link", node)
    assert words in problem.title


def test_a_missing_input_a_ring_and_no_output_are_told() -> None:
    graph = own_copy(built("edit-single").graph)
    del graph["3"]["inputs"]["steps"]
    assert only(checked(graph, server())).code == "workflow.missing-input"
    graph = own_copy(built("edit-single").graph)
    graph["66"]["inputs"]["model"] = ["75", 0]
    problem = only(checked(graph, server()))
    assert problem.code == "workflow.ring"
    assert "66" in problem.title
    assert "75" in problem.title
    graph = own_copy(built("edit-single").graph)
    del graph["60"]
    assert only(checked(graph, server())).code == "workflow.no-output"


def test_what_no_output_is_made_from_is_held_to_nothing_but_its_class() -> None:
    """A server looks only at what it would run, and still wants to know every class."""
    graph = own_copy(built("edit-single").graph)
    graph["200"] = {"class_type": "VAELoader", "inputs": {"vae_name": "gone.safetensors"}}
    graph["201"] = {"class_type": "KSampler", "inputs": {"steps": -1}}
    assert checked(graph, server()).problems == ()
    graph["202"] = {"class_type": "Gone", "inputs": {}}
    assert only(checked(graph, server())).class_type == "Gone"


def test_a_chain_of_thousands_of_nodes_is_walked() -> None:
    graph: dict[str, Any] = {
        str(count): {"class_type": "ImageInvert", "inputs": {"image": [str(count - 1), 0]}}
        for count in range(1, 2000)
    }
    graph["0"] = {"class_type": "LoadImage", "inputs": {"image": "a.png"}}
    graph["end"] = {"class_type": "SaveImage", "inputs": {"images": ["1999", 0]}}
    nodes = {
        "ImageInvert": {"input": {"required": {"image": ["IMAGE"]}}, "output": ["IMAGE"]},
        "LoadImage": {"input": {"required": {"image": [["a.png"]]}}, "output": ["IMAGE"]},
        "SaveImage": {
            "input": {"required": {"images": ["IMAGE"]}}, "output": [], "output_node": True,
        },
    }  # fmt: skip
    assert check(graph, nodes, CATALOG).good
    graph["0"] = {"class_type": "ImageInvert", "inputs": {"image": ["1999", 0]}}
    assert only(check(graph, nodes, CATALOG)).code == "workflow.ring"


def test_a_picture_that_is_not_uploaded_yet_is_no_problem_of_the_graph() -> None:
    graph = built("edit-single", images=("not there yet.png",)).graph
    assert checked(graph, server()).good
    assert not check(graph, server(), CATALOG).good


def test_a_file_in_the_wrong_loader_is_told_though_the_server_lists_it() -> None:
    """Nunchaku's loader lists every diffusion model, so a wrong one would pass the server."""
    graph = own_copy(built("edit-single", NUNCHAKU).graph)
    graph["37"]["inputs"]["model_name"] = "qwen_image_edit_2509_fp8_e4m3fn.safetensors"
    problem = only(checked(graph, server()))
    assert problem.code == "workflow.wrong-loader"
    assert problem.hint == "It is loaded by UNETLoader"


def test_a_gguf_encoder_without_its_vision_tower_warns_and_names_it() -> None:
    graph = built("edit-single", GGUF, text_encoder="qwen2.5-vl-7b-gguf-q4_k_m").graph
    assert checked(graph, server()).problems == ()
    alone = server(clip_gguf=["Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf"], text_encoders=[])
    found = checked(graph, alone)
    assert found.good
    problem = only(found, "warning")
    assert problem.command == "gpuconsole models pull qwen2.5-vl-7b-mmproj-bf16"


def test_a_comfyui_that_is_too_old_for_a_file_is_told() -> None:
    graph = built("edit-single", "qwen-edit-2511-int8-convrot").graph
    problem = only(checked(graph, server(), version="0.26.1"))
    assert problem.hint == "It needs 0.27.0 or newer"
    assert checked(graph, server(), version="0.27.0").good


def test_what_was_warned_of_before_is_among_the_problems() -> None:
    made = built("edit-single", FP8, lightning=4)
    found = checked(made.graph, server(), warnings=made.warnings)
    assert found.good
    assert "grid" in only(found, "warning").title


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["input", "required", "output", "options", "x"]), inner, max_size=4
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_a_server_says_of_its_nodes_the_check_ends_in_words(odd: Any) -> None:
    read_nodes({"KSampler": odd}, ("KSampler",))
    nodes = {**server(), "KSampler": odd, "UNETLoader": {"input": {"required": {"unet_name": odd}}}}
    for problem in checked(built("edit-single").graph, nodes).problems:
        assert problem.title
        assert "\n" not in problem.title


@pytest.mark.skipif(not NODES.exists(), reason=f"there are no recorded nodes at {NODES}")
@pytest.mark.parametrize(("version", "which"), [("0.33.0", "new"), ("0.3.64", "old")])
def test_the_verdict_is_that_of_the_real_server(version: str, which: str) -> None:
    """Real servers took or refused these graphs; the check says the same of their nodes."""
    recorded = json.loads(NODES.read_text("utf-8"))
    nodes = {name: one[which] for name, one in recorded.items() if one[which]}
    custom = {"UnetLoaderGGUF", "NunchakuQwenImageDiTLoader"}
    for file in sorted((SHARED / "graphs").glob("*.json")):
        graph = json.loads(file.read_text("utf-8"))
        classes = {node["class_type"] for node in graph.values()}
        if "sdpose" in file.stem:  # its checkpoint loader is not among the recorded
            continue
        refused = "dwpose" in file.stem or (which == "old" and bool(classes & custom))
        found = check(graph, nodes, CATALOG, version=version)
        assert found.good is not refused, file.stem
