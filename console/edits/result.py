"""What an edit leaves: files on the service, pictures in its answer, times. Names are untrusted."""

import msgspec

PNG, JPEG, WEBP, GIF = "image/png", "image/jpeg", "image/webp", "image/gif"
_LONGEST_NAME = 255
_LONGEST_FOLDER = 1024
_KINDS = frozenset({"output", "temp", "input"})


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a run left on the service.

    Attributes:
        node: the node that wrote it.
        name: its name there. subfolder: below the folder that `kind` names, `/` between parts.
        kind: `output`, `temp` or `input`.
        cached: it is an earlier run's: this one had nothing to compute.
    """

    node: str
    name: str
    subfolder: str = ""
    kind: str = "output"
    cached: bool = False


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A result that came as bytes; `media` is what its first bytes say that it is."""

    data: bytes
    media: str


class NodeTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a node took as seen from here, and how many steps it counted; 0 where none."""

    node: str
    kind: str
    seconds: float
    steps: int = 0


def honest_output(node: str, name: object, subfolder: object, kind: object) -> Output | None:
    """Give an output whose name stays where it belongs; None for any other.

    A service's file names are one part without separators, its sub-folders are relative and never
    lead up: what says otherwise is neither asked for nor written anywhere.
    """
    if not isinstance(name, str) or not isinstance(subfolder, str) or kind not in _KINDS:
        return None
    if not _is_part(name) or len(subfolder) > _LONGEST_FOLDER:
        return None
    parts = subfolder.replace("\\", "/").split("/") if subfolder else []
    if not all(_is_part(part) for part in parts):
        return None
    return Output(node=node, name=name, subfolder="/".join(parts), kind=str(kind))


def _is_part(text: str) -> bool:
    """Tell whether this is one part of a path, printable and not too long for a disk."""
    if text in {"", ".", ".."} or not text.isprintable() or any(mark in text for mark in "/\\"):
        return False
    return len(text.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME


def media_of(data: bytes) -> str:
    """Tell by its first bytes what kind of picture this is; empty where it is none."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return GIF if data[:6] in {b"GIF87a", b"GIF89a"} else ""
