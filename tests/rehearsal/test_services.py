"""Forge and ComfyUI of a rehearsal: they speak as the real ones, and live with their containers."""

import base64
import http.client
import json
import tomllib
from typing import Any

import msgspec
import pytest
from docker.api.client import APIClient

from console.config.load import load
from console.simulator.driver_table import parse_table
from console.simulator.held import HeldRehearsal, held_rehearsal
from console.simulator.scenario import load_scenario
from console.simulator.scene import GIB, MIB, Scene
from console.simulator.services.moods import ODD
from tests.edits.graphs import graph
from tests.rehearsal.support import RECORDED, call

SHAPES = json.loads((RECORDED.parent / "comfyui.json").read_text())
TOKEN = {"Authorization": "Bearer rehearsal-token"}
FREE = {"unload_models": True, "free_memory": True}


def used(host: HeldRehearsal, card: int = 1) -> float:
    cards = parse_table(host.table.read_text()).cards
    return (cards[card].memory_used or 0) / GIB


def stats(host: HeldRehearsal, name: str = "comfyui-qwen") -> dict[str, Any]:
    answer: dict[str, Any] = call(host.ports[name], "/system_stats").data
    return answer


def device(host: HeldRehearsal, name: str = "comfyui-qwen") -> dict[str, Any]:
    found: dict[str, Any] = stats(host, name)["devices"][0]
    return found


def queue(host: HeldRehearsal) -> tuple[int, int]:
    answer = call(host.ports["comfyui-qwen"], "/queue").data
    return len(answer["queue_running"]), len(answer["queue_pending"])


def progress(host: HeldRehearsal, name: str = "myia") -> dict[str, Any]:
    answer: dict[str, Any] = call(host.ports[name], "/sdapi/v1/progress", headers=TOKEN).data
    return answer


def refuses(port: int) -> bool:
    try:
        call(port, "/")
    except ConnectionRefusedError:
        return True
    return False


def lacking(real: Any, ours: Any, path: str = "") -> list[str]:
    """Name what a recorded answer has and ours lacks, or has as another kind."""
    if isinstance(real, dict):
        if not isinstance(ours, dict):
            return [f"{path}: no object"]
        return [
            fault
            for key, value in real.items()
            for fault in (
                lacking(value, ours[key], f"{path}.{key}") if key in ours else [f"{path}.{key}"]
            )
        ]
    if isinstance(real, list):
        if not isinstance(ours, list):
            return [f"{path}: no list"]
        return lacking(real[0], ours[0], f"{path}[]") if real and ours else []
    kind = type(ours).__name__
    return [] if kind == real or "NoneType" in {kind, real} else [f"{path}: {kind}, not {real}"]


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64"])
def test_comfyui_answers_in_the_shapes_of_both_real_ones(version: str) -> None:
    with held_rehearsal(with_version("comfyui-qwen", version)) as host:
        port = host.ports["comfyui-qwen"]
        for path, shape in SHAPES[version].items():
            if path == "nodes":
                continue
            for prefix in ("", "/api"):
                answer = call(port, prefix + path)
                assert answer.status == shape["status"], path
                if shape["status"] == 200:
                    assert lacking(shape["body"], answer.data, path) == []
        assert stats(host)["system"]["comfyui_version"] == version


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64"])
def test_its_nodes_have_the_inputs_and_outputs_of_the_real_ones(version: str) -> None:
    with held_rehearsal(with_version("comfyui-qwen", version)) as host:
        ours = call(host.ports["comfyui-qwen"], "/object_info").data
        real = SHAPES[version]["nodes"]
        for name, node in ours.items():
            assert list(node["input"]["required"]) == real[name]["required"], name
            assert list(node["input"].get("optional", {})) == real[name]["optional"], name
            assert node["output"] == real[name]["output"] or node["output_node"], name
        one = call(host.ports["comfyui-qwen"], "/object_info/UNETLoader").data
        assert one == {"UNETLoader": ours["UNETLoader"]}
        assert call(host.ports["comfyui-qwen"], "/object_info/Nothing").data == {}


