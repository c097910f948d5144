"""Two programs and three folders: each is found where somebody wrote it down."""

from collections.abc import Callable
from pathlib import Path

from actions.models.inventory import look, model_folders
from actions.models.issues import issues
from actions.session import Session
from tests.inventory import build

LORA = build.safetensors(build.LORA_SDXL)


def test_comfyui_s_own_list_of_more_folders_is_read(
    session: Session, models: Path, tmp_path: Path
) -> None:
    farm = tmp_path / "farm"
    build.put(farm / "my loras" / "a.safetensors", LORA)
    build.put(farm / "private" / "b.safetensors", LORA)
    build.put(tmp_path / "else" / "c.safetensors", build.safetensors(build.QWEN_VAE))
    (models.parent / "extra_model_paths.yaml").write_text(
        "# kept\n"
        "farm:\n"
        "    base_path: ~/farm\n"
        "    is_default: true\n"
        "    loras: |\n"
        "        my loras\n"
        "        not there\n"
        "    vae: ../else\n"
        "    custom_nodes: private\n"
        "broken: 7\n"
    )
    inventory = look(session)
    found = {Path(file.path).name: file for file in inventory.files}
    assert set(found) == {"a.safetensors", "c.safetensors"}  # nobody lists what is private
    assert [root.source for root in inventory.roots][1:] == ["extra_model_paths.yaml: farm"] * 2
    assert issues(inventory, session.catalog) == ()
    assert all(root.problem is None for root in inventory.roots)


def test_a_folder_that_is_listed_for_several_kinds_may_hold_each_of_them(
    session: Session, models: Path, tmp_path: Path
) -> None:
    build.put(models / "mine" / "a.safetensors", LORA)  # below a folder that is a root of its own
    build.put(tmp_path / "sd" / "whole.safetensors", build.safetensors(build.SDXL))
    build.put(tmp_path / "sd" / "part.safetensors", build.safetensors(build.FLUX))
    build.put(tmp_path / "all" / "vae.safetensors", build.safetensors(build.QWEN_VAE))
    build.put(tmp_path / "all" / "lora.safetensors", build.safetensors(build.LORA_FLUX))
    (models.parent / "extra_model_paths.yaml").write_text(
        f"comfyui:\n  base_path: {models.parent}\n  loras: |\n    models/loras\n\n    models/mine\n"
        f"a111:\n  base_path: {tmp_path}\n  checkpoints: sd/\n  diffusion_models: sd\n"
        f"one:\n  vae: {tmp_path}/all\ntwo:\n  loras: {tmp_path}/all\n"
    )
    inventory = look(session)
    assert len(inventory.files) == 5
    assert issues(inventory, session.catalog) == ()


def test_a_root_that_is_a_file_or_is_not_there_is_said(
    session_of: Callable[[str], Session], models: Path, tmp_path: Path
) -> None:
    file = build.put(models / "loras" / "a.safetensors", LORA)
    session = session_of(
        f'[paths]\nmodels = "{models}"\n[[paths.extra]]\nmodels = "{file}"\n'
        f'[[paths.extra]]\nmodels = "{tmp_path / "gone"}"\n'
    )
    inventory = look(session)
    assert len(inventory.files) == 1
    titles = [one.problem.title for one in inventory.roots if one.problem is not None]
    assert titles == ["this is a file, not a folder", "this folder is not there"]


def test_a_list_that_is_no_yaml_is_said_and_the_rest_is_shown(
    session: Session, models: Path
) -> None:
    build.put(models / "loras" / "a.safetensors", LORA)
    (models.parent / "extra_model_paths.yaml").write_text("a: [1,\n b: {")
    inventory = look(session)
    assert len(inventory.files) == 1
    (problem,) = [one.problem for one in inventory.roots if one.problem is not None]
    assert problem.code == "models.extra-paths"


def test_forge_has_its_models_where_its_compose_file_mounts_them(
    session_of: Callable[[str], Session], models: Path, tmp_path: Path
) -> None:
    forge = tmp_path / "forge" / "models"
    build.put(forge / "Stable-diffusion" / "sd.safetensors", build.safetensors(build.SDXL))
    build.put(forge / "Stable-diffusion" / "flux.safetensors", build.safetensors(build.FLUX))
    build.put(forge / "Lora" / "vae.safetensors", build.safetensors(build.FLUX_VAE))
    compose = tmp_path / "docker-compose.yaml"
    compose.write_text(
        "services:\n  myia:\n    image: forge\n    volumes:\n"
        "      - ${PLACE:-./forge}/models:/app/models\n      - named:/data\n"
    )
    session = session_of(
        f'[paths]\nmodels = "{models}"\n[services.myia]\nkind = "forge"\n'
        f'compose_file = "{compose}"\ncompose_service = "myia"\n'
    )
    inventory = look(session)
    assert [(root.path, root.layout) for root in inventory.roots] == [
        (str(models), "comfyui"),
        (str(forge), "forge"),
    ]
    # Forge loads a Flux model from where its checkpoints are; a VAE among the LoRAs it does not.
    (issue,) = issues(inventory, session.catalog)
    assert issue.title == "Forge will not find this here: it belongs in VAE"


def test_paths_in_a_container_s_list_are_those_of_its_mounts(
    session_of: Callable[[str], Session], models: Path, tmp_path: Path
) -> None:
    build.put(tmp_path / "nas" / "loras" / "a.safetensors", LORA)
    (models.parent / "extra_model_paths.yaml").write_text(
        "nas:\n  base_path: /mnt/nas\n  loras: loras\n"
    )
    compose = tmp_path / "compose.yaml"
    compose.write_text(
        "services:\n  comfyui:\n    image: comfyui\n    volumes:\n"
        "      - ./ComfyUI:/app/ComfyUI\n"
        "      - type: bind\n        source: ./nas\n        target: /mnt/nas\n"
    )
    session = session_of(
        f'[services.comfyui]\nkind = "comfyui"\ncompose_file = "{compose}"\n'
        'compose_service = "comfyui"\n'
    )
    assert [Path(file.path) for file in look(session).files] == [
        tmp_path / "nas" / "loras" / "a.safetensors"
    ]


def test_one_folder_under_two_names_is_one_root(
    session_of: Callable[[str], Session], models: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(models)
    build.put(models / "loras" / "a.safetensors", LORA)
    session = session_of(
        f'[paths]\nmodels = "{models}"\n[[paths.extra]]\nmodels = "{tmp_path / "link"}"\n'
        f'[[paths.extra]]\nmodels = "{models / "loras"}"\n'
    )
    assert [root.layout for root in model_folders(session)] == ["comfyui", "plain"]
    inventory = look(session)
    assert len(inventory.files) == 1
    assert issues(inventory, session.catalog) == ()


def test_without_a_models_folder_there_is_nothing_and_no_fault(
    session_of: Callable[[str], Session],
) -> None:
    assert look(session_of("")).files == ()
