"""What goes into a bundle, a file each: masked, without prompts unless they are asked for."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from actions.bundle.secrets import Scrubber
from actions.doctor.check import Examination
from actions.doctor.ground import Ground
from actions.doctor.listing import examination_data
from console.errors import ConsoleError
from console.files import read_limited
from console.text import clean, clean_line
from console.version import version

_MOST_LOG = 4 << 20
_MOST_FILE = 1 << 20
_MOST_ENTRIES = 2000
_PROMPT = re.compile(
    r"(--(?:prompt|negative)(?:=|\s+))('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\S+)"
)
LEFT_OUT = "(left out)"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Wish(NamedTuple):
    """What a bundle is asked to hold: minutes of logs; prompts and pictures only where asked."""

    minutes: float = 30.0
    prompts: bool = False
    pictures: bool = False


class Part(NamedTuple):
    """One file of a bundle.

    Attributes:
        name: in it.
        data: its content, masked.
        what: in a few words, for the manifest.
        problem: why it is not there; empty where it is.
    """

    name: str
    data: bytes
    what: str
    problem: str = ""


def parts_of(
    ground: Ground, examination: Examination, wish: Wish, scrub: Scrubber
) -> Iterator[Part]:
    """Give every part; one that cannot be had says so and leaves the others.

    Args:
        ground: what the examination was made on.
        examination: the doctor's.
        wish: what is asked for.
        scrub: hides secrets.
    """
    made: tuple[tuple[str, str, Callable[[], Any]], ...] = (
        ("findings.json", "what the doctor found", lambda: examination_data(examination)),
        ("status.json", "cards, containers and services", lambda: _status(ground)),
        ("timeline.json", "what happened", lambda: _timeline(ground, wish)),
        ("versions.json", "versions of all that takes part", lambda: _versions(ground)),
        ("jobs.json", "what is under way or was left", lambda: _jobs(ground, wish)),
    )
    for name, what, make in made:
        yield _json_part(name, what, make, scrub)
    yield from _files(ground, scrub)
    yield from _logs(ground, wish, scrub)
    yield from _own_log(ground, scrub)
    if wish.pictures:
        yield from _pictures(ground)


def without_prompts(text: str) -> str:
    """Give a command line without what stands after `--prompt` and `--negative`."""
    return _PROMPT.sub(rf"\1{LEFT_OUT}", text)


def _json_part(name: str, what: str, make: Callable[[], Any], scrub: Scrubber) -> Part:
    try:
        text = json.dumps(_scrubbed(make(), scrub), ensure_ascii=False, indent=1)
    except ConsoleError as error:
        return Part(name, b"", what, scrub.clean(error.title))
    return Part(name, text.encode("utf-8", "replace"), what)


def _scrubbed(value: Any, scrub: Scrubber) -> Any:
    """Give data with every text in it scrubbed, keys too."""
    if isinstance(value, str):
        return scrub.clean(value)
    if isinstance(value, dict):
        from console.mask import mask_data

        shown = mask_data(value)
        return {scrub.clean(str(key)): _scrubbed(item, scrub) for key, item in shown.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(one, scrub) for one in value]
    return value


def _status(ground: Ground) -> Any:
    from actions.status_data import status_data

    return status_data(ground.snapshot)


def _timeline(ground: Ground, wish: Wish) -> Any:
    from actions.timeline import read_timeline

    entries = read_timeline(ground.session, _MOST_ENTRIES)
    told = [msgspec.to_builtins(one) for one in entries]
    return told if wish.prompts else [_promptless(one) for one in told]


def _jobs(ground: Ground, wish: Wish) -> Any:
    from actions.jobs import read_jobs
    from console.unknown import plain

    told = [plain(one) for one in read_jobs(ground.session, everything=True)[:200]]
    return told if wish.prompts else [_promptless(one) for one in told]


def _promptless(value: Any) -> Any:
    if isinstance(value, str):
        return without_prompts(value)
    if isinstance(value, dict):
        return {
            key: LEFT_OUT if key in {"prompt", "negative"} and item else _promptless(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_promptless(one) for one in value]
    return value


def _versions(ground: Ground) -> Any:
    import platform

    snapshot = ground.snapshot
    services = {
        one.name: _told(one.reading.version) if one.reading is not None else None
        for one in snapshot.services
    }
    images = {one.name: one.image for one in snapshot.engine.containers}
    return {
        "gpuconsole": version(),
        "python": platform.python_version(),
        "host": _told(snapshot.host),
        "driver": _told(snapshot.gpu.driver),
        "engine": _told(snapshot.engine.version),
        "services": services,
        "images": images,
    }


def _told(value: Any) -> Any:
    """Give a value for JSON; one that is not known is null, with its reason beside it."""
    from console.unknown import Unknown, plain

    if isinstance(value, Unknown):
        return {"unknown": value.title}
    return plain(value) if isinstance(value, msgspec.Struct) else value


def _files(ground: Ground, scrub: Scrubber) -> Iterator[Part]:
    session = ground.session
    seen = {session.places.config_file: ("config.toml", "the configuration")}
    for one in ground.snapshot.services:
        file = one.service.compose_file
        if file is not None:
            seen.setdefault(file, (f"compose/{_plain(file.name)}", f"compose file of {one.name}"))
    names: set[str] = set()
    for path, (name, what) in seen.items():
        unique, number = name, 1
        while unique in names:
            number += 1
            unique = f"{number}-{name}" if "/" not in name else name.replace("/", f"/{number}-")
        names.add(unique)
        try:
            text = clean(read_limited(path, _MOST_FILE).decode("utf-8", "replace"))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            yield Part(unique, b"", what, clean_line(why, 200))
            continue
        yield Part(unique, scrub.clean(text).encode(), what)


def _logs(ground: Ground, wish: Wish, scrub: Scrubber) -> Iterator[Part]:
    snapshot = ground.snapshot
    begin = f"{snapshot.taken_at - timedelta(minutes=wish.minutes):%Y-%m-%dT%H:%M:%S}"
    services = {one.container_id for one in snapshot.services}
    for container in snapshot.engine.containers:
        claim = snapshot.claims.get(container.id)
        if container.id not in services and not (claim is not None and claim.uses_gpu):
            continue
        name = f"logs/{_plain(ground.name_of(container))}.log"
        what = f"log of {container.name}, the last {wish.minutes:g} minutes"
        try:
            lines = ground.log(container)
        except ConsoleError as error:
            yield Part(name, b"", what, scrub.clean(error.title))
            continue
        recent = [clean(line) for line in lines if line[:19] >= begin or not line[:4].isdigit()]
        # A container that ended long ago still has its end to tell.
        text = "\n".join(recent or [clean(line) for line in lines[-200:]])
        yield Part(name, scrub.clean(text[-_MOST_LOG:]).encode(), what)


def _own_log(ground: Ground, scrub: Scrubber) -> Iterator[Part]:
    path = ground.session.places.log_file
    what = "gpuconsole's own log"
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _MOST_FILE, 0))
            text = clean(file.read(_MOST_FILE).decode("utf-8", "replace"))
    except FileNotFoundError:
        return
    except OSError as error:
        yield Part("gpuconsole.log", b"", what, error.strerror or str(error))
        return
    yield Part("gpuconsole.log", scrub.clean(without_prompts(text)).encode(), what)


def _pictures(ground: Ground) -> Iterator[Part]:
    """Give the pictures of the newest edits: they were asked for."""
    from pathlib import Path

    from console.store.edits import EditRecords, Filter

    for edit in EditRecords(ground.session.store).find(Filter(), limit=10):
        for one in edit.of_role("output"):
            path = Path(one.path)
            name = f"pictures/{_plain(path.name)}"
            try:
                yield Part(name, read_limited(path, 64 << 20), f"picture of edit {edit.id}")
            except OSError as error:
                yield Part(name, b"", f"picture of edit {edit.id}", error.strerror or str(error))


def _plain(name: str) -> str:
    """Give a name that is harmless in an archive."""
    return _UNSAFE.sub("-", name).strip(".-")[:80] or "unnamed"
