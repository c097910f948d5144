"""What happens on a host when services are started, stopped, restarted and freed."""

import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actions.journal import Journal
from actions.operations import Operations
from actions.plan import Check, Plan, PlanDone, PlanFailed
from console.errors import RefusedError
from console.simulator.scene import Phase, Scene
from console.store.locks import Holder, LockFolder
from tests.service_plans.stage import Stage, stage, with_one
from tests.support.waiting import wait_until


@pytest.fixture
def studio() -> Iterator[Stage]:
    """Give the studio: a Forge on the 3080, a Forge and a ComfyUI on the 3090, all idle."""
    with stage() as here:
        yield here


def said(plan: Plan) -> dict[str, Check]:
    return {one.id: one for one in plan.checks}


def failed(end: PlanDone | PlanFailed) -> PlanFailed:
    assert isinstance(end, PlanFailed), end
    return end


def done(end: PlanDone | PlanFailed) -> str:
    assert isinstance(end, PlanDone), end
    return end.text


def big_turbo(scene: Scene) -> Scene:
    """Let the turbo Forge need more than ComfyUI leaves it, and be stopped."""
    return with_one(
        scene, "myia-turbo", state="exited", exit_code=0, service={"vram_budget": "14 GiB"}
    )


def test_a_start_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    with stage(big_turbo) as here:
        plan = here.plan("start", "myia-turbo")
        assert (plan.verdict, plan.steps) == ("refused", ())
        assert plan.refusal is not None
        assert plan.refusal.code == "fit.refused"
        (fit,) = plan.fits
        assert (fit.verdict, fit.code) == ("refused", "vram")
        assert {(way.kind, way.target) for way in fit.ways_out} >= {
            ("stop", "comfyui-qwen"),
            ("free", "comfyui-qwen"),
        }
        end = failed(next(iter(here.operations.run(plan))))  # type: ignore[arg-type]
        assert (end.exit_code, end.outcome) == (3, "refused")
        assert here.state("myia-turbo") == "exited"


def test_force_overrules_it_and_is_journalled() -> None:
    with stage(big_turbo) as here:
        plan = here.plan("start", "myia-turbo", force=True)
        assert plan.verdict == "warned"
        assert said(plan)["fit.forced"].verdict == "warn"
        assert plan.options == {"force": True}
        assert "is ready on NVIDIA GeForce RTX 3090" in done(here.run(plan))
        entry = Journal(here.session).plan(plan.id)
        assert entry is not None
        assert entry[0].options == {"force": True}
        assert [one.id for one in entry[0].checks if one.verdict == "warn"] == ["fit.forced"]


def test_force_does_not_conjure_up_a_card() -> None:
    with stage(lambda scene: with_one(scene, "myia", state="exited", exit_code=0)) as here:
        config = here.session.places.config_file
        text = config.read_text()
        own = text.index("[services.myia]")
        config.write_text(text[:own] + text[own:].replace("gpu = ", 'gpu = "5090" # ', 1))
        session = here.new_session()
        plan = Operations(session, via="cli").plan("start", "myia", force=True)
        session.store.close()
        assert plan.refusal is not None
        assert plan.refusal.code == "gpu.not-here"
        assert here.state("myia") == "exited"


def test_offload_is_warned_of_and_says_how_much_streams() -> None:
    def fp8(scene: Scene) -> Scene:
        return with_one(
            scene, "comfyui-qwen", state="exited", exit_code=0,
            service={"variant": "qwen-edit-2509-fp8"},
        )  # fmt: skip

    with stage(fp8) as here:
        plan = here.plan("start", "comfyui-qwen")
        assert plan.verdict == "warned"
        assert plan.fits[0].verdict == "offload"
        assert plan.fits[0].streams_bytes > 0
        assert "stream from host memory" in said(plan)["fit.offload"].detail
        assert "is ready on" in done(here.run(plan))


def test_a_stop_of_a_busy_comfyui_says_what_it_interrupts(studio: Stage) -> None:
    studio.host.control("job", container="comfyui-qwen", value=3)
    plan = when(studio, "2 waiting jobs", "stop", "comfyui-qwen")
    title = said(plan)["service.busy"].title
    assert title.startswith("it interrupts its ")
    assert " in)" in title
    assert plan.verdict == "warned"
    text = done(studio.run(plan))
    assert text.startswith("comfyui-qwen is stopped; ")
    assert "of VRAM came back" in text


