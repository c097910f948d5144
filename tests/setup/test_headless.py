"""From containers and files to a picture: once, again, left in the middle, and with what is odd."""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actions.plan import PlanDone
from actions.setup.answers import Answers
from actions.setup.course import carry_out, remembered_answers, show
from actions.setup.report import StepReport
from console.config.load import load
from console.errors import RefusedError, UsageError
from console.simulator.scene import Scene
from console.store.edits import EditRecords
from tests.setup.conftest import Bare, states
from tests.support.edits import COMFY, FORGE, edit_host
from tests.support.hub import Noise, rehearsal_hub

GGUF = "qwen-edit-2509-gguf-q4_k_m"
DONE = dict.fromkeys(
    (
        "host",
        "cards",
        "existing",
        "layout",
        "variant",
        "comfyui",
        "fetch",
        "start",
        "verify",
        "first-edit",
    ),
    "done",
)
SKIPPED = dict.fromkeys(("sharing", "outside", "keep-running"), "skipped")


def everything(folder: Path) -> dict[str, str]:
    """Give a hash of each file below a folder."""
    return {
        str(one): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in folder.rglob("*")
        if one.is_file()
    }


def test_it_leads_to_a_picture_and_a_second_run_changes_nothing(bare: Bare) -> None:
    before = bare.config.read_text()
    shown = bare.shown(service={"variant": GGUF})
    assert bare.config.read_text() == before
    assert not (bare.session().places.state_dir / "setup.json").exists()
    assert shown["existing"].state == shown["variant"].state == "needed"
    assert f"+[services.{COMFY}]" in shown["existing"].diff
    assert f'+variant = "{GGUF}"' in shown["variant"].diff
    # Later steps count on what the earlier ones would write.
    assert shown["fetch"].state == "done"
    assert shown["first-edit"].steps[0].startswith("gpuconsole edit --workflow edit-single")

    reports = bare.run(service={"variant": GGUF})
    assert states(reports) == {**DONE, **SKIPPED}
    text = bare.config.read_text()
    assert text.startswith("# mine, and it stays\n[paths]\n")
    copies = list(bare.config.parent.glob("mine.toml.*.bak"))
    assert [one.read_text() for one in copies] == [before]
    assert set(reports["existing"].wrote) == {str(bare.config), str(copies[0])}
    settings = load(bare.config).settings
    assert settings.services[COMFY].variant == GGUF
    assert settings.services[COMFY].gpu == "GPU-8b2d6e07-51fa-4c39-b7d8-19e4a3c6f520"
    assert settings.services[FORGE].kind == "forge"
    (picture,) = [one for one in reports["first-edit"].found if one.startswith("/")]
    assert Path(picture).is_file()
    assert reports["first-edit"].wrote == (picture,)
    assert any("VRAM at most" in one for one in reports["first-edit"].found)

    files = {**everything(bare.config.parent), **everything(bare.host.outputs)}
    again = bare.go(remembered_answers(bare.session()))
    assert states(again) == states(reports)
    assert [one.wrote for one in again.values() if one.wrote] == []
    after = {**everything(bare.config.parent), **everything(bare.host.outputs)}
    assert {name for name in files if files[name] != after.get(name)} <= {
        name for name in files if "gpuconsole.db" in name
    }
    assert len(EditRecords(bare.session().store).find()) == 1


def test_who_says_no_keeps_the_config_and_sends_nothing(bare: Bare) -> None:
    before = bare.config.read_text()
    reports = bare.run(agree=False, service={"variant": GGUF})
    assert reports["existing"].state == "needed"
    assert bare.config.read_text() == before
    assert EditRecords(bare.session().store).find() == ()


def test_a_config_that_disagrees_is_shown_and_left(bare: Bare) -> None:
    bare.run(service={"variant": GGUF}, skip=["first-edit"])
    before = bare.config.read_text()
    reports = bare.run(service={"variant": "qwen-edit-2509-fp8", "gpu": "3080"})
    assert reports["variant"].state == "blocked"
    assert f"{GGUF}, the answers say qwen-edit-2509-fp8" in reports["variant"].detail
    assert reports["fetch"].detail == "it waits for the step variant"
    assert bare.config.read_text() == before
    other = bare.run(existing={"models": "/srv/other"})
    assert other["existing"].state == "blocked"
    assert "the answers say /srv/other" in other["existing"].detail
    assert bare.config.read_text() == before


