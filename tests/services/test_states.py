"""What is said of a service: its state, what speaks for it, and since when."""

from datetime import timedelta
from typing import Any

import pytest

from actions.services.memory import ServiceMemory
from actions.services.snapshot import STATES
from console.engine.snapshot import NOT_INSPECTED
from console.services.reading import Device, Reading, StartLog
from console.unknown import Unknown
from tests.actions.build import make_container
from tests.services.build import (
    FRONT,
    HTML,
    LOGIN,
    REFUSED,
    TIMEOUT,
    Studio,
    busy,
    comfyui,
    device,
    evidence,
    forge,
    one_status,
    ready,
    seen,
    start_log,
)
from tests.support.snapshots import NOW, event

OLD: dict[str, Any] = {"started_at": NOW - timedelta(hours=3)}
YOUNG: dict[str, Any] = {"started_at": NOW - timedelta(seconds=90)}
QWEN = """
[services.qwen]
kind = "comfyui"
container = "comfyui-qwen"
compose_file = "/srv/c/docker-compose.yml"
compose_service = "comfyui"
url = "http://127.0.0.1:8188"
"""


def test_a_service_is_ready_by_its_own_word_alone() -> None:
    one = one_status(comfyui(**OLD), ready())
    assert (one.state, one.activity) == ("ready", "ready")
    assert one.evidence[0].text == "GET /system_stats: 200"


def test_who_is_ready_at_the_first_look_is_so_since_its_log_says_so_or_its_container_runs() -> None:
    container = comfyui(**OLD)
    up = NOW - timedelta(hours=2)
    log = start_log(container, finished=True, finished_at=up)
    one = Studio(container).look({"comfyui-qwen": ready()}, (log,))["comfyui-qwen"]
    assert (one.since, one.evidence[-1].source, one.evidence[-1].at) == (up, "log", up)

    silent = one_status(container, ready())
    told = silent.evidence[-1]
    assert (silent.since, told.source, told.at) == (OLD["started_at"], "engine", silent.since)
    assert told.text == "its container runs since then; when it became ready is not told"

    sits = {"qwen": ready(device=device("NVIDIA GeForce RTX 3090"))}
    (misplaced,) = Studio(container, config=f'{QWEN}gpu = "3080"').all(sits)
    assert (misplaced.state, misplaced.since) == ("misplaced", OLD["started_at"])


def test_who_was_seen_to_become_ready_is_so_since_then_and_not_since_its_log_says() -> None:
    container = comfyui(**OLD)
    log = start_log(container, finished=True, finished_at=NOW - timedelta(hours=2))
    studio = Studio(container)
    studio.look({"comfyui-qwen": busy()}, (log,))
    later = NOW + timedelta(minutes=1)
    idle = studio.look({"comfyui-qwen": ready(age=-60)}, (log,), later)["comfyui-qwen"]
    assert (idle.state, idle.since) == ("ready", later)
    assert idle.evidence[-1].source == "service"


def test_a_busy_service_says_what_it_runs_how_far_and_who_waits() -> None:
    one = one_status(comfyui(**OLD), busy())
    assert (one.state, one.activity) == ("busy", "busy")
    assert one.evidence[0].text == "edit 3/20, 15 %, for 1m, 2 wait"
    assert one.since == NOW - timedelta(seconds=61)


def test_a_service_that_only_counts_its_queue_is_busy_too() -> None:
    one = one_status(comfyui(**OLD), ready(queue_running=1, queue_pending=0))
    assert one.state == "busy"
    assert one.evidence[0].text == "1 running"


def test_a_service_without_a_container_is_absent_and_says_what_would_create_it() -> None:
    (one,) = Studio(config=QWEN).all()
    assert one.state == "absent"
    assert "there is no container comfyui-qwen" in evidence(one)
    assert "docker compose -f /srv/c/docker-compose.yml up -d comfyui" in evidence(one)


def test_an_absent_service_holds_no_vram() -> None:
    (gone,) = Studio(config=QWEN).all()
    assert (gone.state, gone.vram_used_bytes, gone.vram_used_source) == ("absent", 0, "")


def test_a_service_that_nothing_would_create_says_so() -> None:
    text = '[services.x]\nkind = "forge"\ncontainer = "gone"\n'
    (one,) = Studio(config=text).all()
    assert "nothing that would create it" in evidence(one)


