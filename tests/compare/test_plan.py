"""The plan of a comparison: what is left out and why, what is asked about, what makes no sense."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.compare.asked import course_of
from actions.compare.model import COLD
from actions.compare.planning import CompareVerbs
from actions.journal import Journal
from actions.plan import Plan
from actions.workflows.shelf import own_folder
from console.errors import RefusedError, UnreachableError, UsageError
from console.packaged import read_text
from console.pictures.errors import PictureError
from screens.cli.plan_view import plan_text
from tests.support.edits import COMFY, FORGE, ON_DISK, EditHost

Q4, Q2 = "qwen-edit-2509-gguf-q4_0", "qwen-edit-2509-gguf-q2_k"


def plan_of(host: EditHost, photo: Path | None, name: str = "edit-single", **options: Any) -> Plan:
    session = host.session()
    images = {"images": (str(photo),)} if photo else {}
    options = {"prompt": "make it blue", **images, **options}
    return CompareVerbs(session).plan("compare", name, options, session.asker("test"))


def test_variants_come_one_after_another_and_a_report_at_the_end(
    host: EditHost, photo: Path
) -> None:
    plan = plan_of(host, photo, variants=(Q2, "2509-q4_0"), seeds=(7,))
    assert (plan.verb, plan.subject, plan.target) == ("compare", "edits", "edit-single")
    assert (plan.endless, plan.pausable, plan.verdict) == (True, False, "ready")
    assert [step.id for step in plan.steps] == ["variant-1", "variant-2", "report"]
    assert [step.target_id for step in plan.steps[:2]] == [Q2, Q4]
    assert plan.locks == (f"compare-{COMFY}",)
    assert plan.facts["edits"] == 4
    text = plan_text(plan)
    assert "4 edits: 2 variants, each cold and warm" in text
    assert "unloads its model" in text
    assert plan.facts["folder"].endswith(f"/compare-{plan.id}")
    assert plan.id in plan.facts["folder"]


def test_without_a_variant_all_that_are_on_disk_are_compared(host: EditHost, photo: Path) -> None:
    for variants in ((), ("on-disk",)):
        course = course_of(plan_of(host, photo, variants=variants, seeds=(7,)))
        of_2509 = {one.id for one in course.candidates if one.family == "qwen-image-edit-2509"}
        assert of_2509 == {one for one in ON_DISK if "2509" in one}


def test_what_cannot_run_is_left_out_with_its_reason_and_the_rest_is_ready(
    host: EditHost, photo: Path
) -> None:
    missing = "qwen-edit-2509-gguf-q3_k_m"
    plan = plan_of(host, photo, variants=(Q2, missing))
    assert plan.verdict == "ready"  # what is left out costs nothing: nobody is asked
    assert [step.target_id for step in plan.steps] == [Q2, ""]
    (left,) = [one for one in plan.checks if one.id == "compare.left-out"]
    assert missing in left.title
    assert "models pull" in left.detail
    assert course_of(plan).candidates[1].refusal is not None


def test_where_nothing_is_left_the_plan_is_refused_and_says_why(
    host: EditHost, photo: Path
) -> None:
    plan = plan_of(host, photo, variants=("qwen-edit-2509-gguf-q3_k_m",))
    assert plan.refusal is not None
    assert plan.refusal.code == "compare.nothing-left"
    assert "q3_k_m" in plan.refusal.hint
    assert plan.steps == ()


def test_a_variant_of_a_model_the_workflow_is_not_made_for_is_left_out(
    host: EditHost, photo: Path
) -> None:
    own = own_folder(host.session())
    own.mkdir(parents=True, exist_ok=True)
    (own / "mine.json").write_text(read_text("workflows/edit-single.json"))
    told = read_text("workflows/edit-single.toml")
    (own / "mine.toml").write_text(told.replace(', "qwen-image-edit-2511"', ""))
    newer = "qwen-edit-2511-fp8mixed"
    plan = plan_of(host, photo, "mine", variants=(Q2, newer))
    (left,) = [one for one in plan.checks if one.id == "compare.left-out"]
    assert newer in left.title
    assert "made for qwen-image-edit-2509" in left.title
    with pytest.raises(UsageError) as refused:
        plan_of(host, photo, "mine", variants=(newer,))
    assert refused.value.code == "workflow.variant"


def test_one_that_streams_its_weights_runs_but_is_asked_about(host: EditHost, photo: Path) -> None:
    plan = plan_of(host, photo, variants=(Q2, "qwen-edit-2509-gguf-q8_0"), size=(2048, 2048))
    offloaded = [one.id for one in course_of(plan).candidates if one.fit == "offload"]
    assert offloaded == ["qwen-edit-2509-gguf-q8_0"]
    asked = [one for one in plan.checks if one.id == "compare.offload"]
    assert len(asked) == len(offloaded)
    assert plan.verdict == "warned"


def test_different_models_are_told_apart(host: EditHost, photo: Path) -> None:
    plan = plan_of(host, photo, variants=(Q2, "qwen-edit-2511-fp8mixed"))
    assert any(one.id == "compare.mixed-families" for one in plan.checks)


def test_seeds_and_steps_make_more_edits_and_one_that_is_drawn_is_known(
    host: EditHost, photo: Path
) -> None:
    plan = plan_of(host, photo, variants=(Q2,), seeds=(7, 8), steps=(4, 20))
    course = course_of(plan)
    assert [(one.seed, one.steps) for one in course.shots if one.why != "warm"] == [
        (7, 4), (8, 4), (7, 20), (8, 20),
    ]  # fmt: skip
    assert "3 edits more of other seeds or steps" in plan_text(plan)
    drawn = course_of(plan_of(host, photo, variants=(Q2,)))
    (cold,) = [one for one in drawn.shots if one.why == COLD]
    assert drawn.request_for(cold).seed == cold.seed
    assert drawn.request_for(cold).variant == Q2


def test_forge_has_no_variants_but_seeds_and_steps(host: EditHost) -> None:
    plan = plan_of(host, None, "forge-text-to-image", seeds=(1, 2))
    assert plan.facts["service"] == FORGE
    assert [step.id for step in plan.steps] == ["variant-1", "report"]
    with pytest.raises(UsageError, match="no variants"):
        plan_of(host, None, "forge-text-to-image", variants=(Q2,))


def test_a_prompt_survives_the_journal_letter_by_letter(host: EditHost, photo: Path) -> None:
    prompt = "a sign that says password: hunter2\n\ttoken=abc \x07 中文"
    session = host.session()
    plan = plan_of(host, photo, variants=(Q2,), prompt=prompt)
    journal = Journal(session)
    journal.save(plan)
    entry = journal.plan(plan.id)
    assert entry is not None
    course = course_of(entry[0])
    assert course.request.prompt == prompt
    assert course == course_of(plan)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"variants": ("qwen-none",)}, "variant.unknown"),
        ({"variants": (Q2,), "seeds": (7, 7)}, "compare.twice"),
        ({"variants": (Q2,), "steps": (0,)}, "workflow.value"),
        ({"variants": (Q2,), "size": (7, 7)}, "workflow.value"),
        ({"variants": (Q2,), "images": ()}, "workflow.images"),
        ({"variants": (Q2,), "service": "nobody"}, "service.unknown"),
        ({"variants": (Q2,), "colour": "red"}, "plan.bad-option"),
        ({"seeds": tuple(range(16)), "steps": tuple(range(1, 9))}, "compare.too-many"),
    ],
)
def test_what_makes_no_sense_is_a_mistake_of_usage(
    options: dict[str, Any], code: str, host: EditHost, photo: Path
) -> None:
    with pytest.raises(UsageError) as told:
        plan_of(host, photo, **options)
    assert told.value.code == code


def test_a_picture_that_is_none_is_told_before_anything_is_sent(
    host: EditHost, tmp_path: Path
) -> None:
    (tmp_path / "page.png").write_text("<html>")
    with pytest.raises(PictureError):
        plan_of(host, tmp_path / "page.png", variants=(Q2,))


def test_there_is_no_way_back_that_would_remove_pictures(host: EditHost, photo: Path) -> None:
    plan = plan_of(host, photo, variants=(Q2,))
    with pytest.raises(RefusedError, match="kept"):
        CompareVerbs(host.session()).back(plan, {})


def test_a_plan_that_somebody_else_wrote_says_that_it_cannot_be_read(
    host: EditHost, photo: Path
) -> None:
    plan = plan_of(host, photo, variants=(Q2,))
    for name in ("shots", "request"):
        broken = {key: value for key, value in plan.options.items() if key != name}
        with pytest.raises(UsageError):
            course_of(msgspec.structs.replace(plan, options=broken))


def test_a_service_that_is_away_is_told_before_anything_is_planned(
    host: EditHost, photo: Path
) -> None:
    """The last of this module: its ComfyUI takes a while to come back."""
    host.control("kill", container=COMFY)
    with pytest.raises(UnreachableError):
        plan_of(host, photo, variants=(Q2,))
