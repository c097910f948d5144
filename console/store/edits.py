"""The edits in the database: what was asked for, what came of it, and the pictures of each.

What an operator wrote is kept as it is, unmasked: a prompt is to be sent again letter by letter.
"""

import json
import os
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from console.edits.kept import KeptEdit, KeptPicture
from console.errors import UsageError
from console.store.bodies import moment
from console.store.database import Store
from console.text import clean, clean_line

_COLUMNS = (
    "id, group_id, state, service, kind, workflow, variant, prompt, negative, seed, "
    "created_at, ended_at, submitted, body"
)
_PLACES = ", ".join("?" * 14)
_PICTURE = "edit_id, role, number, path, source, sha256, size, width, height, media"
_NEWEST = "ORDER BY created_at DESC, rowid DESC"
_SHORTEST_BEGINNING = 4


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which edits are meant; what is empty or None leaves all.

    Attributes:
        workflow, variant, service, group: as they are kept, letter by letter.
        text: stands somewhere in prompt or negative prompt, capitals or not.
        states: of `STATES`.
        since, until: from the one, this moment included, up to the other, which is not.
        submitted: whether it was, or may have been, sent.
    """

    workflow: str = ""
    variant: str = ""
    service: str = ""
    text: str = ""
    states: tuple[str, ...] = ()
    group: str = ""
    since: datetime | None = None
    until: datetime | None = None
    submitted: bool | None = None


ANY = Filter()


class EditRecords:
    """The table of edits, and that of their pictures; safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, edit: KeptEdit) -> None:
        """Keep an edit; one of the same id is replaced."""

        def work(connection: sqlite3.Connection) -> None:
            _put(connection, edit)

        self._store.write(work)

    def change(self, edit_id: str, **fields: Any) -> KeptEdit:
        """Change fields of an edit in one transaction, and give it as it is then.

        Raises:
            UsageError: there is none of this id (`edit.unknown`).
        """

        def work(connection: sqlite3.Connection) -> KeptEdit:
            found = _read(connection, "id = ?", (edit_id,))
            if not found:
                raise _unknown(edit_id)
            changed = msgspec.structs.replace(found[0], **fields)
            _put(connection, changed)
            return changed

        return self._store.write(work)

    def get(self, edit_id: str) -> KeptEdit | None:
        """Give an edit by its whole id."""
        found = self._find("id = ?", (_text(edit_id),))
        return found[0] if found else None

    def one(self, name: str) -> KeptEdit | None:
        """Give what an operator names: an id, the only beginning of one, or `last` for the newest.

        Raises:
            UsageError: several begin so (`edit.ambiguous`).
        """
        if name == "last":
            newest = self.find(limit=1)
            return newest[0] if newest else None
        exact = self.get(name)
        if exact is not None or len(name) < _SHORTEST_BEGINNING:
            return exact
        begin = self._find("substr(id, 1, length(?)) = ?", (_text(name), _text(name)), 2)
        if len(begin) > 1:
            raise UsageError(
                "edit.ambiguous",
                f"Several edits begin with {clean_line(name, 40)}",
                "Give more letters of the id; gpuconsole gallery list shows them",
            )
        return begin[0] if begin else None

    def find(
        self, wanted: Filter = ANY, limit: int = 100, before: str = ""
    ) -> tuple[KeptEdit, ...]:
        """Give edits, newest first; of the same moment, the one that was added last.

        Args:
            wanted: which.
            limit: how many at most.
            before: id of an edit; only what comes after it in this order. An unknown one gives
                nothing.
        """
        condition, values = _condition(wanted)
        if before:
            condition += (
                " AND (created_at, rowid) < (SELECT created_at, rowid FROM edits WHERE id = ?)"
            )
            values = (*values, before)
        return self._find(condition, values, limit)

    def count(self, wanted: Filter = ANY) -> int:
        """Tell how many edits are meant."""
        condition, values = _condition(wanted)
        sql = f"SELECT count(*) FROM edits WHERE {condition}"  # noqa: S608 -- our own words
        return int(self._store.read(sql, values)[0][0])

    def remove(self, ids: Iterable[str]) -> int:
        """Forget edits and their pictures, not the files; gives how many there were."""
        keys = [(edit_id,) for edit_id in ids]

        def work(connection: sqlite3.Connection) -> int:
            connection.executemany("DELETE FROM edit_pictures WHERE edit_id = ?", keys)
            return connection.executemany("DELETE FROM edits WHERE id = ?", keys).rowcount

        return self._store.write(work) if keys else 0

    def prompts(self, workflow: str = "", limit: int = 50) -> tuple[str, ...]:
        """Give the prompts that were used, each once, the newest first; of one workflow or all."""
        return self._words("prompt", workflow, limit)

    def negatives(self, workflow: str = "", limit: int = 50) -> tuple[str, ...]:
        """Give the negative prompts that were used, each once, the newest first."""
        return self._words("negative", workflow, limit)

    def using(self, path_or_sha256: str) -> tuple[KeptEdit, ...]:
        """Give the edits that have a picture of this path, source or hash, newest first."""
        key = _key(path_or_sha256)
        return self._find(
            "id IN (SELECT edit_id FROM edit_pictures "
            "WHERE path = ?1 OR source = ?1 OR (sha256 <> '' AND sha256 = ?1))",
            (key,),
        )

    def others_have(self, path: str, without: Iterable[str]) -> bool:
        """Tell whether any edit but these has the file at a path as its picture."""
        rows = self._store.read(
            "SELECT 1 FROM edit_pictures WHERE path = ? "
            "AND edit_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
            (_key(path), json.dumps(list(without))),
        )
        return bool(rows)

    def _words(self, column: str, workflow: str, limit: int) -> tuple[str, ...]:
        sql = (
            f"SELECT {column} FROM edits WHERE {column} <> '' AND (? = '' OR workflow = ?) "  # noqa: S608
            f"GROUP BY {column} ORDER BY max(created_at) DESC, max(rowid) DESC LIMIT ?"
        )
        return tuple(str(row[0]) for row in self._store.read(sql, (workflow, workflow, limit)))

    def _find(
        self, condition: str, values: tuple[Any, ...], limit: int = -1
    ) -> tuple[KeptEdit, ...]:
        sql = f"SELECT {_COLUMNS} FROM edits WHERE {condition} {_NEWEST} LIMIT ?"  # noqa: S608
        rows = self._store.read(sql, (*values, limit))
        pictures = _pictures_sql([row[0] for row in rows])
        return _joined(rows, self._store.read(*pictures))


