"""The files of a ComfyUI: what was uploaded, what it left, in `input`, `output` and `temp`."""

import re
from collections.abc import Callable
from pathlib import Path

_ANNOTATED = re.compile(r"^(?P<name>.*) \[(?P<kind>input|output|temp)\]$")
_NUMBERED = re.compile(r"^(?P<stem>.*)_(?P<number>\d{5,})_\.png$")
KINDS = ("input", "output", "temp")


class Refused(Exception):  # noqa: N818 -- it is an answer
    """A name that the server refuses, with the HTTP status it answers."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Shelf:
    """Files below one folder, which is asked for at the first of them; names are those of clients.

    A server on a host where nothing can be written is a server all the same.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._placed: set[tuple[Path, str]] = set()

    def upload(self, name: str, subfolder: str, kind: str, data: bytes, overwrite: bool) -> str:
        """Keep an upload and give the name it got: the same bytes lie there once.

        Raises:
            Refused: the name or the folder leads elsewhere, or there is no such kind.
        """
        if kind not in KINDS or not name:
            raise Refused(500)
        folder = self._inside(kind, subfolder)
        if not _is_plain(name) and ".." in name.split("/"):
            raise Refused(400)
        if not _is_plain(name):
            raise Refused(500)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / name
        count = 1
        while path.exists() and not overwrite and path.read_bytes() != data:
            path = folder / f"{Path(name).stem} ({count}){Path(name).suffix}"
            count += 1
        path.write_bytes(data)
        return path.name

    def place(self, prefix: str, kind: str) -> dict[str, str]:
        """Give the next free number for a picture, as `executed` says it; nothing is written.

        Raises:
            Refused: the prefix leads elsewhere.
        """
        subfolder, _, stem = prefix.rpartition("/")
        folder = self._inside(kind, subfolder)
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        names += [name for taken, name in self._placed if taken == folder]
        numbers = [
            int(found["number"])
            for name in names
            if (found := _NUMBERED.match(name)) and found["stem"] == stem
        ]
        name = f"{stem}_{max(numbers, default=0) + 1:05}_.png"
        self._placed.add((folder, name))
        return {"filename": name, "subfolder": subfolder, "type": kind}

    def put(self, place: dict[str, str], data: bytes) -> None:
        """Write a picture where it has its place, unless it is there; OSError where it cannot."""
        folder = self._inside(place["type"], place["subfolder"])
        path = folder / place["filename"]
        self._placed.discard((folder, path.name))
        if path.exists():
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(f".{path.name}.part")
        aside.write_bytes(data)
        aside.replace(path)

    def read(self, name: str, subfolder: str, kind: str) -> bytes:
        """Give a file's content.

        Raises:
            Refused: it leads elsewhere, or there is none.
        """
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise Refused(400)
        if kind not in KINDS:
            raise Refused(400)
        try:
            path = self._inside(kind, subfolder) / Path(name).name
        except Refused as error:
            raise Refused(403) from error
        if not path.is_file():
            raise Refused(404)
        return path.read_bytes()

    def named(self, text: str) -> bytes | None:
        """Give what `LoadImage` reads: `sub/name.png` or `name.png [output]`; None if nothing."""
        found = _ANNOTATED.match(text)
        name, kind = (found["name"], found["kind"]) if found else (text, "input")
        subfolder, _, name = name.rpartition("/")
        try:
            return self.read(name, subfolder, kind)
        except Refused:
            return None

    def _inside(self, kind: str, subfolder: str) -> Path:
        if subfolder.startswith("/") or ".." in subfolder.split("/") or "\\" in subfolder:
            raise Refused(400)
        return self._folder() / kind / subfolder


def _is_plain(name: str) -> bool:
    return "/" not in name and "\\" not in name and name not in {".", ".."} and "\0" not in name
