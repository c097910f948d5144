"""Two pictures compared as one number, and many laid on one sheet."""

import io
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from console.pictures import lettering
from console.pictures.difference import psnr
from console.pictures.errors import PictureError
from console.pictures.sheet import Cell, contact_sheet
from console.text import clean_line
from tests.pictures import build


def flat(level: int, size: tuple[int, int] = (8, 8)) -> bytes:
    return build.encoded(Image.new("RGB", size, (level,) * 3), "PNG")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255))
def test_the_number_is_the_textbooks(one: int, other: int) -> None:
    found = psnr(flat(one), flat(other))
    if one == other:
        assert found == math.inf
    else:
        assert found == pytest.approx(20 * math.log10(255 / abs(one - other)))
    assert found == psnr(flat(other), flat(one))


def test_one_pixel_of_many_counts_as_one() -> None:
    image = Image.new("RGB", (10, 10))
    image.putpixel((3, 3), (255, 0, 0))
    found = psnr(build.encoded(image, "PNG"), flat(0, (10, 10)))
    assert found == pytest.approx(10 * math.log10(300))


def test_worse_copies_are_further_away() -> None:
    image = build.quarters(200, 200)
    whole = build.encoded(image, "PNG")
    copies = [psnr(whole, build.encoded(image, "JPEG", quality=one)) for one in (95, 50, 5)]
    assert copies == sorted(copies, reverse=True)
    assert copies[0] > 30 > copies[2]


def test_pictures_of_two_sizes_are_not_compared(tmp_path: Path) -> None:
    one = build.saved(tmp_path / "a.png", flat(1, (8, 8)))
    other = build.saved(tmp_path / "b.png", flat(1, (8, 9)))
    with pytest.raises(PictureError) as caught:
        psnr(one, other)
    assert caught.value.code == "picture.sizes-differ"
    assert "8x8 and 8x9" in caught.value.title


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return image.convert("RGB")


def test_a_sheet_shows_every_picture_in_reading_order(tmp_path: Path) -> None:
    colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200)]
    cells = [
        Cell(
            path=build.saved(
                tmp_path / f"{n}.png", build.encoded(Image.new("RGB", (640, 320), colour), "PNG")
            ),
            lines=(f"number {n}",),
        )
        for n, colour in enumerate(colours)
    ]
    sheet = opened(contact_sheet(cells, 2, "three pictures"))
    places = {
        colour: next(
            (x, y)
            for y in range(0, sheet.height, 4)
            for x in range(0, sheet.width, 4)
            if sheet.getpixel((x, y)) == colour
        )
        for colour in colours
    }
    red, green, blue = (places[colour] for colour in colours)
    assert red[1] == green[1] < blue[1]
    assert red[0] == blue[0] < green[0]
    assert sheet.width < 800


def test_one_that_failed_is_crossed_out_and_the_others_stay(tmp_path: Path) -> None:
    good = build.saved(tmp_path / "a.png", build.encoded(build.quarters(320, 320), "PNG"))
    with_one = opened(contact_sheet([Cell(path=good, lines=("a",))], 3, "t"))
    sheet = opened(
        contact_sheet(
            [
                Cell(path=good, lines=("a",)),
                Cell(path=None, lines=("b", "out of memory")),
                Cell(path=tmp_path / "gone.png", lines=("c",)),
            ],
            3,
            "t",
        )
    )
    red = (176, 32, 32)

    def crosses(image: Image.Image) -> int:
        counts = image.getcolors(1 << 24) or []
        return sum(count for count, colour in counts if colour == red)

    assert crosses(with_one) == 0
    assert crosses(sheet) > 1500
    box = (24, 60, 24 + 320, sheet.height - 80)
    assert build.like(sheet.getpixel((24 + 80, sheet.height // 2 - 100)), build.CORNERS[0])  # type: ignore[arg-type]
    assert with_one.crop(box).getcolors(1 << 24)


@pytest.mark.parametrize("count", [0, 1, 7, 61])
def test_any_number_of_cells_and_columns_is_a_sheet(count: int) -> None:
    cells = [Cell(path=None, lines=())] * count
    for columns in (0, 1, 5, 1000):
        sheet = opened(contact_sheet(cells, columns, ""))
        assert sheet.width * sheet.height < 30_000_000


def test_labels_stay_in_their_cells_whatever_they_say(tmp_path: Path) -> None:
    nasty = ("x" * 5000, "a\nb\x1b[31m\x00c", "", "中文" * 300, "\u202eevil")
    plain = opened(contact_sheet([Cell(path=None, lines=("a",) * 6)], 1, "t"))
    sheet = opened(contact_sheet([Cell(path=None, lines=nasty)], 1, "y" * 10_000))
    assert sheet.width == plain.width
    assert sheet.height < 700
    right = sheet.crop((sheet.width - 20, 0, sheet.width, sheet.height)).getcolors(1 << 20)
    assert right == [(20 * sheet.height, (255, 255, 255))]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(20, 400))
def test_broken_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    face = lettering.font(15)
    lines = lettering.wrapped(text, width, face)
    assert all(face.getlength(line) <= width or len(line) == 1 for line in lines)
    said = lettering.readable(clean_line(text, 400), face)
    assert "".join("".join(lines).split()) == "".join(said.split())


def test_letters_that_a_font_lacks_become_plainer_ones() -> None:
    from PIL import ImageFont

    poor = ImageFont.load_default(15)
    assert lettering.readable("Müsli für 中 · plain", poor).startswith("Musli fur ?")
    rich = lettering.font(15)
    if rich.path != getattr(poor, "path", None):  # the host has a font
        assert lettering.readable("Müsli ≥ π", rich) == "Müsli ≥ π"
