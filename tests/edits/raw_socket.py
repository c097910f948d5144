"""A WebSocket heard as it comes, without our own client between."""

import json
from typing import Any

from console.comfyui.prompts import PromptCalls
from console.web.socket import WebSocket
from tests.edits.graphs import PICTURE, graph, prompt
from tests.edits.servers import Served


def opened(server: Served, name: str, *, described: bool = True) -> WebSocket:
    made = server.client().socket(f"/ws?clientId={name}")
    if described:
        features = {"supports_preview_metadata": True}
        made.send(json.dumps({"type": "feature_flags", "data": features}))
    return made


def texts(made: WebSocket, seconds: float = 3.0, *, until_over: bool = True) -> list[Any]:
    """Give what comes until a run is over, or until nothing does any more."""
    found: list[Any] = []
    while (message := made.receive(seconds)) is not None:
        told = json.loads(message) if isinstance(message, str) else message
        found.append(told)
        if until_over and isinstance(told, dict) and told["data"].get("node", "") is None:
            break
    return found


def heard_of_a_run(server: Served) -> list[dict[str, Any]]:
    """Give all text messages around one whole run."""
    calls = PromptCalls(server.client())
    made = prompt(graph(calls.upload(PICTURE)), preview_method="auto")
    socket = opened(server, made.client)
    calls.submit(made)
    found = [one for one in texts(socket) if isinstance(one, dict)]
    socket.close()
    return found
