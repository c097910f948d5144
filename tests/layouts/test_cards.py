"""Which card somebody means."""

import pytest

from actions.service_verbs.cards import card_named, twins
from console.errors import UsageError
from tests.support.snapshots import gpu

SMALL = gpu(0, "NVIDIA GeForce RTX 3080 Laptop GPU", total=16)
BIG = gpu(1, "NVIDIA GeForce RTX 3090", total=24)
SECOND = gpu(2, "NVIDIA GeForce RTX 3090", total=24)


@pytest.mark.parametrize(
    ("text", "index"),
    [("0", 0), ("1", 1), ("3090", 1), ("laptop", 0), (" RTX 3080 ", 0), ("30", None), ("", None),
     ("2", None), ("GPU-", None), ("5090", None)],
)  # fmt: skip
def test_a_card_is_meant_by_index_or_by_a_part_of_its_name(text: str, index: int | None) -> None:
    cards = (SMALL, BIG)
    if index is not None:
        assert card_named(cards, text) is cards[index]
        return
    with pytest.raises(UsageError) as caught:
        card_named(cards, text)
    assert caught.value.code in {"gpu.unknown", "gpu.ambiguous"}
    assert "RTX 3080" in caught.value.hint
    assert BIG.uuid in caught.value.hint


def test_a_uuid_or_the_beginning_of_one_means_its_card() -> None:
    assert card_named((SMALL, BIG), BIG.uuid) is BIG
    assert card_named((SMALL, BIG), BIG.uuid.upper()) is BIG
    unique = next(
        BIG.uuid[:length]
        for length in range(5, len(BIG.uuid) + 1)
        if not SMALL.uuid.startswith(BIG.uuid[:length])
    )
    assert card_named((SMALL, BIG), unique) is BIG


def test_two_equal_cards_are_told_apart_by_index_only() -> None:
    with pytest.raises(UsageError, match="could be 2 cards"):
        card_named((SMALL, BIG, SECOND), "3090")
    assert card_named((SMALL, BIG, SECOND), "2") is SECOND
    assert twins((SMALL, BIG, SECOND), SECOND) == (BIG,)
    assert twins((SMALL, BIG), SMALL) == ()
    assert twins((BIG, gpu(3, "NVIDIA GeForce RTX 3090", total=12)), BIG) == ()


def test_without_cards_it_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        card_named((), "3090")
    assert caught.value.hint == "the driver shows no card"
