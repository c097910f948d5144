"""The page of cards: how these very cards are counted, pinned, and which one ComfyUI gets."""

from pathlib import Path

import msgspec
import pytest

from console.simulator.scene import Scene
from tests.setup.places import place
from tests.setup.walking import asked

SMALL, BIG = "GPU-3f1c9a52-7d84-4b0e-9a61-c2e5d8f07b13", "GPU-8b2d6e07-51fa-4c39-b7d8-19e4a3c6f520"


def test_the_trap_is_told_with_the_numbers_of_these_cards(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        found = here.look("cards")
    assert found.state == "done"
    assert found.detail == "RTX 3090 (card 1) for ComfyUI"
    told = "\n".join(found.found)
    assert "nvidia-smi counts by slot: 0 RTX 3080 Laptop, 1 RTX 3090" in told
    assert "CUDA alone counts the fastest first: 0 RTX 3090, 1 RTX 3080 Laptop" in told
    assert "a bare 0 is the RTX 3080 Laptop to nvidia-smi, and the RTX 3090 to ComfyUI" in told
    assert "Docker's choice of one is not honoured" in told
    assert "--cuda-device 1 (ComfyUI)" in told
    assert found.table is not None
    rows = [dict(zip(found.table.head, row, strict=True)) for row in found.table.rows]
    assert [(one["nvidia-smi"], one["CUDA alone"]) for one in rows] == [("0", "1"), ("1", "0")]


def test_on_native_linux_the_engine_is_given_the_card_by_its_uuid(tmp_path: Path) -> None:
    with place(tmp_path, "native") as here:
        told = "\n".join(here.look("cards").found)
    assert BIG in told
    assert "WSL" not in told
    assert "--cuda-device" not in told


def test_cards_that_both_count_alike_are_pinned_all_the_same(tmp_path: Path) -> None:
    def turned(scene: Scene) -> Scene:
        first, second = scene.cards
        cards = (
            msgspec.structs.replace(second, pci_bus_id=first.pci_bus_id),
            msgspec.structs.replace(first, pci_bus_id=second.pci_bus_id),
        )
        return msgspec.structs.replace(scene, cards=cards)

    with place(tmp_path, "fresh-host", turned) as here:
        told = "\n".join(here.look("cards").found)
    assert "here both agree" in told
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in told


def test_one_may_choose_the_other_card_by_uuid_or_by_name(tmp_path: Path) -> None:
    with place(tmp_path, "fresh-host") as here:
        ask = asked(here.look("cards"), "service.gpu")
        assert [one.value for one in ask.options] == [SMALL, BIG]
        assert [one.recommended for one in ask.options] == [False, True]
        assert ask.value == BIG
        for said in (SMALL, "3080", SMALL[:12]):
            found = here.look("cards", service={"gpu": said})
            assert found.detail == "RTX 3080 Laptop (card 0) for ComfyUI"
            assert found.proposes == ("RTX 3080 Laptop (card 0) for ComfyUI, as it was answered",)


@pytest.mark.parametrize("said", ["4090", "RTX"])
def test_an_answer_that_names_no_card_is_said_and_can_be_mended_there(
    tmp_path: Path, said: str
) -> None:
    with place(tmp_path, "fresh-host") as here:
        found = here.look("cards", service={"gpu": said})
    assert found.state == "blocked"
    assert said in found.detail
    assert asked(found, "service.gpu").value == said


def test_with_one_card_nothing_is_asked(tmp_path: Path) -> None:
    with place(tmp_path, "one-card") as here:
        found = here.look("cards")
    assert found.state == "done"
    assert found.asks == ()
    assert "there is one card: its number is 0 however one counts" in found.found
    assert found.proposes == ("RTX 3090 (card 0) for ComfyUI: it is the only one",)


def test_a_card_too_small_for_anything_is_told_with_what_could_be_done(tmp_path: Path) -> None:
    def small(scene: Scene) -> Scene:
        card = msgspec.structs.replace(scene.cards[0], memory=6.0)
        return msgspec.structs.replace(scene, cards=(card,))

    with place(tmp_path, "fresh-host", small) as here:
        found = here.look("cards")
    assert found.state == "blocked"
    assert "too small for every variant; the least of them, qwen-edit-2509-gguf-q2_k" in (
        found.detail
    )
    assert any(one.startswith("a card of 8 GB or more") for one in found.commands)


def test_of_two_cards_the_small_one_may_not_be_chosen_and_the_other_is_named(
    tmp_path: Path,
) -> None:
    def small(scene: Scene) -> Scene:
        first = msgspec.structs.replace(scene.cards[0], memory=6.0)
        return msgspec.structs.replace(scene, cards=(first, scene.cards[1]))

    with place(tmp_path, "fresh-host", small) as here:
        found = here.look("cards", service={"gpu": "3080"})
    assert found.state == "blocked"
    assert found.commands[0].startswith(f'RTX 3090 (card 1) would do: service.gpu = "{BIG}"')
    assert asked(found, "service.gpu").options[1].recommended
