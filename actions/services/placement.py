"""Which card a service is on and which it is meant for: told, declared, and compared."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from actions.declared import GpuOrder, granted_card, picked_card
from actions.services.rules import service_rules
from actions.services.snapshot import Service
from actions.snapshot import Claim
from console.engine.snapshot import Container
from console.gpu.snapshot import Gpu
from console.services.device_name import is_on_cpu
from console.services.reading import Device
from console.units import format_bytes
from console.unknown import Unknown, known

_BLANKS = re.compile(r"\s+")
_CUDA = re.compile(r"^cuda:\d+\s+")
NOT_TOLD = Unknown("gpu.not-told", "nothing tells which card it uses")
ELSEWHERE = Unknown("gpu.elsewhere", "it runs on another host, whose cards are not known here")
NO_CARDS = Unknown("gpu.not-read", "the driver tells no cards")


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service sits, and where it should.

    Attributes:
        gpu_uuid, source: as in `ServiceStatus`.
        expected: the card it is meant for; expected_by says by what: `config` (a layout
            in force included), `device_ids` (honoured or not), `picked`, or empty.
        picked: the card its process picks in a way that no order of cards turns around.
        declared: where the chain of its settings leads.
        observed: the card that it names itself; None where it names none.
        evidence: what it was observed by, in words; may be empty.
    """

    gpu_uuid: str | Unknown | None = None
    source: str = "unknown"
    expected: str | Unknown | None = None
    expected_by: str = ""
    picked: str | None = None
    declared: str | Unknown | None = None
    observed: str | Unknown | None = None
    evidence: str = ""

    @property
    def differs(self) -> bool:
        """Whether it sits, as far as known, on another card than it is meant for."""
        sits, meant = self.gpu_uuid, self.expected
        return isinstance(sits, str) and isinstance(meant, str) and sits != meant


def expected_gpu(wanted: str, gpus: Sequence[Gpu]) -> str | Unknown | None:
    """Give the UUID of the card that a config's `gpu` names: by UUID or by part of a name.

    The beginning of a UUID does too. None where nothing is wanted. Unknown where no card is that
    (`gpu.not-here`), more than one is (`gpu.ambiguous`), or the driver tells no cards at all
    (`gpu.not-read`).
    """
    text = _plain(wanted)
    if not text:
        return None
    if not gpus:
        return NO_CARDS
    found = [gpu for gpu in gpus if gpu.uuid.lower() == text]
    found = found or [gpu for gpu in gpus if text.startswith("gpu-") and _begins(gpu, text)]
    found = found or [gpu for gpu in gpus if known(gpu.name) and _plain(gpu.name) == text]
    found = found or [gpu for gpu in gpus if known(gpu.name) and text in _plain(gpu.name)]
    if len(found) == 1:
        return found[0].uuid
    here = ", ".join(card_words(gpu) for gpu in gpus)
    if not found:
        return Unknown(
            "gpu.not-here", f"no card here is {wanted!r}", f"set gpu to one of these: {here}"
        )
    same = ", ".join(gpu.uuid for gpu in found)
    return Unknown(
        "gpu.ambiguous",
        f"{len(found)} cards here are {wanted!r}",
        f"set gpu to the UUID of one: {same}",
    )


def observed_gpu(device: Device | Unknown, gpus: Sequence[Gpu]) -> str | Unknown:
    """Give the UUID of the card that a service names, by its name, and by its VRAM among equals.

    A service's own `cuda:0` is never looked at: each calls its first card so. Unknown where it
    names none (`gpu.not-told`), one that is not here (`gpu.not-here`), or one of several that look
    the same (`gpu.equal-cards`).
    """
    if isinstance(device, Unknown):
        return NOT_TOLD
    if not gpus:
        return NO_CARDS
    total = device.total_bytes if known(device.total_bytes) else None
    if not known(device.name):
        alike = [gpu for gpu in gpus if total is not None and _has_total(gpu, total)]
        return alike[0].uuid if len(alike) == 1 else NOT_TOLD
    name = _device_name(device.name)
    found = [gpu for gpu in gpus if known(gpu.name) and _device_name(gpu.name) == name]
    if not found:
        return Unknown("gpu.not-here", f"it names a card that is not here: {device.name}")
    if len(found) > 1 and total is not None:
        found = [gpu for gpu in found if _has_total(gpu, total)] or found
    if len(found) == 1:
        return found[0].uuid
    return Unknown(
        "gpu.equal-cards", f"{len(found)} cards are called {device.name}: it may be any of them"
    )


