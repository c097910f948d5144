"""Files that lie where the program that reads the folder does not look for such."""

from collections.abc import Iterator
from pathlib import Path

from actions.models.duplicates import same_bytes
from actions.models.model import Fix, Issue
from console.models.catalog import Catalog
from console.models.inventory.found import FoundFile, Inventory, Root
from console.models.inventory.scan import kind_of_folder
from console.models.places import folder_for

_PROGRAMS = {"forge": "Forge"}
_ALSO = {
    ("text_encoder", "mmproj"),
    ("vae", "other"),
    ("clip_vision", "text_encoder"),
}
_FORGE_ALSO = {("checkpoint", "diffusion_model"), ("embedding", "lora")}
_MODELS = frozenset({"safetensors", "gguf", "pickle"})


def misplaced(inventory: Inventory, catalog: Catalog) -> Iterator[Issue]:
    """Give every file that will not be found where it lies, with where it belongs."""
    roots = {root.path: root for root in inventory.roots}
    taken = {file.path: file for file in inventory.files}
    for file in inventory.files:
        root = roots.get(file.root)
        if root is None or file.format not in _MODELS or file.kind in {"", "other"}:
            continue
        place = kind_of_folder(root, file.folder)
        if looked_for(root, place, file.kind):
            continue
        yield _issue(file, root, place, inventory, catalog, taken)


def looked_for(root: Root, place: str, kind: str) -> bool:
    """Tell whether a folder for one kind of file is looked through for another.

    Args:
        root: whose folder it is.
        place: the kind that the folder is for; empty where it is for none.
        kind: of the file.
    """
    if not place:
        # A plain folder whose name tells nothing is read by nobody knows whom.
        return root.layout == "plain" and not root.only_listed
    also = _ALSO | _FORGE_ALSO if root.layout == "forge" else _ALSO
    return place in {kind, "other"} or (place, kind) in also


def _issue(
    file: FoundFile,
    root: Root,
    place: str,
    inventory: Inventory,
    catalog: Catalog,
    taken: dict[str, FoundFile],
) -> Issue:
    program = _PROGRAMS.get(root.layout, "ComfyUI")
    target = _target(file, root, inventory, catalog)
    folder = target.parent.name if target is not None else ""
    if place == "diffusion_model" and file.kind == "checkpoint":
        severity = "warning"  # its diffusion model is found and loaded, the rest of it is not
        title = f"{program} finds only the diffusion model of this checkpoint here"
        title += f": it belongs in {folder}" if folder else ""
    else:
        severity = "error"
        title = f"{program} will not find this here"
        title += f": it belongs in {folder}" if folder else f": it is a {_word(file.kind)}"
    other = taken.get(str(target))
    fixes: tuple[Fix, ...] = ()
    hint = ""
    if target is not None and other is None:
        fixes = (Fix(verb="move", path=file.path, to=str(target), title=f"move it to {folder}"),)
    elif other is not None and same_bytes(file, other):
        hint = f"the same file lies in {folder}: this one can go"
        saves = file.size if file.links == 1 else 0
        fixes = (Fix(verb="delete", path=file.path, title="delete it", saves_bytes=saves),)
    elif other is not None:
        hint = f"another file of that name lies in {folder}"
    return Issue(
        code="wrong-folder",
        severity=severity,
        title=title,
        hint=hint,
        paths=(file.path,),
        fixes=fixes,
    )


def _target(file: FoundFile, root: Root, inventory: Inventory, catalog: Catalog) -> Path | None:
    """Give where a file belongs: in its own root where that has a folder, else in the first."""
    name = Path(file.path).name
    entry = catalog.file(file.catalog_id)
    for one in (root, *inventory.roots):
        if one.layout == "plain":
            fitting = [folder for folder, kind in one.kind_by_folder.items() if kind == file.kind]
            if fitting:
                return Path(one.path) / fitting[0] / name
            continue
        folder = folder_for(file.kind, one.layout)
        if entry is not None and one.layout == "comfyui" and entry.kind == file.kind:
            folder = entry.folder
        if folder:
            return Path(one.path) / folder / name
    return None


def _word(kind: str) -> str:
    return {"lora": "LoRA", "vae": "VAE", "controlnet": "ControlNet"}.get(
        kind, kind.replace("_", " ")
    )
