"""Choosing: what is here, what is to fetch, where it fits, which is advised and why."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from actions.models.choosing import choices, pieces_by_id
from actions.models.inventory import look
from actions.models.model import Choice
from actions.session import Session
from actions.transfer import FileTransfer
from console.hub.facts import HubFile, HubSpec
from console.models.catalog import packaged_catalog
from console.models.hashes import HashRecords
from console.models.inventory.found import FoundFile, Inventory, Root
from console.store.hub_files import HubRecords
from console.unknown import Unknown
from tests.fit.build import BIG, SMALL, card, host, service, session
from tests.support import snapshots

FP8 = "qwen-edit-2509-fp8"
ENCODER = "qwen2.5-vl-7b-fp8-scaled"
VAE = "qwen-image-vae"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def opened(tmp_path: Path, own: str = "") -> Session:
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    config = f'[paths]\nmodels = "{tmp_path}/models"\ncatalog = "{tmp_path}/own.toml"\n'
    return session(tmp_path, config)


def put(models: Path, ident: str, size: int | None = None) -> Path:
    """Put a file of the catalogue where it belongs: a hole of its size, or of another."""
    file = packaged_catalog().file(ident)
    assert file is not None
    path = models / file.folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as body:
        body.truncate(size if size is not None else file.size)
    return path


def one(session: Session, ident: str, **more: object) -> Choice:
    (found,) = choices(session, host(SMALL, BIG), variants=(ident,), **more)  # type: ignore[arg-type]
    return found


def test_nothing_here_all_to_fetch(tmp_path: Path, models: Path) -> None:
    found = one(opened(tmp_path), FP8)
    assert found.state == "missing"
    assert found.size_bytes == 20_430_698_424 + 9_384_670_680 + 253_806_246
    assert found.missing_bytes == found.size_bytes
    model = found.pieces[0]
    assert model.path == str(models / "diffusion_models" / model.name)
    assert model.state == "missing"


def test_what_is_here_need_not_be_fetched(tmp_path: Path, models: Path) -> None:
    path = put(models, ENCODER)
    put(models, VAE)
    found = one(opened(tmp_path), FP8)
    assert (found.state, found.missing_bytes) == ("partly", 20_430_698_424)
    assert [piece.state for piece in found.pieces] == ["missing", "present", "present"]
    assert found.pieces[1].path == str(path)
    put(models, FP8)
    found = one(opened(tmp_path), FP8)
    assert (found.state, found.missing_bytes) == ("ready", 0)


def test_a_file_cut_short_makes_it_damaged_and_is_to_be_fetched(
    tmp_path: Path, models: Path
) -> None:
    put(models, FP8, 1_000)
    put(models, ENCODER)
    put(models, VAE)
    found = one(opened(tmp_path), FP8)
    assert (found.state, found.missing_bytes) == ("damaged", 20_430_698_424)
    assert found.pieces[0].on_disk_bytes == 1_000


def test_a_hash_that_was_taken_counts_while_the_file_is_the_same(
    tmp_path: Path, models: Path
) -> None:
    content = b"weights"
    right = hashlib.sha256(content).hexdigest()
    own = f'[[files]]\nid = "{VAE}"\nbytes = {len(content)}\nsha256 = "{right}"\n'
    where = opened(tmp_path, own)
    path = put(models, VAE)
    path.write_bytes(content)
    assert pieces_by_id(where)[VAE].state == "present"
    hashes = HashRecords(where.store, where.clock)
    assert hashes.remember(path, right)
    assert pieces_by_id(where)[VAE].state == "checked"
    path.write_bytes(b"WEIGHTS")  # behind our back
    os.utime(path, ns=(0, 1_700_000_000_000_000_000))
    assert pieces_by_id(where)[VAE].state == "present"
    assert hashes.remember(path, hashlib.sha256(b"WEIGHTS").hexdigest())
    assert pieces_by_id(where)[VAE].state == "differs"
    (found,) = choices(where, host(BIG), variants=(FP8,))
    assert found.state == "damaged"


def test_a_download_under_way_counts_what_it_has(tmp_path: Path, models: Path) -> None:
    put(models, ENCODER)
    put(models, VAE)
    where = opened(tmp_path)
    path = one(where, FP8).pieces[0].path
    transfer = FileTransfer(
        id=FP8, path=path, state="fetching", bytes_done=430_698_424, bytes_total=20_430_698_424
    )
    found = one(where, FP8, jobs={"J1": (transfer,)})
    model = found.pieces[0]
    assert (found.state, model.state, model.job_id) == ("fetching", "fetching", "J1")
    assert found.missing_bytes == 20_000_000_000
    assert model.percent == pytest.approx(2.108, abs=0.001)


def test_a_size_that_nobody_knows_leaves_the_sum_unknown(tmp_path: Path, models: Path) -> None:
    found = one(opened(tmp_path), "qwen-edit-2511-fp8-lightning-merged")
    assert (found.size_bytes, found.missing_bytes) == (None, None)
    assert all(not isinstance(fit.verdict, str) for fit in found.fits)
    assert found.recommended == {}


def test_without_a_models_folder_nothing_is_called_missing(tmp_path: Path) -> None:
    found = one(session(tmp_path), FP8)
    assert found.state == "unreadable"
    problem = found.pieces[0].problem
    assert problem is not None
    assert problem.code == "models.no-folder"


def test_another_encoder_with_its_vision_tower_would_do(tmp_path: Path, models: Path) -> None:
    put(models, "qwen2.5-vl-7b-gguf-q8_0")
    assert one(opened(tmp_path), FP8).notes == ()
    put(models, "qwen2.5-vl-7b-mmproj-bf16")
    (note,) = one(opened(tmp_path), FP8).notes
    assert "qwen2.5-vl-7b-gguf-q8_0 is there" in note


def test_fp4_is_refused_on_an_rtx_30_with_the_reason(tmp_path: Path, models: Path) -> None:
    cards = SMALL, BIG
    for found in choices(opened(tmp_path), host(*cards)):
        if found.quant.startswith("fp4"):
            assert set(found.impossible) == {card.uuid for card in cards}
            assert all("RTX 50" in why and "8.6" in why for why in found.impossible.values())
            assert found.recommended == {}
        if found.quant.startswith("int4"):
            assert found.impossible == {}


def test_bf16_never_runs_on_a_small_card(tmp_path: Path, models: Path) -> None:
    found = one(opened(tmp_path), "qwen-edit-2509-bf16")
    assert "less than 24 GB" in found.impossible[SMALL.uuid]


def test_one_of_each_family_is_advised_for_each_card_and_it_says_why(
    tmp_path: Path, models: Path
) -> None:
    cards = SMALL, BIG
    found = choices(opened(tmp_path), host(*cards))
    for gpu in cards:
        for family in ("qwen-image-edit-2509", "qwen-image-edit-2511"):
            (best,) = [
                each for each in found if each.family == family and gpu.uuid in each.recommended
            ]
            (fit,) = [fit for fit in best.fits if fit.gpu_uuid == gpu.uuid]
            assert fit.verdict == "resident"
            why = best.recommended[gpu.uuid]
            assert "best choice that stays resident" in why
            assert "to fetch" in why
            better = [each for each in found if each.family == family and
                      each.quality < best.quality]  # fmt: skip
            for each in better:
                (other,) = [fit for fit in each.fits if fit.gpu_uuid == gpu.uuid]
                short = other.verdict != "resident"
                tight = isinstance(other.available_bytes, int) and isinstance(
                    other.need_bytes, int
                ) and other.available_bytes - other.need_bytes < 1400 * 1024**2  # fmt: skip
                assert short or tight


def test_on_disk_is_said_where_it_saves_a_download(tmp_path: Path, models: Path) -> None:
    for ident in ("qwen-edit-2509-gguf-q4_0", ENCODER, VAE):
        put(models, ident)
    found = choices(opened(tmp_path), host(BIG))
    (best,) = [each for each in found if each.recommended and each.family.endswith("2509")]
    (why,) = best.recommended.values()
    assert "2509 Q4_0 GGUF is on disk and would stay resident too" in why


def test_what_is_on_disk_goes_before_a_better_one_of_the_same_bits(
    tmp_path: Path, models: Path
) -> None:
    put(models, FP8)
    put(models, VAE)
    found = choices(opened(tmp_path), host(BIG))
    (best,) = [each for each in found if each.recommended and each.family.endswith("2509")]
    assert best.variant == FP8
    why = best.recommended[BIG.uuid]
    assert "8.7 GiB to fetch" in why
    assert "2509 Q8_0 GGUF is a little better, 29.0 GiB to fetch" in why
    assert best.basis == {BIG.uuid: "now"}


def test_a_variant_of_ones_own_that_nobody_ranked_is_not_the_best(
    tmp_path: Path, models: Path
) -> None:
    own = f"""
