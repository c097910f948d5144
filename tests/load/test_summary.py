"""The figures of a run: they add up, and say what an incident cost."""

from hypothesis import given
from hypothesis import strategies as st

from actions.load.kinds import kinds
from actions.load.model import CANCELLED, DONE, FAILED, Incident
from actions.load.summary import outcome
from tests.load.runs import CARD, OTHER, failed, request, result, sample


def test_a_good_run_is_told_in_a_sentence_with_its_throughput() -> None:
    results = [result(n, 2.0 * n) for n in range(1, 5)]

    made = outcome("load-1", request(), results, [sample(0), sample(8)], (), {"comfy": CARD})

    assert (made.requests, made.succeeded, made.failed, made.cancelled) == (4, 4, (), 0)
    assert (made.seconds, made.throughput_per_minute) == (8.0, 30.0)
    assert (made.wait_seconds.p50, made.run_seconds.p95) == (0.5, 1.5)
    assert made.longest_gap_seconds == 2.0
    assert made.throughput_without_gaps is None
    assert "4 of 4 succeeded" in made.sentence
    assert "30.00 a minute" in made.sentence
    assert made.outputs == ("/out/1.png", "/out/2.png", "/out/3.png", "/out/4.png")


def test_the_cards_of_the_runs_services_come_first_and_lost_time_is_no_zero() -> None:
    samples = [sample(0), sample(1, 9 << 30), sample(2, lost=True), sample(4)]

    cards = outcome("x", request(), [result(1, 3.0)], samples, (), {"comfy": CARD}).cards

    assert [(one.gpu_uuid, one.services) for one in cards] == [(CARD, ("comfy",)), (OTHER, ())]
    big = cards[0]
    assert (big.vram_before_bytes, big.vram_peak_bytes) == (5 << 30, 9 << 30)
    assert (big.samples, big.lost_seconds) == (3, 2.0)
    assert (big.temperature_peak_celsius, big.power_peak_watts) == (64.0, 300.0)
    assert cards[1].temperature_peak_celsius is None


def test_a_service_that_went_down_is_told_with_what_it_took_and_the_gap_it_made() -> None:
    down = Incident(kind="service-down", subject="comfy", ident="comfy", begun=5.0, ended=20.0)
    results = [
        result(1, 2.0),
        result(2, 4.0),
        failed(3, 5.2, "edit.restarted"),
        result(4, 24.0, attempts=2, first_begun=4.5),
    ]

    made = outcome("x", request(), results, (), [down], {"comfy": CARD})

    told = made.incidents[0]
    assert (told.seconds, told.gap_seconds) == (15.0, 20.0)
    assert (told.lost, told.retried) == ((3,), (4,))
    assert made.failures_by_kind == {"service-died": 1}
    assert made.throughput_per_minute == 3 * 60 / 24
    assert made.throughput_without_gaps == 3 * 60 / 4
    assert "Survived: comfy was down" in made.sentence
    assert "1 sent again" in made.sentence


def test_what_is_seen_only_after_a_failure_names_it_all_the_same() -> None:
    away = Incident(kind="engine-away", begun=3.5, ended=9.0)
    lost = Incident(kind="card-lost", subject="RTX 3090", ident=CARD, begun=12.0)
    results = [
        failed(1, 3.0, "web.closed"),
        failed(2, 11.0, "edit.restarted"),
        failed(3, 13.0, "edit.node-failed", detail="CUDA error: device-side assert"),
        failed(4, 13.0, "edit.node-failed", detail="mat1 and mat2 shapes do not go together"),
    ]

    made = outcome("x", request(), results, (), [away, lost], {"comfy": CARD})

    assert [one.kind for one in made.failed] == [
        "engine-restarted", "card-lost", "card-lost", "node-failed",
    ]  # fmt: skip
    assert made.incidents[0].lost == (1,)
    assert made.succeeded == 0


