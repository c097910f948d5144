"""Comparisons on a rehearsed ComfyUI: variants one after another, and what goes wrong with one."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.compare.cases import edit_id
from actions.compare.ending import conclude, conclude_without_report
from actions.compare.planning import CompareVerbs
from actions.trouble import DroppedStepError, PausedStepError
from console.edits.result import media_of
from console.store.edits import EditRecords, Filter
from console.units import GIB
from tests.compare.course import Going
from tests.compare.test_plan import Q2, Q4, plan_of
from tests.support.edits import COMFY, FORGE, EditHost

FP8 = "qwen-edit-2509-fp8"


_FEW: dict[str, Any] = {"seeds": (7,), "steps": (4,)}


def going(host: EditHost, photo: Path | None, name: str = "edit-single", **options: Any) -> Going:
    return Going(host.session(), plan_of(host, photo, name, **{**_FEW, **options}))


@pytest.fixture
def healed(host: EditHost) -> Iterator[None]:
    """Leave the service well behind, whatever the test does to it."""
    yield
    host.mood("")


def submitted(host: EditHost, group: str) -> int:
    """Count the edits of a comparison that were sent."""
    session = host.session()
    return EditRecords(session.store).count(Filter(group=group, submitted=True))


def test_three_variants_are_run_cold_and_warm_compared_and_reported(
    host: EditHost, photo: Path
) -> None:
    run = going(host, photo, variants=(Q2, Q4, FP8))
    data = run.all()
    assert [(row["variant"], row["state"]) for row in data["runs"]] == [
        (Q2, "done"), (Q4, "done"), (FP8, "done"),
    ]  # fmt: skip
    for row in data["runs"]:
        # On a busy host its loading may be over before anybody hears of it.
        assert row["first_seconds"] > (row["load_seconds"] or 0) >= 0
        assert row["warm_seconds"] > 0
        assert row["seconds_per_step"] > 0
        assert row["vram_peak_bytes"] > row["vram_before_bytes"]
        assert Path(row["output"]["path"]).is_file()
        assert (row["steps"], row["warm_seed"]) == (4, 8)
    assert data["reference"] == FP8
    assert data["runs"][2]["reference"]
    assert data["runs"][2]["psnr_db"] is None
    # Weights of fewer bits leave more grain.
    assert 0 < data["runs"][0]["psnr_db"] < data["runs"][1]["psnr_db"]
    assert data["best"] in {Q2, Q4, FP8}
    assert data["card"] in data["sentence"]
    report = Path(data["report"])
    assert report.parent.parent.parent == host.outputs
    assert report.parent.stat().st_mode & 0o777 == 0o700
    assert media_of(Path(data["sheet"]).read_bytes()) == "image/png"
    assert len(data["plots"]) == 4
    _begins_cold(run)
    _tells_its_place(run)
    _can_be_written_again(host, run, data)


def _begins_cold(run: Going) -> None:
    """Each variant begins with its model unloaded, and goes on with it loaded."""
    records = EditRecords(run.session.store)
    edits = [records.get(edit_id(run.plan.id, number)) for number in range(1, 7)]
    held = [edit.vram_before_bytes for edit in edits if edit is not None]
    assert len(held) == 6
    assert all(one is not None for one in held)
    assert max(one or 0 for one in held[::2]) < GIB  # the CUDA context is left, no model
    assert min(one or 0 for one in held[1::2]) > 6 * GIB
    assert all(edit is not None and edit.group == run.plan.id for edit in edits)


def _tells_its_place(run: Going) -> None:
    assert {now.of for now in run.told} == {6}
    assert {now.done for now in run.told} == {0, 1, 2, 3, 4, 5}
    assert f"{Q2}: cold, seed 7, 4 steps (edit 1 of 6)" in run.said
    assert f"{Q2}: warm, seed 8, 4 steps (edit 2 of 6)" in run.said


def _can_be_written_again(host: EditHost, run: Going, data: dict[str, Any]) -> None:
    """What is kept is enough for the report, whoever removed it."""
    folder = Path(data["report"]).parent
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert conclude_without_report(run.session, run.plan).data["report"] is None
    again = conclude(host.session(), run.plan).data
    assert again["report"] == data["report"]
    assert again["runs"] == data["runs"]
    assert Path(again["sheet"]).is_file()


def test_other_steps_have_rows_of_their_own_and_need_no_cold_run(
    host: EditHost, photo: Path
) -> None:
    data = going(host, photo, variants=(Q2, Q4), steps=(4, 6)).all()
    assert [(row["variant"], row["steps"]) for row in data["runs"]] == [
        (Q2, 4), (Q2, 6), (Q4, 4), (Q4, 6),
    ]  # fmt: skip
    assert [row["first_seconds"] is None for row in data["runs"]] == [False, True, False, True]
    assert all(row["warm_seconds"] for row in data["runs"])
    assert all(row["psnr_db"] for row in data["runs"][:2])
    assert "steps" in data["heads"]


def test_a_variant_that_runs_out_of_memory_is_a_row_and_the_rest_goes_on(
    host: EditHost, photo: Path, healed: None
) -> None:
    run = going(host, photo, variants=(FP8, Q4))
    host.mood("run-oom")
    outcome = run.step(0)
    host.mood("")
    assert "out of memory" in outcome.text.lower()
    run.step(1)
    data = run.finish()
    fp8, q4 = data["runs"]
    assert fp8["state"] == "failed"
    assert fp8["error"]["code"] == "edit.out-of-memory"
    assert fp8["warm_edit"] == ""  # it is not tried again, warm
    assert q4["state"] == "done"
    assert data["reference"] == data["best"] == Q4
    assert "only one that ran" in data["sentence"]
    text = Path(data["report"]).read_text()
    assert "out of memory" in text.lower()


def test_where_all_fail_the_sentence_says_why_and_the_report_is_there(
    host: EditHost, photo: Path, healed: None
) -> None:
    run = going(host, photo, variants=(Q2, Q4))
    host.mood("run-raises")
    data = run.all()
    assert data["best"] is None
    assert data["sentence"].startswith("None of 2 variants ran on")
    assert Path(data["report"]).is_file()
    assert data["plots"] == []


def test_going_on_after_a_kill_makes_nothing_twice(host: EditHost, photo: Path) -> None:
    """What another process did, this one finds in the gallery's records."""
    run = going(host, photo, variants=(Q2, Q4))
    run.step(0)
    before = submitted(host, run.plan.id)
    again = Going(host.session(), run.plan)
    data = again.all()
    assert before == 2
    assert submitted(host, run.plan.id) == 4
    assert [row["state"] for row in data["runs"]] == ["done", "done"]
    assert not [now for now in again.told if now.edit_id == edit_id(run.plan.id, 1)]


