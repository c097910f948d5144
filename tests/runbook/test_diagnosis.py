"""From a log to an answer: noise looked past, causes before consequences, history told apart."""

# ruff: noqa: E501 -- lines of logs are as long as they are

from itertools import zip_longest
from pathlib import Path

import pytest

from actions.runbook.book import Runbook, open_runbook
from actions.runbook.diagnose import diagnose
from actions.runbook.finding import Diagnosis
from console.errors import UsageError

RUNBOOK = open_runbook()

IMPORT_FAILED = """\
comfyui-1  | Starting ComfyUI...
comfyui-1  | ** ComfyUI startup time: 2026-11-26 22:14:05.123
comfyui-1  | Traceback (most recent call last):
comfyui-1  |   File "/opt/ComfyUI/nodes.py", line 2131, in load_custom_node
comfyui-1  |     module_spec.loader.exec_module(module)
comfyui-1  | ModuleNotFoundError: No module named 'gguf'
comfyui-1  |
comfyui-1  | Cannot import /opt/ComfyUI/custom_nodes/ComfyUI-GGUF module for custom nodes: No module named 'gguf'
comfyui-1  |    0.1 seconds (IMPORT FAILED): /opt/ComfyUI/custom_nodes/ComfyUI-GGUF
comfyui-1  | To see the GUI go to: http://0.0.0.0:8188
comfyui-1  | invalid prompt: {'type': 'missing_node_type', 'message': 'Cannot execute because node UnetLoaderGGUF does not exist.'}
"""

OOM = """\
2026-11-26T22:20:01.000000Z got prompt
2026-11-26T22:20:41.000000Z !!! Exception during processing !!! Allocation on device 0 would exceed allowed memory. (out of memory)
2026-11-26T22:20:41.000000Z Currently allocated     : 22.43 GiB
2026-11-26T22:20:41.000000Z Requested               : 640.00 MiB
2026-11-26T22:20:41.000000Z Device limit            : 23.99 GiB
2026-11-26T22:20:41.000000Z Free (according to CUDA): 7.12 MiB
2026-11-26T22:20:41.000000Z Traceback (most recent call last):
2026-11-26T22:20:41.000000Z   File "/opt/ComfyUI/execution.py", line 515, in execute
2026-11-26T22:20:41.000000Z     output_data = get_output_data(obj, input_data_all)
2026-11-26T22:20:41.000000Z torch.OutOfMemoryError: Allocation on device 0 would exceed allowed memory. (out of memory)
2026-11-26T22:20:41.000000Z Got an OOM, unloading all loaded models.
2026-11-26T22:20:41.000000Z Prompt executed in 40.02 seconds
"""

HEALTHY = """\
Checkpoint files will always be loaded safely.
Total VRAM 24576 MB, total RAM 48093 MB
pytorch version: 2.8.0+cu128
xformers version: 0.0.32
Set vram state to: NORMAL_VRAM
Device: cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync
/opt/venv/lib/python3.12/site-packages/timm/models/layers/__init__.py:48: FutureWarning: Importing from timm.models.layers is deprecated
You are running torch 2.8.0.
The program is tested to work with torch 2.7.1.
Error: Neither /workspace/environments/python/webui nor /opt/environments/python/webui exists.
Using pytorch attention
Starting server

To see the GUI go to: http://0.0.0.0:8188
got prompt
Warning: TAESD previews enabled, but could not find models/vae_approx/None
Prompt executed in 41.20 seconds
"""


def diagnosed(text: str, runbook: Runbook = RUNBOOK) -> Diagnosis:
    return diagnose(text.splitlines(), runbook, subject="log")


def test_one_missing_library_is_the_answer_and_all_else_follows_from_it() -> None:
    found = diagnosed(IMPORT_FAILED).findings
    assert found[0].id == "python.missing-module"
    assert found[0].title == "A Python library is missing: gguf"
    assert found[0].subject == "comfyui-1"
    assert {one.id for one in found[1:]} == {"comfy.import-failed", "qwen.loader-missing"}
    assert {one.consequence_of for one in found[1:]} == {"python.missing-module"}


