"""Whatever goes wrong with an edit: it says so, nothing is sent twice, nothing finished is lost."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actions.edit_now import EditNow
from actions.edits import collecting
from actions.edits.collecting import as_recipe
from actions.edits.places import spool_file
from actions.edits.preparing import Prepared, prepare
from actions.edits.running import go_on
from actions.plan import PlanFailed
from console.comfyui.prompts import PromptCalls
from console.comfyui.run import Pace
from console.edits.kept import KeptEdit
from console.edits.result import Output
from console.simulator.scene import Scene
from console.store.edits import EditRecords
from console.web.client import WebClient
from tests.edits.making import asked, make, outputs_of
from tests.support.edits import COMFY, FORGE, EditHost, edit_host
from tests.support.waiting import wait_until

_seeds = iter(range(1000, 2000))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have services asked more often than in life."""
    pace = Pace(deaf=0.2, quiet=0.5, gone=20.0, sure=0.6)
    monkeypatch.setattr("console.comfyui.run.Pace", lambda: pace)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("home")) as there:
        yield there


@pytest.fixture
def host(shared: EditHost) -> Iterator[EditHost]:
    """Give the rehearsal with both services well, before and after."""
    yield shared
    for service in (COMFY, FORGE):
        shared.mood("", service)


def ready(host: EditHost, **fields: object) -> Prepared:
    """Prepare an edit as long as all is well; each with a seed of its own."""
    wanted = asked(host, **{"seed": next(_seeds), **fields})

    def prepared() -> Prepared | None:
        try:
            return prepare(host.session(), wanted)
        except Exception:  # noqa: BLE001 -- a service that died is on its way back
            return None

    return wait_until(prepared, 20)  # type: ignore[return-value]


def calls(host: EditHost) -> PromptCalls:
    return PromptCalls(WebClient(host.url(), patience=5.0))


@pytest.mark.parametrize(
    ("mood", "code", "hint"),
    [
        ("run-oom", "edit.out-of-memory", "smaller"),
        ("run-oom-decode", "edit.out-of-memory", "smaller"),
        ("run-raises", "edit.node-failed", "log"),
        ("run-raises-load", "edit.bad-model-file", "models verify"),
        ("run-disk-full", "edit.node-failed", "log"),
        ("run-upload-too-large", "edit.upload-too-large", "scale"),
        ("run-queue-full", "edit.queue-full", "wait"),
        ("run-bad-names", "edit.odd-name", "not written"),
        ("run-no-picture", "edit.odd-picture", ""),
        ("run-fetch-gone", "edit.picture-gone", "same seed"),
        ("run-fetch-bomb", "", ""),
    ],
)
def test_what_a_service_does_wrong_is_told_with_what_to_do(
    host: EditHost, mood: str, code: str, hint: str
) -> None:
    prepared, session = ready(host), host.session()
    host.mood(mood)
    edit = make(session, prepared)
    if not code:
        assert edit.state in {"done", "failed"}
        return
    assert edit.error is not None, edit.state
    assert (edit.state, edit.error.code) == ("failed", code)
    assert hint in edit.error.hint
    assert outputs_of(edit) == []
    assert EditRecords(session.store).get(edit.id) == edit


@pytest.mark.parametrize(
    "mood", ["run-nan", "run-garbage", "run-drops", "run-deaf", "run-no-socket"]
)
def test_a_service_that_talks_nonsense_loses_nothing(host: EditHost, mood: str) -> None:
    prepared = ready(host)
    host.mood(mood)
    edit = make(host.session(), prepared)
    assert edit.state == "done", edit.error
    assert len(outputs_of(edit)) == 1


def test_an_answer_that_is_lost_is_not_sent_again(host: EditHost) -> None:
    prepared = ready(host)
    host.mood("run-lost-answer")
    edit = make(host.session(), prepared)
    assert edit.state == "done", edit.error
    lost = ready(host)
    host.mood("run-lost-request")
    edit = make(host.session(), lost)
    assert edit.error is not None
    assert (edit.state, edit.error.code, edit.submitted) == ("failed", "edit.not-submitted", False)


