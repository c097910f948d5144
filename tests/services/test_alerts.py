"""What is wrong with services is told once, under their names, worst first."""

from datetime import timedelta
from typing import Any

import pytest

from actions.alerts import AlertBook
from actions.assignment import assign
from actions.snapshot import Alert
from actions.verdict import pass_verdict
from console.engine.snapshot import GpuDeclaration
from console.gpu.snapshot import GpuSnapshot
from console.services.device_name import ON_CPU
from console.services.reading import Reading, StartLog
from console.unknown import Unknown
from tests.actions.build import RTX_3080, make_cards
from tests.services.build import (
    FRONT,
    HTML,
    LOGIN,
    REFUSED,
    TIMEOUT,
    Studio,
    comfyui,
    device,
    forge,
    made_by,
    ready,
    seen,
    start_log,
)
from tests.support.snapshots import NOW, event, port

OLD: dict[str, Any] = {"started_at": NOW - timedelta(hours=3)}
QWEN = '[services.qwen]\nkind = "comfyui"\ncontainer = "comfyui-qwen"\n'


def alerts(
    studio: Studio, readings: dict[str, Reading] | None = None, logs: tuple[StartLog, ...] = ()
) -> tuple[Alert, ...]:
    cards = make_cards(*studio.gpus)
    claims = assign(studio.engine.containers, studio.gpus, studio.wsl)
    return AlertBook().look(cards, studio.engine, claims, NOW, studio.all(readings, logs))


def verdict(studio: Studio, found: tuple[Alert, ...]) -> str:
    cards: GpuSnapshot = make_cards(*studio.gpus)
    return pass_verdict(found, cards, studio.engine).text


@pytest.mark.parametrize(
    ("reading", "kind", "severity"),
    [
        (seen("unreachable", REFUSED), "service.unreachable", "error"),
        (seen("unreachable", TIMEOUT), "service.hung", "error"),
        (seen("front-only", FRONT), "service.front-only", "error"),
        (seen("odd", HTML), "service.odd", "error"),
        (seen("needs-auth", LOGIN), "service.needs-auth", "warning"),
        (ready(age=99.0), "service.stale", "warning"),
    ],
)
def test_each_way_of_not_answering_is_an_alert_under_the_services_name(
    reading: Reading, kind: str, severity: str
) -> None:
    (alert,) = alerts(Studio(comfyui(**OLD), config=QWEN), {"qwen": reading})
    assert (alert.id, alert.severity, alert.subject) == (kind, severity, "qwen")
    assert alert.title
    assert alert.hint


def test_a_healthy_host_has_no_alert() -> None:
    studio = Studio(comfyui(**OLD), forge(**OLD), config=QWEN)
    assert alerts(studio, {"qwen": ready(), "myia": ready()}) == ()


def test_a_service_on_its_way_is_not_wrong_until_it_takes_too_long() -> None:
    def starting(minutes: float) -> tuple[Alert, ...]:
        container = forge(started_at=NOW - timedelta(minutes=minutes))
        return alerts(Studio(container), {"myia": seen("starting", FRONT, stage="provisioning")})

    assert starting(2) == ()
    (slow,) = starting(45)
    assert (slow.id, slow.severity) == ("service.slow-start", "warning")


def test_a_crash_loop_is_told_once_and_by_the_services_name() -> None:
    deaths = tuple(event("comfyui-qwen", "die", at, exit_code=1) for at in (0.2, 1, 2, 4))
    container = comfyui(state="restarting", exit_code=1, restart_count=4, started_at=NOW)
    studio = Studio(container, config=QWEN, events=deaths)
    found = alerts(studio)
    assert [(one.id, one.subject) for one in found] == [("container.crash-loop", "qwen")]
    assert verdict(studio, found).startswith("qwen crash-looping: 4 restarts")


def test_a_failing_health_check_of_a_service_that_does_not_answer_is_one_alert() -> None:
    container = comfyui(health="unhealthy", **OLD)
    (alert,) = alerts(Studio(container), {"comfyui-qwen": seen("unreachable", REFUSED)})
    assert alert.id == "service.unreachable"
    (alert,) = alerts(Studio(container), {"comfyui-qwen": ready()})
    assert alert.id == "container.unhealthy"


def test_services_that_are_absent_or_stopped_as_asked_are_no_alert() -> None:
    container = comfyui(state="exited", exit_code=0)
    text = QWEN + '[services.gone]\nkind = "forge"\ncontainer = "gone"\n'
    assert alerts(Studio(container, config=text)) == ()


def test_without_the_engine_services_do_not_shout_each() -> None:
    lost = Unknown("engine.lost", "the Docker Engine hung up")
    studio = Studio(comfyui(**OLD), forge(**OLD), state="lost", problem=lost)
    found = alerts(studio, {"comfyui-qwen": seen("unreachable", REFUSED)})
    assert [one.id for one in found] == ["engine.lost"]


def test_a_discovered_service_that_nobody_can_ask_is_only_mentioned() -> None:
    (alert,) = alerts(Studio(comfyui(ports=(), **OLD)))
    assert (alert.id, alert.severity) == ("service.no-url", "info")
    (alert,) = alerts(Studio(comfyui(ports=(), **OLD), config=QWEN))
    assert alert.severity == "warning"


@pytest.mark.parametrize(("gpu", "code"), [("4090", "gpu.not-here"), ("RTX", "gpu.ambiguous")])
def test_a_card_in_the_config_that_is_not_here_is_an_alert(gpu: str, code: str) -> None:
    studio = Studio(comfyui(**OLD), config=f'{QWEN}gpu = "{gpu}"\n')
    (alert,) = alerts(studio, {"qwen": ready()})
    assert (alert.id, alert.subject) == (code, "qwen")
    assert "RTX" in alert.title + alert.hint


