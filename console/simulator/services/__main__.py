"""A Forge or a ComfyUI by itself, for a real container: `python -m console.simulator.services`.

It reads its card from the same flags and variables as the real ones: `--cuda-device N`,
`--gpu-device-id N` (in the command line or in FORGE_ARGS), CUDA_VISIBLE_DEVICES and
CUDA_DEVICE_ORDER, and with `--native` NVIDIA_VISIBLE_DEVICES, which Docker sets from device ids.
Options that it does not know are the real program's and only shown as its command line; `--`
before them is allowed and means nothing.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from console.simulator.ports import KeptPort
from console.simulator.services.comfyui import NEWEST, ComfyUI
from console.simulator.services.cuda import GIB, MIB, Card, Picked, pick, read_cards
from console.simulator.services.forge import Forge
from console.simulator.services.front import Front
from console.simulator.services.ledger import Ledger
from console.simulator.services.moods import HANG, ODD, RUNS
from console.simulator.services.server import ServiceServer
from console.simulator.services.solo import Habits, Solo
from console.simulator.services.start_log import comfyui_lines, forge_lines

_UNITS = {"": 1, "KIB": 1024, "MIB": MIB, "GIB": GIB, "MB": 10**6, "GB": 10**9}
_TICK = 0.05


def size(text: str) -> int:
    """Read a size such as `24 GiB`, `7GiB`, `300MiB` or bytes."""
    number = text.strip().rstrip("BKMGIibkmg ")
    unit = text.strip()[len(number) :].strip().upper()
    try:
        return int(float(number) * _UNITS[unit])
    except (KeyError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 24GiB") from error


def stages(text: str) -> tuple[tuple[str, float], ...]:
    """Read ai-dock's stages, such as `sync=2,preflight=1,provisioning=5`."""
    try:
        pairs = (part.split("=") for part in text.split(",") if part)
        return tuple((name.strip(), float(length)) for name, length in pairs)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of stages") from error


