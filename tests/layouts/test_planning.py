"""What a switch says before it runs: what unloads, what is in the way, what cannot be."""

import json

import pytest

from actions.plan import Plan, PlanDone
from console.errors import UsageError
from tests.layouts.bench import BIG, Bench

pytestmark = pytest.mark.engine

LEAN = """
[layouts.lean]
services = ["forge", "comfyui"]
variants = { comfyui = "qwen-edit-2509-gguf-q3_k_s" }
"""


def said(plan: Plan, verdict: str = "") -> str:
    return "\n".join(
        f"{check.title} ({check.detail})" for check in plan.checks if verdict in {"", check.verdict}
    )


def test_another_variant_unloads_the_old_model_and_restarts_nothing(bench: Bench) -> None:
    bench.write_config(LEAN)
    bench.up("comfyui", "forge")
    before = bench.container("comfyui")["State"]["StartedAt"]
    plan = bench.operations().plan("switch", "lean")
    assert [step.options["do"] for step in plan.steps] == ["free", "note-layout", "see-layout"]
    assert "comfyui goes on and unloads its model" in said(plan)
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert bench.container("comfyui")["State"]["StartedAt"] == before
    assert bench.held(1) < 2 << 30
    # Its new variant is what it is counted with from now on.
    assert bench.session().settings.services["comfyui"].variant == "qwen-edit-2509-gguf-q3_k_s"
    assert not bench.operations().plan("switch", "lean").steps


def test_what_is_only_discovered_goes_on_and_is_named_where_it_is_in_the_way(
    bench: Bench,
) -> None:
    bench.up("comfyui")
    text = bench.session().places.config_file
    kept = text.read_text()
    bench.write_config()
    # The config knows forge only: ComfyUI's container is found by itself.
    head, _, tail = kept.partition("\n[services.comfyui]")
    layouts = '\n[layouts.one]\nservices = ["forge"]\ngpus = { forge = "3090" }\n'
    assert tail
    text.write_text(head.replace('"7 GiB"', '"14 GiB"') + layouts)
    plan = bench.operations().plan("switch", "one")
    assert not any("stop" in str(step.options["do"]) for step in plan.steps)
    assert plan.verdict in {"warned", "refused"}
    assert "comfyui holds 1" in said(plan, "warn")
    assert "is not in the config" in said(plan, "warn")
    assert bench.runs("comfyui")


def test_a_service_that_cannot_be_created_refuses_the_layout(bench: Bench) -> None:
    file = bench.session().places.config_file
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith("compose_")) + "\n")
    plan = bench.operations().plan("switch", "forge-only")
    assert plan.verdict == "refused"
    assert plan.refusal is not None
    assert plan.refusal.code == "service.absent"
    assert "forge" in plan.refusal.title


def test_a_card_that_is_not_here_refuses_the_layout(bench: Bench) -> None:
    bench.write_config('\n[layouts.far]\nservices = ["forge"]\ngpus = { forge = "5090" }\n')
    plan = bench.operations().plan("switch", "far")
    assert plan.refusal is not None
    assert plan.refusal.code == "layout.no-card"
    assert "layouts.far.gpus.forge" in plan.refusal.hint


def test_a_card_of_the_config_that_is_not_here_refuses_a_start_by_a_layout_too(
    bench: Bench,
) -> None:
    file = bench.session().places.config_file
    file.write_text(file.read_text().replace('gpu = "3080"', 'gpu = "4090"'))
    plan = bench.operations().plan("switch", "forge-only")
    assert plan.refusal is not None
    assert plan.refusal.code == "layout.no-own-card"
    assert "services.forge.gpu" in plan.refusal.hint


def test_a_variant_that_nobody_knows_is_told_with_the_nearest(bench: Bench) -> None:
    bench.write_config(LEAN.replace("q3_k_s", "q3_k_x"))
    bench.up("comfyui")
    plan = bench.operations().plan("switch", "lean")
    assert plan.verdict == "warned"
    assert "the catalogue does not have" in said(plan, "warn")
    assert "did you mean qwen-edit-2509-gguf-q3_k_s" in said(plan, "warn")


def test_a_name_that_steers_terminals_does_not_get_that_far(bench: Bench) -> None:
    name = "a\x1b[31m\nb\u202e; reboot"
    bench.write_config(f'\n[layouts.{json.dumps(name)}]\nservices = ["forge"]\n')
    plan = bench.operations().plan("switch", name)
    shown = [plan.target, said(plan)]
    for step in plan.steps:
        shown += [step.title, step.command]
    with pytest.raises(UsageError) as caught:
        bench.operations().plan("switch", "b")
    shown.append(caught.value.hint)
    assert not any(bad in "".join(shown) for bad in ("\x1b", "\n[", "\u202e"))
    assert all(step.command.isprintable() for step in plan.steps)


def test_a_layout_says_what_each_card_holds_on_the_way(bench: Bench) -> None:
    bench.up("forge")
    plan = bench.operations().plan("switch", "both")
    peaks = {peak["gpu_uuid"]: peak for peak in plan.facts["peaks"]}
    assert set(peaks) == {BIG}
    assert peaks[BIG]["peak_bytes"] >= 13 << 30
    assert peaks[BIG]["at_leg"] == 1
    assert f"card-{BIG}" in plan.locks
    assert "service-comfyui" in plan.locks
