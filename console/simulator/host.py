"""The rehearsal host: the scene's world with everything it shows, in a process of its own.

Started as `python -m console.simulator.host`. It says `ready` on stdout once it can be met, or why
it cannot be: its log goes with its folder. It lives until SIGTERM or until its stdin closes, which
is how it notices that its parent has died. With `--scenario -` its first line names the scenario.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from console.clock import Clock, SystemClock
from console.simulator.control import ControlServer
from console.simulator.driver_table import render_table, write_table
from console.simulator.engine.server import EngineServer
from console.simulator.hostroot import HostRoot
from console.simulator.hub.shelf import rehearsed_hub
from console.simulator.places import RehearsalPlaces
from console.simulator.placing import placed, published
from console.simulator.ports import KeptPort
from console.simulator.proxy.ways import Ways
from console.simulator.scenario import load_scenario
from console.simulator.scene import Scene
from console.simulator.stands import Stands
from console.simulator.world import World

_TABLE_EVERY = 0.25
_FROM_STDIN = "-"
_LONGEST_NAP = 0.25


class Host:
    """A rehearsal's world with its engine, its driver table and its files.

    `ports` are those of the services, by container; `hub_port` is where the hub is met.
    """

    def __init__(
        self, scene: Scene, places: RehearsalPlaces, clock: Clock, seed: int, hub_port: int = 0
    ) -> None:
        kept = {name: KeptPort() for name in published(scene)}
        self.ports = {name: port.number for name, port in kept.items()}
        self.world = World(placed(scene, places.work, self.ports), clock, seed)
        self.hub = rehearsed_hub(scene.hub, hub_port)
        self.world.prompter.hub_fault = lambda facts: self.hub.fault(**facts)
        self.world.prompter.hub_heal = self.hub.heal
        self._stands = Stands(self.world, kept, places.models, self.refresh)
        self._ways = Ways(scene, self.ports)
        self._places = places
        self._engine = EngineServer(self.world, places.engine_socket)
        self._control = ControlServer(self, places.control_socket)
        self._root = HostRoot(self.world.stage, places.root, places.work)
        self._table = ""
        self._refresh_at = 0.0

    async def start(self) -> None:
        """Write the first table and the files, then begin to listen."""
        self._places.build(self.world.scene, self.ports, self._ways.urls)
        self._root.build()
        self.refresh()
        self.world.followers.append(self._stands.follow)
        if self.world.held:
            self.world.followers.append(self.refresh)
        self.world.follow()
        self.hub.start()
        for fault in self.world.scene.hub.faults:
            self.world.prompter.hub_fault(fault)
        await self._engine.start()
        await self._control.start()
        await self._ways.start()

    async def stop(self) -> None:
        """Stop listening."""
        self.world.followers.clear()
        self.hub.stop()
        await self._ways.stop()
        await self._control.stop()
        await self._engine.stop()
        await self._stands.stop()

    def refresh(self) -> None:
        """Write the driver table and the host's files where they have changed."""
        table = self.world.table()
        text = render_table(table)
        if text != self._table:
            write_table(self._places.table, table)
            self._table = text
        self._root.refresh()

    async def run(self) -> None:
        """Let time pass, until cancelled; only for a clock that moves on its own."""
        stage = self.world.stage
        while True:
            self.world.play()
            now = stage.time()
            if now >= self._refresh_at:
                self.refresh()
                self._refresh_at = now + _TABLE_EVERY
            nap = min(stage.due(), self._refresh_at) - stage.time()
            await asyncio.sleep(max(0.001, min(nap, _LONGEST_NAP)))


async def _live(scenario: str, places: RehearsalPlaces, seed: int, hub_port: int) -> None:
    """Run a rehearsal until someone ends it."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    loop.add_reader(sys.stdin.fileno(), _end_with_parent, over)
    host = Host(load_scenario(scenario), places, SystemClock(), seed, hub_port)
    try:
        await host.start()
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
        await _until(over, host)
    finally:
        await host.stop()


async def _until(over: asyncio.Event, host: Host) -> None:
    running = asyncio.ensure_future(host.run())
    ended = asyncio.ensure_future(over.wait())
    await asyncio.wait((running, ended), return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if running.done():
        running.result()
    running.cancel()


def _end_with_parent(over: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        over.set()
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


def main(argv: list[str] | None = None) -> int:
    """Run a rehearsal in this process and remove its folder at the end."""
    parser = argparse.ArgumentParser(prog="rehearsal host")
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hub-port", type=int, default=0)
    asked = parser.parse_args(argv)
    places = RehearsalPlaces(asked.folder)
    scenario = sys.stdin.readline().strip() if asked.scenario == _FROM_STDIN else asked.scenario
    try:
        asyncio.run(_live(scenario, places, asked.seed, asked.hub_port))
    except OSError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    finally:
        places.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
