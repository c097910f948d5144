"""What the header of a model file tells, whatever its format."""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from console.packaged import read_table
from console.unknown import Unknown

Read = Callable[[int, int], bytes]
"""Gives the bytes from a place up to, not with, another; fewer at the end of a file."""


class Tensor(msgspec.Struct, frozen=True, gc=False):
    """One tensor as a header lists it.

    Attributes:
        name: as it stands there; untrusted.
        dtype: in small letters, such as `bf16`, `f8_e4m3`, `q4_k`.
        shape: outermost first, as PyTorch has it, for GGUF too.
        size: bytes that it takes; 0 where its type is not known.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int

    @property
    def count(self) -> int:
        """How many numbers it holds, packed ones as one."""
        count = 1
        for length in self.shape:
            count *= length
        return count


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the first bytes of a file tell; no weights were read.

    Attributes:
        format: `safetensors`, `gguf`, `pickle`, `lfs-pointer`, `html`, `empty`, `part`, `other`.
        size: of the file, in bytes.
        tensors: in the order of the header; empty where the format lists none.
        metadata: texts and numbers beside the tensors, as text; untrusted.
        promised_bytes: the size that the header promises; None where it promises none.
        problem: why the header could not be made out; None where it could.
    """

    format: str
    size: int = 0
    tensors: tuple[Tensor, ...] = ()
    metadata: dict[str, str] = {}
    promised_bytes: int | None = None
    problem: Unknown | None = None


class WrongHeaderError(Exception):
    """A header that does not hold together; the text says why, and is our own."""


class CutHeaderError(Exception):
    """The file ends within its header.

    Attributes:
        promised: bytes that the file must have at least.
    """

    def __init__(self, promised: int) -> None:
        super().__init__(promised)
        self.promised = promised


@cache
def formats() -> dict[str, Any]:
    """Give the table of formats."""
    return read_table("model_formats.toml")
