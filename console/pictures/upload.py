"""A picture as it is sent to a service: the file itself, or a PNG that no service misreads."""

import hashlib
import io
import os
from typing import Any

import msgspec

from console.pictures.decode import plain, upright
from console.pictures.errors import PictureError, Source
from console.pictures.look import PictureFacts, facts_of
from console.pictures.opening import content, picture

_AS_IS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_MODES = frozenset({"RGB", "RGBA", "L"})
_EIGHT = 8
_NAME = 12
# Fast, and hardly larger: what is sent is read once.
_PACKED = 3


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
            image.load()
            changes = _changes(facts)
            if not changes:
                return _made(data, facts.media, facts, ())
            data = _as_png(upright(plain(image, facts), facts.orientation))
    except PictureError as error:
        raise _named(source, error) from error
    return _made(data, "image/png", facts, changes)


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


def _as_png(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=_PACKED)
    return file.getvalue()


def _made(data: bytes, media: str, facts: PictureFacts, changes: tuple[str, ...]) -> ForUpload:
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
    from console.pictures.errors import shown

    title = error.title.replace(shown(b""), shown(os.fspath(source)), 1)
    named = PictureError(error.code, title, error.hint, error.detail)
    named.data = error.data
    return named
