"""A load run on its way through the journal, which masks secrets: prompts arrive as they are."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from actions.load.model import LoadRequest
from console.errors import UsageError
from console.store.bodies import safe

_SHOWN, _EXACT = "load", "exact"


def carry(request: LoadRequest) -> dict[str, Any]:
    """Give a run as options of a plan; what the journal would change goes along in hex."""
    shown = msgspec.to_builtins(request)
    options: dict[str, Any] = {_SHOWN: shown}
    if safe(shown) != json.loads(json.dumps(shown)):
        options[_EXACT] = json.dumps(shown).encode("ascii").hex()
    return options


def carried(options: Mapping[str, Any]) -> LoadRequest:
    """Give the run that a plan's options carry.

    Raises:
        UsageError: there is none that can be read (`load.no-request`).
    """
    try:
        exact = options.get(_EXACT)
        data = json.loads(bytes.fromhex(exact)) if exact else options[_SHOWN]
        return msgspec.convert(data, LoadRequest)
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            "load.no-request", "the plan does not say which load run it is", "Begin it again"
        ) from error
