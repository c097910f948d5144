"""Forge and ComfyUI are found among the containers; what only stands beside them is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.services.recognise import image_words, port_flag, recognise
from console.engine.snapshot import Container, GpuDeclaration
from tests.actions.build import make_container
from tests.services.build import ALL, comfyui, forge, made_by, port


def kind_of(container: Container) -> str | None:
    found = recognise(container)
    return found.kind if found is not None else None


def run(
    name: str,
    image: str,
    *arguments: str,
    environment: tuple[tuple[str, str], ...] = (),
    gpu: bool = True,
    **changes: Any,
) -> Container:
    declaration = GpuDeclaration(
        requests=(ALL,) if gpu else (), environment=environment, arguments=arguments
    )
    return make_container(name, image=image, gpu=declaration, **changes)


def test_the_containers_of_the_studio_are_recognised_and_say_by_what() -> None:
    found = recognise(forge())
    assert found is not None
    assert found.kind == "forge"
    assert "its environment has FORGE_ARGS" in found.reasons
    assert found.reasons[0].startswith("its image is ")
    found = recognise(comfyui())
    assert found is not None
    assert found.kind == "comfyui"
    assert "it has port 8188, as ComfyUI does" in found.reasons


@pytest.mark.parametrize(
    ("container", "kind"),
    [
        (run("a", "yanwk/comfyui-boot:cu124-slim"), "comfyui"),
        (run("a", "ghcr.io/ai-dock/comfyui:latest-cuda", "init.sh"), "comfyui"),
        (run("a", "local", "python", "main.py", "--cuda-device", "0"), "comfyui"),
        (run("a", "local", "sh", "-c", "cd /app && python3 main.py --lowvram"), "comfyui"),
        (run("a", "local", "python", "/opt/ComfyUI/main.py"), "comfyui"),
        (run("a", "local", "python", "main.py", "--listen", "--port", "8188"), "comfyui"),
        (run("images", "ai:2", ports=(port(8188, 9000),)), "comfyui"),
        (run("a", "local", "python", "launch.py", "--api"), "forge"),
        (run("a", "local", "bash", "webui.sh", "--listen", gpu=False), "forge"),
        (run("a", "example/forge:1", ports=(port(7860, 7861),), gpu=False), "forge"),
        (run("a", "local", "init.sh", environment=(("FORGE_ARGS", "--api"),)), "forge"),
        (run("a", "ai:2", compose=made_by("sd", "forge")), "forge"),
        (run("a", "ai:2", compose=made_by("sd", "comfyui"), state="exited"), "comfyui"),
    ],
)
def test_each_hint_that_is_strong_enough_counts(container: Container, kind: str) -> None:
    assert kind_of(container) == kind


@pytest.mark.parametrize(
    "container",
    [
        run("caddy", "caddy:2-alpine", ports=(port(8188, 8188), port(7860, 7860)), gpu=False),
        run("comfyui-backup", "registry.local/comfyui-backup:1", gpu=False),
        run("forge-exporter", "forge-exporter", ports=(port(9100, 9100),)),
        run("comfyui-proxy", "edge:3", ports=(port(8188, 8188),), gpu=False),
        run("db", "postgres:16", compose=made_by("comfyui", "comfyui-db"), gpu=False),
        run("comfyui", "alpine/socat", ports=(port(8188, 8188),), gpu=False),
        run("forge", "codeberg.org/forgejo/forgejo:9", gpu=False),
        run("minecraft-forge", "itzg/minecraft-server", gpu=False),
        run("notebook", "jupyter:1", ports=(port(8888, 8888),)),
        run("chat", "text-generation:1", "python", "server.py", ports=(port(7860, 7860),)),
        run("api", "shop:4", "python", "main.py", "--port", "8000"),
        run("dcgm", "nvidia/dcgm-exporter:3", ports=(port(9400, 9400),)),
        run(
            "open-webui",
            "ghcr.io/open-webui/open-webui:cuda",
            compose=made_by("ai", "open-webui"),
            ports=(port(8080, 3000),),
        ),
        run("text-webui", "atinoda/text-generation-webui", "server.py", ports=(port(7860, 7860),)),
        run("llm", "ollama/ollama:latest", ports=(port(11434, 11434),)),
        run("postgres", "postgres:16", ports=(port(5432, 5432),), gpu=False),
    ],
)
def test_a_proxy_a_database_or_an_exporter_is_no_service(container: Container) -> None:
    assert recognise(container) is None


def test_a_command_proves_what_a_name_denies() -> None:
    odd = run("x", "comfyui-with-rclone-sync", "python", "main.py", "--cuda-device", "1")
    assert kind_of(odd) == "comfyui"


def test_a_one_off_run_of_compose_is_no_service() -> None:
    once = comfyui(labels=(("com.docker.compose.oneoff", "True"),))
    assert recognise(once) is None


def test_a_container_not_yet_inspected_is_judged_by_what_the_list_tells() -> None:
    from console.engine.snapshot import NOT_INSPECTED

    assert kind_of(comfyui(gpu=NOT_INSPECTED)) == "comfyui"


@given(st.text(max_size=60))
def test_no_image_name_makes_it_fail(image: str) -> None:
    recognise(run("x", image))
    assert all(word == word.lower() and word for word in image_words(image))


@given(st.lists(st.text(max_size=20), max_size=6))
def test_no_command_makes_it_fail(arguments: list[str]) -> None:
    found = port_flag(GpuDeclaration(arguments=tuple(arguments)))
    assert found is None or 0 < found < 65536
    recognise(run("x", "local", *arguments))


def test_the_last_port_of_a_command_counts_as_argparse_takes_it() -> None:
    flags = GpuDeclaration(
        environment=(("CLI_ARGS", "--port 9000"),), arguments=("python", "main.py", "--port=9100")
    )
    assert port_flag(flags) == 9100
    assert port_flag(GpuDeclaration(arguments=("main.py", "--port", "99999"))) is None
    assert port_flag(GpuDeclaration(arguments=("main.py", "--port"))) is None
