"""The command line as a process, as an operator's shell starts it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def start(environ: dict[str, str], *words: str, **settings: Any) -> "subprocess.Popen[str]":
    """Start `gpuconsole WORDS`; stdin is no terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "console", *words],
        env=environ,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )


def run(environ: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `gpuconsole WORDS` to its end."""
    process = start(environ, *words)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def lines(text: str) -> list[dict[str, Any]]:
    """Give the JSON objects of a stream, one a line."""
    return [json.loads(line) for line in text.splitlines()]
