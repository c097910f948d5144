"""What the rehearsed hub has: the catalogue's files at their true sizes, and some of its own.

A hub of miniatures has the same ones, `MINIATURE` times smaller.
`python -m console.simulator.hub.shelf` works out the hashes that rehearsal_hashes.toml lacks or has
of another header, and writes the file anew: some seven minutes for all of them.
"""

import hashlib
import sys
from fnmatch import fnmatch
from functools import cache, partial
from typing import Any, NamedTuple

from console.packaged import packaged, read_table
from console.simulator.hub.bodies import Hollow
from console.simulator.hub.headers import gguf_header, safetensors_header, tensors_of
from console.simulator.hub.hub import RehearsalHub
from console.simulator.hub.repos import Repo
from console.simulator.scene import HubSpec
from console.units import parse_bytes

_HASHES = "rehearsal_hashes.toml"
MINIATURE = 512
_LEAST = 256 << 10
"""Bytes of the smallest miniature, unless the file itself is smaller."""

_NOTE = """\
# What the bytes of the rehearsed hub's files come to: of each its size, what tells its header from
# others, and the sha256. Written by `python -m console.simulator.hub.shelf`.

[hashes]
"""


class Shelved(NamedTuple):
    """A file that the hub has.

    Attributes:
        id: of the catalogue; of another one its repository and path.
        name: its own on disk.
        known: what rehearsal_hashes.toml has of it; empty where that is of another size.
        spec: its entry in the catalogue, or in rehearsal_hub.toml.
        whole: bytes of the real one.
    """

    id: str
    repo: str
    path: str
    name: str
    body: Hollow
    known: str
    spec: dict[str, Any]
    whole: int

    @property
    def mark(self) -> str:
        """What tells one header and size from another."""
        print_of = hashlib.sha256(self.body.header).hexdigest()[:16]
        return f"{self.body.size} {print_of}"


@cache
def shelved(miniature: bool = False) -> tuple[Shelved, ...]:
    """Give every file that the hub has, or that one of miniatures has."""
    known = read_table("rehearsal_hub.toml")
    hashes = read_table(_HASHES)["miniatures" if miniature else "hashes"]
    specs = [*read_table("catalog.toml")["files"], *known["extras"]]
    return tuple(_shelved(spec, known, hashes, miniature) for spec in specs)


def _shelved(
    spec: dict[str, Any], known: dict[str, Any], hashes: dict[str, str], miniature: bool
) -> Shelved:
    ident = spec.get("id") or f"{spec['repo']}/{spec['path']}"
    size = spec.get("bytes") or spec.get("approximate_bytes") or known["sizes"].get(ident)
    whole = size = size or _UNHEARD_OF
    if miniature:
        size = min(whole, max(_LEAST, whole // MINIATURE))
    found = hashes.get(ident, "")
    found = found if found.startswith(f"{size} ") else ""
    digest = found.rpartition(" ")[2]
    body = Hollow(partial(_header, ident, spec, size, known), size, digest)
    name = spec.get("save_as") or spec["path"].rpartition("/")[2]
    return Shelved(ident, spec["repo"], spec["path"], name, body, found, spec, whole)


_UNHEARD_OF = 1_073_741_824
"""The size of a file that neither the catalogue nor we have one for."""


def _header(ident: str, spec: dict[str, Any], size: int, known: dict[str, Any]) -> bytes:
    form = next(form for form in known["forms"] if fnmatch(ident, form["ids"]))
    shape = known["shapes"][spec.get("shape") or form["shape"]]
    tensors = tensors_of(shape["tensors"], shape["blocks"], form.get("rank", 0))
    is_gguf = spec["path"].endswith(".gguf")
    key = "gguf" if is_gguf else "safetensors"
    quant = spec.get("quant", "")
    kept = next(
        one[key] for one in known["dtypes"] if quant.startswith(one["quant"]) and key in one
    )
    if is_gguf:
        text = {"general.name": ident, **form.get("text", {})}
        return gguf_header(tensors, kept, size, form.get("architecture", "qwen_image"), text)
    kept = shape.get("dtype", kept)
    metadata = {"modelspec.title": ident, **form.get("metadata", {})}
    rest = kept if shape.get("filled") else "F32"
    return safetensors_header(tensors, kept, size, metadata, rest)


def rehearsed_hub(spec: HubSpec, port: int) -> RehearsalHub:
    """Give the hub of a scene; it takes no connections yet."""
    rate = spec.rate or str(read_table("rehearsal_hub.toml")["rate"])
    repos = catalogue_repos(spec.miniature)
    hub = RehearsalHub(repos, rate=float(parse_bytes(rate)), port=port, controlled=True)
    hub.state.xet = spec.xet
    return hub


def catalogue_repos(miniature: bool = False) -> list[Repo]:
    """Give the repositories of all those files, each with one commit."""
    by_repo: dict[str, list[Shelved]] = {}
    for file in shelved(miniature):
        by_repo.setdefault(file.repo, []).append(file)
    repos = []
    for name, files in by_repo.items():
        first = files[0].spec
        repo = Repo(name, private=first.get("private", False), gated=first.get("gated", ""))
        made = repo.commit({file.path: file.body for file in files})
        pinned = {file.spec["revision"] for file in files if file.spec.get("revision")}
        repo.tags.update(dict.fromkeys(pinned, made.id))
        repos.append(repo)
    return repos


def main() -> int:
    """Work out what is missing; some of it changed when a header did."""
    place = packaged(_HASHES)
    aside = place.with_suffix(".new")
    text = _NOTE
    for heading, miniature in (("", False), ("\n[miniatures]\n", True)):
        text += heading
        for file in shelved(miniature):
            line = file.known
            if not line.startswith(f"{file.mark} "):
                sys.stderr.write(f"{file.id}: {file.body.size / 1e9:.1f} GB\n")
                line = f"{file.mark} {Hollow(file.body.header, file.body.size).sha256}"
            text += f'"{file.id}" = "{line}"\n'
            aside.write_text(text)
    aside.rename(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
