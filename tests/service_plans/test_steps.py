"""What each step does as the host moves: waits, tells, gives up, names who is to blame."""

import msgspec
import pytest

from actions.service_verbs import vram
from actions.service_verbs.card import check_card
from actions.service_verbs.composing import bring_up
from actions.service_verbs.draining import drain, interrupt
from actions.service_verbs.freeing import free
from actions.service_verbs.ready import wait_ready
from actions.trouble import CancelledStepError, StepError
from console.services.reading import Job, Reading
from console.unknown import Unknown
from tests.service_plans.build import CARD, GIB, SMALL, at_work, reading, status
from tests.service_plans.scripted import LOST, Scripted, moment, using
from tests.support.snapshots import process

WORDLESS = Unknown("service.timeout", "no word")
IDLE = moment(status())
BUSY = moment(status("busy", reading=at_work(pending=1)))
STARTING = moment(
    status("starting", reading=Reading(answer="starting", stage="loading", problem=None))
)
OTHER = msgspec.structs.replace(
    status(), service=msgspec.structs.replace(status().service, name="turbo")
)


def failure(doing: Scripted, doer: object) -> StepError:
    with pytest.raises(StepError) as caught:
        doer(doing)  # type: ignore[operator]
    return caught.value


def test_draining_waits_and_tells_of_jobs_that_arrive() -> None:
    more = moment(status("busy", reading=at_work(pending=3)))
    doing = Scripted([BUSY, more, IDLE], "drain", limit=60.0)
    assert drain(doing) == "qwen is idle after 2s"
    assert doing.told == [
        "waiting for its edit (62 %, 4m10s in) and 1 waiting job",
        "waiting for its edit (62 %, 4m10s in) and 3 waiting jobs; 2 more arrived",
    ]


def test_draining_gives_up_at_its_limit_and_leaves_everything_alone() -> None:
    error = failure(Scripted([BUSY], "drain", limit=5.0), drain)
    assert error.code == "service.still-busy"
    assert "not idle after 5s" in error.title
    assert "1 waiting job" in error.title
    assert error.hint.startswith("qwen was not stopped")


def test_silence_is_not_taken_for_idleness() -> None:
    mute = moment(status("unreachable", reading=Reading(answer="unreachable", problem=WORDLESS)))
    doing = Scripted([mute, moment(lost=LOST), IDLE], "drain", limit=60.0)
    assert drain(doing) == "qwen is idle after 2s"
    assert doing.told == [
        "qwen does not tell what it does: no word",
        "what qwen does is not known: nothing listens at the socket",
    ]


def test_a_wait_that_is_cancelled_stops_nothing() -> None:
    doing = Scripted([BUSY], "drain", limit=60.0)
    doing.cancel_at = 2
    with pytest.raises(CancelledStepError) as caught:
        drain(doing)
    assert caught.value.title == "qwen was not stopped: it works on"


def test_an_interrupted_job_is_seen_to_end() -> None:
    following = reading(queue_running=1, job=Job(what="edit", ident="b2"))
    doing = Scripted([BUSY, BUSY, moment(status("busy", reading=following))], "interrupt")
    assert interrupt(doing) == "its edit (62 %, 4m10s in) was interrupted"
    assert doing.orders == ["interrupt"]


def test_an_idle_service_is_not_interrupted() -> None:
    doing = Scripted([IDLE], "interrupt")
    assert "nothing to interrupt" in interrupt(doing)
    assert doing.orders == []


def test_what_does_not_tell_is_not_called_idle_when_interrupted() -> None:
    doing = Scripted([moment(status("unreachable", reading=None))], "interrupt")
    assert "does not tell what it works on" in interrupt(doing)
    assert doing.orders == []


def test_a_job_that_goes_on_all_the_same_is_a_failure() -> None:
    assert failure(Scripted([BUSY], "interrupt"), interrupt).code == "service.not-interrupted"


def test_ready_is_when_its_own_api_says_so() -> None:
    doing = Scripted([STARTING, moment(lost=LOST), STARTING, IDLE], "wait-ready", limit=60.0)
    assert wait_ready(doing) == "qwen is ready after 3s"
    assert doing.told[0] == "qwen is starting: loading"
    assert "the engine does not answer" in doing.told[1]


def test_an_engine_that_stays_away_leaves_the_state_unknown() -> None:
    error = failure(Scripted([moment(lost=LOST)], "wait-ready", limit=5.0), wait_ready)
    assert (error.code, error.hint) == ("service.state-unknown", "start the engine")


def test_never_ready_names_the_last_that_was_seen() -> None:
    error = failure(Scripted([STARTING], "wait-ready", limit=5.0), wait_ready)
    assert error.code == "service.not-ready"
    assert error.title == "qwen was not ready after 5s: qwen is starting: loading"


