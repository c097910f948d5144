"""The client and the rehearsed server held against what real servers said, recorded beside us."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.clock import SystemClock
from console.comfyui.history import parse_history
from console.comfyui.refusals import parse_problems, refusal
from console.comfyui.tracker import Tracker
from console.edits.events import AnyEvent, Failed, Finished, Interrupted, Node, Preview, Started
from console.simulator.services.pixels import flat_jpeg
from console.web.form import Form
from tests.edits.graphs import PICTURE
from tests.edits.raw_socket import heard_of_a_run
from tests.edits.servers import served
from tests.rehearsal.support import call

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
VERSIONS = ("0.3.64", "0.33.0")
FILES = sorted(path for version in VERSIONS for path in (CAPTURES / version).glob("*.json"))

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason=f"there are no recorded answers at {CAPTURES}"
)


def records(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        pytest.skip(f"there is no {path}")
    found = json.loads(path.read_text("utf-8"))
    # Some files list graphs, not what was sent.
    return [one for one in found if isinstance(one, dict) and "kind" in one]


def taken(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the graphs that were taken, by the id they got."""
    return {
        record["body"]["prompt_id"]: record["request"]["json"]["prompt"]
        for record in found
        if record["kind"] == "http"
        and record.get("status") == 200
        and record["request"]["path"] == "/prompt"
        and record["request"]["method"] == "POST"
    }


