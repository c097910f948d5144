"""ComfyUI's binary WebSocket frames: pictures and texts out of the middle of a run.

Layouts as recorded from 0.3.64 and 0.33.0 (server.py), all numbers big-endian.
"""

import struct

import msgspec

from console.edits.result import media_of
from console.text import clean_bytes, clean_line
from console.web.answer import parse_json
from console.web.values import within

_PREVIEW, _TEXT, _PREVIEW_WITH_FACTS = 1, 3, 4
_MOST_FACTS = 1 << 20
_LONGEST_TEXT = 2000


class PreviewFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A live picture; `node` and `prompt` are empty where the frame does not tell them."""

    data: bytes
    media: str
    node: str = ""
    prompt: str = ""


class TextFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A line that a node says of its progress."""

    node: str
    text: str


def parse_frame(frame: bytes) -> PreviewFrame | TextFrame | None:
    """Read a binary frame; None for one that is cut, odd, or of a kind that nobody knows yet.

    What kind of picture it is, its own first bytes say: the number or the type that the frame
    gives is not trusted, and a frame whose picture is none is dropped.
    """
    if len(frame) < 8:
        return None
    event, second = struct.unpack_from(">II", frame)
    if event == _PREVIEW:
        return _picture(frame[8:])
    if event == _PREVIEW_WITH_FACTS and second <= min(_MOST_FACTS, len(frame) - 8):
        try:
            facts = parse_json(frame[8 : 8 + second])
        except ValueError:
            return None
        picture = _picture(frame[8 + second :])
        node, prompt = _word(facts, "node_id"), _word(facts, "prompt_id")
        return picture and msgspec.structs.replace(picture, node=node, prompt=prompt)
    if event == _TEXT and second <= len(frame) - 8:
        node = clean_line(clean_bytes(frame[8 : 8 + second]), 100)
        text = clean_line(clean_bytes(frame[8 + second :][: 4 * _LONGEST_TEXT]), _LONGEST_TEXT)
        return TextFrame(node=node, text=text)
    return None


def _picture(data: bytes) -> PreviewFrame | None:
    media = media_of(data)
    return PreviewFrame(data=data, media=media) if media else None


def _word(facts: object, key: str) -> str:
    value = within(facts, key)
    return clean_line(value, 100) if isinstance(value, str) else ""
