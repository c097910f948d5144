"""How to call `docker` so that it reaches the engine of this session."""

from console.engine.endpoint import Endpoint


def docker_command(endpoint: Endpoint) -> tuple[str, ...]:
    """Give the words before the subcommand; mask them where they are shown: an URL has secrets."""
    kind, _, name = endpoint.source.rpartition(" ")
    if kind in {"docker context", "DOCKER_CONTEXT"}:
        return ("docker", "--context", name)
    if endpoint.source.startswith("default"):
        return ("docker",)
    return ("docker", "-H", endpoint.address)
