"""The arithmetic against measurements and published tables, and what must hold of any numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actions.fit.arithmetic import (
    CONTEXT,
    STREAM_BUFFER,
    Ram,
    Room,
    activations,
    judge,
    need_terms,
    total,
)
from actions.fit.demand import Demand, variant_demand
from actions.fit.model import USUAL_TASK, VERDICTS, Fit, Task, Term
from console.models.catalog import packaged_catalog
from console.unknown import Unknown
from tests.fit.build import GIB, MIB

RESERVE = Term(name="reserve", title="reserve", bytes=400 * MIB, source="comfyui")
THREE = Task(images=3)

# Peaks that somebody measured on real cards, in MiB.
MEASURED = [
    ("qwen-edit-2509-fp8", Task(width=1248, height=832), 20_755),
    ("qwen-edit-2509-gguf-q4_k_m", Task(), 14_467),
]

# The published table: GiB to stay resident at 1024x1024 with 1 and 3 reference pictures.
TABLE = [
    ("qwen-edit-2509-bf16", 40.1, 41.2),
    ("qwen-edit-2509-fp8", 21.0, 22.2),
    ("qwen-edit-2509-fp8-scaled-lightx2v", 21.0, 22.2),
    ("qwen-edit-2511-fp8mixed", 21.1, 22.3),
    ("qwen-edit-2511-int8-convrot", 21.1, 22.2),
    ("qwen-edit-2509-gguf-q8_0", 22.2, 23.4),
    ("qwen-edit-2509-gguf-q6_k", 17.7, 18.8),
    ("qwen-edit-2509-gguf-q5_1", 16.3, 17.5),
    ("qwen-edit-2509-gguf-q5_k_m", 15.9, 17.0),
    ("qwen-edit-2509-gguf-q5_0", 15.4, 16.5),
    ("qwen-edit-2509-gguf-q5_k_s", 15.1, 16.3),
    ("qwen-edit-2509-gguf-q4_k_m", 14.2, 15.3),
    ("qwen-edit-2509-gguf-q4_1", 14.0, 15.1),
    ("qwen-edit-2509-gguf-q4_k_s", 13.3, 14.5),
    ("qwen-edit-2509-gguf-q4_0", 13.1, 14.2),
    ("qwen-edit-2509-gguf-q3_k_m", 11.1, 12.2),
    ("qwen-edit-2509-gguf-q3_k_s", 10.4, 11.6),
    ("qwen-edit-2509-gguf-q2_k", 8.6, 9.8),
    ("qwen-edit-2509-nunchaku-int4-r32", 12.7, 13.8),
    ("qwen-edit-2509-nunchaku-int4-r128", 13.8, 15.0),
    ("qwen-edit-2509-nunchaku-fp4-r32", 13.1, 14.2),
    ("qwen-edit-2509-nunchaku-fp4-r128", 14.2, 15.3),
    ("qwen-edit-2511-gguf-q4_k_m", 14.3, 15.5),
]


def demand_of(variant: str, *extras: str) -> Demand:
    catalog = packaged_catalog()
    found = catalog.variant(variant)
    assert found is not None
    return variant_demand(found, catalog, extras)


def need_of(variant: str, task: Task) -> int:
    terms = need_terms(demand_of(variant), task, RESERVE)
    assert not isinstance(terms, Unknown)
    return total(terms)


@pytest.mark.parametrize(("variant", "task", "mib"), MEASURED)
def test_expected_use_agrees_with_what_was_measured(variant: str, task: Task, mib: int) -> None:
    fit = judged(demand_of(variant), 48 * GIB, task=task)
    assert isinstance(fit.expected_use_bytes, int)
    assert fit.expected_use_bytes == pytest.approx(mib * MIB, rel=0.05)
    assert fit.verdict == "resident"


@pytest.mark.parametrize(("variant", "one", "three"), TABLE)
def test_need_agrees_with_the_table(variant: str, one: float, three: float) -> None:
    assert need_of(variant, Task()) / GIB == pytest.approx(one, abs=0.06)
    assert need_of(variant, THREE) / GIB == pytest.approx(three, abs=0.06)


def judged(
    demand: Demand,
    available: int,
    *,
    task: Task = USUAL_TASK,
    reserve: Term = RESERVE,
    ram: int | Unknown = 1_000 * GIB,
    card: int | None = None,
    at_best: int | None = None,
    capability: str = "8.6",
) -> Fit:
    whole = max(available, 24 * GIB) if card is None else card
    room = Room(
        gpu_uuid="GPU-1",
        available=available,
        at_best=available if at_best is None else at_best,
        doubt=None if at_best is None else Unknown("vram.doubtful", "who holds what is not known"),
        card_bytes=whole,
        capability=capability,
    )
    memory = Ram(available=ram, process=3_000_000_000, total=ram, what="free")
    return judge(demand, room, memory, task, reserve)


sizes = st.integers(0, 60 * GIB)
tasks = st.builds(
    Task,
    width=st.integers(16, 8_192),
    height=st.integers(16, 8_192),
    images=st.integers(0, 16),
)
reserves = st.integers(0, 4 * GIB).map(
    lambda size: Term(name="reserve", title="reserve", bytes=size, source="config")
)


def weights(size: int, plain: bool = False, encoder: int = 0) -> Demand:
    base = Term(name="weights", title="weights", bytes=size, source="catalogue")
    return Demand(
        variant="" if plain else "made-up",
        base=base,
        plain=plain,
        encoder_bytes=encoder,
        min_card_bytes=0 if plain else 8_000_000_000,
    )


@given(sizes, tasks, reserves, sizes, sizes, st.booleans())
def test_what_holds_of_every_verdict(
    size: int, task: Task, reserve: Term, available: int, ram: int, plain: bool
) -> None:
    fit = judged(weights(size, plain), available, task=task, reserve=reserve, ram=ram)
    need, use = fit.need_bytes, fit.expected_use_bytes
    assert isinstance(need, int)
    assert isinstance(use, int)
    assert need - use == reserve.bytes
    assert total(fit.terms) == need
    assert fit.verdict in VERDICTS
    assert (fit.verdict == "resident") == (need <= available)
    assert min(need, use, fit.streams_bytes) >= 0
    assert fit.streams_bytes <= size
    assert fit.reason
    if fit.verdict == "offload":
        assert not plain
        assert isinstance(fit.ram_need_bytes, int)
        assert fit.ram_need_bytes == total(fit.ram_terms) <= ram
        assert activations(task) + CONTEXT + reserve.bytes + STREAM_BUFFER <= available
        assert fit.streams_bytes > 0
    if fit.verdict == "refused":
        assert fit.code in {"vram", "ram", "card-too-small"}


@given(sizes, st.integers(0, GIB), tasks)
def test_more_of_anything_never_needs_less(size: int, more: int, task: Task) -> None:
    def need(weights_bytes: int, edit: Task) -> int:
        terms = need_terms(weights(weights_bytes), edit, RESERVE)
        assert not isinstance(terms, Unknown)
        return total(terms)

    least = need(size, task)
    wider = Task(width=task.width + 1, height=task.height, images=task.images)
    another = Task(width=task.width, height=task.height, images=task.images + 1)
    assert need(size + more, task) == least + more
    assert need(size, wider) >= least
    assert need(size, another) >= least


@given(sizes, tasks, sizes, st.integers(0, 8 * GIB), sizes, st.integers(0, 8 * GIB))
def test_more_room_or_ram_never_makes_it_worse(
    size: int, task: Task, available: int, more: int, ram: int, more_ram: int
) -> None:
    def rank(room: int, memory: int) -> int:
        fit = judged(weights(size), room, task=task, ram=memory, card=80 * GIB)
        assert isinstance(fit.verdict, str)
        return VERDICTS.index(fit.verdict)

    assert rank(available + more, ram) <= rank(available, ram)
    assert rank(available, ram + more_ram) <= rank(available, ram)


@given(sizes, st.integers(0, 24 * GIB), st.integers(0, 8 * GIB))
def test_a_doubt_only_counts_where_it_decides(size: int, available: int, more: int) -> None:
    least = judged(weights(size), available, card=24 * GIB)
    best = judged(weights(size), available + more, card=24 * GIB)
    doubtful = judged(weights(size), available, card=24 * GIB, at_best=available + more)
    if least.verdict == best.verdict:
        assert doubtful.verdict == least.verdict
    else:
        assert isinstance(doubtful.verdict, Unknown)
        assert doubtful.reason == "who holds what is not known"


def test_fp4_is_refused_on_the_cards_before_blackwell() -> None:
    fp4 = demand_of("qwen-edit-2509-nunchaku-fp4-r32")
    for capability, verdict in (("8.6", "refused"), ("9.0", "refused"), ("12.0", "resident")):
        fit = judged(fp4, 24 * GIB, capability=capability)
        assert fit.verdict == verdict
        assert fit.code == ("" if verdict == "resident" else "capability")


def test_int4_is_refused_before_turing_and_after_ada() -> None:
    int4 = demand_of("qwen-edit-2509-nunchaku-int4-r128")
    allowed = {"6.1": False, "7.0": False, "7.5": True, "8.0": True, "8.6": True, "8.9": True,
               "9.0": False, "12.0": False}  # fmt: skip
    for capability, fits in allowed.items():
        assert (judged(int4, 24 * GIB, capability=capability).verdict == "resident") is fits


def test_fp8_runs_on_any_generation_and_says_what_it_saves() -> None:
    fit = judged(demand_of("qwen-edit-2509-fp8"), 24 * GIB, capability="7.5")
    assert fit.verdict == "resident"
    assert any("not time" in note for note in fit.notes)


def test_a_card_of_six_gigabytes_is_too_small_to_offload() -> None:
    fit = judged(demand_of("qwen-edit-2509-fp8"), 6 * GIB, card=6 * GIB)
    assert (fit.verdict, fit.code) == ("refused", "card-too-small")
    fit = judged(demand_of("qwen-edit-2509-fp8"), 8 * GIB - 200 * MIB, card=8 * GIB)
    assert fit.verdict == "offload"


def test_bf16_is_not_run_on_a_sixteen_gigabyte_card() -> None:
    bf16 = demand_of("qwen-edit-2509-bf16")
    assert judged(bf16, 16 * GIB, card=16 * GIB).code == "card-too-small"
    assert judged(bf16, 24 * GIB, ram=64 * GIB).verdict == "offload"
    assert judged(bf16, 24 * GIB, ram=24 * GIB).code == "ram"
    some = judged(bf16, 24 * GIB, ram=48 * GIB)
    assert (some.verdict, some.code) == ("refused", "ram")
    assert "52.7 GiB of RAM in all" in some.reason


def test_offloading_says_how_much_streams_and_what_that_takes() -> None:
    fit = judged(demand_of("qwen-edit-2509-fp8"), 16 * GIB, ram=32 * GIB)
    assert fit.verdict == "offload"
    assert isinstance(fit.need_bytes, int)
    assert fit.streams_bytes == fit.need_bytes - 16 * GIB + STREAM_BUFFER
    assert [term.name for term in fit.ram_terms] == ["streams", "encoder", "vae", "process"]
    assert any("loading passes through host RAM" in note for note in fit.notes)


def test_host_ram_that_nobody_tells_leaves_the_verdict_open() -> None:
    fit = judged(demand_of("qwen-edit-2509-fp8"), 16 * GIB, ram=Unknown("host.unread", "no /proc"))
    assert isinstance(fit.verdict, Unknown)
    assert "host RAM" in fit.reason


def test_bf16_stays_open_where_nobody_tells_how_much_ram_there_is_in_all() -> None:
    room = Room(gpu_uuid="GPU-1", available=24 * GIB, at_best=24 * GIB, card_bytes=24 * GIB,
                capability="8.6")  # fmt: skip
    unread = Unknown("host.unread", "no /proc/meminfo")
    memory = Ram(available=60 * GIB, process=3_000_000_000, total=unread, what="free")
    bf16 = judge(demand_of("qwen-edit-2509-bf16"), room, memory, USUAL_TASK, RESERVE)
    assert bf16.verdict == unread
    fp8 = judge(
        demand_of("qwen-edit-2509-fp8"),
        replace(room, available=16 * GIB, at_best=16 * GIB),
        memory,
        USUAL_TASK,
        RESERVE,
    )
    assert fp8.verdict == "offload"


def test_a_lightning_lora_counts_on_gguf_and_not_on_native_weights() -> None:
    lora = "lightning-2509-4steps-bf16"
    gguf = judged(demand_of("qwen-edit-2509-gguf-q4_0", lora), 24 * GIB)
    native = judged(demand_of("qwen-edit-2509-fp8", lora), 24 * GIB)
    assert ("lora", 849_608_296) in [(term.name, term.bytes) for term in gguf.terms]
    assert "lora" not in [term.name for term in native.terms]
    assert any("in place" in note for note in native.notes)


def test_a_controlnet_counts_everywhere() -> None:
    fit = judged(demand_of("qwen-edit-2509-fp8", "controlnet-instantx-union"), 48 * GIB)
    assert ("controlnet", 3_540_000_000) in [(term.name, term.bytes) for term in fit.terms]


def test_a_file_whose_size_nobody_tells_leaves_the_need_open() -> None:
    fit = judged(demand_of("qwen-edit-2511-fp8-lightning-merged"), 24 * GIB)
    assert isinstance(fit.verdict, Unknown)
    assert isinstance(fit.need_bytes, Unknown)
    assert fit.verdict.code == "model.size-unknown"


def test_a_plain_budget_is_resident_or_refused() -> None:
    assert judged(weights(8 * GIB, plain=True), 9 * GIB).verdict == "resident"
    fit = judged(weights(8 * GIB, plain=True), 8 * GIB)
    assert (fit.verdict, fit.code) == ("refused", "vram")
    assert [term.name for term in fit.terms] == ["weights", "reserve"]