[[files]]
id = "mine"
kind = "diffusion_model"
repo = "me/mine"
path = "mine.safetensors"
folder = "diffusion_models"
bytes = 9_000_000_000
[[variants]]
id = "mine"
title = "Mine"
family = "qwen-image-edit-2509"
quant = "fp8"
loader = "UNETLoader"
files = ["mine", "{ENCODER}", "{VAE}"]
"""
    found = choices(opened(tmp_path, own), host(BIG))
    (best,) = [each for each in found if each.recommended and each.family.endswith("2509")]
    assert best.variant != "mine"
    assert max(found, key=lambda each: (each.family == best.family, each.rank)).variant == "mine"


def test_beside_what_runs_it_says_what_the_card_alone_could(tmp_path: Path, models: Path) -> None:
    full = card(24, used=20)
    busy = service("forge", on=full, budget=20, used=20)
    found = choices(opened(tmp_path), host(full, services=(busy,)))
    (best,) = [each for each in found if each.recommended and each.family.endswith("2509")]
    (why,) = best.recommended.values()
    assert "with nothing else on it" in why
    assert "now, beside what runs" in why
    alone = choices(opened(tmp_path), host(full, services=(busy,)), empty=True)
    (same,) = [each for each in alone if each.recommended and each.family.endswith("2509")]
    assert same.variant == best.variant
    (fit,) = same.fits
    assert fit.verdict == "resident"
    assert (best.basis, same.basis) == ({full.uuid: "when-free"}, {full.uuid: "now"})


def test_two_bits_are_no_stand_in_for_eight(tmp_path: Path, models: Path) -> None:
    full = card(24, used=13)
    busy = service("forge", on=full, budget=13, used=13)
    found = choices(opened(tmp_path), host(full, services=(busy,)))
    (best,) = [each for each in found if each.recommended and each.family.endswith("2509")]
    assert (best.quant, best.basis[full.uuid]) == ("q8_0", "when-free")
    assert "2509 Q2_K GGUF stays resident beside it" in best.recommended[full.uuid]
    with_room = card(24, used=8)
    busy = service("forge", on=with_room, budget=8, used=8)
    found = choices(opened(tmp_path), host(with_room, services=(busy,)))
    (best,) = [each for each in found if each.recommended and each.family.endswith("2509")]
    assert best.basis[with_room.uuid] == "now"


def test_without_a_card_there_is_still_a_list(tmp_path: Path, models: Path) -> None:
    found = choices(opened(tmp_path), snapshots.host(gpus=snapshots.gpu_snapshot()))
    assert len(found) == len(packaged_catalog().variants)
    assert all(each.fits == () and each.recommended == {} for each in found)


def listed(models: Path, path: Path, **facts: object) -> FoundFile:
    folder = str(path.parent.relative_to(models))
    values = {"size": path.stat().st_size, "format": "safetensors", **facts}
    return FoundFile(path=str(path), root=str(models), folder=folder, **values)  # type: ignore[arg-type]


def inventory(models: Path, *files: FoundFile, layout: str = "comfyui") -> Inventory:
    root = Root(path=str(models), layout=layout, kind_by_folder={}, source="paths.models")
    return Inventory(roots=(root,), files=files)


def test_the_inventory_knows_a_file_under_another_name(tmp_path: Path, models: Path) -> None:
    path = put(models, VAE).rename(models / "vae" / "mine.safetensors")
    file = listed(models, path, catalog_id=VAE, sha256=packaged_catalog().file(VAE).sha256)  # type: ignore[union-attr]
    piece = pieces_by_id(opened(tmp_path), inventory(models, file))[VAE]
    assert (piece.state, piece.path) == ("checked", str(path))


def test_bytes_in_the_wrong_folder_are_not_there_but_are_named(
    tmp_path: Path, models: Path
) -> None:
    (models / "checkpoints").mkdir()
    path = put(models, VAE).rename(models / "checkpoints" / "qwen_image_vae.safetensors")
    file = listed(models, path, catalog_id=VAE)
    where = opened(tmp_path)
    piece = pieces_by_id(where, inventory(models, file))[VAE]
    assert (piece.state, piece.elsewhere) == ("missing", str(path))
    assert any(str(path) in note for note in one(where, FP8, known=inventory(models, file)).notes)


def test_forges_folder_is_elsewhere_too(tmp_path: Path, models: Path) -> None:
    path = put(models, VAE)
    file = listed(models, path, catalog_id=VAE)
    found = pieces_by_id(opened(tmp_path), inventory(models, file, layout="forge"))[VAE]
    assert (found.state, found.elsewhere) == ("missing", str(path))


def test_a_part_of_a_download_is_no_file(tmp_path: Path, models: Path) -> None:
    path = put(models, VAE)
    part = listed(models, path, format="part")
    assert pieces_by_id(opened(tmp_path), inventory(models, part))[VAE].state == "missing"


def test_a_hash_that_the_operator_accepted_is_right(tmp_path: Path, models: Path) -> None:
    where = opened(tmp_path)
    path = put(models, VAE)
    path.write_bytes(b"published anew, and shorter")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    HashRecords(where.store, where.clock).remember(path, sha256)
    assert pieces_by_id(where)[VAE].state == "wrong-size"
    file = packaged_catalog().file(VAE)
    assert file is not None
    HubRecords(where.store).accept(file.repo, file.path, sha256, where.clock.now())
    assert pieces_by_id(where)[VAE].state == "checked"


def test_what_the_hub_told_stands_in_for_what_the_catalogue_does_not_know(
    tmp_path: Path, models: Path
) -> None:
    where = opened(tmp_path)
    merged = "qwen-edit-2511-fp8-lightning-merged"
    file = packaged_catalog().file(merged)
    assert file is not None
    spec = HubSpec(repo=file.repo, path=file.path)
    told = HubFile(spec=spec, commit="ab" * 20, size=20_500_000_000, sha256="cd" * 32)
    HubRecords(where.store).remember(told, where.clock.now())
    assert one(where, merged).missing_bytes == 20_500_000_000 + 9_384_670_680 + 253_806_246


def test_a_real_look_finds_what_lies_under_another_programs_roof(
    tmp_path: Path, models: Path
) -> None:
    header = json.dumps({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    body = len(header).to_bytes(8, "little") + header + b"abcd"
    sha256 = hashlib.sha256(body).hexdigest()
    own = f'[[files]]\nid = "{VAE}"\nbytes = {len(body)}\nsha256 = "{sha256}"\n'
    forge = tmp_path / "forge"
    for name in ("Stable-diffusion", "Lora", "VAE"):
        (forge / name).mkdir(parents=True)
    path = forge / "VAE" / "another-name.safetensors"
    path.write_bytes(body)
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    where = session(
        tmp_path,
        f'[paths]\nmodels = "{models}"\ncatalog = "{tmp_path}/own.toml"\n'
        f'[[paths.extra]]\nmodels = "{forge}"\n',
    )
    HashRecords(where.store, where.clock).remember(path, sha256)
    piece = pieces_by_id(where, look(where))[VAE]
    assert (piece.state, piece.elsewhere) == ("missing", str(path))
    here = models / "vae" / "qwen_image_vae.safetensors"
    here.parent.mkdir()
    here.hardlink_to(path)
    piece = pieces_by_id(where, look(where))[VAE]
    assert (piece.state, piece.path) == ("checked", str(here))


def test_a_folder_that_cannot_be_seen_leaves_doubt_and_one_that_is_not_there_holds_nothing(
    tmp_path: Path,
) -> None:
    where = opened(tmp_path)
    assert pieces_by_id(where, look(where))[VAE].state == "missing"
    gone = Root(path=str(tmp_path), layout="comfyui", kind_by_folder={}, source="paths.models",
                problem=Unknown("models.folder-hangs", "it gave no answer"))  # fmt: skip
    piece = pieces_by_id(where, Inventory(roots=(gone,)))[VAE]
    assert piece.state == "unreadable"
    assert piece.problem is gone.problem
    assert pieces_by_id(where, Inventory())[VAE].problem is not None
