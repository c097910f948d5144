"""Levels as programs write them; judged fast enough for a hundred thousand lines."""

import time

import pytest

from actions.logs.levels import level_of
from actions.logs.line import LEVELS

CASES = [
    # Python logging in its usual shapes
    ("WARNING:root:no xformers", "warning"),
    ("DEBUG:urllib3.connectionpool:Starting new HTTPS connection", "debug"),
    ("2026-11-22 12:00:00,123 - model - ERROR - cannot load", "error"),
    ("2026-11-22 12:00:00,123 INFO [app.main] started", "info"),
    ("[2026-11-22 12:00:00,123] [CRITICAL] out of disk", "critical"),
    ("2026-11-22 12:00:00.123 | SUCCESS  | app:run:3 - done", "info"),
    ("[INFO] loading", "info"),
    # ComfyUI
    ("got prompt", ""),
    ("!!! Exception during processing !!! Allocation on device 0", "error"),
    ("WARNING: request with non matching host and origin 127.0.0.1:8188", "warning"),
    ("[ComfyUI-Manager] ERROR: cannot fetch", "error"),
    ("Cannot import /root/ComfyUI/custom_nodes/x module for custom nodes: y", "error"),
    ("   0.3 seconds (IMPORT FAILED): /root/ComfyUI/custom_nodes/x", "error"),
    ("Warning: Ran out of memory when regular VAE encoding, retrying with tiled", "warning"),
    ("torch.OutOfMemoryError: Allocation on device 0 would exceed allowed memory.", "error"),
    # Forge
    ("*** Error loading script: controlnet.py", "error"),
    ("Arg --medvram is removed in Forge.", "warning"),
    ("[Memory Management] Target: KModel, Free GPU: 20114.00 MB", ""),
    ("Model loaded in 3.2s (load weights from disk: 0.1s).", ""),
    ("launch.py: error: unrecognized arguments: --x", "error"),
    # Gradio and uvicorn
    ('INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 200 OK', "info"),
    ("ERROR:    Exception in ASGI application", "error"),
    ("/usr/lib/x.py:12: FutureWarning: clean_up_tokenization_spaces", "warning"),
    ("* Running on local URL:  http://0.0.0.0:7860", ""),
    # nginx and Caddy
    ("2026/11/22 12:00:00 [error] 31#31: *1 open() failed (2: No such file)", "error"),
    ("2026/11/22 12:00:00 [notice] 1#1: start worker processes", "info"),
    ('10.0.0.1 - - [22/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 502 157 "-" "curl"', "error"),
    ('10.0.0.1 - - [22/Nov/2026:12:00:00 +0000] "GET /x HTTP/1.1" 404 1', "warning"),
    ('10.0.0.1 - u [22/Nov/2026:12:00:00 +0000] "POST /x HTTP/1.1" 200 1', "info"),
    ('{"level":"error","ts":1700000000.1,"logger":"http.log","msg":"dial tcp"}', "error"),
    ("2026/11/22 12:00:00.000\tWARN\ttls\tstapling OCSP", "warning"),
    ("2026/11/22 12:00:00.000 ERROR   http.log.error  dial tcp", "error"),
    # supervisord
    ("2026-11-22 12:00:00,123 INFO spawned: 'forge' with pid 31", "info"),
    ("2026-11-22 12:00:00,123 CRIT Supervisor is running as root.", "critical"),
    ("2026-11-22 12:00:00,123 WARN exited: forge (exit status 1; not expected)", "warning"),
    ("2026-11-22 12:00:00,1 INFO gave up: forge entered FATAL state, too many retries", "error"),
    # JSON and others
    ('{"severity":"WARNING","message":"x"}', "warning"),
    ('{"level":30,"msg":"pino"}', "info"),
    ('{"level":60,"msg":"pino"}', "critical"),
    ('{"broken', ""),
    ('{"level":"}', ""),
    ('{"msg":"no level"}', ""),
    ('time="2026-11-22T12:00:00Z" level=fatal msg="x"', "critical"),
    ("[W 2026-11-22 12:00:00.000 ServerApp] no password", "warning"),
    ("Traceback (most recent call last):", "error"),
    ("KeyboardInterrupt", "error"),
    ("/entrypoint.sh: line 52:     9 Killed                  python3 main.py", "critical"),
    ("mkdir: cannot create directory '/workspace': Permission denied", "error"),
    # words that only look like levels
    ("no error here, information follows", ""),
    ("Errors found: 0", ""),
    ("INFOrmation", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "level"), CASES)
def test_the_level_a_line_says(text: str, level: str) -> None:
    assert LEVELS[level_of(text.expandtabs(8))] == level


def test_judging_costs_microseconds() -> None:
    lines = [text for text, _ in CASES] * 40
    best = min(_seconds(lines) for _ in range(5))
    assert best / len(lines) < 20e-6


def test_a_long_line_costs_no_more() -> None:
    long = ["2026-11-22 12:00:00 " + "word " * 6000 + str(number) for number in range(50)]
    assert _seconds(long) / len(long) < 200e-6


def _seconds(lines: list[str]) -> float:
    began = time.perf_counter()
    for line in lines:
        level_of.__wrapped__(line)
    return time.perf_counter() - began