@pytest.mark.parametrize(
    ("mood", "sent"),
    [
        ("run-dies-upload", False),
        ("run-dies-queued", True),
        ("run-dies-sampling", True),
        ("run-dies-decoding", True),
    ],
)
def test_a_service_that_dies_under_an_edit_is_told(host: EditHost, mood: str, sent: bool) -> None:
    prepared = ready(host)
    host.mood(mood)
    edit = make(host.session(), prepared)
    assert edit.state == "failed"
    assert edit.error is not None
    assert edit.submitted is sent
    assert edit.error.code.startswith("web." if not sent else "edit.")
    assert COMFY in edit.error.title
    assert "http" not in edit.error.title, "a port tells nobody which service it is"
    host.mood("")
    again = make(host.session(), ready(host))
    assert again.state == "done", again.error


def test_a_service_that_dies_while_the_picture_is_fetched_gives_it_later(host: EditHost) -> None:
    prepared, session = ready(host), host.session()
    host.mood("run-dies-fetching")
    edit = make(session, prepared)
    # It came back within the patience, or the edit waits to be collected; nothing is computed anew.
    if edit.state != "done":
        assert edit.state == "uncollected"
        assert edit.error is not None
        assert edit.error.code == "edit.not-collected"
        ready(host)
        edit = go_on(session, edit)
    assert edit.state == "done", edit.error
    assert len(outputs_of(edit)) == 1


def test_a_fetch_that_fails_for_long_is_collected_later(
    host: EditHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting.Collector.__init__, "__defaults__", (0.2,))
    prepared, session = ready(host), host.session()
    host.mood("run-fetch-error")
    edit = make(session, prepared)
    assert edit.state == "uncollected"
    assert edit.error is not None
    assert "gallery collect" in edit.error.hint
    assert outputs_of(edit) == []
    host.mood("")
    later = go_on(session, edit)
    assert later.state == "done"
    assert later.error is None
    assert len(outputs_of(later)) == 1
    assert go_on(session, later) == later


def test_somebody_elses_interrupt_is_not_ours(host: EditHost) -> None:
    prepared = ready(host)
    host.mood("run-interrupted")
    edit = make(host.session(), prepared)
    assert edit.state == "interrupted"
    assert edit.error is not None
    assert edit.error.code == "edit.interrupted"


def test_cancelling_really_cancels_what_runs_and_what_waits(host: EditHost) -> None:
    host.mood("run-slow")
    running, waiting = ready(host, steps=20), ready(host)
    phases: list[str] = []
    inner: list[KeptEdit] = []

    def report(now: EditNow) -> None:
        phases.append(now.phase)

    def stop() -> str:
        if "sampling" not in phases:
            return ""
        if not inner:  # while the first one runs, another waits behind it and is cancelled there
            inner.append(make(host.session(), waiting, stop=lambda: "cancel"))
        return "cancel"

    edit = make(host.session(), running, report=report, stop=stop)
    assert edit.state == "cancelled"
    assert [one.state for one in inner] == ["cancelled"]
    assert inner[0].vram_peak_bytes is None, "it never had its turn on the card"
    assert edit.vram_peak_bytes
    assert edit.prompt_ident
    wait_until(lambda: calls(host).place(edit.prompt_ident).where == "nowhere")
    assert outputs_of(edit) == []


def test_one_that_is_left_goes_on_there_and_is_collected_by_whoever_comes(host: EditHost) -> None:
    prepared, session = ready(host, steps=20), host.session()
    phases: list[str] = []
    edit = make(
        session,
        prepared,
        report=lambda now: phases.append(now.phase),
        stop=lambda: "leave" if "sampling" in phases or "loading" in phases else "",
    )
    assert edit.state == "running"
    assert edit.submitted
    later = go_on(host.session(), edit)
    assert later.state == "done", later.error
    assert later.prompt_ident == edit.prompt_ident
    assert (later.seed, later.id) == (edit.seed, edit.id)


