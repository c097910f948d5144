"""`POST /images/create`: an image out of the scene's registry, layer by layer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from console.simulator.engine import parts
from console.simulator.engine.call import Call
from console.simulator.engine.wire import encoded
from console.simulator.refusal import Refusal
from console.simulator.scene import GIB, ImageSpec, seconds

_LAYERS = 3
_LOOKS = 4


async def pull(call: Call) -> web.StreamResponse:
    """Answer `POST /images/create`; it takes as long as a build.

    Raises:
        Refusal: the scene has no registry, or it has no such image.
    """
    query, scene = call.request.query, call.world.scene
    repository, tag = query.get("fromImage", ""), query.get("tag", "")
    if not tag:
        last = repository.rpartition("/")[2]
        repository, tag = repository.rsplit(":", 1) if ":" in last else (repository, "latest")
    if not scene.registry:
        raise Refusal("page-not-found")
    if scene.build.fault == "no-internet":
        raise Refusal("no-registry")
    image = scene.registry.get(repository)
    if image is None:
        raise Refusal("pull-denied", name=repository)
    response = web.StreamResponse(headers=call.flavour.headers)
    response.content_type = "application/json"
    response.enable_chunked_encoding()
    await response.prepare(call.request)
    async for said in _layers(call, repository, tag, image):
        await response.write(encoded(said))
    return response


async def _layers(
    call: Call, repository: str, tag: str, image: ImageSpec
) -> AsyncIterator[dict[str, Any]]:
    name = f"{repository}:{tag}"
    yield {"status": f"Pulling from {repository}", "id": tag}
    size = int(image.size * GIB) // _LAYERS
    for number in range(_LAYERS):
        layer = parts.digest("layer", name, str(number))[:12]
        yield {"status": "Pulling fs layer", "progressDetail": {}, "id": layer}
        for look in range(1, _LOOKS + 1):
            await asyncio.sleep(seconds(call.world.scene.build.seconds) / _LAYERS / _LOOKS)
            detail = {"current": size * look // _LOOKS, "total": size}
            yield {"status": "Downloading", "progressDetail": detail, "id": layer}
        yield {"status": "Pull complete", "progressDetail": {}, "id": layer}
    call.world.stage.built[name] = image
    yield {"status": f"Digest: sha256:{parts.digest('manifest', name)}"}
    yield {"status": f"Status: Downloaded newer image for {name}"}
