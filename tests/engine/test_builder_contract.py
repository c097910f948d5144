"""What a builder's stream looks like: the same on a real engine and on the rehearsed ones."""

import io
import json
import re
import tarfile
from typing import Any

import pytest

from tests.support.engine import Workbench

_ID = re.compile(r"\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b")


def context(dockerfile: str, **files: str) -> io.BytesIO:
    """Give a build's context as a client sends it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for name, text in {"Dockerfile": dockerfile, **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            made.addfile(entry, io.BytesIO(text.encode()))
    packed.seek(0)
    return packed


def sent(bench: Workbench, data: io.BytesIO, **query: str) -> tuple[int, str]:
    """Send a context; gives the status and all that was answered, ids left out."""
    api = bench.api
    head = {"Content-Type": "application/x-tar"}
    answer = api.post(f"{api.base_url}/build", params=query, data=data, headers=head, stream=True)
    return answer.status_code, _ID.sub("ID", answer.content.decode())


def built(bench: Workbench, dockerfile: str, tag: str, **files: str) -> list[dict[str, Any]]:
    """Build it and give all that was said."""
    status, text = sent(bench, context(dockerfile, **files), t=tag, forcerm="1")
    assert status == 200, text
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def test_a_build_is_told_step_by_step_and_leaves_an_image(any_engine: Workbench) -> None:
    text = (
        f"# a comment\nFROM {any_engine.image}\nENV A=1 \\\n    B=2\nCOPY x /x\nEXPOSE 8188\n"
        'CMD ["sh", "-c", "exit 3"]\n'
    )
    tag = "gpuconsole-contract:1"
    try:
        said = built(any_engine, text, tag, x="hello")
        streamed = "".join(one.get("stream", "") for one in said).splitlines()
        steps = [line for line in streamed if line.startswith("Step ")]
        assert steps == [
            f"Step 1/5 : FROM {any_engine.image}",
            "Step 2/5 : ENV A=1     B=2",
            "Step 3/5 : COPY x /x",
            "Step 4/5 : EXPOSE 8188",
            'Step 5/5 : CMD ["sh", "-c", "exit 3"]',
        ]
        assert streamed.count(" ---> ID") == 5
        assert streamed[-2:] == ["Successfully built ID", f"Successfully tagged {tag}"]
        assert {"aux": {"ID": "sha256:ID"}} in said
        found: Any = any_engine.api.inspect_image(tag)  # type: ignore[no-untyped-call]
        assert found["Config"]["Cmd"] == ["sh", "-c", "exit 3"]
        assert tag in [name for one in any_engine.api.images() for name in one["RepoTags"] or ()]
    finally:
        any_engine.api.remove_image(tag, force=True)
    assert tag not in [name for one in any_engine.api.images() for name in one["RepoTags"] or ()]


def test_what_is_copied_and_not_there_ends_the_build(any_engine: Workbench) -> None:
    said = built(any_engine, f"FROM {any_engine.image}\nCOPY nothere /x\n", "gpuconsole-contract:2")
    words = (
        "COPY failed: file not found in build context or excluded by .dockerignore: stat nothere: "
        "file does not exist"
    )
    assert said[-1] == {"errorDetail": {"message": words}, "error": words}


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [("# nothing\n", "file with no instructions"), ("RUN true\n", "no build stage")],
)
def test_a_file_that_is_no_dockerfile_is_refused(
    any_engine: Workbench, dockerfile: str, words: str
) -> None:
    status, text = sent(any_engine, context(dockerfile))
    assert (status, words in json.loads(text)["message"]) == (400, True)


def test_a_context_without_a_dockerfile_is_refused(any_engine: Workbench) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w"):
        pass
    packed.seek(0)
    status, text = sent(any_engine, packed)
    assert status == 500
    assert json.loads(text) == {"message": "Cannot locate specified Dockerfile: Dockerfile"}
