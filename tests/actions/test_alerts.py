"""What the console calls an alert, since when, and the one sentence it puts first."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.alerts import AlertBook
from actions.snapshot import Alert
from actions.verdict import pass_verdict, worst_first
from console.engine.snapshot import Container, EngineEvent, EngineSnapshot
from console.gpu.snapshot import GpuSnapshot
from console.unknown import Unknown
from tests.actions.build import RTX_3080, make_3090, make_cards, make_container, make_gpu
from tests.support.snapshots import GIB, NOW, engine_snapshot


def look(
    *containers: Container, cards: GpuSnapshot | None = None, engine: EngineSnapshot | None = None
) -> dict[str, Alert]:
    cards = cards or make_cards(make_gpu())
    found = AlertBook().look(cards, engine or engine_snapshot(*containers), {}, NOW)
    return {alert.id: alert for alert in found}


def die(container: Container, minutes_ago: float, code: int = 2) -> EngineEvent:
    return EngineEvent(
        at=NOW - timedelta(minutes=minutes_ago),
        container_id=container.id,
        container_name=container.name,
        action="die",
        exit_code=code,
    )


def test_a_healthy_host_has_no_alert_and_says_so() -> None:
    engine = engine_snapshot(make_container())
    cards = make_cards()
    alerts = AlertBook().look(cards, engine, {}, NOW)
    assert alerts == ()
    verdict = pass_verdict(alerts, cards, engine)
    assert verdict.severity == "ok"
    assert verdict.text == "all is well: 2 cards, 1 of 1 containers running"


def test_a_crash_loop_says_how_often_since_when_and_why() -> None:
    looping = make_container(
        "myia", state="restarting", exit_code=2, restart_count=6, started_at=NOW
    )
    events = tuple(die(looping, minutes) for minutes in (0.2, 1, 2, 3, 4, 5))
    engine = engine_snapshot(looping, events=events)
    alert = look(engine=engine)["container.crash-loop"]
    assert (alert.severity, alert.count) == ("error", 6)
    assert alert.since == NOW - timedelta(minutes=5)
    local = alert.since.astimezone().strftime("%H:%M")
    assert alert.title == f"crash-looping: 6 restarts since {local}, exit 2: usage error"
    verdict = pass_verdict([alert], make_cards(), engine)
    assert verdict.text == f"myia {alert.title}"


def test_caught_in_the_moment_it_runs_a_crash_loop_is_still_one() -> None:
    looping = make_container(restart_count=5, exit_code=0, started_at=NOW - timedelta(seconds=3))
    events = tuple(die(looping, minutes) for minutes in (0.1, 0.5, 1, 2, 3))
    assert "container.crash-loop" in look(engine=engine_snapshot(looping, events=events))


def test_old_restarts_of_a_container_that_has_run_since_are_no_loop() -> None:
    settled = make_container(restart_count=12, started_at=NOW - timedelta(hours=3))
    assert look(settled) == {}


def test_a_restart_after_a_quiet_day_begins_a_new_count_of_time() -> None:
    looping = make_container(state="restarting", exit_code=1, restart_count=9)
    events = tuple(die(looping, minutes) for minutes in (1, 2, 600))
    alert = look(engine=engine_snapshot(looping, events=events))["container.crash-loop"]
    assert alert.since == NOW - timedelta(minutes=2)
    assert alert.count == 2
    assert "2 restarts since" in alert.title
    assert "(9 in all)" in alert.title


def test_a_loop_is_seen_though_the_engine_forgot_most_of_its_events() -> None:
    """It keeps 256, and the health checks of other containers fill that in minutes."""
    looping = make_container(restart_count=36, started_at=NOW - timedelta(seconds=5))
    engine = engine_snapshot(looping, events=(die(looping, 0.5),))
    assert "container.crash-loop" in look(engine=engine)


def test_one_restart_of_late_is_no_loop_where_memory_reaches_back() -> None:
    once = make_container(restart_count=4, started_at=NOW - timedelta(minutes=2))
    other = make_container("caddy")
    engine = engine_snapshot(once, events=(die(once, 2), die(other, 55)))
    assert look(engine=engine) == {}


def test_a_run_that_ended_well_though_it_ran_out_of_memory_warns() -> None:
    done = make_container(state="exited", exit_code=0, oom_killed=True, finished_at=NOW)
    alert = look(done)["container.out-of-memory"]
    assert alert.severity == "warning"
    assert alert.title == "finished, but a process in it was killed: out of memory"


@pytest.mark.parametrize(
    ("code", "hours", "severity"),
    [(1, 1, "error"), (1, 30, "warning"), (137, 1, "warning"), (143, 1, "info"), (139, 1, "error")],
)
def test_an_end_weighs_by_its_code_and_its_age(code: int, hours: float, severity: str) -> None:
    ended = make_container(state="exited", exit_code=code, finished_at=NOW - timedelta(hours=hours))
    assert look(ended)["container.exited"].severity == severity


def test_a_stop_that_was_asked_for_is_no_alert_even_when_it_ends_in_137() -> None:
    stopped = make_container(state="exited", exit_code=137, finished_at=NOW)
    engine = engine_snapshot(stopped, asked_to_stop=frozenset({stopped.id}))
    assert look(engine=engine) == {}


def test_out_of_memory_is_told_from_other_137s() -> None:
    killed = make_container(state="exited", exit_code=137, oom_killed=True, finished_at=NOW)
    alert = look(killed)["container.out-of-memory"]
    assert alert.severity == "error"
    assert "memory" in alert.title


def test_a_failed_start_says_what_is_wrong_and_quotes_the_engine() -> None:
    text = 'could not select device driver "" with capabilities: [[gpu]]'
    failed = make_container(state="created", exit_code=128, error=text)
    alert = look(failed)["container.failed-start"]
    assert alert.title == "could not start: the engine has no NVIDIA device driver"
    assert text in alert.hint


def test_a_failed_start_for_a_new_reason_quotes_the_engine_at_once() -> None:
    failed = make_container(state="created", exit_code=128, error="the moon is full")
    assert look(failed)["container.failed-start"].title == "could not start: the moon is full"


def test_a_dead_container_is_called_dead_whatever_its_exit_code() -> None:
    assert set(look(make_container(state="dead", exit_code=137))) == {"container.dead"}


def test_a_driver_that_never_answered_is_worse_than_one_that_is_late() -> None:
    stale = Unknown("gpu.stale", "the driver has not answered for 3 s")
    late = make_cards(make_gpu(), problem=stale)
    assert look(cards=late)["gpu.stale"].severity == "warning"
    assert look(cards=GpuSnapshot(driver=stale, problem=stale))["gpu.stale"].severity == "error"


def test_a_lost_card_reads_as_a_sentence() -> None:
    lost = Unknown("nvml.gpu-lost", "the card fell off the bus (GPU is lost)")
    cards, engine = make_cards(make_gpu(lost=lost)), engine_snapshot()
    verdict = pass_verdict(AlertBook().look(cards, engine, {}, NOW), cards, engine)
    assert verdict.text == (
        "card 0 RTX 3080 Laptop does not answer: the card fell off the bus (GPU is lost)"
    )


def test_unhealthy_paused_and_dead_each_have_their_alert() -> None:
    found = look(
        make_container("a", health="unhealthy"),
        make_container("b", state="paused"),
        make_container("c", state="dead"),
    )
    assert {key: alert.severity for key, alert in found.items()} == {
        "container.unhealthy": "error",
        "container.paused": "warning",
        "container.dead": "error",
    }


def test_an_alert_does_not_flap_on_the_edge() -> None:
    book = AlertBook()

    def titles(percent: float) -> set[str]:
        card = make_gpu(memory_free_bytes=int(16 * GIB * (100 - percent) / 100))
        return {alert.id for alert in book.look(make_cards(card), engine_snapshot(), {}, NOW)}

    assert titles(94) == set()
    assert titles(96) == {"card.nearly-full"}
    assert titles(93) == {"card.nearly-full"}
    assert titles(91) == set()
    assert titles(93) == set()


def test_heat_and_a_lost_card() -> None:
    found = look(
        cards=make_cards(
            make_gpu(temperature_celsius=92),
            make_3090(lost=Unknown("nvml.gpu-lost", "does not answer any more", "reboot Windows")),
        )
    )
    assert found["card.too-hot"].severity == "error"
    assert found["card.lost"].subject == "card 1 RTX 3090"


def test_since_is_when_it_was_first_seen_and_starts_again_after_a_break() -> None:
    book = AlertBook()
    hot, cool = make_cards(make_gpu(temperature_celsius=87)), make_cards(make_gpu())
    first = book.look(hot, engine_snapshot(), {}, NOW)[0]
    later = book.look(hot, engine_snapshot(), {}, NOW + timedelta(minutes=5))[0]
    assert first.since == later.since == NOW
    book.look(cool, engine_snapshot(), {}, NOW + timedelta(minutes=6))
    again = book.look(hot, engine_snapshot(), {}, NOW + timedelta(minutes=7))[0]
    assert again.since == NOW + timedelta(minutes=7)


def test_no_driver_is_an_error_only_where_somebody_wants_a_card() -> None:
    problem = Unknown("nvml.lib-not-found", "no NVIDIA driver library was found")
    cards = GpuSnapshot(problem=problem)
    assert look(cards=cards)["nvml.lib-not-found"].severity == "warning"
    blocked = GpuSnapshot(problem=Unknown("nvml.version-mismatch", "driver and library differ"))
    assert look(cards=blocked)["nvml.version-mismatch"].severity == "error"


def test_an_engine_that_does_not_answer_is_an_error_at_the_first_look_too() -> None:
    """A one-shot `status` at night has never heard it, and must not call that a detail."""
    gone = Unknown("engine.absent", "no engine answers")
    for heard in (1_000.0, None):
        engine = engine_snapshot(state="lost", problem=gone, heard_monotonic=heard)
        assert look(engine=engine)["engine.absent"].severity == "error"


def test_the_verdict_counts_what_else_is_wrong_and_leaves_out_the_harmless() -> None:
    alerts = [
        Alert(id="a", severity="info", subject="x", title="ended, exit 143"),
        Alert(id="b", severity="warning", subject="card 0", title="is hot"),
        Alert(id="c", severity="error", subject="myia", title="is dead", subject_id=RTX_3080),
    ]
    verdict = pass_verdict(alerts, make_cards(), engine_snapshot())
    assert (verdict.severity, verdict.text) == ("error", "myia is dead (and 1 more)")


@given(st.lists(st.sampled_from(["error", "warning", "info"])))
def test_worst_first_never_puts_a_milder_alert_before_a_worse_one(severities: list[str]) -> None:
    alerts = [Alert(id="x", severity=s, subject="", title="") for s in severities]
    order = [("error", "warning", "info").index(alert.severity) for alert in worst_first(alerts)]
    assert order == sorted(order)