def test_services_that_stay_out_of_the_config_lead_to_a_picture_too(bare: Bare) -> None:
    reports = bare.run(existing={"adopt": False}, service={"variant": GGUF}, skip=["host"])
    assert reports["first-edit"].state == "done", reports["first-edit"]
    assert any(f"{COMFY} is not in the config" in one for one in reports["variant"].proposes)
    assert COMFY not in load(bare.config).settings.services
    assert [one.variant for one in EditRecords(bare.session().store).find()] == [GGUF]


def test_the_same_card_by_another_name_is_no_disagreement(bare: Bare) -> None:
    bare.run(service={"variant": GGUF, "gpu": "RTX 3090"}, skip=["first-edit"])
    assert load(bare.config).settings.services[COMFY].gpu == "RTX 3090"
    again = bare.run(service={"gpu": "GPU-8b2d6e07"}, skip=["first-edit"])
    assert again["variant"].state == "done"


def test_a_service_that_is_stopped_is_started_and_its_card_confirmed(bare: Bare) -> None:
    operations = bare.host.operations()
    for _ in operations.run(operations.plan("stop", COMFY)):
        pass
    reports = bare.run(service={"variant": GGUF}, skip=["first-edit"])
    assert reports["start"].state == "done"
    assert ("start", PlanDone) in [(verb, type(event)) for verb, event in bare.told]
    assert reports["start"].plan
    assert reports["verify"].detail == f"{COMFY} computes on RTX 3090 (card 1)"


TINY = {
    "tiny-model": ("diffusion_model", "diffusion_models"),
    "tiny-encoder": ("text_encoder", "text_encoders"),
    "tiny-vae": ("vae", "vae"),
}
BODY = Noise(2_000_000, 1)


@pytest.fixture
def tiny(bare: Bare, tmp_path: Path) -> Iterator[Bare]:
    """Give a host whose operator's catalogue has a small variant, and a hub that has its files."""
    (usual,) = re.findall(r'catalog = "(.*)"', bare.config.read_text())
    text = [Path(usual).read_text(), "[[variants]]", 'id = "tiny-model"', 'title = "Tiny"']
    text += ['family = "qwen-image-edit-2509"', 'quant = "bf16"', 'loader = "UNETLoader"']
    text.append(f"files = {json.dumps(list(TINY))}")
    for ident, (kind, folder) in TINY.items():
        entry = {"id": ident, "kind": kind, "folder": folder, "repo": "org/name"}
        entry |= {"path": f"{ident}.safetensors"}
        text += ["[[files]]", *(f'{key} = "{value}"' for key, value in entry.items())]
        text.append(f"bytes = {BODY.size}")
    (tmp_path / "catalog.toml").write_text("\n".join(text))
    bare.config.write_text(bare.config.read_text().replace(usual, f"{tmp_path}/catalog.toml"))
    with rehearsal_hub({"org/name": {f"{ident}.safetensors": BODY for ident in TINY}}) as hub:
        bare.host.environ.update(hub.environ)
        yield bare


def test_files_that_are_missing_are_fetched_first(tiny: Bare) -> None:
    shown = tiny.shown(service={"variant": "tiny-model"})
    assert shown["fetch"].state == "needed"
    assert shown["fetch"].detail.startswith("3 of 3 files of tiny-model are missing, 5.7 MiB")
    vae = tiny.host.models / "vae/tiny-vae.safetensors"
    assert not vae.exists()
    reports = tiny.run(service={"variant": "tiny-model"}, skip=["first-edit"])
    assert reports["fetch"].state == "done", reports["fetch"]
    assert vae.stat().st_size == BODY.size
    assert str(vae) in reports["fetch"].wrote
    assert {Path(one).stat().st_size for one in reports["fetch"].wrote} == {BODY.size}
    assert len(reports["fetch"].wrote) == 3
    assert ("pull", PlanDone) in [(verb, type(event)) for verb, event in tiny.told]


