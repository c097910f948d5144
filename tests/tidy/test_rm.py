"""Removing what the catalogue knows: a variant's own files, not those that others need."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actions.plan import Plan, PlanFailed
from console.errors import UsageError
from tests.support.program import run_program
from tests.tidy.conftest import Host

FP8, Q4 = "qwen-edit-2509-fp8", "qwen-edit-2509-gguf-q4_0"


@pytest.fixture
def filled(tmp_path: Path) -> Host:
    """Two variants on disk, each with its files at their sizes, as holes."""
    host = Host(tmp_path)
    catalog = host.session.needed_catalog()
    for name in (FP8, Q4):
        variant = catalog.variant(name)
        assert variant is not None
        for file in catalog.files_of(variant):
            path = host.models / file.folder / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.truncate(path, file.size or 1_000_000)
    return host


def names(plan: Plan) -> set[str]:
    return {Path(step.target_id).name for step in plan.steps}


def test_of_a_variant_only_what_no_other_here_needs_goes(filled: Host) -> None:
    catalog = filled.session.needed_catalog()
    own, other = catalog.variant(FP8), catalog.variant(Q4)
    assert own is not None
    assert other is not None
    plan = filled.plan("rm", FP8)
    mine = {one.name for one in catalog.files_of(own) if one.id not in other.files}
    assert names(plan) == mine
    shared = [check for check in plan.checks if check.id == "fix.shared"]
    assert len(shared) == len(set(own.files) & set(other.files))
    assert all(Q4 in check.title for check in shared)
    assert any("can be fetched again" in check.title for check in plan.checks)
    list(filled.operations.run(plan))
    last = filled.plan("rm", Q4)
    assert names(last) >= {"qwen_image_vae.safetensors"}


def test_several_are_removed_by_one_plan_that_goes_on_with_what_is_left(filled: Host) -> None:
    paths = sorted(str(one) for one in filled.models.rglob("*.gguf"))
    paths += sorted(str(one) for one in filled.models.rglob("*vae*.safetensors"))
    plan = filled.plan("rm", paths[0], also=paths[1:], quarantine=True)
    assert [step.target_id for step in plan.steps] == paths
    assert plan.target == f"{len(paths)} files"
    Path(paths[0]).unlink()
    left = filled.plan("rm", paths[0], also=paths[1:], quarantine=True)
    assert [step.target_id for step in left.steps] == paths[1:]
    list(filled.operations.run(left))
    assert not any(Path(path).exists() for path in paths)
    list(filled.operations.run(filled.operations.undo()))
    assert [Path(path).exists() for path in paths] == [False, *(True for _ in paths[1:])]


def test_what_is_not_here_is_said(host: Host) -> None:
    plan = host.plan("rm", FP8)
    assert not plan.steps
    assert "nothing of" in plan.checks[0].title


def test_a_file_that_a_job_fetches_is_refused(filled: Host) -> None:
    from actions.journal import Journal
    from actions.models.item import Item, options_of
    from actions.plan import Step
    from console.hub.facts import HubSpec

    path = filled.models / "vae/qwen_image_vae.safetensors"
    plan = filled.plan("rm", path)
    assert plan.refusal is None
    item = Item(id="x", spec=HubSpec(repo="o/n", path="x"), path=str(path), size=1, action="fetch")
    step = Step(id="fetch-1", title="x", touches=(), command="x", options=options_of(item))
    job = msgspec.structs.replace(plan, id="job-that-runs", verb="pull", steps=(step,))
    Journal(filled.session).save(job)
    refused = filled.plan("rm", path)
    assert refused.refusal is not None
    assert refused.refusal.code == "fix.in-use-by-job"
    assert "job-that-runs" in refused.refusal.title
    # The plan of before does not run either: its ground has moved.
    end = list(filled.operations.run(plan))[-1]
    assert isinstance(end, PlanFailed)
    assert end.outcome == "stale"
    assert path.exists()


def test_the_command_plans_asks_and_removes(host: Host) -> None:
    path = host.put("loras/mine.safetensors", b"x" * 1000)
    command = ["--config", str(host.config), "models", "rm", str(path)]

    def run(*words: str) -> tuple[int, dict[str, Any], str]:
        made = run_program([*command, *words], host.home, host.environ)
        text = made.stdout.decode()
        last = json.loads(text.splitlines()[-1]) if "--json" in words else {}
        return made.returncode, last, text + made.stderr.decode()

    code, told, _ = run("--dry-run", "--json")
    assert (code, told["data"]["plan"]["steps"][0]["destructive"]) == (0, True)
    code, _, text = run()
    assert code == 3
    assert "--yes" in text
    assert path.exists()
    code, told, _ = run("--yes", "--json")
    assert code == 0, told
    assert told["data"]["event"] == "done"
    assert told["data"]["files"][0]["path"] == str(path)
    assert not path.exists()


def test_the_command_lists_what_is_wrong_and_puts_one_right(host: Host) -> None:
    page = host.put("loras/page.safetensors", b"<!DOCTYPE html><html><title>Login</title></html>")
    base = ["--config", str(host.config), "models", "fix"]
    listed = run_program([*base, "--json"], host.home, host.environ)
    told = json.loads(listed.stdout)["data"]["issues"]
    assert [one["code"] for one in told] == ["html"]
    made = run_program([*base, str(page), "--yes"], host.home, host.environ)
    assert made.returncode == 0, made.stderr.decode()
    assert not page.exists()
    again = run_program([*base, str(page), "--yes"], host.home, host.environ)
    assert again.returncode == 2
    assert b"there is no file" in again.stderr


def test_what_a_running_service_needs_is_refused_until_it_is_stopped(tmp_path: Path) -> None:
    arguments = ["demo", "--", "gpuconsole", "models", "rm", "qwen-edit-2509-gguf-q4_k_m"]
    made = run_program([*arguments, "--dry-run", "--json"], tmp_path)
    told = json.loads(made.stdout)
    assert made.returncode == 3, made.stderr.decode()
    assert told["error"]["code"] == "fix.in-use-by-service"
    assert "comfyui-qwen runs with" in told["error"]["title"]


def test_a_file_in_quarantine_is_no_model_any_more(host: Host) -> None:
    from actions.models.inventory import look

    path = host.put("loras/odd.ckpt", b"\x80\x02odd" * 1000)
    assert [one.path for one in look(host.session).files] == [str(path)]
    list(host.operations.run(host.plan("quarantine-file", path)))
    (aside,) = look(host.session).files
    assert (aside.format, aside.kind, aside.sha256) == ("part", "", "")


def test_a_named_file_that_variants_here_need_goes_with_a_warning(filled: Host) -> None:
    for name in ("qwen-image-vae", str(filled.models / "vae/qwen_image_vae.safetensors")):
        plan = filled.plan("rm", name)
        (told,) = [check for check in plan.checks if check.id == "fix.needed-by"]
        assert (told.verdict, len(plan.steps)) == ("warn", 1)
        assert FP8 in told.title or Q4 in told.title
    alone = filled.plan("rm", "qwen-edit-2509-gguf-q4_0")
    assert not [check for check in alone.checks if check.id == "fix.needed-by"]


def test_a_link_that_a_service_reads_is_its_file_and_another_hard_link_is_not(
    host: Host,
) -> None:
    from actions.models.marks import mark_of
    from actions.models.needed import is_at
    from console.models.inventory.found import Root

    roots = [Root(path=str(host.models), layout="comfyui", kind_by_folder={}, source="")]
    whole, link, twin = (host.models / "vae" / name for name in ("a.pt", "link.pt", "twin.pt"))
    host.put("vae/a.pt")
    link.symlink_to(whole)
    os.link(whole, twin)
    assert is_at(mark_of(link, roots), str(link))
    assert is_at(mark_of(whole, roots), str(link))
    assert not is_at(mark_of(twin, roots), str(whole))


def test_a_list_of_folders_opens_no_others_below_its_base(host: Host) -> None:
    (host.home / "mine").mkdir()
    lora, letter = host.home / "mine/a.safetensors", host.home / "letter.txt"
    for path in (lora, letter):
        path.write_bytes(b"x")
    (host.home / "extra_model_paths.yaml").write_text("me:\n  base_path: ~\n  loras: mine\n")
    assert len(host.plan("rm", lora).steps) == 1
    with pytest.raises(UsageError) as caught:
        host.plan("rm", letter)
    assert caught.value.code == "models.outside"
    with pytest.raises(UsageError):
        host.plan("move-file", lora, to=str(host.home))
