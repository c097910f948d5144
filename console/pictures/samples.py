"""The sample pictures that come with the program: for a first edit, a rehearsal and tests."""

from pathlib import Path

from console.packaged import packaged

NAMES = ("mug", "table", "pose")


def sample(name: str) -> Path:
    """Give the path of a sample: `mug`, a thing on a plain ground; `table`; `pose`, a figure.

    PNG of eight bits, RGB, under half a megapixel.
    """
    if name not in NAMES:
        raise ValueError(f"no sample picture {name}; there are {', '.join(NAMES)}")
    return packaged(f"pictures/{name}.png")


def samples() -> tuple[Path, ...]:
    """Give the paths of all samples."""
    return tuple(sample(name) for name in NAMES)
