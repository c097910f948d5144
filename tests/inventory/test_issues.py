"""A folder that has grown for a year: what is wrong in it, and what would put it right."""

import os
from pathlib import Path

from actions.models.inventory import look
from actions.models.issues import issues
from actions.models.model import Issue
from actions.session import Session
from tests.inventory import build

LORA = build.safetensors(build.LORA_SDXL)
ENCODER = build.gguf(
    {"token_embd.weight": ("q4_k", (1024, 3584))}, {"general.architecture": "qwen2vl"}
)
TOWER = build.gguf({"v.blk.0.attn_q.weight": ("f16", (64, 64))}, {"general.architecture": "clip"})


def found(session: Session) -> list[Issue]:
    return list(issues(look(session), session.catalog))


def only(session: Session, code: str) -> Issue:
    (issue,) = (one for one in found(session) if one.code == code)
    return issue


def test_a_folder_in_order_has_no_issues(session: Session, models: Path) -> None:
    build.put(models / "loras" / "a.safetensors", LORA)
    build.put(models / "vae" / "qwen.safetensors", build.safetensors(build.QWEN_VAE))
    build.put(models / "checkpoints" / "sd.safetensors", build.safetensors(build.SD15))
    build.put(models / "text_encoders" / "clip_l.safetensors", build.safetensors(build.CLIP_L))
    assert found(session) == []


def test_the_same_bytes_twice_could_be_one_file(session: Session, models: Path) -> None:
    kept = build.put(models / "loras" / "a.safetensors", LORA)
    copy = build.put(models / "loras" / "b.safetensors", LORA)
    os.link(kept, models / "loras" / "a-again.safetensors")
    issue = only(session, "duplicate")
    assert issue.severity == "warning"  # so small that its edges are all of it
    (fix,) = issue.fixes
    assert (fix.verb, fix.path, fix.saves_bytes) == ("link", str(copy), copy.stat().st_size)
    assert Path(fix.to).stat().st_ino == kept.stat().st_ino
    copy.unlink()
    os.link(kept, copy)
    assert found(session) == []


def test_large_files_that_look_alike_are_only_likely_the_same_until_they_are_read(
    session: Session, models: Path
) -> None:
    from actions.models.verifying import verify

    tensors: build.Tensors = {**build.LORA_SDXL, "x.lora_up.weight": ("F16", (4096, 512))}
    made = build.safetensors(tensors)
    first = build.put(models / "loras" / "a.safetensors", made)
    second = build.put(models / "loras" / "b.safetensors", made)
    build.put(models / "loras" / "c.safetensors", made, tail=b"another")
    issue = only(session, "duplicate")
    assert (issue.severity, issue.paths) == ("note", (str(second), str(first)))
    with second.open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"differs in the middle")
    assert only(session, "duplicate").severity == "note"
    list(verify(session, look(session).files))
    assert found(session) == []


def test_half_of_an_inode_s_names_frees_nothing(session: Session, models: Path) -> None:
    build.put(models / "loras" / "a.safetensors", LORA)
    copy = build.put(models / "loras" / "b.safetensors", LORA)
    # A name that lies elsewhere keeps its bytes on the disk, so those are the ones to keep.
    os.link(copy, models.parent / "backup")
    issue = only(session, "duplicate")
    assert [fix.path for fix in issue.fixes] == [str(models / "loras" / "a.safetensors")]
    assert issue.fixes[0].saves_bytes == copy.stat().st_size


def test_a_file_in_the_wrong_folder_is_sent_where_it_belongs(
    session: Session, models: Path
) -> None:
    for name in ("checkpoints/qwen.safetensors", "loras/flux.safetensors", "my.safetensors"):
        build.put(models / name, build.safetensors(build.QWEN, {"name": name}))
    wrong = [one for one in found(session) if one.code == "wrong-folder"]
    title = "ComfyUI will not find this here: it belongs in diffusion_models"
    assert [(one.severity, one.title) for one in wrong] == [("error", title)] * 3
    for issue in wrong:
        (fix,) = issue.fixes
        target = models / "diffusion_models" / Path(issue.paths[0]).name
        assert (fix.verb, fix.path, fix.to) == ("move", issue.paths[0], str(target))


def test_nothing_is_moved_over_another_file(session: Session, models: Path) -> None:
    build.put(models / "vae" / "a.safetensors", LORA)
    there = build.put(models / "loras" / "a.safetensors", build.safetensors(build.LORA_FLUX))
    issue = only(session, "wrong-folder")
    assert issue.fixes == ()
    assert "another file of that name" in issue.hint
    build.put(there, LORA)
    issue = only(session, "wrong-folder")
    assert [fix.verb for fix in issue.fixes] == ["delete"]