def with_container(name: str, **changes: Any) -> Scene:
    scene = load_scenario("studio")
    changed = msgspec.structs.replace(scene.containers[name], **changes)
    return msgspec.structs.replace(scene, containers={**scene.containers, name: changed})


def with_version(name: str, version: str) -> Scene:
    service = load_scenario("studio").containers[name].service
    return with_container(name, service=msgspec.structs.replace(service, version=version))


def test_model_files_lie_where_the_config_says_and_are_listed_by_kind(
    studio: HeldRehearsal,
) -> None:
    port = studio.ports["comfyui-qwen"]
    models = studio.places.models / "diffusion_models"
    fp8 = "qwen_image_edit_2509_fp8_e4m3fn.safetensors"
    assert (models / fp8).stat().st_size == 20_430_698_424
    assert (models / fp8).stat().st_blocks * 512 < 1_000_000, "a header, and then a hole"
    assert call(port, "/models/diffusion_models").data == [fp8]
    assert "Qwen-Image-Edit-2509-Q4_K_M.gguf" in call(port, "/models/unet_gguf").data
    (models / "new.safetensors").write_bytes(b"")
    listed = call(port, "/object_info/UNETLoader").data["UNETLoader"]["input"]["required"]
    assert listed["unet_name"][0] == ["new.safetensors", fp8]
    assert (call(port, "/models/unet").status, call(port, "/models/nope").status) == (404, 404)


def test_the_figures_are_the_drivers_and_the_device_is_the_card_it_sits_on(
    studio: HeldRehearsal,
) -> None:
    studio.advance(1)
    card = parse_table(studio.table.read_text()).cards[1]
    comfy = device(studio)
    assert comfy["name"] == "cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync"
    assert comfy["vram_total"] == 24 * GIB
    free = (card.memory_total or 0) - (card.memory_used or 0) - (card.memory_reserved or 0)
    assert comfy["vram_free"] - comfy["torch_vram_free"] == free
    forge = call(studio.ports["myia-turbo"], "/sdapi/v1/memory", headers=TOKEN).data["cuda"]
    assert forge["system"]["free"] == free
    together = comfy["torch_vram_total"] + forge["reserved"]["current"]
    assert 0.5 < used(studio) - together / GIB < 1.2  # two CUDA contexts and the desktop


def test_studio_is_what_its_variant_says(studio: HeldRehearsal) -> None:
    studio.advance(105)
    held = device(studio)["torch_vram_total"] + 0.4 * GIB
    assert held / GIB == pytest.approx(13.7, abs=0.05)
    config = tomllib.loads((studio.places.config_home / "gpuconsole/config.toml").read_text())
    assert config["services"]["comfyui-qwen"]["variant"] == "qwen-edit-2509-gguf-q4_k_m"
    for name, service in config["services"].items():
        assert service["url"] == f"http://127.0.0.1:{studio.ports[name]}"
    assert config["layouts"]["exclusive"]["services"] == ["myia", "comfyui-qwen"]
    dual = config["layouts"]["dual"]
    assert dual["services"] == ["myia", "myia-turbo", "comfyui-qwen"]
    assert dual["variants"] == {"comfyui-qwen": "qwen-edit-2509-gguf-q4_0"}


def test_the_program_reads_the_config_without_a_finding(studio: HeldRehearsal) -> None:
    loaded = load(studio.places.config_home / "gpuconsole" / "config.toml")
    assert loaded.findings == ()
    auth = loaded.settings.services["myia"].auth
    assert auth is not None
    assert auth.file is not None
    assert auth.file.stat().st_mode & 0o777 == 0o600
    assert auth.file.read_text() == "rehearsal-token\n"
    for service in loaded.settings.services.values():
        assert service.compose_file is not None
        assert service.compose_file.is_file()


