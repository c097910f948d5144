"""Requests about the engine itself and its images."""

from aiohttp import web

from console.simulator.engine import images, parts
from console.simulator.engine.call import Call
from console.simulator.engine.details import fixed
from console.simulator.engine.flavours import version_answer
from console.simulator.engine.query import truth
from console.simulator.engine.wire import answer, go_time
from console.simulator.refusal import Refusal
from console.simulator.scene import GIB


async def ping(call: Call) -> web.Response:
    """Answer `GET /_ping`, the one answer that must not be cached."""
    headers = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
    if call.flavour.new:
        headers |= {"Builder-Version": "2", "Swarm": "inactive"}
    body = b"" if call.request.method == "HEAD" else b"OK"
    return web.Response(body=body, headers=headers, content_type="text/plain", charset="utf-8")


async def version(call: Call) -> web.Response:
    """Answer `GET /version`."""
    return answer(version_answer(call.flavour, call.world.scene.host))


async def info(call: Call) -> web.Response:
    """Answer `GET /info` with what `docker info` prints first."""
    stage, host, flavour = call.world.stage, call.world.scene.host, call.flavour
    states = [actor.status for actor in stage.actors.values()]
    facts = fixed("info", flavour)
    if not call.world.scene.engine.toolkit:
        known = facts["Runtimes"].items()
        facts["Runtimes"] = {name: one for name, one in known if name != "nvidia"}
    running, paused = states.count("running") + states.count("restarting"), states.count("paused")
    return answer(
        {
            "ID": parts.digest("engine", host.hostname)[:36],
            "Containers": len(states),
            "ContainersRunning": running,
            "ContainersPaused": paused,
            "ContainersStopped": len(states) - running - paused,
            "Images": len(images.known_images(stage)),
            "SystemTime": go_time(stage, stage.now),
            "CgroupDriver": "systemd" if flavour.new else "cgroupfs",
            "CgroupVersion": "2" if flavour.new else "1",
            "KernelVersion": host.kernel,
            "OperatingSystem": host.distribution,
            "NCPU": host.cpus,
            "MemTotal": int(host.memory * GIB),
            "Name": host.hostname,
            "ServerVersion": flavour.version,
            **facts,
        }
    )


async def list_images(call: Call) -> web.Response:
    """Answer `GET /images/json`."""
    stage = call.world.stage
    known = images.known_images(stage).items()
    return answer([images.listed_image(stage, tag, spec, call.flavour) for tag, spec in known])


async def inspect_image(call: Call) -> web.Response:
    """Answer `GET /images/{name}/json`."""
    stage = call.world.stage
    tag, spec = images.find_image(stage, call.name)
    return answer(images.inspected_image(stage, tag, spec, call.flavour))


async def remove_image(call: Call) -> web.Response:
    """Answer `DELETE /images/{name}`, for what was built or pulled since the scene opened."""
    stage = call.world.stage
    tag, _ = images.find_image(stage, call.name)
    user = next((a for a in stage.actors.values() if images.full_name(a.spec.image) == tag), None)
    if user is not None and not truth(call.request.query, "force"):
        raise Refusal("image-in-use", name=call.name, id=user.id[:12])
    if stage.built.pop(tag, None) is None:
        raise Refusal("page-not-found")
    return answer([{"Untagged": tag}, {"Deleted": parts.image_id(tag)}])