def test_an_out_of_memory_is_one_finding_with_its_figures_as_evidence() -> None:
    found = diagnosed(OOM).findings
    assert [one.id for one in found if not one.consequence_of] == ["torch.oom.cudaMallocAsync"]
    assert found[0].count == 2
    assert found[0].last_at == "2026-11-26T22:20:41.000000Z"
    assert "out of memory" in found[0].evidence[-1].text


def test_a_healthy_start_with_its_usual_warnings_gives_no_finding() -> None:
    found = diagnosed(HEALTHY)
    assert found.findings == ()
    assert found.telling == ()
    assert found.up


def test_what_was_before_the_last_start_is_history() -> None:
    found = diagnosed(OOM + HEALTHY + HEALTHY)
    assert next((one.id, one.severity, one.current) for one in found.findings) == (
        "torch.oom.cudaMallocAsync",
        "info",
        False,
    )


def test_a_fault_that_comes_back_after_a_start_is_no_history() -> None:
    found = diagnosed(HEALTHY + OOM + HEALTHY + OOM).findings
    assert found[0].current
    assert found[0].count == 4


def test_what_nobody_knows_is_shown_and_not_guessed() -> None:
    found = diagnosed(
        "INFO starting\n"
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in <module>\n'
        "zork.FrobnicationError: the frob is upside down\n"
        "ERROR: giving up on frob\n"
    )
    assert found.findings == ()
    assert [one.text for one in found.telling] == [
        "zork.FrobnicationError: the frob is upside down",
        "ERROR: giving up on frob",
    ]


def test_colours_times_levels_and_names_in_front_are_looked_past() -> None:
    noisy = (
        "\x1b[36mforge-1  |\x1b[0m 2026-11-26 22:14:03,123 - root - \x1b[31mERROR\x1b[0m - "
        "launch.py: error: unrecognized arguments: --cuda-malloc"
    )
    found = diagnosed(noisy).findings
    assert [one.id for one in found] == ["args.unrecognized"]
    assert found[0].title == "The program does not know --cuda-malloc"
    assert found[0].subject == "forge-1"


def test_the_engines_own_files_are_read_as_what_they_hold() -> None:
    line = r'{"log":"RuntimeError: Found no NVIDIA driver on your system.\n","stream":"stderr","time":"2026-11-26T22:14:03.1Z"}'
    (found,) = diagnosed(line).findings
    assert (found.id, found.last_at) == ("torch.no-driver", "2026-11-26T22:14:03.1Z")


def test_secrets_in_evidence_are_masked() -> None:
    (found,) = diagnosed(
        "launch.py: error: unrecognized arguments: --api-auth admin:Hunter2secret"
    ).findings
    assert "Hunter2secret" not in str(found)


def test_interleaved_containers_are_told_apart() -> None:
    ours = [f"a-1  | {line}" for line in OOM.splitlines()]
    theirs = [f"b-1  | {line}" for line in HEALTHY.splitlines()]
    mixed = [line for pair in zip_longest(ours, theirs) for line in pair if line]
    found = diagnosed("\n".join(mixed)).findings
    assert {one.subject for one in found} == {"a-1"}


OWN = """\
[[entries]]
id = "own.frob"
title = "The frob is upside down: {what}"
patterns = ['''the frob is (?P<what>\\w+ down)''']
cause = "Somebody turned it."
fix = ["turn it back"]
"""


def test_the_operators_own_entries_come_first(tmp_path: Path) -> None:
    file = tmp_path / "runbook.toml"
    file.write_text(OWN)
    (found,) = diagnosed("ERROR: the frob is upside down", open_runbook(file)).findings
    assert (found.id, found.title) == ("own.frob", "The frob is upside down: upside down")


def test_a_pattern_without_end_is_put_aside_and_said(tmp_path: Path) -> None:
    file = tmp_path / "runbook.toml"
    file.write_text(OWN.replace(r"the frob is (?P<what>\w+ down)", r"(a|aa)+(?P<what>c)"))
    runbook = open_runbook(file)
    found = diagnosed("a" * 400 + "\nCUDA out of memory. Tried to allocate 1.00 GiB", runbook)
    assert [one.id for one in found.findings] == ["torch.oom.native"]
    assert [one.code for one in runbook.problems] == ["runbook.too-slow"]


