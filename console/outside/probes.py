"""What a large request from outside is made of, and what its answer shows."""

from typing import NamedTuple

from console.web.answer import Answer

MIB = 1 << 20
SENT_BYTES = 32 * MIB
SIZES = (SENT_BYTES, 8 * MIB, MIB)

_TOO_LARGE, _NOT_FOUND = 413, 404
_JSON = b'{"gpuconsole": "'


class Target(NamedTuple):
    """Where a body goes that is read to its end and stored nowhere."""

    path: str
    media: str


UPLOADS = {
    # Without a graph it is refused once it was read: `no_prompt`.
    "comfyui": Target("/prompt", "application/json"),
    # A picture without a picture in it has no text to read out.
    "forge": Target("/sdapi/v1/png-info", "application/json"),
}


def body_of(size: int) -> bytes:
    """Give JSON of so many bytes that means nothing to anybody."""
    return _JSON + b"0" * (size - len(_JSON) - 2) + b'"}'


def refused_for_size(answer: Answer, kind: str) -> bool:
    """Tell whether an answer refuses a request for its size: 413, or IIS's older 404.13.

    Visitors from elsewhere see IIS's plain 404: ComfyUI itself knows the path.
    """
    if answer.status == _TOO_LARGE:
        return True
    return answer.status == _NOT_FOUND and (kind == "comfyui" or b"404.13" in answer.body)
