"""An edit's request on its way through the journal, which masks secrets and cleans text.

A prompt has to arrive letter by letter, whatever it looks like.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from actions.edits.request import EditRequest
from console.errors import UsageError
from console.store.bodies import safe

_SHOWN = "request"
_EXACT = "exact"


def carry(request: EditRequest) -> dict[str, Any]:
    """Give a request as options of a plan; what the journal would change goes along in hex."""
    shown = msgspec.to_builtins(request)
    options: dict[str, Any] = {_SHOWN: shown}
    if safe(shown) != json.loads(json.dumps(shown)):
        options[_EXACT] = json.dumps(shown).encode("ascii").hex()
    return options


def carried(options: Mapping[str, Any]) -> EditRequest:
    """Give the request that a plan's options carry.

    Raises:
        UsageError: there is none that can be read (`edit.no-request`).
    """
    try:
        exact = options.get(_EXACT)
        data = json.loads(bytes.fromhex(exact)) if exact else options[_SHOWN]
        return msgspec.convert(data, EditRequest)
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            "edit.no-request",
            "the plan does not say which edit it is",
            "Submit the edit again",
        ) from error
