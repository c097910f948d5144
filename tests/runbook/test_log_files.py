"""`doctor --log FILE` on files as they come: huge, binary, without line feeds, packed, or none."""

import gzip
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.log_files import lines_in, read_log, read_stream

OOM = "RuntimeError: CUDA out of memory. Tried to allocate 512.00 MiB\n"


def doctor(*words: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "console", "doctor", *words], input=stdin, capture_output=True
    )


def answer(*words: str, stdin: bytes = b"") -> tuple[int, dict[str, object]]:
    done = doctor(*words, "--json", stdin=stdin)
    return done.returncode, json.loads(done.stdout)


def test_a_log_with_an_error_exits_5_and_names_it(tmp_path: Path) -> None:
    log = tmp_path / "comfy ui.log"
    log.write_text(OOM)
    code, whole = answer("--log", str(log))
    data = whole["data"]
    assert isinstance(data, dict)
    assert (code, whole["ok"]) == (5, True)
    assert [(one["id"], one["subject"]) for one in data["findings"]] == [
        ("torch.oom.native", "comfy ui.log")
    ]
    assert data["checks"][0]["state"] == "fail"
    assert {"id", "severity", "subject", "title", "cause", "fix", "evidence", "fix_plan"} <= set(
        data["findings"][0]
    )


def test_a_log_without_anything_wrong_exits_0(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("Starting server\nTo see the GUI go to: http://0.0.0.0:8188\n")
    done = doctor("--log", str(log))
    assert done.returncode == 0
    assert "nothing is wrong in it" in done.stdout.decode()


def test_stdin_is_read_for_a_dash() -> None:
    code, whole = answer("--log", "-", stdin=OOM.encode())
    assert code == 5
    assert whole["ok"]


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_log_is_said_and_nothing_hangs(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    done = doctor("--log", str(path))
    assert done.returncode == 2
    assert b"cannot be read" in done.stderr


def test_two_gigabytes_are_read_at_both_ends_and_quickly(tmp_path: Path) -> None:
    log = tmp_path / "big.log"
    with log.open("wb") as file:
        file.write(b"Found no NVIDIA driver on your system.\n")
        file.truncate(2 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + OOM.encode())
    begun = time.monotonic()
    code, whole = answer("--log", str(log))
    data = whole["data"]
    assert isinstance(data, dict)
    assert code == 5
    assert {one["id"] for one in data["findings"]} == {"torch.no-driver", "torch.oom.native"}
    assert data["left_out_bytes"] > 1 << 30
    assert time.monotonic() - begun < 20


def test_one_line_without_end_and_binary_do_no_harm(tmp_path: Path) -> None:
    log = tmp_path / "odd.log"
    log.write_bytes(b"\x00\xff\x1b[2J" * 10_000 + b"x" * (4 << 20) + b"\n" + OOM.encode())
    code, whole = answer("--log", str(log))
    assert code == 5
    assert "\\u001b" not in json.dumps(whole)


def test_a_packed_log_is_unpacked_even_where_its_end_is_missing(tmp_path: Path) -> None:
    log = tmp_path / "old.log.gz"
    packed = gzip.compress((OOM + "x\n" * 10).encode())
    log.write_bytes(packed)
    assert answer("--log", str(log))[0] == 5
    log.write_bytes(packed[:-6])
    assert answer("--log", str(log))[0] == 5


def test_the_middle_of_a_long_stream_is_dropped_and_counted() -> None:
    whole = b"begin\n" + b"m" * (40 << 20) + b"\nend\n"
    log = read_stream(io.BytesIO(whole))
    assert log.size == len(whole)
    assert len(log.data) + log.left_out - 1 == len(whole)
    assert log.data.startswith(b"begin\n")
    assert log.data.endswith(b"\nend\n")


def test_lines_end_with_carriage_returns_too(tmp_path: Path) -> None:
    log = tmp_path / "bar.log"
    log.write_bytes(b"10%|#\r20%|##\r\ndone")
    assert [one for one in lines_in(read_log(log)) if one] == ["10%|#", "20%|##", "done"]


def test_a_stream_that_never_ends_is_read_for_a_while() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream, os.fdopen(writer, "wb") as still_open:
        still_open.write(OOM.encode())
        still_open.flush()
        log = read_stream(stream, seconds=0.4, idle=0.1)
    assert (log.data, log.cut) == (OOM.encode(), True)


def test_a_stream_that_ends_is_whole() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as source:
        source.write(OOM.encode())
    with os.fdopen(reader, "rb") as stream:
        log = read_stream(stream)
    assert (log.data, log.cut) == (OOM.encode(), False)


def test_millions_of_lines_are_read_at_both_ends(tmp_path: Path) -> None:
    log = tmp_path / "lines.log"
    log.write_bytes(b"first\n" + b"x\r" * 3_000_000 + OOM.encode() + b"last\n")
    read = read_log(log)
    lines = list(lines_in(read))
    assert (lines[0], lines[-2:]) == ("first", [OOM.rstrip(), "last"])
    assert len(lines) <= 120_002
    assert read.left_out == read.size - len(read.data)


def test_empty_lines_without_end_take_no_time(tmp_path: Path) -> None:
    log = tmp_path / "empty.log"
    log.write_bytes(b"\n" * (8 << 20) + OOM.encode())
    code, whole = answer("--log", str(log))
    assert code == 5
    data = whole["data"]
    assert isinstance(data, dict)
    assert data["checks"][0]["seconds"] < 20


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_log_that_powershell_wrote_is_read(tmp_path: Path, encoding: str) -> None:
    log = tmp_path / "windows.log"
    log.write_bytes(("got prompt\r\n" + OOM).encode(encoding))
    lines = [one for one in lines_in(read_log(log)) if one]
    assert lines == ["got prompt", OOM.rstrip()]