@pytest.mark.parametrize(
    ("changes", "asked", "said"),
    [
        ({"exit_code": 0}, True, "exit 0: finished, as asked"),
        ({"exit_code": 137}, True, "exit 137: killed, as asked"),
        ({"exit_code": 2}, False, "exit 2: usage error (no stop was seen)"),
        ({"exit_code": 137, "oom_killed": True}, False, "memory"),
    ],
)
def test_a_stopped_service_says_how_it_ended(
    changes: dict[str, Any], asked: bool, said: str
) -> None:
    container = comfyui(state="exited", **changes)
    stopped = frozenset({container.id}) if asked else frozenset()
    (one,) = Studio(container, asked_to_stop=stopped).all()
    assert one.state == "stopped"
    assert said in evidence(one)
    assert one.since == NOW - timedelta(hours=2)


def test_a_container_that_never_started_is_created() -> None:
    one = one_status(comfyui(state="created"))
    assert one.state == "created"
    failed = one_status(comfyui(state="created", error="exec: no such file", exit_code=127))
    assert "could not start" in evidence(failed)


def test_a_crash_loop_beats_everything_and_is_counted() -> None:
    deaths = tuple(event("myia", "die", minutes, exit_code=2) for minutes in (0.2, 1, 2, 4))
    container = forge(
        state="restarting", exit_code=2, restart_count=6, started_at=NOW - timedelta(seconds=12)
    )
    (one,) = Studio(container, events=deaths).all({"myia": ready()})
    assert one.state == "crash-looping"
    assert "4 restarts" in evidence(one)
    assert "exit 2: usage error" in evidence(one)
    assert one.since == NOW - timedelta(minutes=4)


def test_who_refuses_connections_is_starting_at_first_and_then_unreachable() -> None:
    young = one_status(comfyui(**YOUNG), seen("unreachable", REFUSED))
    assert young.state == "starting"
    assert young.since == YOUNG["started_at"]
    assert evidence(young).startswith("service: starting for 1m: nothing listens")
    old = one_status(comfyui(**OLD), seen("unreachable", REFUSED))
    assert old.state == "unreachable"


def test_who_was_ready_in_this_run_is_not_starting_any_more() -> None:
    container = comfyui(**YOUNG)
    studio = Studio(container)
    assert studio.look({"comfyui-qwen": ready()})["comfyui-qwen"].state == "ready"
    later = NOW + timedelta(seconds=20)
    fell = studio.look({"comfyui-qwen": seen("unreachable", REFUSED, age=-19)}, now=later)
    assert fell["comfyui-qwen"].state == "unreachable"
    assert fell["comfyui-qwen"].since == later
    # Another run begins anew.
    again = comfyui(started_at=later)
    studio.engine = Studio(again).engine
    anew = studio.look(
        {"comfyui-qwen": seen("unreachable", REFUSED, age=-30)}, now=NOW + timedelta(seconds=30)
    )
    assert anew["comfyui-qwen"].state == "starting"


def test_provisioning_says_its_stage() -> None:
    container = forge(**YOUNG)
    one = one_status(container, seen("starting", FRONT, stage="provisioning"))
    assert evidence(one).startswith("service: provisioning for 1m")
    log = StartLog(
        container_id=container.id, started_at=container.started_at.isoformat(),  # type: ignore[union-attr]
        stage="copying the workspace", evidence=("Syncing /opt to /workspace",),
    )  # fmt: skip
    one = Studio(container).look({"myia": seen("front-only", FRONT)}, (log,))["myia"]
    assert one.state == "starting"
    assert "copying the workspace for 1m" in evidence(one)
    assert "log: Syncing /opt to /workspace" in evidence(one)


def test_a_log_that_names_the_card_means_that_it_loads() -> None:
    container = comfyui(**YOUNG)
    log = start_log(container, device=Device(name="NVIDIA GeForce RTX 3090", source="log"))
    look = Studio(container).look({"comfyui-qwen": seen("unreachable", REFUSED)}, (log,))
    assert evidence(look["comfyui-qwen"]).startswith("service: loading for 1m")


def test_a_dead_forge_behind_a_living_front_is_unhealthy() -> None:
    one = one_status(forge(**OLD), seen("front-only", FRONT))
    assert one.state == "unhealthy"
    assert "502" in evidence(one)