def histories(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the last history of each prompt that was asked for when it had ended."""
    return {
        ident: record["body"]
        for record in found
        if record["kind"] == "http"
        and record["request"]["path"].startswith("/history/")
        and isinstance(record.get("body"), dict)
        for ident in record["body"]
    }


def messages(found: list[dict[str, Any]]) -> Iterator[str | bytes]:
    """Give what came over the WebSocket, pictures made anew for those that were not kept."""
    for record in found:
        if "text" in record:
            yield json.dumps(record["text"])
        elif record.get("event") == 4:
            facts = json.dumps(record["metadata"]).encode()
            yield struct.pack(">II", 4, len(facts)) + facts + flat_jpeg(8, 8, 9)
        elif record.get("event") == 1:
            yield struct.pack(">II", 1, record["image_type"]) + flat_jpeg(8, 8, 9)


def told(path: Path) -> Iterator[tuple[Tracker, list[AnyEvent], Any]]:
    """Give each recorded run: who followed it, what it made of it, the history of its end."""
    found = records(path)
    ended = histories(found)
    for ident, graph in taken(found).items():
        if ident not in ended:
            continue
        tracker = Tracker(ident, graph, "http://it", SystemClock())
        # Nobody listened to some runs.
        heard = list(messages(found)) if ident in str([r.get("text") for r in found]) else []
        events = [event for message in heard for event in tracker.hear(message)]
        yield tracker, events, ended[ident]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_recorded_run_is_followed_to_its_end(path: Path) -> None:
    for tracker, events, history in told(path):
        ended = parse_history(history, tracker.ident)
        assert ended is not None
        last = tracker.ended(ended)
        status = history[tracker.ident]["status"]
        sorts = {name for name, _ in status["messages"]}
        if "execution_interrupted" in sorts:
            assert isinstance(last, Interrupted)
            assert last.node
        elif status["status_str"] == "error":
            assert isinstance(last, Failed)
            assert last.kind
            assert "Traceback" not in last.detail
            assert len(last.detail) < 1200
        else:
            assert isinstance(last, Finished)
            names = {
                one["filename"]
                for left in history[tracker.ident]["outputs"].values()
                for one in left["images"]
            }
            assert {output.name for output in last.outputs} == names
            assert isinstance(last.seconds, float)
        nodes = [event for event in events if isinstance(event, Node)]
        assert [node.number for node in nodes] == list(range(1, len(nodes) + 1))
        assert all(node.kind for node in nodes)
        if nodes:
            assert isinstance(events[0], Started)
            assert tracker.over


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_cycle_and_its_cached_repeat(version: str) -> None:
    runs = list(told(CAPTURES / version / "10_full_cycle.json"))
    first, again = runs[0], runs[1]
    assert [event.node for event in first[1] if isinstance(event, Node)] == list("12349")
    previews = [event for event in first[1] if isinstance(event, Preview)]
    assert [(one.node, one.media) for one in previews] == [("4", "image/jpeg")] * 3
    ends = []
    for tracker, _, history in (first, again):
        ended = parse_history(history, tracker.ident)
        assert ended is not None
        last = tracker.ended(ended)
        assert isinstance(last, Finished)
        ends.append((last.cached, [output.name for output in last.outputs]))
    assert ends == [(False, ["cap_00001_.png"]), (True, ["cap_00001_.png"])]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_refusal_names_what_is_wrong(version: str) -> None:
    for record in records(CAPTURES / version / "20_prompt_refusals.json"):
        if record.get("status") != 400 or not isinstance(record["body"], dict):
            continue
        error = refusal(record["body"], "http://it")
        named = record["body"]["node_errors"]
        assert {p.node for p in error.problems} >= set(named)
        for problem in error.problems:
            assert problem.sort
        if record["note"].startswith("unknown node type"):
            assert error.code == "edit.missing-node"
            assert "NoSuchNode" in error.title
        if record["note"] == "image file missing":
            assert "does_not_exist.png" in error.title


def comparable(body: Any) -> Any:
    """Give what two servers have to say alike of one graph; lists of files differ."""
    if not isinstance(body, dict):
        return body
    said = {
        (problem.node, problem.kind, problem.sort, problem.input)
        for problem in parse_problems(body)
    }
    return body.get("error", {}).get("type"), said


@pytest.mark.parametrize("version", VERSIONS)
def test_the_rehearsed_server_takes_and_refuses_as_the_real_one(
    version: str, tmp_path: Path
) -> None:
    compared = 0
    with served("comfyui", tmp_path, version, job=0.01) as server:
        port = int(server.url.rpartition(":")[2])
        known = set(call(port, "/object_info").data) | {"NoSuchNode", "Note", None}
        for place, name in (("input", "pic.png"), ("input/farm", "a.png"), ("output", "b.png")):
            (tmp_path / place).mkdir(parents=True, exist_ok=True)
            (tmp_path / place / name).write_bytes(PICTURE)
        for record in records(CAPTURES / version / "20_prompt_refusals.json"):
            body = record["request"].get("json")
            if record["request"]["path"] != "/prompt" or not isinstance(body, dict):
                continue
            graph = body.get("prompt", {})
            for node in graph.values():
                image = node.get("inputs", {}).get("image")
                if isinstance(image, str) and record["status"] == 200 and "missing" not in image:
                    node["inputs"]["image"] = "pic.png"
            if not {node.get("class_type") for node in graph.values()} <= known:
                continue
            answer = call(port, "/prompt", "POST", body)
            assert answer.status == record["status"], record["note"]
            assert comparable(answer.data) == comparable(record["body"]), record["note"]
            compared += 1
    assert compared >= 20


def test_uploads_are_taken_and_refused_as_by_the_real_one(tmp_path: Path) -> None:
    with served("comfyui", tmp_path) as server, server.client() as client:
        for record in records(CAPTURES / "0.33.0" / "02_upload.json"):
            request = record["request"]
            if request.get("content") or request["path"] == "/upload/mask":
                continue
            name, size, media = request.get("files", {}).get("image", ("", "<0 bytes>", ""))
            count = int(size.strip("<>").split()[0])
            if "files" in request and "image" in request["files"] and name and count < 1000:
                content = bytes([count % 251]) * count
                fields = dict(request["data"])
                answer = client.ask("POST", request["path"], form(name, content, media, fields))
                assert answer.status == record["status"], request
                if answer.status == 200:
                    assert json.loads(answer.body) == record["body"]


def form(name: str, content: bytes, media: str, fields: dict[str, str]) -> Any:
    return Form(
        field="image", name=name, content=content, media=media, fields=tuple(fields.items())
    )


def test_files_are_given_and_kept_back_as_by_the_real_one(tmp_path: Path) -> None:
    for place, names in {
        "input": ("pic.png", "fake.png", "notes.txt"), "input/farm/job1": ("pic2.png",),
        "output": ("pic4.png",), "temp": ("pic3.png",),
    }.items():  # fmt: skip
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        for name in names:
            (tmp_path / place / name).write_bytes(b"text" if name == "notes.txt" else PICTURE)
    with served("comfyui", tmp_path) as server:
        port = int(server.url.rpartition(":")[2])
        for record in records(CAPTURES / "0.33.0" / "03_view.json"):
            path = record["request"]["path"]
            # Other formats and parts are not made here.
            if "preview=" in path or "channel=" in path or record["request"].get("headers"):
                continue
            answer = call(port, path, record["request"]["method"])
            assert answer.status == record["status"], path


@pytest.mark.parametrize("version", VERSIONS)
def test_the_rehearsed_server_says_things_in_the_recorded_order(
    version: str, tmp_path: Path
) -> None:
    recorded = [
        r["text"] for r in records(CAPTURES / version / "10_full_cycle.json") if "text" in r
    ]
    real = order_of(recorded)
    with served("comfyui", tmp_path, version) as server:
        ours = order_of(heard_of_a_run(server))
    assert ours[:4] == real[:4]
    # The real run has five nodes, one of which counts steps; ours has nine, one of them too.
    assert set(ours) == set(real)
    assert ours[-5:] == real[-5:]


def order_of(texts: list[dict[str, Any]]) -> list[str]:
    """Give the types of the messages of the first run, from its beginning to its end."""
    sorts: list[str] = []
    begun = False
    for text in texts:
        begun = begun or text["type"] == "execution_start"
        if not begun:
            continue
        data = text["data"]
        state = sorted({n["state"] for n in data["nodes"].values()}) if "value" in str(
            data.get("nodes")
        ) else ""  # fmt: skip
        over = text["type"] == "executing" and data["node"] is None
        sorts.append(f"{text['type']}{state}{' over' if over else ''}")
        if over:
            break
    return sorts
