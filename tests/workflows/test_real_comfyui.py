"""Workflows against a real ComfyUI, where GPUCONSOLE_TEST_COMFYUI says that there is one.

Whatever it has: what the check finds nothing wrong with it must take, and what it would refuse the
check must have found. Jobs that it takes are taken back at once.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from actions.workflows.asking import Told
from actions.workflows.building import Wish
from actions.workflows.refusals import refusal_of
from actions.workflows.verify import encoder_for, verify
from console.comfyui.door import ComfyDoor
from console.web.faults import BadStatusError
from tests.service_doors.support import door
from tests.workflows.build import CATALOG, EDITS, WORKFLOWS

ADDRESS = os.environ.get("GPUCONSOLE_TEST_COMFYUI", "")

pytestmark = pytest.mark.skipif(
    not ADDRESS, reason="GPUCONSOLE_TEST_COMFYUI names no real ComfyUI for tests"
)


@pytest.fixture(scope="module")
def opened() -> Iterator[ComfyDoor]:
    made = door("comfyui", ADDRESS, patience=30)
    assert isinstance(made, ComfyDoor)
    with made:
        yield made
        made.client.post("/queue", {"clear": True})
        made.interrupt()


@pytest.fixture(scope="module")
def told(opened: ComfyDoor) -> Told:
    version = opened.system_stats().version
    return Told(
        service="real",
        kind="comfyui",
        version=version if isinstance(version, str) else "",
        object_info=opened.object_info(),
    )


def picture(told: Told) -> str:
    names = told.object_info["LoadImage"]["input"]["required"]["image"][0]
    if not names:
        pytest.skip("it has no picture in its input folder")
    return str(names[0])


@pytest.mark.parametrize("name", EDITS)
def test_it_takes_what_the_check_finds_good_and_refuses_the_rest(
    opened: ComfyDoor, told: Told, name: str
) -> None:
    workflow = WORKFLOWS[name]
    images = (picture(told),) * workflow.most_images
    for variant in CATALOG.variants:
        wish = Wish(
            variant=variant, images=images, steps=1,
            encoder=encoder_for(CATALOG, variant, "", told),
        )  # fmt: skip
        found = verify(workflow, CATALOG, told, wish)
        assert found.built is not None
        took = accepts(opened, found.built.graph)
        assert found.good is took, (variant.id, found.problems)


def accepts(opened: ComfyDoor, graph: dict[str, Any]) -> bool:
    """Tell whether it takes a graph whole; what it takes is taken back before its turn comes."""
    try:
        answer = opened.client.parsed(opened.client.post("/prompt", {"prompt": graph}, patience=30))
    except BadStatusError:
        return False
    opened.client.post("/queue", {"delete": [answer["prompt_id"]]})
    return refusal_of(answer, graph, CATALOG) == ()