def test_a_full_disk_blocks_the_fetch_before_anything_is_written(
    tiny: Bare, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        wanted = {"models": str(small)}
        reports = tiny.run(existing=wanted, service={"variant": "tiny-model"})
        assert not [one for one in small.rglob("*") if one.is_file()]
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert reports["fetch"].state == "blocked"
    assert reports["fetch"].detail.startswith("3 of 3 files of tiny-model")
    assert reports["first-edit"].state == "blocked"


def test_without_the_hub_what_is_missing_blocks_and_what_is_here_does_not(bare: Bare) -> None:
    bare.host.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
    assert bare.shown(service={"variant": GGUF})["fetch"].state == "done"
    cut_off = bare.shown(service={"variant": "qwen-edit-2509-gguf-q3_k_m"})
    assert cut_off["fetch"].state == "blocked"
    assert cut_off["first-edit"].state == "blocked"


def test_answers_that_mean_nothing_here_block_their_step_in_words(bare: Bare) -> None:
    assert (
        "no ComfyUI here is called 'nope'" in bare.shown(service={"name": "nope"})["cards"].detail
    )
    assert bare.shown(service={"gpu": "4090"})["cards"].state == "blocked"
    odd = bare.shown(service={"variant": "qwen-edit-2509-fp9"})["variant"]
    assert odd.state == "blocked"
    assert any("Did you mean" in line for line in odd.commands)
    relative = bare.shown(existing={"models": "models"})["existing"]
    assert "no absolute path" in relative.detail
    file = bare.shown(existing={"models": f"{bare.config}/models"})["existing"]
    assert "is a file, and ComfyUI's models lie in a folder" in file.detail
    assert "existing.models" in [one.key for one in file.asks]


def test_read_only_and_a_config_with_mistakes_refuse_the_run_and_show_all_the_same(
    bare: Bare,
) -> None:
    locked = carry_out(bare.session(read_only=True), Answers(), lambda _: True, lambda *_: None)
    with pytest.raises(RefusedError):
        next(locked)
    bare.config.write_text("colour = 1\n" + bare.config.read_text())
    with pytest.raises(UsageError):
        bare.run()
    assert bare.shown()["cards"].state == "done"


def test_a_card_too_small_for_anything_says_so_and_what_could_be_done(tmp_path: Path) -> None:
    def tiny(scene: Scene) -> Scene:
        cards = tuple(msgspec.structs.replace(one, memory=2) for one in scene.cards)
        return msgspec.structs.replace(scene, cards=cards[:1], containers={})

    with edit_host(tmp_path / "home", change=tiny) as host:
        reports = Bare(host, tmp_path).shown()
    assert reports["cards"].state == "blocked"
    assert "too small for every variant" in reports["cards"].detail
    assert any("GB or more" in line for line in reports["cards"].commands)
    assert reports["variant"].detail == "it waits for the step cards"


def test_one_card_needs_no_second_and_shares_it_where_it_fits(tmp_path: Path) -> None:
    def alone(scene: Scene) -> Scene:
        containers = {
            name: msgspec.structs.replace(one, card=0)
            for name, one in scene.containers.items()
            if name in {COMFY, FORGE}
        }
        return msgspec.structs.replace(scene, cards=scene.cards[1:], containers=containers)

    with edit_host(tmp_path / "home", change=alone) as host:
        reports = Bare(host, tmp_path).shown(service={"variant": GGUF})
    assert reports["cards"].state == "done"
    assert reports["layout"].state == "needed"
    assert any(line.startswith("dual: ") for line in reports["layout"].found)


def test_without_a_models_folder_the_step_says_how_to_name_one(bare: Bare) -> None:
    reports = {one.id: one for one in _shown_without_models(bare)}
    assert reports["existing"].state == "blocked"
    assert "existing.models" in reports["existing"].commands[0]


def test_a_models_folder_below_home_is_found_and_one_that_is_named_is_made(bare: Bare) -> None:
    home = Path(bare.host.environ["HOME"])
    (home / "ComfyUI/models/vae").mkdir(parents=True)
    found = {one.id: one for one in _shown_without_models(bare)}["existing"]
    assert f'models = "{home}/ComfyUI/models"' in found.diff
    new = home / "new/models"
    reports = bare.run(existing={"models": str(new)}, skip=["fetch", "first-edit"])
    assert new.is_dir()
    assert str(new) in reports["existing"].wrote


def _shown_without_models(bare: Bare) -> list[StepReport]:
    return list(show(bare.session(), Answers()))
