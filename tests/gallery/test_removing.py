"""Edits are taken away as a plan that says what it destroys."""

import os
import threading
import time
from pathlib import Path

import pytest

from actions.edits.places import spool_file
from actions.gallery.remove_work import RemoveWork
from actions.plan import PlanDone, PlanFailed
from actions.step_thread import Talk
from actions.trouble import CancelledStepError
from console.errors import RefusedError, UsageError
from tests.gallery.conftest import Gallery
from tests.gallery.disk import make_read_only, make_writable, small_disk


def ids(plan: object) -> set[str]:
    return {check.id for check in plan.checks}  # type: ignore[attr-defined]


def test_a_plan_says_what_is_destroyed_and_does_just_that(gallery: Gallery) -> None:
    photo = gallery.photo("dog.png", 1)
    gone, other = gallery.made(results=2), gallery.made(photo=photo)
    plan = gallery.plan(gone.id)
    assert (plan.verb, plan.subject, plan.verdict) == ("gallery-rm", "edits", "warned")
    assert plan.steps[0].destructive
    assert "1 edit with 3 pictures" in plan.checks[0].title
    end = gallery.run(plan)
    assert isinstance(end, PlanDone)
    assert end.result["edits"] == [gone.id]
    assert end.result["files"] == 3
    assert gallery.records.one(gone.id) is None
    assert gallery.left() == {
        os.path.relpath(picture.path, gallery.outputs) for picture in other.pictures
    }
    assert photo.exists()


def test_an_input_goes_with_the_last_edit_that_has_it(gallery: Gallery) -> None:
    first, second = gallery.made(), gallery.made()
    kept = first.pictures[0].path
    assert kept == second.pictures[0].path
    plan = gallery.plan(first.id)
    assert "gallery.shared" in ids(plan)
    gallery.run(plan)
    assert Path(kept).exists()
    plan = gallery.plan(second.id)
    assert "gallery.shared" not in ids(plan)
    gallery.run(plan)
    assert gallery.left() == set()


def test_several_at_once_take_what_they_share(gallery: Gallery) -> None:
    first, second, stays = gallery.made(), gallery.made(), gallery.made("failed")
    plan = gallery.plan(first.id, also=[second.id, first.id])
    assert "2 edits with 2 pictures" in plan.checks[0].title
    gallery.run(plan)
    assert gallery.left() == {f".inputs/{stays.pictures[0].sha256}.png"}


def test_an_input_that_a_new_edit_was_just_given_stays(gallery: Gallery) -> None:
    """Two consoles: here one is removed, there the next is begun with the same picture."""
    edit = gallery.made()
    plan = gallery.plan(edit.id)
    photo = Path(edit.pictures[0].source)
    gallery.files.keep_input(photo.read_bytes(), "image/png", str(photo), 0)
    gallery.run(plan)
    assert gallery.left() == {f".inputs/{edit.pictures[0].sha256}.png"}


def test_by_date_and_by_failure(gallery: Gallery) -> None:
    old, young = gallery.made(), gallery.made()
    failed = gallery.made("failed")
    plan = gallery.plan(before=young.created_at.isoformat())
    assert [edit[0] for edit in plan.steps[0].options["edits"]] == [old.id]
    assert plan.steps[0].command.startswith("gpuconsole gallery rm --yes --before 2026-11-22T")
    plan = gallery.plan(failed=True)
    assert plan.steps[0].command == "gpuconsole gallery rm --yes --failed"
    assert [edit[0] for edit in plan.steps[0].options["edits"]] == [failed.id]
    gallery.run(plan)
    assert gallery.records.find() == (young, old)


def test_of_a_comparison_all_at_once(gallery: Gallery) -> None:
    part, alone = gallery.made(group="20261127T000000-aaaaaa"), gallery.made()
    gallery.run(gallery.plan(group="20261127T000000-aaaaaa"))
    assert gallery.records.find() == (alone,)
    assert gallery.records.one(part.id) is None


def test_the_report_of_a_comparison_is_told_to_stay(gallery: Gallery) -> None:
    gallery.made(group="20261127T000000-aaaaaa")
    report = gallery.outputs / "2026-11-27" / "compare-20261127T000000-aaaaaa"
    report.mkdir(parents=True)
    (report / "sheet.png").write_bytes(b"small pictures")
    plan = gallery.plan(group="20261127T000000-aaaaaa")
    assert "gallery.report-stays" in ids(plan)
    gallery.run(plan)
    assert gallery.left() == {str((report / "sheet.png").relative_to(gallery.outputs))}


def test_results_that_wait_for_room_are_destroyed_with_their_edit(gallery: Gallery) -> None:
    edit, other = gallery.made("uncollected"), gallery.made("uncollected")
    for one in (edit, other):
        waiting = spool_file(gallery.session, one.id, 1)
        waiting.parent.mkdir(exist_ok=True)
        waiting.write_bytes(b"picture")
    gallery.run(gallery.plan(edit.id))
    assert not spool_file(gallery.session, edit.id, 1).exists()
    assert spool_file(gallery.session, other.id, 1).exists()


