"""`POST /build`: the classic builder's stream, and the image that it leaves."""

import asyncio
import io
import re
import tarfile
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

from console.simulator.engine import parts
from console.simulator.engine.call import Call
from console.simulator.engine.images import full_name, known_images
from console.simulator.engine.wire import encoded
from console.simulator.refusal import Refusal
from console.simulator.scene import ImageSpec, seconds

_LARGEST = 64 << 20
_WORD = re.compile(r"\s*(?P<word>[A-Za-z]+)\s+(?P<rest>.*)", re.DOTALL)
_SIZES = {"FROM": 0.12, "RUN": 1.9}
"""GiB that a step adds; others add next to nothing."""

_NO_REGISTRY = (
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on '
    "10.255.255.254:53: no such host"
)
_SAYS = {
    "no-internet": "fatal: unable to access the remote: Could not resolve host\n",
    "disk-full": "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on "
    "device\n",
}
_ENDS = "The command '/bin/sh -c {command}' returned a non-zero code: 1"
_LACKS = (
    "COPY failed: file not found in build context or excluded by .dockerignore: stat {name}: file "
    "does not exist"
)
_NODE = re.compile(r"\bcustom_nodes/([\w.-]+)")
_PARTS = 3
"""What a step takes is spread over what it says and its end."""


class _Step(msgspec.Struct, frozen=True):
    """An instruction of a Dockerfile: its word in capitals, and the rest as it is echoed."""

    word: str
    rest: str


async def build(call: Call) -> web.StreamResponse:
    """Answer `POST /build`; an image is there at the end, unless whoever asked has gone before."""
    call.request._client_max_size = _LARGEST
    archive = await call.request.read()
    steps, files = _context_of(archive, call.request.query.get("dockerfile", "Dockerfile"))
    response = web.StreamResponse(headers=call.flavour.headers)
    response.content_type = "application/json"
    response.enable_chunked_encoding()
    await response.prepare(call.request)
    async for said in _performed(call, steps, files):
        await response.write(encoded(said))
    return response


async def _performed(
    call: Call, steps: list[_Step], files: list[str]
) -> AsyncIterator[dict[str, Any]]:
    """Give what the builder says, in its time; the image is tagged with the last of it."""
    spec = call.world.scene.build
    pause = seconds(spec.seconds) / len(steps) / _PARTS
    breaks = _breaks_at(steps, spec.fault)
    for number, step in enumerate(steps, start=1):
        yield _said(f"Step {number}/{len(steps)} : {step.word} {step.rest}")
        yield _said("\n")
        new = step.word == "FROM" and not _is_here(call, step.rest)
        if new and spec.fault == "no-internet":
            yield _failed(_NO_REGISTRY)
            return
        lacking = _lacking(step, files)
        if lacking:
            yield _failed(_LACKS.format(name=lacking))
            return
        for line in _lines_of(step, new, call.flavour.new):
            await asyncio.sleep(pause)
            yield _said(line)
        await asyncio.sleep(pause)
        if number == breaks:
            yield _said(_SAYS[spec.fault])
            yield _failed(_ENDS.format(command=step.rest), code=1)
            return
        yield _said(f" ---> {parts.digest('step', str(number), step.rest)[:12]}\n")
    tags = [full_name(tag) for tag in call.request.query.getall("t", [])]
    ident = parts.image_id(tags[0] if tags else "untagged")
    _keep(call, steps, tags)
    yield {"aux": {"ID": ident}}
    yield _said(f"Successfully built {ident.removeprefix('sha256:')[:12]}\n")
    for tag in tags:
        yield _said(f"Successfully tagged {tag}\n")


def _breaks_at(steps: list[_Step], fault: str) -> int:
    """Give the number of the step that a fault ends: a disk fills up with packages; 0 is none."""
    runs = [number for number, step in enumerate(steps, start=1) if step.word == "RUN"]
    large = [number for number in runs if "pip install" in steps[number - 1].rest]
    several = large or runs if fault == "disk-full" else runs
    return several[0] if fault and several else 0


