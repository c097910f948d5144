"""The rehearsed hub by itself: `python -m console.simulator.hub --size 2GB`.

Says in one line of JSON where it is met and what it has, and lives until SIGTERM, or until its
stdin closes where that is a pipe or a terminal. `GET /api/rehearsal/counts` gives the bytes it sent
by file, `POST /api/rehearsal/fault` with `{"kind": "cut", "after": 1000}` lets something go wrong,
`POST /api/rehearsal/heal` ends it.
"""

import argparse
import contextlib
import json
import os
import signal
import stat
import sys
from pathlib import Path

from console.errors import UsageError
from console.hub.spec import check_repo
from console.simulator.hub.bodies import Body, Noise, OnDisk
from console.simulator.hub.faults import KINDS
from console.simulator.hub.hub import RehearsalHub
from console.simulator.hub.repos import File, repo_of
from console.units import parse_bytes


def _files(asked: argparse.Namespace) -> dict[str, Body]:
    files: dict[str, Body] = {}
    for folder in asked.files:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files.update({path.relative_to(folder).as_posix(): OnDisk(path) for path in paths})
    if asked.size is not None:
        files[asked.name] = Noise(asked.size, asked.seed)
    return files


def _told(hub: RehearsalHub, repo: str, files: list[File]) -> str:
    facts = {
        "endpoint": hub.url,
        "cdn": hub.cdn_url,
        "environ": hub.environ,
        "repo": repo,
        "files": [
            {"path": file.path, "size": file.body.size, "sha256": file.body.sha256}
            for file in files
        ],
    }
    return json.dumps(facts)


def _wait() -> None:
    """Wait for the end of stdin; for a signal where that is a file, such as /dev/null."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty():
        sys.stdin.buffer.read()
    else:
        signal.pause()


def _bytes(text: str) -> int:
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _repo(text: str) -> str:
    try:
        check_repo(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(error.title) from error
    return text


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text)


def main(argv: list[str] | None = None) -> int:
    """Serve until told to end."""
    kinds = "\n".join(f"  {kind}: {words}" for kind, words in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="rehearsal hub",
        description=__doc__,
        epilog=f"Faults:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, default=0)
    repo_help = "what the repository is called"
    parser.add_argument("--repo", type=_repo, default="rehearsal/models", help=repo_help)
    parser.add_argument("--files", type=_folder, action="append", default=[], metavar="DIR")
    parser.add_argument("--size", type=_bytes, help="of one file made up, such as 2GB")
    parser.add_argument("--name", default="model.safetensors", help="of that file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=_bytes, help="bytes a second in all, such as 110MB")
    asked = parser.parse_args(argv)
    repo = repo_of(asked.repo, _files(asked))
    hub = RehearsalHub(
        [repo], rate=float(asked.rate) if asked.rate else None, port=asked.port, controlled=True
    )
    hub.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        files = list(repo.commits[repo.branches["main"]].files.values())
        sys.stdout.write(f"{_told(hub, asked.repo, files)}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            _wait()
    finally:
        hub.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
