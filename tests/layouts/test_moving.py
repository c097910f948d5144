"""Moving a service to another card on a real engine: settings, container, proof, way back."""

import re
from collections.abc import Callable

import pytest

from actions.plan import PlanDone, PlanFailed, StepStarted
from console.errors import UsageError
from tests.layouts.bench import BIG, COMPOSES, SMALL, Bench, ended

pytestmark = pytest.mark.engine


def config_gpu(bench: Bench, name: str) -> str:
    """Give the card that the config has for a service."""
    text = bench.session().places.config_file.read_text()
    found = re.search(rf"\[services\.{name}\].*?gpu = \"([^\"]+)\"", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("compose", COMPOSES)
def test_on_native_linux_a_move_changes_device_ids_and_proves_it(
    new_bench: Callable[..., Bench], compose: str
) -> None:
    bench = new_bench(compose)
    bench.up("forge")
    assert bench.card("forge") == SMALL
    before = bench.file.read_text()
    plan = bench.operations().plan("move", "forge", gpu="3090")
    assert SMALL in plan.diff
    assert BIG in plan.diff
    assert [step.options["do"] for step in plan.steps] == [
        "stop", "wait-vram", "edit-compose", "note-config", "compose-up", "wait-ready",
        "check-card",
    ]  # fmt: skip
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert "on NVIDIA GeForce RTX 3090, as it says itself" in end.text
    assert bench.card("forge") == BIG
    assert bench.file.read_text() == before.replace(SMALL, BIG)
    assert config_gpu(bench, "forge") == "3090"
    again = bench.operations().plan("move", "forge", gpu="1")
    assert not again.steps
    assert "already" in again.checks[0].title


@pytest.mark.parametrize("compose", ["1.29", "v5"])
def test_on_wsl_a_move_counts_the_cards_as_nvidia_smi_does(
    new_bench: Callable[..., Bench], compose: str
) -> None:
    bench = new_bench(compose, wsl=True)
    bench.up("comfyui")
    assert bench.card("comfyui") == BIG
    plan = bench.operations().plan("move", "comfyui", gpu="3080")
    assert "CUDA_DEVICE_ORDER: PCI_BUS_ID" in plan.diff
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert bench.card("comfyui") == SMALL
    assert "CUDA_DEVICE_ORDER: PCI_BUS_ID" in bench.file.read_text()
    undo = bench.operations().undo()
    assert undo.verb == "move"
    assert isinstance(bench.run(undo), PlanDone)
    assert bench.card("comfyui") == BIG
    assert "CUDA_DEVICE_ORDER" not in bench.file.read_text()
    assert config_gpu(bench, "comfyui") == "3090"


def test_a_service_that_lands_on_the_wrong_card_is_put_back(bench: Bench) -> None:
    """The container does not honour the choice of the engine: it sees every card, as on WSL2."""
    bench.obeys = False
    bench.write_compose()
    bench.up("comfyui")
    before = bench.file.read_text()
    end = bench.run(bench.operations().plan("move", "comfyui", gpu="3080"))
    assert isinstance(end, PlanFailed), end
    assert end.code == "service.misplaced", end
    assert end.went_back == "yes", end
    assert bench.file.read_text() == before
    assert config_gpu(bench, "comfyui") == "3090"
    assert bench.card("comfyui") == BIG
    assert bench.state("comfyui") == "ready"


def test_settings_that_do_not_count_are_not_set_again(bench: Bench) -> None:
    bench.obeys = False
    bench.write_compose()
    bench.up("forge")
    plan = bench.operations().plan("move", "forge", gpu="3080")
    assert plan.refusal is not None
    assert plan.refusal.code == "move.not-honoured"
    assert "RTX 3090" in plan.refusal.title


def test_a_move_that_does_not_get_ready_is_put_back(bench: Bench) -> None:
    bench.up("forge")
    bench.extra["forge"] = ["--ready-after", "4"]
    bench.write_compose()
    written = bench.file.read_text()
    end = bench.run(bench.operations().plan("move", "forge", gpu="3090", ready_limit=2.0))
    assert isinstance(end, PlanFailed), end
    assert end.code == "service.not-ready"
    assert "left running" not in f"{end.title} {end.hint}"
    # What ran before is waited for as long as such a service may take, however short the limit.
    assert end.went_back == "yes", end
    assert bench.file.read_text() == written
    assert config_gpu(bench, "forge") == "3080"
    assert bench.state("forge") == "ready"
    assert bench.card("forge") == SMALL


def test_a_cancelled_move_restores_file_config_and_service(bench: Bench) -> None:
    bench.up("forge")
    before = bench.file.read_text()
    operations = bench.operations()
    seen: list[str] = []
    events = []
    plan = operations.plan("move", "forge", gpu="3090")
    for event in operations.run(plan, lambda: "note-config-forge" in seen):
        events.append(event)
        if isinstance(event, StepStarted):
            seen.append(event.step_id)
    end = ended(events)
    assert isinstance(end, PlanFailed), end
    assert end.went_back == "yes", end
    assert bench.file.read_text() == before
    assert config_gpu(bench, "forge") == "3080"
    assert bench.card("forge") == SMALL
    assert bench.is_ready("forge")


def test_a_stopped_service_gets_its_settings_and_a_container_and_stays_stopped(
    bench: Bench,
) -> None:
    bench.up("forge")
    bench.run(bench.operations().plan("stop", "forge"))
    plan = bench.operations().plan("move", "forge", gpu="3090")
    assert any("stays stopped" in check.title for check in plan.checks)
    end = bench.run(plan)
    assert isinstance(end, PlanDone), end
    assert not bench.runs("forge")
    assert isinstance(bench.run(bench.operations().plan("start", "forge")), PlanDone)
    assert bench.card("forge") == BIG


def test_what_cannot_be_moved_says_which_setting_to_change(bench: Bench) -> None:
    bench.up("forge")
    bench.file.write_text(bench.file.read_text().replace("services:", "services: [", 1))
    broken = bench.operations().plan("move", "forge", gpu="3090")
    assert broken.refusal is not None
    assert broken.refusal.code == "compose.invalid"
    assert f'device_ids: ["{BIG}"]' in broken.refusal.hint
    bench.file.unlink()
    missing = bench.operations().plan("move", "forge", gpu="3090")
    assert missing.refusal is not None
    assert missing.refusal.code == "compose.file-missing"
    with pytest.raises(UsageError, match="no card 5090"):
        bench.operations().plan("move", "forge", gpu="5090")
