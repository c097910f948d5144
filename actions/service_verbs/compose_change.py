"""The steps that change a service's compose file, put it back, and make its container anew."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from actions.plan import Step
from actions.service_verbs.around import Around
from actions.service_verbs.doing import Doing
from actions.service_verbs.draft import ServiceDraft
from actions.service_verbs.layout_words import check
from actions.service_verbs.steps import project_of, service_step
from actions.service_verbs.words import limit
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from actions.trouble import StepError
from console.errors import ConsoleError
from console.mask import mask_text

if TYPE_CHECKING:
    from console.compose.editing import ComposeEdit
    from console.compose.outside import Outside
    from console.compose.project import ComposeService

EDIT = "edit-compose"
CREATE = "compose-create"
_EDIT_SECONDS = 20.0
_MARGIN = 15.0


class Wish(NamedTuple):
    """What is to be changed in a compose file.

    Attributes:
        title: of the step; what changes is added to it.
        by_hand: what the operator can do where the file cannot be changed; may be empty.
        options: of the step, from which the same wish is made when the step is carried out.
        edit: gives the edit of a text, told the service's name there, what comes from elsewhere,
            and the file's name.
        outside: reads what comes from elsewhere.
    """

    title: str
    by_hand: str
    options: dict[str, Any]
    edit: "Callable[[str, str, Outside, str], ComposeEdit]"
    outside: "Callable[[ComposeService], Outside]"


def change_draft(
    session: Session, status: ServiceStatus, wish: Wish, texts: dict[Path, str] | None = None
) -> ServiceDraft:
    """Give the step that changes a service's compose file, with the diff.

    Where the file says so already there is no step. A file that cannot be changed refuses, with
    what to change by hand.

    Args:
        session: for the compose there is.
        status: the service.
        wish: what is to be otherwise.
        texts: what files will hold by then, where earlier steps change them; this change is added.
    """
    texts = {} if texts is None else texts
    service = status.service
    if service.compose_file is None or not service.compose_service:
        return ServiceDraft(checks=(check("move.no-compose", "refuse", hint=wish.by_hand),))
    from console.compose.command import find_compose
    from console.compose.project import read_service

    try:
        find_compose(session.environ, session.endpoint)
        found = read_service(service.compose_file, service.compose_service, project_of(service))
        text = texts.get(service.compose_file, found.text)
        edit = wish.edit(
            text, service.compose_service, wish.outside(found), service.compose_file.name
        )
    except ConsoleError as error:
        by_hand = f"by hand: {wish.by_hand}" if wish.by_hand else ""
        hint = "; ".join(part for part in (error.hint, by_hand) if part)
        refusal = check("move.cannot-edit", "refuse", title=error.title, hint=hint)
        return ServiceDraft(checks=(msgspec.structs.replace(refusal, id=error.code),))
    if edit.text == edit.before:
        return ServiceDraft()
    texts[service.compose_file] = edit.text
    step = service_step(
        EDIT,
        status,
        f"{wish.title} in {service.compose_file.name}: {'; '.join(edit.settings)}",
        mask_text(f"$EDITOR {service.compose_file}"),
        seconds=_EDIT_SECONDS,
        undo="gpuconsole jobs back last",
        file=str(service.compose_file),
        compose_service=service.compose_service,
        token=hashlib.sha256(edit.before.encode()).hexdigest()[:12],
        written=edit.digest,
        **wish.options,
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


def edit_compose(doing: Doing) -> str:
    """Write the change of a compose file, or put the file back as it was before.

    Raises:
        ComposeError: the file was changed meanwhile, or cannot be read or written.
    """
    from console.compose.project import read_service
    from console.compose.writing import restore, write_edit

    file, token = Path(str(doing.options["file"])), str(doing.options["token"])
    if doing.options.get("restore"):
        return _put_back(file, token, str(doing.options["written"]), restore)
    service = str(doing.options["compose_service"])
    wish = _wish_of(doing)
    found = read_service(file, service)
    edit = wish.edit(found.text, service, wish.outside(found), file.name)
    if edit.text == edit.before:
        return f"{file.name} says so already"
    if edit.digest != doing.options["written"]:
        title = f"{file} was changed by somebody meanwhile: this would not be what was shown"
        raise StepError("compose.changed", title, "Look at it, then ask again")
    backup = write_edit(file, edit, token)
    return f"{'; '.join(edit.settings)} in {file} (as it was: {backup.name})"


def _wish_of(doing: Doing) -> Wish:
    """Give what an edit step was made from."""
    if "settings" in doing.options:
        from actions.service_verbs.setting import wish_of_step

        return wish_of_step(doing)
    from actions.service_verbs.card_change import wish_of_card

    return wish_of_card(doing)


def _put_back(file: Path, token: str, written: str, restore: Any) -> str:
    """Restore a file; one that was never changed has no backup, and needs none."""
    from console.compose.writing import backup_of

    if not backup_of(file, token).exists():
        return f"{file} was not changed"
    return str(restore(file, token, written))
