"""docs/troubleshooting.md is what the runbook says."""

from pathlib import Path

import pytest

from actions.runbook.book import open_runbook, packaged_entries
from actions.runbook.manual import manual
from console.packaged import read_table, read_text

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


@pytest.mark.skipif(not PAGE.parent.is_dir(), reason="the docs are not beside the program")
def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == manual(), "run `make docs`"


def test_every_entry_is_in_it_with_its_cause_and_its_fix() -> None:
    page = manual()
    for one in packaged_entries():
        assert one.cause in page
        if not one.noise:
            assert f"\n#### {one.id}\n" in page
            assert all(step in page for step in one.fix)


def test_every_group_has_a_name() -> None:
    names = read_table("runbook_groups.toml")["groups"]
    assert {one.id.partition(".")[0] for one in packaged_entries()} == set(names)


def test_the_example_of_an_entry_of_ones_own_is_a_valid_one(tmp_path: Path) -> None:
    example = read_text("troubleshooting.md").partition("```toml\n")[2].partition("```")[0]
    file = tmp_path / "runbook.toml"
    file.write_text(example)
    assert "own.licence-server" in open_runbook(file).entries