def test_a_forge_that_came_up_and_does_not_answer_any_more_is_not_starting() -> None:
    container = forge(**YOUNG)
    up = start_log(container, finished=True)
    studio = Studio(container)
    studio.memory = ServiceMemory(once=True)
    assert studio.look({"myia": seen("front-only", FRONT)}, (up,))["myia"].state == "unhealthy"
    # Who looks on gives the API a moment to answer after its log said so.
    studio.memory = ServiceMemory()
    assert studio.look({"myia": seen("front-only", FRONT)}, (up,))["myia"].state == "starting"
    later = NOW + timedelta(seconds=11)
    down = studio.look({"myia": seen("front-only", FRONT, age=-10)}, (up,), now=later)["myia"]
    assert down.state == "unhealthy"


def test_provisioning_may_take_as_long_as_its_log_says_so_and_a_failure_ends_it() -> None:
    container = forge(**OLD)
    goes_on = start_log(container, stage="provisioning")
    failed = start_log(container, stage="failed")
    answer = {"myia": seen("front-only", FRONT)}
    assert Studio(container).look(answer, (goes_on,))["myia"].state == "starting"
    assert Studio(container).look(answer, (failed,))["myia"].state == "unhealthy"
    young = forge(**YOUNG)
    broken = start_log(young, stage="failed")
    assert Studio(young).look(answer, (broken,))["myia"].state == "unhealthy"


@pytest.mark.parametrize(
    ("reading", "state"),
    [
        (seen("needs-auth", LOGIN), "needs-auth"),
        (seen("odd", HTML), "unhealthy"),
        (seen("unreachable", TIMEOUT), "unreachable"),
    ],
)
def test_each_answer_has_its_state(reading: Reading, state: str) -> None:
    one = one_status(comfyui(**OLD), reading)
    assert one.state == state
    assert reading.problem is not None
    assert reading.problem.title in evidence(one)


def test_a_failing_health_check_is_told_though_the_api_answers() -> None:
    one = one_status(comfyui(health="unhealthy", **OLD), busy())
    assert (one.state, one.activity) == ("unhealthy", "busy")
    assert one.evidence[0].source == "engine"


def test_a_paused_service_is_not_well() -> None:
    one = one_status(comfyui(state="paused", **OLD), ready())
    assert one.state == "unhealthy"
    assert "docker unpause comfyui-qwen" in evidence(one)


def test_before_anybody_asked_nothing_is_pretended() -> None:
    one = one_status(comfyui(**OLD))
    assert (one.state, one.reading) == ("starting", None)
    assert evidence(one) == "engine: runs; its API was not asked yet"


def test_old_news_is_no_news() -> None:
    one = one_status(comfyui(**OLD), busy(age=95.0))
    assert one.state == "unreachable"
    assert "no news of it for 1m: it was busy then" in evidence(one)
    assert one.reading is not None
    assert isinstance(one.reading.queue_running, Unknown)


def test_what_an_earlier_run_answered_does_not_count() -> None:
    container = comfyui(started_at=NOW - timedelta(seconds=3))
    one = one_status(container, ready(age=5.0))
    assert one.reading is None
    assert one.state == "starting"


def test_a_health_check_under_way_is_told_once() -> None:
    one = one_status(comfyui(ports=(), health="starting", **YOUNG))
    assert one.state == "starting"
    assert evidence(one).count("its health check says starting") == 1


def test_who_cannot_be_asked_is_judged_by_its_health_check_or_not_at_all() -> None:
    plain: dict[str, Any] = {"ports": (), **OLD}
    assert one_status(comfyui(**plain)).state == "unreachable"
    assert "none of its ports is published" in evidence(one_status(comfyui(**plain)))
    assert one_status(comfyui(health="healthy", **plain)).state == "ready"
    assert one_status(comfyui(health="starting", **plain)).state == "starting"
    text = '[services.db]\nkind = "other"\ncontainer = "db"\n'
    (other,) = Studio(make_container("db"), config=text).all()
    assert other.state == "ready"
    assert "more is not known" in evidence(other)