def when(here: Stage, words: str, verb: str, name: str, **options: Any) -> Plan:
    """Give a plan as soon as one of its checks says this: an order takes a moment to begin."""

    def planned() -> Plan | None:
        plan = here.plan(verb, name, **options)
        return plan if any(words in one.title for one in plan.checks) else None

    plan = wait_until(planned, what=words)
    assert plan is not None
    return plan


def test_a_stop_that_waits_lets_the_jobs_finish(studio: Stage) -> None:
    studio.host.control("job", container="myia", value=2)
    plan = when(studio, "waits until", "stop", "myia", wait=True)
    assert plan.verdict == "ready"
    assert done(studio.run(plan)).startswith("myia is stopped; ")
    told = studio.told(plan)
    assert any(text.startswith("waiting for its txt2img") for text in told)
    assert any(text.startswith("myia is idle after") for text in told)


def test_a_stop_whose_wait_is_too_short_stops_nothing(studio: Stage) -> None:
    studio.host.control("job", container="myia", value=20)
    when(studio, "interrupts", "stop", "myia")
    end = failed(studio.do("stop", "myia", wait_limit=5.0))
    assert end.code == "service.still-busy"
    assert "busy" in end.text
    assert studio.state("myia") == "running"


def test_a_stop_can_interrupt_in_order(studio: Stage) -> None:
    studio.host.control("job", container="comfyui-qwen", value=1)
    plan = when(studio, "interrupts", "stop", "comfyui-qwen", interrupt=True)
    assert done(studio.run(plan)).startswith("comfyui-qwen is stopped; ")
    assert any("was interrupted" in text for text in studio.told(plan))


def test_vram_that_does_not_come_back_is_a_failure_that_names_the_holder(studio: Stage) -> None:
    studio.host.control("vram-stuck", container="myia-turbo")
    end = failed(studio.do("stop", "myia-turbo"))
    assert end.code == "vram.not-back"
    assert "comfyui-qwen" in end.hint
    assert "nobody claims" in end.hint
    assert end.text == "myia-turbo is stopped now"
    assert studio.state("myia-turbo") == "exited"


def test_freeing_gives_the_vram_back_and_leaves_it_running(studio: Stage) -> None:
    text = done(studio.do("free", "comfyui-qwen"))
    assert text.startswith("comfyui-qwen runs on; VRAM that came back: ")
    assert "by its own figure" in text
    assert "by the driver" in text
    assert studio.state("comfyui-qwen") == "running"
    again = studio.plan("free", "comfyui-qwen")
    assert (again.steps, again.checks[0].id) == ((), "free.nothing")


def test_what_was_freed_cannot_be_taken_back_but_a_stop_can(studio: Stage) -> None:
    done(studio.do("free", "myia-turbo"))
    with pytest.raises(RefusedError) as caught:
        studio.operations.undo()
    assert caught.value.code == "undo.none"
    done(studio.do("stop", "myia"))
    undo = studio.operations.undo()
    assert (undo.verb, undo.target, undo.subject) == ("start", "myia", "service")
    assert "is ready on" in done(studio.run(undo))


def test_a_busy_service_is_only_freed_when_told_to_interrupt(studio: Stage) -> None:
    studio.host.control("job", container="myia", value=1)
    plan = when(studio, "busy", "free", "myia")
    assert plan.refusal is not None
    assert plan.refusal.code == "free.busy"
    plan = studio.plan("free", "myia", interrupt=True)
    assert plan.verdict == "warned"
    assert "by its own figure" in done(studio.run(plan))


def test_a_restart_waits_until_it_is_ready_again(studio: Stage) -> None:
    plan = studio.plan("restart", "myia")
    assert [step.options["do"] for step in plan.steps] == [
        "stop", "wait-vram", "start", "wait-ready", "check-card",
    ]  # fmt: skip
    assert plan.detached
    assert "is ready on NVIDIA GeForce RTX 3080" in done(studio.run(plan))


def test_any_name_of_its_container_leads_to_the_service(studio: Stage) -> None:
    ident = str(studio.plan("stop", "myia").facts["id"])
    for name in (ident, ident[:12]):
        plan = studio.plan("stop", name)
        assert (plan.subject, plan.target) == ("service", "myia")
    assert studio.plan("stop", "caddy").subject == "container"


def test_a_login_in_the_way_is_told_with_the_setting() -> None:
    def wrong(scene: Scene) -> Scene:
        return with_one(scene, "myia", state="exited", exit_code=0, service={"token": "wrong"})

    with stage(wrong) as here:
        end = failed(here.do("start", "myia"))
        assert end.code == "service.needs-auth"
        assert "services.myia.auth" in end.hint
        assert "needs-auth" in end.text
        assert here.state("myia") == "running"


