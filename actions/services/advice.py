"""Which setting to change to what, so that a service comes to sit on the card it is meant for."""

from collections.abc import Sequence

from actions.declared import GpuOrder
from actions.flags import card_flag, command_variables
from actions.services.placement import Placement, card_words
from actions.services.rules import service_rules
from actions.services.snapshot import Service
from console.config.load import dotted
from console.engine.snapshot import ARGUMENT_NAMES, Container, GpuDeclaration
from console.gpu.snapshot import Gpu
from console.unknown import known

BY_PCI = "CUDA_DEVICE_ORDER=PCI_BUS_ID"


def advice(
    service: Service,
    container: Container | None,
    placement: Placement,
    order: GpuOrder,
    wsl: bool | None,
) -> str:
    """Give the change in words: the setting, its new value and where it stands.

    On WSL2, where the engine's choice is not honoured, the process picks: the order of the driver
    and the number in it. Elsewhere the engine grants the one card by UUID. Where the settings lead
    on purpose to where the service sits, it is the config that may be wrong, and that is said too.
    """
    card = next((gpu for gpu in order.by_index if gpu.uuid == placement.expected), None)
    if card is None:
        return ""
    if container is None or not known(container.gpu):
        return f"start it so that it computes on {card_words(card)}"
    declaration = container.gpu
    if wsl is False:
        change = _by_grant(service, declaration, card)
    else:
        change = _by_process(service.kind, declaration, card, order)
    said = change + _where(service)
    settings_agree = (
        isinstance(placement.declared, str) and placement.declared == placement.gpu_uuid
    )
    if placement.expected_by == "config" and settings_agree:
        said += _or_config(service, placement, order.by_index)
    return said


def _by_process(kind: str, declaration: GpuDeclaration, card: Gpu, order: GpuOrder) -> str:
    number = [gpu.uuid for gpu in order.pci_order(order.by_index)].index(card.uuid)
    environment = {**dict(declaration.environment), **command_variables(declaration)}
    changes = []
    if environment.get("CUDA_DEVICE_ORDER", "").strip() != "PCI_BUS_ID":
        changes.append(BY_PCI)
    flag = card_flag(declaration)
    rules = service_rules().kind(kind)
    if flag is not None and flag.overrides_visible:
        changes.append(f"{flag.name} {number} in {_place(flag.where)}")
    elif "CUDA_VISIBLE_DEVICES" in environment or rules is None:
        changes.append(f"CUDA_VISIBLE_DEVICES={number}")
    else:
        changes.append(
            f"{rules.card_flag} {number} in {_place(_flags_in(declaration, rules.flags_in))}"
        )
    return "set " + " and ".join(changes)


def _by_grant(service: Service, declaration: GpuDeclaration, card: Gpu) -> str:
    if not declaration.requests and declaration.runtime == "nvidia":
        changes = [f"NVIDIA_VISIBLE_DEVICES={card.uuid}"]
    elif service.compose_service:
        changes = [f'device_ids: ["{card.uuid}"]']
    else:
        changes = [f"--gpus device={card.uuid}"]
    # The one card that is granted is the container's card 0, whatever its number outside.
    flag = card_flag(declaration)
    if flag is not None and flag.value.strip() not in {"0", ""}:
        changes.append(f"{flag.name} 0 in {_place(flag.where)}")
    environment = {**dict(declaration.environment), **command_variables(declaration)}
    visible = environment.get("CUDA_VISIBLE_DEVICES", "0").strip()
    if visible not in {"0", card.uuid} and not (flag is not None and flag.overrides_visible):
        changes.append("CUDA_VISIBLE_DEVICES=0")
    return "set " + " and ".join(changes)


def _flags_in(declaration: GpuDeclaration, usual: str) -> str:
    names = [name for name, _ in declaration.environment if name in ARGUMENT_NAMES]
    if usual == "command" and not names:
        return usual
    return names[0] if names and usual not in names else usual


def _place(where: str) -> str:
    return "its command" if where == "command" else where


def _where(service: Service) -> str:
    """Say where the settings of a container stand."""
    if service.compose_file is not None and service.compose_service:
        return f" of {service.compose_file.name} (service {service.compose_service})"
    if service.compose_service:
        return f" of its compose file (service {service.compose_service})"
    return f", and create the container {service.container} anew with it"


def _or_config(service: Service, placement: Placement, gpus: Sequence[Gpu]) -> str:
    sits = next((gpu for gpu in gpus if gpu.uuid == placement.gpu_uuid), None)
    if sits is None:
        return ""
    name = dotted(("services", service.name))
    return f'; or, if {card_words(sits)} is right, set gpu = "{sits.uuid}" in [{name}]'
