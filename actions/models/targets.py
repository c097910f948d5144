"""What the operator wants to have: a variant, a file of the catalogue, or any file on the hub."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actions.models.catalogue import entry_named
from actions.session import Session
from console.errors import UsageError
from console.hub.facts import HubSpec
from console.hub.spec import endpoint_of, parse_spec, safe_name, spec_text
from console.models.catalog import Catalog, ModelFile, Variant
from console.models.disk import NO_FOLDER, look_for, model_roots
from console.models.places import kind_by_folder, place_for
from console.paths import expand
from console.text import clean_line

_HUB = "hf:"
_LONGEST_PART = 255


class WantedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file that is wanted.

    Attributes:
        id: the catalogue's, else its name on disk.
        entry: of the catalogue; None where that does not know it.
        root: the folder below which it goes.
        path: its final name; None where its folder must be told from what it is.
    """

    id: str
    entry: ModelFile | None
    spec: HubSpec
    root: Path
    path: Path | None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a name means: `ident` is the variant's or file's id, or the file on the hub."""

    ident: str
    title: str
    files: tuple[WantedFile, ...]


def target_of(session: Session, name: str, options: Mapping[str, Any]) -> Target:
    """Give what a name means, and where each of its files goes.

    Args:
        session: whose catalogue and folders count.
        name: of a variant or a file of the catalogue, or `hf:ORG/REPO/PATH[@REVISION]`.
        options: `folder` below the models folder, `to` another models folder, or the very folder
            of a single file.

    Raises:
        UsageError: there is no such model, no models folder, or a folder that makes no sense.
    """
    catalog = session.needed_catalog()
    folder = checked_folder(options.get("folder"))
    variant, file, spec = _meant(catalog, name, endpoint_of(session.environ))
    root = _root(session, options.get("to"))
    if variant is not None:
        if folder:
            raise UsageError(
                "models.one-folder",
                f"{variant.id} has files of several kinds: they do not go into one folder",
                "Leave out --folder; --to names another models folder",
            )
        entries = catalog.files_of(variant)
        here = _here(session, entries) if options.get("to") is None else {}
        files = tuple(_placed(one, root, here) for one in entries)
        return Target(ident=variant.id, title=variant.title, files=files)
    if file is not None:
        usual = options.get("to") is None and not folder
        spec_of = spec or spec_of_entry(file)
        here = _here(session, (file,)) if usual else {file.id: root / folder / file.name}
        wanted = _placed(file, root, here, spec_of)
        ident = file.id if spec is None else spec_text(spec)
        return Target(ident=ident, title=file.name, files=(wanted,))
    assert spec is not None  # noqa: S101 -- _meant gives one of the three
    wanted = _stranger(spec, root, folder, options.get("to"))
    return Target(ident=spec_text(spec), title=wanted.id, files=(wanted,))


def checked_folder(text: str | None) -> str:
    """Give a folder below a models folder as it is typed; empty where none is.

    Raises:
        UsageError: it leads out of the models folder (`models.bad-folder`).
    """
    if text is None:
        return ""
    parts = text.split("/")
    plain = all(
        part not in {"", ".", ".."} and len(part.encode("utf-8", "replace")) <= _LONGEST_PART
        for part in parts
    )
    if not plain or "\\" in text or clean_line(text) != text:
        raise UsageError(
            "models.bad-folder",
            f"--folder {clean_line(text, 80)!r} is no folder below a models folder",
            "Such as vae, loras or diffusion_models/qwen; --to names a folder anywhere",
        )
    return text


def folder_in(path: str) -> str:
    """Give the models folder that a path on the hub names, such as `split_files/vae/x`; or none."""
    known = kind_by_folder("comfyui")
    above = path.split("/")[:-1]
    return next((part for part in reversed(above) if part in known), "")


def _meant(
    catalog: Catalog, name: str, endpoint: str
) -> tuple[Variant | None, ModelFile | None, HubSpec | None]:
    """Find what a name means: a variant, a file of the catalogue, a file on the hub."""
    if name.startswith((_HUB, "https://", "http://")):
        spec = parse_spec(name, endpoint)
        known = [one for one in catalog.files if (one.repo, one.path) == (spec.repo, spec.path)]
        return None, (known[0] if known else None), spec
    try:
        found = entry_named(catalog, name)
    except UsageError as error:
        if name.count("/") >= 2:
            error.hint = f"{_HUB}ORG/REPO/PATH names a file on the hub; {error.hint}"
        raise
    return (found, None, None) if isinstance(found, Variant) else (None, found, None)


def _root(session: Session, to: str | None) -> Path:
    """Give the folder to put files below: `--to`, else the config's models folder.

    Raises:
        UsageError: neither is set, or `--to` is no absolute path.
    """
    if to is not None:
        root = expand(to, session.environ)
        if not root.is_absolute() or "\0" in to:
            raise UsageError("models.bad-folder", f"--to {clean_line(to, 80)!r} is no folder")
        return root
    roots = model_roots(session.settings.paths)
    if not roots:
        raise UsageError(
            NO_FOLDER.code, NO_FOLDER.title, f"{NO_FOLDER.hint}, or name a folder with --to"
        )
    return roots[0]


def spec_of_entry(file: ModelFile) -> HubSpec:
    """Give where the hub has a file of the catalogue."""
    return HubSpec(repo=file.repo, path=file.path, revision=file.asked_revision)


def _here(session: Session, files: Sequence[ModelFile]) -> dict[str, Path]:
    """Give where files of the catalogue are already, in any folder that ComfyUI looks into."""
    found = look_for(files, model_roots(session.settings.paths))
    places = {ident: Path(one.path) for ident, one in found.items() if one.state == "present"}
    return {ident: path for ident, path in places.items() if path.is_file()}


def _placed(
    file: ModelFile, root: Path, here: Mapping[str, Path], spec: HubSpec | None = None
) -> WantedFile:
    """Place a file of the catalogue where it is already, else where it belongs."""
    path = here.get(file.id) or place_for(file, (root,))
    return WantedFile(
        id=file.id, entry=file, spec=spec or spec_of_entry(file), root=root, path=path
    )


def _stranger(spec: HubSpec, root: Path, folder: str, to: str | None) -> WantedFile:
    """Place a file that the catalogue does not know, as far as its path tells."""
    name = safe_name(spec.path)
    below = folder or ("" if to is not None else folder_in(spec.path))
    path = root / below / name if below or to is not None else None
    return WantedFile(id=name, entry=None, spec=spec, root=root, path=path)
