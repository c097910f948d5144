"""Services of the config meet their containers; the others are found; names mean the right one."""

from pathlib import Path
from typing import Any

import pytest

from actions.services.find import container_of, service_named, services_of
from actions.services.snapshot import Service
from actions.services.targets import targets_of
from console.config.schema import Settings
from console.engine.snapshot import Compose, Container
from tests.actions.build import make_container
from tests.services.build import comfyui, forge, ident, made_by, port, settings

CONFIG = """
[services.qwen]
kind = "comfyui"
container = "comfyui-qwen"
url = "http://127.0.0.1:8188/"
gpu = "3090"
variant = "qwen-edit-2509-fp8"
auth = { scheme = "bearer", env = "COMFY_TOKEN" }
[services.myia]
kind = "forge"
compose_file = "/srv/sd/docker-compose.yml"
compose_service = "forge"
vram_budget = "8 GiB"
[services.cloud]
kind = "comfyui"
url = "https://comfy.example.org"
"""


def found(text: str, *containers: Container) -> dict[str, Service]:
    return {one.name: one for one in services_of(settings(text), containers)}


def test_the_config_comes_first_in_its_order_then_what_was_discovered_by_name() -> None:
    others = (forge("zoe"), forge("adam"))
    services = services_of(settings(CONFIG), (*others, comfyui(), forge("sd-forge-1")))
    assert [one.name for one in services] == ["qwen", "myia", "cloud", "adam", "sd-forge-1", "zoe"]
    assert [one.source for one in services] == ["config"] * 3 + ["discovered"] * 3
    assert services[3].reasons
    assert not services[0].reasons


def test_a_service_keeps_what_the_config_says_and_learns_where_its_container_is_from() -> None:
    qwen = found(CONFIG, comfyui())["qwen"]
    assert (qwen.container, qwen.url, qwen.url_source) == (
        "comfyui-qwen", "http://127.0.0.1:8188", "config",
    )  # fmt: skip
    assert (qwen.gpu, qwen.variant) == ("3090", "qwen-edit-2509-fp8")
    assert qwen.compose_file == Path("/srv/comfyui/docker-compose.yml")
    assert (qwen.compose_project, qwen.compose_service) == ("comfyui", "comfyui")
    assert qwen.compose_dir == Path("/srv/comfyui")


def test_a_compose_service_finds_its_container_whatever_it_is_called() -> None:
    made = forge("sd-forge-1", compose=made_by("sd", "forge"))
    stranger = forge("forge", compose=made_by("other", "forge"))
    services = found(CONFIG, stranger, made)
    assert services["myia"].container == "sd-forge-1"
    assert services["forge"].source == "discovered"


def test_a_compose_file_is_the_same_by_a_link_or_from_its_projects_folder(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    text = (
        f'[services.x]\nkind = "forge"\ncompose_file = "{tmp_path}/link/c.yml"\n'
        'compose_service = "forge"\n'
    )
    for folder, name in ((str(real), "c.yml"), (str(real / "sub"), "../c.yml")):
        made = Compose(project="p", service="forge", working_dir=folder, config_files=("a", name))
        assert found(text, forge("f", compose=made))["x"].container == "f"
    other = Compose(
        project="p", service="forge", working_dir=str(tmp_path), config_files=("c.yml",)
    )
    assert found(text, forge("f", compose=other))["x"].container == ""


def test_of_several_that_compose_made_the_one_that_runs_is_it() -> None:
    old = forge("a-forge-1", state="exited", compose=made_by("sd", "forge"))
    runs = forge("b-forge-2", compose=made_by("sd", "forge"))
    once = forge(
        "0", compose=made_by("sd", "forge"), labels=(("com.docker.compose.oneoff", "True"),)
    )
    assert found(CONFIG, old, once, runs)["myia"].container == "b-forge-2"


def test_a_compose_service_of_two_projects_is_nobody_in_particular() -> None:
    text = '[services.myia]\nkind = "forge"\ncompose_service = "forge"\n'
    one, two = forge("a", compose=made_by("a", "forge")), forge("b", compose=made_by("b", "forge"))
    assert found(text, one)["myia"].container == "a"
    assert found(text, one, two)["myia"].container == ""


def test_a_service_with_only_a_url_is_the_container_of_its_name_if_there_is_one() -> None:
    text = '[services.myia]\nkind = "forge"\nurl = "http://127.0.0.1:7860"\n'
    assert found(text, forge("myia"))["myia"].container == "myia"
    assert found(text, forge("other"))["myia"].container == ""


def test_a_named_container_that_is_gone_is_not_replaced_by_another() -> None:
    text = '[services.myia]\nkind = "forge"\ncontainer = "myia-old"\n'
    services = found(text, forge("myia"))
    assert services["myia"].container == "myia-old"
    # The config's name wins: two services of one name would be one too many.
    assert list(services) == ["myia"]


def test_a_container_of_a_configured_service_is_not_discovered_again() -> None:
    assert list(found(CONFIG, comfyui())) == ["qwen", "myia", "cloud"]


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"ports": (port(7860, 7861),)}, "http://127.0.0.1:7861"),
        ({"ports": (port(7860, 7860), port(17860, 17999))}, "http://127.0.0.1:17999"),
        ({"ports": (port(1111, 1111), port(3000, 3001))}, "http://127.0.0.1:3001"),
        ({"ports": (port(1111, 1111),)}, ""),
        ({"ports": (port(7860),)}, ""),
        ({"ports": (), "network_mode": "host"}, "http://127.0.0.1:7860"),
        ({"state": "exited"}, ""),
    ],
)
def test_a_discovered_service_is_reached_by_its_published_port(
    changes: dict[str, Any], url: str
) -> None:
    service = found("", forge("myia", **changes))["myia"]
    assert service.url == url
    assert service.url_source == ("port" if url else "")