def test_a_job_comes_and_goes_with_the_containers_life(studio: HeldRehearsal) -> None:
    assert queue(studio) == (1, 0)
    running = call(studio.ports["comfyui-qwen"], "/queue").data["queue_running"][0]
    assert running[3]["create_time"] / 1000 < studio.clock.now().timestamp()
    studio.advance(101)
    assert queue(studio) == (0, 0)
    assert call(studio.ports["comfyui-qwen"], "/prompt").data == {
        "exec_info": {"queue_remaining": 0}
    }
    studio.advance(50)
    assert queue(studio) == (1, 0)
    again = call(studio.ports["comfyui-qwen"], "/queue").data["queue_running"][0]
    assert again[1] != running[1]


def test_forge_tells_how_far_it_is(studio: HeldRehearsal) -> None:
    seen = []
    for _ in range(40):
        seen.append(progress(studio))
        studio.advance(3)
    idle = [one for one in seen if one["state"]["job_count"] == 0]
    busy = [one for one in seen if one["state"]["job_count"] == 1]
    assert idle
    assert all(one["progress"] == 0 and one["eta_relative"] == 0 for one in idle)
    steps = [one["state"]["sampling_step"] for one in busy]
    assert len(set(steps)) > 5
    assert {one["state"]["sampling_steps"] for one in busy} == {20}
    assert all(0 <= one["progress"] <= 1 for one in busy)


def test_free_gives_the_vram_back_until_the_next_job_loads_again(studio: HeldRehearsal) -> None:
    studio.advance(101)
    before = used(studio)
    assert call(studio.ports["comfyui-qwen"], "/free", "POST", FREE) == (200, b"", call(
        studio.ports["comfyui-qwen"], "/free", "POST", FREE).headers)  # fmt: skip
    assert before - used(studio) > 12
    assert device(studio)["torch_vram_total"] == 0
    studio.advance(40)
    assert device(studio)["torch_vram_total"] == 0
    studio.advance(12)
    assert queue(studio) == (1, 0)
    assert 0 < device(studio)["torch_vram_total"] < 12 * GIB
    studio.advance(20)
    assert device(studio)["torch_vram_total"] > 12.5 * GIB


def test_free_in_mid_job_waits_for_the_job(studio: HeldRehearsal) -> None:
    assert queue(studio) == (1, 0)
    call(studio.ports["comfyui-qwen"], "/free", "POST", FREE)
    assert device(studio)["torch_vram_total"] > 12 * GIB
    studio.advance(101)
    assert queue(studio) == (0, 0)
    assert device(studio)["torch_vram_total"] == 0


def test_unloading_forges_checkpoint_gives_its_vram_back(studio: HeldRehearsal) -> None:
    while progress(studio)["state"]["job_count"]:
        studio.advance(5)
    before = used(studio, 0)
    answer = call(studio.ports["myia"], "/sdapi/v1/unload-checkpoint", "POST", {}, headers=TOKEN)
    assert (answer.status, answer.data) == (200, {})
    assert before - used(studio, 0) > 4.5
    memory = call(studio.ports["myia"], "/sdapi/v1/memory", headers=TOKEN).data
    assert memory["cuda"]["reserved"]["current"] == 0


def test_interrupt_ends_the_job_at_once_and_the_card_rests(studio: HeldRehearsal) -> None:
    port = studio.ports["comfyui-qwen"]
    ident = call(port, "/queue").data["queue_running"][0][1]
    call(port, "/interrupt", "POST", {"prompt_id": "another"})
    assert queue(studio) == (1, 0)
    assert call(port, "/interrupt", "POST").status == 200
    assert queue(studio) == (0, 0)
    history = call(port, f"/history/{ident}").data[ident]
    assert history["status"]["status_str"] == "error"
    assert "execution_interrupted" in [name for name, _ in history["status"]["messages"]]
    table = parse_table(studio.table.read_text()).cards[1]
    assert table.utilization == 0
    assert call(port, "/interrupt", "POST").status == 200


