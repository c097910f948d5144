"""Which card a program gets: flags, environment, Docker's choice and CUDA's own order."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.simulator.casting import kind_of, seen_cards
from console.simulator.scenario import load_scenario, scenario_names
from console.simulator.services.cuda import GIB, Card, flag, pick, read_cards

SMALL = Card(
    index=0, name="RTX 3080 Laptop", memory=16 * GIB, uuid="GPU-aa11", bus_id="00000000:01:00.0",
    multiprocessors=48, clock_mhz=1950,
)  # fmt: skip
BIG = Card(
    index=1, name="RTX 3090", memory=24 * GIB, uuid="GPU-bb22", bus_id="00000000:2D:00.0",
    multiprocessors=82, clock_mhz=2100,
)  # fmt: skip
CARDS = (SMALL, BIG)
PCI = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@pytest.mark.parametrize(
    ("arguments", "environ", "allowed", "names"),
    [
        ((), {}, "all", ["RTX 3090", "RTX 3080 Laptop"]),
        ((), PCI, "all", ["RTX 3080 Laptop", "RTX 3090"]),
        (("--cuda-device", "0"), {}, "all", ["RTX 3090"]),
        (("--cuda-device=0",), PCI, "all", ["RTX 3080 Laptop"]),
        (("--cuda-device", "1"), {}, "all", ["RTX 3080 Laptop"]),
        ((), {"FORGE_ARGS": "--api --gpu-device-id 1"}, "all", ["RTX 3080 Laptop"]),
        ((), {"CUDA_VISIBLE_DEVICES": "GPU-aa"}, "all", ["RTX 3080 Laptop"]),
        ((), {"CUDA_VISIBLE_DEVICES": "GPU-"}, "all", []),
        ((), {"CUDA_VISIBLE_DEVICES": "1,7,0", **PCI}, "all", ["RTX 3090"]),
        ((), {"CUDA_VISIBLE_DEVICES": ""}, "all", []),
        (("--cuda-device", "2"), {}, "all", []),
        (("--cuda-device", "0"), {"CUDA_VISIBLE_DEVICES": "GPU-aa"}, "all", ["RTX 3090"]),
        ((), {}, ("0",), ["RTX 3080 Laptop"]),
        ((), {}, "GPU-bb22", ["RTX 3090"]),
        (("--cuda-device", "1"), {}, ("1",), []),
        ((), {}, None, []),
    ],
)
def test_a_program_sees_what_cuda_would_show_it(
    arguments: tuple[str, ...], environ: dict[str, str], allowed: str | None, names: list[str]
) -> None:
    assert [card.name for card in pick(CARDS, arguments, environ, allowed).cards] == names


@given(st.lists(st.sampled_from(["--api", "x", "--cuda-device", "--gpu-device-id", "0", "1"])))
def test_a_flag_without_a_number_picks_nothing_and_never_fails(words: list[str]) -> None:
    found = flag(words, {"FORGE_ARGS": '--api "unclosed'})
    pairs = list(itertools.pairwise(words))
    wanted = [int(v) for name, v in pairs if name.startswith("--") and v in {"0", "1"}
              and name != "--api"]  # fmt: skip
    assert found == (wanted[-1] if wanted else None)


def test_a_list_of_cards_is_read_in_the_drivers_order(tmp_path: Path) -> None:
    file = tmp_path / "cards.json"
    file.write_text(json.dumps([{"name": "A", "memory": 16}, {"name": "B", "memory": 24 * GIB}]))
    cards = read_cards(file)
    assert [(card.index, card.name, card.memory // GIB) for card in cards] == [
        (0, "A", 16),
        (1, "B", 24),
    ]
    for wrong in ('[{"name": "A"}]', '{"a": 1}', "[1]", "nonsense"):
        file.write_text(wrong)
        with pytest.raises(ValueError, match=r".+"):
            read_cards(file)


@pytest.mark.parametrize("name", scenario_names())
def test_each_service_of_a_scenario_sits_where_its_settings_lead(name: str) -> None:
    scene = load_scenario(name)
    for spec in scene.containers.values():
        if kind_of(spec) and spec.image:
            assert seen_cards(scene, spec).cards[0].index == spec.card, spec.name
