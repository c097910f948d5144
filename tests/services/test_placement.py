"""The card a service is meant for, the one it names itself, and what to change between them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.services.placement import expected_gpu, observed_gpu
from console.engine.snapshot import GpuDeclaration
from console.gpu.snapshot import Gpu
from console.services.device_name import ON_CPU
from console.services.reading import Device
from console.unknown import Unknown
from tests.actions.build import RTX_3080, RTX_3090, make_3090, make_gpu
from tests.services.build import (
    ALL,
    GIB,
    Studio,
    busy,
    comfyui,
    device,
    evidence,
    forge,
    one_status,
    ready,
    start_log,
)
from tests.support.snapshots import gpu, process

CARDS = (make_gpu(), make_3090())
TWINS = (gpu(0, "NVIDIA GeForce RTX 3090"), gpu(1, "NVIDIA GeForce RTX 3090"))
ON_3090 = 'gpu = "3090"'
ON_3080 = 'gpu = "3080"'


def qwen(card: str = "") -> str:
    return f'[services.qwen]\nkind = "comfyui"\ncontainer = "comfyui-qwen"\n{card}\n'


def myia(card: str = "") -> str:
    return f'[services.myia]\nkind = "forge"\ncontainer = "myia"\n{card}\n'


@pytest.mark.parametrize(
    ("wanted", "uuid"),
    [
        ("3090", RTX_3090),
        ("rtx  3080", RTX_3080),
        ("3080 Laptop", RTX_3080),
        ("NVIDIA GeForce RTX 3090", RTX_3090),
        (RTX_3090, RTX_3090),
        (RTX_3090.upper(), RTX_3090),
        ("GPU-3090", RTX_3090),
        ("", None),
    ],
)
def test_a_card_is_named_by_uuid_or_part_of_its_name(wanted: str, uuid: str | None) -> None:
    assert expected_gpu(wanted, CARDS) == uuid


@pytest.mark.parametrize(
    ("wanted", "code", "helps"),
    [
        ("4090", "gpu.not-here", "RTX 3080 Laptop (card 0), RTX 3090 (card 1)"),
        ("RTX", "gpu.ambiguous", RTX_3080),
        ("GPU-", "gpu.not-here", "RTX 3090"),
    ],
)
def test_a_card_that_is_not_here_or_not_the_only_one_is_unknown_with_what_to_write(
    wanted: str, code: str, helps: str
) -> None:
    told = expected_gpu(wanted, CARDS)
    assert isinstance(told, Unknown)
    assert told.code == code
    assert helps in told.hint


def test_a_name_that_is_whole_wins_over_one_that_only_holds_it() -> None:
    plain = gpu(0, "NVIDIA GeForce RTX 3080")
    laptop = gpu(1, "NVIDIA GeForce RTX 3080 Laptop GPU")
    assert expected_gpu("NVIDIA GeForce RTX 3080", (plain, laptop)) == plain.uuid
    assert observed_gpu(device("NVIDIA GeForce RTX 3080"), (plain, laptop)) == plain.uuid
    assert (
        observed_gpu(device("NVIDIA GeForce RTX 3080 Laptop GPU"), (plain, laptop)) == laptop.uuid
    )


def test_without_a_driver_nobody_knows() -> None:
    for told in (expected_gpu("3090", ()), observed_gpu(device("NVIDIA GeForce RTX 3090"), ())):
        assert isinstance(told, Unknown)
        assert told.code == "gpu.not-read"


@pytest.mark.parametrize(
    "name",
    ["NVIDIA GeForce RTX 3090", "cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync",
     "GeForce RTX 3090", "nvidia  geforce rtx 3090"],
)  # fmt: skip
def test_a_service_names_its_card_and_its_ordinal_says_nothing(name: str) -> None:
    told = Device(name=name, ordinal=0)
    assert observed_gpu(told, CARDS) == RTX_3090
    assert observed_gpu(told, tuple(reversed(CARDS))) == RTX_3090


def test_equal_names_are_told_apart_by_their_memory_only() -> None:
    small, big = gpu(0, "NVIDIA RTX A4000", total=16), gpu(1, "NVIDIA RTX A4000", total=20)
    assert observed_gpu(device("NVIDIA RTX A4000", 19.7), (small, big)) == big.uuid
    twins = observed_gpu(device("NVIDIA GeForce RTX 3090", 24), TWINS)
    assert isinstance(twins, Unknown)
    assert twins.code == "gpu.equal-cards"


def test_memory_alone_tells_where_only_one_card_has_so_much() -> None:
    assert observed_gpu(Device(total_bytes=int(23.7 * GIB)), CARDS) == RTX_3090
    assert isinstance(observed_gpu(Device(total_bytes=24 * GIB), TWINS), Unknown)
    assert isinstance(observed_gpu(Device(total_bytes=20 * GIB), CARDS), Unknown)


@given(
    names=st.lists(st.sampled_from(["A", "NVIDIA A", "GeForce B", "NVIDIA GeForce B Laptop GPU"]),
                   min_size=1, max_size=4),
    asked=st.integers(0, 3),
    totals=st.lists(st.sampled_from([8.0, 16.0, 24.0]), min_size=4, max_size=4),
)  # fmt: skip
def test_whatever_cards_there_are_a_match_is_never_a_guess(
    names: list[str], asked: int, totals: list[float]
) -> None:
    cards = [gpu(n, name, total=totals[n]) for n, name in enumerate(names)]
    wanted = cards[asked % len(cards)]
    assert isinstance(wanted.name, str)
    told = observed_gpu(device(wanted.name, totals[wanted.index]), cards)
    bare = [card for card in cards if _bare(card) == _bare(wanted)]
    same = [card for card in bare if card.memory_total_bytes == wanted.memory_total_bytes]
    assert told == wanted.uuid if len(same) == 1 else isinstance(told, Unknown)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_makes_it_fail(wanted: str, name: str) -> None:
    cards = (gpu(0, name), *CARDS)
    told = expected_gpu(wanted, cards)
    assert told is None or isinstance(told, Unknown) or told in {card.uuid for card in cards}
    observed_gpu(Device(name=wanted), cards)


def _bare(card: Gpu) -> str:
    return str(card.name).lower().removeprefix("nvidia ")


def test_a_service_where_it_belongs_is_just_ready() -> None:
    one = one_status(
        comfyui(),
        ready(device=device("NVIDIA GeForce RTX 3090")),
    )
    assert (one.state, one.gpu_uuid, one.gpu_source) == ("ready", RTX_3090, "observed")
    assert not one.misplaced
    assert one.gpu_expected_uuid is None


def test_a_service_on_another_card_than_the_config_says_is_misplaced_and_told_how_to_move() -> None:
    container = comfyui("comfyui-qwen", "--cuda-device", "1")
    studio = Studio(container, config=qwen(ON_3090))
    reading = busy(device=device("NVIDIA GeForce RTX 3080 Laptop GPU", 16))
    one = studio.look({"qwen": reading})["qwen"]
    assert (one.state, one.activity, one.misplaced) == ("misplaced", "busy", True)
    assert (one.gpu_uuid, one.gpu_expected_uuid) == (RTX_3080, RTX_3090)
    assert one.advice.startswith(
        "set CUDA_DEVICE_ORDER=PCI_BUS_ID and --cuda-device 1 in its command of "
        "docker-compose.yml (service comfyui)"
    )
    # CUDA's 1 is the 3080 here: the settings agree with where it sits, so the config may be wrong.
    assert f'set gpu = "{RTX_3080}" in [services.qwen]' in one.advice
    assert "its API names NVIDIA GeForce RTX 3080 Laptop GPU" in evidence(one)


def test_the_start_log_tells_where_the_api_does_not() -> None:
    container = forge("myia", "--gpu-device-id 0 --api")
    log = start_log(container, device=device("NVIDIA GeForce RTX 3090", source="log"))
    one = Studio(container, config=myia(ON_3080)).look({"myia": ready()}, (log,))["myia"]
    assert (one.state, one.gpu_source, one.gpu_uuid) == ("misplaced", "observed", RTX_3090)
    assert one.evidence[0].source == "log"
    assert "--gpu-device-id 0 in FORGE_ARGS of docker-compose.yml (service forge)" in one.advice


def test_a_log_of_an_earlier_run_says_nothing() -> None:
    container = forge("myia", "--api")
    from console.services.reading import StartLog

    old = StartLog(container_id=container.id, started_at="2026-11-01T00:00:00+00:00",
                   device=device("NVIDIA GeForce RTX 3090", source="log"))  # fmt: skip
    one = Studio(container).look({"myia": ready()}, (old,))["myia"]
    assert one.start_log is None
    assert one.gpu_source == "unknown"


def test_of_two_equal_cards_the_settings_decide_and_say_so() -> None:
    container = comfyui("comfyui-qwen", "--cuda-device", "1")
    reading = ready(device=device("NVIDIA GeForce RTX 3090", 24))
    one = Studio(container, gpus=TWINS).look({"comfyui-qwen": reading})["comfyui-qwen"]
    assert (one.gpu_uuid, one.gpu_source) == (TWINS[1].uuid, "declared")
    bare = Studio(comfyui(), gpus=TWINS).look({"comfyui-qwen": reading})["comfyui-qwen"]
    assert isinstance(bare.gpu_uuid, Unknown)
    assert (bare.gpu_uuid.code, bare.gpu_source) == ("gpu.equal-cards", "unknown")


def test_on_native_linux_the_drivers_processes_tell() -> None:
    card = make_3090(processes=(process("python", 20.9, "comfyui-qwen"),))
    one = Studio(comfyui(), gpus=(make_gpu(processes=()), card), wsl=False).look(
        {"comfyui-qwen": ready()}
    )["comfyui-qwen"]
    assert (one.gpu_uuid, one.gpu_source) == (RTX_3090, "processes")
    assert (one.vram_used_bytes, one.vram_used_source) == (int(20.9 * GIB), "driver")


def test_on_native_linux_the_advice_is_to_grant_the_card_by_uuid() -> None:
    container = forge("myia", "--gpu-device-id 1 --api", devices=("1",))
    card = make_3090(processes=(process("python", 5, "myia"),))
    studio = Studio(container, config=myia(ON_3080), gpus=(make_gpu(processes=()), card), wsl=False)
    one = studio.look({"myia": ready()})["myia"]
    assert one.misplaced
    assert f'set device_ids: ["{RTX_3080}"] and --gpu-device-id 0 in FORGE_ARGS' in one.advice


@pytest.mark.parametrize(
    ("gpu", "changes", "said"),
    [
        ({"runtime": "nvidia", "requests": (), "environment": (("NVIDIA_VISIBLE_DEVICES", "1"),)},
         {}, f"set NVIDIA_VISIBLE_DEVICES={RTX_3080} of docker-compose.yml (service comfyui)"),
        ({"environment": (("CUDA_VISIBLE_DEVICES", "1"),)}, {},
         f'set device_ids: ["{RTX_3080}"] and CUDA_VISIBLE_DEVICES=0 of docker-compose.yml'),
        ({}, {"compose": None},
         f"set --gpus device={RTX_3080}, and create the container comfyui-qwen anew"),
    ],
)  # fmt: skip
def test_on_native_linux_the_advice_knows_how_the_container_was_given_its_card(
    gpu: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    declaration = GpuDeclaration(**{"requests": (ALL,), "arguments": ("main.py",), **gpu})
    container = comfyui(gpu=declaration, **changes)
    card = make_3090(processes=(process("python", 5, "comfyui-qwen"),))
    cards = (make_gpu(processes=()), card)
    one = Studio(container, config=qwen(ON_3080), gpus=cards, wsl=False).look({"qwen": ready()})
    assert one["qwen"].advice.startswith(said)


def test_under_wsl_a_variable_that_picks_the_card_is_changed_where_it_stands() -> None:
    environment = (("CUDA_VISIBLE_DEVICES", "0"),)
    declaration = GpuDeclaration(requests=(ALL,), environment=environment, arguments=("main.py",))
    reading = ready(device=device("NVIDIA GeForce RTX 3090"))
    one = Studio(comfyui(gpu=declaration), config=qwen(ON_3080)).look({"qwen": reading})["qwen"]
    assert one.advice.startswith("set CUDA_DEVICE_ORDER=PCI_BUS_ID and CUDA_VISIBLE_DEVICES=0 of ")


def test_a_card_in_the_config_that_is_not_here_is_unknown_not_misplaced() -> None:
    reading = ready(device=device("NVIDIA GeForce RTX 3090"))
    one = Studio(comfyui(), config=qwen('gpu = "5090"')).look({"qwen": reading})["qwen"]
    assert one.state == "ready"
    assert isinstance(one.gpu_expected_uuid, Unknown)
    assert one.gpu_expected_uuid.code == "gpu.not-here"


def test_a_service_that_names_a_card_that_is_not_here_is_not_put_on_another() -> None:
    reading = ready(device=device("NVIDIA H100 PCIe"))
    one = one_status(comfyui(), reading)
    assert isinstance(one.gpu_uuid, Unknown)
    assert one.gpu_uuid.code == "gpu.not-here"


def test_a_service_on_another_host_is_on_none_of_our_cards() -> None:
    text = '[services.cloud]\nkind = "comfyui"\nurl = "https://comfy.example.org"\n'
    reading = ready(device=device("NVIDIA GeForce RTX 3090"))
    one = Studio(config=text).look({"cloud": reading})["cloud"]
    assert one.state == "ready"
    assert isinstance(one.gpu_uuid, Unknown)
    assert one.gpu_uuid.code == "gpu.elsewhere"


def test_a_plain_process_on_this_host_is_on_the_card_that_it_names() -> None:
    text = '[services.local]\nkind = "comfyui"\nurl = "http://localhost:8188"\ngpu = "3080"\n'
    reading = ready(device=device("NVIDIA GeForce RTX 3090"))
    one = Studio(config=text).look({"local": reading})["local"]
    assert (one.state, one.gpu_uuid) == ("misplaced", RTX_3090)
    assert one.advice == "start it so that it computes on RTX 3080 Laptop (card 0)"


@pytest.mark.parametrize("config", [qwen(), qwen(ON_3080)])
def test_a_service_that_computes_on_the_processor_is_on_no_card_whatever_it_was_granted(
    config: str,
) -> None:
    container = comfyui("comfyui-qwen", "--cpu", "--cuda-device", "0")
    reading = ready(device=ON_CPU, vram_own_bytes=ON_CPU, vram_free_bytes=ON_CPU)
    (one,) = Studio(container, config=config).all({"qwen": reading})
    assert (one.state, one.gpu_uuid, one.gpu_source) == ("ready", None, "observed")
    assert "it says that it computes on the processor" in evidence(one)
    assert (one.vram_used_bytes, one.vram_used_source) == (0, "service")


def test_a_start_log_that_names_the_processor_counts_where_the_api_names_nothing() -> None:
    container = forge()
    (one,) = Studio(container).all({"myia": ready()}, (start_log(container, device=ON_CPU),))
    assert (one.gpu_uuid, one.gpu_source) == (None, "observed")


def test_a_plain_process_that_names_no_card_is_on_one_that_nobody_knows() -> None:
    config = '[services.qwen]\nkind = "comfyui"\nurl = "http://127.0.0.1:8188"\n'
    (one,) = Studio(config=config).all({"qwen": ready()})
    assert isinstance(one.gpu_uuid, Unknown)
    assert one.gpu_uuid.code == "gpu.not-told"


def test_a_service_that_cannot_tell_its_figures_says_why() -> None:
    why = Unknown("forge.no-figures", "Forge cannot tell its cuda figures: unavailable")
    assert one_status(forge(), ready(vram_own_bytes=why)).vram_used_bytes == why


def test_a_stopped_service_is_on_no_card_and_holds_nothing() -> None:
    one = one_status(comfyui("comfyui-qwen", "--cuda-device", "0", state="exited"))
    assert isinstance(one.gpu_uuid, Unknown)
    assert one.gpu_declared_uuid == RTX_3090
    assert one.vram_used_bytes == 0


def test_device_ids_that_wsl_ignores_do_not_matter_where_the_process_picks_for_sure() -> None:
    # Copied from the other service's section, and harmless: the flag decides.
    container = forge("myia", "--gpu-device-id 1 --api", devices=("0",), order="PCI_BUS_ID")
    log = start_log(container, device=device("NVIDIA GeForce RTX 3090", source="log"))
    one = Studio(container).look({"myia": ready()}, (log,))["myia"]
    assert (one.state, one.misplaced) == ("ready", False)
    assert one.gpu_expected_uuid == RTX_3090
