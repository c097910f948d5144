"""What the doctor says of services and model files, on rehearsed hosts."""

from pathlib import Path

import pytest

from actions.doctor.check import Examination
from actions.doctor.checks.services import _rules, _seen
from actions.doctor.examining import examine
from console.packaged import read_table
from tests.support.edits import edit_host


def examined(home: Path, scenario: str, *only: str) -> Examination:
    with edit_host(home, scenario=scenario, pace=1.0) as host:
        *_, whole = examine(host.session(), only=only)
    assert isinstance(whole, Examination)
    return whole


def test_a_misplaced_service_explains_the_card_that_is_full_and_can_be_moved(
    tmp_path: Path,
) -> None:
    whole = examined(tmp_path, "both-on-one-card")
    first = whole.findings[0]
    assert first.mend is not None
    assert (first.mend.verb, first.mend.target) == ("move", "myia")
    oom = next(one for one in whole.findings if one.id == "torch.oom.native")
    assert oom.consequence_of == "service.misplaced"


def test_a_login_in_the_way_is_told_as_the_images_own(tmp_path: Path) -> None:
    found = examined(tmp_path, "needs-auth", "services").findings
    assert ("http.aidock-login-redirect", "myia") in {(one.id, one.subject) for one in found}


def test_each_trouble_of_model_files_has_its_finding_and_its_plan(tmp_path: Path) -> None:
    found = examined(tmp_path, "messy-models", "models").findings
    by_id = {one.id: one for one in found}
    assert {
        "safetensors.incomplete", "safetensors.header-too-large", "safetensors.bad-json",
        "qwen.mmproj-missing", "models.wrong-folder", "models.broken-link", "models.duplicate",
        "models.pickle", "models.orphaned-part",
    } <= set(by_id)  # fmt: skip
    assert all(one.mend is not None for one in found if one.severity == "error")
    assert by_id["models.wrong-folder"].mend.verb == "move-file"  # type: ignore[union-attr]
    assert [one.severity for one in found] == sorted(
        (one.severity for one in found), key=("error", "warning", "info").index
    )


def test_a_service_that_does_not_run_is_not_blamed_for_it(tmp_path: Path) -> None:
    whole = examined(tmp_path, "full-card", "service.ready:comfyui-qwen")
    assert [(one.id, one.state) for one in whole.results if one.group == "services"] == [
        ("service.ready:comfyui-qwen", "pass")
    ]


@pytest.mark.parametrize(
    "table", read_table("doctor_flags.toml")["flags"], ids=lambda one: one["id"]
)
def test_every_rule_of_flags_can_be_told_and_can_be_seen(table: dict[str, object]) -> None:
    rule = next(one for one in _rules() if one.id == table["id"])
    assert rule.title.format(flag="--x")
    assert rule.fix.format(flag="--x")
    line = ("main.py", f"{rule.flags[0]}=1")
    assert bool(_seen(rule, line)) is not rule.absent
    assert bool(_seen(rule, ("main.py",))) is rule.absent
