"""`gpuconsole models fit`: which variants fit on which card, and why."""

import difflib
from typing import Any

import click

from actions.fit.model import Fit, Task
from actions.models.catalogue import variant_named
from actions.session import Session
from console.errors import UsageError
from console.models.catalog import Catalog
from console.models.disk import look_for, model_roots
from console.text import clean_line
from console.unknown import plain
from screens.cli.context import Cli
from screens.cli.models import card_option, models
from screens.cli.models_text import matrix_text, variant_text
from screens.cli.output import emit, write


@models.command()
@click.argument("variant", required=False)
@card_option
@click.option(
    "--width",
    type=click.IntRange(16, 16_384),
    default=1024,
    show_default=True,
    help="Pixels of the result.",
)
@click.option(
    "--height",
    type=click.IntRange(16, 16_384),
    default=1024,
    show_default=True,
    help="Pixels of the result.",
)
@click.option(
    "--images",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Reference pictures of the edit.",
)
@click.option("--with", "extras", multiple=True, metavar="ID", help="A LoRA or ControlNet with it.")
@click.option("--empty", is_flag=True, help="As if no service ran.")
@click.pass_obj
def fit(
    cli: Cli,
    variant: str | None,
    gpu: str | None,
    width: int,
    height: int,
    images: int,
    extras: tuple[str, ...],
    empty: bool,
) -> int:
    """Say which variants fit on which card; with VARIANT also why, and the ways out."""
    from actions.fit.cards import pick_card
    from actions.fit.matrix import matrix
    from actions.status import read_status

    session = cli.session
    catalog = session.needed_catalog()
    chosen = (variant_named(catalog, variant).id,) if variant is not None else ()
    _check_extras(extras, catalog)
    snapshot = read_status(session)
    fits = matrix(
        session,
        snapshot,
        chosen,
        gpu,
        Task(width=width, height=height, images=images),
        empty,
        extras,
        ways_out=bool(chosen) or cli.as_json,
    )
    if cli.as_json:
        return emit({"empty": empty, "rows": _rows(session, fits)})
    cards = snapshot.gpu.gpus if gpu is None else (pick_card(gpu, snapshot.gpu.gpus),)
    if chosen:
        write(variant_text(fits, cards, catalog, snapshot.services, empty=empty))
    else:
        disk, services = _on_disk(session), snapshot.services
        write(matrix_text(fits, cards, catalog, disk, services, empty=empty))
    return 0


def _rows(session: Session, fits: tuple[Fit, ...]) -> list[dict[str, Any]]:
    """Give the matrix as JSON has it, with what is on disk and which is the best of each card."""
    from actions.fit.matrix import best_resident, is_tight

    catalog, disk = session.catalog, _on_disk(session)
    best = best_resident(fits, catalog)
    return [
        {
            **plain(one),
            "on_disk": disk.get(one.variant, "missing"),
            "best": (one.variant, one.gpu_uuid) in best,
            "tight": is_tight(one),
        }
        for one in fits
    ]


def _on_disk(session: Session) -> dict[str, str]:
    """Give the worst state of each variant's files: all of them make it `present`."""
    catalog = session.catalog
    found = look_for(catalog.files, model_roots(session.settings.paths))
    order = ("present", "wrong-size", "unreadable", "missing")
    return {
        variant.id: max((found[ident].state for ident in variant.files), key=order.index)
        for variant in catalog.variants
    }


def _check_extras(extras: tuple[str, ...], catalog: Catalog) -> None:
    from actions.fit.demand import EXTRA_KINDS

    able = [one.id for one in catalog.files if one.kind in EXTRA_KINDS]
    for ident in extras:
        if ident not in able:
            near = difflib.get_close_matches(ident, able, 1, 0.4)
            hint = f"Did you mean {near[0]}?" if near else f"One of: {', '.join(able)}"
            raise UsageError(
                "model.not-an-extra",
                f"there is no LoRA or ControlNet {clean_line(ident, 80)!r}",
                hint,
            )
