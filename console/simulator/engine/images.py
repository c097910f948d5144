"""The images on the simulated host: those of its containers and those the scene adds."""

from typing import Any

from console.simulator.engine import parts
from console.simulator.engine.details import fixed
from console.simulator.engine.flavours import Flavour
from console.simulator.engine.wire import go_time
from console.simulator.refusal import Refusal
from console.simulator.scene import GIB, ImageSpec, seconds
from console.simulator.stage import Stage


def full_name(name: str) -> str:
    """Give an image's name with its tag, `latest` where it has none."""
    last = name.rpartition("/")[2]
    return name if ":" in last or "@" in last else f"{name}:latest"


def known_images(stage: Stage) -> dict[str, ImageSpec]:
    """Give every image by its full name."""
    known = {full_name(name): spec for name, spec in stage.scene.images.items()} | stage.built
    for actor in stage.actors.values():
        known.setdefault(full_name(actor.spec.image), ImageSpec())
    return known


def find_image(stage: Stage, name: str, refusal: str = "no-such-image") -> tuple[str, ImageSpec]:
    """Find an image by name or id.

    Raises:
        Refusal: there is none.
    """
    known = known_images(stage)
    wanted = full_name(name)
    if wanted in known:
        return wanted, known[wanted]
    for tag, spec in known.items():
        if parts.image_id(tag).removeprefix("sha256:").startswith(name.removeprefix("sha256:")):
            return tag, spec
    raise Refusal(refusal, name=name, full=wanted)


def listed_image(stage: Stage, tag: str, spec: ImageSpec, flavour: Flavour) -> dict[str, Any]:
    """Give an image as the list has it; new ones leave out `VirtualSize`."""
    size = int(spec.size * GIB)
    entry: dict[str, Any] = {
        "Containers": -1,
        "Created": int(stage.wall(-seconds(spec.created)).timestamp()),
        "Id": parts.image_id(tag),
        "Labels": None,
        "ParentId": "",
        "RepoDigests": [f"{tag.rpartition(':')[0]}@sha256:{parts.digest('manifest', tag)}"],
        "RepoTags": [tag],
        "SharedSize": -1,
        "Size": size,
    }
    return entry if flavour.modern else entry | {"VirtualSize": size}


def inspected_image(stage: Stage, tag: str, spec: ImageSpec, flavour: Flavour) -> dict[str, Any]:
    """Give an image as `docker image inspect` does."""
    size = int(spec.size * GIB)
    entry: dict[str, Any] = {
        "Id": parts.image_id(tag),
        "RepoTags": [tag],
        "RepoDigests": [f"{tag.rpartition(':')[0]}@sha256:{parts.digest('manifest', tag)}"],
        "Comment": "buildkit.dockerfile.v0",
        "Created": go_time(stage, -seconds(spec.created)),
        "Author": "",
        "Config": {
            **({} if flavour.modern else _old_config(flavour)),
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "Cmd": list(spec.command) or (None if spec.entrypoint else ["/bin/sh"]),
            "Entrypoint": list(spec.entrypoint) or None,
            "Labels": {},
        },
        "Architecture": "amd64",
        "Os": "linux",
        "Size": size,
        "GraphDriver": {"Data": None, "Name": "overlay2"},
        "RootFS": {"Type": "layers", "Layers": [f"sha256:{parts.digest('layer', tag)}"]},
        "Metadata": {"LastTagTime": go_time(stage, -seconds(spec.created))},
    }
    if flavour.modern:
        return entry
    entry |= {"Parent": "", "VirtualSize": size}
    return entry if flavour.new else entry | {"ContainerConfig": _old_config(flavour)}


def _old_config(flavour: Flavour) -> dict[str, Any]:
    """Give what 20.10 says of an image as if it were a container."""
    return {"Hostname": "", "Image": "", "Tty": False, **fixed("config", flavour)}
