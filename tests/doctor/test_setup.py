"""How services are set up: updates, restarts, what they keep free, versions."""

from pathlib import Path

import msgspec

from actions.doctor.check import Check, Examination, Result
from actions.doctor.checks.setup import setup_checks
from actions.doctor.examining import examine
from actions.doctor.ground import Ground
from actions.operations import Operations
from actions.runbook.finding import Finding
from actions.services.snapshot import ServiceStatus
from console.simulator.scene import Scene
from tests.service_plans.stage import with_one
from tests.support.edits import edit_host


def updating(scene: Scene) -> Scene:
    env = {**scene.containers["myia"].env, "AUTO_UPDATE": "True"}
    scene = with_one(scene, "myia", env=env)
    pinned = {**scene.containers["myia-turbo"].env, "AUTO_UPDATE": "true", "FORGE_REF": "2d3903d"}
    return with_one(scene, "myia-turbo", env=pinned, restart="no")


def test_a_forge_that_may_become_older_and_one_that_nobody_starts_again(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="studio", pace=1.0, change=updating) as host:
        session = host.session()
        *_, whole = examine(session, only=("service.updates",))
        assert isinstance(whole, Examination)
        found = {(one.id, one.subject): one for one in whole.findings}
        mend = found["aidock.auto-update", "myia"].mend
        assert mend is not None
        assert mend.command == "gpuconsole set myia --env AUTO_UPDATE=false"
        plan = Operations(session).plan(mend.verb, mend.target, **mend.options)
    assert '+      AUTO_UPDATE: "false"' in plan.diff
    assert ("service.no-restart", "myia-turbo") in found
    assert len(found) == 2


def of(ground: Ground, kind: str, status: ServiceStatus) -> tuple[Finding, ...]:
    check: Check = next(one for one in setup_checks(status) if one.id.startswith(kind))
    made: Result = check.run(ground, check)
    return made.findings


def test_what_a_comfyui_keeps_and_which_version_it_is(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="studio", pace=1.0) as host:
        ground = Ground(host.session())
        (status,) = (one for one in ground.snapshot.services if one.name == "comfyui-qwen")
        assert status.reading is not None

        def told(**changes: object) -> ServiceStatus:
            assert status.reading is not None
            reading = msgspec.structs.replace(status.reading, **changes)
            return msgspec.structs.replace(status, reading=reading, start_log=None)

        assert of(ground, "service.reserve", status) == ()
        large = told(arguments=("main.py", "--reserve-vram", "12"))
        (found,) = of(ground, "service.reserve", large)
        assert found.id == "service.reserve-large"
        assert found.mend is not None
        assert found.mend.options == {"flag": ["--reserve-vram=1"]}
        assert of(ground, "service.version", status) == ()
        catalog = ground.session.catalog
        variant = next(one for one in catalog.variants if one.min_comfyui)
        service = msgspec.structs.replace(status.service, variant=variant.id)
        old = msgspec.structs.replace(told(version="0.3.40"), service=service)
        (found,) = of(ground, "service.version", old)
        assert found.id in {"qwen.old-comfyui", "service.too-old"}
        assert "0.3.40" in found.evidence[0].text
