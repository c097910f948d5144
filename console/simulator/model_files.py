"""The model files that lie on the rehearsed host, and the catalogue that knows their hashes."""

import os
import shutil
from pathlib import Path

from console.packaged import packaged, read_table
from console.simulator.hub.shelf import Shelved, shelved
from console.simulator.scene import OddFile, Scene
from console.simulator.services.pixels import painted

_PICTURES = "input"


def lay_out_models(models: Path, scene: Scene) -> None:
    """Make the model files, each as long as the real one: its header, and then a hole.

    `models` of the scene come last, and may take the place of others; on a bare host the folders
    have nothing else.
    """
    known = {(file.name, file.body.size): file for file in shelved()}
    for folder, files in read_table("rehearsal_comfyui.toml")["files"].items():
        if folder == _PICTURES:
            continue
        (models / folder).mkdir(parents=True, mode=0o700)
        for name, size in files.items() if not scene.bare else ():
            _put(models / folder / name, known.get((name, size)), size)
    by_id = {file.id: file for file in shelved(scene.hub.miniature)}
    for one in scene.models:
        _put_odd(models, one, by_id)


def lay_out_pictures(folder: Path) -> None:
    """Make the picture that lies in ComfyUI's `input`, in plain Python: this is at start-up."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for number, name in enumerate(read_table("rehearsal_comfyui.toml")["files"][_PICTURES]):
        (folder / name).write_bytes(painted(192, 128, 150 + 40 * number, {}))


def lay_out_samples(folder: Path) -> None:
    """Lay the sample pictures of the program where an operator may have his own."""
    folder.mkdir(mode=0o700)
    for path in packaged("pictures").glob("*.png"):
        shutil.copyfile(path, folder / path.name)


def _put(path: Path, file: Shelved | None, size: int) -> None:
    with path.open("wb") as opened:
        if file is not None:
            opened.write(file.body.header[:size])
        opened.truncate(size)


def _put_odd(models: Path, one: OddFile, by_id: dict[str, Shelved]) -> None:
    path = models / one.at
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    if one.gone:
        return
    if one.link:
        path.symlink_to(one.link)
    elif one.same_as:
        os.link(models / one.same_as, path)
    elif one.text or one.hex:
        path.write_bytes(one.text.encode() + bytes.fromhex(one.hex))
    else:
        file = by_id[one.model] if one.model else None
        whole = file.body.size if file is not None else 0
        _put(path, file, whole if one.bytes is None else one.bytes)


def catalog_text(miniature: bool = False) -> str:
    """Give a catalogue that lays what the rehearsed hub has over the packaged one.

    Only its hashes differ, and sizes that the packaged one has rounded or not at all; or all sizes,
    of miniatures.
    """
    blocks = [
        "# The files of the rehearsed hub: other bytes than the real ones, so other hashes.\n"
    ]
    for file in shelved(miniature):
        if "id" in file.spec and file.known:
            size, digest = file.body.size, file.known.rpartition(" ")[2]
            block = f'[[files]]\nid = "{file.id}"\nbytes = {size}\nsha256 = "{digest}"\n'
            block += f"loaded_bytes = {file.whole}\n" if miniature else ""
            blocks.append(block)
    return "\n".join(blocks)
