"""Edits asked for once more, from the record and from the picture alone."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.edits.request import EditRequest
from actions.gallery.again import NEW_SEED, request_of, request_of_recipe
from actions.gallery.from_file import said_in
from console.edits.parameters import read_parameters
from console.edits.recipe import recipe_of
from console.errors import UsageError
from tests.gallery.conftest import Gallery


def test_again_is_the_same_request(gallery: Gallery) -> None:
    edit = gallery.made()
    assert request_of(edit) == EditRequest(
        workflow="edit-single", service="comfyui-qwen", variant="qwen-edit-2509-fp8",
        images=(edit.pictures[0].source,), prompt="make it snow", seed=41, steps=4,
    )  # fmt: skip


def test_one_thing_changed(gallery: Gallery) -> None:
    edit = gallery.made()
    same = request_of(edit)
    assert request_of(edit, seed=NEW_SEED).seed is None
    assert request_of(edit, seed=7, prompt=None).seed == 7
    other = request_of(edit, variant="qwen-edit-2511-fp8mixed", steps=8)
    assert (other.variant, other.steps, other.seed) == ("qwen-edit-2511-fp8mixed", 8, same.seed)
    assert request_of(edit, prompt="").prompt == ""


def test_a_picture_that_was_changed_since_is_taken_as_it_was_sent(gallery: Gallery) -> None:
    edit = gallery.made()
    photo = gallery.photo(shade=200)
    assert str(photo) == edit.pictures[0].source
    assert request_of(edit).images == (edit.pictures[0].path,)
    photo.unlink()
    assert request_of(edit).images == (edit.pictures[0].path,)
    Path(edit.pictures[0].path).unlink()
    with pytest.raises(UsageError, match="not here any more"):
        request_of(edit)
    other = gallery.photo("dog.png")
    assert request_of(edit, images=(str(other),)).images == (str(other),)


def test_from_the_picture_alone(gallery: Gallery) -> None:
    edit = gallery.made()
    recipe = recipe_of(Path(edit.pictures[1].path))["gpuconsole"]
    gallery.records.remove([edit.id])
    again = request_of_recipe(gallery.session, recipe, seed=8)
    assert again == EditRequest(
        workflow="edit-single", service="comfyui-qwen", variant="qwen-edit-2509-fp8",
        images=(edit.pictures[0].path,), prompt="make it snow", seed=8, steps=4,
    )  # fmt: skip
    Path(edit.pictures[0].path).unlink()
    with pytest.raises(UsageError, match="not here any more"):
        request_of_recipe(gallery.session, recipe)


@pytest.mark.parametrize(
    "recipe",
    [{}, {"request": 3}, {"workflow": 7}, {"workflow": "w", "request": {"seed": "many"}},
     {"workflow": "w", "request": {"images": 3}}, {"workflow": None, "request": {}}],
)  # fmt: skip
def test_recipes_that_are_none(gallery: Gallery, recipe: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no recipe"):
        request_of_recipe(gallery.session, recipe)


@pytest.mark.parametrize("value", [None, 3, [], "x", {}, True, [[]], {"1": 2}, {"1": {}}])
def test_hostile_recipes_say_nothing_and_break_nothing(value: object) -> None:
    for name in ("gpuconsole", "prompt", "parameters", "workflow"):
        said_in({name: value})
    told = {"seed": value, "prompt": value, "request": {"cfg": value}, "workflow": value}
    json.dumps(str(said_in({"gpuconsole": told})))


def test_inputs_by_hashes_that_are_none(gallery: Gallery) -> None:
    recipe = {"workflow": "w", "request": {}, "inputs": ["../../etc/passwd"]}
    with pytest.raises(UsageError):
        request_of_recipe(gallery.session, recipe)


def test_the_parameters_of_forge() -> None:
    told = read_parameters(
        "masterpiece, a cat: sitting,\non a mat\nNegative prompt: bad, ugly\nand worse\n"
        'Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1234, '
        'Size: 512x768, Model: v1-5, Lora hashes: "a: 12, b: 34", Version: f2.0.1'
    )  # fmt: skip
    assert told.prompt == "masterpiece, a cat: sitting,\non a mat"
    assert told.negative == "bad, ugly\nand worse"
    assert told.settings["Lora hashes"] == "a: 12, b: 34"
    assert told.settings["Sampler"] == "DPM++ 2M"
    assert (told.whole("Seed"), told.whole("Model")) == (1234, None)


def test_parameters_without_settings_are_all_prompt() -> None:
    assert read_parameters("just: words, no settings").prompt == "just: words, no settings"


@given(st.text(max_size=300))
def test_parameters_of_any_text(text: str) -> None:
    read_parameters(text)


SIMPLE = st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), min_size=1, max_size=30)


@given(prompt=SIMPLE, negative=SIMPLE, seed=st.integers(0, 2**63), name=st.text(max_size=30))
def test_parameters_as_forge_writes_them(prompt: str, negative: str, seed: int, name: str) -> None:
    quoted = json.dumps(name, ensure_ascii=False) if set(',:\n"\\') & set(name) else name
    text = f"{prompt}\nNegative prompt: {negative}\nSteps: 4, Seed: {seed}, Size: 1x1"
    if name.strip() == name and name and not {"\r", "\x0b"} & set(name) and name.isprintable():
        told = read_parameters(f"{text}, Model: {quoted}")
        assert told.settings["Model"] == name
    told = read_parameters(text)
    assert (told.prompt, told.negative) == (prompt.strip(), negative.strip())
    assert told.whole("Seed") == seed
