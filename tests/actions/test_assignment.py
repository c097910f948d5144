"""Which container uses which card: the two cards of the studio, each way a host can be set up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.assignment import assign
from actions.flags import card_flag, split_words
from actions.snapshot import Claim
from console.engine.snapshot import DeviceRequest, GpuDeclaration
from console.gpu.snapshot import GpuProcess
from console.unknown import Unknown
from tests.actions.build import RTX_3080, RTX_3090, make_3090, make_container, make_gpu

CARDS = (make_gpu(), make_3090())
ALL = DeviceRequest(driver="nvidia", count=-1, device_ids=(), capabilities=("gpu",))


def device(*ids: str) -> DeviceRequest:
    return DeviceRequest(driver="nvidia", count=0, device_ids=ids, capabilities=("gpu",))


def claim_of(declaration: GpuDeclaration, wsl: bool = False) -> Claim:
    container = make_container(gpu=declaration)
    return assign([container], CARDS, wsl)[container.id]


def test_on_wsl_device_ids_do_not_choose_and_the_chain_says_so() -> None:
    claim = claim_of(GpuDeclaration(requests=(device("0"),)), wsl=True)
    assert claim.gpu_uuids == (RTX_3080, RTX_3090)
    assert claim.source == "declared"
    assert "not honoured on WSL2" in claim.chain[0].effect


def test_both_forges_with_flag_0_sit_on_the_3090_under_wsl() -> None:
    """The trap of the default set-up: device_ids 0 and 1, but flag 0 twice."""
    arguments = (("FORGE_ARGS", "--api --gpu-device-id 0 --cuda-malloc"),)
    first = claim_of(GpuDeclaration(requests=(device("0"),), environment=arguments), wsl=True)
    second = claim_of(GpuDeclaration(requests=(device("1"),), environment=arguments), wsl=True)
    assert first.gpu_uuids == second.gpu_uuids == (RTX_3090,)
    assert [step.setting for step in first.chain] == [
        "device_ids",
        "CUDA_DEVICE_ORDER",
        "--gpu-device-id (FORGE_ARGS)",
    ]


def test_pci_order_makes_cuda_count_as_nvidia_smi_does() -> None:
    environment = (("CUDA_DEVICE_ORDER", "PCI_BUS_ID"), ("CUDA_VISIBLE_DEVICES", "0"))
    claim = claim_of(GpuDeclaration(requests=(ALL,), environment=environment), wsl=True)
    assert claim.gpu_uuids == (RTX_3080,)


def test_natively_device_ids_count_in_driver_order_and_the_flag_within_them() -> None:
    one = GpuDeclaration(requests=(device("0"),), arguments=("main.py", "--cuda-device", "0"))
    assert claim_of(one).gpu_uuids == (RTX_3080,)
    beyond = GpuDeclaration(requests=(device("0"),), arguments=("main.py", "--cuda-device=1"))
    claim = claim_of(beyond)
    assert claim.gpu_uuids == ()
    assert "names no card it can see" in claim.chain[-1].effect


@pytest.mark.parametrize(
    ("declaration", "uuids"),
    [
        (GpuDeclaration(requests=(ALL,)), (RTX_3080, RTX_3090)),
        (GpuDeclaration(requests=(device(RTX_3090),)), (RTX_3090,)),
        (GpuDeclaration(requests=(device("1"),)), (RTX_3090,)),
        (GpuDeclaration(requests=(device("nvidia.com/gpu=1"),)), (RTX_3090,)),
        (GpuDeclaration(requests=(device("7"),)), ()),
        (
            GpuDeclaration(
                requests=(DeviceRequest(driver="", count=1, device_ids=(), capabilities=("gpu",)),)
            ),
            (RTX_3080,),
        ),
        (
            GpuDeclaration(
                runtime="nvidia", environment=(("NVIDIA_VISIBLE_DEVICES", RTX_3080[:12]),)
            ),
            (RTX_3080,),
        ),
        (
            GpuDeclaration(requests=(ALL,), environment=(("CUDA_VISIBLE_DEVICES", RTX_3090),)),
            (RTX_3090,),
        ),
        (
            GpuDeclaration(requests=(ALL,), environment=(("CUDA_VISIBLE_DEVICES", "1,0"),)),
            (RTX_3080, RTX_3090),
        ),
        (
            GpuDeclaration(requests=(ALL,), environment=(("CUDA_VISIBLE_DEVICES", "1,9,0"),)),
            (RTX_3080,),
        ),
    ],
)
def test_natively_each_way_to_say_it(declaration: GpuDeclaration, uuids: tuple[str, ...]) -> None:
    claim = claim_of(declaration)
    assert claim.source == "declared"
    assert claim.gpu_uuids == uuids


def test_a_cuda_image_without_a_grant_claims_nothing() -> None:
    baked_in = GpuDeclaration(runtime="runc", environment=(("NVIDIA_VISIBLE_DEVICES", "all"),))
    claim = claim_of(baked_in)
    assert (claim.uses_gpu, claim.gpu_uuids, claim.source) == (False, (), "unknown")


def test_none_means_none() -> None:
    nothing = GpuDeclaration(runtime="nvidia", environment=(("NVIDIA_VISIBLE_DEVICES", "none"),))
    claim = claim_of(nothing)
    assert (claim.uses_gpu, claim.source) == (False, "declared")


def test_a_flag_without_a_grant_is_what_is_meant() -> None:
    claim = claim_of(GpuDeclaration(runtime="runc", arguments=("main.py", "--cuda-device", "0")))
    assert claim.gpu_uuids == (RTX_3090,)
    assert "grants no card of its own" in claim.chain[0].effect


def test_an_ordinal_that_nobody_can_tell_is_unknown_not_a_guess() -> None:
    unsure = Unknown("gpu.cuda-order", "the cards do not tell enough")
    cards = (make_gpu(cuda_ordinal=unsure), make_3090(cuda_ordinal=unsure))
    container = make_container(
        gpu=GpuDeclaration(requests=(ALL,), environment=(("CUDA_VISIBLE_DEVICES", "0"),))
    )
    claim = assign([container], cards, True)[container.id]
    assert (claim.source, claim.gpu_uuids, claim.uses_gpu) == ("unknown", (), True)


def test_processes_outweigh_what_is_declared() -> None:
    container = make_container(gpu=GpuDeclaration(requests=(device("0"),)))
    process = GpuProcess(
        pid=7, name="python", used_bytes=5_000, kind="compute", container_id=container.id
    )
    other = GpuProcess(pid=8, name="Xorg", used_bytes=70, kind="graphics", container_id=None)
    cards = (make_gpu(processes=(other,)), make_3090(processes=(process, other)))
    claim = assign([container], cards, False)[container.id]
    assert (claim.source, claim.gpu_uuids, claim.used_bytes) == ("processes", (RTX_3090,), 5_000)


def test_a_process_whose_memory_is_hidden_makes_the_sum_unknown() -> None:
    container = make_container()
    hidden = Unknown("nvml.wsl-no-process-memory", "not told")
    processes = tuple(
        GpuProcess(pid=pid, name="p", used_bytes=used, kind="compute", container_id=container.id)
        for pid, used in ((1, 5), (2, hidden))
    )
    claim = assign([container], (make_gpu(processes=processes),), False)[container.id]
    assert claim.used_bytes is hidden


def test_a_container_that_was_not_inspected_is_unknown() -> None:
    container = make_container(gpu=Unknown("engine.not-inspected", "not inspected yet"))
    assert assign([container], CARDS, False)[container.id].source == "unknown"


@pytest.mark.parametrize(
    ("arguments", "flag", "value"),
    [
        (("python", "main.py", "--cuda-device", "1"), "--cuda-device", "1"),
        (("sh", "-c", "python main.py --cuda-device=1 --listen"), "--cuda-device", "1"),
        (("--default-device", "1", "--cuda-device", "0"), "--cuda-device", "0"),
        (("--cuda-device", "0", "--cuda-device", "1"), "--cuda-device", "1"),
        (("sh", "-c", "main.py --cuda-device 1 --prompt 'it"), "--cuda-device", "1"),
        (("--gpu-device-id",), "--gpu-device-id", ""),
        (("--cuda-device", "1", "--default-device", "0"), "--cuda-device", "1"),
        (("sh", "-c", "main.py --cuda-device 1; sleep 9"), "--cuda-device", "1"),
        (("sh", "-c", "sh -c 'exec main.py --cuda-device 1'"), "--cuda-device", "1"),
        (('--gpu-device-id="1"',), "--gpu-device-id", "1"),
    ],
)
def test_flags_are_found_where_people_put_them(
    arguments: tuple[str, ...], flag: str, value: str
) -> None:
    found = card_flag(GpuDeclaration(arguments=arguments))
    assert found is not None
    assert (found.name, found.value) == (flag, value)


@pytest.mark.parametrize("name", ["FORGE_ARGS", "FORGE_FLAGS", "WEBUI_ARGS", "COMFYUI_FLAGS"])
def test_flags_in_the_environment_count_under_every_name_images_use(name: str) -> None:
    said = "--api --gradio-auth 'a b:c' --gpu-device-id '1'"
    found = card_flag(GpuDeclaration(environment=((name, said),)))
    assert found is not None
    assert (found.value, found.where) == ("1", name)


def test_comfyuis_default_device_replaces_the_visible_ones_as_its_source_does() -> None:
    declaration = GpuDeclaration(
        requests=(ALL,),
        environment=(("CUDA_VISIBLE_DEVICES", "1"),),
        arguments=("main.py", "--default-device", "0"),
    )
    claim = claim_of(declaration, wsl=True)
    assert claim.gpu_uuids == (RTX_3090,)
    assert "replaced by --default-device" in claim.chain[-2].effect


def test_what_a_command_sets_for_itself_counts() -> None:
    command = ("sh", "-c", "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=1 python main.py")
    declaration = GpuDeclaration(
        requests=(ALL,), environment=(("CUDA_VISIBLE_DEVICES", "0"),), arguments=command
    )
    assert claim_of(declaration, wsl=True).gpu_uuids == (RTX_3090,)


@pytest.mark.parametrize(
    "declaration",
    [
        GpuDeclaration(requests=(ALL,), arguments=("sh", "-c", "main.py --cuda-device $GPU")),
        GpuDeclaration(requests=(ALL,), environment=(("CUDA_VISIBLE_DEVICES", "${GPU:-0}"),)),
        GpuDeclaration(requests=(ALL,), environment=(("CUDA_VISIBLE_DEVICES", "MIG-1f-2e"),)),
        GpuDeclaration(requests=(device("MIG-1f-2e"),)),
    ],
)
def test_a_value_that_only_the_container_knows_leaves_the_card_unknown(
    declaration: GpuDeclaration,
) -> None:
    claim = claim_of(declaration)
    assert (claim.source, claim.gpu_uuids, claim.uses_gpu) == ("unknown", (), True)


def test_an_instance_named_by_its_cards_index_is_on_that_card() -> None:
    assert claim_of(GpuDeclaration(requests=(device("1:0"),))).gpu_uuids == (RTX_3090,)


def test_a_request_for_a_billion_cards_gets_those_that_are_there_and_at_once() -> None:
    many = DeviceRequest(driver="", count=10**9, device_ids=(), capabilities=("gpu",))
    claim = claim_of(GpuDeclaration(requests=(many,)))
    assert claim.gpu_uuids == (RTX_3080, RTX_3090)
    assert "no card here is 2" in claim.chain[0].effect


def test_the_nvidia_runtime_as_the_hosts_default_gives_nothing_to_who_does_not_ask() -> None:
    """Or every web server of such a host would seem to hold both cards."""
    claim = claim_of(GpuDeclaration(runtime="nvidia", arguments=("caddy", "run")))
    assert (claim.uses_gpu, claim.gpu_uuids, claim.chain) == (False, (), ())


def test_natively_or_not_is_not_guessed_where_the_host_does_not_tell() -> None:
    container = make_container(gpu=GpuDeclaration(requests=(device("0"),)))
    claim = assign([container], CARDS, None)[container.id]
    assert (claim.source, claim.gpu_uuids) == ("unknown", ())
    container = make_container(gpu=GpuDeclaration(requests=(ALL,)))
    assert assign([container], CARDS, None)[container.id].gpu_uuids == (RTX_3080, RTX_3090)


def test_process_numbers_of_wsl_never_put_a_container_on_a_card() -> None:
    """They are those of Windows, and one may happen to be that of a process in a container."""
    container = make_container(gpu=GpuDeclaration(requests=(ALL,)))
    process = GpuProcess(
        pid=7, name="python", used_bytes=5, kind="compute", container_id=container.id
    )
    cards = (make_gpu(processes=(process,)), make_3090())
    claim = assign([container], cards, True)[container.id]
    assert (claim.source, claim.gpu_uuids) == ("declared", (RTX_3080, RTX_3090))


@given(st.lists(st.text(max_size=30), max_size=8))
def test_no_command_line_breaks_the_search(arguments: list[str]) -> None:
    split_words(arguments)
    card_flag(GpuDeclaration(arguments=tuple(arguments)))


@given(
    st.booleans(),
    st.lists(st.sampled_from(["0", "1", "2", "-1", "", "GPU-3", RTX_3090, "all", "none", "x"])),
    st.lists(st.sampled_from(["0", "1", "7", "", RTX_3080, "MIG-1", "no"])),
)
def test_a_claim_names_only_cards_that_exist_and_none_twice(
    wsl: bool, ids: list[str], visible: list[str]
) -> None:
    declaration = GpuDeclaration(
        requests=(device(*ids),) if ids else (ALL,),
        environment=(("CUDA_VISIBLE_DEVICES", ",".join(visible)),),
    )
    claim = claim_of(declaration, wsl)
    assert set(claim.gpu_uuids) <= {RTX_3080, RTX_3090}
    assert len(set(claim.gpu_uuids)) == len(claim.gpu_uuids)
