"""Recipes in PNG files: put in, read out, never believed."""

import io
import json
import os
import struct
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from console.edits.exif import exif_texts
from console.edits.kept import KeptEdit, KeptPicture
from console.edits.recipe import (
    RECIPE_KEY,
    picture_recipe,
    recipe_in,
    recipe_of,
    recipe_text,
    with_recipe,
)
from tests.gallery.pictures import a_picture, a_png_with

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=79)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks)


@given(texts=st.dictionaries(KEYS, TEXTS, max_size=4))
def test_a_library_reads_what_was_put_in_and_the_picture_is_the_same(texts: dict[str, str]) -> None:
    plain = a_picture()
    made = with_recipe(plain, texts)
    image = Image.open(io.BytesIO(made))
    assert isinstance(image, PngImageFile)
    image.load()
    assert image.text == texts
    assert image.tobytes() == Image.open(io.BytesIO(plain)).tobytes()
    assert with_recipe(made, texts) == made


def test_what_the_service_wrote_stays_byte_for_byte() -> None:
    theirs = a_png_with({"prompt": '{"3": {"class_type": "KSampler"}}', RECIPE_KEY: '{"a":1}'})
    assert with_recipe(theirs, {RECIPE_KEY: '{"a":1}'}) == theirs


def test_a_recipe_of_an_earlier_edit_is_replaced_by_this_ones() -> None:
    """A server that had nothing to compute gives the file of an earlier run."""
    old = a_png_with({"prompt": "{}", RECIPE_KEY: '{"edit":"old"}'})
    made = with_recipe(old, {RECIPE_KEY: '{"edit":"new"}'})
    assert recipe_in(made) == {"prompt": {}, RECIPE_KEY: {"edit": "new"}}
    assert made.count(b"gpuconsole") == 1


def test_the_graph_and_the_page_of_comfyui_are_read(tmp_path: Path) -> None:
    graph = {"3": {"class_type": "KSampler", "inputs": {"seed": 2**63, "steps": 20}}}
    page = {"nodes": [], "extra": {"ds": 1.0}}
    path = tmp_path / "ComfyUI_00001_.png"
    path.write_bytes(a_png_with({"prompt": json.dumps(graph), "workflow": json.dumps(page)}))
    assert recipe_of(path) == {"prompt": graph, "workflow": page}


def test_the_parameters_of_forge_are_read_as_text(tmp_path: Path) -> None:
    words = "a café, \U0001f4f7 detailed\nNegative prompt: blurry\nSteps: 20, Seed: 7"
    path = tmp_path / "00001.png"
    path.write_bytes(a_png_with({"parameters": words}))
    assert recipe_of(path) == {"parameters": words}


def test_numbers_that_json_does_not_know_are_nothing() -> None:
    """ComfyUI writes NaN for `is_changed`."""
    png = a_png_with({"prompt": '{"3": {"is_changed": [NaN], "cfg": Infinity, "steps": 4}}'})
    read = recipe_in(png)
    assert read == {"prompt": {"3": {"is_changed": [None], "cfg": None, "steps": 4}}}
    json.dumps(read, allow_nan=False)


@pytest.mark.parametrize(
    "text", ["{", "not json", "[" * 100_000, '{"a":' * 50_000, "9" * 10_000], ids=str
)
def test_what_is_no_json_is_text(text: str) -> None:
    (value,) = recipe_in(a_png_with({"prompt": text})).values()
    assert isinstance(value, str | list | int)


def test_escape_sequences_never_come_out() -> None:
    png = a_png_with(
        {"parameters": "red \x1b[31m\x1b]0;title\x07", "prompt": '{"a\\u001b[2J": "\\u202eb"}'}
    )
    assert recipe_in(png) == {"parameters": "red ", "prompt": {"a": "b"}}


def test_a_text_that_unpacks_to_gigabytes_is_left_out() -> None:
    bomb = zlib.compress(bytes(200 << 20))
    png = png_of(chunk(b"zTXt", b"prompt\0\0" + bomb), chunk(b"tEXt", b"after\0fine"),
                 chunk(b"IEND", b""))  # fmt: skip
    before = time.monotonic()
    assert recipe_in(png) == {"after": "fine"}
    assert time.monotonic() - before < 2


def test_lengths_that_lie(tmp_path: Path) -> None:
    path = tmp_path / "lie.png"
    good = chunk(b"tEXt", b"parameters\0Steps: 4")
    for broken in (
        png_of(good, struct.pack(">I", 0xFFFFFFFF) + b"tEXt" + b"prompt\0{}"),
        png_of(good, struct.pack(">I", 0x7FFFFFF0) + b"IDAT" + b"x"),
        png_of(good, b"\0\0"),
        png_of(good, struct.pack(">I", 4)),
        png_of(good, chunk(b"tEXt", b"no zero in it"), chunk(b"tEXt", b"\0empty")),
        png_of(good, chunk(b"iTXt", b"a\0\1\0"), chunk(b"iTXt", b"a\0\1\7\0\0x")),
        png_of(good, chunk(b"zTXt", b"a\0\0not zlib")),
    ):
        path.write_bytes(broken)
        assert recipe_of(path) == {"parameters": "Steps: 4"}


