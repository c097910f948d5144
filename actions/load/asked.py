"""What is typed for a load run, checked before anything is looked at."""

from collections.abc import Mapping
from typing import Any

import msgspec

from actions.load.kinds import course, defaults
from console.errors import UsageError
from console.text import clean_line


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A load run as it is typed; None leaves it to the defaults.

    Attributes:
        services: names; empty takes the only one, or the best, of the workflow's kind.
        images: absolute paths.
        size: width and height in pixels.
        patience: seconds for which a service that went down is waited for.
        discard: remove the pictures as soon as each is there.
        out: folder for a copy of the report.
    """

    services: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    variant: str = ""
    prompt: str | None = None
    negative: str | None = None
    requests: int = -1
    at_once: int = -1
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    size: tuple[int, int] | None = None
    lightning: int | None = None
    patience: float = -1.0
    discard: bool = False
    out: str = ""


def asked(options: Mapping[str, Any]) -> Asked:
    """Give what was typed, with the defaults where nothing was.

    Raises:
        UsageError: an option that a load run does not have, of another kind, or out of its bounds
            (`plan.bad-option`).
    """
    chosen = {name: value for name, value in options.items() if value is not None}
    for name in chosen:
        if name not in Asked.__struct_fields__:
            raise _bad(f"load has no option {clean_line(name, 40).replace('_', '-')}")
    try:
        made = msgspec.convert(chosen, Asked)
    except msgspec.ValidationError as error:
        raise _bad(f"load cannot take that: {clean_line(str(error), 200)}") from error
    rules, usual = course(), defaults()
    made = msgspec.structs.replace(
        made,
        requests=usual.requests if "requests" not in chosen else made.requests,
        at_once=usual.at_once if "at_once" not in chosen else made.at_once,
        patience=rules.patience_seconds if "patience" not in chosen else made.patience,
        services=tuple(dict.fromkeys(made.services)),
    )
    _within("requests", made.requests, 1, rules.most_requests)
    _within("at-once", made.at_once, 1, rules.most_at_once)
    _within("patience", made.patience, 0, 86_400)
    return msgspec.structs.replace(made, at_once=min(made.at_once, made.requests))


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # which NaN is not either
        raise _bad(f"--{name} must be {least:g} to {most:g}, not {value:g}")


def _bad(title: str) -> UsageError:
    return UsageError("plan.bad-option", title, "gpuconsole load --help lists the options")