def parser() -> argparse.ArgumentParser:
    """Give the options."""
    asked = argparse.ArgumentParser(
        prog="python -m console.simulator.services",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = asked.add_argument
    add("--kind", choices=("comfyui", "forge"), required=True)
    add("--port", type=int, required=True, help="0 takes any and prints it on the line `port N`")
    add("--address", default="127.0.0.1", help="to listen on (default: %(default)s)")
    add("--version", default="", help="ComfyUI 0.3.64 or 0.33.0, Forge 2024-09 or newest")
    cards = asked.add_argument_group("the card")
    cards.add_argument("--device", default="NVIDIA GeForce RTX 3090", help="name of its only card")
    cards.add_argument("--vram-total", type=size, default=24 * GIB, help="of that card")
    cards.add_argument("--cards", type=Path, metavar="FILE", help="several, as JSON: a list of "
        "objects with name, memory (GiB or bytes), and uuid, bus_id, capability, multiprocessors, "
        "clock_mhz where known, in the driver's order; takes the place of --device")  # fmt: skip
    cards.add_argument("--native", action="store_true", help="obey NVIDIA_VISIBLE_DEVICES")
    cards.add_argument("--vram-idle", type=size, help="torch holds with its model loaded")
    cards.add_argument("--vram-busy", type=size, help="torch holds with a job under way")
    cards.add_argument("--vram-others", type=size, default=0, help="others hold on its card")
    cards.add_argument("--preloaded", action=argparse.BooleanOptionalAction,
        help="its model is loaded once it is ready (default: forge yes, comfyui no)")  # fmt: skip
    cards.add_argument("--ledger", type=Path, metavar="DIR", help="write the VRAM it holds into "
        "this folder; `console.simulator.services.ledger.held` adds it up")  # fmt: skip
    life = asked.add_argument_group("its life; seconds")
    life.add_argument("--ready-after", type=float, default=0.0, metavar="S")
    life.add_argument("--stages", type=stages, default=(), metavar="NAME=S,…",
        help="ai-dock's, before that: sync, preflight, provisioning")  # fmt: skip
    life.add_argument("--busy", type=float, default=0.0, metavar="S",
        help="a job is under way from the beginning and takes S")  # fmt: skip
    life.add_argument("--pending", type=int, default=0, metavar="N", help="jobs that wait then")
    life.add_argument("--job-seconds", type=float, default=20.0, metavar="S", help="of any other")
    life.add_argument("--pace", type=float, metavar="N",
        help="any other takes what its graph would take, N times faster")  # fmt: skip
    life.add_argument("--exit-after", type=float, metavar="S", help="it ends by itself")
    life.add_argument("--exit-code", type=int, default=1, metavar="N", help="with this code")
    life.add_argument("--ignore-term", action="store_true", help="SIGTERM does nothing")
    life.add_argument("--term-code", type=int, default=0, metavar="N", help="exit code of SIGTERM")
    life.add_argument("--start-log", action="store_true", help="write what the real one writes")
    says = asked.add_argument_group("what it says")
    says.add_argument("--token-env", metavar="NAME", help="only who has the token in this variable "
        "is let in (Bearer or ?token=), everybody else is sent to a login")  # fmt: skip
    says.add_argument("--files", type=Path, metavar="DIR", help="what is uploaded and made lies "
        "here (default: a folder that ends with the process)")  # fmt: skip
    says.add_argument("--model", default="", help="file name of its model")
    says.add_argument("--mood-times", type=int, default=0, metavar="N",
        help="its mood has its effect so often, then it is well (default: always)")  # fmt: skip
    says.add_argument("--mood", choices=(HANG, *ODD, *RUNS), default="", help="it misbehaves")
    return asked


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run a service until SIGTERM or SIGINT, or until its end."""
    given = list(sys.argv[1:] if argv is None else argv)
    reader = parser()
    asked, rest = reader.parse_known_args([word for word in given if word != "--"])
    arguments = [*rest, *shlex.split(environ.get("FORGE_ARGS", ""))]
    try:
        cards = read_cards(asked.cards) if asked.cards else (_only(asked),)
    except (OSError, ValueError) as error:
        reader.error(str(error))
    allowed = environ.get("NVIDIA_VISIBLE_DEVICES", "all") if asked.native else "all"
    picked = pick(cards, arguments, environ, allowed)
    habits = _habits(asked, ("main.py" if asked.kind == "comfyui" else "launch.py", *arguments))
    try:
        return asyncio.run(_live(asked, habits, picked, environ))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _only(asked: argparse.Namespace) -> Card:
    return Card(index=0, name=asked.device, memory=asked.vram_total)


def _habits(asked: argparse.Namespace, arguments: tuple[str, ...]) -> Habits:
    forge = asked.kind == "forge"
    idle = asked.vram_idle if asked.vram_idle is not None else (6 if forge else 12) * GIB
    return Habits(
        kind=asked.kind,
        stages=asked.stages,
        ready_after=asked.ready_after,
        idle=idle,
        busy=asked.vram_busy if asked.vram_busy is not None else idle + GIB,
        preloaded=forge if asked.preloaded is None else asked.preloaded,
        job=None if asked.pace else asked.job_seconds,
        pace=asked.pace or 1.0,
        first_job=asked.busy,
        pending=asked.pending,
        others=asked.vram_others,
        model=asked.model
        or ("juggernautXL_v9.safetensors" if forge else "Qwen-Image-Edit-2509-Q4_K_M.gguf"),
        arguments=arguments,
        files=asked.files,
    )


async def _live(
    asked: argparse.Namespace, habits: Habits, picked: Picked, environ: Mapping[str, str]
) -> int:
    over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    _heed_signals(asked, over)
    solo = Solo(habits, picked, time.monotonic, time.time)
    port = KeptPort(asked.port, asked.address)
    server = _server(asked, solo, port, environ.get(asked.token_env or "", ""))
    server.mood = asked.mood
    _count_moods(solo, server, asked.mood_times)
    if asked.port == 0:
        _say(f"port {port.number}")
    index, uuid = (picked.cards[0].index, picked.cards[0].uuid) if picked.cards else (-1, "")
    ledger = Ledger(asked.ledger, index, uuid) if asked.ledger else None
    lines = _start_log(asked, habits, picked, port.number)
    try:
        while not over.done():
            _pass(solo, server, lines, fronted=_fronted(asked))
            if ledger:
                ledger.say(solo.held)
            if solo.died:
                return solo.code
            if not picked.cards and solo.age >= solo.ready_at:
                return 1
            if asked.exit_after is not None and solo.age >= asked.exit_after:
                return int(asked.exit_code)
            await asyncio.wait((over,), timeout=_TICK)
        return over.result()
    finally:
        await server.stop()
        if ledger:
            ledger.close()


def _count_moods(solo: Solo, server: ServiceServer, times: int) -> None:
    """Let the server's mood end once it had its effect so often."""
    left = itertools.count(times - 1, -1)

    def spent() -> None:
        if times and next(left) <= 0:
            server.mood = ""

    solo.spent = spent


def _heed_signals(asked: argparse.Namespace, over: "asyncio.Future[int]") -> None:
    def end(code: int) -> None:
        if not over.done():
            over.set_result(code)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, end, 0)
    if asked.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        loop.add_signal_handler(signal.SIGTERM, end, asked.term_code)


def _fronted(asked: argparse.Namespace) -> bool:
    return bool(asked.token_env or asked.stages)


def _server(asked: argparse.Namespace, solo: Solo, port: KeptPort, token: str) -> ServiceServer:
    api = ComfyUI(solo, asked.version) if asked.kind == "comfyui" else Forge(solo, asked.version)
    return ServiceServer(solo, api, Front(token) if _fronted(asked) else None, port)


def _start_log(
    asked: argparse.Namespace, habits: Habits, picked: Picked, port: int
) -> list[tuple[float, str]]:
    """Give the lines with the ages at which they are due: the last when the API answers."""
    if not asked.start_log:
        return []
    if asked.kind == "comfyui":
        version = asked.version or NEWEST
        text = comfyui_lines(picked, habits.ram_total, version, port, asked.address)
    else:
        text = forge_lines(picked, habits.ram_total, habits.model)
    begun = sum(length for _, length in habits.stages)
    share = habits.ready_after / max(1, len(text))
    lines = [(begun + number * share, line) for number, line in enumerate(text, 1)]
    at = 0.0
    for name, length in habits.stages:
        lines.insert(0, (at, f"==> /var/log/{name}.log <=="))
        at += length
    return sorted(lines, key=lambda line: line[0])


def _pass(
    solo: Solo, server: ServiceServer, lines: list[tuple[float, str]], *, fronted: bool
) -> None:
    """Let be said and open what is due."""
    while lines and lines[0][0] <= solo.age:
        _say(lines.pop(0)[1])
    if fronted or solo.age >= solo.ready_at:
        server.open()


def _say(line: str) -> None:
    stream = sys.stderr if line.startswith("! ") else sys.stdout
    with contextlib.suppress(BrokenPipeError):
        stream.write(line.removeprefix("! ") + "\n")
        stream.flush()


if __name__ == "__main__":
    sys.exit(main())