def test_a_container_that_ends_is_not_waited_for() -> None:
    ended = moment(status("stopped"), state="exited", exit_code=137, oom_killed=True)
    error = failure(Scripted([STARTING, ended], "wait-ready", limit=600.0), wait_ready)
    assert error.code == "service.ended"
    assert "exit 137" in error.title
    assert "memory" in error.title
    assert "docker logs --tail 50 comfyui-qwen" in error.hint


def test_a_container_that_comes_back_again_and_again_is_not_waited_for() -> None:
    restarts = [moment(status("starting"), restart_count=count, exit_code=2) for count in (0, 1, 2)]
    error = failure(Scripted(restarts, "wait-ready", limit=600.0), wait_ready)
    assert error.code == "service.crash-loop"
    assert "2 restarts by the engine" in error.title
    assert "exit 2" in error.title


def test_a_container_that_vanishes_is_not_waited_for() -> None:
    gone = moment(status("absent", container_id=""))
    assert failure(Scripted([gone], "wait-ready", limit=60.0), wait_ready).code == "service.gone"


def test_a_login_in_the_way_names_the_setting() -> None:
    login = Reading(answer="needs-auth", problem=Unknown("web.login", "302 to a login"))
    behind = moment(status("needs-auth", reading=login))
    error = failure(Scripted([behind], "wait-ready", limit=60.0), wait_ready)
    assert error.code == "service.needs-auth"
    assert "services.qwen.auth" in error.hint


def test_another_program_at_its_address_is_given_a_moment_and_no_more() -> None:
    odd = moment(
        status("unhealthy", reading=Reading(answer="odd", problem=Unknown("o", "it says Hello")))
    )
    doing = Scripted([odd], "wait-ready", limit=600.0)
    error = failure(doing, wait_ready)
    assert error.code == "service.odd"
    assert "it says Hello" in error.title
    assert doing.elapsed < 30
    front = Scripted([odd, STARTING, odd, IDLE], "wait-ready", limit=600.0)
    assert wait_ready(front) == "qwen is ready after 3s"


def test_without_an_address_a_container_that_lives_is_all_that_is_known() -> None:
    bare = msgspec.structs.replace(status().service, url="")
    lives = status("unreachable", service=bare, container_state="running", reading=None)
    doing = Scripted([moment(lives)], "wait-ready", limit=60.0)
    assert wait_ready(doing) == "qwen runs; whether it is ready is not known: it has no url"


def test_the_card_is_seen_by_the_services_own_word() -> None:
    untold = moment(status(gpu_source="declared"))
    doing = Scripted([untold, IDLE], "check-card", gpu=CARD.uuid)
    assert check_card(doing) == "qwen is ready on NVIDIA GeForce RTX 3090, as it says itself"


def test_the_wrong_card_says_what_to_change_and_leaves_it_running() -> None:
    wrong = status("misplaced", activity="ready", gpu_uuid=SMALL.uuid, advice="set it to 1")
    error = failure(Scripted([moment(wrong)], "check-card", gpu=CARD.uuid), check_card)
    assert (error.code, error.hint) == ("service.misplaced", "set it to 1")
    assert "RTX 3080" in error.title
    assert "left running" in error.title


def test_a_card_that_is_never_told_is_said_and_no_failure() -> None:
    untold = status(gpu_source="declared", gpu_declared_uuid=CARD.uuid)
    text = check_card(Scripted([moment(untold)], "check-card", gpu=CARD.uuid))
    assert text.startswith("qwen is ready; which card it is on is not known")
    assert text.endswith("its settings lead to NVIDIA GeForce RTX 3090")


def stopping(*moments: object, **options: object) -> Scripted:
    """Note what is held at the first moment, then give the step that waits for the rest."""
    first = Scripted(moments, "stop", gpu=CARD.uuid, **options)  # type: ignore[arg-type]
    vram.note_before(first)
    return Scripted(moments[1:], "wait-vram", gpu=CARD.uuid, **options)  # type: ignore[arg-type]


GONE = status("stopped", gpu_uuid=None, vram_used_bytes=0)


def test_vram_is_back_when_what_the_service_held_is_free_again() -> None:
    doing = stopping(
        moment(status(), cards=using(CARD, 20)),
        moment(GONE, cards=using(CARD, 19)),
        moment(GONE, cards=using(CARD, 7.5)),
    )
    text = vram.wait_vram(doing)
    assert (
        text
        == "qwen is stopped; 12.5 GiB of VRAM came back, 7.5 GiB in use on NVIDIA GeForce RTX 3090"
    )
    assert doing.told[0].startswith("so far 1.0 GiB of VRAM came back")


def test_vram_that_does_not_come_back_names_who_holds_it() -> None:
    stuck = moment(GONE, OTHER, cards=using(CARD, 20))
    error = failure(stopping(moment(status(), OTHER, cards=using(CARD, 20)), stuck), vram.wait_vram)
    assert error.code == "vram.not-back"
    assert error.title == (
        "qwen is stopped, but only 0 B of the 12.0 GiB it held came back on NVIDIA GeForce RTX 3090"
    )
    assert error.hint == "By their own figures turbo 12.0 GiB; 8.0 GiB nobody claims"


