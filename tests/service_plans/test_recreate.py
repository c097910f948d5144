"""Restarting a service with a container that is made anew: after its compose file was changed."""

from pathlib import Path

import msgspec
import pytest

from actions.status import read_status
from console.errors import UsageError
from console.simulator.scene import Scene
from tests.support.edits import FORGE, edit_host


def test_a_restart_makes_the_container_anew_only_where_that_is_asked_for(tmp_path: Path) -> None:
    with edit_host(tmp_path) as host:
        operations = host.operations()
        usual = operations.plan("restart", FORGE)
        assert not [one for one in usual.steps if "--force-recreate" in one.command]
        plan = operations.plan("restart", FORGE, recreate=True)
        assert any("--force-recreate" in one.command for one in plan.steps)
        # Stopped first, so that what it holds is back before its pre-check counts.
        assert next(one.command.split()[-2:] for one in plan.steps) == ["stop", FORGE]


def test_without_compose_it_is_refused_and_a_plain_container_has_no_such_option(
    tmp_path: Path,
) -> None:
    def by_hand(scene: Scene) -> Scene:
        forge = msgspec.structs.replace(scene.containers[FORGE], compose="", labels={})
        return msgspec.structs.replace(scene, containers={**scene.containers, FORGE: forge})

    with edit_host(tmp_path, change=by_hand) as host:
        plan = host.operations().plan("restart", FORGE, recreate=True)
        assert plan.verdict == "refused"
        assert plan.refusal is not None
        assert "not made by compose" in plan.refusal.title
        with pytest.raises(UsageError, match="recreate"):
            host.operations().plan("restart", "caddy", recreate=True)


def test_a_file_that_is_broken_keeps_the_container_that_runs(tmp_path: Path) -> None:
    with edit_host(tmp_path) as host:
        found = next(one for one in read_status(host.session()).services if one.name == FORGE)
        file = found.service.compose_file
        assert file is not None
        file.write_text("services: [")
        plan = host.operations().plan("restart", FORGE, recreate=True)
        assert plan.verdict == "refused"
        assert plan.steps == ()
