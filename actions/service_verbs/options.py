"""The options of verbs of services: which there are, and what they may be."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actions.containers.verbs import LONGEST_TIMEOUT
from actions.session import Session
from console.errors import UsageError
from console.text import clean_line

_START = frozenset({"force", "ready_limit", "variant"})
_STOP = frozenset({"timeout", "wait", "wait_limit", "interrupt"})
OPTIONS: Mapping[str, frozenset[str]] = {
    "start": _START,
    "stop": _STOP,
    "restart": _START | _STOP | {"recreate", "edits"},
    "free": frozenset({"interrupt"}),
    "move": _START | _STOP | {"gpu", "back"},
    "set": _START | _STOP | {"remove_flag", "flag", "env", "unset", "start", "back"},
    "switch": _STOP | {"force", "ready_limit"},
}
ALL = frozenset[str]().union(*OPTIONS.values())
"""Every option that some verb of services has."""

_LONGEST_LIMIT = 86_400.0


def checked_options(verb: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were set.

    Raises:
        UsageError: an option that the verb does not have (`plan.bad-option`), a value that it
            cannot have (`plan.bad-timeout`, `plan.bad-limit`), or two that exclude each other.
    """
    chosen = {name: value for name, value in options.items() if value is not None}
    for name, value in chosen.items():
        if name not in OPTIONS[verb]:
            raise UsageError("plan.bad-option", f"{verb} has no option {clean_line(name, 40)}")
        test, wanted = _VALUES[name]
        if not test(value):
            code = "plan.bad-timeout" if name == "timeout" else "plan.bad-limit"
            shown = clean_line(str(value), 40)
            raise UsageError(code, f"{option_name(name)} is {wanted}, not {shown}")
    if chosen.get("wait_limit") is not None:
        chosen["wait"] = True
    if chosen.get("wait") and chosen.get("interrupt"):
        raise UsageError(
            "plan.bad-option",
            "--wait and --interrupt exclude each other",
            "--wait lets its jobs finish, --interrupt ends the one under way",
        )
    return {name: value for name, value in chosen.items() if value is not False}


def check_variant(session: Session, verb: str, options: Mapping[str, Any]) -> None:
    """See that the catalogue is good and has the variant that is asked for, where a verb needs it.

    Raises:
        UsageError: `--catalog FILE` is bad, or has no such variant (`variant.unknown`, with the
            nearest).
    """
    if "variant" not in OPTIONS[verb]:
        return
    catalog = session.needed_catalog()
    wanted = options.get("variant")
    if wanted is None or catalog.variant(wanted) is not None:
        return
    near = difflib.get_close_matches(wanted, [one.id for one in catalog.variants], n=1)
    hint = f"Did you mean {near[0]}?" if near else "gpuconsole models fit lists them"
    raise UsageError("variant.unknown", f"There is no variant {clean_line(wanted, 80)}", hint)


def option_name(name: str) -> str:
    """Give an option as it is typed, such as `--wait-limit`."""
    return f"--{clean_line(name, 40).replace('_', '-')}"


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_several(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_grace(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and 0 <= value <= LONGEST_TIMEOUT  # type: ignore[operator]


def _is_limit(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value <= _LONGEST_LIMIT  # type: ignore[operator]


_GRACE = (_is_grace, f"a number of seconds, {LONGEST_TIMEOUT} at most; 0 kills at once")
_LIMIT = (_is_limit, f"a time above 0, {_LONGEST_LIMIT:.0f} seconds at most")
_FLAG = (_is_flag, "on or off")
_TEXT = (_is_text, "a name")
_SEVERAL = (_is_several, "a list")
_VALUES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "force": _FLAG,
    "wait": _FLAG,
    "interrupt": _FLAG,
    "timeout": _GRACE,
    "wait_limit": _LIMIT,
    "ready_limit": _LIMIT,
    "variant": _TEXT,
    "gpu": _TEXT,
    "remove_flag": _SEVERAL,
    "flag": _SEVERAL,
    "env": _SEVERAL,
    "unset": _SEVERAL,
    "start": _FLAG,
    "recreate": _FLAG,
    "back": (_is_table, "what a plan of ours rested on"),
    "edits": (_is_table, "what leads back from changed compose files"),
}