def _read(
    connection: sqlite3.Connection, condition: str, values: tuple[Any, ...]
) -> tuple[KeptEdit, ...]:
    sql = f"SELECT {_COLUMNS} FROM edits WHERE {condition}"  # noqa: S608 -- our own words
    rows = connection.execute(sql, values).fetchall()
    sql, values = _pictures_sql([row[0] for row in rows])
    return _joined(rows, connection.execute(sql, values).fetchall())


def _pictures_sql(ids: list[str]) -> tuple[str, tuple[Any, ...]]:
    sql = (
        f"SELECT {_PICTURE} FROM edit_pictures "  # noqa: S608 -- our own words
        "WHERE edit_id IN (SELECT value FROM json_each(?)) ORDER BY edit_id, role, number"
    )
    return sql, (json.dumps(ids),)


def _joined(rows: list[tuple[Any, ...]], pictures: list[tuple[Any, ...]]) -> tuple[KeptEdit, ...]:
    of_edit: dict[str, list[KeptPicture]] = {}
    for row in pictures:  # `input` comes before `output` in the alphabet
        of_edit.setdefault(row[0], []).append(_picture(row))
    return tuple(_edit(row, tuple(of_edit.get(row[0], ()))) for row in rows)


def _edit(row: tuple[Any, ...], pictures: tuple[KeptPicture, ...]) -> KeptEdit:
    """Read an edit; of one whose body is no data of ours only what stands in columns is given."""
    columns: dict[str, Any] = {
        "id": row[0],
        "group": row[1],
        "state": row[2],
        "service": row[3],
        "kind": row[4],
        "workflow": row[5],
        "variant": row[6],
        "prompt": row[7],
        "negative": row[8],
        "seed": _whole(row[9]),
        "created_at": moment(row[10]),
        "ended_at": None if row[11] is None else moment(row[11]),
        "submitted": bool(row[12]),
    }
    try:
        body = json.loads(row[13])
        edit = msgspec.convert({**body, **columns}, KeptEdit)
    except (ValueError, TypeError):  # somebody's own hand in the database
        edit = KeptEdit(**columns)
    return msgspec.structs.replace(edit, pictures=pictures)


