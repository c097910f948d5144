"""The config as it will be: every step's values together, shown before they are written."""

import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

from actions.session import Session
from console.config.load import load_text
from console.config.schema import LayoutSettings
from console.config.write import keep_copy, read_config, set_values, split_key, with_values
from console.mask import mask_text


class Draft:
    """The config's text, with what was agreed to.

    Attributes:
        text: as it would stand now.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._path = session.places.config_file
        self.text = read_config(self._path)
        self._copied = False

    def diff(self, values: dict[str, Any]) -> str:
        """Give what values would change, as a unified diff; empty where nothing does.

        Raises:
            UsageError: the config would be wrong with them.
        """
        after = with_values(self._path, self.text, values)
        name = str(self._path)
        before, after_lines = self.text.splitlines(), after.splitlines()
        lines = difflib.unified_diff(before, after_lines, name, name, lineterm="")
        return mask_text("\n".join(lines))

    def take(self, values: dict[str, Any]) -> None:
        """Go on as if they were written."""
        self.text = with_values(self._path, self.text, values)

    def write(self, values: dict[str, Any]) -> tuple[str, ...]:
        """Write them, the first time with a copy of what was there; gives the files written.

        Raises:
            UsageError: the config would be wrong with them.
            ConsoleError: it cannot be written.
        """
        wrote = []
        if not self._copied:
            copy = keep_copy(self._path, self._session.clock.now())
            wrote += [str(copy)] if copy is not None else []
            self._copied = True
        set_values(self._path, values)
        self.text = read_config(self._path)
        return (str(self._path), *wrote)

    def session(self, layouts: Mapping[str, LayoutSettings] | None = None) -> Session:
        """Give a session in which the draft is in force already, with other layouts if given.

        It only looks.
        """
        before = self._session
        loaded = load_text(self._path, self.text)
        if layouts is not None:
            settings = msgspec.structs.replace(loaded.settings, layouts=dict(layouts))
            loaded = msgspec.structs.replace(loaded, settings=settings)
        there = before.config.present
        made = Session(
            config=msgspec.structs.replace(loaded, present=there),
            places=before.places,
            clock=before.clock,
            environ=before.environ,
            read_only=before.read_only,
            catalog_file=before.catalog_file,
            runbook_named=before.runbook_named,
        )
        made.store = before.store
        return made


def missing(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    """Give those values that the config does not have yet."""
    return {key: value for key, value in wanted.items() if _in_config(session, key) is None}


def other(session: Session, wanted: dict[str, Any]) -> dict[str, str]:
    """Give what the config says otherwise, by key: it is shown, and never overwritten."""
    found = {}
    for key, value in wanted.items():
        said = _in_config(session, key)
        if said is not None and said != value:
            found[key] = mask_text(str(said))
    return found


def _in_config(session: Session, key: str) -> Any:
    """Give the value of a key as the config's file has it; None where it has none."""
    value: Any = msgspec.to_builtins(session.config.settings, enc_hook=str)
    for name in split_key(key):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value
