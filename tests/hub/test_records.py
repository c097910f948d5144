"""What the hub said is remembered, and which hashes the operator took."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from console.clock import SystemClock
from console.hub.facts import HubFile, HubSpec
from console.paths import find_places
from console.store.database import open_store
from console.store.hub_files import HubRecords

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
FILE = HubFile(
    spec=HubSpec(repo="org/name", path="vae/x.safetensors"),
    commit="a" * 40,
    size=3_000_000,
    sha256="b" * 64,
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[HubRecords]:
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    store = open_store(find_places(environ), SystemClock())
    yield HubRecords(store)
    store.close()


def test_what_the_hub_said_is_told_again_until_it_says_otherwise(records: HubRecords) -> None:
    assert records.recall(FILE.spec) is None
    records.remember(FILE, NOW)
    assert records.recall(FILE.spec) == FILE
    newer = msgspec.structs.replace(FILE, commit="c" * 40, sha256="d" * 64)
    records.remember(newer, NOW)
    assert records.recall(FILE.spec) == newer
    small = msgspec.structs.replace(FILE, sha256="", git_oid="e" * 40)
    records.remember(small, NOW)
    assert records.recall(FILE.spec) == small


def test_an_accepted_hash_stays_accepted_and_is_good_for_itself_only(records: HubRecords) -> None:
    repo, path = FILE.spec.repo, FILE.spec.path
    assert not records.accepted(repo, path, FILE.sha256)
    records.accept(repo, path, FILE.sha256, NOW)
    records.remember(msgspec.structs.replace(FILE, sha256="d" * 64), NOW)
    assert records.accepted(repo, path, FILE.sha256)
    assert not records.accepted(repo, path, "d" * 64)
    assert not records.accepted(repo, "vae/y.safetensors", FILE.sha256)


def test_the_rate_is_the_middle_of_the_newest_ones_that_tell_something(
    records: HubRecords,
) -> None:
    assert records.rate("https://hub") is None
    records.add_rate("https://hub", 1_000, 0.001, NOW)
    assert records.rate("https://hub") is None
    for number in range(20):
        rate = 200 if number < 13 else 100 + number
        records.add_rate("https://hub", rate * 10**7, 10.0, NOW + timedelta(minutes=number))
    assert records.rate("https://hub") == 116 * 10**6
    assert records.rate("https://other") is None
