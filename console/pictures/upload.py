"""A picture as it is sent to a service: the file itself, or a PNG that no service misreads."""

import hashlib
import os
from typing import Any

import msgspec

from console.pictures.apart import check_apart, png_apart
from console.pictures.decode import png_of, whole
from console.pictures.errors import PictureError, Source, shown
from console.pictures.look import PictureFacts, facts_of
from console.pictures.opening import content, picture
from console.pictures.small import decoded_apart

_AS_IS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_MODES = frozenset({"RGB", "RGBA", "L"})
_EIGHT = 8
_NAME = 12


class ForUpload(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent.

    Attributes:
        name: ours, by content: `gpuconsole-0123456789ab.png`; the operator's goes nowhere.
        data: the bytes.
        media: what they are.
        sha256: of them, hexadecimal.
        width, height: in pixels, upright.
        changes: what was done to the file, in words; empty where it is sent as it is.
        facts: of the file as it was.
    """

    name: str
    data: bytes
    media: str
    sha256: str
    width: int
    height: int
    changes: tuple[str, ...]
    facts: PictureFacts


def for_upload(source: Source) -> ForUpload:
    """Give a picture as it is sent: whole, decoded once to know that a service can.

    PNG, JPEG and WebP of eight bits, upright and still, go as they are. Others become PNGs of
    the same pixels. Takes seconds for tens of megapixels: never on a screen's thread.

    Raises:
        PictureError: as `small`.
    """
    data = content(source)
    try:
        with picture(data) as (image, size):
            facts = facts_of(source, image, size)
            changes = _changes(facts)
            made = _made_ready(data, image, facts, bool(changes))
    except PictureError as error:
        raise _named(source, error) from error
    return _described(made, "image/png" if changes else facts.media, facts, changes)


def _made_ready(data: bytes, image: Any, facts: PictureFacts, changed: bool) -> bytes:
    """Give what is sent: the file's own bytes, decoded once to try, or a PNG of them."""
    if decoded_apart(facts):
        if changed:
            return png_apart(data)
        check_apart(data)
    elif changed:
        return png_of(whole(image, facts))
    else:
        image.load()
    return data


def _changes(facts: PictureFacts) -> tuple[str, ...]:
    """Say what has to be done to a picture before a service reads it rightly."""
    found = [
        *(["the first picture of a moving one"] if facts.frames > 1 else []),
        *(["turned upright as its EXIF says"] if facts.orientation != 1 else []),
        *([f"{facts.bits} bits a channel made 8"] if facts.bits > _EIGHT else []),
        *(["CMYK made RGB"] if facts.mode == "CMYK" else []),
    ]
    odd = facts.mode not in _MODES and facts.mode != "CMYK" and facts.bits <= _EIGHT
    found += [f"colours made {'RGBA' if facts.alpha else 'RGB'}"] if odd else []
    kind = facts.media.removeprefix("image/").upper()
    if found or facts.media not in _AS_IS:
        found += [f"{kind} made PNG"] if facts.media != "image/png" else []
    return tuple(found)


def _described(data: bytes, media: str, facts: PictureFacts, changes: tuple[str, ...]) -> ForUpload:
    digest = hashlib.sha256(data).hexdigest()
    return ForUpload(
        name=f"gpuconsole-{digest[:_NAME]}.{_AS_IS[media]}",
        data=data,
        media=media,
        sha256=digest,
        width=facts.width,
        height=facts.height,
        changes=changes,
        facts=facts,
    )


def _named(source: Source, error: PictureError) -> PictureError:
    """Say the file's name in an error that was found in its bytes."""
    title = error.title.replace(shown(b""), shown(os.fspath(source)), 1)
    named = PictureError(error.code, title, error.hint, error.detail)
    named.data = error.data
    return named
