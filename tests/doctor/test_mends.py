"""The plan that mends a finding: the right one, and one that can be made."""

from pathlib import Path

import msgspec
import pytest

from actions.doctor.check import Examination
from actions.doctor.examining import examine
from actions.doctor.ground import Ground
from actions.doctor.mending import _refused_flags, mend_of, mended
from actions.operations import Operations
from actions.plan import PlanDone
from actions.runbook.diagnose import diagnose
from actions.runbook.finding import Finding
from actions.session import Session, open_session
from tests.service_plans.stage import stage
from tests.support.edits import edit_host


@pytest.mark.parametrize(
    ("scenario", "ident", "command", "does"),
    [
        ("crash-loop", "args.unrecognized", "gpuconsole set myia-turbo --remove-flag --cuda-malloc",
         "edit-compose-myia-turbo"),
        ("hung-service", "service.segfault", "gpuconsole restart myia", "start-myia"),
        ("both-on-one-card", "service.misplaced", "gpuconsole move myia --gpu GPU-",
         "edit-compose-myia"),
    ],
)  # fmt: skip
def test_the_mend_of_the_root_cause_is_a_plan_that_can_be_made(
    tmp_path: Path, scenario: str, ident: str, command: str, does: str
) -> None:
    with edit_host(tmp_path, scenario=scenario, pace=1.0) as host:
        session = host.session()
        *_, whole = examine(session)
        assert isinstance(whole, Examination)
        first = whole.findings[0]
        assert first.id == ident
        assert first.mend is not None
        assert first.mend.command.startswith(command)
        options = msgspec.json.decode(msgspec.json.encode(first.mend.options))
        plan = Operations(session).plan(first.mend.verb, first.mend.target, **options)
        assert plan.refusal is None
        assert does in {step.id for step in plan.steps}


@pytest.fixture
def ground(tmp_path: Path) -> "object":
    with edit_host(tmp_path, scenario="studio", pace=1.0) as host:
        there = Ground(host.session())
        _ = there.snapshot
        yield there


def finding(ident: str, subject: str, **more: object) -> Finding:
    return Finding(id=ident, severity="error", subject=subject, title=ident, **more)  # type: ignore[arg-type]


def of_log(ground: Ground, subject: str, *lines: str) -> Finding:
    return diagnose(lines, ground.runbook, subject=subject).findings[0]


def test_a_card_that_is_full_is_freed_by_the_idle_service_on_it(ground: Ground) -> None:
    by_card = {one.gpu_uuid: one.name for one in ground.snapshot.services if one.state == "ready"}
    idle = next(iter(by_card.values()))
    mend = mend_of(finding("torch.oom.native", idle, plan="free"), ground)
    assert mend is not None
    assert (mend.verb, mend.target) == ("free", idle)
    assert mend_of(finding("torch.oom.native", "nobody", plan="free"), ground) is None


def test_a_missing_file_is_fetched_by_its_name(ground: Ground) -> None:
    found = of_log(
        ground,
        "comfyui-qwen",
        "Value not in list: vae_name: 'qwen_image_vae.safetensors' not in ['pixel_space']",
    )
    mend = mend_of(msgspec.structs.replace(found, plan="pull"), ground)
    assert mend is not None
    assert mend.verb == "pull"
    assert ground.session.catalog.file(mend.target).name == "qwen_image_vae.safetensors"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("launch.py: error: unrecognized arguments: --cuda-malloc", ["--cuda-malloc"]),
        ("main.py: error: unrecognized arguments: --fast2 --x=1 8188", ["--fast2", "--x"]),
        ("main.py: error: argument --port: expected one argument", ["--port"]),
        ("main.py: error: argument -p/--preview-method: invalid choice: 'x'", ["--preview-method"]),
        ("main.py: error: ambiguous option: --cuda could match --cuda-device", ["--cuda"]),
        ("Error: no such option: --nowebui", ["--nowebui"]),
        ("main.py: error: unrecognized arguments: $(reboot) ;rm", []),
    ],
)
def test_the_flags_that_a_program_did_not_take(ground: Ground, line: str, flags: list[str]) -> None:
    found = of_log(ground, "myia", line)
    assert _refused_flags(found) == flags
    mend = mend_of(found, ground)
    assert (mend.options["remove_flag"] if mend else []) == flags


def test_what_follows_or_is_past_or_has_no_such_service_gets_no_plan(ground: Ground) -> None:
    hung = finding("service.hung", "myia")
    assert mend_of(hung, ground) is not None
    for changes in ({"consequence_of": "x"}, {"current": False}, {"subject": "nobody"}):
        assert mend_of(msgspec.structs.replace(hung, **changes), ground) is None


def test_a_host_that_was_not_read_is_not_waited_for(tmp_path: Path) -> None:
    session: Session = open_session({"HOME": str(tmp_path), "PATH": "/usr/bin"})
    (one,) = mended([finding("service.hung", "myia")], Ground(session))
    assert one.mend is None


def test_the_mend_of_a_crash_loop_ends_it() -> None:
    with stage(scenario="crash-loop") as here:
        plan = here.plan("set", "myia-turbo", remove_flag=["--cuda-malloc"])
        assert isinstance(here.run(plan), PlanDone)
        *_, whole = examine(here.new_session(), service="myia-turbo")
    assert isinstance(whole, Examination)
    assert not whole.bad
