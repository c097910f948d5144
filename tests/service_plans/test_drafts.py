"""What a plan for a service says before anything runs: jobs, cards, pre-check, options."""

import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.service_verbs import steps
from actions.service_verbs.free import draft_free
from actions.service_verbs.options import check_variant, checked_options
from actions.service_verbs.start import card_check, container_checks, draft_start, fit_words
from actions.service_verbs.steps import StartHow, StopHow, start_steps, stop_steps
from actions.service_verbs.stop import draft_stop
from actions.service_verbs.words import command, table
from actions.services.snapshot import Service
from actions.session import Session, open_session
from console.errors import UsageError
from console.services.reading import Job
from console.unknown import Unknown
from screens.cli.fit_view import fit_text
from tests.service_plans.build import (
    CARD,
    GIB,
    WAY,
    around,
    at_work,
    facts,
    fit,
    reading,
    status,
)


@pytest.fixture
def session(tmp_path: Any) -> Session:
    """Give a session without a config."""
    return open_session({"HOME": str(tmp_path), "PATH": str(tmp_path)})


def does(draft: Any) -> list[str]:
    return [step.options["do"] for step in draft.steps]


def words(draft: Any) -> dict[str, str]:
    return {one.id: one.title for one in draft.checks}


def test_a_stop_says_what_it_interrupts_minutes_in_and_who_waits(session: Session) -> None:
    draft = draft_stop(session, around(of=facts()), status("busy", reading=at_work()), {})
    busy = next(one for one in draft.checks if one.id == "service.busy")
    assert (busy.verdict, busy.title) == (
        "warn",
        "it interrupts its edit (62 %, 4m10s in) and 2 waiting jobs",
    )
    assert "--wait" in busy.detail
    assert does(draft) == ["stop", "wait-vram"]
    assert words(draft)["service.vram-back"] == (
        "it holds 12.0 GiB on NVIDIA GeForce RTX 3090, which come back"
    )


def test_a_stop_that_waits_is_not_warned_of_and_drains_first(session: Session) -> None:
    options = checked_options("stop", {"wait_limit": 90.0})
    draft = draft_stop(session, around(of=facts()), status("busy", reading=at_work()), options)
    assert does(draft) == ["drain", "stop", "wait-vram"]
    assert draft.steps[0].options["limit"] == 90.0
    assert words(draft)["service.waits"].endswith("for 1m30s at most")
    assert all(one.verdict == "pass" for one in draft.checks)


def test_a_stop_that_interrupts_counts_what_is_lost(session: Session) -> None:
    draft = draft_stop(
        session, around(of=facts()), status("busy", reading=at_work()), {"interrupt": True}
    )
    assert does(draft) == ["interrupt", "stop", "wait-vram"]
    assert "2 waiting jobs will be lost" in words(draft)["service.interrupts"]


def test_a_job_that_tells_nothing_of_itself_is_told_as_such(session: Session) -> None:
    bare = reading(queue_running=1, job=Job())
    draft = draft_stop(session, around(of=facts()), status("busy", reading=bare), {})
    assert words(draft)["service.busy"] == "it interrupts its job (since when it does not tell)"


@pytest.mark.parametrize("state", ["needs-auth", "unreachable", "unhealthy"])
def test_a_service_that_does_not_tell_is_never_called_idle(session: Session, state: str) -> None:
    mute = reading(answer="needs-auth", problem=Unknown("web.login", "a login is in the way"))
    draft = draft_stop(session, around(of=facts()), status(state, reading=mute), {})
    assert words(draft)["service.work-unknown"].endswith("a login is in the way")
    assert any(one.verdict == "warn" for one in draft.checks)


def test_a_stop_of_what_does_not_run_has_nothing_to_do(session: Session) -> None:
    draft = draft_stop(session, around(of=facts("exited")), status("stopped"), {})
    assert (draft.steps, list(words(draft))) == ((), ["service.stopped"])


def test_a_start_of_what_is_ready_has_nothing_to_do(session: Session) -> None:
    for state in ("ready", "busy"):
        draft = draft_start(session, around(of=facts()), status(state), {})
        assert (draft.steps, list(words(draft))) == ((), ["service.ready"])
    elsewhere = status("misplaced", activity="ready")
    assert draft_start(session, around(of=facts()), elsewhere, {}).steps == ()


def test_one_that_runs_behind_a_login_is_not_waited_for(session: Session) -> None:
    login = reading(answer="needs-auth", problem=Unknown("web.login", "302 to a login"))
    draft = draft_start(session, around(of=facts()), status("needs-auth", reading=login), {})
    (told,) = draft.checks
    assert (draft.steps, told.id, told.verdict) == ((), "service.behind-login", "warn")
    assert "services.qwen.auth" in told.detail


