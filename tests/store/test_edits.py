"""Edits are kept as they were asked for, found again, and nothing in them is altered."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.clock import HeldClock
from console.edits.kept import EditError, KeptEdit, KeptPicture, Timings
from console.errors import UsageError
from console.paths import Places
from console.store.database import Store, open_store
from console.store.edits import EditRecords, Filter

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(places: Places, clock: HeldClock) -> Iterator[Store]:
    opened = open_store(places, clock)
    yield opened
    opened.close()


@pytest.fixture
def records(store: Store) -> EditRecords:
    return EditRecords(store)


def an_edit(edit_id: str, minutes: float = 0.0, **fields: object) -> KeptEdit:
    whole: dict[str, object] = {
        "id": edit_id,
        "state": "done",
        "service": "comfyui",
        "kind": "comfyui",
        "workflow": "edit-single",
        "created_at": NOON + timedelta(minutes=minutes),
        **fields,
    }
    return KeptEdit(**whole)  # type: ignore[arg-type]


def test_an_edit_comes_back_as_it_was_put(records: EditRecords) -> None:
    edit = an_edit(
        "20261122-1200-aaaa",
        prompt="paint it\nred, password=hunter2 \N{ZERO WIDTH JOINER}",
        negative="blurred",
        seed=2**64 - 1,
        variant="qwen-image-edit-2511-q4-k-m",
        recipe={"request": {"workflow": "edit-single"}, "graph": {"1": {"inputs": {"x": 1.5}}}},
        timings=Timings(total=12.5, steps=4, heard=True),
        error=EditError(code="edit.failed", title="it failed"),
        warnings=("one",),
        submitted=True,
        started_at=NOON,
        pictures=(
            KeptPicture(role="input", number=0, path="/p/a.png", source="/home/\udcff.png"),
            KeptPicture(role="output", number=0, path="/p/b.png", sha256="ab", width=8, height=4),
        ),
    )
    records.add(edit)
    assert records.one(edit.id) == edit
    assert records.one("last") == edit
    assert records.one("20261122-12") == edit
    assert records.one("2026112") == edit
    assert records.one("nobody") is None


def test_a_beginning_of_several_is_not_guessed(records: EditRecords) -> None:
    records.add(an_edit("abcd-1"))
    records.add(an_edit("abcd-2"))
    with pytest.raises(UsageError) as told:
        records.one("abcd")
    assert told.value.code == "edit.ambiguous"
    # An id that is the beginning of another one is still itself.
    records.add(an_edit("abcd"))
    assert records.one("abcd") == an_edit("abcd")


def test_changing_an_edit_leaves_the_rest_of_it(records: EditRecords) -> None:
    picture = KeptPicture(role="output", number=0, path="/p/b.png")
    records.add(an_edit("one-edit", state="queued", prompt="red"))
    records.add(an_edit("another", 1))
    changed = records.change("one-edit", state="done", pictures=(picture,), submitted=True)
    assert changed == an_edit(
        "one-edit", state="done", prompt="red", pictures=(picture,), submitted=True
    )
    assert records.one("one-edit") == changed
    # It keeps its place although it was written last.
    assert [edit.id for edit in records.find()] == ["another", "one-edit"]
    with pytest.raises(UsageError):
        records.change("gone", state="done")


def test_filters_find_what_they_say(records: EditRecords) -> None:
    records.add(an_edit("e-1", 0, prompt="100% red_hat", variant="v1", service="a"))
    records.add(an_edit("e-2", 1, prompt="100 reds", negative="Blue", state="failed", group="g"))
    records.add(an_edit("e-3", 2, workflow="merge-2", state="uncollected", submitted=True))

    def ids(**wanted: object) -> list[str]:
        chosen = Filter(**wanted)  # type: ignore[arg-type]
        found = [edit.id for edit in records.find(chosen)]
        assert records.count(chosen) == len(found)
        return found

    assert ids() == ["e-3", "e-2", "e-1"]
    assert ids(text="100% RED") == ["e-1"]
    assert ids(text="d_h") == ["e-1"]
    assert ids(text="blue") == ["e-2"]
    assert ids(text="\\") == []
    assert ids(variant="v1") == ids(service="a") == ["e-1"]
    assert ids(group="g") == ids(states=("failed",)) == ["e-2"]
    assert ids(workflow="merge-2") == ids(states=("uncollected", "queued")) == ["e-3"]
    assert ids(submitted=True) == ["e-3"]
    assert ids(since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=2)) == ["e-2"]


def test_pages_follow_each_other_also_where_the_clock_went_back(records: EditRecords) -> None:
    for number, minutes in enumerate((5, 5, 3, 9, 5)):
        records.add(an_edit(f"e-{number}", minutes))
    seen, before = list[str](), ""
    while page := records.find(limit=2, before=before):
        seen += [edit.id for edit in page]
        before = page[-1].id
    assert seen == ["e-3", "e-4", "e-1", "e-0", "e-2"]
    assert records.find(before="unknown") == ()


def test_prompts_are_given_once_the_newest_first(records: EditRecords) -> None:
    for number, prompt in enumerate(("red", "blue", "red", "")):
        records.add(an_edit(f"e-{number}", number, prompt=prompt, negative=prompt.upper()))
    records.add(an_edit("e-9", 9, prompt="green", workflow="merge-2"))
    assert records.prompts("edit-single") == ("red", "blue")
    assert records.prompts() == ("green", "red", "blue")
    assert records.prompts(limit=1) == ("green",)
    assert records.negatives("edit-single") == ("RED", "BLUE")


def test_who_uses_a_picture_is_known_and_removing_forgets_it(records: EditRecords) -> None:
    shared = KeptPicture(role="input", number=0, path="/in/x.png", source="/home/x", sha256="5a")
    records.add(an_edit("e-1", pictures=(shared,)))
    records.add(an_edit("e-2", 1, pictures=(shared,)))
    assert [edit.id for edit in records.using("/in/x.png")] == ["e-2", "e-1"]
    assert len(records.using("/home/x")) == len(records.using("5a")) == 2
    assert records.using("") == records.using("/in/y.png") == ()
    assert records.remove(["e-1", "never"]) == 1
    assert [edit.id for edit in records.using("5a")] == ["e-2"]
    assert records.one("e-1") is None
    assert records.remove([]) == 0


def test_a_row_that_somebody_damaged_still_shows_what_it_has(
    records: EditRecords, store: Store
) -> None:
    records.add(an_edit("e-1", prompt="red"))
    for body in ("no JSON", "[]", '{"warnings": 5}'):

        def damage(connection: sqlite3.Connection, text: str = body) -> None:
            connection.execute("UPDATE edits SET body = ?", (text,))

        store.write(damage)
        assert records.one("e-1") == an_edit("e-1", prompt="red")


def test_two_consoles_see_each_others_edits(
    places: Places, clock: HeldClock, records: EditRecords, tmp_path: Path
) -> None:
    records.add(an_edit("e-1", state="running"))
    other = open_store(places, clock)
    EditRecords(other).change("e-1", state="done")
    other.close()
    found = records.one("e-1")
    assert found is not None
    assert found.state == "done"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prompt=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
)
def test_any_prompt_comes_back_letter_by_letter(records: EditRecords, prompt: str) -> None:
    records.add(an_edit("e-1", prompt=prompt))
    found = records.one("e-1")
    assert found is not None
    assert found.prompt == prompt
    if prompt:
        assert records.find(Filter(text=prompt)) == (found,)
