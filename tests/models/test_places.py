"""Where a file belongs: by its kind, in the folders that each program has for it."""

from pathlib import Path

import pytest

from console.errors import UsageError
from console.models.catalog import ModelFile, packaged_catalog
from console.models.inventory.found import KINDS, Root
from console.models.places import folder_for, kind_by_folder, place_for


def entry(ident: str) -> ModelFile:
    file = packaged_catalog().file(ident)
    assert file is not None
    return file


def root(path: Path, layout: str) -> Root:
    return Root(path=str(path), layout=layout, kind_by_folder={}, source="paths.models")


@pytest.mark.parametrize("file", packaged_catalog().files, ids=lambda file: file.id)
def test_every_file_goes_where_comfyui_lists_its_kind(file: ModelFile, tmp_path: Path) -> None:
    place = place_for(file, (tmp_path,))
    assert place == tmp_path / file.folder / file.name
    kind = {"mmproj": "text_encoder", "prompt_enhancer": "text_encoder"}.get(file.kind, file.kind)
    assert {kind_by_folder("comfyui")[one] for one in (file.folder, *file.also_in)} == {kind}


def test_a_renamed_vision_tower_goes_under_the_name_it_must_have(tmp_path: Path) -> None:
    place = place_for(entry("qwen2.5-vl-7b-mmproj-f16"), (tmp_path,))
    assert place.name == "Qwen2.5-VL-7B-Instruct-mmproj-F16.gguf"


def test_the_first_of_several_roots_is_where_it_goes(tmp_path: Path) -> None:
    vae = entry("qwen-image-vae")
    assert place_for(vae, (tmp_path / "a", tmp_path / "b")).parent == tmp_path / "a" / "vae"


def test_forge_has_folders_of_its_own_and_a_plain_one_has_none(tmp_path: Path) -> None:
    vae, lora = entry("qwen-image-vae"), entry("lightning-2509-4steps-bf16")
    forge, plain = root(tmp_path, "forge"), root(tmp_path, "plain")
    assert place_for(vae, (forge,)) == tmp_path / "VAE" / vae.name
    assert place_for(lora, (forge,)) == tmp_path / "Lora" / lora.name
    assert place_for(entry("qwen-edit-2509-fp8"), (forge,)).parent.name == "Stable-diffusion"
    assert place_for(lora, (plain,)) == tmp_path / lora.name
    assert place_for(lora, (forge,), "comfyui") == tmp_path / "loras" / lora.name


def test_without_a_folder_it_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        place_for(entry("qwen-image-vae"), ())
    assert caught.value.code == "models.no-folder"
    with pytest.raises(UsageError) as caught:
        place_for(entry("modelpatch-diffsynth-canny"), (root(tmp_path, "forge"),))
    assert caught.value.code == "models.no-place"


def test_folders_are_of_kinds_there_are() -> None:
    for layout in ("comfyui", "forge"):
        assert set(kind_by_folder(layout).values()) <= set(KINDS)
    assert folder_for("vae", "forge") == "VAE"
    assert folder_for("mmproj") == "text_encoders"
    assert kind_by_folder("plain") == {}
