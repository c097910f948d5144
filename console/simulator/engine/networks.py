"""Networks: the three that are always there, those of containers, those that were made."""

from typing import Any

from aiohttp import web

from console.simulator.actor import Actor
from console.simulator.engine import parts
from console.simulator.engine.call import Call
from console.simulator.engine.containers import read_json
from console.simulator.engine.query import Filters, filters, label_matches
from console.simulator.engine.wire import answer, go_time
from console.simulator.refusal import Refusal
from console.simulator.stage import Stage

_CREATED, _NOTHING = 201, 204
_BUILT_IN = {"bridge": "bridge", "host": "host", "none": "null"}
_FILTERS = frozenset({"dangling", "driver", "id", "label", "name", "scope", "type"})


async def list_all(call: Call) -> web.Response:
    """Answer `GET /networks`."""
    stage = call.world.stage
    wanted = filters(call.request.query, _FILTERS)
    found = [_described(stage, name) for name in _names(stage)]
    return answer([network for network in found if _matches(network, wanted)])


async def list_volumes(call: Call) -> web.Response:
    """Answer `GET /volumes`: a rehearsed host has none, its containers mount folders."""
    filters(call.request.query, _FILTERS)
    return answer({"Volumes": [], "Warnings": None})


async def inspect(call: Call) -> web.Response:
    """Answer `GET /networks/{name}`."""
    stage = call.world.stage
    name = _find(stage, call.name)
    joined = {
        actor.id: {"Name": actor.name, "EndpointID": parts.digest("endpoint", actor.id)}
        for actor in stage.actors.values()
        if actor.spec.network == name and actor.alive
    }
    return answer({**_described(stage, name), "Containers": joined})


async def create(call: Call) -> web.Response:
    """Answer `POST /networks/create`."""
    stage, body = call.world.stage, await read_json(call.request)
    name = str(body.get("Name", ""))
    if name in _names(stage):
        raise Refusal("network-taken", name=name)
    stage.networks[name] = dict(body.get("Labels") or {})
    return answer({"Id": parts.digest("network", name), "Warning": ""}, _CREATED)


async def remove(call: Call) -> web.Response:
    """Answer `DELETE /networks/{name}`."""
    stage = call.world.stage
    name = _find(stage, call.name)
    if name in _BUILT_IN or any(actor.spec.network == name for actor in stage.actors.values()):
        raise Refusal("network-in-use", name=name, id=parts.digest("network", name))
    stage.networks.pop(name, None)
    return web.Response(status=_NOTHING)


async def connect(call: Call) -> web.Response:
    """Answer `POST /networks/{name}/connect` and `disconnect`: the container's are as made."""
    stage, body = call.world.stage, await read_json(call.request)
    _find(stage, call.name)
    stage.find(str(body.get("Container", "")))
    return web.Response()


def _names(stage: Stage) -> list[str]:
    joined = (actor.spec.network for actor in stage.actors.values() if _is_named(actor))
    return list(dict.fromkeys([*_BUILT_IN, *stage.networks, *joined]))


def _is_named(actor: Actor) -> bool:
    return ":" not in actor.spec.network


def _find(stage: Stage, wanted: str) -> str:
    for name in _names(stage):
        if wanted == name or parts.digest("network", name).startswith(wanted):
            return name
    raise Refusal("no-such-network", name=wanted)


def _described(stage: Stage, name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Id": parts.digest("network", name),
        "Created": go_time(stage, 0.0),
        "Scope": "local",
        "Driver": _BUILT_IN.get(name, "bridge"),
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": []},
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {},
        "Options": {},
        "Labels": stage.networks.get(name, {}),
    }


def _matches(network: dict[str, Any], wanted: Filters) -> bool:
    tests = {
        "name": lambda value: value in network["Name"],
        "id": network["Id"].startswith,
        "driver": lambda value: value == network["Driver"],
        "scope": lambda value: value == network["Scope"],
    }
    if not label_matches(network["Labels"], wanted.get("label", [])):
        return False
    return all(any(test(value) for value in wanted[key]) for key, test in tests.items()
               if key in wanted)  # fmt: skip
