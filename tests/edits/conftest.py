"""A rehearsed ComfyUI of each recorded version, a rehearsed Forge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.comfyui.prompts import PromptCalls
from console.comfyui.run import Pace
from tests.edits.graphs import PICTURE
from tests.edits.servers import Served, served

QUICK = Pace(deaf=0.2, quiet=0.5, gone=3.0, sure=0.6, heed=0.4)


@pytest.fixture(params=["0.33.0", "0.3.64"])
def comfy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with served("comfyui", tmp_path, request.param) as made:
        yield made


@pytest.fixture
def newest(tmp_path: Path) -> Iterator[Served]:
    with served("comfyui", tmp_path, "0.33.0") as made:
        yield made


@pytest.fixture
def photo(request: pytest.FixtureRequest) -> str:
    """Give the name under which the picture lies on whichever ComfyUI the test uses."""
    names = {"comfy", "newest"} & set(request.fixturenames)
    made: Served = request.getfixturevalue(names.pop())
    return PromptCalls(made.client()).upload(PICTURE)
