"""The steps that give a service's settings another card: its compose file, and its container."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from actions.declared import GpuOrder
from actions.merge import on_wsl
from actions.plan import Step
from actions.service_verbs.around import Around
from actions.service_verbs.doing import Doing
from actions.service_verbs.draft import ServiceDraft
from actions.service_verbs.layout_words import check
from actions.service_verbs.steps import project_of, service_step
from actions.service_verbs.words import limit
from actions.services.advice import advice
from actions.services.find import container_of
from actions.services.placement import Placement
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.trouble import StepError
from console.errors import ConsoleError
from console.gpu.snapshot import Gpu
from console.mask import mask_text

EDIT = "edit-compose"
CREATE = "compose-create"
_EDIT_SECONDS = 20.0
_MARGIN = 15.0


def edit_draft(
    session: Session,
    around: Around,
    status: ServiceStatus,
    card: Gpu,
    texts: dict[Path, str] | None = None,
) -> ServiceDraft:
    """Give the step that gives a service's compose file another card, with the diff.

    Where the file says so already there is no step. A file that cannot be changed refuses, with
    the setting to change by hand.

    Args:
        session: for the compose there is.
        around: the look at the host.
        status: the service.
        card: the one it is to have.
        texts: what files will hold by then, where earlier steps change them; this change is added.
    """
    texts = {} if texts is None else texts
    service = status.service
    by_hand = _by_hand(around, status, card)
    if service.compose_file is None or not service.compose_service:
        return ServiceDraft(checks=(check("move.no-compose", "refuse", hint=by_hand),))
    from console.compose.command import find_compose
    from console.compose.edit import edit_card
    from console.compose.outside import outside_of
    from console.compose.project import read_service

    change = card_change(around, card)
    try:
        find_compose(session.environ, session.endpoint)
        found = read_service(service.compose_file, service.compose_service, project_of(service))
        outside = outside_of(found, session.environ)
        text = texts.get(service.compose_file, found.text)
        edit = edit_card(text, service.compose_service, change, outside, service.compose_file.name)
    except ConsoleError as error:
        hint = f"{error.hint}; by hand: {by_hand}" if error.hint else by_hand
        refusal = check("move.cannot-edit", "refuse", title=error.title, hint=hint)
        return ServiceDraft(checks=(msgspec.structs.replace(refusal, id=error.code),))
    if edit.text == edit.before:
        return ServiceDraft()
    texts[service.compose_file] = edit.text
    step = service_step(
        EDIT,
        status,
        f"Give {status.name} {around.card_name(card.uuid)} in {service.compose_file.name}: "
        + "; ".join(edit.settings),
        mask_text(f"$EDITOR {service.compose_file}"),
        seconds=_EDIT_SECONDS,
        undo="gpuconsole jobs back last",
        file=str(service.compose_file),
        compose_service=service.compose_service,
        change=msgspec.to_builtins(change),
        token=hashlib.sha256(edit.before.encode()).hexdigest()[:12],
        written=edit.digest,
    )
    step = msgspec.structs.replace(step, touches=(*step.touches, f"file {service.compose_file}"))
    return ServiceDraft(steps=(step,), diff=f"{edit.diff}\n" if edit.diff else "")


def restore_step(status: ServiceStatus, edit: dict[str, Any]) -> Step:
    """Give the step that puts a compose file back as it was before an edit step."""
    file = Path(str(edit["file"]))
    step = service_step(
        EDIT,
        status,
        f"Put {file.name} back as it was before",
        mask_text(f"cp {file}.before-{edit['token']} {file}"),
        seconds=_EDIT_SECONDS,
        restore=True,
        **edit,
    )
    return msgspec.structs.replace(step, touches=(*step.touches, f"file {file}"))


def settle_steps(around: Around, status: ServiceStatus) -> tuple[Step, ...]:
    """Give the step that makes the container of a stopped service anew from its changed file."""
    if around.container(status) is None:
        return ()
    from console.compose.run import shown_command

    service = status.service
    if service.compose_file is None:
        return ()
    words = shown_command(project_of(service), service.compose_service, recreate=True, start=False)
    step = service_step(
        CREATE,
        status,
        f"Create {status.name} anew by compose, and leave it stopped",
        words,
        seconds=limit("compose", "up_limit") + _MARGIN,
        limit=limit("compose", "up_limit"),
    )
    return (msgspec.structs.replace(step, touches=(*step.touches, f"container {status.name}")),)


def card_change(around: Around, card: Gpu) -> Any:
    """Give the card as a change of settings: by UUID where the engine's choice counts."""
    from console.compose.edit import CardChange

    ordered = GpuOrder(around.snapshot.gpu.gpus)
    uuids = [gpu.uuid for gpu in ordered.pci_order(ordered.by_index)]
    native = on_wsl(around.snapshot.host) is False
    return CardChange(index=uuids.index(card.uuid), gpu_uuid=card.uuid, by_device=native)


def edit_compose(doing: Doing) -> str:
    """Write the change of a compose file, or put the file back as it was before.

    Raises:
        ComposeError: the file was changed meanwhile, or cannot be read or written.
    """
    from console.compose.edit import CardChange, edit_card, restore, write_edit
    from console.compose.outside import outside_of
    from console.compose.project import read_service

    file, token = Path(str(doing.options["file"])), str(doing.options["token"])
    if doing.options.get("restore"):
        return _put_back(file, token, str(doing.options["written"]), restore)
    service = str(doing.options["compose_service"])
    found = read_service(file, service)
    change = msgspec.convert(doing.options["change"], CardChange)
    outside = outside_of(found, doing.session.environ)
    edit = edit_card(found.text, service, change, outside, file.name)
    if edit.text == edit.before:
        return f"{file.name} says so already"
    if edit.digest != doing.options["written"]:
        title = f"{file} was changed by somebody meanwhile: this would not be what was shown"
        raise StepError("compose.changed", title, "Look at it, then ask again")
    backup = write_edit(file, edit, token)
    return f"{'; '.join(edit.settings)} in {file} (as it was: {backup.name})"


def _put_back(file: Path, token: str, written: str, restore: Any) -> str:
    """Restore a file; one that was never changed has no backup, and needs none."""
    from console.compose.writing import backup_of

    if not backup_of(file, token).exists():
        return f"{file} was not changed"
    return str(restore(file, token, written))


def _by_hand(around: Around, status: ServiceStatus, card: Gpu) -> str:
    """Say which setting to change to what."""
    snapshot = around.snapshot
    container = container_of(status.service, snapshot.engine.containers)
    meant = Placement(expected=card.uuid)
    order = GpuOrder(snapshot.gpu.gpus)
    return advice(status.service, container, meant, order, on_wsl(snapshot.host))