def _put(connection: sqlite3.Connection, edit: KeptEdit) -> None:
    """Write an edit and its pictures over what is there, in the caller's transaction."""
    body = msgspec.to_builtins(edit)
    for column in ("pictures", "prompt", "negative", "seed"):
        del body[column]
    values = (
        edit.id,
        _text(edit.group),
        edit.state,
        _text(edit.service),
        edit.kind,
        _text(edit.workflow),
        _text(edit.variant),
        _text(edit.prompt),
        _text(edit.negative),
        None if edit.seed is None else str(edit.seed),
        edit.created_at.timestamp(),
        None if edit.ended_at is None else edit.ended_at.timestamp(),
        edit.submitted,
        json.dumps(body, separators=(",", ":")),
    )
    updates = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
    connection.execute(
        f"INSERT INTO edits ({_COLUMNS}) VALUES ({_PLACES}) "  # noqa: S608 -- our own words
        f"ON CONFLICT (id) DO UPDATE SET {updates}",
        values,
    )
    connection.execute("DELETE FROM edit_pictures WHERE edit_id = ?", (edit.id,))
    connection.executemany(
        f"INSERT INTO edit_pictures ({_PICTURE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [_picture_values(edit.id, picture) for picture in edit.pictures],
    )


def _picture_values(edit_id: str, picture: KeptPicture) -> tuple[Any, ...]:
    return (
        edit_id,
        picture.role,
        picture.number,
        _key(picture.path),
        _key(picture.source),
        picture.sha256,
        picture.size,
        picture.width,
        picture.height,
        picture.media,
    )


def _picture(row: tuple[Any, ...]) -> KeptPicture:
    return KeptPicture(
        role=row[1],
        number=row[2],
        path=_as_path(row[3]),
        source=_as_path(row[4]),
        sha256=row[5],
        size=row[6],
        width=row[7],
        height=row[8],
        media=row[9],
    )


def _condition(wanted: Filter) -> tuple[str, tuple[Any, ...]]:
    """Give the filter as SQL and its values."""
    parts, values = ["1"], list[Any]()
    equal = {
        "workflow": wanted.workflow,
        "variant": wanted.variant,
        "service": wanted.service,
        "group_id": wanted.group,
    }
    for column, value in equal.items():
        if value:
            parts.append(f"{column} = ?")
            values.append(_text(value))
    if wanted.text:
        parts.append("(instr(lower(prompt), lower(?)) OR instr(lower(negative), lower(?)))")
        values += [_text(wanted.text)] * 2
    if wanted.states:
        parts.append("state IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(wanted.states))
    for sign, moment_ in ((">=", wanted.since), ("<", wanted.until)):
        if moment_ is not None:
            parts.append(f"created_at {sign} ?")
            values.append(moment_.timestamp())
    if wanted.submitted is not None:
        parts.append("submitted = ?")
        values.append(wanted.submitted)
    return " AND ".join(parts), tuple(values)


def _key(path: str) -> str | bytes:
    """Give a path as the database can hold it: bytes where it is no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(path)
        except UnicodeEncodeError:  # it came from no file system
            return clean(path)
    return path


def _as_path(value: str | bytes) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else value


def _text(text: str) -> str:
    """Give text as SQLite holds it whole: UTF-8, and no zero, at which its functions stop."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _whole(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _unknown(edit_id: str) -> UsageError:
    return UsageError(
        "edit.unknown",
        f"There is no edit {clean_line(edit_id, 40)}",
        "gpuconsole gallery list shows what is kept",
    )