def test_vram_that_nobody_says_they_hold_is_said_so() -> None:
    stuck = moment(GONE, cards=using(CARD, 20))
    error = failure(stopping(moment(status(), cards=using(CARD, 20)), stuck), vram.wait_vram)
    assert "No service says that it holds it" in error.hint


def test_vram_that_another_service_took_meanwhile_did_come_back() -> None:
    grown = msgspec.structs.replace(OTHER, vram_used_bytes=23 * GIB)
    doing = stopping(
        moment(status(), OTHER, cards=using(CARD, 20)), moment(GONE, grown, cards=using(CARD, 19))
    )
    assert "turbo 11.0 GiB more went to others" in vram.wait_vram(doing)


def test_where_the_driver_lists_processes_theirs_are_watched() -> None:
    def cards(*held: object) -> tuple[object, ...]:
        both = using(CARD, 13)
        return (both[0], msgspec.structs.replace(both[1], processes=held))

    ours = process("python", 12, "comfyui-qwen")
    stranger = process("game.exe", 13, None, pid=99)
    doing = stopping(
        moment(status(), cards=cards(ours)),  # type: ignore[arg-type]
        moment(GONE, cards=cards(ours)),  # type: ignore[arg-type]
        moment(GONE, cards=cards(stranger)),  # type: ignore[arg-type]
    )
    assert vram.wait_vram(doing).startswith("qwen is stopped; no VRAM back")
    assert doing.looks == 2
    stuck = moment(GONE, cards=cards(ours))  # type: ignore[arg-type]
    error = failure(stopping(moment(status(), cards=cards(ours)), stuck), vram.wait_vram)  # type: ignore[arg-type]
    assert error.hint == "The driver says who holds it: python (pid 4242) 12.0 GiB"


def test_vram_of_which_nobody_told_is_back_when_the_figure_rests() -> None:
    silent = status(vram_used_bytes=Unknown("vram.unattributed", "nobody tells"))
    doing = stopping(
        moment(silent, cards=using(CARD, 20)),
        *(moment(GONE, cards=using(CARD, used)) for used in (20, 12, 8, 8, 8, 8)),
    )
    assert vram.wait_vram(doing).startswith("qwen is stopped; 12.0 GiB of VRAM came back")


def test_a_card_that_cannot_be_read_leaves_it_unknown_and_is_no_failure() -> None:
    dark = msgspec.structs.replace(CARD, memory_used_bytes=Unknown("nvml.lost", "the card is lost"))
    doing = stopping(moment(status(), cards=(SMALL, dark)), moment(GONE, cards=(SMALL, dark)))
    assert vram.wait_vram(doing) == (
        "qwen is stopped; how much VRAM came back is not known: the card is lost"
    )


def test_a_resumed_plan_does_not_know_what_was_held_before() -> None:
    doing = Scripted([moment(GONE, cards=using(CARD, 3))], "wait-vram", gpu=CARD.uuid)
    assert "how much came back is not known" in vram.wait_vram(doing)


def test_freeing_says_how_much_came_back_by_both_figures() -> None:
    full, empty = moment(status(), cards=using(CARD, 13)), status(vram_used_bytes=GIB)
    after = moment(empty, cards=using(CARD, 2))
    doing = Scripted([full, full, full, after], "free", gpu=CARD.uuid)
    assert free(doing) == (
        "qwen runs on; VRAM that came back: 11.0 GiB by its own figure, "
        "11.0 GiB on NVIDIA GeForce RTX 3090 by the driver"
    )
    assert doing.orders == ["free"]


def test_a_job_that_began_meanwhile_keeps_its_model() -> None:
    doing = Scripted([BUSY], "free", gpu=CARD.uuid)
    assert failure(doing, free).code == "free.busy"
    assert doing.orders == []


def test_a_service_that_keeps_what_it_held_is_told_of() -> None:
    error = failure(Scripted([moment(status())], "free", gpu=CARD.uuid), free)
    assert (error.code, "0 B by its own figure" in error.title) == ("vram.not-freed", True)


def test_compose_is_not_asked_while_the_engine_is_away() -> None:
    doing = Scripted([moment(lost=LOST)], "compose-up", limit=60.0)
    error = failure(doing, lambda step: bring_up(step, recreate=False))
    assert error.code == "service.state-unknown"
    assert error.title == f"compose was not asked to make qwen: {LOST.title}"
    assert doing.elapsed > 50
    back = Scripted([moment(lost=LOST), moment()], "compose-up", limit=60.0)
    gone = failure(back, lambda step: bring_up(step, recreate=False))
    assert gone.code == "service.unknown"
    assert "looking again" in back.told[0]
