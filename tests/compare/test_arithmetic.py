"""Which edits a comparison makes, what their figures come to, and which variant it advises."""

import math
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.compare.asked import asked_of
from actions.compare.cases import checked_once, edit_id, shots_of, spare_seed
from actions.compare.figures import cells_of, heads_of, psnr_text
from actions.compare.model import COLD, DONE, MORE, REFUSED, SKIPPED, WARM, Candidate, Row, Shot
from actions.compare.ranking import advise, best_first, reference_of, rules, typical_seconds
from actions.compare.rows import refused_rows, rows_of, seconds_of
from console.edits.kept import EditError, KeptEdit, KeptPicture, Timings
from console.errors import UsageError
from console.unknown import NOT_KNOWN, Unknown, known, plain

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
FP8 = Candidate(
    id="qwen-edit-2509-fp8", family="2509", quality=7, weight_bytes=20_430_698_424, fit="resident"
)
Q4 = Candidate(
    id="qwen-edit-2509-gguf-q4_0", family="2509", quality=13, weight_bytes=11_928_271_392,
    fit="resident",
)  # fmt: skip
FUSED = Candidate(
    id="qwen-edit-2511-lightning", family="2509", quality=3, weight_bytes=20_430_000_000, fused=True
)


def an_edit(number: int, **fields: object) -> KeptEdit:
    made = Timings(queued=1.0, load=9.0, per_step=1.5, run=40.0, total=50.0, heard=True)
    picture = KeptPicture(role="output", number=0, path=f"/o/{number}.png", width=8, height=8)
    return msgspec.structs.replace(
        KeptEdit(
            id=f"e-{number}", state="done", service="comfyui-qwen", kind="comfyui",
            workflow="edit-single", seed=7, steps=20, created_at=AT, timings=made,
            vram_before_bytes=1 << 30, vram_peak_bytes=20 << 30, pictures=(picture,),
        ),
        **fields,
    )  # fmt: skip


def a_row(candidate: Candidate, **fields: object) -> Row:
    row = Row(
        variant=candidate.id, state=DONE, seed=7, steps=20, fit=candidate.fit, path="/o/x.png",
        first_seconds=80.0, warm_seconds=40.0, vram_peak_bytes=21 << 30,
    )  # fmt: skip
    return msgspec.structs.replace(row, **fields)


def test_two_variants_of_one_seed_run_cold_and_warm_one_after_another() -> None:
    whys = [(one.variant, one.why, one.seed) for one in shots_of([0, 2], [7])]
    assert whys == [(0, COLD, 7), (0, WARM, 8), (2, COLD, 7), (2, WARM, 8)]


def test_more_seeds_and_steps_make_one_edit_more_each_and_the_model_is_loaded_once() -> None:
    shots = shots_of([0], [7, 8], [4, 20])
    assert [(one.why, one.seed, one.steps) for one in shots] == [
        (COLD, 7, 4), (WARM, 9, 4), (MORE, 8, 4), (MORE, 7, 20), (MORE, 8, 20),
    ]  # fmt: skip
    assert [one.number for one in shots] == [1, 2, 3, 4, 5]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8, unique=True))
def test_a_warm_run_never_has_a_seed_that_was_asked_for(seeds: list[int]) -> None:
    """A service computes nothing for inputs that it has had."""
    spare = spare_seed(seeds)
    assert spare not in seeds
    assert 0 <= spare < 2**64


@pytest.mark.parametrize("largest", [2**32 - 1, 2**53 - 1, 2**64 - 1])
def test_a_seed_at_the_end_of_what_a_service_takes_is_followed_by_none_beyond(largest: int) -> None:
    assert spare_seed([largest]) == 0
    assert spare_seed([largest, 0]) == 1


@given(
    st.integers(1, 5),
    st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(1, 50), min_size=1, max_size=3, unique=True),
)
def test_every_case_of_every_variant_is_there_once(
    variants: int, seeds: list[int], steps: list[int]
) -> None:
    shots = shots_of(range(variants), seeds, steps)
    assert len(shots) == variants * (len(seeds) * len(steps) + 1)
    assert len({edit_id("p", one.number) for one in shots}) == len(shots)
    cases = {(one.variant, one.seed, one.steps) for one in shots if one.why != WARM}
    assert len(cases) == variants * len(seeds) * len(steps)
    for variant in range(variants):
        own = [one for one in shots if one.variant == variant]
        assert [one.why for one in own[:2]] == [COLD, WARM]
        assert all(one.why == MORE for one in own[2:])


