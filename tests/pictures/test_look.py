"""What a file is, told from its beginning: pictures of every kind, and everything that is none."""

import os
import socket
import struct
import time
import zlib
from pathlib import Path

import pytest

from console.pictures.errors import PictureError
from console.pictures.look import look
from console.pictures.samples import NAMES, sample, samples
from tests.pictures import build
from tests.support.memory import peak_growth
from tests.support.users import as_nobody


def refused(path: Path | str | bytes) -> PictureError:
    with pytest.raises(PictureError) as caught:
        look(path)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_every_kind_is_known_by_its_content_whatever_its_name_says(
    tmp_path: Path, kind: str, media: str
) -> None:
    path = build.saved(tmp_path / "holiday.heic", build.encoded(build.quarters(), kind))
    facts = look(path)
    assert (facts.media, facts.width, facts.height, facts.frames) == (media, 64, 48, 1)
    assert facts.size == path.stat().st_size
    assert f"named .heic, but it is {media.removeprefix('image/').upper()}" in facts.notes
    assert look(path.read_bytes()).media == media


def test_a_right_name_is_worth_no_word(tmp_path: Path) -> None:
    for name, kind in (("a.JPG", "JPEG"), ("a.tif", "TIFF"), ("a.png", "PNG"), ("a", "PNG")):
        path = build.saved(tmp_path / name, build.encoded(build.quarters(), kind))
        assert look(path).notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phone_held_otherwise_gives_the_size_as_it_is_seen(orientation: int) -> None:
    data = build.encoded(build.quarters(), "JPEG", exif=build.turned(orientation))
    facts = look(data)
    wanted = (48, 64) if orientation > 4 else (64, 48)
    assert (facts.width, facts.height, facts.orientation) == (*wanted, orientation)
    assert bool(facts.notes) == (orientation != 1)


def test_exif_that_stands_after_a_pngs_pixels_is_found_without_decoding_them() -> None:
    packed = zlib.compress(b"\0" + b"\1\2\3" * 4)
    exif = build.chunk(b"eXIf", build.turned(8).tobytes().removeprefix(b"Exif\0\0"))
    facts = look(build.png(4, 1, packed, after=exif))
    assert (facts.width, facts.height, facts.orientation) == (1, 4, 8)


def test_broken_exif_is_a_note_and_no_reason_to_refuse() -> None:
    data = build.encoded(build.quarters(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    facts = look(data)
    assert facts.orientation == 1
    assert facts.notes in {(), ("its EXIF data is damaged: taken as upright",)}


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(orientation: int) -> None:
    data = build.encoded(build.quarters(), "JPEG", exif=build.turned(orientation))
    assert look(data).orientation == 1


def test_depth_alpha_and_movement_are_told() -> None:
    deep = build.png(2, 2, zlib.compress((b"\0" + b"\xff\0" * 6) * 2), bits=16)
    assert (look(deep).bits, look(deep).mode) == (16, "RGB")
    assert look(deep).notes == ("16 bits a channel, shown and sent with 8",)
    assert look(build.encoded(build.quarters(mode="I;16"), "PNG")).bits == 16
    assert look(build.encoded(build.quarters(mode="I;16"), "TIFF")).bits == 16

    assert look(build.encoded(build.quarters(mode="RGBA"), "PNG")).alpha
    palette = build.encoded(build.quarters(mode="P"), "PNG", transparency=0)
    assert (look(palette).alpha, look(palette).mode) == (True, "P")
    assert not look(build.encoded(build.quarters(mode="P"), "PNG")).alpha

    moving = [build.quarters(), build.quarters().rotate(90), build.quarters().rotate(180)]
    counts = {}
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        data = build.encoded(moving[0], kind, save_all=True, append_images=moving[1:])
        counts[kind] = look(data).frames
        assert "it moves: the first picture of it is taken" in look(data).notes
    assert counts == {"GIF": 2, "PNG": 3, "WEBP": 3, "TIFF": 2}

    print_ready = look(build.encoded(build.quarters(mode="CMYK"), "JPEG"))
    assert print_ready.mode == "CMYK"
    assert print_ready.notes == ("CMYK, made for printing: colours may look different",)


def test_a_recipe_of_three_megabytes_in_a_picture_is_no_damage() -> None:
    note = build.chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"node " * 600_000))
    facts = look(build.png(1, 1, zlib.compress(b"\0\1\2\3"), before=note))
    assert (facts.width, facts.notes) == (1, ())


def test_samples_come_with_the_program() -> None:
    assert [path.stem for path in samples()] == list(NAMES)
    for path in samples():
        facts = look(path)
        assert (facts.media, facts.mode, facts.bits) == ("image/png", "RGB", 8)
        assert facts.width * facts.height <= 1_000_000
        assert facts.size < 60_000
    with pytest.raises(ValueError, match="no sample picture"):
        sample("../secrets")


