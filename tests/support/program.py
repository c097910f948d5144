"""The program as a process of its own, in an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def private_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give an environment in which the program finds neither config, engine nor card of ours."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DOCKER_HOST": f"unix://{home}/no-engine.sock",
        "GPUCONSOLE_NVML_LIBRARY": f"{home}/no-nvml.so",
        **(extra or {}),
    }


def put_config(home: Path) -> Path:
    """Put an empty config where the program looks for it, so that it offers no setup."""
    path = home / ".config" / "gpuconsole" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def run_program(
    arguments: Sequence[str],
    home: Path,
    environ: Mapping[str, str] | None = None,
    *,
    code: str | None = None,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run `gpuconsole ARGUMENTS` (or Python `code`) to its end, with stdout and stderr as bytes."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "console"]
    return subprocess.run(
        [*command, *arguments],
        env=private_environment(home, environ),
        cwd=home,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
