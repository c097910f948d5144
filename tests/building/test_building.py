"""What is sent to a builder, what it says, and what its failures mean."""

import json
import shlex
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.building.failure import failed
from actions.building.recipe import recipe_in
from actions.services.snapshot import Service
from console.compose.faults import ComposeError
from console.engine.building import MOST_BYTES, context_files, fingerprint, packed, told
from console.errors import UsageError


def context(folder: Path, ignore: str = "") -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "sub/a.txt").write_text("a")
    (folder / "big.bin").write_text("b")
    if ignore:
        (folder / ".dockerignore").write_text(ignore)
    return folder


def test_what_dockerignore_names_is_not_sent_and_does_not_count(tmp_path: Path) -> None:
    folder = context(tmp_path / "one", "# not these\n*.bin\n")
    assert context_files(folder, "Dockerfile") == [
        ".dockerignore", "Dockerfile", "sub", "sub/a.txt",
    ]  # fmt: skip
    before = fingerprint(folder, "Dockerfile")
    with packed(folder, "Dockerfile") as archive, tarfile.open(fileobj=archive) as tar:
        assert "big.bin" not in tar.getnames()
    (folder / "big.bin").write_text("other")
    assert fingerprint(folder, "Dockerfile") == before
    (folder / "sub/a.txt").write_text("b")
    changed = fingerprint(folder, "Dockerfile")
    assert changed != before
    (folder / "Dockerfile.20261127-120000-000000.bak").write_text("FROM x\n")
    assert fingerprint(folder, "Dockerfile") == changed


def test_a_folder_that_is_no_context_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    folder = context(tmp_path / "one")
    with pytest.raises(UsageError, match="there is no such file"):
        packed(folder, "Other").close()
    with (folder / "big.bin").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(UsageError, match="holds more than 64 MiB") as caught:
        packed(folder, "Dockerfile").close()
    assert ".dockerignore" in caught.value.hint


def test_the_stream_of_the_classic_builder_is_told_line_by_line() -> None:
    events: list[dict[str, Any]] = [
        {"stream": "Step 1/2 : FROM python:3.12\n"},
        {"status": "Downloading", "id": "abc", "progressDetail": {"current": 5, "total": 10}},
        {"status": "Pull complete", "id": "abc", "progressDetail": {}},
        {"stream": " ---> 0123456789ab\n"},
        {"stream": "Step 2/2 : RUN pip install x\n"},
        {"stream": "Collecting "},
        {"stream": "x\n10%\r20%\r30%\r\n\x1b[31mred\x1b[0m\n"},
        {"aux": {"ID": "sha256:1234"}},
        {"stream": "no end of line"},
    ]
    said = [(one.kind, one.text) for one in told(events)]
    assert said == [
        ("step", "FROM python:3.12"),
        ("layer", "abc"),
        ("line", "abc: Pull complete"),
        ("step", "RUN pip install x"),
        ("line", "Collecting x"),
        ("line", "30%"),
        ("line", "red"),
        ("image", "sha256:1234"),
        ("line", "no end of line"),
    ]
    steps = [one for one in told(events) if one.kind == "step"]
    assert [(one.number, one.of) for one in steps] == [(1, 2), (2, 2)]


KEYS = st.sampled_from(("stream", "aux", "ID", "error", "errorDetail", "message", "status", "id",
                        "progressDetail", "current", "total"))  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(KEYS, ODD, max_size=4), max_size=6))
def test_whatever_an_engine_says_is_told_or_left(events: list[dict[str, object]]) -> None:
    for one in told(events):
        assert "\n" not in one.text
        assert one.total >= 0


REGISTRY = 'Get "https://registry-1.docker.io/v2/": '
ENDED = "The command '/bin/sh -c it' returned a non-zero code: 1"


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (f"{REGISTRY}dial tcp: lookup registry-1.docker.io: no such host", "", "build.no-internet"),
        (f"{REGISTRY}net/http: request canceled (Client.Timeout)", "", "build.no-internet"),
        (ENDED, "fatal: Could not resolve host: github.com", "build.no-internet"),
        (ENDED, "Temporary failure resolving 'deb.debian.org'", "build.no-internet"),
        (ENDED, "OSError: [Errno 28] No space left on device", "build.disk-full"),
        ("write /var/lib/docker/tmp/x: no space left on device", "", "build.disk-full"),
        ("manifest for python:9 not found: manifest unknown", "", "build.no-base"),
        (ENDED, "ERROR: No matching distribution found for numpy==2.5.5", "build.no-version"),
        ("toomanyrequests: You have reached your pull rate limit.", "", "build.rate-limit"),
        (ENDED, "last", "build.failed"),
    ],
)
def test_a_failure_is_told_in_words_with_the_last_lines(error: str, line: str, code: str) -> None:
    lines = [line] if line else []
    found = failed("it:1", "python:3.12", "3/9 RUN pip install x", error, lines)
    assert found.code == code
    assert found.title.startswith("it:1 could not be built at step 3/9 RUN pip install x: ")
    assert found.hint
    assert found.detail.splitlines() == [*lines, error]


def compose(folder: Path, build: object, image: str = "it:1") -> Path:
    file = folder / "compose.yaml"
    service = {"image": image, **({"build": build} if build is not None else {})}
    file.write_text(json.dumps({"services": {"it": {k: v for k, v in service.items() if v}}}))
    return file


def made_from(file: Path) -> Service:
    return Service(name="it", kind="comfyui", compose_file=file, compose_service="it")


@pytest.mark.parametrize("build", ["./here", {"context": "here"}, {"context": "./here/"}])
def test_a_compose_file_says_how_the_image_is_built(tmp_path: Path, build: object) -> None:
    recipe = recipe_in(made_from(compose(tmp_path, build)))
    assert (recipe.image, recipe.folder) == ("it:1", tmp_path / "here")
    assert recipe.dockerfile == "Dockerfile"


def test_the_command_can_be_copied_into_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    file = compose(folder, ".")
    words = shlex.split(recipe_in(made_from(file)).command)
    assert words == ["-f", str(file), "build", "it"]


def test_arguments_and_stages_are_taken_over(tmp_path: Path) -> None:
    build = {"context": ".", "dockerfile": "D", "target": "last", "args": ["A=1", "B=x=y"]}
    recipe = recipe_in(made_from(compose(tmp_path, build)))
    assert (recipe.dockerfile, recipe.target) == ("D", "last")
    assert recipe.args == {"A": "1", "B": "x=y"}


@pytest.mark.parametrize(
    ("build", "image", "code"),
    [
        (None, "it:1", "build.none"),
        ({"context": ".", "ssh": ["default"]}, "it:1", "build.odd"),
        ({"context": "$HERE"}, "it:1", "build.odd"),
        ({"context": "."}, "", "build.odd"),
        ({"context": ".", "args": ["A"]}, "it:1", "build.odd"),
        ("https://github.com/x/y.git", "it:1", "build.odd"),
    ],
)
def test_what_only_compose_can_build_is_refused_with_the_command(
    tmp_path: Path, build: object, image: str, code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_in(made_from(compose(tmp_path, build, image)))
    assert caught.value.code == code
    assert caught.value.hint.startswith("`docker ")


def test_a_service_without_a_file_is_told(tmp_path: Path) -> None:
    here = made_from(compose(tmp_path, "."))
    (tmp_path / "compose.yaml").unlink()
    with pytest.raises(ComposeError, match="there is no compose file"):
        recipe_in(here)
    with pytest.raises(UsageError, match="has no compose file that is known"):
        recipe_in(Service(name="it", kind="comfyui"))