def test_what_is_no_file_is_told_apart_and_never_opened(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.png").code == "picture.missing"
    assert refused(tmp_path / "a" / "none.png").code == "picture.missing"
    assert refused(tmp_path).code == "picture.folder"
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    began = time.monotonic()
    error = refused(pipe)
    assert (error.code, time.monotonic() - began < 1) == ("picture.special", True)
    assert error.title.endswith("is a pipe, not a file: it is not opened")
    assert refused("/dev/zero").code == "picture.special"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s.png"))
    assert refused(tmp_path / "s.png").title.endswith("is a socket, not a file: it is not opened")
    listening.close()
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert refused(loop).code == "picture.missing"
    assert refused("nul\0.png").code == "picture.missing"


def test_a_file_of_somebody_else_says_that_it_may_not_be_read(tmp_path: Path) -> None:
    path = build.saved(tmp_path / "private.png", build.encoded(build.quarters(), "PNG"))
    path.chmod(0)

    def look_at_it() -> str:
        try:
            return str(look(path))
        except PictureError as error:
            return f"{error.code}: {error.title}"

    told = as_nobody(look_at_it, tmp_path)
    assert told.startswith("picture.no-permission: ")
    assert told.endswith("private.png may not be read")


def test_nothing_in_it(tmp_path: Path) -> None:
    error = refused(build.saved(tmp_path / "empty.png", b""))
    assert error.code == "picture.empty"
    assert "0 bytes" in error.title


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>Not found", "a web page (HTML)"),
        (b"  \n<html lang=en>", "a web page (HTML)"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg>', "an SVG drawing"),
        (b'<?xml version="1.0"?><rss/>', "XML"),
        (b'{"error": "not found"}', "JSON"),
        (b"Dear all,\nthe picture is attached.\n", "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture, as phones take them"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC picture, as phones take them"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF picture"),
        (b"\0\0\0\x1cftypisom\0\0\0\0", "a video"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"PK\3\4rest", "a ZIP archive"),
        (b"\xff\x0a\x00", "a JPEG XL picture"),
        (b"GGUF\3\0\0\0", "a GGUF model file"),
        (b"\0" * 600, "nothing but zeros"),
        (bytes(range(128, 256)) * 3, "data of an unknown kind"),
        (b"RIFF\0\0\0\0WAVEfmt ", "data of an unknown kind"),
    ],
)
def test_what_is_no_picture_says_what_it_seems_to_be(
    tmp_path: Path, content: bytes, words: str
) -> None:
    error = refused(build.saved(tmp_path / "download.png", content))
    assert error.code == "picture.not-a-picture"
    assert f"download.png is no picture: it seems to be {words}" in error.title
    assert error.hint


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_beginning_alone_is_told_as_damaged(kind: str) -> None:
    data = build.encoded(build.quarters(), kind)
    error = refused(data[:13])
    assert error.code == "picture.truncated"
    assert "cut off or damaged" in error.title


def test_a_png_without_its_end_is_noted_at_once() -> None:
    data = build.encoded(build.quarters(), "PNG")
    assert look(data[:-20]).notes == ("its end is missing: it may be cut off",)


def test_200_megabytes_are_refused_by_their_size(tmp_path: Path) -> None:
    path = build.saved(tmp_path / "huge.png", build.encoded(build.quarters(), "PNG"))
    os.truncate(path, 200_000_000)
    error = refused(path)
    assert error.code == "picture.too-large"
    assert error.data == {"size": 200_000_000, "limit": 128 * 1024**2}
    assert "128 MiB" in error.title


@pytest.mark.parametrize(
    "data",
    [
        build.png(60_000, 60_000, zlib.compress(b"\0" * 1000)),
        build.png(2**31 - 1, 2**31 - 1, b""),
        b"GIF89a\xff\xff\xff\xff" + build.encoded(build.quarters(), "GIF")[10:],
        b"BM"
        + struct.pack("<IHHI", 100, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 30000, 30000, 1, 24, 0, 0, 0, 0, 0, 0),
    ],
    ids=["png", "png of 2^62", "gif", "bmp"],
)
def test_a_bomb_is_refused_by_what_its_header_says(data: bytes) -> None:
    assert peak_growth(lambda: refused(data)) < 50_000
    error = refused(data)
    assert error.code == "picture.too-many-pixels"
    assert "100 megapixels" in error.title
    assert error.data["pixels"] > 800_000_000


@pytest.mark.parametrize(
    "name",
    [
        "my holiday picture.png",
        'it\'s "here".png',
        "two\nlines.png",
        "esc\x1b[31mred\x07.png",
        "..png",
        "-n.png",
        "%s{}.png",
        os.fsdecode(b"caf\xe9.png"),
        "übermäßig 图片 🖼.png",
    ],
)
def test_odd_names_are_opened_and_shown_cleaned(tmp_path: Path, name: str) -> None:
    path = build.saved(tmp_path / name, build.encoded(build.quarters(), "PNG"))
    facts = look(str(path))
    assert facts.width == 64
    assert "\n" not in facts.path
    assert "\x1b" not in facts.path
    facts.path.encode("utf-8")
    path.write_bytes(b"no picture")
    error = refused(path)
    assert error.code == "picture.not-a-picture"
    assert error.title.isprintable()
    error.title.encode("utf-8")


def test_a_name_of_300_characters_is_told_shortened(tmp_path: Path) -> None:
    error = refused(tmp_path / ("n" * 300 + ".png"))
    assert error.code == "picture.missing"
    assert len(error.title) < 200
    assert error.title.endswith(".png")
    long = build.saved(tmp_path / ("n" * 250 + ".png"), build.encoded(build.quarters(), "PNG"))
    assert look(long).width == 64


def test_a_path_that_leads_up_is_just_a_path(tmp_path: Path) -> None:
    path = build.saved(tmp_path / "a.png", build.encoded(build.quarters(), "PNG"))
    (tmp_path / "sub").mkdir()
    assert look(f"{tmp_path}/sub/../a.png").width == look(path).width
