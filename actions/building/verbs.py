"""The verb `build`: the image of a service, by the engine itself; neither compose nor buildx."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actions.building.recipe import Recipe, recipe_of
from actions.building.work import BuildWork, params_shown
from actions.containers.verbs import new_plan_id
from actions.plan import Asker, Check, Plan, Step
from actions.session import Session
from actions.setup.files.filling import versions
from actions.status import read_status
from actions.step_thread import Work
from console.engine.building import context_files
from console.engine.client import EngineClient
from console.engine.faults import EngineError, EngineRefusedError
from console.errors import RefusedError, UsageError
from console.units import format_bytes

_LONGEST_SECONDS = 4 * 3600.0
_OURS = "gpuconsole-comfyui:"


class BuildVerbs:
    """Plans and performs `build`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self, verb: str, name: str, options: dict[str, Any], asker: Asker) -> Plan:
        """Make the plan of building a service's image.

        Args:
            verb: `build`.
            name: of the service, or of its container.
            options: `no_cache`: begin from the base image again.
            asker: who asks.

        Raises:
            UsageError: no such service, or nothing of it is built here; another option.
            ComposeError: its compose file cannot be read.
        """
        odd = [one for one, value in options.items() if one != "no_cache" and value is not None]
        if odd:
            raise UsageError("build.options", f"build takes no {', '.join(odd)}", "")
        recipe = recipe_of(read_status(self._session), name)
        context_files(recipe.folder, recipe.dockerfile)
        fresh = bool(options.get("no_cache"))
        step = Step(
            id="build",
            title=f"Build {recipe.image} from {recipe.folder / recipe.dockerfile}",
            touches=(f"image {recipe.image}",),
            command=f"docker compose {recipe.command}{' --no-cache' if fresh else ''}",
            longest_seconds=_LONGEST_SECONDS,
            options={**params_shown(recipe), "no_cache": fresh},
        )
        return Plan(
            id=new_plan_id(self._session),
            verb=verb,
            target=recipe.service,
            target_id=recipe.service,
            steps=(step,),
            checks=tuple(self._checks(recipe)),
            options={"no_cache": True} if fresh else {},
            longest_seconds=_LONGEST_SECONDS,
            locks=(f"image-{recipe.image}",),
            subject="image",
            created_at=self._session.clock.now(),
            asker=asker,
        )

    def replan(self, plan: Plan) -> Plan:
        """Give the plan from what is true now."""
        return self.plan(plan.verb, plan.target_id, dict(plan.options), plan.asker)

    def work(self, plan: Plan, step: Step) -> Work:  # noqa: ARG002 -- a step says it all
        """Give what carries the step out."""
        return BuildWork(self._session, step)

    def left_behind(self, plan: Plan) -> dict[str, Any]:
        """Say whether the image is there."""
        image = str(plan.steps[0].options["recipe"]["image"])
        there = self._there(image)
        return {"text": f"{image} is {'there' if there else 'not there'}", "image": there}

    def rollback(
        self,
        plan: Plan,  # noqa: ARG002
        done: Sequence[Step],  # noqa: ARG002
        broken: Step | None,  # noqa: ARG002
    ) -> tuple[Step, ...]:
        """Give no steps: an image that is not finished has no name, and what was built is kept."""
        return ()

    def back(self, plan: Plan, left: Mapping[str, Any]) -> Plan:  # noqa: ARG002
        """Refuse: an image that is there is in nobody's way.

        Raises:
            RefusedError: `undo.none`.
        """
        image = plan.steps[0].options["recipe"]["image"]
        raise RefusedError(
            "undo.none", f"{image} was built, which changed nothing else", f"docker rmi {image}"
        )

    def _checks(self, recipe: Recipe) -> Iterator[Check]:
        if self._there(recipe.image):
            yield Check(
                id="build.there", title=f"{recipe.image} is there and gets built anew",
                verdict="pass",
            )  # fmt: skip
        ours = recipe.image.startswith(_OURS)
        if ours:
            size = versions()["image"]["words"]
            yield Check(id="build.size", title=f"it takes {size}", verdict="pass")
        room = self._room()
        least = int(versions()["image"]["bytes"]) if ours else 1 << 30
        if room is not None and room < least:
            yield Check(
                id="build.room",
                title=f"only {format_bytes(room)} are free where the engine keeps its images",
                verdict="warn",
                detail=f"{format_bytes(least)} would do",
            )

    def _there(self, image: str) -> bool:
        try:
            with EngineClient(self._session.endpoint) as client:
                client.image(image)
        except EngineRefusedError:
            return False
        return True

    def _room(self) -> int | None:
        """Give the free bytes where the engine keeps its images; None where it does not tell."""
        if self._session.endpoint.socket_path is None:
            return None  # another host's disk
        try:
            with EngineClient(self._session.endpoint) as client:
                place = client.info().get("DockerRootDir")
            if not isinstance(place, str) or not place.startswith("/"):
                return None
            return shutil.disk_usage(self._session.root / Path(place).relative_to("/")).free
        except (EngineError, OSError):
            return None
