"""Telling files that setup wrote from others', and whether somebody changed them since."""

import hashlib

_WRITTEN = "written by"
_OURS = "gpuconsole"
_HEAD_LINES = 12
_SEAL = "# As written: "


def sealed(text: str) -> str:
    """Give a text with a second line by which a later change of it is seen."""
    first, _, rest = text.partition("\n")
    digest = hashlib.sha256(f"{first}\n{rest}".encode("utf-8", "surrogateescape")).hexdigest()
    return f"{first}\n{_SEAL}{digest[:16]}\n{rest}"


def is_ours(text: str) -> bool:
    """Tell whether setup wrote a file: its first lines say so."""
    for line in text.splitlines()[:_HEAD_LINES]:
        said = line.lower()
        if _WRITTEN in said and _OURS in said:
            return True
    return False


def untouched(text: str) -> bool:
    """Tell whether a sealed file is still as it was written; one without a seal is not known to."""
    first, _, rest = text.partition("\n")
    seal, _, body = rest.partition("\n")
    return seal.startswith(_SEAL) and sealed(f"{first}\n{body}") == text
