"""The quick rehearsal that tests of edits share: it starts at once, and real edits run on it."""

import time
from collections.abc import Iterator
from pathlib import Path

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


def edited(host: EditHost, variant: str, image: Path, **wish: object) -> list[AnyEvent]:
    """Run the packaged single edit and give its events."""
    catalog = packaged_catalog()
    name = PromptCalls(WebClient(host.url())).upload(image.read_bytes())
    workflow = next(
        one for one in open_shelf(host.session()).workflows if one.name == "edit-single"
    )
    asked = Wish(variant=catalog.variant(variant), images=(name,), prompt="evening", **wish)  # type: ignore[arg-type]
    run = ComfyRun(
        lambda: WebClient(host.url()), prompt(build(workflow, catalog, asked).graph), pace=QUICK
    )
    return list(run.events())


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