def test_one_that_its_service_has_forgotten_says_so_and_is_not_sent_again(host: EditHost) -> None:
    prepared, session = ready(host), host.session()
    edit = make(session, prepared, stop=lambda: "")
    records = EditRecords(session.store)
    lost = records.change(
        edit.id, state="running", prompt_ident="11111111-2222-4333-8444-555555555555"
    )
    found = go_on(session, lost)
    assert found.state == "failed"
    assert found.error is not None
    assert found.error.code == "edit.not-found"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], check=False
    )
    if made.returncode:
        pytest.skip("only root mounts a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_keeps_nothing_from_being_collected_later(
    host: EditHost, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = host.session()
    monkeypatch.setattr("actions.edits.places.outputs_root", lambda _session: small_disk / "kept")
    for workflow, service in (("edit-single", COMFY), ("forge-image-to-image", FORGE)):
        prepared = ready(host, workflow=workflow, steps=None)
        filler = small_disk / "filler"
        phases: list[str] = []

        def fill(now: EditNow, filler: Path = filler, phases: list[str] = phases) -> None:
            phases.append(now.phase)
            if now.phase not in {"preparing", "uploading"} and not filler.exists():
                with contextlib.suppress(OSError):
                    filler.write_bytes(bytes(4 << 20))

        edit = make(session, prepared, report=fill)
        assert edit.service == service
        assert edit.state == "uncollected", edit.error
        assert edit.error is not None
        assert edit.error.code == "edits.disk-full"
        filler.unlink()
        later = go_on(session, edit)
        assert later.state == "done", later.error
        (path,) = outputs_of(later)
        assert path.is_relative_to(small_disk)
        assert not spool_file(session, edit.id, 0).exists()


def test_a_server_that_refuses_after_all_is_told_in_words_that_help(tmp_path: Path) -> None:
    with edit_host(tmp_path) as host:
        session = host.session()
        prepared = prepare(session, asked(host, seed=1))
        model = session.catalog.file(prepared.built.files[0])
        assert model is not None
        for path in host.models.rglob(model.name):
            path.unlink()
        edit = make(session, prepared)
    assert edit.state == "failed"
    assert edit.error is not None
    assert edit.error.code == "edit.refused"
    assert f"gpuconsole models pull {model.id}" in edit.error.hint
    assert "Value not in list" in edit.error.detail
    assert not edit.submitted


def test_an_edit_that_does_not_fit_the_card_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    def crowded(scene: Scene) -> Scene:
        first, second = scene.cards
        return msgspec.structs.replace(
            scene, cards=(first, msgspec.structs.replace(second, desktop=22.5))
        )

    with edit_host(tmp_path, change=crowded) as host:
        wanted = asked(host, seed=1)
        prepared = prepare(host.session(), wanted)
        assert prepared.refusal is not None
        assert prepared.refusal.code == "fit.refused"
        plan = host.operations().plan("edit", "edit-single", images=wanted.images, prompt="red")
        (end,) = list(host.operations().run(plan))
        assert isinstance(end, PlanFailed)
        assert (end.code, end.exit_code) == ("fit.refused", 3)
        assert calls(host).client.json("/history") == {}


def test_of_several_results_those_that_are_pictures_are_kept(host: EditHost) -> None:
    session = host.session()
    edit = make(session, ready(host))
    (one,) = edit.of_role("output")
    left = [
        Output(node="9", name="not-there.png"),
        Output(node="60", name=one.source, subfolder="gpuconsole"),
        Output(node="7", name="shown.png", kind="temp"),
    ]
    waiting = EditRecords(session.store).change(
        edit.id,
        state="uncollected",
        pictures=edit.of_role("input"),
        recipe={**edit.recipe, "outputs": as_recipe(left)},
    )
    found = go_on(session, waiting)
    assert found.state == "done"
    assert [picture.source for picture in found.of_role("output")] == [one.source]
    assert any("not-there.png" in warning for warning in found.warnings)
    assert "outputs" not in found.recipe
