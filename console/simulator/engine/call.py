"""What a request handler is given: the engine, the request, the name in its path."""

import msgspec
from aiohttp import web

from console.simulator.engine.execs import Execs
from console.simulator.engine.flavours import Flavour
from console.simulator.world import World


class Engine(msgspec.Struct, frozen=True):
    """What every answer needs: the world, the flavour, the execs."""

    world: World
    flavour: Flavour
    execs: Execs


class Call(msgspec.Struct, frozen=True):
    """One request: the engine it goes to, aiohttp's request, what its path named.

    `flavour` is the engine's as a client of the API version in the path sees it.
    """

    engine: Engine
    request: web.Request
    name: str
    flavour: Flavour

    @property
    def world(self) -> World:
        """The world the engine runs in."""
        return self.engine.world
