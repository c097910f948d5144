"""docs/workflows.md: what ships is listed as it is, and what it says of one's own works."""

import json
import re
import tomllib

import pytest

from actions.workflows.reading import read_workflow
from actions.workflows.shelf import packaged_workflows
from console.errors import UsageError
from tests.docs.pages import blocks, page

NODES = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "cfg": 4.0}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "b"}},
    "10": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
}


def test_every_workflow_that_ships_is_listed_as_it_is() -> None:
    table = page("workflows.md").partition("|---|---|---|\n")[2].partition("<!-- end")[0]
    rows = []
    for one in packaged_workflows():
        least, most = one.fewest_images, one.most_images
        pictures = str(least) if least == most else f"{least} or {most}"
        rows.append(f"| `{one.name}` | {pictures} | {one.summary} |")
    assert table.splitlines() == rows


def test_the_toml_on_the_page_is_one_that_the_program_takes() -> None:
    (told,) = (one.text for one in blocks("workflows.md") if one.language == "toml")
    made = read_workflow("ours", json.dumps(NODES).encode(), told)
    assert made.title == tomllib.loads(told)["title"]
    assert [one.slot.text for one in made.inputs.images] == ["10.image"]
    assert made.templates[0].title == "On the shelf"


def test_every_key_on_the_page_is_taken_and_no_other() -> None:
    table = page("workflows.md").partition("| key | what for |\n|---|---|\n")[2]
    first = "\n".join(row.split("|")[1] for row in table.partition("\n\n")[0].splitlines())
    keys = re.findall(r"`\[?\[?(\w+)", first)
    assert len(keys) >= 8
    graph = json.dumps(NODES).encode()
    tables = {"inputs": '[inputs]\nseed = "3.seed"', "templates": "[[templates]]\ntitle = 'x'"}
    listed = {key: f'{key} = ["x"]' for key in ("families", "extras")}
    for key in keys:
        value = '"comfyui"' if key == "service" else '"x"'
        told = tables.get(key) or listed.get(key) or f"{key} = {value}"
        read_workflow("ours", graph, told + ("\nprompt = 'y'" if key == "templates" else ""))
    with pytest.raises(UsageError):
        read_workflow("ours", graph, 'titel = "x"')
