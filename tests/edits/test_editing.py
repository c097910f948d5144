"""An edit is prepared, sent once, watched, collected and kept with all that it took."""

import hashlib
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.edit_now import EditNow
from actions.edits.carried import carried, carry
from actions.edits.preparing import doubtful, prepare
from actions.edits.request import EditRequest
from console.edits.recipe import recipe_of
from console.errors import ConsoleError, UnreachableError, UsageError
from console.store.bodies import pack, unpack
from console.store.edits import EditRecords, Filter
from tests.edits.making import asked, make, outputs_of
from tests.support.edits import COMFY, FORGE, EditHost, edit_host


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("home")) as there:
        yield there


def test_an_edit_is_kept_with_its_picture_recipe_and_figures(host: EditHost) -> None:
    session = host.session()
    told: list[EditNow] = []
    secret = "a sign that says password=hunter2 \N{ZERO WIDTH JOINER}ok"
    edit = make(session, asked(host, prompt=secret, seed=7), report=told.append)
    assert edit.state == "done", edit.error
    assert edit == EditRecords(session.store).get(edit.id)
    assert (edit.prompt, edit.seed, edit.steps, edit.kind) == (secret, 7, 4, "comfyui")
    (path,) = outputs_of(edit)
    (picture,) = edit.of_role("output")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hashlib.sha256(path.read_bytes()).hexdigest() == picture.sha256
    assert path.is_relative_to(host.outputs)
    recipe = recipe_of(path)
    assert recipe["gpuconsole"]["request"]["prompt"].startswith("a sign that says password=hunter2")
    assert recipe["prompt"]["3"]["inputs"]["seed"] == 7
    (sent,) = edit.of_role("input")
    assert Path(sent.path).read_bytes() == host.picture().read_bytes()
    timings = edit.timings
    assert timings.heard
    assert timings.steps == 4
    assert timings.total
    assert timings.run
    assert timings.sample
    assert timings.total >= timings.run
    assert edit.vram_peak_bytes
    assert edit.vram_before_bytes
    # At this pace the card may not be read while the edit is at its most.
    assert edit.vram_peak_bytes >= edit.vram_before_bytes
    assert "3090" in edit.gpu_name
    phases = [now.phase for now in told]
    order = ["uploading", "queued", "loading", "encoding", "sampling", "fetching"]
    seen = [phase for phase in dict.fromkeys(phases) if phase in order]
    assert seen == order
    assert any(now.vram_used_bytes for now in told)


def test_the_same_again_is_known_as_an_earlier_result(host: EditHost) -> None:
    session = host.session()
    make(session, asked(host, seed=11))
    again = make(session, asked(host, seed=11))
    assert again.state == "done"
    assert again.cached
    told: list[EditNow] = []
    other = make(session, asked(host, seed=12), report=told.append)
    assert not other.cached
    # Edits like it were made before: how long it takes is known before its first step.
    assert any(now.left_seconds is not None and now.step == 0 for now in told)
    assert other.of_role("output")[0].sha256 != again.of_role("output")[0].sha256


def test_a_live_picture_lies_in_a_file_while_it_runs_and_is_gone_after(host: EditHost) -> None:
    session = host.session()
    seen: list[str] = []

    def look(now: EditNow) -> None:
        if now.preview:
            path = Path(now.preview)
            seen.append(path.name if path.read_bytes()[:2] == b"\xff\xd8" else "other")
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    edit = make(session, asked(host, steps=20, seed=3), report=look)
    assert seen
    assert set(seen) == {f"{edit.id}.jpg"}
    assert list((session.places.state_dir / "previews").iterdir()) == []


def test_forge_edits_go_the_same_way(host: EditHost) -> None:
    session = host.session()
    wanted = asked(host, workflow="forge-image-to-image", steps=None)
    edit = make(session, wanted)
    assert edit.state == "done", edit.error
    assert edit.service == FORGE
    assert edit.seed is not None
    assert 0 <= edit.seed < 1 << 32
    assert len(outputs_of(edit)) == 1
    assert len(json.dumps(edit.recipe)) < 5000  # the picture itself is not kept in the database
    words = make(session, EditRequest(workflow="forge-text-to-image", prompt="a lake"))
    assert words.state == "done", words.error


def test_copies_go_where_they_are_asked_for_and_replace_nothing(
    host: EditHost, tmp_path: Path
) -> None:
    session = host.session()
    out = tmp_path / "out"
    edit = make(session, asked(host, seed=21, out=str(out)))
    (copy,) = out.iterdir()
    assert edit.recipe["copies"] == [str(copy)]
    assert copy.read_bytes() == outputs_of(edit)[0].read_bytes()
    # A folder that is taken by something else while the edit runs costs the copy alone.
    late = tmp_path / "late"

    def take(_now: EditNow) -> None:
        late.touch()

    other = make(session, asked(host, seed=22, out=str(late)), report=take)
    assert other.state == "done"
    assert any(f"{late} is not there: a file is in its" in said for said in other.warnings)


