"""Small pictures for screens: right in shape, colour and turn, whatever they are of; in time."""

import contextlib
import io
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from console.pictures import errors
from console.pictures.decode import fitted
from console.pictures.errors import PictureError
from console.pictures.small import small
from tests.pictures import build
from tests.support.memory import peak_growth
from tests.support.program import private_environment

T = TypeVar("T")
Phone = Callable[[str], Path]


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Phone:
    """Give a maker of pictures of 24 megapixels, as a camera takes them, each made once."""
    folder = tmp_path_factory.mktemp("phone")

    def made(name: str) -> Path:
        if not (folder / name).exists():
            size = (3400, 2300) if name == "just-not-apart.png" else (6000, 4000)
            image = build.quarters(*size, "RGBA" if name in {"rgba.png", "usual.webp"} else "RGB")
            how: dict[str, Any] = (
                {"method": 0, "quality": 50} if name.endswith("webp") else {"compress_level": 1}
            )
            image.save(folder / name, **how)
        return folder / name

    return made


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(1, 500), st.integers(1, 500))
def test_a_picture_in_a_box_keeps_its_shape(width: int, height: int, wide: int, high: int) -> None:
    found = fitted((width, height), (wide, high))
    assert 1 <= found[0] <= max(wide, 1)
    assert 1 <= found[1] <= max(high, 1)
    assert found[0] <= width
    assert found[1] <= height
    scale = min(wide / width, high / height, 1)
    assert abs(found[0] - width * scale) <= 0.5 or found[0] == 1
    assert abs(found[1] - height * scale) <= 0.5 or found[1] == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_kind_comes_small_and_right(tmp_path: Path, kind: str) -> None:
    path = build.saved(tmp_path / "a", build.encoded(build.quarters(640, 480), kind))
    for source in (path, path.read_bytes()):
        picture = small(source, (40, 40))
        assert (picture.width, picture.height, picture.original) == (40, 30, (640, 480))
        assert len(picture.rgb) == 40 * 30 * 3
        found = build.corners_of(picture.rgb, 40, 30)
        assert all(build.like(*pair) for pair in zip(found, build.CORNERS, strict=True))


def test_a_picture_is_never_made_larger() -> None:
    picture = small(build.encoded(build.quarters(10, 8), "PNG"), (100, 100))
    assert (picture.width, picture.height) == (10, 8)
    assert small(build.encoded(build.quarters(4000, 2), "PNG"), (40, 40)).height == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_is_turned_as_its_exif_says(kind: str, orientation: int) -> None:
    data = build.encoded(build.quarters(320, 240), kind, exif=build.turned(orientation))
    picture = small(data, (64, 64))
    with Image.open(io.BytesIO(data)) as image:
        wanted = (
            ImageOps.exif_transpose(image)
            .convert("RGB")
            .resize((picture.width, picture.height), Image.Resampling.BOX)
        )
    assert picture.original == ((240, 320) if orientation > 4 else (320, 240))
    pairs = zip(
        build.corners_of(picture.rgb, picture.width, picture.height),
        build.corners_of(wanted.tobytes(), wanted.width, wanted.height),
        strict=True,
    )
    assert all(build.like(*pair) for pair in pairs)


def test_what_is_transparent_shows_squares() -> None:
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture = small(build.encoded(clear, "PNG"), (64, 64))
    shades = {build.pixel(picture.rgb, 64, x, y) for x in range(64) for y in range(64)}
    assert shades == {(204, 204, 204), (153, 153, 153)}
    palette = build.quarters(64, 64, "P")
    hole = palette.getpixel((0, 0))
    picture = small(build.encoded(palette, "PNG", transparency=hole), (64, 64))
    assert build.pixel(picture.rgb, 64, 0, 0) in shades
    assert build.like(build.pixel(picture.rgb, 64, 63, 63), build.CORNERS[3])


def test_sixteen_bits_keep_their_shades_instead_of_going_white() -> None:
    row = b"".join(value.to_bytes(2, "big") for value in range(0, 65536, 256))
    grey = build.png(256, 1, zlib.compress(b"\0" + row), bits=16, colour=0)
    assert [small(grey, (256, 1)).rgb[x * 3] for x in range(256)] == list(range(256))
    colour = build.png(1, 1, zlib.compress(b"\0\x80\x00\x40\x00\xff\xff"), bits=16)
    assert small(colour, (9, 9)).rgb == bytes((0x80, 0x40, 0xFF))
    light = Image.new("F", (2, 1))
    light.putpixel((0, 0), 0.25)
    light.putpixel((1, 0), 1.25)
    assert small(build.encoded(light, "TIFF"), (2, 1)).rgb == bytes((0, 0, 0, 255, 255, 255))


def test_colours_for_printing_and_odd_modes_look_as_they_should() -> None:
    for kind, mode in (("JPEG", "CMYK"), ("TIFF", "CMYK"), ("TIFF", "YCbCr"), ("GIF", "P")):
        picture = small(build.encoded(build.quarters(64, 48, mode), kind), (64, 48))
        found = build.corners_of(picture.rgb, picture.width, picture.height)
        assert all(build.like(*pair, 60) for pair in zip(found, build.CORNERS, strict=True))
    checks = small(build.encoded(build.quarters(64, 48, "1"), "PNG"), (64, 48))
    assert set(checks.rgb) == {0, 255}


