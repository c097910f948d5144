"""`gpuconsole models`: which variants there are, what of them is on disk, and where they fit."""

from typing import TYPE_CHECKING, Any

import click

from console.unknown import plain_value
from screens.cli.context import Cli
from screens.cli.output import emit, say, write

if TYPE_CHECKING:
    from actions.models.model import Choice
    from actions.session import Session
    from actions.snapshot import HostSnapshot
    from actions.transfer import FileTransfer


@click.group()
def models() -> None:
    """Model variants and files: choose, fetch, check, tidy up."""


def card_option(command: Any) -> Any:
    """Add the option that names one card."""
    text = "Only this card: a UUID, a part of its name, its index."
    return click.option("--gpu", "--card", "gpu", metavar="G", help=text)(command)


@models.command("list")
@card_option
@click.option("--empty", is_flag=True, help="As if no service ran.")
@click.option("--files", is_flag=True, help="Files, with LoRAs and ControlNets, not variants.")
@click.pass_obj
def list_(cli: Cli, gpu: str | None, empty: bool, files: bool) -> int:
    """List variants: quality, size, what is on disk, what is missing, where they fit."""
    session = cli.session
    if files:
        return _list_files(cli, session)
    from actions.models.choosing import choices
    from actions.models.inventory import look
    from actions.models.listing import choice_data
    from actions.status import read_status
    from screens.cli.choices_text import choices_text

    catalog = session.needed_catalog()
    snapshot, on_disk = read_status(session), look(session)
    found = choices(session, snapshot, on_disk, gpu=gpu, empty=empty, jobs=_downloads(session))
    cards = _cards(snapshot, found, gpu)
    if cli.as_json:
        data: dict[str, Any] = {
            "empty": empty,
            "cards": [
                {"uuid": card.uuid, "index": card.index, "name": plain_value(card.name)}
                for card in cards
            ],
            "variants": [choice_data(catalog, one) for one in found],
        }
        if snapshot.gpu.problem is not None and not cards:
            data["unavailable"] = [{"source": "driver", **_words(snapshot.gpu.problem)}]
        return emit(data)
    if snapshot.gpu.problem is not None and not cards:
        say(f"gpuconsole: {snapshot.gpu.problem.title}: where they fit is not known")
    write(choices_text(catalog, found, cards, snapshot.services, empty=empty))
    return 0


@models.command()
@click.argument("name", metavar="VARIANT|FILE_ID")
@card_option
@click.option("--empty", is_flag=True, help="As if no service ran.")
@click.pass_obj
def show(cli: Cli, name: str, gpu: str | None, empty: bool) -> int:
    """Say all about a variant or file: where from, what it needs, what is here, where it fits."""
    from actions.models.catalogue import entry_named
    from actions.models.choosing import choices, pieces_by_id
    from actions.models.inventory import look
    from actions.models.listing import choice_data, file_data
    from actions.models.versions import too_old
    from actions.status import read_status
    from console.models.catalog import ModelFile
    from screens.cli.show_text import file_text, variant_text

    session = cli.session
    catalog = session.needed_catalog()
    entry = entry_named(catalog, name)
    jobs = _downloads(session)
    if isinstance(entry, ModelFile):
        piece = pieces_by_id(session, look(session), jobs)[entry.id]
        asked = _asked(session, entry)
        if cli.as_json:
            return emit({"file": file_data(catalog, entry, piece, asked)})
        write(file_text(catalog, entry, piece, asked))
        return 0
    snapshot = read_status(session)
    (choice,) = choices(
        session, snapshot, look(session), gpu=gpu, empty=empty, jobs=jobs, variants=(entry.id,)
    )
    old = too_old(entry, snapshot.services)
    asked_of = {file.id: _asked(session, file) for file in catalog.files_of(entry)}
    if cli.as_json:
        data = choice_data(catalog, choice, asked_of)
        return emit({"variant": {**data, "warnings": [*data["warnings"], *old]}})
    write(variant_text(catalog, choice, _cards(snapshot, (choice,), gpu), asked_of, old))
    return 0


def _list_files(cli: Cli, session: "Session") -> int:
    from actions.models.choosing import pieces_by_id
    from actions.models.inventory import look
    from actions.models.listing import file_data
    from screens.cli.choices_text import files_text

    catalog = session.needed_catalog()
    pieces = pieces_by_id(session, look(session), _downloads(session))
    if cli.as_json:
        return emit({"files": [file_data(catalog, one, pieces[one.id]) for one in catalog.files]})
    write(files_text(catalog, pieces))
    return 0


def _downloads(session: "Session") -> "dict[str, tuple[FileTransfer, ...]]":
    """Give the files of each download under way or left in the middle, by the job's id."""
    from actions.operations import Operations

    jobs = Operations(session, via="cli").jobs()
    return {job.id: job.files for job in jobs if job.kind == "download"}


def _cards(snapshot: "HostSnapshot", found: "tuple[Choice, ...]", gpu: str | None) -> Any:
    """Give the cards that the verdicts are for.

    Raises:
        UnreachableError: one is named, and there is none.
    """
    from actions.fit.cards import cards_of, pick_card

    if gpu is not None:
        return (pick_card(gpu, cards_of(snapshot.gpu)),)
    return snapshot.gpu.gpus if any(one.fits for one in found) else ()


def _asked(session: "Session", file: Any) -> Any:
    """Give what the hub last said of a file; None where it was never asked."""
    from console.hub.facts import HubSpec
    from console.store.hub_files import HubRecords

    spec = HubSpec(repo=file.repo, path=file.path, revision=file.asked_revision)
    return HubRecords(session.store).recall(spec)


def _words(problem: Any) -> dict[str, str]:
    import msgspec

    return msgspec.structs.asdict(problem)


# Subcommands in modules of their own; each adds itself to the group when it is imported.
from screens.cli import inventory, models_fit, pull, tidy  # noqa: E402, F401
