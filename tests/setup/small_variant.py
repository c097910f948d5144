"""A variant of a few megabytes, in the operator's own catalogue and on a hub of the test's own."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from console.simulator.hub.hub import RehearsalHub
from tests.setup.walking import Walk
from tests.support.hub import Noise, rehearsal_hub

SMALL = "small-model"
FILES = {
    "small-model": ("diffusion_model", "diffusion_models"),
    "small-encoder": ("text_encoder", "text_encoders"),
    "small-vae": ("vae", "vae"),
}
BODY = Noise(2_000_000, 1)


@contextlib.contextmanager
def small_variant(one: Walk, *, rate: float | None = None) -> Iterator[RehearsalHub]:
    """Let the operator have it, and give the hub that it is fetched from.

    `rate` is bytes a second, of all connections together.
    """
    usual = one.session().settings.paths.catalog
    assert usual is not None
    usual.write_text("\n".join([usual.read_text(), *_entries()]))
    files = {f"{ident}.safetensors": BODY for ident in FILES}
    with rehearsal_hub({"org/name": files}, rate=rate) as hub:
        one.host.environ.update(hub.environ)
        yield hub


def _entries() -> Iterator[str]:
    yield from ("[[variants]]", f'id = "{SMALL}"', 'title = "Small"')
    yield from ('family = "qwen-image-edit-2509"', 'quant = "bf16"', 'loader = "UNETLoader"')
    yield f"files = {json.dumps(list(FILES))}"
    for ident, (kind, folder) in FILES.items():
        entry = {"id": ident, "kind": kind, "folder": folder, "repo": "org/name"}
        entry |= {"path": f"{ident}.safetensors"}
        yield from ("[[files]]", *(f'{key} = "{value}"' for key, value in entry.items()))
        yield f"bytes = {BODY.size}"


def here(models: Path) -> int:
    """Give how many of its files are in a folder of models, whole."""
    paths = (models / folder / f"{ident}.safetensors" for ident, (_, folder) in FILES.items())
    return sum(one.is_file() and one.stat().st_size == BODY.size for one in paths)
