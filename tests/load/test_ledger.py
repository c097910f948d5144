"""What a killed run leaves behind is read as far as it was written."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.load.ledger import Begun, Happened, Ledger, Read, Sent, Settled
from actions.load.model import CardNow, Incident, Result

AT = datetime(2026, 11, 22, 22, 41, tzinfo=UTC)


def _result(number: int, state: str = "done") -> Result:
    return Result(number=number, seed=number, service="comfy", state=state, ended=float(number))


def _lines() -> list[Begun | Sent | Settled | Read | Happened]:
    lost = Incident(kind="card-lost", subject="RTX 3090", ident="GPU-1", begun=3.0)
    return [
        Begun(at=AT),
        Sent(number=1, attempt=1, edit_id="e1", service="comfy", at=0.1),
        Sent(number=2, attempt=1, edit_id="e2", service="comfy", at=0.2),
        Read(at=1.0, cards={"GPU-1": CardNow(name="RTX 3090", used_bytes=5)}),
        Settled(result=_result(1)),
        Happened(key=0, incident=lost),
        Sent(number=2, attempt=2, edit_id="e2-2", service="comfy", at=4.0),
        Happened(key=0, incident=Incident(kind="card-lost", ident="GPU-1", begun=3.0, ended=6.0)),
    ]


def test_a_run_goes_on_with_what_was_written_down(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "run")
    assert ledger.open()
    for line in _lines():
        ledger.write(line)
    ledger.close()

    past = Ledger(tmp_path, "run").read()

    assert (past.begun_at, past.last) == (AT, 6.0)
    assert past.results == {1: _result(1)}
    assert past.sent[2].edit_id == "e2-2", "the newest attempt counts"
    assert past.samples[0].cards["GPU-1"].used_bytes == 5
    assert [one.ended for one in past.incidents] == [6.0]
    assert ledger.path.stat().st_mode & 0o777 == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(min_value=0))
def test_wherever_a_kill_cuts_it_off_what_stood_before_is_read(tmp_path: Path, cut: int) -> None:
    whole = Ledger(tmp_path, "whole")
    whole.path.unlink(missing_ok=True)
    whole.open()
    for line in _lines():
        whole.write(line)
    whole.close()
    body = whole.path.read_bytes()
    short = Ledger(tmp_path, "short")
    short.path.write_bytes(body[: cut % (len(body) + 1)])

    before = short.read()
    short.open()
    short.write(Settled(result=_result(9)))
    short.close()
    after = short.read()

    assert len(before.results) <= 1
    assert after.results == {**before.results, 9: _result(9)}, "a cut line spoils no other"
    assert after.sent == before.sent


def test_no_ledger_and_a_folder_in_its_place_are_an_empty_past(tmp_path: Path) -> None:
    assert Ledger(tmp_path, "none").read().begun_at is None
    (tmp_path / "loads" / "folder.jsonl").mkdir(parents=True)
    ledger = Ledger(tmp_path, "folder")

    assert ledger.read().results == {}
    assert not ledger.open()
    ledger.write(Begun(at=AT))  # the run goes on without
    ledger.close(remove=True)
