"""A Forge that was corrected and does not start with it: file and container are as before."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from actions.operations import Operations
from actions.setup.report import StepReport
from console.config.load import load
from console.simulator.scene import IllSpec, Phase, Scene
from tests.setup.places import Place, place
from tests.setup.test_forge_step import (
    BIG,
    FORGE,
    SMALL,
    TOKEN,
    compose_of,
    holding,
    service_in,
    status,
)
from tests.setup.walking import asked

Change = Callable[[Scene], Scene]


def ends_with(word: str, name: str = "forge") -> Change:
    """Give a scene whose Forge ends at once where a word stands among its settings."""

    def changed(scene: Scene) -> Scene:
        ill = IllSpec(word=word, phases=(Phase(name="start", seconds=0.2, ready=False, exit=2),))
        forge = msgspec.structs.replace(scene.containers[name], ill=ill, restart="no")
        return msgspec.structs.replace(scene, containers={**scene.containers, name: forge})

    return changed


def went(here: Place, report: StepReport) -> str:
    """Give what is told of a step that failed, and see that the journal has no secret either."""
    assert report.state == "failed", report
    assert holding(here.session().places.state_dir, TOKEN) == []
    return "\n".join((report.detail, *report.found))


def test_a_forge_that_does_not_start_as_corrected_is_put_back_and_runs(tmp_path: Path) -> None:
    """Also where setup was cut off in between: another run makes the container anew."""
    with place(tmp_path, "half-done-host", ends_with("AUTO_UPDATE=false")) as here:
        file = compose_of(here)
        before = file.read_bytes()
        first = here.course(forge=FORGE)
        first.look("existing")
        assert first.do("existing").plan == ""
        assert file.read_bytes() != before
        failed = here.do("existing", forge=FORGE)
        assert "went back: what was there before is restored" in went(here, failed)
        assert failed.exit_code != 0
        assert file.read_bytes() == before
        # On the other card, as before: now that the login is known, it can be asked.
        assert status(here).state == "misplaced"


def test_what_somebody_wrote_into_the_file_since_is_never_put_back_over(tmp_path: Path) -> None:
    with place(tmp_path, "half-done-host", ends_with("AUTO_UPDATE=false")) as here:
        file = compose_of(here)
        course = here.course(forge=FORGE)
        course.look("existing")
        course.do("existing")
        theirs = f"# theirs\n{file.read_text()}"
        file.write_text(theirs)
        course.look("existing", anew=True)
        went(here, course.do("existing"))
        assert file.read_text() == theirs


def test_of_two_forges_of_a_file_the_one_that_runs_stays_corrected(tmp_path: Path) -> None:
    ill = ends_with("CUDA_DEVICE_ORDER=PCI_BUS_ID", "myia-turbo")
    with place(tmp_path, "studio", ill) as here:
        (here.home / "ComfyUI/models/vae").mkdir(parents=True)
        file = compose_of(here, "myia")
        before = file.read_text()
        went(here, here.do("existing", forge={"correct": "all"}))
        first, second = sorted(file.parent.glob("*.before-*"))
        assert first.read_text() == before
        assert second.read_text() == file.read_text()
        assert service_in(file, "forge")["env_file"] == ["myia.env"]
        assert service_in(file, "forge-turbo") == service_in(first, "forge-turbo")
        assert status(here, "myia-turbo").state == "ready"


def test_another_card_than_the_config_has_is_taken_only_when_that_is_said(tmp_path: Path) -> None:
    with place(tmp_path, "half-done-host") as here:
        here.config.parent.mkdir(parents=True, exist_ok=True)
        file = compose_of(here)
        here.config.write_text(
            '# mine\n[services.forge]\nkind = "forge"\ncontainer = "forge"\n'
            f'compose_file = "{file}"\ncompose_service = "forge"\ngpu = "3080"\n'
        )
        against = here.look("existing", forge={**FORGE, "gpu": BIG})
        assert against.state == "blocked"
        assert f"services.forge.gpu is 3080, the answers say {BIG}" in against.detail
        assert asked(against, "existing.replace").kind == "flag"
        assert asked(against, "forge.gpu").value == BIG
        assert here.look("existing", forge={**FORGE, "gpu": SMALL}).state == "needed"
        said = {"forge": {**FORGE, "gpu": BIG}, "existing": {"replace": True}}
        done = here.do("existing", **said)
        assert done.state == "done", done
        assert load(here.config).settings.services["forge"].gpu == BIG
        assert status(here).gpu_uuid == BIG
        assert here.config.read_text().startswith("# mine\n")


@pytest.mark.parametrize("edits", [{"edits": 3}, {"edits": "forge"}])
def test_what_leads_back_is_a_table(tmp_path: Path, edits: dict[str, object]) -> None:
    with place(tmp_path, "half-done-host") as here, pytest.raises(Exception, match="leads back"):
        Operations(here.session()).plan("restart", "forge", recreate=True, **edits)


def test_a_container_that_is_younger_than_its_file_is_not_made_anew(tmp_path: Path) -> None:
    """What it has otherwise is said by another file of its project, so a new one would have it."""
    with place(tmp_path, "half-done-host") as here:
        file = compose_of(here)
        text = file.read_text().replace(
            "AUTO_UPDATE: ", 'FORGE_REF: "2d3903d"\n      AUTO_UPDATE: '
        )
        file.write_text(text)
        course = here.course(forge=FORGE)
        course.look("existing")
        course.do("existing")
        assert "FORGE_REF" in " ".join(here.look("existing", forge=FORGE).found)
        os.utime(file, (0, 0))
        after = here.look("existing", forge=FORGE)
        assert after.steps == ()
        assert not [one for one in after.found if "older than its file" in one]


def test_a_card_that_the_engine_gives_is_seen_in_the_container_too(tmp_path: Path) -> None:
    """On a Linux of its own the file says which card by `device_ids`, and by nothing else."""
    with place(tmp_path, "native") as here:
        (here.home / "ComfyUI/models/vae").mkdir(parents=True)
        course = here.course(forge={"correct": "myia", "gpu": BIG})
        shown = course.look("existing")
        assert shown.steps == ("gpuconsole restart myia --recreate",)
        after = course.do("existing")
        assert any("older than its file" in one for one in after.found), after
        assert "as it should be" not in after.detail
        same = here.look("existing", forge={"correct": "myia", "gpu": SMALL})
        assert same.steps == ()