@pytest.mark.parametrize(
    ("name", "options"),
    [("all", {}), ("20261121T080000-000001", {"failed": True}), ("nope", {}),
     ("all", {"before": "yesterday"}), ("all", {"quarantine": True})],
)  # fmt: skip
def test_what_makes_no_sense_is_not_planned(
    gallery: Gallery, name: str, options: dict[str, object]
) -> None:
    gallery.made()
    with pytest.raises(UsageError):
        gallery.plan(name, **options)
    assert gallery.records.count() == 1


def test_a_file_that_somebody_wrote_to_is_left(gallery: Gallery) -> None:
    edit = gallery.made()
    path = Path(edit.pictures[1].path)
    path.write_bytes(b"drawn over")
    plan = gallery.plan(edit.id)
    assert "gallery.left-alone" in ids(plan)
    end = gallery.run(plan)
    assert isinstance(end, PlanDone)
    assert path.name in end.text
    assert path.read_bytes() == b"drawn over"
    assert gallery.records.one(edit.id) is None


def test_a_file_changed_to_the_same_size_is_left_too(gallery: Gallery) -> None:
    edit = gallery.made()
    path = Path(edit.pictures[1].path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    gallery.run(gallery.plan(edit.id))
    assert path.read_bytes() == data


def test_nothing_outside_the_outputs_is_ever_deleted(gallery: Gallery) -> None:
    """Somebody's hand in the database, or another paths.outputs since."""
    photo = gallery.photo("precious.png", 99)
    edit = gallery.made()
    import msgspec

    aimed = msgspec.structs.replace(edit.pictures[1], path=str(photo),
                                    sha256=_sha(photo), size=photo.stat().st_size)  # fmt: skip
    gallery.records.change(edit.id, pictures=(edit.pictures[0], aimed))
    gallery.run(gallery.plan(edit.id))
    assert photo.exists()
    assert gallery.records.one(edit.id) is None


def test_pictures_that_are_gone_already_are_no_obstacle(gallery: Gallery) -> None:
    edit = gallery.made()
    Path(edit.pictures[1].path).unlink()
    plan = gallery.plan(edit.id)
    assert "gallery.missing" in ids(plan)
    assert isinstance(gallery.run(plan), PlanDone)
    assert gallery.left() == set()


def test_an_edit_that_is_not_collected_yet_is_warned_of(gallery: Gallery) -> None:
    edit = gallery.made("uncollected")
    assert "gallery.uncollected" in ids(gallery.plan(edit.id))


def test_an_edit_that_has_got_its_picture_since_stays(gallery: Gallery) -> None:
    edit = gallery.made("uncollected")
    plan = gallery.plan(edit.id)
    gallery.records.change(edit.id, state="done")
    end = gallery.run(plan)
    assert isinstance(end, PlanDone)
    assert gallery.records.one(edit.id) is not None
    assert "has changed since" in end.text


def test_a_read_only_disk_loses_neither_file_nor_record(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        gallery = Gallery(tmp_path, disk / "out")
        edit, plan = gallery.made(), gallery.plan("last")
        make_read_only(disk)
        end = gallery.run(plan)
        assert isinstance(end, PlanFailed)
        assert end.code == "gallery.not-all"
        assert "read-only" in end.title
        assert gallery.records.one(edit.id) == edit
        make_writable(disk)
        assert isinstance(gallery.run(gallery.plan(edit.id)), PlanDone)
        assert gallery.left() == set()


def test_cancelled_in_between_leaves_the_rest_whole(gallery: Gallery) -> None:
    for _ in range(30):
        gallery.made()
    plan = gallery.plan(before="2030-01-01T00:00:00+00:00")
    asked = threading.Event()

    def cancelled() -> bool:
        if gallery.records.count() == 20:
            asked.set()
        return asked.is_set()

    with pytest.raises(CancelledStepError, match="10 are gone, 20 stay"):
        RemoveWork(gallery.session, plan.steps[0]).run(Talk(lambda _text: None, cancelled))
    for edit in gallery.records.find():
        assert all(Path(one.path).exists() for one in edit.pictures)


def test_it_cannot_be_taken_back(gallery: Gallery) -> None:
    edit = gallery.made()
    plan = gallery.plan(edit.id)
    gallery.run(plan)
    with pytest.raises(RefusedError, match="destroyed"):
        gallery.operations.undo()


def test_a_read_only_console_destroys_nothing(gallery: Gallery) -> None:
    edit = gallery.made()
    gallery.session.read_only = True
    plan = gallery.plan(edit.id)
    assert plan.verdict == "refused"
    assert isinstance(gallery.run(plan), PlanFailed)
    assert gallery.records.one(edit.id) == edit


def test_thousands_with_the_same_picture_go_in_a_moment(gallery: Gallery) -> None:
    edit = gallery.made()
    import msgspec

    for number in range(1500):
        gallery.records.add(msgspec.structs.replace(edit, id=f"20260101T000000-{number:06x}"))
    before = time.monotonic()
    plan = gallery.plan(before="2030-01-01T00:00:00+00:00")
    assert "1501 edits" in plan.checks[0].title
    RemoveWork(gallery.session, plan.steps[0]).run(Talk(lambda _text: None, lambda: False))
    assert time.monotonic() - before < 20
    assert (gallery.records.count(), gallery.left()) == (0, set())


def _sha(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
