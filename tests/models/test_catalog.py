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
        variant = catalog.variant(fact["id"])
        if variant is not None:
            for mine, theirs in (
                (variant.min_capability, fact["min_compute_capability"]),
                (variant.max_capability, fact["max_compute_capability"]),
            ):
                assert mine == ("" if theirs is None else str(theirs))


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
    "wrong-type": b'[[files]]\nid = 3\nkind = "vae"\nrepo = "r"\npath = "p"\nfolder = "vae"\n',
    "missing-file": b'[[variants]]\nid = "a"\ntitle = "A"\nfamily = "f"\nquant = "q"\n'
    b'loader = "L"\nfiles = ["nowhere"]\n',
    "twice": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "r"\npath = "p"\nfolder = "vae"\n' * 2,
    "outside": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "r"\npath = "p"\nfolder = "../etc"\n',
    "negative": b'[[files]]\nid = "a"\nkind = "vae"\nrepo = "r"\npath = "p"\nfolder = "vae"\n'
    b"bytes = -1\n",
    "escape": b'[[files]]\nid = "a\\u001b[2J"\nkind = "vae"\nrepo = "r"\npath = "p"\n'
    b'folder = "vae"\n',
    "kind": b'[[files]]\nid = "a"\nkind = "vea"\nrepo = "r"\npath = "p"\nfolder = "vae"\n',
}


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
