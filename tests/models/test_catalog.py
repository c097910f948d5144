"""The catalogue holds together, and says what its sources say."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.errors import UsageError
from console.models.catalog import (
    KINDS,
    Catalog,
    packaged_catalog,
    parse_capability,
)
from console.models.catalog_problems import problems_of
from console.models.own_catalog import read_catalog
from console.packaged import packaged
from tests.fit.build import session

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "qwen-models.json"


def test_the_packaged_catalogue_holds_together() -> None:
    catalog = packaged_catalog()
    assert list(problems_of(catalog)) == []
    assert len(catalog.variants) > 40


def test_every_variant_has_a_model_an_encoder_and_a_vae() -> None:
    catalog = packaged_catalog()
    for variant in catalog.variants:
        files = catalog.files_of(variant)
        assert files[0].id == variant.id
        assert files[0].kind == "diffusion_model"
        assert files[0].loader == variant.loader
        assert {"text_encoder", "vae"} <= {file.kind for file in files}
        assert all(variant.family in file.families for file in files)


def test_what_a_file_must_have_beside_it_is_there_too() -> None:
    catalog = packaged_catalog()
    for file in catalog.files:
        for ident in file.needs:
            beside = catalog.file(ident)
            assert beside is not None
            assert beside.folder == file.folder
            # The GGUF loader finds a vision tower by the encoder's name without its quantization.
            assert "mmproj" in beside.name
            assert beside.name.startswith(file.name.rpartition("-")[0])


def test_quality_ranks_each_family_without_ties_of_the_same_kind() -> None:
    catalog = packaged_catalog()
    for family in {one.family for one in catalog.variants}:
        plain = [one for one in catalog.variants if one.family == family and not one.fused_lora]
        assert len({one.quality for one in plain}) == len(plain)


@pytest.mark.parametrize(
    ("quant", "least", "most"), [("fp4", "12.0", "12.1"), ("int4", "7.5", "8.9"), ("q4_k", "", "")]
)
def test_kernels_are_for_their_cards(quant: str, least: str, most: str) -> None:
    found = [one for one in packaged_catalog().variants if one.quant.startswith(quant)]
    assert found
    assert {(one.min_capability, one.max_capability) for one in found} == {(least, most)}


def test_it_says_what_the_facts_say() -> None:
    if not FACTS.exists():
        pytest.skip("the facts are not beside this checkout")
    facts: list[dict[str, Any]] = json.loads(FACTS.read_text("utf-8"))
    catalog = packaged_catalog()
    assert {one["id"] for one in facts} == {file.id for file in catalog.files}
    for fact in facts:
        file = catalog.file(fact["id"])
        assert file is not None
        assert (file.kind, file.repo, file.path) == (fact["kind"], fact["repo"], fact["path"])
        assert file.bytes == fact["size_bytes"]
        assert file.sha256 == fact["sha256"]
        assert f"models/{file.folder}" == fact["folder"]
        assert file.licence == fact["license"]
        rounded = fact["size_gb_approx"]
        if file.bytes is None:
            expected = None if rounded is None else round(rounded * 1e9)
            assert file.approximate_bytes == expected
        assert (file.size is None) == (rounded is None)
        named = (file.custom_node,) if file.custom_node else ()
        assert all(one in (fact["requires_custom_node"] or "") for one in named)
        assert bool(named) == (fact["requires_custom_node"] is not None)
        assert file.loader in fact["loader_node"]
        assert ("nunchaku wheel >= 1.0.0" in (fact["requires_custom_node"] or "")) == (
            "nunchaku >= 1.0.0" in file.packages
        )
        variant = catalog.variant(fact["id"])
        for entry in (file, variant):
            if entry is None:
                continue
            for mine, theirs in (
                (entry.min_capability, fact["min_compute_capability"]),
                (entry.max_capability, fact["max_compute_capability"]),
            ):
                # The facts tell of nvfp4's cards in words only.
                assert mine == ("" if theirs is None else str(theirs)) or "RTX 30" in file.note
        if variant is not None and fact["vram_min_gb"] is not None:
            assert variant.min_card_bytes == fact["vram_min_gb"] * 10**9


def test_a_file_needs_what_its_variant_needs() -> None:
    catalog = packaged_catalog()
    for variant in catalog.variants:
        file = catalog.files_of(variant)[0]
        for name in ("quant", "loader", "custom_node", "packages", "min_capability",
                     "max_capability", "min_comfyui"):  # fmt: skip
            assert getattr(file, name) == getattr(variant, name), (variant.id, name)
        assert bool(variant.cards) == bool(variant.min_capability)


def test_what_belongs_to_one_model_has_the_version_that_runs_it() -> None:
    for file in packaged_catalog().files:
        if file.families and set(file.families) <= {"qwen-image-edit-2509", "qwen-image-edit-2511"}:
            assert file.min_comfyui in {"0.3.49", "0.3.60", "0.27.0"}, file.id


def test_every_route_of_an_edit_is_there() -> None:
    variants = packaged_catalog().variants
    of_2509 = {one.quant for one in variants if one.family == "qwen-image-edit-2509"}
    assert {"bf16", "fp8_e4m3fn", "fp8_e4m3fn_scaled"} < of_2509
    gguf = {"q2_k", "q3_k_s", "q3_k_m", "q4_0", "q4_1", "q4_k_s", "q4_k_m", "q5_0", "q5_1",
            "q5_k_s", "q5_k_m", "q6_k", "q8_0"}  # fmt: skip
    assert gguf < of_2509
    for quant in ("int4_r32", "int4_r128", "fp4_r32", "fp4_r128"):
        titles = " ".join(one.title for one in variants if one.quant == quant)
        assert "4 steps" in titles
        assert "8 steps" in titles
        assert any(one.quant == quant and not one.fused_lora for one in variants)
    assert {one.quant for one in variants if one.family == "qwen-image-edit-2511"} >= {
        "bf16", "fp8mixed", "int8_convrot", "q4_k_m",
    }  # fmt: skip
    int8 = packaged_catalog().variant("qwen-edit-2511-int8-convrot")
    assert int8 is not None
    assert (int8.min_comfyui, int8.packages) == ("0.27.0", ("comfy-kitchen >= 0.2.15",))


@pytest.mark.parametrize(
    ("text", "value"),
    [("8.6", (8, 6)), ("12.0", (12, 0)), ("8", None), ("", None), ("8.x", None), ("8.6.1", None)],
)
def test_a_capability_is_two_numbers(text: str, value: tuple[int, int] | None) -> None:
    assert parse_capability(text) == value


BAD = {
    "no-toml": b"[[files]\n",
    "not-text": b"\xff\xfe\x00",
    "unknown-key": b'[[files]]\nid = "a"\ncolour = "red"\n',
    "wrong-type": b'[[files]]\nid = 3\nkind = "vae"\nrepo = "o/r"\npath = "p"\nfolder = "vae"\n',
    "missing-file": b'[[variants]]\nid = "a"\ntitle = "A"\nfamily = "f"\nquant = "q"\n'
    b'loader = "L"\nfiles = ["nowhere"]\n',
    "twice": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "p"\nfolder = "vae"\n' * 2,
    "outside": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "p"\nfolder = "../etc"\n',
    "negative": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "p"\nfolder = "vae"\n'
    b"bytes = -1\n",
    "escape": b'[[files]]\nid = "a\\u001b[2J"\nkind = "vae"\nrepo = "o/r"\npath = "p"\n'
    b'folder = "vae"\n',
    "path": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "a/../../b"\n'
    b'folder = "vae"\n',
    "name": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "x"\nfolder = "vae"\n'
    b'save_as = ".."\n',
    "hash": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "x"\nfolder = "vae"\n'
    b'sha256 = "12ab"\n',
    "repo": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "../r"\npath = "x"\nfolder = "vae"\n',
    "revision": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "x"\nfolder = "vae"\n'
    b'revision = "a b"\n',
    "needs": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "x"\nfolder = "vae"\n'
    b'needs = ["nowhere"]\n',
    "version": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "x"\nfolder = "vae"\n'
    b'min_comfyui = "new"\n',
    "no-id": b'[[files]]\nkind = "vae"\n',
    "half-new": b'[[files]]\nid = "a"\nkind = "vae"\n',
    "no-tables": b'files = ["a"]\n',
    "strange": b'[[filez]]\nid = "a"\n',
    "alone": b'alone = "yes"\n',
    "pair-of-nothing": b'[[pairs]]\nid = "p"\na = {}\nb = { kind = "vae" }\neffect = "e"\n',
    "pair-instead": b'[[pairs]]\nid = "p"\na = { kind = "lora" }\nb = { kind = "vae" }\n'
    b'effect = "e"\ninstead = ["nowhere"]\n',
    "itself": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "p"\nfolder = "vae"\n'
    b'needs = ["a"]\n',
    "our-part": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "o/r"\npath = "p"\nfolder = "vae"\n'
    b'save_as = ".p.gpuconsole-part"\n',
    "file-twice": b'[[variants]]\nid = "qwen-edit-2509-fp8"\nfiles = ["qwen-edit-2509-fp8", '
    b'"qwen2.5-vl-7b-fp8-scaled", "qwen-image-vae", "qwen-image-vae"]\n',
    "kind": b'[[files]]\nid = "a"\nkind = "vea"\nrepo = "o/r"\npath = "p"\nfolder = "vae"\n',
}


WORDS = {
    "unknown-key": "the file a: ", "wrong-type": "has no id", "missing-file": "nowhere",
    "twice": "twice", "outside": "../etc", "negative": "-1 bytes", "escape": "characters",
    "path": "not a path in a repository", "name": "has no name", "hash": "64 hexadecimal",
    "repo": "not a repository", "revision": "not a commit", "needs": "nowhere",
    "version": "no version of ComfyUI", "no-id": "has no id", "half-new": "the file a: ",
    "no-tables": "[[files]]", "strange": "'filez' is none of", "alone": "true or false",
    "itself": "needs itself", "our-part": "unfinished", "file-twice": "twice",
    "not-text": "UTF-8", "pair-of-nothing": "names nothing",
    "pair-instead": "nowhere", "kind": "vea",
}  # fmt: skip


def changed(old: str, new: str) -> str:
    text = packaged("catalog.toml").read_text("utf-8")
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seconds = 314.8", "seconds = nan", "no time"),
        ("seconds = 314.8", "seconds = inf", "no time"),
        ("seconds = 314.8", "seconds = -1.0", "no time"),
        ("steps = 20", "steps = 0", "no time"),
        ('variant = "qwen-edit-2509-fp8"\ncard', 'variant = "nowhere"\ncard', "nowhere"),
        ("bytes = 20_430_698_424", f"bytes = {'9' * 40}", "bytes"),
        ("min_card_bytes = 8_000_000_000", "min_card_bytes = -8", "no size"),
        ('min_capability = "12.0"', 'min_capability = "13.0"', "above its most"),
        ('id = "qwen-edit-2509-fp8"', 'id = ""', "empty id"),
    ],
)  # fmt: skip
def test_numbers_that_nobody_can_mean(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(changed(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_catalog(path, packaged_catalog())
    assert (caught.value.code, words in caught.value.title) == ("catalog.wrong", True)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_catalogue_is_told_in_one_sentence(tmp_path: Path, case: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(BAD[case])
    with pytest.raises(UsageError) as caught:
        read_catalog(path, packaged_catalog())
    assert caught.value.code == "catalog.wrong"
    assert "\n" not in caught.value.title
    assert str(path) in caught.value.title
    assert WORDS.get(case, "") in caught.value.title


def test_a_catalogue_that_is_a_folder_a_pipe_or_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nowhere.toml"):
        with pytest.raises(UsageError) as caught:
            read_catalog(path, packaged_catalog())
        assert caught.value.code == ("catalog.unreadable" if path.exists() else "catalog.missing")


def test_views_go_on_with_the_packaged_one_and_verbs_that_need_it_do_not(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(BAD["no-toml"])
    opened = session(tmp_path, catalog=str(bad))
    assert opened.catalog == packaged_catalog()
    assert opened.catalog_problem is not None
    with pytest.raises(UsageError, match="catalogue"):
        opened.needed_catalog()


def test_a_catalogue_of_ones_own_is_read_with_its_home_expanded(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(packaged("catalog.toml").read_text("utf-8") + "\n# mine\n", encoding="utf-8")
    opened = session(tmp_path, catalog="~/own.toml")
    assert opened.needed_catalog() == packaged_catalog()
    assert opened.catalog_file == own


def test_an_empty_catalogue_is_one() -> None:
    assert list(problems_of(Catalog())) == []
    assert msgspec.convert({}, Catalog) == Catalog()
    assert len(KINDS) == len(set(KINDS))