def test_of_a_moving_picture_the_first_is_shown() -> None:
    others = [build.quarters().rotate(180)]
    for kind in ("GIF", "PNG", "WEBP"):
        data = build.encoded(build.quarters(), kind, save_all=True, append_images=others)
        picture = small(data, (64, 48))
        found = build.corners_of(picture.rgb, 64, 48)
        assert all(build.like(*pair) for pair in zip(found, build.CORNERS, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_one_that_ends_early_says_so(kind: str) -> None:
    data = build.encoded(Image.effect_noise((200, 200), 90).convert("RGB"), kind)
    with pytest.raises(PictureError) as caught:
        small(data[: len(data) // 2], (20, 20))
    assert caught.value.code == "picture.truncated"


def test_a_header_that_lies_brings_nothing_but_its_own_size() -> None:
    """Ten pixels are promised, and 300 megabytes of zeros come: they are not unpacked."""
    packer = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    packed = b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()
    data = build.png(10, 1, packed)
    began = spent()
    assert peak_growth(lambda: small(data, (10, 10))) < 60_000
    assert spent() - began < 2
    picture = small(data, (10, 10))
    assert (picture.width, picture.height) == (10, 1)


def test_a_promise_of_81_megapixels_with_nothing_behind_it_costs_the_console_nothing() -> None:
    data = build.png(9000, 9000, zlib.compress(b"\0\1\2"))

    def shown() -> None:
        with pytest.raises(PictureError) as caught:
            small(data, (40, 40))
        assert caught.value.code == "picture.truncated"

    assert peak_growth(shown) < 60_000


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_bytes_are_a_picture_or_told_and_nothing_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]))
    content = bytearray(build.encoded(build.quarters(24, 16), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureError):
        picture = small(bytes(content), (8, 8))
        assert len(picture.rgb) == picture.width * picture.height * 3 <= 8 * 8 * 3


def test_what_decoders_have_to_say_stays_off_the_screen(tmp_path: Path) -> None:
    """Libraries write straight to the terminal about damaged files; a full screen would tear."""
    image = Image.effect_noise((60, 40), 90).convert("RGB")
    for number, how in enumerate(("jpeg", "tiff_lzw", "tiff_deflate", "group4")):
        data = bytearray(
            build.encoded(image.convert("1") if how == "group4" else image, "TIFF", compression=how)
        )
        for at in range(20, len(data) // 2, 7):
            data[at] ^= 0x55
        build.saved(tmp_path / f"{number}.tif", bytes(data))
    build.saved(
        tmp_path / "5.tif",  # a JPEG, with EXIF data that ends in the middle of an entry
        build.encoded(image, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01"),
    )
    code = (
        "import sys\n"
        "from console.pictures.errors import PictureError\n"
        "from console.pictures.small import small\n"
        "for path in sys.argv[1:]:\n"
        "    try: small(path, (9, 9))\n"
        "    except PictureError as error: print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(tmp_path.glob("*.tif")))],
        env=private_environment(tmp_path),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"picture." in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize(
    "name", ["rgb.png", "rgba.png", "usual.jpg", "usual.webp", "just-not-apart.png"]
)
def test_24_megapixels_are_small_soon_and_hold_nobody_up(phone: Phone, name: str) -> None:
    """A thread that ticks beside it is never late by more than a blink.

    One of three tries has to be, beyond what the machine's other work makes a thread late that has
    nothing beside it; time is the processor's, for the same reason.
    """
    small(phone("usual.jpg"), (8, 8))
    phone(name)
    for _ in range(3):
        _, _, idle = ticking(lambda: time.sleep(0.1))
        picture, took, late = ticking(lambda: small(phone(name), (160, 90)))
        assert max(picture.width, picture.height) > 80
        if took < 2.0 and late < 0.05 + idle:
            return
    pytest.fail(f"{took:.2f} s of the processor, others {late:.3f} s late, idle {idle:.3f} s")


def test_24_megapixels_leave_no_trace_in_memory(phone: Phone) -> None:
    for path in [phone(name) for name in ("rgba.png", "usual.webp", "usual.jpg")]:
        assert peak_growth(partial(small, path, (160, 90))) < 40_000


def test_a_picture_given_as_bytes_is_decoded_apart_as_well(phone: Phone) -> None:
    data = phone("rgb.png").read_bytes()
    assert small(data, (60, 40)).rgb == small(phone("rgb.png"), (60, 40)).rgb


def test_a_decoder_that_takes_too_long_is_ended(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(errors.table()["limits"], "apart_seconds", 0.05)
    with pytest.raises(PictureError) as caught:
        small(phone("rgb.png"), (60, 40))
    assert caught.value.code == "picture.unreadable"
    assert "longer than" in caught.value.detail


def test_a_decoder_that_cannot_be_started_is_told(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(PictureError) as caught:
        small(phone("rgb.png"), (60, 40))
    assert caught.value.code == "picture.unreadable"
    assert "no process could be started" in caught.value.detail


def test_an_odd_name_reaches_the_decoder_apart(tmp_path: Path, phone: Phone) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9 'x'\n.webp")
    odd.symlink_to(phone("usual.webp"))
    assert small(odd, (60, 40)).width == 60


def ticking(work: Callable[[], T]) -> tuple[T, float, float]:
    """Do the work with a thread beside it that ticks every 5 ms.

    Gives the result, seconds of the processor with those of child processes, the worst delay.
    """
    done, late = threading.Event(), [0.0]

    def tick() -> None:
        while not done.is_set():
            began = time.perf_counter()
            time.sleep(0.005)
            late[0] = max(late[0], time.perf_counter() - began - 0.005)

    beside = threading.Thread(target=tick)
    beside.start()
    began = spent()
    try:
        found = work()
    finally:
        took = spent() - began
        done.set()
        beside.join()
    return found, took, late[0]


def spent() -> float:
    """Seconds of the processor that this process and its children have had."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