def test_cancelling_ends_the_edit_under_way_and_keeps_what_was_finished(
    host: EditHost, photo: Path, healed: None
) -> None:
    run = going(host, photo, variants=(Q2, Q4))
    run.step(0)
    run.sampling.clear()
    host.mood("run-slow")
    failed: list[BaseException] = []

    def go() -> None:
        try:
            run.step(1)
        except BaseException as error:  # noqa: BLE001 -- looked at below
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    assert run.sampling.wait(20)
    run.wish = "cancel"
    thread.join(20)
    assert [type(one) for one in failed] == [DroppedStepError]
    records = EditRecords(run.session.store)
    third = records.get(edit_id(run.plan.id, 3))
    assert third is not None
    assert third.state == "cancelled"
    assert records.get(edit_id(run.plan.id, 4)) is None
    said = CompareVerbs(run.session).drop(run.plan)
    assert "report.md" in said
    text = next(host.outputs.glob(f"*/compare-{run.plan.id}/report.md")).read_text()
    assert "cancelled before its end" in text
    assert f"{Q2.replace('_', chr(92) + '_')} | resident" in text


def test_leaving_keeps_the_edit_at_the_service_and_it_is_gone_on_with(
    host: EditHost, photo: Path
) -> None:
    run = going(host, photo, variants=(Q2,), steps=(40,))
    failed: list[BaseException] = []

    def go() -> None:
        try:
            run.step(0)
        except BaseException as error:  # noqa: BLE001 -- looked at below
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    assert run.sampling.wait(20)
    run.wish = "leave"
    thread.join(20)
    assert [type(one) for one in failed] == [PausedStepError]
    data = Going(host.session(), run.plan).all()
    assert data["runs"][0]["state"] == "done"
    assert submitted(host, run.plan.id) == 2  # the first one was sent once


def test_a_service_that_falls_over_costs_one_variant_and_is_waited_for(
    host: EditHost, photo: Path
) -> None:
    run = going(host, photo, variants=(Q4, Q2))
    host.control("service-odd", container=COMFY, error="run-dies-sampling", value=1)
    run.step(0)
    run.step(1)
    data = run.finish()
    assert [row["state"] for row in data["runs"]] == ["failed", "done"]
    assert data["runs"][0]["error"]["code"] == "edit.restarted"
    assert data["best"] == Q2


def test_forge_compares_seeds(host: EditHost) -> None:
    run = going(host, None, "forge-text-to-image", seeds=(1, 2))
    data = run.all()
    assert data["service"] == FORGE
    assert [row["state"] for row in data["runs"]] == ["done", "done"]
    assert [row["variant"] for row in data["runs"]] == [None, None]
    assert "as it is takes" in data["sentence"]


def test_out_gets_pictures_and_report_too(host: EditHost, photo: Path, tmp_path: Path) -> None:
    run = going(host, photo, variants=(Q2,), out=str(tmp_path / "copies"))
    data = run.all()
    assert (tmp_path / "copies").is_dir()
    names = sorted(path.name for path in (tmp_path / "copies").iterdir())
    assert f"compare-{run.plan.id}" in names
    assert sum(name.endswith(".png") for name in names) == 2
    assert (tmp_path / "copies" / f"compare-{run.plan.id}" / "report.md").is_file()
    assert data["report"].startswith(str(host.outputs))


def test_where_the_report_has_no_place_the_figures_are_there_and_say_why(
    host: EditHost, photo: Path
) -> None:
    run = going(host, photo, variants=(Q2,))
    run.step(0)
    in_the_way = Path(run.plan.facts["folder"])
    in_the_way.write_text("somebody's own")
    data = run.finish()
    assert data["runs"][0]["state"] == "done"
    assert (data["report"], data["sheet"]) == (None, None)
    assert {"report", "sheet"} <= {one["field"] for one in data["unavailable"]}
    assert in_the_way.read_text() == "somebody's own"