def test_naming_a_seed_twice_is_a_mistake_and_so_are_far_too_many() -> None:
    with pytest.raises(UsageError, match="twice"):
        checked_once("seed", (1, 2, 1))
    with pytest.raises(UsageError, match="at most"):
        asked_of("edit-single", {"variants": [f"v{number}" for number in range(99)]})
    with pytest.raises(UsageError, match="seed"):
        asked_of("edit-single", {"seeds": [-1]})
    with pytest.raises(UsageError, match="no option"):
        asked_of("edit-single", {"sampler": "euler"})
    with pytest.raises(UsageError, match="of that kind"):
        asked_of("edit-single", {"steps": ["many"]})


def test_a_row_has_first_and_warm_without_waiting_for_others() -> None:
    shots = shots_of([0], [7])
    warm = an_edit(2, seed=8, timings=Timings(queued=4.0, per_step=1.2, total=30.0, heard=True))
    (row,) = rows_of([FP8], shots, {1: an_edit(1), 2: warm})
    assert (row.first_seconds, row.warm_seconds) == (49.0, 26.0)
    assert row.load_seconds == 9.0
    assert row.seconds_per_step == 1.2  # the warm one: nothing else goes on then
    assert row.path == "/o/1.png"  # the cold one is the picture that is compared
    assert (row.warm_edit, row.warm_seed) == ("e-2", 8)


def test_a_warm_run_that_fails_costs_its_figure_only() -> None:
    why = EditError(code="edit.out-of-memory", title="out of memory on the card")
    broken = an_edit(2, state="failed", error=why, pictures=())
    (row,) = rows_of([FP8], shots_of([0], [7]), {1: an_edit(1), 2: broken})
    assert row.state == DONE
    assert isinstance(row.warm_seconds, Unknown)
    assert row.warm_seconds.title == "out of memory on the card"
    assert any("out of memory" in note for note in row.notes)


def test_a_variant_that_runs_out_of_memory_is_a_row_and_its_other_cases_are_not_tried() -> None:
    why = EditError(code="edit.out-of-memory", title="out of memory on the card")
    shots = shots_of([0, 1], [7, 9])
    edits = {1: an_edit(1, state="failed", error=why, pictures=())}
    edits |= {number: an_edit(number) for number in (4, 5, 6)}
    rows = rows_of([FP8, Q4], shots, edits)
    assert [row.state for row in rows] == ["failed", SKIPPED, DONE, DONE]
    assert rows[0].error == why
    assert rows[1].error is not None
    assert rows[1].error.code == "compare.cold-failed"
    assert isinstance(rows[0].first_seconds, Unknown)
    assert reference_of([FP8, Q4], rows) == Q4.id


def test_what_was_not_begun_says_so_and_is_no_failure() -> None:
    rows = rows_of([FP8, Q4], shots_of([0, 1], [7]), {1: an_edit(1), 2: an_edit(2)})
    assert rows[1].state == SKIPPED
    assert rows[1].error is not None
    assert rows[1].error.code == "compare.not-begun"
    assert plain(rows[1])["warm_seconds"] is None


def test_what_is_refused_has_a_row_with_its_reason() -> None:
    why = EditError(code="fit.refused", title="it does not fit", hint="take q4_0")
    (row,) = refused_rows([FP8, msgspec.structs.replace(Q4, refusal=why)], 7, None)
    assert (row.variant, row.state, row.error) == (Q4.id, REFUSED, why)
    assert not known(row.steps)


def test_a_picture_the_service_had_already_measures_nothing() -> None:
    assert isinstance(seconds_of(an_edit(1, cached=True)), Unknown)


def test_where_nobody_listened_the_service_tells_how_long_it_took() -> None:
    edit = an_edit(1, timings=Timings(run=33.0, total=4000.0))
    assert seconds_of(edit) == 33.0
    assert isinstance(seconds_of(an_edit(1, timings=Timings())), Unknown)


def test_only_the_first_case_of_a_variant_has_a_first_time() -> None:
    edits = {number: an_edit(number) for number in (1, 2, 3)}
    first, other = rows_of([FP8], shots_of([0], [7, 9]), edits)
    assert first.first_seconds == 49.0
    assert isinstance(other.first_seconds, Unknown)
    assert other.warm_seconds == 49.0
    assert plain(other)["unavailable"]


def test_the_reference_is_the_one_with_the_most_bits_that_ran() -> None:
    rows = [a_row(Q4), a_row(FP8)]
    assert reference_of([Q4, FP8], rows) == FP8.id
    assert reference_of([Q4, FP8], [a_row(Q4), a_row(FP8, path="", state="failed")]) == Q4.id
    assert reference_of([Q4], []) is None


def test_a_fused_lora_is_never_the_reference_of_others() -> None:
    assert [one.id for one in best_first([FUSED, Q4, FP8])] == [FP8.id, Q4.id, FUSED.id]


def test_across_families_the_bytes_of_the_weights_count() -> None:
    other = msgspec.structs.replace(Q4, family="2511", quality=1)
    assert best_first([other, FP8])[0] is FP8


