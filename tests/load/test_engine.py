"""A load run on a real engine that is restarted in the middle, with servers in real containers."""

import threading
from pathlib import Path
from typing import Any

from actions.load.doing import LoadVerbs
from actions.load.ledger import Ledger
from actions.step_thread import Outcome, Talk
from console.store.edits import EditRecords, Filter
from tests.layouts.bench import bench_on
from tests.support.edits import a_png
from tests.support.engine import PrivateEngine, Workbench, own_engine
from tests.support.waiting import wait_until

__all__ = ["own_engine"]


def test_a_real_engine_restarted_under_load_is_survived_and_told(
    own_engine: PrivateEngine, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(a_png(96, 64))
    with Workbench(own_engine.address), bench_on(tmp_path, own_engine.address) as bench:
        bench.extra["comfyui"] = ["--pace", "60"]
        bench.write_compose()
        bench.up("comfyui")
        session = bench.session()
        plan = bench.operations().plan(
            "load", "edit-single", services=("comfyui",), images=(str(photo),),
            variant="qwen-edit-2509-fp8", requests=5, at_once=2,
        )  # fmt: skip
        assert plan.refusal is None, plan.refusal
        told: list[dict[str, Any]] = []

        def work() -> None:
            verbs = LoadVerbs(session)
            talk = Talk(lambda _text: None, lambda: False)
            for step in plan.steps:
                outcome = verbs.work(plan, step).run(talk)
                assert isinstance(outcome, Outcome)
                told.append(outcome.result)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        records, mine = EditRecords(session.store), Filter(group=plan.id, states=("done",))
        wait_until(lambda: records.count(mine) >= 1, 40, "a first result")
        own_engine.stop()  # it takes its containers with it
        own_engine.start()
        ledger = Ledger(session.places.state_dir, plan.id)
        wait_until(lambda: {one.kind for one in ledger.read().incidents} >= {"engine-away"}, 20)
        bench.up("comfyui")
        thread.join(90)

    assert told, "the run did not end"
    data = told[-1]
    assert data["succeeded"] + len(data["failed"]) == 5
    assert data["succeeded"] >= 2
    assert {one["kind"] for one in data["failed"]} <= {"engine-restarted"}
    away = next(one for one in data["incidents"] if one["kind"] == "engine-away")
    assert away["ended_seconds"] is not None
    assert data["failed"] or data["retried"], "something was under way when it went"
    assert "Survived" in data["sentence"], data["sentence"]
