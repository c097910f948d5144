"""Changing a compose service's command line and environment, a flag or a variable at a time."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from console.compose.editing import (
    ComposeEdit,
    Gathering,
    alike,
    services_in,
    unified,
    unsafe,
    verify,
)
from console.compose.one_setting import OneSetting, Order
from console.compose.outside import Outside
from console.compose.project import parse, service_of
from console.compose.tree import Tree, apply
from console.engine.snapshot import ARGUMENT_NAMES
from console.mask import mask_text
from console.text import clean_line

_LINES = ("command", "entrypoint")
_MOST_TIMES = 20


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a service is to be told otherwise.

    Attributes:
        remove: flags to take out, with their values.
        flags: flags to put in, with a value or None; one that is there gets this value.
        env: variables of the environment with their new values, as the program is to see them.
        unset: variables to take out.
    """

    remove: tuple[str, ...] = ()
    flags: tuple[tuple[str, str | None], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    unset: tuple[str, ...] = ()

    @property
    def of_flags(self) -> bool:
        """Whether the command line changes."""
        return bool(self.remove or self.flags)

    @property
    def names(self) -> set[str]:
        """Give the variables of the environment that change."""
        return {*self.unset, *(name for name, _ in self.env)}


def edit_settings(
    text: str,
    service: str,
    change: SettingChange,
    outside: Outside | None = None,
    name: str = "compose.yaml",
) -> ComposeEdit:
    """Give the edit by which a service is told otherwise; comments and layout stay as they are.

    Args:
        text: the compose file's.
        service: its name there.
        change: what is to be otherwise.
        outside: what `.env`, `env_file` and other files of the project say.
        name: of the file, for the diff.

    Raises:
        ComposeError: it is not valid or has no such service; a setting is shared with others
            (`compose.shared`) or comes from elsewhere (`compose.elsewhere`); nothing carries flags
            (`compose.no-flags`); it would change something else (`compose.unsafe`).
    """
    content = parse(text, Path(name))
    service_of(content, service, Path(name))
    now, words = text, list[str]()
    for order in _orders(change):
        # One by one, so that no two changes meet; a flag may stand there several times.
        for _ in range(_MOST_TIMES):
            edit = OneSetting(Tree(now), service, outside, order)
            edit.gather()
            if not edit.changes:
                break
            now, words = apply(now, edit.changes), [*words, *edit.words]

    def gathered(current: str) -> Gathering:
        edit = _All(Tree(current), service, outside)
        edit.take(change)
        return edit

    after = verify(content, now, gathered, name)
    _see_the_rest(content, after, gathered(now), change)
    return ComposeEdit(
        before=text,
        text=now,
        diff=unified(text, now, name),
        settings=tuple(mask_text(clean_line(word, 300)) for word in words),
    )


class _All(Gathering):
    """Everything that is still to be changed in a text."""

    subject = "the settings"

    def take(self, change: SettingChange) -> None:
        """Gather what is still missing."""
        for order in _orders(change):
            edit = OneSetting(self.tree, self.service, self.outside, order)
            edit.gather()
            self.changes += edit.changes
            self.words += edit.words


def _orders(change: SettingChange) -> Iterator[Order]:
    for flag in change.remove:
        yield Order("remove", flag)
    for flag, value in change.flags:
        yield Order("put", flag, value)
    for name in change.unset:
        yield Order("unset", name)
    for name, text in change.env:
        yield Order("assign", name, text)


def _see_the_rest(before: object, after: object, edit: Gathering, change: SettingChange) -> None:
    """See that nothing of the service itself changed but what was asked for.

    Raises:
        ComposeError: `compose.unsafe`.
    """
    old, new = (_plain(services_in(one)[edit.service], change) for one in (before, after))
    for key in {*old, *new}:
        if not alike(old.get(key), new.get(key)):
            raise unsafe(edit, f"{clean_line(key, 60)} would change too")


def _plain(service: object, change: SettingChange) -> dict[str, object]:
    """Give a service as far as it must stay; each variable of the environment on its own."""
    content = dict(service) if isinstance(service, dict) else {}
    environment = content.pop("environment", None)
    pairs: dict[str, object] = {}
    if isinstance(environment, dict):
        pairs = {str(name): value for name, value in environment.items()}
    elif isinstance(environment, list):
        pairs = {str(one).partition("=")[0]: one for one in environment}
    free = change.names | (set(ARGUMENT_NAMES) if change.of_flags else set())
    for name in _LINES if change.of_flags else ():
        content.pop(name, None)
    kept = {f"environment {name}": value for name, value in pairs.items() if name not in free}
    return {**{str(key): value for key, value in content.items()}, **kept}
