"""What was seen of one file, and what of it is remembered from one look to the next."""

import msgspec

from console.models.inventory.found import Root
from console.models.inventory.walk import Entry


class Kept(msgspec.Struct, array_like=True):
    """What a header told; in the database as the text of a list.

    Attributes:
        stamp: of the rules that told it.
        place: the kind of the folder it lay in, which has a say.
        edges: a digest of its first and last MiB; empty where nobody asked.
        was: the hash it had before it was written to.
    """

    stamp: str
    place: str
    format: str
    kind: str = ""
    family: str = ""
    base: str = ""
    precision: str = ""
    parameters: int | None = None
    promised_bytes: int | None = None
    problem_code: str = ""
    problem_title: str = ""
    edges: str = ""
    was: str = ""


class Seen(msgspec.Struct):
    """One file of one root in one look; `new` is what has to be remembered."""

    root: Root
    entry: Entry
    kept: Kept
    sha256: str = ""
    new: bool = False


_READER = msgspec.json.Decoder(Kept)


def pack(kept: Kept) -> str:
    """Give what is kept as text."""
    return msgspec.json.encode(kept).decode()


def unpack(text: str, stamp: str, place: str) -> Kept | None:
    """Give what was kept; None where it is not readable, or told by other rules."""
    kept = loosely(text)
    return kept if kept is not None and (kept.stamp, kept.place) == (stamp, place) else None


def loosely(text: str) -> Kept | None:
    """Give what was kept, whatever rules told it; None where it is not readable."""
    try:
        return _READER.decode(text) if text else None
    except msgspec.MsgspecError:
        return None