def test_one_that_sits_elsewhere_is_ready_and_told_of(session: Session) -> None:
    lost = status("misplaced", activity="ready", misplaced=True, advice="set it to 1")
    ready, elsewhere = draft_start(session, around(of=facts()), lost, {}).checks
    assert (ready.id, elsewhere.verdict, elsewhere.detail) == (
        "service.ready",
        "warn",
        "set it to 1",
    )


def test_what_runs_without_a_container_is_not_called_stopped(session: Session) -> None:
    draft = draft_stop(session, around(), status(container_id=""), {})
    assert verdicts(draft.checks) == [("service.no-container", "refuse")]


def test_a_wait_for_what_does_not_tell_is_warned_of(session: Session) -> None:
    other = status(kind="other", reading=None)
    for options, verdict in (({}, "pass"), ({"wait": True}, "warn")):
        draft = draft_stop(session, around(of=facts()), other, options)
        assert verdicts(draft.checks)[0] == ("service.mute", verdict)
        assert does(draft)[0] == "stop"


def test_a_start_of_what_runs_and_is_not_ready_only_waits(session: Session) -> None:
    draft = draft_start(session, around(of=facts()), status("starting"), {"ready_limit": 7.0})
    assert does(draft) == ["wait-ready", "check-card"]
    assert draft.steps[0].options["limit"] == 7.0


def test_a_card_that_is_named_and_not_here_refuses_whatever_is_forced() -> None:
    gone = Unknown("gpu.not-here", "no card here is '5090'", "set gpu to one of these: …")
    (refused,) = card_check(status(gpu_expected_uuid=gone))
    assert (refused.id, refused.verdict, refused.detail) == ("gpu.not-here", "refuse", gone.hint)


def test_a_card_that_nobody_could_look_for_only_warns() -> None:
    (told,) = card_check(status(gpu_expected_uuid=Unknown("gpu.not-read", "no driver")))
    assert (told.id, told.verdict) == ("gpu.unknown", "warn")


def test_a_service_without_container_and_compose_cannot_be_started(session: Session) -> None:
    (refused,) = container_checks(session, around(), status("absent", container_id=""))
    assert (refused.id, refused.verdict) == ("service.absent", "refuse")


def test_a_crash_loop_is_not_started_again(session: Session) -> None:
    (refused,) = container_checks(session, around(of=facts()), status("crash-looping"))
    assert (refused.id, refused.verdict) == ("container.restarting", "refuse")


def test_a_start_creates_by_compose_what_has_no_container() -> None:
    absent = status("absent", container_id="")
    service = msgspec.structs.replace(
        absent.service, compose_file=Path("/srv/c.yaml"), compose_service="comfyui"
    )
    absent = msgspec.structs.replace(absent, service=service)
    made = start_steps(around(), absent)
    assert [step.options["do"] for step in made] == ["compose-up", "wait-ready", "check-card"]
    assert "/srv/c.yaml" in made[0].command
    assert made[0].undo == "gpuconsole stop qwen"
    assert all(step.target_id == "qwen" for step in made)


def test_steps_for_other_plans_name_the_card_they_are_for() -> None:
    stopped = status("stopped")
    made = start_steps(around(of=facts("exited")), stopped, None, StartHow(gpu_uuid="GPU-x"))
    assert made[-1].options["gpu"] == "GPU-x"
    (stop, back) = stop_steps(around(of=facts()), status(), StopHow(timeout=3))
    assert (stop.options["timeout"], "-t 3" in stop.command) == (3, True)
    assert (back.options["gpu"], back.options["held"]) == (CARD.uuid, 12 * GIB)


def verdicts(checks: Any) -> list[tuple[str, str]]:
    return [(one.id, one.verdict) for one in checks]


def test_the_pre_check_runs_warns_or_refuses() -> None:
    assert verdicts(fit_words(fit("resident"), force=False)) == [("fit.resident", "pass")]
    slow = fit("offload", code="vram", streams_bytes=8 * GIB, cost="1.6 times as long")
    (told,) = fit_words(slow, force=False)
    assert (told.id, told.verdict) == ("fit.offload", "warn")
    assert told.detail == "8.0 GiB of its weights stream from host memory: 1.6 times as long"
    (refused,) = fit_words(fit("refused", code="vram", ways_out=(WAY,)), force=False)
    assert (refused.id, refused.verdict) == ("fit.refused", "refuse")
    assert refused.detail == "Ways out: stop myia-turbo first"


def test_what_nobody_knows_warns() -> None:
    (told,) = fit_words(
        fit(Unknown("vram.no-budget", "not known", "set variant"), reason=""), force=False
    )
    assert (told.id, told.verdict, told.detail) == ("fit.unknown", "warn", "set variant")


