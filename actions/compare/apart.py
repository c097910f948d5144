"""How far the pictures of a comparison are from those of its reference."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from actions.compare.model import Row
from console.pictures.errors import PictureError
from console.unknown import Unknown

_IS_REFERENCE = Unknown("compare.reference", "it is what the others are compared with")
_NO_REFERENCE = Unknown("compare.no-reference", "the reference has no picture of this case")


def with_psnr(rows: Sequence[Row], reference: str | None) -> tuple[Row, ...]:
    """Give rows with their PSNR against the reference's picture of the same seed and steps.

    A picture that is gone, or of another size, has none, with the reason.
    """
    return tuple(_measured(row, _counterpart(row, rows, reference), reference) for row in rows)


def _counterpart(row: Row, rows: Sequence[Row], reference: str | None) -> Row | None:
    """Give the reference's row of a case: by its place among the variant's own rows.

    Steps are not compared: a variant's own number may be another one's four.
    """
    own = [one for one in rows if one.variant == row.variant]
    others = [one for one in rows if one.variant == reference]
    place = next(number for number, one in enumerate(own) if one is row)
    return others[place] if place < len(others) else None


def _measured(row: Row, other: Row | None, reference: str | None) -> Row:
    if not row.path:
        return row
    if row.variant == reference:
        return msgspec.structs.replace(row, psnr_db=_IS_REFERENCE, reference=True)
    if other is None or not other.path:
        return msgspec.structs.replace(row, psnr_db=_NO_REFERENCE)
    from console.pictures.difference import psnr

    try:
        db = psnr(Path(other.path), Path(row.path))
    except PictureError as error:
        return msgspec.structs.replace(row, psnr_db=Unknown(error.code, error.title, error.hint))
    if math.isinf(db):
        same = Unknown("compare.identical", "both pictures are the same, pixel by pixel")
        return msgspec.structs.replace(row, psnr_db=same, identical=True)
    return msgspec.structs.replace(row, psnr_db=round(db, 3))
