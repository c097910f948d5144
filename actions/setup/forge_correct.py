"""What could be corrected of the compose service of a Forge that is here, and why not, if not."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from actions.doctor.ground import Ground as DoctorGround
from actions.plan import Plan
from actions.service_verbs.steps import project_of
from actions.services.placement import card_words
from actions.services.snapshot import ServiceStatus
from actions.setup.compose_search import device_ids, published, variables
from actions.setup.files.forge import SUPERVISOR, Corrected, corrected_forge, env_file
from actions.setup.files.host import wanted_for
from actions.setup.ground import Ground
from actions.setup.report import Look
from console.compose.outside import outside_of
from console.compose.project import ComposeService, parse, read_service, service_of
from console.engine.snapshot import ARGUMENT_NAMES, Container
from console.engine.values import items, mapping
from console.errors import ConsoleError, UsageError
from console.files import read_limited
from console.gpu.snapshot import Gpu
from console.text import clean_line
from console.unknown import Unknown, known

ALL = "all"
_COMPARED = (
    *ARGUMENT_NAMES, "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "AUTO_UPDATE", "FORGE_REF",
)  # fmt: skip
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_LIMIT = 1 << 16


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What could be corrected of one Forge.

    Attributes:
        status: the service.
        corrected: its file with this Forge corrected, those that were chosen before it too; None
            where it cannot be read.
        env: the file that its secrets go into.
        card: UUID of the card that it is given; empty where nobody knows which it is to have.
        problem: why nothing can be done about it; empty where something can.
        behind: what its container has otherwise than its file, in names.
        then: likewise, once its file is corrected.
        moves: that it runs on another card now than it is given; empty where it does not.
    """

    status: ServiceStatus
    corrected: Corrected | None = None
    env: Path = Path()
    card: str = ""
    problem: str = ""
    behind: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    moves: str = ""

    @property
    def changes(self) -> bool:
        """Whether its file would be another one."""
        return self.corrected is not None and bool(self.corrected.reasons)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Give what would be corrected, and why."""
        return self.corrected.reasons if self.corrected is not None else ()

    @property
    def left(self) -> tuple[str, ...]:
        """Give what only a person can correct, and why."""
        return self.corrected.refused if self.corrected is not None else ()

    @property
    def file(self) -> Path:
        """Give its compose file."""
        return self.status.service.compose_file or Path()

    @property
    def command(self) -> str:
        """Give the command line that makes its container anew."""
        return f"gpuconsole restart {self.status.name} --recreate"

    def lines(self) -> Iterator[str]:
        """Say what is to be known of it."""
        name = self.status.name
        if self.problem:
            yield f"{name}: left as it is: {self.problem}"
        if self.changes:
            yield f"{name}: its compose file can be corrected, if you say so (forge.correct):"
        for reason in self.reasons:
            yield f"→ {reason}"
        if self.changes and self.moves:
            yield f"{name}: {self.moves}"
        for one in self.left:
            yield f"{name}: cannot be corrected here: {one}"
        if self.behind and not self.changes:
            yield f"{name}: its container is older than its file: {', '.join(self.behind)}"

    def refusal(self) -> Look | None:
        """Give why it cannot be corrected though that was answered; None where it can."""
        why = self.problem or (_unwritable(self.file) if self.changes else "")
        if not why:
            return None
        return Look(
            state="blocked",
            detail=f"{self.status.name} cannot be corrected: {why}",
            commands=("leave forge.correct empty to go on without", *self._by_hand()),
        )

    def _by_hand(self) -> Iterator[str]:
        if self.corrected is not None:
            yield f"by hand, in {self.file}:"
            yield from (f"  {one}" for one in self.corrected.edit.settings)


def chosen_names(answer: str, names: Sequence[str]) -> set[str]:
    """Give the Forges that are to be corrected.

    Raises:
        UsageError: the answer names one that is not here (`setup.no-service`).
    """
    if answer.strip() == ALL:
        return set(names)
    wanted = {part.strip() for part in answer.split(",") if part.strip()}
    for one in wanted - set(names):
        raise UsageError(
            "setup.no-service",
            f"no Forge here is called {clean_line(one, 80)!r}",
            f"forge.correct names one of: {', '.join(names) or 'none'}, or says {ALL}",
        )
    return wanted


def offers_of(
    ground: Ground, statuses: Sequence[ServiceStatus], chosen: set[str]
) -> tuple[Offer, ...]:
    """Give what could be corrected of each Forge; of those chosen, all changes of a file together.

    Raises:
        UsageError: the card that was answered is none, or is ambiguous.
    """
    texts: dict[Path, str] = {}
    doctor = DoctorGround(ground.session)
    return tuple(_offer(ground, doctor, one, chosen, texts) for one in statuses)


def _offer(
    ground: Ground,
    doctor: DoctorGround,
    status: ServiceStatus,
    chosen: set[str],
    texts: dict[Path, str],
) -> Offer:
    service = status.service
    if service.compose_file is None or not service.compose_service:
        return Offer(status=status, problem="its container was made without compose")
    try:
        found = read_service(service.compose_file, service.compose_service, project_of(service))
        alone = chosen == {status.name}
        card = _card(ground, status, ground.answers.text("forge.gpu") if alone else "")
        text = texts.get(service.compose_file, found.text)
        env, corrected = _corrected(ground, found, status, card, text)
        container = _container(ground, status)
        now = _environment(doctor, container)
        older = container is not None and _is_older(container, found.file)
        gpus = ground.snapshot.gpu.gpus
        behind = _behind(container, now, found, found.text, gpus) if older else ()
        then = _behind(container, now, found, corrected.edit.text, gpus)
    except UsageError:
        raise
    except ConsoleError as error:
        return Offer(status=status, problem=error.title)
    if status.name in chosen:
        texts[service.compose_file] = corrected.edit.text
    return Offer(
        status=status, corrected=corrected, env=env, behind=behind, then=then,
        card=card.uuid if card is not None else "", moves=_moves(ground, status, card),
    )  # fmt: skip


def _moves(ground: Ground, status: ServiceStatus, card: Gpu | None) -> str:
    now = next((one for one in ground.snapshot.gpu.gpus if one.uuid == status.gpu_uuid), None)
    if now is None or card is None or now.uuid == card.uuid:
        return ""
    return f"it runs on {card_words(now)} now, and on {card_words(card)} then"


def _corrected(
    ground: Ground, found: ComposeService, status: ServiceStatus, card: Gpu | None, text: str
) -> tuple[Path, Corrected]:
    """Give the file with one Forge corrected, and where its secrets go."""
    gpus = ground.snapshot.gpu.gpus
    wanted = wanted_for(
        ground.session, gpus, card or gpus[0], variant=None, changes={"models": Path("/")}
    )
    outside = outside_of(found, ground.session.environ)

    def correct(env: str) -> Corrected:
        return corrected_forge(
            text, found.name, wanted, outside, found.file.name, env, pin=card is not None
        )

    folder = found.project.place
    beside = folder == found.file.absolute().parent

    def shown(name: str) -> str:
        return name if beside else str(folder / name)

    first = _env_name(status, 0)
    made = correct(shown(first))
    for place in range(1, 20):
        if not made.secrets or _free_for(folder / first, made.secrets):
            break
        first = _env_name(status, place)
        made = correct(shown(first))
    return folder / first, made


def _env_name(status: ServiceStatus, place: int) -> str:
    name = _NOT_IN_NAMES.sub("-", status.name).strip("-") or "forge"
    return f"{name}-{place + 1}.env" if place else f"{name}.env"


def _free_for(path: Path, secrets: dict[str, str]) -> bool:
    """Tell whether a file may be written: it is not there, or is what would be written."""
    try:
        return read_limited(path, _LIMIT).decode("utf-8", "replace") == env_file(secrets).text
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _card(ground: Ground, status: ServiceStatus, answer: str) -> Gpu | None:
    """Give the card a Forge is to have: as answered, as it is meant to be, else the one it is on.

    Raises:
        UsageError: the answer names none, or several.
        UnreachableError: there are no cards.
    """
    from actions.fit.cards import cards_of, pick_card

    cards = cards_of(ground.snapshot.gpu)
    if answer:
        return pick_card(answer, cards)
    for uuid in (status.gpu_expected_uuid, status.gpu_uuid, status.gpu_declared_uuid):
        meant = next((one for one in cards if one.uuid == uuid), None)
        if meant is not None:
            return meant
    return cards[0] if len(cards) == 1 else None


def _behind(
    container: Container | None,
    has: dict[str, str],
    found: ComposeService,
    text: str,
    gpus: Sequence[Gpu],
) -> tuple[str, ...]:
    """Give what a container has otherwise than a file says: it was made before that was changed."""
    if container is None:
        return ()
    entry = service_of(parse(text, found.file), found.name, found.file)
    meant = variables(entry)
    names = [
        name
        for name in _COMPARED
        if name in meant and "$" not in meant[name] and has.get(name) != meant[name]
    ]
    if _publishes(container) and SUPERVISOR not in published(entry):
        names.append(f"port {SUPERVISOR}")
    asked = _asked_for(device_ids(entry), gpus)
    if asked and known(container.gpu):
        has_now = [one for request in container.gpu.requests for one in request.device_ids]
        if _asked_for(has_now, gpus) != asked:
            names.append("device_ids")
    return tuple(names)


def _asked_for(ids: Sequence[str], gpus: Sequence[Gpu]) -> set[str]:
    """Give the cards that ids of the engine mean, a place or a UUID each; others as they are."""
    places = {str(one.index): one.uuid for one in gpus}
    return {places.get(one, one) for one in ids}


def _is_older(container: Container, file: Path) -> bool:
    """Tell whether a container is from before its file was last written; True if nobody knows.

    What a younger one has otherwise comes from other files of its project, and a new container
    would have it too.
    """
    if isinstance(container.created_at, Unknown):
        return True
    # Engines tell it in whole seconds.
    return int(file.stat().st_mtime) >= int(container.created_at.timestamp())


def _container(ground: Ground, status: ServiceStatus) -> Container | None:
    containers = ground.snapshot.engine.containers
    return next((one for one in containers if one.id == status.container_id), None)


def _environment(doctor: DoctorGround, container: Container | None) -> dict[str, str]:
    """Give the environment that a container was made with.

    Raises:
        EngineError: the engine cannot be asked.
    """
    if container is None:
        return {}
    config = mapping(doctor.inspect(container.id).get("Config"))
    told = (str(one).partition("=") for one in items(config.get("Env")))
    return {name: value for name, _, value in told}


def _publishes(container: Container) -> bool:
    return any(one.container_port == SUPERVISOR and one.host_port for one in container.ports)


def _unwritable(file: Path) -> str:
    """Say why a file cannot be changed by this user; empty where it can."""
    real = Path(os.path.realpath(file))
    if not os.access(real, os.W_OK) or not os.access(real.parent, os.W_OK):
        return f"you may not write {file}, or not in its folder"
    return ""


def _is_ours(file: Path, edit: dict[str, str]) -> bool:
    """Tell whether a file is as setup left it: nothing of somebody else's is put back with it."""
    from console.compose.project import read_text

    try:
        digest = hashlib.sha256(read_text(file).encode()).hexdigest()
    except ConsoleError:
        return False
    return edit.get("file") == str(file) and edit.get("written") == digest


def anew(ground: Ground, one: Offer) -> Plan | str:
    """Give the plan that makes a Forge's container anew, or why not now."""
    name = one.status.name
    edit = ground.memory.now.corrected.get(name)
    edits = {name: edit} if edit is not None and _is_ours(one.file, edit) else None
    try:
        plan = ground.operations.plan("restart", name, recreate=True, edits=edits)
    except ConsoleError as error:
        return error.title
    why = plan.refusal
    if plan.verdict == "refused" and why is not None and why.code != "policy.read-only":
        return why.title
    return plan
