"""The scenarios about services: each shows what its title says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient

from console.simulator.casting import kind_of
from console.simulator.driver_table import parse_table
from console.simulator.held import HeldRehearsal, held_rehearsal
from console.simulator.scenario import scenario_names
from console.simulator.scene import GIB
from tests.rehearsal.support import call

TOKEN = {"Authorization": "Bearer rehearsal-token"}


def config(host: HeldRehearsal) -> dict[str, Any]:
    return tomllib.loads((host.places.config_home / "gpuconsole/config.toml").read_text())


def runs(host: HeldRehearsal, container: str) -> bool:
    return host.look(
        lambda world: any(
            actor.name == container and actor.status == "running"
            for actor in world.stage.actors.values()
        )
    )


@pytest.mark.parametrize("name", sorted({*scenario_names()} - {"hung-service"}))
def test_every_service_that_is_up_can_be_asked(name: str) -> None:
    with held_rehearsal(name) as host:
        host.advance(3)
        scene = host.look(lambda world: world.scene)
        for container, port in host.ports.items():
            forge = kind_of(scene.containers[container]) == "forge"
            try:
                status = call(port, "/internal/ping" if forge else "/queue", headers=TOKEN).status
            except ConnectionRefusedError:
                assert not runs(host, container), container
            else:
                assert status in {200, 502}


def test_the_hung_one_is_unhealthy_when_the_scene_opens() -> None:
    with held_rehearsal("hung-service") as host:
        api = APIClient(host.address, version="auto")
        state = api.inspect_container("comfyui-qwen")["State"]
        assert (state["Running"], state["Health"]["Status"]) == (True, "unhealthy")
        api.close()
        with pytest.raises(TimeoutError):
            call(host.ports["comfyui-qwen"], "/system_stats", timeout=0.2)
        assert call(host.ports["myia"], "/internal/ping", headers=TOKEN).status == 502
        odd = call(host.ports["myia-turbo"], "/internal/ping", headers=TOKEN)
        assert odd.headers["Content-Type"].startswith("text/html")
        host.control("stop", container="comfyui-qwen")
        host.advance(2)
        host.control("start", container="comfyui-qwen")
        host.advance(8)
        assert call(host.ports["comfyui-qwen"], "/queue").status == 200


def test_provisioning_goes_through_ai_docks_stages() -> None:
    with held_rehearsal("provisioning") as host:
        port = host.ports["myia"]
        seen: list[tuple[int, str]] = []
        for _ in range(80):
            answer = call(port, "/internal/ping", headers=TOKEN)
            text = answer.data.decode() if isinstance(answer.data, bytes) else "{}"
            stage = next((s for s in ("sync", "preflight", "provisioning") if f">{s}<" in text), "")
            if (answer.status, stage) not in seen:
                seen.append((answer.status, stage))
            host.advance(5)
        assert seen == [(200, "sync"), (200, "preflight"), (200, "provisioning"), (502, ""),
                        (200, "")]  # fmt: skip
        assert call(port, "/internal/ping", headers=TOKEN).data == {}


def test_the_expired_token_leads_to_the_login() -> None:
    with held_rehearsal("needs-auth") as host:
        file = config(host)["services"]["myia"]["auth"]["file"]
        token = Path(file).read_text().strip()
        answer = call(
            host.ports["myia"], "/internal/ping", headers={"Authorization": f"Bearer {token}"}
        )
        assert (answer.status, ":1111/login" in answer.headers["Location"]) == (302, True)
        assert call(host.ports["myia-turbo"], "/internal/ping", headers=TOKEN).status == 200


def test_both_are_meant_for_two_cards_and_one_is_observed() -> None:
    with held_rehearsal("both-on-one-card") as host:
        meant = [config(host)["services"][name]["gpu"] for name in ("myia", "myia-turbo")]
        assert len(set(meant)) == 2
        for name in ("myia", "myia-turbo"):
            total = call(host.ports[name], "/sdapi/v1/memory", headers=TOKEN).data["cuda"]["system"]
            assert total["total"] == 24 * GIB


def test_the_full_card_has_no_room_for_fp8_anywhere() -> None:
    with held_rehearsal("full-card") as host:
        service = config(host)["services"]["comfyui-qwen"]
        assert service["variant"] == "qwen-edit-2509-fp8"
        card = parse_table(host.table.read_text()).cards[1]
        free = (card.memory_total or 0) - (card.memory_used or 0) - (card.memory_reserved or 0)
        assert free < 20_430_698_424
        available = int((host.places.root / "proc/meminfo").read_text().split()[7]) * 1024
        assert available < 9_384_670_680 + 3 * 10**9  # the text encoder and a process
        free_of_all = (card.memory_total or 0) - (card.memory_reserved or 0)
        assert free_of_all > 22 * GIB  # on an empty host it fits


def test_stuck_vram_stays_after_a_stop() -> None:
    with held_rehearsal("stuck-vram") as host:
        host.advance(1)
        before = parse_table(host.table.read_text()).cards[1].memory_used or 0
        host.control("stop", container="comfyui-qwen")
        host.advance(30)
        after = parse_table(host.table.read_text()).cards[1].memory_used or 0
        assert abs(before - after) < GIB
        host.control("vram-back", container="comfyui-qwen")
        last = parse_table(host.table.read_text()).cards[1].memory_used or 0
        assert after - last > 12 * GIB


def test_the_absent_one_is_in_the_config_and_in_a_compose_file_only() -> None:
    with held_rehearsal("no-comfyui") as host:
        api = APIClient(host.address, version="auto")
        assert len(api.containers(all=True)) == 4
        assert any("comfyui-qwen:local" in (i["RepoTags"] or []) for i in api.images())
        api.close()
        service = config(host)["services"]["comfyui-qwen"]
        assert "container_name: comfyui-qwen" in Path(service["compose_file"]).read_text()


def test_on_native_linux_docker_lets_in_only_the_card_that_was_asked_for() -> None:
    with held_rehearsal("native") as host:
        devices = call(host.ports["comfyui-qwen"], "/system_stats").data["devices"]
        assert [d["name"] for d in devices] == ["cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync"]


def test_a_layout_of_services_that_are_not_there_is_left_out() -> None:
    with held_rehearsal("one-card") as host:
        assert set(config(host)["services"]) == {"comfyui-qwen"}
        assert "layouts" not in config(host)
