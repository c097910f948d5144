"""Whether this very edit fits the card of its service, as the plan says it."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from actions.edits.words import check
from actions.fit.model import Fit, Task
from actions.fit.service import fit_service
from actions.plan import Check
from actions.service_verbs.start import fit_words
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.snapshot import HostSnapshot
from actions.workflows.building import Built
from console.gpu.snapshot import Gpu
from console.models.catalog import Catalog
from console.unknown import Unknown, known

_BESIDE = frozenset({"lora", "controlnet", "model_patch"})
_MEGAPIXEL = (1024, 1024)


class Fitted(NamedTuple):
    """The pre-check of an edit: the card that it runs on, the verdict, and both in words."""

    gpu_uuid: str
    gpu_name: str
    fit: Fit | None
    checks: tuple[Check, ...]


def fit_edit(
    session: Session, snapshot: HostSnapshot, status: ServiceStatus, built: Built, images: int
) -> Fitted:
    """Reckon an edit on the card that its service sits on.

    What the service holds already counts as free for it: a model that is loaded is not loaded
    twice.
    """
    uuid = status.gpu_uuid if isinstance(status.gpu_uuid, str) else ""
    name = _name(snapshot.gpu.gpus, uuid)
    if not built.variant and not status.service.variant and status.service.vram_budget is None:
        why = "neither the graph nor the config says which variant it is"
        return Fitted(uuid, name, None, (check("edit.not-for-fit", said=why),))
    if not status.up:
        snapshot = _up(snapshot, status)
    width, height = built.size or _MEGAPIXEL
    fit = fit_service(
        session,
        snapshot,
        status.name,
        gpu_uuid=uuid or None,
        variant=built.variant or None,
        task=Task(width=width, height=height, images=images),
        extras=_extras(session.catalog, built),
    )
    if isinstance(fit.verdict, Unknown):
        why = fit.reason or fit.verdict.title
        return Fitted(uuid, name, fit, (check("edit.not-for-fit", said=why),))
    return Fitted(uuid or fit.gpu_uuid, name or fit.gpu_name, fit, fit_words(fit, force=False))


def _up(snapshot: HostSnapshot, status: ServiceStatus) -> HostSnapshot:
    """Give the host with a service up that has just answered, such as one that fell over often.

    Else what it holds would count as somebody else's.
    """
    answers = msgspec.structs.replace(status, state="ready")
    services = tuple(answers if one.name == status.name else one for one in snapshot.services)
    return msgspec.structs.replace(snapshot, services=services)


def _extras(catalog: Catalog, built: Built) -> tuple[str, ...]:
    """Give what is loaded beside the variant and takes VRAM of its own."""
    found = (catalog.file(ident) for ident in built.files)
    return tuple(file.id for file in found if file is not None and file.kind in _BESIDE)


def _name(gpus: Sequence[Gpu], uuid: str) -> str:
    name = next((gpu.name for gpu in gpus if gpu.uuid == uuid), "")
    return name if known(name) else ""
