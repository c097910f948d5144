"""A server's own refusal, in words that say what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.workflows.refusals import refusal_of
from tests.workflows.build import CATALOG, built

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"


def error(kind: str, details: str, **extra: Any) -> dict[str, Any]:
    return {"type": kind, "message": "said", "details": details, "extra_info": extra}


def of_node(ident: str, class_type: str, *errors: dict[str, Any]) -> dict[str, Any]:
    node = {"errors": list(errors), "dependent_outputs": ["60"], "class_type": class_type}
    return {"prompt_id": "x", "number": 3, "node_errors": {ident: node}}


def test_a_200_whose_node_errors_are_not_empty_is_a_refusal() -> None:
    graph = built("edit-single").graph
    assert refusal_of({"prompt_id": "x", "number": 3, "node_errors": {}}, graph, CATALOG) == ()
    wrong = error(
        "custom_validation_failed", "image - Invalid image file: a.png", input_name="image"
    )
    (problem,) = refusal_of(of_node("78", "LoadImage", wrong), graph, CATALOG)
    assert problem.code == "workflow.refused"
    assert (problem.node, problem.input) == ("78", "image")
    assert "Invalid image file: a.png" in problem.hint


def test_a_file_that_the_server_does_not_have_names_the_command() -> None:
    graph = built("edit-single").graph
    wrong = error(
        "value_not_in_list",
        "unet_name: 'qwen_image_edit_2509_fp8_e4m3fn.safetensors' not in (list of length 40)",
        input_name="unet_name",
        input_config=None,
        received_value="qwen_image_edit_2509_fp8_e4m3fn.safetensors",
    )
    (problem,) = refusal_of(of_node("37", "UNETLoader", wrong), graph, CATALOG)
    assert problem.command == "gpuconsole models pull qwen-edit-2509-fp8"


def test_a_wrong_choice_and_number_say_what_is_allowed() -> None:
    choice = error(
        "value_not_in_list", "x", input_name="weight_dtype", received_value="fp9",
        input_config=[["default", "fp8_e4m3fn"], {}],
    )  # fmt: skip
    number = error(
        "value_smaller_than_min", "x", input_name="steps", received_value=0,
        input_config=["INT", {"min": 1, "max": 10000}],
    )  # fmt: skip
    answer = of_node("37", "UNETLoader", choice, number)
    first, second = refusal_of(answer, built("edit-single").graph, CATALOG)
    assert first.hint == "Allowed: default, fp8_e4m3fn"
    assert second.hint == "Allowed: 1 to 10000"


@pytest.mark.parametrize(
    "answer",
    [
        {
            "error": error("missing_node_type", "Node ID '#37'", node_id="37",
                           class_type="UnetLoaderGGUF"),
            "node_errors": {},
        },
        {
            "error": {
                "type": "invalid_prompt",
                "message": "Cannot execute because node UnetLoaderGGUF does not exist.",
                "details": "Node ID '#37'", "extra_info": {},
            },
            "node_errors": {},
        },
    ],
)  # fmt: skip
def test_a_node_that_is_missing_is_told_alike_by_old_and_new(answer: dict[str, Any]) -> None:
    graph = built("edit-single", "qwen-edit-2509-gguf-q4_0").graph
    (problem,) = refusal_of(answer, graph, CATALOG)
    assert problem.code == "workflow.missing-node"
    assert problem.custom_node == "city96/ComfyUI-GGUF"


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "type", "node_errors", "errors", "class_type", "extra_info", "input_name",
                 "input_config", "received_value", "37", "message", "details"]
            ),
            inner,
            max_size=5,
        ),
        max_leaves=25,
    )
)  # fmt: skip
def test_whatever_a_server_answers_ends_in_clean_lines(answer: Any) -> None:
    for problem in refusal_of(answer, built("edit-single").graph, CATALOG):
        assert problem.title.isprintable()


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"there are no recorded answers at {CAPTURES}")
@pytest.mark.parametrize("version", ["0.3.64", "0.33.0"])
def test_every_refusal_that_was_recorded_is_told_and_nothing_else(version: str) -> None:
    records = json.loads((CAPTURES / version / "20_prompt_refusals.json").read_text("utf-8"))
    seen = 0
    for record in records:
        sent = record.get("request", {}).get("json")
        if record.get("kind") != "http" or not isinstance(sent, dict):
            continue
        body = record["body"]
        problems = refusal_of(body, sent.get("prompt") or {}, CATALOG)
        refused = record["status"] == 400 or bool(body.get("node_errors"))
        assert bool(problems) is refused, record["note"]
        assert all(one.hint for one in problems), record["note"]
        seen += refused
    assert seen > 10