def test_advice_is_the_best_that_ran_and_names_what_is_much_faster() -> None:
    rows = [a_row(FP8, reference=True), a_row(Q4, warm_seconds=16.0, psnr_db=24.3)]
    advice = advise([FP8, Q4], rows, "RTX 3090")
    assert (advice.best, advice.why, advice.fastest) == (FP8.id, "quality", Q4.id)
    assert advice.sentence == (
        "On RTX 3090 use qwen-edit-2509-fp8: it has the most bits of those that ran (40s warm, "
        "1m20s to the first picture, VRAM peak 21.0 GiB); qwen-edit-2509-gguf-q4_0 is 2.5 times "
        "as fast, at 24.3 dB."
    )


def test_advice_takes_the_faster_one_where_nobody_sees_a_difference() -> None:
    rows = [a_row(FP8, reference=True), a_row(Q4, warm_seconds=20.0, psnr_db=rules().alike_db)]
    advice = advise([FP8, Q4], rows, "RTX 3090")
    assert (advice.best, advice.why, advice.fastest) == (Q4.id, "alike", "")
    assert "2.0 times as fast" in advice.sentence
    same = advise([FP8, Q4], [rows[0], a_row(Q4, warm_seconds=20.0, identical=True)], "")
    assert "pixel by pixel" in same.sentence
    assert "On this card" in same.sentence


def test_advice_takes_what_stays_in_vram_where_the_best_streams_its_weights() -> None:
    bf16 = Candidate(id="bf16", family="2509", quality=1, fit="offload")
    rows = [a_row(bf16, warm_seconds=300.0, reference=True), a_row(FP8, psnr_db=31.0)]
    advice = advise([bf16, FP8], rows, "RTX 3090")
    assert (advice.best, advice.why) == (FP8.id, "resident")
    assert "7.5 times as fast, at 31.0 dB" in advice.sentence


def test_where_one_or_none_ran_the_sentence_says_so() -> None:
    why = EditError(code="edit.out-of-memory", title="out of memory on the card")
    failed = a_row(FP8, path="", state="failed", error=why, warm_seconds=Unknown("x", "y"))
    one = advise([FP8, Q4], [failed, a_row(Q4)], "RTX 3090")
    assert one.sentence.startswith("On RTX 3090 use qwen-edit-2509-gguf-q4_0: it is the only one")
    alone = advise([Q4], [a_row(Q4)], "RTX 3090")
    assert alone.sentence.startswith("On RTX 3090 qwen-edit-2509-gguf-q4_0 takes 40s warm")
    none = advise([FP8], [failed], "RTX 3090")
    assert (none.best, none.sentence) == (
        None, "The variant did not run on RTX 3090: out of memory on the card.",
    )  # fmt: skip


def test_speeds_are_compared_over_what_all_of_them_ran() -> None:
    rows = [
        a_row(FP8, warm_seconds=40.0),
        a_row(FP8, seed=9, warm_seconds=60.0),
        a_row(Q4, warm_seconds=20.0),
    ]
    assert typical_seconds(rows) == {FP8.id: 40.0, Q4.id: 20.0}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([FP8, Q4, FUSED]),
            st.one_of(st.none(), st.floats(0.0, 1e4)),
            st.one_of(st.none(), st.just(math.inf), st.floats(-5.0, 100.0)),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_advice_is_about_what_ran_and_is_one_sentence(
    ran: list[tuple[Candidate, float | None, float | None, bool]],
) -> None:
    rows = [
        a_row(
            one,
            warm_seconds=Unknown("x", "y") if warm is None else warm,
            psnr_db=Unknown("x", "y") if db is None or math.isinf(db) else db,
            identical=db == math.inf,
            path="/o/x.png" if there else "",
        )
        for one, warm, db, there in ran
    ]
    advice = advise([FP8, Q4, FUSED], rows, "RTX 3090")
    there_ids = {row.variant for row in rows if row.path}
    assert (advice.best in there_ids) if there_ids else advice.best is None
    assert advice.sentence.endswith(".")
    assert "\n" not in advice.sentence
    assert advice.fastest in {"", *there_ids}


def test_a_table_has_a_column_for_what_differs_only() -> None:
    rows = [a_row(FP8, reference=True), a_row(Q4, psnr_db=24.3)]
    assert heads_of(rows)[:2] == ("variant", "fit")
    assert "seed" in heads_of([*rows, a_row(Q4, seed=9)])
    cells = cells_of(rows[1], heads_of(rows))
    assert cells == (Q4.id, "resident", "1m20s", "40s", NOT_KNOWN, "21.0 GiB", "24.3 dB", "done")
    assert psnr_text(rows[0]) == "reference"


def test_shots_survive_the_journal() -> None:
    shots = shots_of([0, 1], [2**63], [None, 4])
    assert msgspec.convert(msgspec.to_builtins(shots), tuple[Shot, ...]) == shots