@pytest.mark.parametrize("code", ["vram", "ram", "card-too-small"])
def test_force_overrules_want_of_memory(code: str) -> None:
    (told,) = fit_words(fit("refused", code=code), force=True)
    assert (told.id, told.verdict) == ("fit.forced", "warn")


def test_force_overrules_nothing_else() -> None:
    (told,) = fit_words(fit("refused", code="capability"), force=True)
    assert (told.id, told.verdict) == ("fit.refused", "refuse")


def test_freeing_is_only_for_what_is_idle_and_holds_something(session: Session) -> None:
    here = around(of=facts())
    assert does(draft_free(session, here, status(), {})) == ["free"]
    busy = status("busy", reading=at_work(pending=0))
    assert verdicts(draft_free(session, here, busy, {}).checks) == [("free.busy", "refuse")]
    told = draft_free(session, here, busy, {"interrupt": True})
    assert does(told) == ["interrupt", "free"]
    assert not any("idle" in one.title for one in told.checks)
    waiting = status("busy", reading=at_work())
    refused = draft_free(session, here, waiting, {"interrupt": True})
    assert verdicts(refused.checks) == [("free.queue", "refuse")]
    empty = status(reading=reading(vram_own_bytes=0))
    assert verdicts(draft_free(session, here, empty, {}).checks) == [("free.nothing", "pass")]
    other = status(kind="other", reading=None)
    assert verdicts(draft_free(session, here, other, {}).checks) == [("free.kind", "refuse")]
    stopped = status("stopped")
    asleep = draft_free(session, around(of=facts("exited")), stopped, {})
    assert verdicts(asleep.checks) == [("free.not-running", "refuse")]
    deaf = status("unreachable", reading=reading(answer="unreachable", problem=Unknown("w", "no")))
    assert verdicts(draft_free(session, here, deaf, {}).checks) == [("free.cannot-tell", "refuse")]


@pytest.mark.parametrize(
    ("verb", "options", "code"),
    [
        ("start", {"timeout": 3}, "plan.bad-option"),
        ("start", {"ready_limit": 0}, "plan.bad-limit"),
        ("start", {"ready_limit": True}, "plan.bad-limit"),
        ("start", {"force": "yes"}, "plan.bad-limit"),
        ("stop", {"timeout": -1}, "plan.bad-timeout"),
        ("stop", {"force": True}, "plan.bad-option"),
        ("stop", {"wait": True, "interrupt": True}, "plan.bad-option"),
        ("stop", {"wait_limit": 5, "interrupt": True}, "plan.bad-option"),
        ("free", {"wait": True}, "plan.bad-option"),
    ],
)
def test_options_that_make_no_sense_are_mistakes(
    verb: str, options: dict[str, Any], code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        checked_options(verb, options)
    assert caught.value.code == code


def test_a_variant_that_is_not_in_the_catalogue_is_a_mistake(session: Session) -> None:
    with pytest.raises(UsageError) as caught:
        check_variant(session, "start", {"variant": "qwen-edit-2509-fp9"})
    assert caught.value.code == "variant.unknown"
    assert "qwen-edit-2509-fp8" in caught.value.hint
    check_variant(session, "start", {"variant": "qwen-edit-2509-fp8"})
    check_variant(session, "stop", {})


def test_every_check_of_the_table_is_said_by_somebody() -> None:
    folder = Path(steps.__file__).parent
    code = "\n".join(file.read_text() for file in folder.glob("*.py"))
    assert [ident for ident in table()["checks"] if f'"{ident}"' not in code] == []


def test_the_pre_check_is_drawn_as_text() -> None:
    refused = fit(
        "refused", code="vram", available_bytes=13 * GIB, ways_out=(WAY,), notes=("tiled VAE",)
    )
    text = "\n".join(fit_text(refused))
    assert "over by 8.0 GiB" in text
    assert "!" in text
    assert "1  stop myia-turbo first: then resident" in text
    assert "gpuconsole stop myia-turbo" in text
    assert "note  tiled VAE" in text
    unknown = "\n".join(fit_text(fit("resident", need_bytes=Unknown("n", "not known"))))
    assert "[" not in unknown.splitlines()[1]


def test_the_command_of_a_step_is_one_command_whatever_the_url() -> None:
    for kind, url in (("comfyui", "http://host/a;b&c"), ("forge", "http://me:secret@host:1")):
        service = Service(name="x", kind=kind, url=url)
        words = shlex.split(command("wait_ready", service))
        assert words[:2] == ["curl", "-fsS"]
        assert len(words) == 3
        assert "secret" not in words[2]
    assert command("wait_ready", Service(name="x", kind="forge", url="http://h:1/")) == (
        "curl -fsS http://h:1/internal/ping"
    )
