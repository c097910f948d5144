"""What is told of an edit: refusals in words that help, phases, times, the card."""

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.edit_now import EditNow
from actions.edits.card import CardNow, CardWatch
from actions.edits.going import Expected, Going
from actions.edits.refusing import cancelled, error_of
from actions.edits.silence import Silence
from actions.edits.telling import now_text
from actions.edits.words import PHASES, SHOWN, phase_of
from actions.workflows.shelf import packaged_workflows
from console.clock import HeldClock
from console.comfyui.refusals import refusal
from console.edits.events import Finished, Node, Progress, Queued, Started
from console.edits.kept import KeptEdit, Timings
from console.edits.result import NodeTime
from console.errors import ConsoleError
from console.models.catalog import packaged_catalog
from console.web.client import WebClient
from tests.support.edits import EditHost, edit_host
from tests.support.waiting import wait_until

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("home")) as there:
        yield there


def test_every_node_that_ships_has_a_phase_and_the_loaders_load() -> None:
    kinds = {
        node["class_type"]
        for workflow in packaged_workflows()
        if workflow.service == "comfyui"
        for node in workflow.graph.values()
    }
    assert {phase_of(kind) for kind in kinds} <= set(PHASES)
    assert {"load", "encode", "sample", "decode", "save"} <= {phase_of(kind) for kind in kinds}
    assert phase_of("SomebodysModelLoader") == "load"
    assert phase_of("UltimateKSampler2") == "sample"
    assert phase_of("TinyVAEDecode") == "decode"
    assert phase_of("") == "other"
    assert set(SHOWN) <= set(PHASES)


def test_a_refused_graph_says_what_to_fetch_and_install_in_place_of_the_servers_words() -> None:
    catalog = packaged_catalog()
    graph = {"1": {"class_type": "UNETLoader", "inputs": {"unet_name": "nope"}}}
    missing = refusal(
        {
            "error": {"type": "prompt_outputs_failed_validation", "message": "failed"},
            "node_errors": {
                "1": {
                    "class_type": "UNETLoader",
                    "errors": [
                        {
                            "type": "value_not_in_list",
                            "message": "Value not in list",
                            "details": "unet_name: 'nope' not in []",
                            "extra_info": {
                                "input_name": "unet_name",
                                "received_value": "qwen_image_edit_2509_fp8_e4m3fn.safetensors",
                                "input_config": [["other.safetensors"], {}],
                            },
                        }
                    ],
                }
            },
        },
        "http://x:1",
    )
    told = error_of(missing, graph, catalog)
    assert told.code == "edit.refused"
    assert "models pull qwen-edit-2509-fp8" in told.hint
    assert "nope" in told.detail or "Value not in list" in told.detail
    no_node = refusal(
        {
            "error": {
                "type": "missing_node_type",
                "message": "Node 'UnetLoaderGGUF' not found.",
                "extra_info": {"node_id": "1", "class_type": "UnetLoaderGGUF"},
            }
        },
        "http://x:1",
    )
    told = error_of(no_node, graph, catalog)
    assert told.code == "edit.missing-node"
    assert "ComfyUI-GGUF" in told.hint
    plain = error_of(ConsoleError("a.b", "title", "hint", "detail"), {}, catalog)
    assert (plain.code, plain.title, plain.hint, plain.detail) == ("a.b", "title", "hint", "detail")


def test_time_left_comes_from_the_steps_and_from_edits_before() -> None:
    clock = HeldClock(NOON)
    told: list[EditNow] = []
    before = Expected(run=40.0, load=12.0, encode=2.0, sample=23.0, decode=3.0)
    going = Going("e", clock, told.append, before)

    def left() -> float | None:
        return told[-1].left_seconds

    going.submitted()
    going.hear(Queued(ident="e", ahead=2))
    assert (told[-1].phase, told[-1].ahead) == ("queued", 2)
    clock.advance(10)
    going.hear(Started(ident="e"))
    assert left() == 40.0
    clock.advance(1)
    going.hear(Node(ident="e", node="5", kind="TextEncodeQwenImageEditPlus", number=3, total=9))
    assert left() == 28.0  # the model is loaded already
    clock.advance(5)
    going.carded("GPU-1", CardNow(), None)
    assert left() == 23.0  # time goes by also where the service says nothing
    going.hear(Node(ident="e", node="3", kind="KSampler", title="Sampler", number=4, total=9))
    assert left() == 26.0
    for step in (1, 2, 3):
        clock.advance(2)
        going.hear(Progress(ident="e", node="3", step=step, steps=10))
    now = told[-1]
    assert (now.phase, now.step, now.steps) == ("sampling", 3, 10)
    assert now.seconds_per_step == pytest.approx(2.0)
    assert now.left_seconds == pytest.approx(7 * 2.0 + 3.0)
    clock.advance(14)
    going.hear(Node(ident="e", node="8", kind="VAEDecode", number=8, total=9))
    assert (told[-1].phase, left()) == ("decoding", 3.0)
    clock.advance(4)
    going.carded("GPU-1", CardNow(), None)
    assert (told[-1].phase, left()) == ("decoding", None)
    going.hear(Node(ident="e", node="9", kind="SaveImage", number=9, total=9))
    assert (told[-1].phase, left()) == ("saving", None)
    nodes = (
        NodeTime(node="1", kind="UNETLoader", seconds=4.0),
        NodeTime(node="3", kind="KSampler", seconds=20.0, steps=10),
        NodeTime(node="9", kind="SaveImage", seconds=0.5),
    )
    going.hear(Finished(ident="e", nodes=nodes, seconds=26.0))
    timings = going.timings(Timings())
    assert (timings.queued, timings.run, timings.steps) == (10.0, 26.0, 3)
    assert (timings.load, timings.sample, timings.decode, timings.other) == (4.0, 20.0, 0.0, 0.5)
    assert timings.per_step == pytest.approx(2.0)
    assert timings.heard


