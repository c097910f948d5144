"""What runs together, and what ComfyUI loads then: one card that a Forge has already."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actions.setup.report import StepReport
from console.config.load import load
from console.simulator.scene import Scene
from screens.cli.setup_text import report_text
from tests.setup.conftest import Bare, Change
from tests.setup.walking import asked
from tests.support.edits import COMFY, FORGE, edit_host

BEST, BESIDE = "qwen-edit-2511-fp8mixed", "qwen-edit-2511-gguf-q4_k_m"


def on_one_card(*names: str) -> Change:
    """Give the change to a scene after which only these containers are there, on its one card."""

    def change(scene: Scene) -> Scene:
        containers = {
            name: msgspec.structs.replace(one, card=0)
            for name, one in scene.containers.items()
            if name in names
        }
        return msgspec.structs.replace(scene, cards=scene.cards[1:], containers=containers)

    return change


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    """Give a host with one card, a Forge on it, and a ComfyUI; tests only look."""
    folder = tmp_path_factory.mktemp("shared")
    with edit_host(folder / "home", change=on_one_card(COMFY, FORGE)) as host:
        yield Bare(host, folder)


def loaded(reports: dict[str, StepReport]) -> object:
    return asked(reports["variant"], "service.variant").value


def test_what_a_forge_needs_is_asked_and_without_it_nothing_is_guessed(shared: Bare) -> None:
    reports = shared.shown()
    layout = reports["layout"]
    assert layout.state == "needed"
    assert 'services = ["comfyui-qwen"]' in layout.diff
    assert "is not known" in [one.reason for one in layout.layouts][1]
    assert [one.value for one in asked(layout, "layout.name").options] == ["exclusive", "dual"]
    assert "8 GiB" in [one.value for one in asked(layout, "layout.forge_vram").options]
    assert loaded(reports) == BEST


def test_alone_it_loads_the_best_and_beside_a_forge_what_fits_there(shared: Bare) -> None:
    alone = shared.shown(layout={"forge_vram": "8 GiB"})
    exclusive, dual = alone["layout"].layouts
    assert (exclusive.verdict, dual.verdict) == ("resident", "resident")
    assert any("exclusive is advised: alone on its card" in one for one in alone["layout"].proposes)
    assert '+vram_budget = "8 GiB"' in alone["layout"].diff
    assert loaded(alone) == BEST
    both = shared.shown(layout={"forge_vram": "8 GiB", "name": "dual"})
    assert f'+services = ["{FORGE}", "{COMFY}"]' in both["layout"].diff
    assert loaded(both) == BESIDE
    table = both["variant"].table
    assert table is not None
    verdicts = {row[0].strip("★ "): row[-1] for row in table.rows}
    assert verdicts["2511-fp8mixed"] == "offload"
    assert verdicts["2511-q4_k_m"] == "tight"


def test_a_small_forge_beside_which_nothing_is_lost_runs_together_with_it(shared: Bare) -> None:
    reports = shared.shown(layout={"forge_vram": "4 GiB"}, service={"variant": BESIDE})
    assert any("dual is advised: all of it stays" in one for one in reports["layout"].proposes)
    assert "[layouts.dual]" in reports["layout"].diff


def test_a_variant_that_was_named_and_does_not_fit_beside_the_forge_is_said(shared: Bare) -> None:
    reports = shared.shown(
        layout={"forge_vram": "14 GiB", "name": "dual"}, service={"variant": "qwen-edit-2509-fp8"}
    )
    layout = reports["layout"]
    assert layout.state == "blocked"
    assert layout.detail.startswith("dual does not fit: myia and comfyui-qwen do not fit together")
    assert any('service.variant = "qwen-edit-2509-gguf-q2_k"' in one for one in layout.commands)
    assert asked(layout, "service.variant").options[0].value == "qwen-edit-2509-gguf-q2_k"
    assert loaded(reports) == "qwen-edit-2509-fp8"
    assert reports["comfyui"].detail == "it waits for the step layout"


def test_a_forge_that_leaves_no_room_for_any_takes_turns(shared: Bare) -> None:
    layout = shared.shown(layout={"forge_vram": "100 GiB", "name": "dual"})["layout"]
    assert layout.state == "blocked"
    assert layout.commands == ('layout.name = "exclusive" in the answers: they take turns',)


def test_layouts_and_variants_are_drawn_within_eighty_columns(shared: Bare) -> None:
    reports = shared.shown(layout={"forge_vram": "8 GiB"})
    drawn = report_text(reports["layout"], whole=True)
    assert "█ myia 8.0 GiB" in drawn
    assert f"▓ {COMFY} 13.9 GiB" in drawn
    assert "22.6 of 23.7 GiB" in drawn
    side_by_side = report_text(reports["variant"], whole=True)
    assert "quality" in side_by_side
    assert "★ 2511-fp8mixed" in side_by_side
    lines = [
        line
        for text in (drawn, side_by_side)
        for line in text.splitlines()
        if not line.startswith(("      ", "    runs:")) or "█" in line
    ]
    assert max(map(len, lines)) <= 80


def test_a_forge_that_is_there_gets_its_layout_with_the_comfyui_that_is_made(
    tmp_path: Path,
) -> None:
    with edit_host(tmp_path / "home", change=on_one_card(FORGE)) as host:
        bare = Bare(host, tmp_path)
        wanted = {"name": "dual", "forge_vram": "8 GiB"}
        shown = bare.shown(layout=wanted)
        assert "[layouts.dual]" not in shown["layout"].diff
        assert "+[layouts.dual]" in shown["comfyui"].diff
        assert f'+variant = "{BESIDE}"' in shown["comfyui"].diff
        later = ["comfyui", "fetch", "start", "verify", "first-edit"]
        reports = bare.run(layout=wanted, skip=later)
        assert reports["layout"].state == "done"
        settings = load(bare.config).settings
        assert settings.services[FORGE].vram_budget == 8 << 30
        assert settings.layouts == {}


def test_without_a_forge_dual_says_what_it_lacks(tmp_path: Path) -> None:
    with edit_host(tmp_path / "home", change=on_one_card(COMFY)) as host:
        bare = Bare(host, tmp_path)
        assert "no layout is needed" in bare.shown()["layout"].detail
        dual = bare.shown(layout={"name": "dual"})["layout"]
    assert dual.state == "blocked"
    assert "there is none here" in dual.detail
