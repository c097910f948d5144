"""What a start log tells: the card by name, the chosen ordinal, how far provisioning has come."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.engine.client import EngineClient
from console.engine.values import moment
from console.packaged import read_table
from console.services.device_name import ON_CPU
from console.services.reading import NOT_TOLD, Device, StartLog
from console.services.start_log import parse_start_log, read_start_log
from tests.support.engine import Workbench, endpoint_at
from tests.support.waiting import wait_until

COMFY_OLD = """\
2026-11-22T08:35:47.898467 - Checkpoint files will always be loaded safely.
2026-11-22T08:35:47.9 - Set cuda device to: 1
2026-11-22T08:35:47.999689 - Total VRAM 24576 MB, total RAM 64250 MB
2026-11-22T08:35:47.999747 - pytorch version: 2.8.0+cu128
2026-11-22T08:35:47.999917 - Device: cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync
2026-11-22T08:35:52.096985 - ComfyUI version: 0.3.64
"""
COMFY_NEW = """\
\x1b[32m[INFO]\x1b[0m Set cuda device to: 0
\x1b[32m[INFO]\x1b[0m Total VRAM 24576 MB, total RAM 64250 MB
\x1b[32m[INFO]\x1b[0m Device: cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync
\x1b[32m[INFO]\x1b[0m Device: cuda:1 NVIDIA GeForce RTX 3080 Laptop GPU : cudaMallocAsync
[INFO] CLIP/text encoder model load device: cuda:0, offload device: cpu
\x1b[32m[INFO]\x1b[0m ComfyUI version: 0.33.0
\x1b[32m[INFO]\x1b[0m DynamicVRAM support detected and enabled
[DEBUG] Reserving 700.5MB vram for other applications.
"""
UP = "\x1b[32m[INFO]\x1b[0m To see the GUI go to: http://127.0.0.1:8188\n"
FORGE = """\
Python 3.10.12 (main, Jul 29 2024, 16:56:48) [GCC 11.4.0]
Version: f2.0.1v1.10.1-previous-543-g2d3903d
Commit hash: 2d3903d
Set device to: 1
Using cudaMallocAsync backend.
Total VRAM 16384 MB, total RAM 32768 MB
pytorch version: 2.4.1+cu121
Set vram state to: NORMAL_VRAM
Device: cuda:0 NVIDIA GeForce RTX 3080 Laptop GPU : native
Launching Web UI with arguments: --api --api-auth admin:hunter22 --gpu-device-id 1
"""
AI_DOCK = """\
==> /var/log/sync.log <==
Waiting for stable-diffusion-webui-forge application sync...

==> /var/log/supervisor/caddy.log <==
Starting caddy...
==> /var/log/provisioning.log <==
Downloading 2 model(s) to /workspace/storage/stable_diffusion/models/ckpt...
 45% [=======>      ]\r 46% [=======>      ]\r 47%
"""


def parse(*texts: str) -> StartLog:
    return parse_start_log("".join(texts).split("\n"), "c" * 64, "2026-11-27T02:00:00Z")


@pytest.mark.parametrize(("text", "ordinal"), [(COMFY_OLD, 1), (COMFY_NEW, 0)])
def test_comfyui_names_its_card(text: str, ordinal: int) -> None:
    log = parse(text)
    assert isinstance(log.device, Device)
    assert log.device.name == "NVIDIA GeForce RTX 3090"
    assert log.device.total_bytes == 24576 << 20
    assert log.device.source == "log"
    assert log.picked_ordinal == ordinal
    assert log.stage == "loading"
    assert not log.finished
    assert any("RTX 3090" in line for line in log.evidence)


def test_newer_comfyui_tells_more() -> None:
    log = parse(COMFY_NEW)
    assert log.dynamic_vram is True
    assert log.reserve_bytes == int(700.5 * (1 << 20))
    assert log.version == "0.33.0"
    off = parse("No working comfy-aimdo install detected. DynamicVRAM support disabled. Falling…")
    assert off.dynamic_vram is False
    assert parse(COMFY_OLD).dynamic_vram is None


def test_it_is_up() -> None:
    log = parse(
        COMFY_NEW,
        UP,
        "Requested to load QwenImage\n",
        "loaded partially; 14120.0 MB usable, 14000.0 MB loaded, 5600.0 MB offloaded\n",
    )
    assert log.finished
    assert log.stage == ""
    assert "loaded partially" in log.evidence[-1]


def test_forge_names_its_card_and_no_password() -> None:
    log = parse(FORGE)
    assert isinstance(log.device, Device)
    assert log.device.name == "NVIDIA GeForce RTX 3080 Laptop GPU"
    assert log.picked_ordinal == 1
    assert log.version == "f2.0.1v1.10.1-previous-543-g2d3903d"
    assert log.stage == "loading"
    assert "hunter22" not in repr(log)


def test_stages_of_ai_dock() -> None:
    first, rest = AI_DOCK.split("\n\n")
    assert parse(first).stage == "sync"
    log = parse(first, "\n", rest)
    assert log.stage == "provisioning"
    assert log.device == NOT_TOLD
    forge = "==> /var/log/supervisor/forge.log <==\nStarting SD Web UI Forge...\n"
    assert parse(AI_DOCK, forge).stage == "starting"
    log = parse(AI_DOCK, forge, FORGE)
    assert (log.stage, log.picked_ordinal) == ("loading", 1)
    assert parse(AI_DOCK, forge, FORGE, "Startup time: 31.2s (prepare: 5s).\n").finished


def test_the_name_of_a_file_is_a_stage_but_not_where_tail_names_them_all() -> None:
    names = [f"==> /var/log/{name}.log <==" for name in ("config", "sync", "provisioning")]
    assert parse("\n\n".join(names)).stage == ""
    assert parse("\n\n".join(names), "\n\n==> /var/log/sync.log <==\nWaiting...").stage == "sync"
    assert parse("Starting\n", names[2]).stage == "provisioning"


def test_a_forge_that_gave_up_inside_a_running_container() -> None:
    fatal = ("2026-11-27 02:03:04,567 INFO gave up: forge entered FATAL state, "
             "too many start retries too quickly\n")  # fmt: skip
    log = parse(AI_DOCK, FORGE, "Startup time: 31.2s\n", fatal)
    assert (log.stage, log.finished) == ("failed", False)
    assert "FATAL" in log.evidence[-1]


def test_a_program_that_began_anew_tells_anew() -> None:
    second = FORGE.replace("Set device to: 1\n", "").replace(
        "RTX 3080 Laptop GPU", "RTX 3090"
    ).replace("16384", "24576")  # fmt: skip
    log = parse(FORGE, "Startup time: 31.2s\n", second)
    assert isinstance(log.device, Device)
    assert (log.device.name, log.device.total_bytes) == ("NVIDIA GeForce RTX 3090", 24576 << 20)
    assert log.picked_ordinal == NOT_TOLD
    assert not log.finished


def test_on_the_processor() -> None:
    assert parse("Total VRAM 24106 MB, total RAM 24106 MB\nDevice: cpu\n").device == ON_CPU


def test_what_only_looks_like_it() -> None:
    log = parse(
        "VAE load device: cuda:0, offload device: cpu, dtype: torch.bfloat16\n",
        "the prompt said Device: cuda:0 Toaster : native\n",
        "Set device to: the moon\nTotal VRAM lots MB, total RAM 1 MB\n",
    )
    assert (log.device, log.picked_ordinal, log.evidence) == (NOT_TOLD, NOT_TOLD, ())


@given(st.lists(st.text() | st.sampled_from((COMFY_NEW + FORGE + AI_DOCK).split("\n"))))
def test_any_lines_make_a_log(lines: list[str]) -> None:
    log = parse_start_log(lines, "c", "")
    assert len(log.evidence) <= 8
    assert all(line.isprintable() and len(line) <= 200 for line in log.evidence)
    assert isinstance(log.stage, str)


def test_a_long_hostile_line_costs_little() -> None:
    lines = ["[INFO] " * 5000, "2026-11-27 02:03:04 " * 5000, "Device: cuda:0 " + " :" * 5000]
    began = time.process_time()
    parse_start_log(lines * 50, "c", "")
    assert time.process_time() - began < 2


def shell(text: str) -> str:
    return "printf '%s' '" + text.replace("'", "'\\''") + "'; sleep 600"


@pytest.mark.engine
@pytest.mark.parametrize("tty", [False, True])
def test_the_log_of_a_real_container_since_its_last_start(workbench: Workbench, tty: bool) -> None:
    found = workbench.run("start-log", ["sh", "-c", shell(COMFY_OLD)], tty=tty)
    wait_until(lambda: b"ComfyUI version" in workbench.api.logs(found), 10)
    workbench.api.restart(found, timeout=0)
    wait_until(lambda: workbench.api.logs(found).count(b"ComfyUI version") == 2, 10)
    started = workbench.api.inspect_container(found)["State"]["StartedAt"]
    with EngineClient(endpoint_at(workbench.address)) as client:
        log = read_start_log(client, found, started)
    assert isinstance(log.device, Device)
    assert log.device.name == "NVIDIA GeForce RTX 3090"
    assert (log.container_id, log.started_at) == (found, started)


@pytest.mark.engine
@pytest.mark.parametrize("tty", [False, True])
def test_the_engine_tells_when_the_program_said_that_it_is_up(
    workbench: Workbench, tty: bool
) -> None:
    found = workbench.run("up", ["sh", "-c", shell(COMFY_OLD + UP)], tty=tty)
    wait_until(lambda: b"To see the GUI" in workbench.api.logs(found), 10)
    stamped = workbench.api.logs(found, timestamps=True).decode()
    (line,) = [line for line in stamped.splitlines() if "To see the GUI" in line]
    started = workbench.api.inspect_container(found)["State"]["StartedAt"]
    with EngineClient(endpoint_at(workbench.address)) as client:
        log = read_start_log(client, found, started)
    assert log.finished
    assert log.finished_at == moment(line.partition(" ")[0])
    assert isinstance(log.device, Device)


def test_without_the_engines_time_nobody_tells_when_it_was_up() -> None:
    log = parse(COMFY_OLD, UP)
    assert (log.finished, log.finished_at) == (True, None)


@pytest.mark.engine
def test_a_long_log_is_read_at_both_ends(workbench: Workbench) -> None:
    noise = "i=0; while [ $i -lt 20000 ]; do echo downloading $i of many; i=$((i+1)); done; "
    head, tail = shell(COMFY_OLD).removesuffix("sleep 600"), shell(AI_DOCK)
    found = workbench.run("long-log", ["sh", "-c", head + noise + tail])
    wait_until(lambda: b"47%" in workbench.api.logs(found, tail=5), 30)
    started = workbench.api.inspect_container(found)["State"]["StartedAt"]
    with EngineClient(endpoint_at(workbench.address)) as client:
        began = time.monotonic()
        log = read_start_log(client, found, started)
    assert time.monotonic() - began < 3
    assert isinstance(log.device, Device)
    assert log.stage == "provisioning"


def _told() -> "list[re.Pattern[str]]":
    table = read_table("start_log.toml")
    patterns = [one["pattern"] for one in (*table["facts"], *table["stages"]) if one.get("pattern")]
    return [re.compile(pattern) for pattern in (*patterns, table["header"])]


@pytest.mark.parametrize("pattern", _told(), ids=lambda pattern: pattern.pattern[:30])
@given(data=st.data())
def test_whatever_a_pattern_finds_is_looked_at_closely(
    pattern: "re.Pattern[str]", data: st.DataObject
) -> None:
    line = data.draw(st.from_regex(pattern))
    marks = read_table("start_log.toml")["marks"]
    assert any(mark in line for mark in marks)


def test_a_plain_line_after_a_stages_header_counts() -> None:
    lines = ["==> /var/log/sync.log <==", "copying /opt/forge", "42 %"]
    assert parse_start_log(lines, "c", "s").stage == "sync"
