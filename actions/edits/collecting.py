"""The pictures of an edit that is done: fetched, kept, and copied where somebody wants them."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from actions.edits.places import kept_files, spool_file
from actions.edits.stopping import Stopping
from actions.session import Session
from console.edits.keeping import EditKeepError
from console.edits.kept import EditError, KeptEdit, KeptPicture
from console.edits.recipe import picture_recipe
from console.edits.result import Output, Picture, media_of
from console.edits.words import Trouble, trouble
from console.errors import ConsoleError
from console.files import read_limited, write_aside
from console.paths import ensure_private_dir
from console.text import clean_line
from console.web.faults import BadStatusError, OddAnswerError

if TYPE_CHECKING:
    from console.web.client import WebClient

PATIENCE = 30.0
_REST = 1.0
_LARGEST = 256 << 20
_GONE = frozenset({404, 410})


class CollectError(ConsoleError):
    """The pictures are not all here; `final` tells that they never will be.

    Attributes:
        pictures: those that are kept now.
    """

    def __init__(self, told: EditError, pictures: Sequence[KeptPicture], *, final: bool) -> None:
        super().__init__(told.code, told.title, told.hint, told.detail)
        self.pictures = tuple(pictures)
        self.final = final


class Collector:
    """Brings the pictures of one edit here.

    Attributes:
        left_out: why files of the service were left out that are no pictures, in words.

    Args:
        session: settings and places.
        connect: makes a client of the service.
        stopping: who waits for a service that is away gives up by its wish.
        patience: seconds that a service may be away while its pictures are fetched.
    """

    def __init__(
        self,
        session: Session,
        connect: "Callable[[], WebClient]",
        stopping: Stopping,
        patience: float = PATIENCE,
    ) -> None:
        self._session = session
        self._connect = connect
        self._stopping = stopping
        self._patience = patience
        self._files = kept_files(session)
        self.left_out: list[str] = []

    def fetch_all(self, edit: KeptEdit, outputs: Sequence[Output]) -> tuple[KeptPicture, ...]:
        """Fetch and keep what a run left on its service; what is kept already is not fetched again.

        A file that is no picture is left out where there is another that is one.

        Raises:
            CollectError: none came, or not all of them could be brought here.
        """
        kept = {one.number: one for one in edit.of_role("output")}
        useless: Trouble | None = None
        client = self._connect()

        def leave(_wish: str) -> None:
            client.abort()

        with client, self._stopping.then(leave):
            for number, output in enumerate(wanted(outputs)):
                if number in kept:
                    continue
                try:
                    picture = self._fetched(client, output)
                except _UselessError as error:
                    useless = error.told
                    self.left_out.append(error.told.title)
                    continue
                except ConsoleError as error:
                    told = _not_collected(error, client.address)
                    raise CollectError(told, tuple(kept.values()), final=False) from error
                kept[number] = self._kept(edit, picture, number, output.name, kept)
        if not kept and useless is not None:
            raise CollectError(_as_error(useless), (), final=True)
        return tuple(kept[number] for number in sorted(kept))

    def keep_all(self, edit: KeptEdit, pictures: Sequence[Picture]) -> tuple[KeptPicture, ...]:
        """Keep pictures that came with the answer; where they cannot be, they wait beside it.

        Raises:
            CollectError: they could not be kept; `spooled` of the edit's recipe says what waits.
        """
        kept: dict[int, KeptPicture] = {}
        for number, picture in enumerate(pictures):
            try:
                kept[number] = self._kept(edit, picture, number, "", kept)
            except CollectError as error:
                for later, left in enumerate(pictures[number:], start=number):
                    self._spool(edit, left, later)
                raise CollectError(_of(error), tuple(kept.values()), final=False) from error
        return tuple(kept.values())

    def unspool(self, edit: KeptEdit) -> tuple[KeptPicture, ...]:
        """Keep what waits beside the journal.

        Raises:
            CollectError: it still cannot be kept, or is gone.
        """
        kept = {one.number: one for one in edit.of_role("output")}
        for number in range(len(kept) + 1000):
            if number in kept:
                continue
            path = spool_file(self._session, edit.id, number)
            try:
                data = read_limited(path, _LARGEST)
            except OSError:
                break
            picture = Picture(data=data, media=media_of(data))
            kept[number] = self._kept(edit, picture, number, "", kept)
            with contextlib.suppress(OSError):
                path.unlink()
        return tuple(kept[number] for number in sorted(kept))

    def copy_out(
        self, pictures: Sequence[KeptPicture], folder: str
    ) -> tuple[list[str], EditError | None]:
        """Copy kept pictures into a folder; gives the copies, and what went wrong."""
        copies: list[str] = []
        for picture in pictures:
            try:
                copies.append(str(self._files.copy_to(picture, Path(folder))))
            except ConsoleError as error:
                return copies, _of(error)
        return copies, None

    def _fetched(self, client: "WebClient", output: Output) -> Picture:
        """Fetch one, again while the service is away.

        Raises:
            _UselessError: it will never come.
            ConsoleError: the service does not answer.
        """
        from console.comfyui.prompts import PromptCalls

        until = self._session.clock.monotonic() + self._patience
        while True:
            try:
                return PromptCalls(client).fetch(output, _LARGEST)
            except BadStatusError as error:
                self._judge(error, client, output)
                failed: ConsoleError = error
            except OddAnswerError as error:
                raise _UselessError(
                    Trouble(
                        code=error.code, title=error.title, hint=error.hint, detail=error.detail
                    )
                ) from error
            except ConsoleError as error:
                failed = error
            if self._stopping.wish or self._session.clock.monotonic() >= until:
                raise failed
            self._stopping.rest(_REST)

    def _judge(self, error: BadStatusError, client: "WebClient", output: Output) -> None:
        name = clean_line(output.name, 80)
        if error.status in _GONE:
            raise _UselessError(
                trouble("edit.picture-gone", error.detail, address=client.address, name=name)
            )
        if error.code in {"edit.odd-picture", "edit.odd-name"}:
            raise _UselessError(
                trouble(error.code, error.detail, address=client.address, name=name)
            )

    def _kept(
        self,
        edit: KeptEdit,
        picture: Picture,
        number: int,
        source: str,
        before: dict[int, KeptPicture],
    ) -> KeptPicture:
        try:
            return self._files.keep_output(
                picture.data,
                at=edit.created_at,
                workflow=edit.workflow,
                edit_id=edit.id,
                number=number,
                media=picture.media,
                recipe=picture_recipe(edit),
                source=source,
            )
        except EditKeepError as error:
            raise CollectError(_of(error), tuple(before.values()), final=False) from error

    def _spool(self, edit: KeptEdit, picture: Picture, number: int) -> None:
        """Put a result that only we have where the journal is; a full disk takes none."""
        path = spool_file(self._session, edit.id, number)
        if ensure_private_dir(path.parent) is None:
            with contextlib.suppress(OSError):
                write_aside(path, picture.data)


class _UselessError(Exception):
    """A file of the service that will never be a picture here."""

    def __init__(self, told: Trouble) -> None:
        super().__init__(told.title)
        self.told = told


def wanted(outputs: Sequence[Output]) -> tuple[Output, ...]:
    """Give the results of a run: what it saved; where it saved nothing, what it showed."""
    saved = tuple(one for one in outputs if one.kind == "output")
    return saved or tuple(outputs)


def as_recipe(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """Give outputs as they are kept with the edit until they are fetched."""
    made: list[dict[str, Any]] = msgspec.to_builtins(list(outputs))
    return made


def outputs_in(recipe: dict[str, Any]) -> tuple[Output, ...]:
    """Give the outputs that a recipe still has to fetch; none where it names none."""
    try:
        return msgspec.convert(recipe.get("outputs", []), tuple[Output, ...])
    except msgspec.ValidationError:
        return ()


def _not_collected(error: ConsoleError, address: str) -> EditError:
    if isinstance(error, CollectError):
        return _of(error)
    return _as_error(trouble("edit.not-collected", error.detail, address=address, said=error.title))


def _of(error: ConsoleError) -> EditError:
    return EditError(code=error.code, title=error.title, hint=error.hint, detail=error.detail)


def _as_error(told: Trouble) -> EditError:
    return EditError(code=told.code, title=told.title, hint=told.hint, detail=told.detail)