def test_an_encoder_without_its_vision_tower_is_told_what_to_fetch(
    session: Session, models: Path
) -> None:
    place = models / "text_encoders"
    encoder = build.put(place / "Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf", ENCODER)
    issue = only(session, "mmproj-missing")
    assert issue.paths == (str(encoder),)
    (fix,) = issue.fixes
    assert (fix.verb, fix.path, fix.to) == ("pull", "qwen2.5-vl-7b-mmproj-bf16", str(place))
    build.put(place / "Qwen2.5-VL-7B-Instruct-mmproj-BF16.gguf", TOWER)
    assert found(session) == []


def test_a_vision_tower_is_renamed_so_that_it_is_found(session: Session, models: Path) -> None:
    place = models / "text_encoders"
    build.put(place / "Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf", ENCODER)
    tower = build.put(place / "mmproj-F16.gguf", TOWER)
    (fix,) = only(session, "mmproj-misnamed").fixes
    assert (fix.verb, fix.path) == ("move", str(tower))
    assert Path(fix.to).name == "Qwen2.5-VL-7B-Instruct-mmproj-F16.gguf"
    tower.rename(fix.to)
    assert found(session) == []
    build.put(place / "Qwen2.5-VL-7B-Instruct-mmproj-F32.gguf", TOWER, tail=b"x")
    assert only(session, "mmproj-misnamed").severity == "warning"


def test_what_is_no_model_or_not_all_of_one_is_told_with_what_to_do(
    session: Session, models: Path
) -> None:
    loras = models / "loras"
    (loras / "p.safetensors").write_text("version https://git-lfs.github.com/spec/v1\nsize 1\n")
    (loras / "h.safetensors").write_text("<!doctype html>")
    (loras / "e.safetensors").touch()
    (loras / "l.safetensors").symlink_to("nowhere")
    (loras / "circle.safetensors").symlink_to("circle.safetensors")
    os.mkfifo(loras / "pipe.safetensors")
    (loras / "z.safetensors").write_bytes(bytes(4_000))
    (loras / ".q.safetensors.gpuconsole-part").write_bytes(b"x")
    (loras / ".q.safetensors.gpuconsole-map").write_bytes(b"x")
    (loras / ".q.safetensors.gpuconsole-bad-12345678").write_bytes(b"x")
    (models / "checkpoints" / "old.ckpt").write_bytes(b"\x80\x02.")
    build.put(models / "vae" / "qwen_image_vae.safetensors",
              build.safetensors(build.QWEN_VAE), cut=50)  # fmt: skip
    assert all(root.problem is None for root in look(session).roots)
    assert sum(one.code == "broken-link" for one in found(session)) == 2
    codes = {(one.code, one.severity): [fix.verb for fix in one.fixes] for one in found(session)}
    assert codes == {
        ("empty", "error"): ["delete"],
        ("html", "error"): ["delete"],
        ("lfs-pointer", "error"): ["delete"],
        ("unreadable", "error"): ["quarantine"],
        ("truncated", "error"): ["quarantine", "pull"],
        ("pickle", "warning"): ["quarantine"],
        ("broken-link", "warning"): ["delete"],
        ("orphaned-part", "warning"): ["delete"],
        ("orphaned-part", "note"): ["delete"],
    }


def test_what_other_programs_have_not_fetched_in_full_is_told(
    session: Session, models: Path
) -> None:
    loras = models / "loras"
    names = ("a.incomplete", "b.safetensors.part", "c.crdownload", "d.gguf.tmp", "e.partial",
             ".0a1b.gpuconsole-link")  # fmt: skip
    for name in names:
        (loras / name).write_bytes(b"x" * 100)
    whole = build.put(loras / "f.safetensors", LORA)  # aria2 makes room for all of it at once
    (loras / "f.safetensors.aria2").write_bytes(b"x")
    issues_there = found(session)
    parts = {Path(one.paths[0]).name for one in issues_there if one.code == "orphaned-part"}
    assert parts == {*names, "f.safetensors.aria2"}
    assert [one.paths[0] for one in issues_there if one.code == "truncated"] == [str(whole)]


def test_names_that_differ_in_case_only_are_told(session: Session, models: Path) -> None:
    build.put(models / "loras" / "Ink.safetensors", LORA)
    build.put(models / "loras" / "ink.safetensors", build.safetensors(build.LORA_FLUX))
    (models / "VAE").mkdir()
    clashes = [one.paths for one in found(session) if one.code == "case-clash"]
    assert (str(models / "VAE"), str(models / "vae")) in clashes
    assert (str(models / "loras/Ink.safetensors"), str(models / "loras/ink.safetensors")) in clashes
