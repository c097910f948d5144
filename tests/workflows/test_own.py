"""Graphs of an operator's own: dropped into a folder, their inputs found, or named in a TOML."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.session import Session, open_session
from actions.workflows.building import Wish, build
from actions.workflows.finding import find_inputs
from actions.workflows.graphs import own_copy
from actions.workflows.reading import read_workflow
from actions.workflows.shelf import Shelf, open_shelf, own_folder, workflow_named
from actions.workflows.workflow import Slot
from console.errors import UsageError
from tests.workflows.build import CATALOG, EDITS, FP8, GGUF, WORKFLOWS, built, simple, variant


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return open_session({"HOME": str(tmp_path)})


def drop(session: Session, name: str, graph: Any, told: str = "") -> Path:
    folder = own_folder(session)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_bytes(graph if isinstance(graph, bytes) else json.dumps(graph).encode())
    if told:
        file.with_suffix(".toml").write_text(told, "utf-8")
    return file


def only_problem(shelf: Shelf) -> str:
    ((path, problem),) = shelf.problems
    assert path
    return problem.title


def texts(slots: tuple[Slot, ...]) -> list[str]:
    return [slot.text for slot in slots]


def test_a_graph_dropped_into_the_folder_is_there_with_its_inputs(session: Session) -> None:
    file = drop(session, "my portrait", simple())
    shelf = open_shelf(session)
    assert shelf.problems == ()
    found = workflow_named(shelf, "My-Portrait")
    assert (found.file, found.families) == (file, ())
    inputs = found.inputs
    assert [one.slot.text for one in inputs.images] == ["10.image"]
    assert texts(inputs.prompt) == ["6.text"]
    assert texts(inputs.negative) == ["7.text"]
    assert texts(inputs.seed + inputs.steps + inputs.cfg) == ["3.seed", "3.steps", "3.cfg"]
    assert texts(inputs.denoise + inputs.prefix) == ["3.denoise", "9.filename_prefix"]
    assert inputs.width == ()


def test_it_is_built_with_what_is_asked_for_and_else_left_as_it_is(session: Session) -> None:
    drop(session, "mine", simple())
    found = workflow_named(open_shelf(session), "mine")
    made = build(found, CATALOG, Wish(images=("b.png",), prompt="a dog", seed=7))
    wanted = simple()
    wanted["10"]["inputs"]["image"] = "b.png"
    wanted["6"]["inputs"]["text"] = "a dog"
    wanted["3"]["inputs"]["seed"] = 7
    assert made.graph == wanted
    assert (made.steps, made.cfg, made.seed, made.variant) == (25, 6.5, 7, "")
    with pytest.raises(UsageError, match="no input for a size"):
        build(found, CATALOG, Wish(images=("b.png",), size=(1024, 1024)))
    with pytest.raises(UsageError, match="0 loaders of diffusion models"):
        build(found, CATALOG, Wish(images=("b.png",), variant=variant(FP8)))


@pytest.mark.parametrize("name", EDITS)
def test_the_inputs_of_what_ships_are_found_without_its_toml(name: str) -> None:
    """The search is held against what is written down for graphs that servers accepted."""
    for ident in (FP8, "qwen-edit-2511-fp8mixed"):
        graph = built(name, ident, images=("p.png",) * WORKFLOWS[name].most_images).graph
        found, told = find_inputs(graph), WORKFLOWS[name].inputs
        assert [one.slot for one in found.images] == [one.slot for one in told.images]
        for key in ("prompt", "negative", "seed", "steps", "cfg", "width", "denoise", "prefix"):
            assert getattr(found, key) == getattr(told, key), key


def test_a_graph_of_an_edit_can_run_another_variant(session: Session) -> None:
    drop(session, "mine", built("merge-2", FP8, lightning=4).graph)
    found = workflow_named(open_shelf(session), "mine")
    made = build(found, CATALOG, Wish(images=("a.png", "b.png"), variant=variant(GGUF)))
    assert made.graph["37"]["class_type"] == "UnetLoaderGGUF"
    assert made.graph["89"]["class_type"] == "LoraLoaderModelOnly"
    assert made.steps == 4
    hurried = build(found, CATALOG, Wish(images=("a.png", "b.png"), lightning=8))
    assert "used as it is" in hurried.warnings[-1]
    alone = build(found, CATALOG, Wish(images=("a.png", "b.png")))
    assert alone.variant == FP8
    assert "grid" in alone.warnings[0]


def test_guiders_joined_texts_and_zeroed_negatives_are_followed() -> None:
    graph = {
        "1": {"class_type": "PrimitiveString", "inputs": {"value": "a cat"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": ["1", 0], "clip": ["9", 0]}},
        "3": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["2", 0], "guidance": 3.5}},
        "4": {"class_type": "BasicGuider", "inputs": {"conditioning": ["3", 0], "model": ["8", 0]}},
        "5": {"class_type": "RandomNoise", "inputs": {"noise_seed": 12}},
        "6": {"class_type": "BasicScheduler", "inputs": {"steps": 8, "denoise": 1.0}},
        "7": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 512, "height": 768}},
    }
    found = find_inputs(graph)
    assert texts(found.prompt + found.seed + found.steps) == ["1.value", "5.noise_seed", "6.steps"]
    assert texts(found.width + found.height) == ["7.width", "7.height"]
    zeroed = own_copy(simple())
    zeroed["7"] = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}
    assert find_inputs(zeroed).negative == ()


def test_pictures_go_by_the_numbers_in_their_titles() -> None:
    graph = {
        ident: {
            "class_type": "LoadImage",
            "inputs": {"image": "x.png"},
            "_meta": {"title": title},
        }
        for ident, title in (("9", "Picture 10"), ("10", "Picture 2"), ("2", "Reference"))
    }
    assert [one.slot.node for one in find_inputs(graph).images] == ["10", "9", "2"]


def test_a_short_toml_names_inputs_that_cannot_be_found(session: Session) -> None:
    graph = simple()
    graph["20"] = {"class_type": "Somebodys", "inputs": {"style": "plain", "strength": 3}}
    told = """