@given(data=st.binary(max_size=200))
def test_noise_says_nothing_and_breaks_nothing(data: bytes) -> None:
    recipe_in(SIGNATURE + data)
    assert with_recipe(data, {RECIPE_KEY: "x"}) == data


def test_a_long_file_of_small_chunks_is_read_in_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "chunks.png"
    path.write_bytes(png_of(*[chunk(b"tEXt", b"k%d\0v" % n) for n in range(50_000)]))
    before = time.monotonic()
    assert len(recipe_of(path)) == 50_000
    assert time.monotonic() - before < 3


def test_the_data_of_a_large_picture_is_stepped_over(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.write(SIGNATURE + struct.pack(">I", 3 << 30) + b"IDAT")
        file.seek(3 << 30, os.SEEK_CUR)
        file.write(b"\0\0\0\0" + chunk(b"tEXt", b"parameters\0late") + chunk(b"IEND", b""))
    before = time.monotonic()
    assert recipe_of(path) == {"parameters": "late"}
    assert time.monotonic() - before < 1


def test_a_pipe_or_a_folder_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (("pipe", "regular"), ("", "regular|directory"), ("missing", "No such")):
        with pytest.raises(OSError, match=words):
            recipe_of(tmp_path / path)


def test_other_kinds_of_pictures_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(a_picture("JPEG"))
    assert recipe_of(path) == {}
    assert with_recipe(a_picture("JPEG"), {RECIPE_KEY: "x"}) == a_picture("JPEG")


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_the_parameters_of_forge_in_a_jpeg_or_webp(tmp_path: Path, kind: str) -> None:
    """It writes them in big-endian UTF-16, whatever the order of the rest."""
    words = "a caf\u00e9 \U0001f4f7\nSteps: 20, Seed: 7, Size: 7x5"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + words.encode("utf-16-be")
    path = tmp_path / "00001"
    Image.new("RGB", (7, 5)).save(path, kind, exif=exif.tobytes())
    assert recipe_of(path) == {"parameters": words}


def test_the_graph_of_comfyui_in_a_webp(tmp_path: Path) -> None:
    graph = {"3": {"class_type": "KSampler", "inputs": {"seed": 5}}}
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(graph)
    exif[0x010F] = "workflow:" + json.dumps({"nodes": ["x" * 100_000]})
    path = tmp_path / "ComfyUI_00001_.webp"
    Image.new("RGB", (7, 5)).save(path, "WEBP", exif=exif.tobytes())
    assert recipe_of(path) == {"prompt": graph, "workflow": {"nodes": ["x" * 100_000]}}


@given(data=st.binary(max_size=120), order=st.sampled_from([b"II*\0", b"MM\0*"]))
def test_exif_data_that_is_none(data: bytes, order: bytes) -> None:
    body = b"Exif\0\0" + order + data
    jpeg = b"\xff\xd8\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + b"\xff\xd9"
    webp = b"RIFF\0\0\0\0WEBPEXIF" + len(body).to_bytes(4, "little") + body
    for file in (jpeg, webp, jpeg[:9], webp[:17], b"\xff\xd8\xff" + data):
        list(exif_texts(io.BytesIO(file)))


def test_no_path_of_this_host_goes_into_a_picture() -> None:
    at = datetime(2026, 11, 27, 9, tzinfo=UTC)
    edit = KeptEdit(
        id="20261127T090000-abcdef", state="done", service="comfyui-qwen", kind="comfyui",
        workflow="single-edit", variant="v", prompt="café", created_at=at, recipe={
            "request": {"workflow": "single-edit", "images": ["/home/me/secret/cat.png"],
                        "prompt": "café", "seed": 7, "out": "/home/me/out"},
            "graph": {"1": {}}},
        pictures=(KeptPicture(role="input", number=0, path="/data/.inputs/ff.png",
                              source="/home/me/secret/cat.png", sha256="ff"),),
    )  # fmt: skip
    recipe = picture_recipe(edit)
    assert recipe["request"] == {"workflow": "single-edit", "prompt": "café", "seed": 7}
    assert recipe["inputs"] == ["ff"]
    text = recipe_text(recipe)
    assert text.isascii()
    assert "/home" not in text
    assert "/data" not in text
    assert json.loads(text) == recipe