def test_a_request_that_vanished_with_its_queue_was_not_deleted_by_anybody() -> None:
    restarted = Incident(
        kind="service-restarted", subject="comfy", ident="comfy", begun=3.0, ended=3.0
    )
    results = [failed(1, 2.5, "edit.removed"), failed(2, 40.0, "edit.removed")]

    made = outcome("x", request(count=2), results, (), [restarted], {"comfy": CARD})

    assert [one.kind for one in made.failed] == ["service-died", "interrupted"]
    assert "restarted or fell over" in made.failed[0].title, "nobody is said to have deleted it"
    assert made.failed[0].hint.startswith("see the log of its container")
    assert made.failed[1].title == "it failed: edit.removed"


def test_what_a_killed_console_had_not_sent_yet_is_not_held_against_the_service() -> None:
    away = Incident(kind="console-away", begun=1.0, ended=9.0)
    down = Incident(kind="service-down", subject="comfy", ident="comfy", begun=40.0, ended=41.0)
    results = [failed(1, 12.0, "edit.not-found"), failed(2, 42.0, "edit.not-found")]

    made = outcome("x", request(count=2), results, (), [away, down], {"comfy": CARD})

    assert [one.kind for one in made.failed] == ["console-away", "service-died"]


def test_an_incident_of_one_service_is_not_held_against_another() -> None:
    down = Incident(kind="service-down", subject="big", ident="big", begun=1.0, ended=9.0)
    results = [
        result(1, 3.0, service="small"),
        failed(2, 4.0, "web.refused", service="small"),
        failed(3, 4.0, "web.refused", service="big"),
    ]

    made = outcome("x", request("big", "small", count=3), results, (), [down], {})

    assert made.incidents[0].lost == (3,)
    assert [(one.service, one.requests, one.failed) for one in made.services] == [
        ("big", 1, 1), ("small", 2, 1),
    ]  # fmt: skip


def test_out_of_memory_is_counted_and_named() -> None:
    results = [result(1, 2.0), failed(2, 3.0, "edit.out-of-memory")]

    made = outcome("x", request(count=2), results, (), (), {})

    assert (made.out_of_memory, made.failures_by_kind) == (1, {"out-of-memory": 1})
    assert "1 out of memory on the card" in made.sentence


_CODES = ["edit.restarted", "edit.out-of-memory", "web.refused", "edit.odd-picture", "what.ever"]
_ONE = st.tuples(
    st.sampled_from([DONE, FAILED, CANCELLED]),
    st.floats(min_value=2, max_value=500),
    st.sampled_from(_CODES),
    st.integers(min_value=1, max_value=3),
)
_INCIDENT = st.tuples(
    st.sampled_from(["engine-away", "card-lost", "service-down"]),
    st.floats(min_value=0, max_value=400),
    st.none() | st.floats(min_value=0, max_value=100),
)


@given(st.lists(_ONE, max_size=25), st.lists(_INCIDENT, max_size=4))
def test_whatever_happened_the_figures_add_up(
    several: list[tuple[str, float, str, int]],
    incidents: list[tuple[str, float, float | None]],
) -> None:
    results = [
        (failed if state == FAILED else result)(
            number,
            ended,
            *([code] if state == FAILED else [state]),
            attempts=0 if state == CANCELLED else attempts,
        )
        for number, (state, ended, code, attempts) in enumerate(several, start=1)
    ]
    happened = [
        Incident(kind=kind, ident=CARD, begun=at, ended=None if took is None else at + took)
        for kind, at, took in incidents
    ]

    made = outcome("x", request(count=len(results)), results, (), happened, {"comfy": CARD})

    assert made.requests == made.succeeded + len(made.failed) + made.cancelled
    assert sum(made.failures_by_kind.values()) == len(made.failed)
    assert set(made.failures_by_kind) <= set(kinds())
    assert 0 <= made.longest_gap_seconds <= made.seconds + 0.01
    rate, rest = made.throughput_per_minute, made.throughput_without_gaps
    assert rate is None or rate >= 0
    assert rate is None or rest is None or rest >= rate - 1e-3
    assert all(one.gap_seconds >= 0 and one.seconds >= 0 for one in made.incidents)
    assert made.sentence.startswith(f"{made.succeeded} of {made.requests} succeeded")