def test_one_that_never_becomes_ready_is_left_running() -> None:
    def never(scene: Scene) -> Scene:
        phases = (Phase(name="loading", seconds=100_000.0, ready=False),)
        return with_one(scene, "myia", state="exited", exit_code=0, phases=phases, loop="")

    with stage(never) as here:
        end = failed(here.do("start", "myia", ready_limit=8.0))
        assert end.code == "service.not-ready"
        assert "was not ready after 8s" in end.title
        assert end.text.startswith("myia is starting")
        assert here.state("myia") == "running"


def test_one_that_ends_at_once_is_not_waited_for() -> None:
    def dies(scene: Scene) -> Scene:
        phases = (Phase(name="start", seconds=4.0, ready=False, exit=1),)
        return with_one(
            scene, "myia", state="exited", exit_code=0, restart="no", phases=phases, loop=""
        )

    with stage(dies) as here:
        end = failed(here.do("start", "myia"))
        assert end.code in {"service.ended", "container.ended-at-once"}
        assert "exit 1" in end.title
        assert "docker logs" in end.hint


def test_one_that_crash_loops_is_not_waited_for() -> None:
    def loops(scene: Scene) -> Scene:
        phases = (Phase(name="start", seconds=6.0, ready=False, exit=2),)
        return with_one(scene, "myia", state="exited", exit_code=0, phases=phases, loop="")

    with stage(loops) as here:
        end = failed(here.do("start", "myia"))
        assert end.code == "service.crash-loop"
        assert "exit 2" in end.title


def test_an_engine_that_is_restarted_meanwhile_is_waited_for() -> None:
    def slow(scene: Scene) -> Scene:
        phases = list(scene.containers["myia"].phases)
        phases[0] = msgspec.structs.replace(phases[0], seconds=60.0)
        return with_one(scene, "myia", state="exited", exit_code=0, phases=tuple(phases))

    with stage(slow) as here:
        plan = here.plan("start", "myia")
        ends: list[Any] = []
        run = threading.Thread(target=lambda: ends.append(here.run(plan)))
        run.start()
        wait_until(lambda: any("is starting" in text for text in here.told(plan)), 20)
        here.host.control("engine-down")
        wait_until(lambda: any("engine" in text for text in here.told(plan)), 20)
        here.host.control("engine-up")
        run.join(60)
        assert "is ready on" in done(ends[0])


def test_a_plan_goes_stale_when_another_one_took_the_room(studio: Stage) -> None:
    done(studio.do("stop", "comfyui-qwen"))
    plan = studio.plan("start", "comfyui-qwen", variant="qwen-edit-2509-fp8")
    before = plan.fits[0].verdict
    done(studio.do("restart", "myia-turbo"))
    done(studio.do("stop", "myia-turbo"))
    free = studio.plan("start", "comfyui-qwen", variant="qwen-edit-2509-fp8")
    assert (before, free.fits[0].verdict) == ("offload", "resident")
    done(studio.do("start", "myia-turbo"))
    end = failed(studio.run(free))
    assert (end.outcome, end.code, end.exit_code) == ("stale", "plan.stale", 3)
    assert end.plan is not None
    assert end.plan.fits[0].verdict == "offload"
    assert studio.state("comfyui-qwen") == "exited"


def test_a_plan_goes_stale_when_a_job_began_meanwhile(studio: Stage) -> None:
    plan = studio.plan("stop", "myia")
    studio.host.control("job", container="myia", value=1)
    when(studio, "interrupts", "stop", "myia")
    end = failed(studio.run(plan))
    assert end.outcome == "stale"
    assert "it interrupts its txt2img" in end.title
    assert studio.state("myia") == "running"


@pytest.mark.parametrize("lock", ["service-myia", "card"])
def test_two_consoles_do_not_act_on_one_service_or_card(lock: str) -> None:
    with stage(lambda scene: with_one(scene, "myia", state="exited", exit_code=0)) as here:
        plan = here.plan("start", "myia")
        name = next(one for one in plan.locks if one.startswith(lock))
        holder = Holder(
            pid=4242, user="ann (from 10.0.0.9)", host="studio", plan_id="p1",
            since="2026-11-22T22:00:00.000Z", what="switch dual",
        )  # fmt: skip
        other = LockFolder(here.new_session().places)
        with other.acquire([name], holder):  # type: ignore[union-attr]
            end = failed(here.run(plan))
        assert end.code == "lock.held"
        assert "ann (from 10.0.0.9) does switch dual" in end.title
        assert here.state("myia") == "exited"
