"""CUDA's order is worked out from what the driver tells, else said to be unknown."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from console.gpu.cuda_order import SpeedFacts, cuda_ordinals
from console.unknown import Unknown, known

AMPERE = (8, 6)
LAPTOP = SpeedFacts(index=0, capability=AMPERE, cores=6144, clock_mhz=1700, model="RTX 3080 Laptop")
BIG = SpeedFacts(index=1, capability=AMPERE, cores=10496, clock_mhz=1695, model="RTX 3090")

FACTS = st.builds(
    SpeedFacts,
    index=st.just(0),
    capability=st.none() | st.tuples(st.integers(5, 12), st.integers(0, 9)),
    cores=st.none() | st.integers(1, 20_000),
    clock_mhz=st.none() | st.integers(1, 3_000),
    model=st.none() | st.sampled_from(["a", "b", "c"]),
)


def numbered(cards: list[SpeedFacts]) -> list[SpeedFacts]:
    return [replace(card, index=index) for index, card in enumerate(cards)]


HOSTS = st.lists(FACTS, max_size=16).map(numbered)
KNOWN_HOSTS = st.lists(
    st.builds(
        SpeedFacts,
        index=st.just(0),
        capability=st.tuples(st.integers(5, 12), st.integers(0, 9)),
        cores=st.integers(1, 20_000),
        clock_mhz=st.integers(1, 3_000),
    ),
    max_size=16,
).map(numbered)


def test_the_fast_card_is_cuda_0_though_the_driver_lists_it_second() -> None:
    assert cuda_ordinals([LAPTOP, BIG]) == {0: 1, 1: 0}


def test_a_newer_generation_comes_first() -> None:
    newer = replace(LAPTOP, index=2, capability=(12, 0), model="RTX 5060")
    assert cuda_ordinals([LAPTOP, BIG, newer]) == {2: 0, 1: 1, 0: 2}


def test_identical_cards_keep_pci_order_even_without_facts() -> None:
    cards = [SpeedFacts(index=index, model="RTX 3090") for index in range(3)]
    assert cuda_ordinals(cards) == {0: 0, 1: 1, 2: 2}


def test_cores_alone_serve_where_clocks_are_not_told() -> None:
    assert cuda_ordinals([replace(LAPTOP, clock_mhz=None), BIG]) == {0: 1, 1: 0}


def test_a_missing_fact_leaves_open_what_it_would_decide() -> None:
    newest = SpeedFacts(index=2, capability=(12, 0), model="RTX 5090")
    ordinals = cuda_ordinals([LAPTOP, replace(BIG, cores=None), newest])
    assert ordinals[2] == 0
    for index in (0, 1):
        reason = ordinals[index]
        assert isinstance(reason, Unknown)
        assert reason.code == "gpu.cuda-order-unknown"
        assert "cores" in reason.hint
    older = cuda_ordinals([replace(LAPTOP, capability=None), BIG])
    assert not any(known(ordinal) for ordinal in older.values())


@given(FACTS)
def test_one_card_is_0_whatever_is_known_of_it(card: SpeedFacts) -> None:
    assert cuda_ordinals([card]) == {0: 0}


@given(KNOWN_HOSTS)
def test_with_all_facts_the_ordinals_are_a_permutation(cards: list[SpeedFacts]) -> None:
    ordinals = list(cuda_ordinals(cards).values())
    assert all(isinstance(ordinal, int) for ordinal in ordinals)
    assert set(ordinals) == set(range(len(cards)))


@given(HOSTS)
def test_known_ordinals_are_distinct_and_in_range(cards: list[SpeedFacts]) -> None:
    ordinals = cuda_ordinals(cards)
    assert set(ordinals) == set(range(len(cards)))
    told = [ordinal for ordinal in ordinals.values() if isinstance(ordinal, int)]
    assert len(set(told)) == len(told)
    assert all(0 <= ordinal < len(cards) for ordinal in told)


@given(KNOWN_HOSTS.filter(bool), st.randoms())
def test_the_order_in_which_cards_are_told_does_not_matter(
    cards: list[SpeedFacts], random: Random
) -> None:
    shuffled = list(cards)
    random.shuffle(shuffled)
    assert cuda_ordinals(shuffled) == cuda_ordinals(cards)