def test_the_port_of_its_command_decides_on_the_hosts_network() -> None:
    one = comfyui("c", "--port", "9001", ports=(), network_mode="host")
    assert found("", one)["c"].url == "http://127.0.0.1:9001"


def test_a_port_published_on_one_address_is_reached_there() -> None:
    from console.engine.snapshot import Port

    def on(address: str) -> str:
        bound = Port(container_port=8188, protocol="tcp", host_ip=address, host_port=8188)
        return found("", comfyui("c", ports=(bound,)))["c"].url

    assert on("192.168.7.5") == "http://192.168.7.5:8188"
    assert on("::") == "http://127.0.0.1:8188"
    assert on("::1") == "http://[::1]:8188"


def test_names_and_ids_of_a_services_container_mean_the_service() -> None:
    containers = (comfyui(), forge("sd-forge-1", compose=made_by("sd", "forge")),
                  make_container("caddy"))  # fmt: skip
    services = services_of(settings(CONFIG), containers)

    def named(name: str) -> str | None:
        one = service_named(services, containers, name)
        return one.name if one is not None else None

    assert named("myia") == "myia"
    assert named("sd-forge-1") == "myia"
    assert named("/comfyui-qwen") == "qwen"
    assert named(ident("comfyui-qwen")) == "qwen"
    assert named(ident("comfyui-qwen")[:12].upper()) == "qwen"
    assert named("caddy") is None
    assert named(ident("caddy")[:12]) is None
    assert named("") is None
    assert named("nobody") is None


def test_the_beginning_of_two_ids_means_no_service() -> None:
    one, two = comfyui("a"), comfyui("b", id="6" + ident("a")[1:])
    services = services_of(Settings(), (one, two))
    assert service_named(services, (one, two), "6") is None
    assert service_named(services, (one, two), "a") == services[0]


def test_a_container_that_is_gone_still_means_its_service() -> None:
    services = services_of(settings(CONFIG), ())
    one = service_named(services, (), "comfyui-qwen")
    assert one is not None
    assert one.name == "qwen"
    assert container_of(one, ()) is None


def test_only_who_runs_is_asked_and_who_needs_no_container() -> None:
    stopped = comfyui(state="exited")
    services = services_of(settings(CONFIG), (stopped,))
    targets = {one.name: one for one in targets_of(services, (stopped,))}
    assert not targets["qwen"].running
    assert not targets["myia"].running
    assert targets["cloud"].running
    assert targets["qwen"].scheme == "bearer"
    assert targets["qwen"].secret_env == "COMFY_TOKEN"
    runs = comfyui()
    (target, *_) = targets_of(services_of(settings(CONFIG), (runs,)), (runs,))
    assert target.running
    assert (target.container_id, target.url) == (runs.id, "http://127.0.0.1:8188")
    assert target.started_at == runs.started_at.isoformat()  # type: ignore[union-attr]


def test_without_the_engine_everybody_with_an_address_is_asked() -> None:
    services = services_of(settings(CONFIG), ())
    asked = {one.name for one in targets_of(services, (), engine_known=False) if one.running}
    assert asked == {"qwen", "myia", "cloud"}
