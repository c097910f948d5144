"""Records how the steps of setup stand on rehearsed hosts, for pictures that stay the same.

`python -m tests.tui_setup.record` walks setup on each host, as somebody does who agrees to all, and
writes `reports.json` beside this file: each step as it is before it is done, and as it is then.
"""

import re
import sys
import tempfile
from pathlib import Path

import msgspec

from actions.setup.answers import Answers
from actions.setup.course import Course
from actions.setup.report import StepReport
from tests.support.fresh import FreshHost, fresh_host

FILE = Path(__file__).with_name("reports.json")
HOME = "/home/jesse"
_FOLDERS = {"work": "", "config": "/.config", "state": "/.local/state", "data": "/.local/share"}


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One step: before it was done, and after."""

    before: StepReport
    after: StepReport


Record = dict[str, list[Recorded]]
HOSTS = {name or "fresh": name for name in ("", "half-done", "small-card", "no-internet")}
"""The flavour of each host."""


def recorded() -> Record:
    """Give what was recorded."""
    return msgspec.json.decode(
        FILE.read_bytes(), type=Record, dec_hook=lambda kind, text: kind(text)
    )


def record(host: FreshHost) -> list[Recorded]:
    """Walk setup on a host and give each step before and after."""
    course = Course(host.session(), Answers({"comfyui.port": str(host.port)}), applies=True)
    found = []
    for ident in course.steps:
        before = after = course.look(ident)
        for _ in range(4):
            if after.state != "needed" or not after.able:
                break
            after = course.do(ident)
        found.append(Recorded(before=before, after=after))
    return found


def neutral(data: bytes, host: FreshHost) -> bytes:
    """Take out of a record what is another one each time: folder, port, moments."""
    folder = str(host.rehearsal.places.folder)
    text = data.decode().replace(str(host.port), "8188")
    for name, path in _FOLDERS.items():
        text = text.replace(f"{folder}/{name}", f"{HOME}{path}")
    text = text.replace(folder, HOME)
    text = re.sub(r"\d{8}T\d{6}-[0-9a-f]{6}", "20260802T091500-a1b2c3", text)
    return re.sub(r"\d{8}-\d{6}-\d{6}", "20260802-091500-000000", text).encode()


def main() -> int:
    """Record all hosts."""
    found: dict[str, msgspec.Raw] = {}
    for name, flavour in HOSTS.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            fresh_host(Path(folder), flavour=flavour) as host,
        ):
            steps = msgspec.json.encode(record(host), enc_hook=str)
            found[name] = msgspec.Raw(neutral(steps, host))
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
