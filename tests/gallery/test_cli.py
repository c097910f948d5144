"""`gpuconsole gallery` on the command line."""

import json
from pathlib import Path

import pytest

from tests.gallery.conftest import Gallery
from tests.gallery.pictures import a_picture, a_png_with


def test_an_empty_gallery_says_how_to_begin(gallery: Gallery) -> None:
    assert gallery.cli("list") == ""
    assert gallery.json("list") == {"edits": [], "total": 0}


def test_the_list_is_newest_first_and_fits_80_columns(gallery: Gallery) -> None:
    first, second = gallery.made(), gallery.made("failed", prompt="x" * 500)
    lines = gallery.cli("list").splitlines()
    assert lines[0].startswith(f"{second.id}  failed")
    assert "the card ran out of memory in KSampler" in lines[1]
    assert lines[2].startswith(f"{first.id}  done")
    assert lines[3] == "    seed 41  make it snow"
    assert max(map(len, lines)) <= 80


def test_what_is_filtered(gallery: Gallery) -> None:
    snow = gallery.made(prompt="make it SNOW", variant="qwen-edit-2509-nunchaku-int4-r32")
    rain = gallery.made("failed", prompt="rain", service="myia", workflow="forge-text")
    for options, meant in (
        (["--text", "snow"], snow), (["--service", "myia"], rain), (["--state", "failed"], rain),
        (["--workflow", "edit-single"], snow), (["--variant", "2509-int4-r32"], snow),
        (["--since", rain.created_at.isoformat()], rain),
        (["--until", rain.created_at.isoformat()], snow), (["--limit", "1"], rain),
        (["--before", rain.id], snow),
    ):  # fmt: skip
        found = gallery.json("list", *options)
        assert [one["id"] for one in found["edits"]] == [meant.id], options
    assert gallery.json("list", "--limit", "1")["total"] == 2
    gallery.made(variant="one-that-the-catalogue-has-no-more")
    found = gallery.json("list", "--variant", "one-that-the-catalogue-has-no-more")
    assert found["total"] == 1
    assert gallery.json("list", "--variant", "none-at-all", code=2)["code"] == "variant.unknown"
    assert gallery.json("list", "--state", "wonderful", code=2)["code"] == "gallery.no-state"


def test_all_of_an_edit_is_shown(gallery: Gallery) -> None:
    edit = gallery.made()
    text = gallery.cli("show", edit.id[:16])
    for part in (edit.id, "done", "make it snow", "seed 41", "42s in all", "7.5s a step",
                 "15.0 GiB of the card", "RTX 4070 Ti SUPER", *(one.path for one in edit.pictures),
                 "from " + edit.pictures[0].source):  # fmt: skip
        assert part in text.replace("\n             ", " "), part
    data = gallery.json("show", "last")
    assert data["outputs"][0]["path"] == edit.pictures[1].path
    assert data["outputs"][0]["missing"] is False
    assert data["inputs"][0]["sha256"] == edit.pictures[0].sha256
    assert data["recipe"]["request"]["seed"] == 41
    assert data["timings"]["per_step"] == 7.5


def test_a_failed_edit_says_why_and_what_to_do(gallery: Gallery) -> None:
    gallery.made("failed")
    text = gallery.cli("show", "last")
    assert "failed: the card ran out of memory in KSampler" in text
    assert "take a smaller variant" in text


def test_missing_and_changed_pictures_are_told(gallery: Gallery) -> None:
    edit = gallery.made(results=2)
    Path(edit.pictures[1].path).unlink()
    Path(edit.pictures[2].path).write_bytes(b"x")
    assert "MISSING" in gallery.cli("show", edit.id)
    assert "CHANGED" in gallery.cli("show", edit.id)
    assert "1 of its pictures is gone" in gallery.cli("list")
    outputs = gallery.json("show", edit.id)["outputs"]
    assert [(one["missing"], one["changed"]) for one in outputs] == [(True, False), (False, True)]


def test_the_recipe_alone_is_json(gallery: Gallery) -> None:
    edit = gallery.made()
    assert json.loads(gallery.cli("show", edit.id, "--recipe")) == edit.recipe


def test_nothing_of_a_prompt_steers_the_terminal(gallery: Gallery) -> None:
    gallery.made(prompt="a\x1b[2J\x07\u202eb\n\nsecond line", workflow="w\x1b]0;x\x07")
    for text in (gallery.cli("show", "last"), gallery.cli("list")):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text


def test_a_prompt_of_100_kb_is_cut_for_people_and_whole_for_scripts(gallery: Gallery) -> None:
    edit = gallery.made(prompt="word " * 20_000)
    text = gallery.cli("show", "last")
    assert len(text) < 8000
    assert "100000 characters" in text
    assert gallery.json("show", "last")["prompt"] == edit.prompt


