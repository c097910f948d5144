"""Is the file there: present, cut short, missing, or not to be seen; and a mount that is gone."""

import os
import threading
import time
from pathlib import Path

import pytest

from console.config.schema import ExtraRoot, PathSettings
from console.models.catalog import ModelFile
from console.models.disk import OnDisk, look_for, model_roots
from tests.support.users import as_nobody

GGUF = ModelFile(
    id="q4",
    kind="diffusion_model",
    repo="r",
    path="sub/model-Q4.gguf",
    bytes=1_000,
    folder="unet",
    also_in=("diffusion_models",),
)
ROUNDED = ModelFile(
    id="int4", kind="diffusion_model", repo="r", path="int4.st", approximate_bytes=10_000,
    folder="diffusion_models",
)  # fmt: skip
NO_SIZE = ModelFile(id="lora", kind="lora", repo="r", path="lora.st", folder="loras")
RENAMED = ModelFile(
    id="mm", kind="mmproj", repo="r", path="mmproj-F16.gguf", save_as="Qwen-mmproj-F16.gguf",
    bytes=10, folder="text_encoders",
)  # fmt: skip


def put(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    return path


def found(file: ModelFile, *roots: Path) -> OnDisk:
    return look_for([file], roots)[file.id]


def test_a_file_in_its_folder_is_present(tmp_path: Path) -> None:
    path = put(tmp_path / "unet" / "model-Q4.gguf", 1_000)
    there = found(GGUF, tmp_path)
    assert (there.state, there.path, there.bytes) == ("present", str(path), 1_000)


@pytest.mark.parametrize("folder", ["diffusion_models", "unet/qwen/2509", "diffusion_models/x"])
def test_it_counts_wherever_comfyui_would_list_it(tmp_path: Path, folder: str) -> None:
    put(tmp_path / folder / "model-Q4.gguf", 1_000)
    assert found(GGUF, tmp_path).state == "present"


def test_another_root_counts_too(tmp_path: Path) -> None:
    put(tmp_path / "b" / "unet" / "model-Q4.gguf", 1_000)
    paths = PathSettings(models=tmp_path / "a", extra=(ExtraRoot(models=tmp_path / "b"),))
    assert found(GGUF, *model_roots(paths)).state == "present"


def test_the_wrong_folder_does_not_count(tmp_path: Path) -> None:
    put(tmp_path / "checkpoints" / "model-Q4.gguf", 1_000)
    assert found(GGUF, tmp_path).state == "missing"


def test_a_file_cut_short_is_told_with_both_sizes(tmp_path: Path) -> None:
    put(tmp_path / "unet" / "model-Q4.gguf", 400)
    there = found(GGUF, tmp_path)
    assert (there.state, there.bytes, there.expected_bytes) == ("wrong-size", 400, 1_000)


def test_of_two_the_whole_one_counts(tmp_path: Path) -> None:
    put(tmp_path / "unet" / "model-Q4.gguf", 400)
    whole = put(tmp_path / "diffusion_models" / "model-Q4.gguf", 1_000)
    assert found(GGUF, tmp_path).path == str(whole)


def test_a_rounded_size_is_a_rounded_size(tmp_path: Path) -> None:
    path = put(tmp_path / "diffusion_models" / "int4.st", 10_150)
    assert found(ROUNDED, tmp_path).state == "present"
    os.truncate(path, 5_000)
    assert found(ROUNDED, tmp_path).state == "wrong-size"


def test_where_nobody_knows_the_size_anything_but_nothing_will_do(tmp_path: Path) -> None:
    path = put(tmp_path / "loras" / "lora.st", 3)
    assert found(NO_SIZE, tmp_path).state == "present"
    os.truncate(path, 0)
    assert found(NO_SIZE, tmp_path).state == "wrong-size"


def test_a_vision_tower_is_looked_for_under_the_name_it_must_have(tmp_path: Path) -> None:
    put(tmp_path / "text_encoders" / "mmproj-F16.gguf", 10)
    assert found(RENAMED, tmp_path).state == "missing"
    put(tmp_path / "text_encoders" / "Qwen-mmproj-F16.gguf", 10)
    assert found(RENAMED, tmp_path).state == "present"


def test_a_link_counts_and_a_broken_one_does_not(tmp_path: Path) -> None:
    real = put(tmp_path / "elsewhere" / "blob", 1_000)
    (tmp_path / "models" / "unet").mkdir(parents=True)
    link = tmp_path / "models" / "unet" / "model-Q4.gguf"
    link.symlink_to(real)
    assert found(GGUF, tmp_path / "models").state == "present"
    real.unlink()
    assert found(GGUF, tmp_path / "models").state == "missing"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path / "unet" / "a" / "model-Q4.gguf", 1_000)
    (tmp_path / "unet" / "a" / "again").symlink_to(tmp_path / "unet")
    assert found(GGUF, tmp_path).state == "present"


def test_nothing_configured_is_not_known_rather_than_missing() -> None:
    there = found(GGUF)
    assert there.state == "unreadable"
    assert there.problem is not None
    assert there.problem.code == "models.no-folder"
    assert model_roots(PathSettings()) == ()


def test_a_models_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert found(GGUF, tmp_path / "nowhere").state == "missing"
    put(tmp_path / "unet", 3)
    assert found(GGUF, tmp_path).state == "missing"


def test_a_folder_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    put(tmp_path / "unet" / "model-Q4.gguf", 1_000)
    (tmp_path / "unet").chmod(0)

    def work() -> str:
        there = found(GGUF, tmp_path)
        assert there.problem is not None
        return f"{there.state}: {there.problem.title}"

    try:
        told = as_nobody(work, tmp_path)
    finally:
        (tmp_path / "unet").chmod(0o700)
    assert told == f"unreadable: {tmp_path}/unet: Permission denied"


def test_a_name_too_long_for_the_disk_says_so(tmp_path: Path) -> None:
    there = found(GGUF, tmp_path / ("x" * 300))
    assert there.state == "unreadable"
    assert there.problem is not None
    assert "too long" in there.problem.title


def test_a_mount_that_is_gone_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "live" / "unet" / "model-Q4.gguf", 1_000)
    (tmp_path / "dead" / "unet").mkdir(parents=True)
    held, real, asked = threading.Event(), os.scandir, []

    def scandir(path: str) -> object:
        if "dead" in str(path):
            asked.append(path)
            held.wait(30)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    try:
        began = time.monotonic()
        both = look_for([GGUF, NO_SIZE], [tmp_path / "dead", tmp_path / "live"], within=0.2)
        again = look_for([GGUF], [tmp_path / "dead"], within=0.2)
        assert time.monotonic() - began < 5
        began = time.monotonic()
        for _ in range(50):
            assert look_for([GGUF], [tmp_path / "dead"], within=0.2)["q4"].state == "unreadable"
        assert time.monotonic() - began < 5  # nor waited for again
        assert both["q4"].state == "present"
        assert again["q4"].state == "unreadable"
        assert again["q4"].problem is not None
        assert again["q4"].problem.code == "models.folder-hangs"
        assert len(asked) == 1  # what hangs is not asked again
    finally:
        held.set()