def test_of_faults_that_explain_each_other_one_is_the_root() -> None:
    found = diagnosed(
        "NVRM: Xid (PCI:0000:01:00): 79, pid=0, GPU has fallen off the bus.\n"
        "NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.\n"
        "RuntimeError: CUDA error: unspecified launch failure\n"
    ).findings
    assert [(one.id, one.consequence_of) for one in found] == [
        ("host.xid", ""),
        ("nvml.gpu-lost", "host.xid"),
        ("torch.cuda-init", "host.xid"),
    ]


LOOP = """\
2026-01-20 08:00:02,728 INFO spawned: 'forge' with pid 211
Python 3.10.12 (main, Feb  4 2025, 14:57:36) [GCC 11.4.0]
launch.py: error: unrecognized arguments: --medvram-sdxl
2026-01-20 08:00:12,728 INFO exited: forge (exit status 2; not expected)
2026-01-20 08:00:13,728 INFO spawned: 'forge' with pid 311
Python 3.10.12 (main, Feb  4 2025, 14:57:36) [GCC 11.4.0]
"""


def test_what_ended_the_start_before_holds_until_the_last_has_come_up() -> None:
    assert diagnosed(LOOP).findings[0].current
    cured = diagnosed(LOOP + "Running on local URL:  http://0.0.0.0:17860\n")
    assert not cured.findings[0].current


def test_a_log_that_begins_in_the_middle_knows_its_first_start() -> None:
    tail = (
        "Prompt executed in 3.00 seconds\n"
        + OOM
        + "** ComfyUI startup time: 2026-11-26 22:30:05.123\n"
        + "To see the GUI go to: http://0.0.0.0:8188\n"
    )
    assert [one.current for one in diagnosed(tail).findings] == [False] * len(
        diagnosed(tail).findings
    )


def test_files_that_a_container_prints_in_turn_are_told_apart() -> None:
    (found,) = diagnosed(
        "==> /var/log/supervisor/forge.log <==\n"
        "Traceback (most recent call last):\n"
        '  File "/opt/forge/launch.py", line 54, in <module>\n'
        "==> /var/log/supervisor/supervisor.log <==\n"
        "INFO spawned: 'caddy' with pid 210\n"
        "==> /var/log/supervisor/forge.log <==\n"
        "    main()\n"
        "ModuleNotFoundError: No module named 'torch'\n"
    ).findings
    assert (found.id, len(found.evidence)) == ("python.missing-module", 3)
    assert found.evidence[0].text.startswith("Traceback")


@pytest.mark.parametrize("version", ["2.9.0+cu128", "2.8.0+cu128"])
def test_a_fault_of_one_version_is_named_only_where_that_is_in_use(version: str) -> None:
    text = (
        f"pytorch version: {version}\nTraceback (most recent call last):\n"
        '  File "conv.py", line 712, in forward\n    return F.conv3d(\n'
        "torch.OutOfMemoryError: Allocation on device 0 would exceed allowed memory.\n"
    )
    found = diagnosed(text).findings[0].id
    assert found == (
        "qwen.vae-oom-conv3d" if version.startswith("2.9") else "torch.oom.cudaMallocAsync"
    )


def test_a_pattern_that_takes_its_time_at_every_line_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "runbook.toml"
    file.write_text(OWN.replace(r"the frob is (?P<what>\w+ down)", r"(a|aa)+(?P<what>c)"))
    runbook = open_runbook(file)
    diagnosed("\n".join(f"{'a' * 25}{n}" for n in range(4000)), runbook)
    assert [one.code for one in runbook.problems] == ["runbook.too-slow"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not toml [", "is not TOML"),
        ("[other]\n", "has other"),
        ("[[entries]]\nid = 'x'\n", "title"),
        ("[[entries]]\nid = 'x'\ntitle = 't'\npaterns = ['a']\n", "paterns"),
        ("[[entries]]\nid = 'x'\ntitle = 't'\npatterns = ['(']\n", "no regular expression"),
        ("[[entries]]\nid = 'x'\ntitle = 't'\npatterns = ['a']\nseverity = 'bad'\n", "severity"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "runbook.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=says):
        open_runbook(file)
