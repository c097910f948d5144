"""An operator's own catalogue adds to the packaged one, or changes fields of its entries."""

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as some

from console.models.catalog import ModelFile, packaged_catalog
from console.models.own_catalog import merged, read_catalog
from tests.fit.build import session

FP8 = "qwen-edit-2509-fp8"
MINE = """
[[files]]
id = "our-style"
kind = "lora"
repo = "us/style"
path = "style.safetensors"
folder = "loras"
families = ["qwen-image-edit-2509"]

[[files]]
id = "qwen-edit-2509-fp8"
repo = "mirror/Qwen-Image-Edit_ComfyUI"
revision = "0123456789012345678901234567890123456789"

[[variants]]
id = "qwen-edit-2509-fp8"
title = "ours"
quality = 1
"""


def test_it_adds_files_and_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(MINE, encoding="utf-8")
    base = packaged_catalog()
    mine = read_catalog(path, base)
    assert len(mine.files) == len(base.files) + 1
    assert len(mine.variants) == len(base.variants)
    before, after = base.file(FP8), mine.file(FP8)
    assert before is not None
    assert after is not None
    assert after.repo == "mirror/Qwen-Image-Edit_ComfyUI"
    assert after.asked_revision == "0123456789" * 4
    assert (after.sha256, after.bytes, after.folder) == (before.sha256, before.bytes, before.folder)
    style = mine.file("our-style")
    assert style is not None
    assert (style.size, style.asked_revision) == (None, "main")
    variant = mine.variant(FP8)
    assert variant is not None
    assert (variant.title, variant.quality, variant.files[0]) == ("ours", 1, FP8)


def test_a_hash_can_be_made_unknown_and_a_rounded_size_takes_the_place_of_an_exact_one() -> None:
    base = packaged_catalog()
    mine = merged(base, {"files": [{"id": FP8, "sha256": "", "approximate_bytes": 5}]})
    file = mine.file(FP8)
    assert file is not None
    assert (file.sha256, file.bytes, file.size) == (None, None, 5)


def test_a_hash_may_be_written_in_capitals() -> None:
    mine = merged(packaged_catalog(), {"files": [{"id": FP8, "sha256": "AB" * 32}]})
    file = mine.file(FP8)
    assert file is not None
    assert file.sha256 == "ab" * 32


def test_it_may_begin_with_the_mark_that_some_editors_write(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b'\xef\xbb\xbf[[files]]\nid = "qwen-image-vae"\nnote = "ours"\n')
    file = read_catalog(path, packaged_catalog()).file("qwen-image-vae")
    assert file is not None
    assert file.note == "ours"


def test_alone_it_stands_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("alone = true\n" + MINE.partition('[[files]]\nid = "qwen')[0], encoding="utf-8")
    mine = read_catalog(path, packaged_catalog())
    assert [one.id for one in mine.files] == ["our-style"]
    assert (mine.variants, mine.pairs, mine.measured) == ((), (), ())


def test_the_command_lines_lies_on_top_of_the_configs(tmp_path: Path) -> None:
    for name, title, quality in (("set.toml", "set", 7), ("typed.toml", "typed", None)):
        rank = "" if quality is None else f"quality = {quality}\n"
        text = f'[[variants]]\nid = "{FP8}"\ntitle = "{title}"\n{rank}'
        (tmp_path / name).write_text(text, encoding="utf-8")
    opened = session(tmp_path, '[paths]\ncatalog = "~/set.toml"\n'.replace("~", str(tmp_path)),
                     catalog=str(tmp_path / "typed.toml"))  # fmt: skip
    variant = opened.needed_catalog().variant(FP8)
    assert variant is not None
    assert (variant.title, variant.quality) == ("typed", 7)


def test_a_bad_one_in_the_config_is_told_with_where_it_is_named(tmp_path: Path) -> None:
    opened = session(tmp_path, f'[paths]\ncatalog = "{tmp_path}/nowhere.toml"\n')
    assert opened.catalog == packaged_catalog()
    problem = opened.catalog_problem
    assert problem is not None
    assert problem.code == "catalog.missing"
    assert "[paths]" in problem.hint


def test_one_that_is_written_while_the_console_runs_is_read_again(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("", encoding="utf-8")
    opened = session(tmp_path, f'[paths]\ncatalog = "{own}"\n')
    assert opened.catalog == packaged_catalog()
    assert opened.catalog is opened.catalog
    aside = tmp_path / "aside"
    aside.write_text(MINE, encoding="utf-8")
    aside.replace(own)
    assert opened.catalog.file("our-style") is not None
    own.write_text("[[files", encoding="utf-8")
    assert opened.catalog == packaged_catalog()
    assert opened.catalog_problem is not None


CHANGES = some.fixed_dictionaries(
    {},
    optional={
        "quant": some.text("abc_01", min_size=1),
        "bytes": some.integers(1, 1 << 40),
        "sha256": some.text("0123456789abcdef", min_size=64, max_size=64),
        "folder": some.sampled_from(["vae", "loras/x"]),
        "also_in": some.lists(some.sampled_from(["clip", "unet"]), max_size=2),
    },
)


@given(index=some.integers(0, len(packaged_catalog().files) - 1), changes=CHANGES)
def test_what_is_given_counts_and_all_else_stays(index: int, changes: dict[str, object]) -> None:
    base = packaged_catalog()
    before = base.files[index]
    mine = merged(base, {"files": [{"id": before.id, **changes}]})
    after = mine.files[index]
    given_now = msgspec.convert({**msgspec.to_builtins(before), **changes}, ModelFile)
    assert after == given_now
    assert (
        mine.files[:index] + mine.files[index + 1 :] == base.files[:index] + base.files[index + 1 :]
    )
    assert (mine.variants, mine.pairs, mine.measured) == (
        base.variants, base.pairs, base.measured,
    )  # fmt: skip
    assert merged(mine, {"files": [{"id": before.id, **changes}]}) == mine
