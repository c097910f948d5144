"""The quick rehearsal that tests of edits share: it starts at once, and real edits run on it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.workflows.building import Wish, build
from actions.workflows.shelf import open_shelf
from console.comfyui.prompts import PromptCalls
from console.comfyui.run import ComfyRun
from console.edits.events import AnyEvent, Finished
from console.models.catalog import packaged_catalog
from console.web.client import WebClient
from tests.edits.conftest import QUICK
from tests.edits.graphs import prompt
from tests.support.edits import COMFY, FORGE, ON_DISK, EditHost, a_png, edit_host
from tests.support.program import run_program


@pytest.fixture
def host(tmp_path: Path) -> Iterator[EditHost]:
    """Give the quick rehearsal."""
    with edit_host(tmp_path) as made:
        yield made


def graph_of(host: EditHost, variant: str, name: str, **wish: Any) -> dict[str, Any]:
    """Build the packaged single edit of a picture that lies on the service."""
    catalog = packaged_catalog()
    shelf = open_shelf(host.session())
    workflow = next(one for one in shelf.workflows if one.name == "edit-single")
    asked = Wish(variant=catalog.variant(variant), images=(name,), **{"prompt": "evening", **wish})
    return build(workflow, catalog, asked).graph


def edited(
    host: EditHost,
    variant: str,
    image: Path,
    *,
    on: str = COMFY,
    watch: Callable[[], object] | None = None,
    preview_method: str = "",
    png_info: dict[str, Any] | None = None,
    **wish: Any,
) -> list[AnyEvent]:
    """Run the packaged single edit and give its events; `watch` is called at each of them."""
    name = PromptCalls(WebClient(host.url(on))).upload(image.read_bytes())
    made = prompt(
        graph_of(host, variant, name, **wish),
        preview_method=preview_method,
        png_info=png_info or {},
    )
    events = []
    for event in ComfyRun(lambda: WebClient(host.url(on)), made, pace=QUICK).events():
        events.append(event)
        if watch is not None:
            watch()
    return events


def test_an_edit_is_over_in_about_a_second(host: EditHost) -> None:
    began = time.monotonic()
    events = edited(host, "qwen-edit-2509-gguf-q4_k_m", host.picture())
    last = events[-1]
    assert isinstance(last, Finished)
    assert time.monotonic() - began < 5
    made = PromptCalls(WebClient(host.url())).fetch(last.outputs[0])
    assert made.data != a_png(96, 64)


def test_the_program_meets_it_as_any_host(host: EditHost) -> None:
    said = run_program(["status"], host.pictures, host.environ).stdout.decode()
    assert COMFY in said
    assert FORGE in said


@pytest.mark.parametrize("variant", ON_DISK)
def test_every_variant_that_it_says_is_there_is_there(host: EditHost, variant: str) -> None:
    found = packaged_catalog().variant(variant)
    assert found is not None
    said = run_program(
        ["workflows", "check", "edit-single", "--variant", variant],
        host.pictures, host.environ,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout.decode()