def test_a_plain_process_is_judged_by_its_answer() -> None:
    text = '[services.p]\nkind = "comfyui"\nurl = "http://127.0.0.1:8188"\n'
    studio = Studio(config=text)
    assert studio.look({"p": ready()})["p"].state == "ready"
    assert studio.look({"p": seen("unreachable", REFUSED)})["p"].state == "unreachable"
    assert studio.look()["p"].state == "starting"


def test_an_engine_that_is_away_does_not_matter_to_a_plain_process() -> None:
    text = '[services.p]\nkind = "comfyui"\nurl = "http://127.0.0.1:8188"\n'
    studio = Studio(config=text, state="lost", problem=LOST)
    assert evidence(studio.look({"p": ready()})["p"]) == "service: GET /system_stats: 200"


LOST = Unknown("engine.absent", "Nothing listens at /var/run/docker.sock")


def test_without_the_engine_a_service_that_answers_is_ready_and_its_container_old_news() -> None:
    studio = Studio(comfyui(**OLD), state="lost", problem=LOST, taken_at=NOW - timedelta(minutes=2))
    one = studio.look({"comfyui-qwen": ready()})["comfyui-qwen"]
    assert one.state == "ready"
    assert "2m ago its container was running" in evidence(one)


def test_without_the_engine_nobody_is_called_stopped_or_absent() -> None:
    studio = Studio(comfyui(state="exited"), state="lost", problem=LOST)
    assert studio.look()["comfyui-qwen"].state == "unreachable"
    (one,) = Studio(config=QWEN, state="lost", problem=LOST).all()
    assert one.state == "unreachable"
    assert "Nothing listens at /var/run/docker.sock" in evidence(one)
    assert "whether its container runs can't be told" in evidence(one)


def test_the_beginning_of_a_state_is_known_where_it_was_seen_to_change() -> None:
    studio = Studio(comfyui(**OLD))
    hangs = {"comfyui-qwen": seen("unreachable", TIMEOUT)}
    assert isinstance(Studio(comfyui(**OLD)).look(hangs)["comfyui-qwen"].since, Unknown)
    studio.look({"comfyui-qwen": ready()})
    later = NOW + timedelta(minutes=1)
    hung = studio.look({"comfyui-qwen": seen("unreachable", TIMEOUT, age=-60)}, now=later)
    assert hung["comfyui-qwen"].since == later
    still = studio.look(
        {"comfyui-qwen": seen("unreachable", TIMEOUT, age=-70)}, now=later + timedelta(seconds=10)
    )
    assert still["comfyui-qwen"].since == later


def test_that_somebody_begins_to_look_is_no_beginning() -> None:
    studio = Studio(comfyui(started_at=NOT_INSPECTED))
    assert studio.look()["comfyui-qwen"].state == "starting"
    studio.engine = Studio(comfyui(**OLD)).engine
    first = studio.look({"comfyui-qwen": ready()}, now=NOW + timedelta(seconds=1))["comfyui-qwen"]
    assert first.since == OLD["started_at"]


def test_a_service_that_was_started_anew_is_ready_since_then() -> None:
    studio = Studio(comfyui(**OLD))
    studio.look({"comfyui-qwen": ready()})
    begun = NOW + timedelta(minutes=1)
    studio.engine = Studio(comfyui(started_at=begun)).engine
    studio.look(now=begun)
    up = begun + timedelta(seconds=30)
    again = studio.look({"comfyui-qwen": ready(age=-90)}, now=up)["comfyui-qwen"]
    assert (again.state, again.since) == ("ready", up)


@pytest.mark.parametrize("state", ["created", "running", "paused", "restarting", "removing",
                                   "exited", "dead", "odd"])  # fmt: skip
@pytest.mark.parametrize("answer", ["ready", "starting", "needs-auth", "front-only",
                                    "unreachable", "odd", "not-asked", "new"])  # fmt: skip
@pytest.mark.parametrize("engine", ["connected", "lost"])
def test_whatever_engine_and_service_say_there_is_a_state_with_evidence(
    state: str, answer: str, engine: str
) -> None:
    container = comfyui(state=state)
    problem = None if engine == "connected" else LOST
    studio = Studio(container, state=engine, problem=problem)
    one = studio.look({"comfyui-qwen": seen(answer, REFUSED)})["comfyui-qwen"]
    assert one.state in STATES
    assert evidence(one)
    if answer != "ready" or (engine == "connected" and state != "running"):
        assert one.activity == ""