def _said(text: str) -> dict[str, Any]:
    return {"stream": text}


def _failed(text: str, **more: int) -> dict[str, Any]:
    return {"errorDetail": {**more, "message": text}, "error": text}


def _lines_of(step: _Step, pulled: bool, modern: bool) -> list[str]:
    """Give what a step says while it is carried out; a base may be `pulled` first.

    In containers of their own are all that change the image but copies; 20.10 removes these aloud.
    """
    if pulled:
        name = step.rest.split()[0]
        return [f"Pulling from {name}\n", f"Status: Downloaded newer image for {name}\n"]
    if step.word in {"FROM", "COPY", "ADD"}:
        return []
    box = parts.digest("box", step.rest)[:12]
    over = " ---> Removed intermediate container" if modern else "Removing intermediate container"
    return [f" ---> Running in {box}\n", f"{over} {box}\n"]


def _lacking(step: _Step, files: list[str]) -> str:
    """Give what a step copies that is not in the context; empty where all is."""
    if step.word not in {"COPY", "ADD"} or "--from=" in step.rest:
        return ""
    *sources, _ = [word for word in step.rest.split() if not word.startswith("--")]
    plain = (one.removeprefix("./").rstrip("/") for one in sources)
    there = {".", "", *files}
    return next((one for one in plain if one not in there and "*" not in one), "")


def _is_here(call: Call, image: str) -> bool:
    return full_name(image.split()[0]) in known_images(call.world.stage)


def _keep(call: Call, steps: list[_Step], tags: list[str]) -> None:
    """Have the image, and its base, with the command that its Dockerfile or its base gives it."""
    given = {step.word: step.rest for step in steps}
    stage = call.world.stage
    name = full_name(given["FROM"].split()[0])
    base = known_images(stage).get(name) or ImageSpec(size=_SIZES["FROM"])
    words = {word: _exec_form(given[word]) for word in ("ENTRYPOINT", "CMD") if word in given}
    image = msgspec.structs.replace(
        base,
        size=base.size + sum(_SIZES.get(step.word, 0.0) for step in steps if step.word != "FROM"),
        created=-stage.now,
        entrypoint=words.get("ENTRYPOINT", base.entrypoint),
        command=words.get("CMD", base.command),
        nodes=tuple(dict.fromkeys(_NODE.findall("\n".join(step.rest for step in steps)))),
    )
    stage.built.update({name: base, **dict.fromkeys(tags, image)})


def _exec_form(rest: str) -> tuple[str, ...]:
    try:
        found = msgspec.json.decode(rest.encode(), type=list[str])
    except msgspec.DecodeError:
        return ("/bin/sh", "-c", rest)
    return tuple(found)


def _context_of(archive: bytes, name: str) -> tuple[list[_Step], list[str]]:
    """Read a build's context: its Dockerfile, and the names of all files in it.

    Raises:
        Refusal: there is no Dockerfile, or nothing in it, or it begins with no image.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            files = {one.removeprefix("./"): one for one in opened.getnames()}
            member = opened.extractfile(files[name.removeprefix("./")])
            text = member.read().decode("utf-8", "replace") if member is not None else ""
    except (tarfile.TarError, KeyError) as error:
        raise Refusal("no-dockerfile", name=name) from error
    steps = _instructions(text)
    if not steps:
        raise Refusal("empty-dockerfile")
    if "FROM" not in {step.word for step in steps}:
        raise Refusal("dockerfile-without-from")
    return steps, list(files)


def _instructions(text: str) -> list[_Step]:
    """Give the instructions, each with its continued lines made one."""
    kept = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", "", "\n".join(kept))
    found = (_WORD.fullmatch(line) for line in joined.splitlines() if line.strip())
    return [_Step(one["word"].upper(), one["rest"].strip()) for one in found if one is not None]
