"""Forty secrets planted in every carrier, and not one of them in anything that leaves the host."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from console.engine.client import EngineClient
from tests.bundle.planted import COMPOSE_ONLY, PEM, every_secret, planted
from tests.support.edits import EditHost, edit_host

SECRETS = every_secret()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(
        tmp_path_factory.mktemp("planted"), scenario="studio", pace=1.0, change=planted
    ) as found:
        for file in found.places.work.rglob("docker-compose*"):
            lines = "".join(f"# {name}={value}\n" for name, value in COMPOSE_ONLY.items())
            named = "".join(f"# {name}: {value}\n" for name, value in COMPOSE_ONLY.items())
            key = "".join(f"# {line}\n" for line in PEM.splitlines())
            file.write_text(f"{lines}{named}{key}{file.read_text()}")
        # What people type ends in the journal, and in our own log.
        for words in (
            ("stop", "myia", "--yes"),
            ("start", "myia", "--yes"),
            ("logs", "--grep", "x", "nobody"),
        ):
            run(found, *words)
        yield found


def run(host: EditHost, *words: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "console", *words],
        env=host.environ,
        cwd=Path(__file__).parents[2],
        capture_output=True,
    )
    return done.stdout + done.stderr


def leaks(text: bytes) -> list[str]:
    """Give where the secrets were planted that a text has, in any of their forms."""
    return [
        where
        for where, value in SECRETS.items()
        if value.encode() in text or quote(value, safe="").encode() in text
    ]


def test_there_are_forty_of_them_and_the_carriers_have_them(host: EditHost) -> None:
    assert len(SECRETS) >= 40
    assert len(set(SECRETS.values())) == len(SECRETS)
    session = host.session()
    with EngineClient(session.endpoint) as engine:
        raw = json.dumps(engine.inspect("myia")).encode()
        with engine.log_stream("myia", tail=4000) as log:
            while not log.ended and (batch := log.read(2.0)) is not None:
                raw += b"".join(piece for _, piece in batch.pieces)
    raw += b"".join(file.read_bytes() for file in host.places.work.rglob("docker-compose*"))
    assert set(SECRETS) - set(leaks(raw)) == set()


def test_a_bundle_has_none(host: EditHost, tmp_path: Path) -> None:
    path = tmp_path / "over.tar.gz"
    said = run(host, "doctor", "--bundle", str(path), "--json")
    with tarfile.open(path) as archive:
        files = {one.name: archive.extractfile(one).read() for one in archive.getmembers()}  # type: ignore[union-attr]
    assert {name: leaks(data) for name, data in files.items() if leaks(data)} == {}
    assert leaks(said) == []


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--json"),
        ("status",),
        ("doctor", "--json"),
        ("doctor", "--report"),
        ("stop", "myia", "--dry-run", "--json"),
        ("restart", "myia", "--dry-run", "--json"),
        ("move", "myia", "--gpu", "3090", "--dry-run", "--json"),
        ("move", "myia", "--gpu", "3090", "--dry-run"),
        ("set", "myia", "--remove-flag", "--cuda-malloc", "--dry-run", "--json"),
        ("set", "myia", "--remove-flag", "--cuda-malloc", "--dry-run"),
        ("timeline", "--json"),
        ("jobs", "list", "--json"),
        ("config", "print"),
    ],
    ids=" ".join,
)
def test_what_is_shown_has_none(host: EditHost, words: tuple[str, ...]) -> None:
    assert leaks(run(host, *words)) == []


def test_what_is_kept_of_ours_has_none(host: EditHost) -> None:
    state = Path(host.environ["XDG_STATE_HOME"])
    kept = [Path(at) / name for at, _, names in os.walk(state) for name in names]
    assert kept
    found = {}
    for path in kept:
        data = path.read_bytes()
        if leaks(data):
            found[path.name] = leaks(data)
    assert found == {}