def place(
    service: Service,
    container: Container | None,
    claim: Claim | None,
    devices: Sequence[Device | Unknown],
    order: GpuOrder,
    wsl: bool | None,
) -> Placement:
    """Say where a service sits and where it should.

    Args:
        service: who it is.
        container: its container; None for a plain process or a service elsewhere.
        claim: what driver and settings say of the container.
        devices: what it says itself, the most trusted first: its API, its start log.
        order: the host's cards.
        wsl: None where nobody can tell.
    """
    gpus = order.by_index
    if container is None and not is_here(service.url):
        return Placement(gpu_uuid=ELSEWHERE if service.url else None)
    observed: str | Unknown | None = None
    evidence = ""
    for device in sorted(devices, key=_is_nameless):
        told = observed_gpu(device, gpus)
        if known(told) or observed is None or observed is NOT_TOLD:
            observed, evidence = told, _told_words(device)
        if known(told):
            break
    declared = _declared(claim)
    sits, source = _sits(claim, observed, declared)
    if source != "processes" and not isinstance(observed, str) and any(map(is_on_cpu, devices)):
        sits, source, observed = None, "observed", None
        evidence = "it says that it computes on the processor, not on a card"
    expected = expected_gpu(service.gpu, gpus)
    by = "config" if service.gpu else ""
    granted = picked = None
    if container is not None and known(container.gpu):
        granted = granted_card(container.gpu, order)
        picked = picked_card(container.gpu, order, wsl)
    if not by and (granted or picked):
        expected, by = (granted, "device_ids") if granted else (picked, "picked")
    return Placement(
        gpu_uuid=sits,
        source=source,
        expected=expected,
        expected_by=by,
        picked=picked,
        declared=declared,
        observed=None if observed is NOT_TOLD else observed,
        evidence=evidence if source == "observed" or isinstance(observed, str) else "",
    )


def is_here(url: str) -> bool:
    """Tell whether a URL is this host's own, as far as its address says so."""
    host = (urlsplit(url).hostname or "").lower()
    return host in {"localhost", "::1"} or host.endswith(".localhost") or host.startswith("127.")


def card_words(gpu: Gpu) -> str:
    """Name a card for people: `RTX 3090 (card 1)`, or by its index alone."""
    if not known(gpu.name):
        return f"card {gpu.index}"
    name = gpu.name.removeprefix("NVIDIA ").removeprefix("GeForce ").removesuffix(" GPU")
    return f"{name} (card {gpu.index})"


def settled(placements: Mapping[str, Placement]) -> dict[str, Placement]:
    """Give placements by service, those that `device_ids` alone would call misplaced set right.

    WSL2 does not honour `device_ids`, and who picks the card by other means need not keep them
    right. They count where nothing else says what was meant, or where two services that they part
    sit on one card.
    """
    return {name: _settled(name, one, placements) for name, one in placements.items()}


def _settled(name: str, one: Placement, placements: Mapping[str, Placement]) -> Placement:
    if one.expected_by != "device_ids" or not one.differs or one.picked != one.gpu_uuid:
        return one
    if any(parted(one, other) for key, other in placements.items() if key != name):
        return one
    return msgspec.structs.replace(one, expected=one.picked, expected_by="picked")


def parted(one: Placement, other: Placement) -> bool:
    """Tell whether two services sit on one card though they are meant for two."""
    meant = isinstance(one.expected, str) and isinstance(other.expected, str)
    same = isinstance(one.gpu_uuid, str) and one.gpu_uuid == other.gpu_uuid
    return meant and same and one.expected != other.expected


def _declared(claim: Claim | None) -> str | Unknown | None:
    """Give where a container's settings lead, whatever the driver observed."""
    if claim is None:
        return None
    uuids = claim.declared_uuids
    if uuids is None and claim.source == "declared":
        uuids = claim.gpu_uuids
    if uuids is None:
        return NOT_TOLD if claim.uses_gpu else None
    if len(uuids) > 1:
        return Unknown("gpu.several", f"its settings leave it {len(uuids)} cards to choose from")
    return uuids[0] if uuids else None


def _sits(
    claim: Claim | None, observed: str | Unknown | None, declared: str | Unknown | None
) -> tuple[str | Unknown | None, str]:
    """Give the card it is on and how that is known: processes, its own word, its settings."""
    if claim is not None and claim.source == "processes" and claim.gpu_uuids:
        if len(claim.gpu_uuids) == 1:
            return claim.gpu_uuids[0], "processes"
        if isinstance(observed, str) and observed in claim.gpu_uuids:
            return observed, "observed"
        count = len(claim.gpu_uuids)
        return Unknown("gpu.several", f"it has processes on {count} cards"), "processes"
    if isinstance(observed, str):
        return observed, "observed"
    if isinstance(declared, str):
        return declared, "declared"
    if isinstance(observed, Unknown) and observed is not NOT_TOLD:
        return observed, "unknown"
    if claim is None or (declared is None and claim.uses_gpu):
        return NOT_TOLD, "unknown"
    return declared, "unknown"


def _is_nameless(device: Device | Unknown) -> bool:
    """Order devices: a name tells more than an amount of memory, whoever gives it."""
    return isinstance(device, Unknown) or not known(device.name)


def _told_words(device: Device | Unknown) -> str:
    if isinstance(device, Unknown):
        return ""
    where = "its start log" if device.source == "log" else "its API"
    if known(device.name):
        return f"{where} names {device.name}"
    if known(device.total_bytes):
        return f"{where} tells {format_bytes(device.total_bytes)} of VRAM"
    return ""


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text).strip().lower()


def _device_name(name: str) -> str:
    """Give a card's name without what CUDA, torch and vendors put around it."""
    plain = _CUDA.sub("", _plain(name)).partition(" : ")[0]
    return plain.removeprefix("nvidia ").strip()


def _begins(gpu: Gpu, text: str) -> bool:
    return len(text) > len("gpu-") and gpu.uuid.lower().startswith(text)


def _has_total(gpu: Gpu, total: int) -> bool:
    whole = gpu.memory_total_bytes
    if not known(whole) or whole <= 0:
        return False
    return abs(whole - total) * 100 <= whole * service_rules().cards.total_tolerance_percent