title = "Portrait"
summary = "with my own node"
[inputs]
prompt = ["6.text", "20.style"]
steps = "20.strength"
images = [{ slot = "10.image", what = "a face", optional = false }]
[[templates]]
title = "One"
prompt = "a portrait"
"""
    drop(session, "portrait", graph, told)
    found = workflow_named(open_shelf(session), "portrait")
    assert (found.title, found.inputs.images[0].what) == ("Portrait", "a face")
    assert texts(found.inputs.negative) == ["7.text"]  # still found
    made = build(found, CATALOG, Wish(images=("f.png",), prompt="both", steps=9))
    assert made.graph["6"]["inputs"]["text"] == made.graph["20"]["inputs"]["style"] == "both"
    assert made.graph["20"]["inputs"]["strength"] == 9
    assert made.graph["3"]["inputs"]["steps"] == 25


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b'{"1": {"class_type": "A", "inputs": {"x": NaN}}}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no object of nodes"),
        (b"{}", "has no nodes"),
        ({"nodes": [], "links": [], "version": 0.4}, "as the editor has it"),
        ({"prompt": {"1": {}}, "client_id": "x"}, "a whole request"),
        ({"1": {"inputs": {}}}, "node 1 has no class_type"),
        ({"1": {"class_type": "A"}}, "node 1 has no inputs"),
        ({"1": {"class_type": "A", "inputs": []}}, "node 1 has no inputs"),
        ({"\x1b[31m1": 7}, "node 1 has no class_type"),
        ({str(n): {"class_type": "A", "inputs": {}} for n in range(2001)}, "more than 2000 nodes"),
    ],
)
def test_what_is_no_graph_is_told_and_the_others_are_there(
    session: Session, graph: Any, words: str
) -> None:
    drop(session, "bad", graph)
    drop(session, "good", simple())
    shelf = open_shelf(session)
    assert words in only_problem(shelf)
    assert "\x1b" not in only_problem(shelf)
    assert workflow_named(shelf, "good").file is not None
    with pytest.raises(UsageError, match=words):
        workflow_named(shelf, "bad")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("title = ", "its TOML"),
        ("titel = 'x'", "titel"),
        ("[inputs]\nprompt = '6.nothing'", "no input '6.nothing'"),
        ("[inputs]\nprompt = '99.text'", "no input '99.text'"),
        ("[inputs]\nimages = [{ slot = '10.image', what = 3 }]", "what"),
        ("service = 'midjourney'", "service is 'midjourney'"),
    ],
)
def test_a_toml_that_does_not_fit_is_told(session: Session, told: str, words: str) -> None:
    drop(session, "mine", simple(), told)
    assert words in only_problem(open_shelf(session))


def test_folders_pipes_giants_and_dangling_links_are_told_and_hang_nothing(
    session: Session,
) -> None:
    folder = own_folder(session)
    folder.mkdir(parents=True)
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    (folder / "gone.json").symlink_to(folder / "nowhere")
    with (folder / "giant.json").open("wb") as file:
        file.truncate(9 << 20)
    (folder / "notes.txt").write_text("not a graph")
    (folder / ".hidden.json").write_text("{")
    titles = [problem.title for _, problem in open_shelf(session).problems]
    assert len(titles) == 4
    assert any("larger than 8 MiB" in title for title in titles)


def test_a_name_that_a_packaged_workflow_has_is_not_taken_over(session: Session) -> None:
    drop(session, "edit-single", simple())
    shelf = open_shelf(session)
    assert "another workflow has its name" in only_problem(shelf)
    assert workflow_named(shelf, "edit-single").file is None


def test_a_name_nobody_has_says_which_is_near(session: Session) -> None:
    with pytest.raises(UsageError) as caught:
        workflow_named(open_shelf(session), "merge-4")
    assert caught.value.code == "workflow.unknown"
    assert "merge-" in caught.value.hint


def test_a_folder_that_cannot_be_read_leaves_the_packaged_ones(session: Session) -> None:
    own_folder(session).parent.mkdir(parents=True)
    own_folder(session).write_text("a file in its place")
    shelf = open_shelf(session)
    assert "cannot be read" in only_problem(shelf)
    assert len(shelf.workflows) == len(WORKFLOWS)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=4),
        st.fixed_dictionaries(
            {
                "class_type": st.sampled_from(["KSampler", "LoadImage", "EmptyLatentImage", "G"]),
                "inputs": st.dictionaries(
                    st.sampled_from(
                        ["positive", "negative", "text", "seed", "steps", "image", "conditioning"]
                    ),
                    st.none()
                    | st.integers()
                    | st.text(max_size=4)
                    | st.tuples(st.text(max_size=4), st.integers(-1, 3)).map(list),
                    max_size=5,
                ),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_inputs_that_are_found_are_there_whatever_the_graph(graph: dict[str, Any]) -> None:
    found = read_workflow("odd", json.dumps(graph).encode()).inputs
    slots = [one.slot for one in found.images]
    for name in ("prompt", "negative", "seed", "steps", "cfg", "width", "height"):
        slots += getattr(found, name)
    for slot in slots:
        assert slot.input in graph[slot.node]["inputs"]
