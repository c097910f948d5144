"""`gpuconsole models`: model variants, and where they fit."""

import difflib
from typing import Any

import click

from actions.fit.model import Fit, Task
from actions.session import Session
from console.errors import UsageError
from console.models.catalog import Catalog, Variant
from console.models.disk import look_for, model_roots
from console.text import clean_line
from console.unknown import plain
from screens.cli.context import Cli
from screens.cli.models_text import matrix_text, short_id, variant_text
from screens.cli.output import emit, write

_MOST_NEAR = 3


@click.group()
def models() -> None:
    """Model variants, and on which card they fit."""


@models.command()
@click.argument("variant", required=False)
@click.option("--gpu", metavar="G", help="Only this card: a UUID, a part of its name, its index.")
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
    chosen = (_variant(variant, catalog),) if variant is not None else ()
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


def _variant(text: str, catalog: Catalog) -> str:
    """Give the id of the variant that a person names, in full or as the table shows it.

    Raises:
        UsageError: there is none of that name; the hint has the nearest.
    """
    if catalog.variant(text) is not None:
        return text
    word = _letters(text)
    meant = [one.id for one in catalog.variants if word and word in map(_letters, _names(one))]
    if len(meant) == 1:
        return meant[0]
    short = [short_id(one.id) for one in catalog.variants]
    near = [
        short_id(one.id)
        for one in catalog.variants
        if word and any(word in _letters(name) for name in _names(one))
    ]
    near = near or difflib.get_close_matches(short_id(text.strip().lower()), short, 1, 0.4)
    hint = f"Did you mean {' or '.join(near[:_MOST_NEAR])}? " if near else ""
    raise UsageError(
        "variant.unknown",
        f"there is no variant {clean_line(text, 80)!r}",
        f"{hint}`gpuconsole models fit` lists them",
    )


def _names(variant: Variant) -> tuple[str, ...]:
    """Give the words that name a variant: its id, as the table has it, and as ways out say it."""
    return variant.id, short_id(variant.id), variant.title


def _letters(text: str) -> str:
    """Leave out what people write now so, now so: case, blanks, hyphens, underscores."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


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