def test_what_nobody_saw_has_no_time() -> None:
    clock = HeldClock(NOON)
    going = Going("e", clock, lambda _now: None, Expected())
    going.submitted()
    clock.advance(8)
    going.hear(Started(ident="e"))
    going.hear(Finished(ident="e"))
    assert going.timings(Timings()) == Timings()
    late = Going("e", clock, lambda _now: None, Expected())
    late.submitted(before=True)  # by a process that was killed: its load and first steps are lost
    late.hear(Started(ident="e"))
    nodes = (NodeTime(node="3", kind="KSampler", seconds=2.0, steps=10),)
    late.hear(Finished(ident="e", nodes=nodes, seconds=26.0))
    assert late.timings(Timings()) == Timings(run=26.0)


@given(st.lists(st.floats(0.001, 100, allow_nan=False), min_size=1, max_size=60))
def test_figures_are_told_at_most_five_times_a_second(gaps: list[float]) -> None:
    clock = HeldClock(NOON)
    at: list[float] = []
    going = Going("e", clock, lambda _now: at.append(clock.monotonic()), Expected())
    going.hear(Node(ident="e", node="3", kind="KSampler"))
    for number, gap in enumerate(gaps):
        clock.advance(gap)
        going.hear(Progress(ident="e", node="3", step=number + 1, steps=100))
    pairs = itertools.pairwise(at)
    assert all(later - before >= 0.2 - 1e-9 for before, later in pairs)


def test_a_line_says_what_it_is_at_and_what_the_card_says() -> None:
    now = EditNow(
        edit_id="e",
        phase="sampling",
        step=3,
        steps=20,
        seconds_per_step=1.25,
        left_seconds=21.0,
        vram_used_bytes=20 << 30,
        vram_total_bytes=24 << 30,
        power_watts=318.4,
    )
    assert now_text(now) == (
        "samples step 3 of 20, 1.2 s/step, about 21s left, VRAM 20.0 GiB of 24.0 GiB, 318 W"
    )
    assert now_text(EditNow(edit_id="e", phase="queued", ahead=2)) == (
        "waits in the queue, 2 before it"
    )
    assert now_text(EditNow(edit_id="e", phase="queued", ahead=0)) == "is next"


def test_all_who_watch_cards_share_one_reader_which_ends_with_the_last(host: EditHost) -> None:
    session = host.session()
    heard: list[CardNow] = []
    uuid = "GPU-8b2d6e07-51fa-4c39-b7d8-19e4a3c6f520"
    with CardWatch(session, uuid, heard.append) as one, CardWatch(session, uuid) as other:
        wait_until(lambda: one.peak is not None and other.peak is not None)
        assert sum(thread.name == "gpu" for thread in threading.enumerate()) == 1
        assert one.before is not None
        assert one.problem is None
        assert heard[0].total is not None
    wait_until(lambda: not any(thread.name == "gpu" for thread in threading.enumerate()))
    with CardWatch(session, "") as nobody:
        assert nobody.problem is not None
        assert nobody.problem.code == "gpu.not-told"


def test_a_service_that_is_silent_is_told_once_and_no_time_is_promised_meanwhile() -> None:
    clock = HeldClock(NOON)
    told: list[EditNow] = []
    going = Going("e", clock, told.append, Expected(run=600.0))
    going.submitted()
    going.hear(Started(ident="e"))
    assert told[-1].left_seconds == 600.0
    edit = KeptEdit(
        id="e", state="running", service="comfy", kind="comfyui", workflow="w", created_at=NOON
    )
    with Silence(edit, lambda: WebClient("http://127.0.0.1:9"), clock, going):
        clock.advance(8)
        wait_until(lambda: told[-1].note)
        clock.advance(8)
        going.carded("", CardNow(), None)
    (note,) = {now.note for now in told if now.note}
    assert note.startswith(f"comfy has not answered since {NOON.astimezone():%H:%M:%S}: ")
    assert told[-1].left_seconds is None


def test_one_that_was_cancelled_without_its_service_says_that_it_may_still_run() -> None:
    assert cancelled("comfyui").detail == ""
    unheard = cancelled("comfyui", "it does not answer")
    assert (unheard.code, unheard.detail) == ("edit.cancelled", "it does not answer")
    assert unheard.hint == "it may still run at comfyui: it does not answer"
