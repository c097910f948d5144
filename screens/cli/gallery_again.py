"""`gpuconsole gallery again`: make an edit once more, with something changed or nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.edits.recipe import RECIPE_KEY
from console.errors import UsageError
from screens.cli.context import Cli
from screens.cli.gallery import gallery
from screens.cli.size import Size

if TYPE_CHECKING:
    from actions.edits.request import EditRequest

_WHAT = (
    "Without an option the very same picture comes out, as far as service and card are the same. "
    "Of a picture FILE its own recipe is taken; inputs that are not on this host any more are "
    "given with --image. The rest is as of `gpuconsole edit`."
)
_HOW = ("show", "dry_run", "detach", "events", "yes")


@gallery.command(epilog=_WHAT)
@click.argument("name", metavar="ID|last|FILE")
@click.option("--seed", type=int, metavar="N", help="Another seed.")
@click.option("--new-seed", is_flag=True, help="Draw another seed.")
@click.option("--image", "images", metavar="F", multiple=True, help="Other pictures.")
@click.option("--prompt", metavar="P", help="Another prompt.")
@click.option("--negative", metavar="P", help="Another negative prompt.")
@click.option("--service", metavar="S", help="On another service.")
@click.option("--variant", metavar="V", help="By another model variant.")
@click.option("--steps", type=int, metavar="N", help="Other steps.")
@click.option("--cfg", type=float, metavar="X", help="Another cfg.")
@click.option("--denoise", type=float, metavar="X", help="Another denoise.")
@click.option("--size", type=Size(), help="Another size.")
@click.option("--lightning", type=int, metavar="STEPS", help="With a Lightning LoRA: 4, 8.")
@click.option("--out", metavar="DIR", help="Copy the picture there too.")
@click.option("--show", is_flag=True, help="Show the picture in the terminal.")
@click.option("--dry-run", is_flag=True, help="Show plan, graph and pre-check; send nothing.")
@click.option("--detach", is_flag=True, help="Give the job's id and leave it.")
@click.option("--events", is_flag=True, help="With --json: what happens too, a line each.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_context
def again(context: click.Context, /, name: str, **options: Any) -> int:
    """Make an edit once more, with something changed or nothing."""
    from actions.gallery.again import NEW_SEED
    from screens.cli.edit import edit

    how = {option: options.pop(option) for option in _HOW}
    if options.pop("new_seed"):
        if options["seed"] is not None:
            raise UsageError("gallery.two-seeds", "either --seed or --new-seed")
        options["seed"] = NEW_SEED
    for option in ("images", "out"):
        options[option] = _absolute(options[option])
    request = _request(context.obj, name, options)
    code: int = context.invoke(
        edit,
        workflow=request.workflow,
        images=request.images,
        prompt=request.prompt,
        negative=request.negative,
        service=request.service,
        variant=request.variant,
        text_encoder=request.encoder,
        seed=request.seed,
        steps=request.steps,
        cfg=request.cfg,
        denoise=request.denoise,
        size=request.size,
        lightning=request.lightning,
        out=request.out,
        no_preview=not request.preview,
        **how,
    )
    return code


def _request(cli: Cli, name: str, changes: dict[str, Any]) -> "EditRequest":
    """Give the request of an edit, or of a picture file's own recipe, with its changes.

    Raises:
        UsageError: there is none, or an input of it is gone.
        PictureError: the file is no picture.
    """
    from actions.gallery.again import request_of, request_of_recipe
    from actions.gallery.finding import as_file, one_edit
    from actions.gallery.from_file import read_file

    path = as_file(cli.session, name)
    if path is None:
        return request_of(one_edit(cli.session, name), **changes)
    found = read_file(cli.session, path)
    if found.edit is not None and found.role == "output":
        return request_of(found.edit, **changes)
    recipe = found.recipe.get(RECIPE_KEY)
    if not isinstance(recipe, dict):
        raise UsageError(
            "gallery.no-recipe",
            f"{path.name} does not say how gpuconsole made it",
            "gpuconsole gallery show tells what it says",
        )
    return request_of_recipe(cli.session, recipe, **changes)


def _absolute(value: Any) -> Any:
    """Give what was typed as the job has to know it, which runs elsewhere; None for nothing."""
    if isinstance(value, tuple):
        return tuple(_absolute(one) for one in value) or None
    return str(Path(value).expanduser().absolute()) if value else None
