"""What an image is built from: what the service's compose file says of it."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actions.services.find import service_named
from actions.services.snapshot import Service
from actions.snapshot import HostSnapshot
from console.compose.project import parse, read_service, service_of
from console.errors import UsageError
from console.text import clean_line

LABEL = "gpuconsole.context"
"""On an image: the fingerprint of what it was built from."""
_KNOWN = frozenset({"context", "dockerfile", "args", "target"})


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How a service's image is built.

    Attributes:
        service: as the config calls it.
        image: the name it gets.
        context: absolute path of the folder that is sent to the builder.
        dockerfile: in it.
        args: build arguments.
        target: the stage that is built; empty is the last.
        command: what a person would type for it, after compose's own name.
    """

    service: str
    image: str
    context: str
    dockerfile: str = "Dockerfile"
    args: dict[str, str] = {}
    target: str = ""
    command: str = ""

    @property
    def folder(self) -> Path:
        """The context as a path."""
        return Path(self.context)


def recipe_of(snapshot: HostSnapshot, name: str) -> Recipe:
    """Give how the image of a service is built.

    Raises:
        UsageError: there is no such service (`service.unknown`), it has no compose file or no
            image of its own there (`build.none`), or only compose can build it (`build.odd`).
        ComposeError: the file cannot be read, or does not have the service.
    """
    services = [one.service for one in snapshot.services]
    service = service_named(services, snapshot.engine.containers, name)
    if service is None:
        raise UsageError(
            "service.unknown",
            f"There is no service {clean_line(name, 80)}",
            "gpuconsole status lists them",
        )
    return recipe_in(service)


def recipe_in(service: Service) -> Recipe:
    """Give how the image of a service is built; raises as `recipe_of`."""
    file = service.compose_file
    if file is None or not service.compose_service:
        raise UsageError(
            "build.none",
            f"{service.name} has no compose file that is known here",
            "compose_file and compose_service in the config name it",
        )
    found = read_service(file, service.compose_service)
    content = service_of(parse(found.text, file), service.compose_service, file)
    build = content.get("build")
    if build is None:
        raise UsageError(
            "build.none",
            f"{service.name} is not built here: its image is {found.image or 'not named'}",
            f"`docker pull {found.image}` fetches it" if found.image else "",
        )
    command = f"-f {shlex.quote(str(file))} build {service.compose_service}"
    said: Mapping[str, Any] = build if isinstance(build, Mapping) else {"context": build}
    odd = [str(key) for key in said if key not in _KNOWN]
    texts = [said.get("context", "."), said.get("dockerfile", "Dockerfile"), said.get("target", "")]
    args = _args(said.get("args"))
    if odd or args is None or not found.image or any(_unclear(one) for one in texts):
        why = f"build has {', '.join(odd)}" if odd else "its values come from elsewhere"
        raise UsageError(
            "build.odd",
            f"only compose can build {service.name}: {clean_line(why, 120)}",
            f"`docker compose {command}`",
        )
    context, dockerfile, target = map(str, texts)
    return Recipe(
        service=service.name,
        image=found.image,
        context=os.path.normpath(found.project.place.absolute() / context),
        dockerfile=dockerfile,
        args=args,
        target=target,
        command=command,
    )


def _unclear(value: object) -> bool:
    """Tell whether a value is more than a plain text: a variable, an address, nothing at all."""
    return not isinstance(value, str) or "$" in value or "://" in value or value.startswith("git@")


def _args(said: Any) -> dict[str, str] | None:
    """Give build arguments, written either way; None where one comes from the environment."""
    if said is None:
        return {}
    if isinstance(said, Mapping):
        pairs = [(str(name), value) for name, value in said.items()]
    elif isinstance(said, Sequence) and not isinstance(said, str):
        parts = [str(one).partition("=") for one in said]
        pairs = [(name, value if equals else None) for name, equals, value in parts]
    else:
        return None
    if any(value is None or "$" in str(value) for _, value in pairs):
        return None
    return {name: str(value) for name, value in pairs}