def test_a_picture_file_says_how_it_was_made(gallery: Gallery, tmp_path: Path) -> None:
    edit = gallery.made()
    given = tmp_path / "sent to a friend.png"
    given.write_bytes(Path(edit.pictures[1].path).read_bytes())
    text = gallery.cli("show", str(given))
    for part in ("7x5 PNG", "made by    gpuconsole", "seed 41", "make it snow", edit.id):
        assert part in text, part
    data = gallery.json("show", str(given))
    assert data["recipe"]["gpuconsole"]["edit"] == edit.id
    assert (data["edit"]["id"], data["role"]) == (edit.id, "output")


def test_a_file_of_comfyui_and_one_of_forge(gallery: Gallery, tmp_path: Path) -> None:
    graph = {
        "3": {"class_type": "KSampler", "inputs": {
            "seed": 99, "steps": 8, "cfg": 2.5, "positive": ["6", 0], "negative": ["7", 0],
            "model": ["4", 0], "latent_image": ["5", 0]}},
        "4": {"class_type": "UNETLoader", "inputs": {"unet_name": "qwen_image.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red boat", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
    }  # fmt: skip
    path = tmp_path / "ComfyUI_00001_.png"
    path.write_bytes(a_png_with({"prompt": json.dumps(graph)}))
    said = gallery.json("show", str(path))["said"]
    assert said == {"by": "comfyui", "workflow": "", "variant": "", "prompt": "a red boat",
                    "model": "qwen_image.safetensors", "negative": "blurry", "seed": 99,
                    "steps": 8, "cfg": 2.5}  # fmt: skip
    settings = "Steps: 20, Sampler: Euler, CFG scale: 1.5, Seed: 7, Size: 7x5"
    path.write_bytes(a_png_with({"parameters": f"a boat\nNegative prompt: fog\n{settings}"}))
    text = gallery.cli("show", str(path))
    assert "made by    forge" in text
    assert "seed 7, steps 20, cfg 1.5" in text


def test_files_that_say_nothing_or_are_none(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(a_picture("JPEG"))
    assert "it does not say" in gallery.cli("show", str(path))
    assert gallery.json("show", str(path))["recipe"] == {}
    (tmp_path / "notes.png").write_text("no picture")
    for name in ("notes.png", "", "missing.png"):
        error = gallery.json("show", f"{tmp_path}/{name}", code=1)
        assert error["code"].startswith("picture."), error
    assert gallery.json("show", "20991231", code=2)["code"] == "edit.unknown"


def test_pictures_are_described_where_none_can_be_drawn(gallery: Gallery) -> None:
    edit = gallery.made()
    text = gallery.cli("show", "last", "--show")
    assert text.count("7x5 PNG") == 2
    assert edit.pictures[1].path in text


def test_copies_for_somebody_else(gallery: Gallery, tmp_path: Path) -> None:
    edit = gallery.made(results=2)
    target = tmp_path / "for you"
    lines = gallery.cli("copy", "last", str(target)).splitlines()
    assert sorted(lines) == sorted(map(str, target.iterdir()))
    assert len(gallery.json("copy", edit.id, str(target), "--inputs")["copied"]) == 3
    assert len(list(target.iterdir())) == 3
    gallery.made("failed")
    bad = gallery.json("copy", edit.id, str(target / lines[0] / "below"), code=2)
    assert bad["code"] == "edit.bad-out"
    assert gallery.json("copy", "last", str(target), code=2)["code"] == "gallery.no-pictures"


def test_removal_is_shown_asked_and_done(gallery: Gallery) -> None:
    edit = gallery.made()
    plan = gallery.json("rm", edit.id, "--dry-run")["plan"]
    assert plan["verdict"] == "warned"
    assert "gpuconsole gallery rm --yes" in plan["steps"][0]["command"]
    assert "without a yes" in gallery.cli("rm", edit.id, code=3)
    assert gallery.records.count() == 1
    text = gallery.cli("rm", edit.id, "--yes")
    assert "1 edit is gone" in text
    assert gallery.left() == set()
    assert gallery.records.count() == 0


def test_removal_of_all_that_failed_and_of_nothing(gallery: Gallery) -> None:
    good = gallery.made()
    gallery.made("failed")
    gallery.made("cancelled")
    gallery.cli("rm", "--failed", "--yes")
    assert gallery.records.find() == (good,)
    gallery.cli("rm", "--failed", "--yes")
    assert "which edits are to go" in gallery.cli("rm", "--yes", code=2)
    assert gallery.records.find() == (good,)


@pytest.mark.parametrize("verb", [["rm", "last", "--yes"], ["copy", "last", "there"]])
def test_a_read_only_console_writes_nothing(gallery: Gallery, verb: list[str]) -> None:
    gallery.made()
    before = gallery.left()
    assert "read-only" in gallery.cli(*verb, "--read-only", code=3)
    assert gallery.left() == before