def test_several_at_once_in_one_process_lose_nothing(host: EditHost) -> None:
    session = host.session()
    prepared = [prepare(session, asked(host, seed=100 + number)) for number in range(4)]
    made: dict[int, str] = {}

    def one(number: int) -> None:
        made[number] = make(session, prepared[number], edit_id=f"at-once-{number}").state

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert made == dict.fromkeys(range(4), "done")
    found = [EditRecords(session.store).get(f"at-once-{number}") for number in range(4)]
    assert len({outputs_of(edit)[0] for edit in found if edit}) == 4
    assert len({edit.of_role("output")[0].sha256 for edit in found if edit}) == 4


def test_a_seed_is_drawn_here_and_known_before_it_is_sent(host: EditHost) -> None:
    session = host.session()
    first, second = (prepare(session, asked(host)).request.seed for _ in range(2))
    assert first is not None
    assert second is not None
    assert first != second
    assert max(first, second) < 1 << 53


def test_the_pre_check_counts_what_the_service_holds_already_once(host: EditHost) -> None:
    session = host.session()
    make(session, asked(host, seed=31))
    prepared = prepare(session, asked(host))
    assert prepared.fit is not None
    assert prepared.fit.verdict == "resident"
    assert not doubtful(prepared)
    assert prepared.refusal is None


def test_what_the_service_lacks_is_refused_with_what_fetches_it(host: EditHost) -> None:
    prepared = prepare(host.session(), asked(host, variant="qwen-edit-2511-bf16"))
    assert prepared.refusal is not None
    assert prepared.refusal.code == "workflow.missing-file"
    assert prepared.fetch == ("gpuconsole models pull qwen-edit-2511-bf16",)
    edit = make(host.session(), prepared)
    assert edit.state == "failed"
    assert not edit.submitted
    assert edit.error is not None
    assert edit.error.code == "workflow.missing-file"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"images": ()}, "workflow.images"),
        ({"images": ("relative.png",)}, "edit.relative-path"),
        ({"images": ("",)}, "edit.relative-path"),
        ({"out": "/dev/null"}, "edit.bad-out"),
        ({"out": "/etc/passwd/below"}, "edit.bad-out"),
        ({"out": "/tmp/" + "x" * 300}, "edit.bad-out"),
        ({"workflow": "edit-singel"}, "workflow.unknown"),
        ({"service": "nobody"}, "service.unknown"),
        ({"service": FORGE}, "workflow.kind"),
        ({"variant": "no-such"}, "variant.unknown"),
        ({"steps": 0}, "workflow.value"),
        ({"cfg": float("nan")}, "workflow.value"),
        ({"seed": 2**64}, "workflow.value"),
        ({"seed": -1}, "workflow.value"),
        ({"size": (1000, 1001)}, "workflow.value"),
        ({"prompt": "x" * 100_001}, "workflow.value"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_before_anything_is_sent(
    host: EditHost, fields: dict[str, object], code: str
) -> None:
    with pytest.raises(UsageError) as told:
        prepare(host.session(), asked(host, **fields))
    assert told.value.code == code


def test_a_picture_that_is_none_is_told_by_its_own_code(host: EditHost, tmp_path: Path) -> None:
    bad = tmp_path / "it's a\npicture.png"
    bad.write_text("<html>")
    with pytest.raises(ConsoleError) as told:
        prepare(host.session(), asked(host, images=(str(bad),)))
    assert told.value.code.startswith("picture.")
    assert "\n" not in told.value.title


@pytest.mark.parametrize("prompt", ["", "wörter " * 14_000, "\udcff\udc80 bytes that are no text"])
def test_empty_long_and_odd_prompts_are_sent_as_they_are(host: EditHost, prompt: str) -> None:
    edit = make(host.session(), asked(host, prompt=prompt, steps=2))
    assert edit.state == "done", edit.error
    assert edit.prompt == prompt.encode("utf-8", "replace").decode()
    assert edit.recipe["graph"]["111"]["inputs"]["prompt"] == edit.prompt


def test_a_request_survives_the_journal_letter_by_letter() -> None:
    plain = EditRequest(workflow="w", prompt="red", images=("/a.png",), size=(64, 32), cfg=1.5)
    odd = EditRequest(
        workflow="w", prompt="token=abc123\x1b[31m", images=("/tmp/\udcff.png",), seed=2**63
    )
    for request in (plain, odd):
        assert carried(unpack(pack(carry(request)))) == request
    assert "exact" not in carry(plain)
    with pytest.raises(UsageError):
        carried({})


def test_a_service_that_is_stopped_says_how_it_is_started(tmp_path: Path) -> None:
    with edit_host(tmp_path) as host:
        for _ in host.operations().run(host.operations().plan("kill", COMFY)):
            pass
        session, wanted = host.session(), asked(host)
        with pytest.raises(UnreachableError) as told:
            prepare(session, wanted)
    assert told.value.code == "service.not-running"
    assert f"gpuconsole start {COMFY}" in told.value.hint


def test_edits_of_a_group_are_found_by_it(host: EditHost) -> None:
    session = host.session()
    from actions.edits.running import run_edit

    prepared = prepare(session, asked(host, seed=77))
    run_edit(session, prepared, edit_id="group-1", group="a-comparison")
    found = EditRecords(session.store).find(Filter(group="a-comparison"))
    assert [edit.id for edit in found] == ["group-1"]