def test_jobs_wait_their_turn_and_are_worked_off(studio: HeldRehearsal) -> None:
    port = studio.ports["comfyui-qwen"]
    studio.control("job", container="comfyui-qwen", value=2)
    body = {"prompt": graph("example.png", steps=8), "client_id": "me"}
    mine = call(port, "/prompt", "POST", body).data
    assert mine["node_errors"] == {}
    assert queue(studio) == (1, 3)
    studio.advance(101)
    assert queue(studio) == (1, 2)
    call(port, "/interrupt", "POST")
    assert queue(studio) == (1, 1)
    call(port, "/queue", "POST", {"delete": ["nobody"]})
    studio.advance(111)
    running = call(port, "/queue").data["queue_running"][0]
    assert (running[1], running[3]["client_id"]) == (mine["prompt_id"], "me")
    spent = 0
    while not call(port, f"/history/{mine['prompt_id']}").data:
        studio.advance(2)
        spent += 2
    assert 20 < spent < 90
    assert queue(studio) == (0, 0)
    assert call(port, f"/history/{mine['prompt_id']}").data[mine["prompt_id"]]["status"][
        "completed"
    ]
    studio.control("job", container="comfyui-qwen", value=3)
    call(port, "/queue", "POST", {"clear": True})
    assert queue(studio) == (1, 0)


@pytest.mark.parametrize(
    ("body", "status", "sort"),
    [
        ("", 400, "no_prompt"),
        ({"prompt": {}}, 400, "prompt_no_outputs"),
        ({"prompt": {"1": {"class_type": "Nothing"}}}, 400, "missing_node_type"),
        ({"prompt": {"1": {"class_type": "SaveImage"}}, "prompt_id": "x"}, 400,
         "invalid_prompt_id"),
        ({"prompt": []}, 500, None),
        ("no json", 500, None),
    ],
)  # fmt: skip
def test_a_wrong_graph_is_refused_as_comfyui_does(
    studio: HeldRehearsal, body: Any, status: int, sort: str | None
) -> None:
    answer = call(studio.ports["comfyui-qwen"], "/prompt", "POST", body)
    assert answer.status == status
    if sort:
        assert answer.data["error"]["type"] == sort