def on_one_card(**changes: Any) -> tuple[Studio, dict[str, Reading], tuple[StartLog, ...]]:
    """Two Forges as their authors meant them for two cards, on a WSL2 that gives both to both."""
    first = forge("myia", "--gpu-device-id 0 --api", devices=("0",), **OLD)
    second = forge(
        "myia-turbo", "--gpu-device-id 0 --api", devices=("1",), ports=(port(7860, 7861),),
        compose=made_by("sd", "forge-turbo"), **OLD,
    )  # fmt: skip
    name = device("NVIDIA GeForce RTX 3090", source="log")
    logs = tuple(start_log(container, device=name) for container in (first, second))
    return Studio(first, second, **changes), {"myia": ready(), "myia-turbo": ready()}, logs


def test_two_services_meant_for_two_cards_that_sit_on_one_are_found() -> None:
    studio, readings, logs = on_one_card()
    found = {one.id: one for one in alerts(studio, readings, logs)}
    assert set(found) == {"service.share-card", "service.misplaced"}
    shared = found["service.share-card"]
    assert (shared.subject, shared.severity) == ("myia", "warning")
    assert "myia-turbo" in shared.title
    assert "RTX 3090" in shared.title
    moved = found["service.misplaced"]
    assert "is meant for RTX 3080 Laptop (card 0)" in moved.title
    assert (
        "set CUDA_DEVICE_ORDER=PCI_BUS_ID and --gpu-device-id 0 in FORGE_ARGS of "
        "docker-compose.yml (service forge)"
    ) in moved.hint


def test_the_config_may_part_them_too_and_then_it_is_an_error() -> None:
    text = "".join(
        f'[services.{name}]\nkind = "forge"\ncontainer = "{name}"\ngpu = "{card}"\n'
        for name, card in (("myia", "3090"), ("myia-turbo", "3080"))
    )
    studio, readings, logs = on_one_card(config=text)
    found = {one.id: one for one in alerts(studio, readings, logs)}
    assert found["service.share-card"].subject == "myia-turbo"
    assert found["service.misplaced"].severity == "error"
    assert "(service forge-turbo)" in found["service.misplaced"].hint


def test_services_that_share_a_card_on_purpose_are_no_alert() -> None:
    one, two = forge("myia", **OLD), comfyui(**OLD)
    reading = ready(device=device("NVIDIA GeForce RTX 3090"))
    found = alerts(Studio(one, two), {"myia": reading, "comfyui-qwen": reading})
    assert [alert.id for alert in found] == []


def test_a_service_elsewhere_than_its_settings_lead_is_mentioned() -> None:
    container = comfyui("comfyui-qwen", "--cuda-device", "1", **OLD)
    reading = ready(device=device("NVIDIA GeForce RTX 3090"))
    (alert,) = alerts(Studio(container), {"comfyui-qwen": reading})
    assert (alert.id, alert.severity) == ("service.declared-elsewhere", "info")


def test_discovered_services_whose_flags_part_them_and_that_sit_on_one_card_are_found() -> None:
    first = forge("myia", "--gpu-device-id 0", **OLD)
    second = forge(
        "myia-turbo", "--gpu-device-id 1", compose=made_by("sd", "forge-turbo"), **OLD
    )  # fmt: skip
    name = device("NVIDIA GeForce RTX 3090", source="log")
    logs = tuple(start_log(container, device=name) for container in (first, second))
    studio = Studio(first, second)
    found = {one.id: one for one in alerts(studio, {"myia": ready(), "myia-turbo": ready()}, logs)}
    assert set(found) == {"service.share-card", "service.declared-elsewhere"}
    assert found["service.share-card"].subject == "myia-turbo"
    assert f"move myia-turbo --gpu {RTX_3080}" in found["service.share-card"].hint
    assert (
        "set CUDA_DEVICE_ORDER=PCI_BUS_ID and --gpu-device-id 0 in FORGE_ARGS of "
        "docker-compose.yml (service forge-turbo)"
    ) in found["service.declared-elsewhere"].hint


def test_a_service_meant_for_a_card_that_computes_on_the_processor_is_an_alert() -> None:
    on_cpu = ready(device=ON_CPU)
    (alert,) = alerts(Studio(comfyui(**OLD), config=QWEN), {"qwen": on_cpu})
    assert (alert.id, alert.severity) == ("service.on-cpu", "warning")
    assert alert.title == "computes on the processor, not on a card"
    no_card = comfyui("comfyui-qwen", "--cpu", gpu=GpuDeclaration(), **OLD)
    assert alerts(Studio(no_card, config=QWEN), {"qwen": on_cpu}) == ()


def test_a_login_that_is_refused_says_so_and_what_to_do() -> None:
    (alert,) = alerts(Studio(forge(**OLD)), {"myia": seen("needs-auth", LOGIN)})
    assert alert.title == "asks for a login: http://127.0.0.1:7860 wants a login"
    assert alert.hint == "set auth for it"


def test_a_plain_process_that_hangs_is_not_to_be_restarted_by_us() -> None:
    text = '[services.p]\nkind = "comfyui"\nurl = "http://127.0.0.1:8188"\n'
    lost = Unknown("engine.lost", "the Docker Engine hung up")
    engines: tuple[dict[str, Any], ...] = ({}, {"state": "lost", "problem": lost})
    for engine in engines:
        found = alerts(Studio(config=text, **engine), {"p": seen("unreachable", TIMEOUT)})
        (alert,) = [one for one in found if one.subject == "p"]
        assert alert.id == "service.hung"
        assert "gpuconsole restart" not in alert.hint
