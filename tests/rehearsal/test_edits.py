"""Edits on the rehearsal host: they take what their variant takes, and fail where they are told."""

import base64
import http.client
import io
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image, ImageChops, ImageStat

from console.comfyui.prompts import PromptCalls
from console.comfyui.run import ComfyRun
from console.edits.events import AnyEvent, Failed, Finished, Interrupted, Node, Preview
from console.simulator.driver_table import parse_table
from console.simulator.scenario import load_scenario
from console.simulator.scene import GIB, Scene
from console.simulator.services.effort import Effort
from console.simulator.services.moods import FETCHES, RUNS
from console.web.client import WebClient
from console.web.faults import ServiceFault
from tests.edits.conftest import QUICK
from tests.edits.graphs import graph, prompt
from tests.rehearsal.support import call
from tests.rehearsal.test_edit_host import edited, graph_of
from tests.support.edits import COMFY, FORGE, EditHost, a_png, edit_host
from tests.support.edits import QUICK as QUICK_PACE
from tests.support.waiting import wait_until

Q4, Q2, FP8 = "qwen-edit-2509-gguf-q4_k_m", "qwen-edit-2509-gguf-q2_k", "qwen-edit-2509-fp8"
FREE = {"unload_models": True, "free_memory": True}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    """Give a rehearsal to all tests that leave it as it was."""
    with edit_host(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def host(shared: EditHost) -> Iterator[EditHost]:
    """Give the shared rehearsal, idle and with nothing loaded."""
    yield shared
    shared.mood("")
    call(shared.ports[COMFY], "/interrupt", "POST")
    call(shared.ports[COMFY], "/free", "POST", FREE)


def picture_of(host: EditHost, events: list[AnyEvent]) -> Image.Image:
    last = events[-1]
    assert isinstance(last, Finished), last
    data = PromptCalls(WebClient(host.url())).fetch(last.outputs[0]).data
    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """Give how far two pictures are apart on the average, of 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def used(host: EditHost) -> float:
    host.look(lambda world: world.play())
    card = parse_table(host.places.table.read_text()).cards[1]
    return (card.memory_used or 0) / GIB


def last_effort(host: EditHost, name: str = COMFY) -> Effort:
    """Give what the last edit took by the rehearsal's own clock, whatever this machine is at."""
    return host.look(lambda world: world.stage.find(name).runs[-1].stints[-1].effort)


def sampling(host: EditHost, name: str = COMFY) -> float:
    begin, end = last_effort(host, name).sampling
    return (end - begin) * QUICK_PACE


def test_before_and_after_differ_by_prompt_seed_steps_and_weights(host: EditHost) -> None:
    image = host.picture(size=(320, 200))
    before = Image.open(image).convert("RGB")
    made = {
        name: picture_of(host, edited(host, variant, image, **wish))
        for name, variant, wish in (
            ("first", Q4, {"seed": 1}),
            ("seed", Q4, {"seed": 2}),
            ("steps", Q4, {"seed": 1, "steps": 2}),
            ("night", Q4, {"seed": 1, "prompt": "a deep night, all blue"}),
            ("better", FP8, {"seed": 1}),
            ("worse", Q2, {"seed": 1}),
        )
    }
    first = made.pop("first")
    # Scaled to the megapixel that the model works on, as ComfyUI does.
    assert first.size == (1328, 800)
    assert difference(before.resize(first.size), first) > 20
    assert all(difference(first, other) > 1 for other in made.values())
    assert difference(first, made["night"]) > 10
    better, worse = (difference(made["better"], one) for one in (first, made["worse"]))
    assert worse > 2 * better


def test_the_same_edit_gives_the_same_picture_on_another_host(
    host: EditHost, tmp_path: Path
) -> None:
    one = picture_of(host, edited(host, Q4, host.picture(), seed=31))
    with edit_host(tmp_path) as other:
        again = picture_of(other, edited(other, Q4, other.picture(), seed=31))
    assert difference(one, again) == 0


def test_vram_rises_stays_and_is_given_back(host: EditHost) -> None:
    call(host.ports[COMFY], "/free", "POST", FREE)
    empty = used(host)
    image = host.picture()
    peaks: list[float] = []
    for event in edited(host, Q4, image, seed=40, watch=lambda: peaks.append(used(host))):
        assert not isinstance(event, Failed)
    assert max(peaks) - empty == pytest.approx(13.3, abs=0.6)
    assert used(host) - empty == pytest.approx(12.4, abs=0.6)
    call(host.ports[COMFY], "/free", "POST", FREE)
    assert used(host) == pytest.approx(empty, abs=0.1)


def test_a_warm_edit_takes_only_the_sampling_and_fewer_steps_less(host: EditHost) -> None:
    call(host.ports[COMFY], "/free", "POST", FREE)
    image = host.picture()
    cold = edited(host, Q4, image, seed=50)
    first, took = last_effort(host).seconds * QUICK_PACE, sampling(host)
    assert took / 20 == pytest.approx(5.5, rel=0.1), "as measured on a 3090"
    assert first - took > 5
    warm = edited(host, Q4, image, seed=51)
    assert sampling(host) == pytest.approx(took, rel=0.01)
    assert last_effort(host).seconds * QUICK_PACE - took < 3
    kinds = [[node.kind for node in events if isinstance(node, Node)] for events in (cold, warm)]
    assert "UnetLoaderGGUF" in kinds[0]
    assert kinds[1] == ["KSampler", "VAEDecode", "SaveImage"]
    edited(host, Q4, image, seed=52, steps=10)
    assert sampling(host) == pytest.approx(took / 2, rel=0.01)


def test_free_memory_forgets_what_was_computed(host: EditHost) -> None:
    image = host.picture()
    edited(host, Q4, image, seed=60)
    again = edited(host, Q4, image, seed=60)[-1]
    assert isinstance(again, Finished)
    assert again.cached
    call(host.ports[COMFY], "/free", "POST", FREE)
    anew = edited(host, Q4, image, seed=60)[-1]
    assert isinstance(anew, Finished)
    assert not anew.cached


def test_a_card_that_is_too_small_streams_weights_and_is_slower(tmp_path: Path) -> None:
    def small(scene: Scene) -> Scene:
        cards = (scene.cards[0], msgspec.structs.replace(scene.cards[1], memory=8.0))
        return msgspec.structs.replace(scene, cards=cards)

    with edit_host(tmp_path / "small", change=small) as host:
        edited(host, Q4, host.picture(), seed=1, steps=4)
        assert used(host) < 8
        slow = sampling(host)
    with edit_host(tmp_path / "usual") as host:
        edited(host, Q4, host.picture(), seed=1, steps=4)
        assert slow > 1.2 * sampling(host)


def test_a_card_without_room_for_the_picture_itself_runs_out_of_memory(tmp_path: Path) -> None:
    def tiny(scene: Scene) -> Scene:
        cards = (scene.cards[0], msgspec.structs.replace(scene.cards[1], memory=2.0))
        return msgspec.structs.replace(scene, cards=cards)

    with edit_host(tmp_path, change=tiny) as host:
        last = edited(host, Q4, host.picture())[-1]
        assert isinstance(last, Failed)
        assert last.code == "edit.out-of-memory"


def test_live_pictures_come_nearer_to_the_result(host: EditHost) -> None:
    events = edited(host, Q4, host.picture(), seed=70, preview_method="auto")
    result = picture_of(host, events)
    shown = [
        Image.open(io.BytesIO(e.data)).convert("RGB") for e in events if isinstance(e, Preview)
    ]
    assert max(shown[-1].size) == 512
    apart = [difference(one, result.resize(one.size)) for one in (shown[1], shown[-1])]
    assert apart[1] < apart[0]


def test_the_recipe_lies_in_the_picture(host: EditHost) -> None:
    events = edited(host, Q4, host.picture(), seed=80, png_info={"gpuconsole": {"id": "x"}})
    last = events[-1]
    assert isinstance(last, Finished)
    data = PromptCalls(WebClient(host.url())).fetch(last.outputs[0]).data
    texts = Image.open(io.BytesIO(data)).text  # type: ignore[attr-defined]
    assert json.loads(texts["prompt"])["3"]["inputs"]["seed"] == 80
    assert json.loads(texts["gpuconsole"]) == {"id": "x"}


@pytest.mark.parametrize(
    ("mood", "code", "kind"),
    [
        ("run-oom-encode", "edit.out-of-memory", "TextEncodeQwenImageEditPlus"),
        ("run-oom-decode", "edit.out-of-memory", "VAEDecode"),
        ("run-raises-load", "edit.bad-model-file", "UnetLoaderGGUF"),
        ("run-disk-full", "edit.node-failed", "SaveImage"),
    ],
)
def test_runs_fail_in_whichever_node_they_are_told(
    host: EditHost, mood: str, code: str, kind: str
) -> None:
    host.mood(mood)
    last = edited(host, Q4, host.picture())[-1]
    assert isinstance(last, Failed)
    assert (last.code, last.kind) == (code, kind)
    if "oom" in mood:
        assert call(host.ports[COMFY], "/system_stats").data["devices"][0]["torch_vram_total"] == 0


def test_a_picture_that_is_cut_off_fails_in_the_node_that_reads_it(host: EditHost) -> None:
    whole = host.picture(size=(300, 200)).read_bytes()
    cut, hidden = host.pictures / "cut.png", host.pictures / "hidden.png"
    cut.write_bytes(whole[: len(whole) // 2])
    # Its end is there, and its middle is not: only who decodes it finds out.
    hidden.write_bytes(whole[:60] + whole[-12:])
    for image in (cut, hidden):
        last = edited(host, Q4, image)[-1]
        assert isinstance(last, Failed)
        assert last.kind == "LoadImage"


def test_a_disk_that_is_really_full_fails_the_node_that_saves(
    host: EditHost, tmp_path: Path
) -> None:
    folder = host.service_files / "output"
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        last = edited(host, Q4, host.picture(), seed=85)[-1]
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert isinstance(last, Failed)
    assert (last.code, last.kind) == ("edit.node-failed", "SaveImage")
    assert "No space left" in last.title


def test_sample_pictures_lie_there_to_begin_with(host: EditHost) -> None:
    names = sorted(path.stem for path in (host.places.work / "pictures").iterdir())
    assert names == ["mug", "pose", "table"]


def test_somebody_else_interrupts(host: EditHost) -> None:
    host.mood("run-interrupted")
    last = edited(host, Q4, host.picture())[-1]
    assert isinstance(last, Interrupted)
    assert (last.asked, last.kind) == (False, "KSampler")


def test_a_mood_of_one_time_is_over_after_one_prompt(host: EditHost) -> None:
    host.control("service-odd", container=COMFY, error="run-oom", value=1)
    ends = [edited(host, Q4, host.picture(), seed=seed)[-1] for seed in (1, 2)]
    assert [type(end) for end in ends] == [Failed, Finished]


@pytest.mark.parametrize("mood", FETCHES)
def test_fetching_goes_wrong_and_goes_well_again(host: EditHost, mood: str) -> None:
    last = edited(host, Q4, host.picture(), seed=90)[-1]
    assert isinstance(last, Finished)
    calls = PromptCalls(WebClient(host.url(), patience=5))
    host.control("service-odd", container=COMFY, error=mood, value=1)
    if mood == "run-fetch-bomb":
        absurd = calls.fetch(last.outputs[0]).data
        assert len(absurd) < 5_000
        with pytest.raises(Image.DecompressionBombError):
            Image.open(io.BytesIO(absurd))
    else:
        with pytest.raises((ServiceFault, Exception)) as caught:  # each has its own
            calls.fetch(last.outputs[0], largest=8 << 20)
        assert not isinstance(caught.value, AssertionError)
    wait_until(lambda: listens(host), 15)
    assert calls.fetch(last.outputs[0]).data.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("mood", "stage"),
    [("run-dies-queued", "queued"), ("run-dies-sampling", "run"), ("run-dies-decoding", "run"),
     ("run-dies-upload", "upload")],
)  # fmt: skip
def test_the_process_dies_at_each_stage_and_its_policy_starts_it_again(
    tmp_path: Path, mood: str, stage: str
) -> None:
    with edit_host(tmp_path) as host:
        image = host.picture()
        host.mood(mood)
        if stage == "upload":
            with pytest.raises(ServiceFault):
                PromptCalls(WebClient(host.url())).upload(image.read_bytes())
        else:
            name = PromptCalls(WebClient(host.url())).upload(image.read_bytes())
            began = time.monotonic()
            run = ComfyRun(
                lambda: WebClient(host.url()), prompt(graph_of(host, Q4, name)), pace=QUICK
            )
            last = list(run.events())[-1]
            assert isinstance(last, Failed)
            assert last.code in {"edit.gone", "edit.restarted"}
            assert time.monotonic() - began < 10
        assert host.actor().restart_count >= 1
        wait_until(lambda: listens(host), 15, "its policy started it again")


def test_a_hanging_edit_can_be_broken_off(host: EditHost) -> None:
    host.mood("run-hangs")
    name = PromptCalls(WebClient(host.url())).upload(host.picture().read_bytes())
    run = ComfyRun(lambda: WebClient(host.url()), prompt(graph_of(host, Q4, name)), pace=QUICK)
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, Node):
            run.cancel()
    assert isinstance(events[-1], Interrupted)


def test_numbers_that_are_none_are_survived(host: EditHost) -> None:
    host.mood("run-nan")
    events = edited(host, Q4, host.picture(), seed=100)
    last = events[-1]
    assert isinstance(last, Finished)
    text = json.dumps(call(host.ports[COMFY], f"/history/{last.ident}").data)
    assert "NaN" in text
    assert "Infinity" in text


def test_a_full_queue_refuses_more(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="queue-full", pace=1.0) as host:
        port = host.ports[COMFY]
        refused = call(port, "/prompt", "POST", {"prompt": graph("example.png")})
        assert refused.status == 429
        assert refused.data["error"]["type"] == "queue_full"
        call(port, "/interrupt", "POST")
        assert call(port, "/prompt", "POST", {"prompt": graph("example.png")}).status == 200


def test_pictures_come_in_pieces_in_other_formats_and_with_a_mask(host: EditHost) -> None:
    port = host.ports[COMFY]
    path = "/view?filename=example.png&type=input"
    whole = call(port, path)
    piece = call(port, path, headers={"Range": "bytes=0-9"})
    assert (piece.status, piece.data) == (206, whole.data[:10])
    assert piece.headers["Content-Range"] == f"bytes 0-9/{len(whole.data)}"
    assert call(port, path, headers={"Range": "bytes=999999-"}).status == 416
    for wish, form in (("webp;70", "WEBP"), ("jpeg;50", "JPEG"), ("png", "WEBP")):
        shown = call(port, f"{path}&preview={wish}").data
        assert Image.open(io.BytesIO(shown)).format == form
    assert Image.open(io.BytesIO(call(port, f"{path}&channel=a").data)).mode == "L"
    mask = Image.new("RGBA", (192, 128), (0, 0, 0, 90))
    out = io.BytesIO()
    mask.save(out, "PNG")
    sent = posted(
        port, "/upload/mask", out.getvalue(), '{"filename": "example.png", "type": "input"}'
    )
    assert sent["name"] == "masked.png"
    masked = Image.open(host.service_files / "input" / "masked.png")
    assert masked.getpixel((3, 3))[3] == 90  # type: ignore[index]


def posted(port: int, path: str, content: bytes, original: str) -> Any:
    edge = "edge-of-a-form"
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="original_ref"\r\n\r\n{original}\r\n'
        f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="masked.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    connection.request("POST", path, body, kind)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_the_history_forgets_what_it_is_told_to(host: EditHost) -> None:
    port = host.ports[COMFY]
    first, second = (edited(host, Q4, host.picture(), seed=seed)[-1] for seed in (110, 111))
    assert isinstance(first, Finished)
    assert isinstance(second, Finished)
    call(port, "/history", "POST", {"delete": [first.ident]})
    assert call(port, f"/history/{first.ident}").data == {}
    assert second.ident in call(port, "/history").data
    call(port, "/history", "POST", {"clear": True})
    assert call(port, "/history").data == {}


def test_cues_count_requests(tmp_path: Path) -> None:
    with edit_host(tmp_path) as host:
        host.control("card-fault", card=1, request=2, of=COMFY)
        host.control("service-odd", container=COMFY, error="run-oom", value=1, request=1)
        assert isinstance(edited(host, Q4, host.picture(), seed=1)[-1], Finished)
        assert "fault" not in host.places.table.read_text()
        assert isinstance(edited(host, Q4, host.picture(), seed=2)[-1], Failed)
        wait_until(lambda: "GPU_IS_LOST" in host.places.table.read_text())


def test_an_engine_that_restarts_takes_its_containers_with_it_and_starts_them_again(
    tmp_path: Path,
) -> None:
    with edit_host(tmp_path) as host:
        before = host.actor().pid
        host.control("engine-restart", value=0.2)
        assert not host.actor().alive
        assert not host.places.engine_socket.exists()
        wait_until(lambda: host.actor().alive)
        assert host.actor().pid != before
        assert host.actor(FORGE).alive
        assert host.places.engine_socket.exists()


def test_what_an_edit_does_stands_in_the_containers_log(host: EditHost) -> None:
    edited(host, Q4, host.picture(), seed=120)
    said = host.look(
        lambda w: [
            line.text
            for line in w.stage.find(COMFY)
            .runs[-1]
            .lines(w.stage.find(COMFY).life, w.stage.now - 5, w.stage.now + 1)
        ]
    )
    assert "got prompt" in said
    assert any(text.startswith("Prompt executed in") for text in said)


@pytest.mark.parametrize("name", ["edit-oom", "comfyui-crashes", "flaky-edits", "odd-edits"])
def test_the_scenarios_of_edits_are_as_their_titles_say(tmp_path: Path, name: str) -> None:
    ends: list[type[AnyEvent]] = []
    with edit_host(tmp_path, scenario=name) as host:
        for seed in range(1, 4):
            wait_until(lambda: listens(host), 15)
            ends.append(type(edited(host, Q4, host.picture(), seed=seed)[-1]))
    wanted = {
        "edit-oom": [Failed] * 3,
        "comfyui-crashes": [Finished, Finished, Failed],
        "flaky-edits": [Finished] * 3,
        "odd-edits": [Finished, Failed, Finished],
    }
    assert ends == wanted[name]


def listens(host: EditHost) -> bool:
    try:
        return call(host.ports[COMFY], "/queue").status == 200
    except OSError:
        return False


def test_two_comfyuis_share_out_the_work_and_live_through_the_faults_of_a_load_run() -> None:
    scene = load_scenario("load-faults")
    assert {cue.do for cue in scene.script} == {
        "die", "engine-restart", "card-fault", "card-heal", "stop", "start",
    }  # fmt: skip
    assert [
        spec.card for spec in scene.containers.values() if spec.image == "comfyui-qwen:local"
    ] == [1, 0]


def test_two_comfyuis_are_ready_on_their_cards(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="two-comfyuis") as host:
        names = [
            call(host.ports[name], "/system_stats").data["devices"][0]["name"]
            for name in (COMFY, "comfyui-small")
        ]
        assert ["3090" in names[0], "3080" in names[1]] == [True, True]
        took = {}
        for name in (COMFY, "comfyui-small"):
            edited(host, "qwen-edit-2509-gguf-q4_0", host.picture(), seed=1, on=name)
            took[name] = sampling(host, name)
        assert took["comfyui-small"] > 1.3 * took[COMFY]


def test_an_edit_of_a_forge_changes_the_picture_and_takes_its_time(host: EditHost) -> None:
    port = host.ports[FORGE]
    token = {"Authorization": "Bearer rehearsal-token", "Content-Type": "application/json"}
    body = {
        "prompt": "a red house", "seed": 3, "steps": 20, "width": 128, "height": 96,
        "init_images": [base64.b64encode(a_png(128, 96)).decode()], "denoising_strength": 0.7,
    }  # fmt: skip
    answer = call(port, "/sdapi/v1/img2img", "POST", body, headers=token, timeout=20).data
    made = Image.open(io.BytesIO(base64.b64decode(answer["images"][0])))
    assert made.size == (128, 96)
    assert "Seed: 3" in made.text["parameters"]  # type: ignore[attr-defined]
    before = Image.open(io.BytesIO(a_png(128, 96))).convert("RGB")
    assert difference(before, made.convert("RGB")) > 10
    host.mood("run-oom", FORGE)
    failed = call(port, "/sdapi/v1/txt2img", "POST", body, headers=token, timeout=20)
    assert (failed.status, failed.data["error"]) == (500, "OutOfMemoryError")
    host.mood("", FORGE)


@pytest.mark.parametrize(
    ("mood", "status", "said"),
    [
        ("run-raises", 500, "mat1 and mat2"),
        ("run-disk-full", 500, "No space left"),
        ("run-queue-full", 429, "Queue is full"),
        ("run-interrupted", 200, '"ended": "interrupted"'),
        ("run-nan", 200, "NaN"),
        ("run-no-picture", 200, base64.b64encode(b"<html>").decode()),
    ],
)
def test_a_forge_goes_wrong_as_it_is_told(
    host: EditHost, mood: str, status: int, said: str
) -> None:
    host.control("service-odd", container=FORGE, error=mood, value=1)
    token = {"Authorization": "Bearer rehearsal-token", "Content-Type": "application/json"}
    body = {"prompt": "a house", "steps": 4, "width": 64, "height": 64}
    path = "/sdapi/v1/txt2img"
    answer = call(host.ports[FORGE], path, "POST", body, headers=token, timeout=20)
    assert answer.status == status
    assert said.replace('"', "") in json.dumps(answer.data).replace('"', "").replace("\\", "")
    well = call(host.ports[FORGE], path, "POST", body, headers=token, timeout=20)
    assert well.data["images"][0].startswith("iVBOR")


@pytest.mark.parametrize("mood", ["run-dies-sampling", "run-dies-queued", "run-lost-request"])
def test_a_forge_breaks_off_without_an_answer(tmp_path: Path, mood: str) -> None:
    with edit_host(tmp_path) as host:
        host.mood(mood, FORGE)
        token = {"Authorization": "Bearer rehearsal-token", "Content-Type": "application/json"}
        body = {"prompt": "a house", "steps": 60, "width": 512, "height": 512}
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            call(host.ports[FORGE], "/sdapi/v1/txt2img", "POST", body, headers=token, timeout=20)
        died = host.actor(FORGE).restart_count
        assert died == (0 if mood == "run-lost-request" else 1)


def test_a_job_of_somebodys_takes_the_card_too(host: EditHost) -> None:
    before = used(host)
    host.control("job", container=COMFY)
    wait_until(lambda: used(host) > before + 10)


def test_the_page_tells_every_mood_of_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rehearsal.md").read_text()
    told = page.partition("<!-- moods of runs:")[2].partition("<!-- end of moods of runs -->")[0]
    rows = [line.split("|")[1] for line in told.splitlines() if line.startswith("| `")]
    named = {word.strip(" `") for row in rows for word in row.split(",")}
    assert named == set(RUNS)
