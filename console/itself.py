"""This very program again, as a process of its own, however it was installed and started."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_INSTALLED = {"site-packages", "dist-packages"}


def own_command(module: str = "console") -> list[str]:
    """Give the beginning of the command line that runs a module of this program.

    With `-P`, or a folder named `console` in the working directory would be run instead.
    """
    return [sys.executable, "-P", "-m", module]


def importable(environ: Mapping[str, str]) -> dict[str, str]:
    """Give an environment in which that module is found, from a clone that is not installed too."""
    root = Path(__file__).resolve().parent.parent
    if root.name in _INSTALLED:
        return dict(environ)
    before = environ.get("PYTHONPATH", "")
    return {**environ, "PYTHONPATH": f"{root}{os.pathsep}{before}" if before else str(root)}