def test_a_page_of_another_site_may_not_ask(studio: HeldRehearsal) -> None:
    port = studio.ports["comfyui-qwen"]
    assert call(port, "/system_stats", headers={"Origin": "http://evil.example"}).status == 403
    assert call(port, "/system_stats", headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert call(port, "/system_stats", headers={"Origin": f"http://127.0.0.1:{port}"}).status == 200
    assert call(port, "/prompt", "PUT").status == 405
    assert call(port, "/nope").status == 404


def test_the_front_lets_in_who_has_the_token(studio: HeldRehearsal) -> None:
    port = studio.ports["myia"]
    away = call(port, "/internal/ping")
    assert away.status == 302
    assert away.headers["Location"].startswith("http://127.0.0.1:1111/login")
    assert call(port, "/internal/ping", headers={"Authorization": "Bearer wrong"}).status == 302
    assert call(port, "/internal/ping", headers=TOKEN).data == {}
    assert call(port, "/internal/ping?token=rehearsal-token").data == {}
    assert (
        call(port, "/internal/ping", headers={"Cookie": "ai_dock_token=rehearsal-token"}).data == {}
    )
    assert call(port, "/ai-dock/health-check").status == 200
    flags = call(port, "/sdapi/v1/cmd-flags", headers=TOKEN).data
    assert ":" in flags["gradio_auth"]
    assert flags["gpu_device_id"] == 0
    options = call(port, "/sdapi/v1/options", headers=TOKEN).data
    assert options["sd_model_checkpoint"].startswith("juggernautXL_v9.safetensors [")
    models = call(port, "/sdapi/v1/sd-models", headers=TOKEN).data
    assert models[0]["title"] == options["sd_model_checkpoint"]
    assert call(port, "/sdapi/v1/sd-modules", headers=TOKEN).data[0].keys() == {
        "model_name",
        "filename",
    }
    assert call(port, "/sdapi/v1/nope", headers=TOKEN).data == {"detail": "Not Found"}
    assert call(port, "/sdapi/v1/memory", "POST", headers=TOKEN).status == 405


def test_basic_logins_count_where_they_were_set_up() -> None:
    plain = load_scenario("studio").containers["myia"].service
    service = msgspec.structs.replace(plain, basic=True)
    login = {"Authorization": "Basic " + base64.b64encode(b"user:rehearsal-password").decode()}
    with held_rehearsal("studio") as host:
        assert call(host.ports["myia"], "/internal/ping", headers=login).status == 302
    with held_rehearsal(with_container("myia", service=service)) as host:
        assert call(host.ports["myia"], "/internal/ping", headers=login).data == {}
    env = {"WEB_ENABLE_AUTH": "false", "FORGE_ARGS": "--api --api-auth user:rehearsal-password"}
    with held_rehearsal(with_container("myia", env=env)) as host:
        port = host.ports["myia"]
        assert call(port, "/internal/ping").data == {}
        refused = call(port, "/sdapi/v1/memory")
        assert (refused.status, refused.data["detail"]) == (401, "Incorrect username or password")
        assert call(port, "/sdapi/v1/memory", headers=login).status == 200


def test_the_newest_forge_names_its_task() -> None:
    with held_rehearsal(with_version("myia", "newest")) as host:
        assert "current_task" in progress(host)
    with held_rehearsal("studio") as host:
        assert "current_task" not in progress(host)


def test_a_service_is_there_exactly_while_its_container_runs(studio: HeldRehearsal) -> None:
    api = APIClient(studio.address, version="auto", timeout=10)
    port = studio.ports["comfyui-qwen"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/queue")
    connection.getresponse().read()
    api.stop("comfyui-qwen")
    assert refuses(port)
    assert connection.sock is None or connection.sock.recv(1) == b""
    connection.close()
    api.start("comfyui-qwen")
    assert refuses(port)  # until ComfyUI is ready
    studio.advance(8)
    assert queue(studio) == (0, 0)
    api.kill("comfyui-qwen")
    assert refuses(port)
    api.start("comfyui-qwen")
    studio.advance(8)
    assert call(port, "/history").data == {}
    api.close()


def test_a_restarted_forge_says_that_it_is_not_there_yet(studio: HeldRehearsal) -> None:
    port = studio.ports["myia"]
    studio.control("stop", container="myia")
    studio.advance(3)
    assert refuses(port)
    studio.control("start", container="myia")
    assert call(port, "/internal/ping", headers=TOKEN).status == 502
    assert call(port, "/ai-dock/health-check").status == 200
    studio.advance(24)
    assert call(port, "/internal/ping", headers=TOKEN).data == {}


def test_a_frozen_container_takes_connections_and_never_answers(studio: HeldRehearsal) -> None:
    api = APIClient(studio.address, version="auto", timeout=10)
    port = studio.ports["comfyui-qwen"]
    api.pause("comfyui-qwen")
    with pytest.raises(TimeoutError):
        call(port, "/queue", timeout=0.2)
    api.unpause("comfyui-qwen")
    assert call(port, "/queue").status == 200
    api.close()


@pytest.mark.parametrize("odd", ODD)
def test_it_misbehaves_on_cue_and_heals(studio: HeldRehearsal, odd: str) -> None:
    port = studio.ports["comfyui-qwen"]
    studio.control("service-odd", container="comfyui-qwen", error=odd)
    if odd == "cut":
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            call(port, "/system_stats")
    elif odd == "garbage":
        with pytest.raises(ValueError, match=r".+"):
            call(port, "/system_stats")
    else:
        answer = call(port, "/system_stats")
        told = {
            "html": answer.headers.get("Content-Type", "").startswith("text/html"),
            "huge": answer.status == 200 and len(json.dumps(answer.data))
            > 10 * MIB if odd == "huge" else False,
            "wrong-types": odd == "wrong-types" and answer.data["system"] == ["no"],
            "redirect-loop": answer.headers.get("Location") == "/system_stats",
            "error": answer.status == 500,
        }  # fmt: skip
        assert told[odd]
    studio.control("service-heal", container="comfyui-qwen")
    assert call(port, "/queue").status == 200


def test_a_hanging_service_holds_up_nobody_else_and_fails_its_health_check(
    studio: HeldRehearsal,
) -> None:
    studio.control("service-hang", container="comfyui-qwen")
    with pytest.raises(TimeoutError):
        call(studio.ports["comfyui-qwen"], "/queue", timeout=0.2)
    assert call(studio.ports["myia"], "/internal/ping", headers=TOKEN).status == 200
    studio.advance(120)
    api = APIClient(studio.address, version="auto", timeout=10)
    state = api.inspect_container("comfyui-qwen")["State"]
    assert state["Health"]["Status"] == "unhealthy"
    api.restart("comfyui-qwen")
    studio.advance(8)
    assert queue(studio) == (0, 0)
    api.close()


def test_no_service_is_ever_in_a_mood_that_is_unknown(studio: HeldRehearsal) -> None:
    with pytest.raises(ValueError, match="no service is ever"):
        studio.control("service-odd", container="comfyui-qwen", error="sulky")
    studio.control("service-hang", container="nobody")


def test_stuck_vram_outlives_its_container(studio: HeldRehearsal) -> None:
    before = used(studio)
    studio.control("vram-stuck", container="comfyui-qwen")
    studio.control("stop", container="comfyui-qwen")
    studio.advance(2)
    assert used(studio) == pytest.approx(before, abs=0.3)
    studio.control("vram-back", container="comfyui-qwen")
    assert before - used(studio) > 12


def test_on_native_linux_the_driver_names_the_dead_process_that_still_holds_it() -> None:
    with held_rehearsal("native") as host:
        host.control("vram-stuck", container="comfyui-qwen")
        ident = host.look(lambda world: world.stage.find("comfyui-qwen").id)
        host.control("kill", container="comfyui-qwen")
        host.advance(2)
        card = parse_table(host.table.read_text()).cards[1]
        pids = {process.pid for process in card.processes}
        owners = {pid: (host.places.root / f"proc/{pid}/cgroup").read_text() for pid in pids}
        assert any(ident in text for text in owners.values())


def told(seed: int, steps: list[float]) -> Any:
    with held_rehearsal("studio", seed) as host:
        host.control("job", container="comfyui-qwen", value=2)
        for step in steps:
            host.advance(step)
        call(host.ports["comfyui-qwen"], "/interrupt", "POST")
        host.advance(30)
        parts = [call(host.ports["comfyui-qwen"], path).data for path in ("/queue", "/history")]
        return json.dumps([parts, stats(host), progress(host)])


def edited(steps: list[float]) -> Any:
    """Give what is told of two edits of ours, one after the other."""
    idents = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(2)]
    with held_rehearsal("edits", 3) as host:
        port = host.ports["comfyui-qwen"]
        for number, ident in enumerate(idents):
            made = {"prompt": graph("example.png", seed=number, steps=8), "prompt_id": ident}
            assert call(port, "/prompt", "POST", made).status == 200
        for step in steps:
            host.advance(step)
        told = [call(port, path).data for path in ("/queue", "/history", "/api/jobs")]
        return json.dumps([told, stats(host), used(host)])


def test_how_often_one_looks_changes_nothing_of_edits_either() -> None:
    assert edited([150.0]) == edited([15.0] * 10) == edited([2.5] * 60)


def test_how_often_one_looks_changes_no_answer() -> None:
    assert told(3, [120.0]) == told(3, [20.0] * 6) == told(3, [7.5] * 16)
