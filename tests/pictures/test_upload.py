"""What is sent to a service: the file itself where it is read rightly there, else a PNG of it."""

import hashlib
import io
import os
import re
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from console.edits.result import media_of
from console.pictures.errors import PictureError
from console.pictures.upload import ForUpload, for_upload
from tests.pictures import build


def sent(path: Path) -> ForUpload:
    found = for_upload(path)
    assert re.fullmatch(r"gpuconsole-[0-9a-f]{12}\.(png|jpg|webp)", found.name)
    assert found.sha256 == hashlib.sha256(found.data).hexdigest()
    assert found.sha256.startswith(found.name[11:23])
    assert media_of(found.data) == found.media
    with Image.open(io.BytesIO(found.data)) as image:
        image.load()
        assert image.size == (found.width, found.height)
        assert image.getexif().get(0x0112, 1) == 1
        assert image.mode in {"RGB", "RGBA", "L"}
    return found


@pytest.mark.parametrize(
    ("kind", "mode", "ending"),
    [
        ("PNG", "RGB", "png"),
        ("PNG", "RGBA", "png"),
        ("PNG", "L", "png"),
        ("JPEG", "RGB", "jpg"),
        ("JPEG", "L", "jpg"),
        ("WEBP", "RGB", "webp"),
        ("WEBP", "RGBA", "webp"),
    ],
)
def test_what_is_read_rightly_goes_as_it_is(
    tmp_path: Path, kind: str, mode: str, ending: str
) -> None:
    data = build.encoded(build.quarters(mode=mode), kind)
    found = sent(build.saved(tmp_path / "../../etc/x.png".replace("/", "_"), data))
    assert found.data == data
    assert found.changes == ()
    assert found.name.endswith(f".{ending}")


@pytest.mark.parametrize(
    ("kind", "mode", "options", "changes"),
    [
        ("JPEG", "CMYK", {}, ("CMYK made RGB", "JPEG made PNG")),
        ("GIF", "P", {}, ("colours made RGB", "GIF made PNG")),
        ("BMP", "RGB", {}, ("BMP made PNG",)),
        ("TIFF", "RGB", {}, ("TIFF made PNG",)),
        ("TIFF", "I;16", {}, ("16 bits a channel made 8", "TIFF made PNG")),
        ("PNG", "I;16", {}, ("16 bits a channel made 8",)),
        ("PNG", "P", {}, ("colours made RGB",)),
        ("PNG", "P", {"transparency": 0}, ("colours made RGBA",)),
        ("PNG", "1", {}, ("colours made RGB",)),
        ("PNG", "LA", {}, ("colours made RGBA",)),
    ],
)
def test_what_services_misread_is_made_png_and_that_is_said(
    tmp_path: Path, kind: str, mode: str, options: dict[str, int], changes: tuple[str, ...]
) -> None:
    grey = build.quarters(mode="L").convert(mode) if mode == "LA" else build.quarters(mode=mode)
    path = build.saved(tmp_path / "a", build.encoded(grey, kind, **options))
    found = sent(path)
    assert (found.changes, found.media) == (changes, "image/png")
    with Image.open(io.BytesIO(found.data)) as image:
        seen = build.corners_of(image.convert("RGB").tobytes(), image.width, image.height)
    if mode in {"CMYK", "P", "RGB"}:
        assert all(build.like(*pair, 60) for pair in zip(seen, build.CORNERS, strict=True))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_picture_is_sent_upright(tmp_path: Path, orientation: int) -> None:
    exif = build.turned(orientation)
    path = build.saved(tmp_path / "a.jpg", build.encoded(build.quarters(), "JPEG", exif=exif))
    found = sent(path)
    assert found.changes == ("turned upright as its EXIF says", "JPEG made PNG")
    with Image.open(path) as before, Image.open(io.BytesIO(found.data)) as after:
        assert ImageOps.exif_transpose(before).tobytes() == after.tobytes()


def test_of_a_moving_one_the_first_picture_is_sent(tmp_path: Path) -> None:
    others = [build.quarters().rotate(180)]
    data = build.encoded(build.quarters(), "WEBP", save_all=True, append_images=others)
    found = sent(build.saved(tmp_path / "a.webp", data))
    assert found.changes == ("the first picture of a moving one", "WEBP made PNG")


def test_what_a_service_would_choke_on_is_found_before_it_is_sent(tmp_path: Path) -> None:
    whole = build.encoded(Image.effect_noise((200, 200), 90).convert("RGB"), "PNG")
    path = build.saved(tmp_path / "half.png", whole[: len(whole) // 2])
    with pytest.raises(PictureError) as caught:
        for_upload(path)
    assert caught.value.code == "picture.truncated"
    assert str(path) in caught.value.title
    with pytest.raises(PictureError, match=r"half\.txt is no picture"):
        for_upload(build.saved(tmp_path / "half.txt", b"hello"))


def test_large_ones_are_tried_and_turned_apart(tmp_path: Path) -> None:
    big = build.quarters(4000, 2100)
    path = build.saved(tmp_path / "a.png", build.encoded(big, "PNG", compress_level=1))
    assert sent(path).data == path.read_bytes()
    path = build.saved(tmp_path / "a.jpg", build.encoded(big, "JPEG", exif=build.turned(6)))
    assert (sent(path).width, sent(path).height) == (2100, 4000)
    broken = build.png(4000, 2100, zlib.compress(b"\0\1\2"))
    with pytest.raises(PictureError, match=r"b\.png is cut off"):
        for_upload(build.saved(tmp_path / "b.png", broken))


def test_equal_pictures_have_one_name_whatever_the_operator_calls_them(tmp_path: Path) -> None:
    data = build.encoded(build.quarters(), "PNG")
    names = [os.fsdecode(b"\xff.png"), "a b'\".png", "x" * 250 + ".png"]
    assert len({for_upload(build.saved(tmp_path / name, data)).name for name in names}) == 1
