"""How a file on the hub is named, and which names never get near a disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.errors import UsageError
from console.hub.facts import HubSpec
from console.hub.spec import parse_spec, safe_name, spec_text
from console.text import clean_line

PATH = "split_files/vae/qwen_image_vae.safetensors"
REPO = "Comfy-Org/Qwen-Image_ComfyUI"


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        (f"hf:{REPO}/{PATH}", "main"),
        (f"  hf:{REPO}/{PATH}\n", "main"),
        (f"hf:{REPO}/{PATH}@v1.1", "v1.1"),
        (f"hf:{REPO}/{PATH}@refs/pr/3", "refs/pr/3"),
        (f"hf:{REPO}/{PATH}@feature%2Fsmall", "feature/small"),
        (f"hf://{REPO}/{PATH}", "main"),
        (f"hf://models/{REPO}/{PATH}", "main"),
        (f"hf://{REPO}@v1.1/{PATH}", "v1.1"),
        (f"hf://{REPO}@refs/pr/3/{PATH}", "refs/pr/3"),
        (f"hf://{REPO}@feature%2Fsmall/{PATH}", "feature/small"),
        (f"https://huggingface.co/{REPO}/resolve/main/{PATH}?download=true", "main"),
        (f"https://huggingface.co/{REPO}/blob/v1.1/{PATH}", "v1.1"),
        (f"https://hf.co/{REPO}/raw/refs%2Fpr%2F3/{PATH}#L10", "refs/pr/3"),
        (f"http://127.0.0.1:4711/hub/{REPO}/resolve/main/{PATH}", "main"),
    ],
)
def test_a_file_is_named_in_each_way_people_have(text: str, revision: str) -> None:
    found = parse_spec(text, "http://127.0.0.1:4711/hub")
    assert found == HubSpec(repo=REPO, path=PATH, revision=revision)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hf:",
        "hf:org",
        "hf:org/repo",
        "hf:org/repo/",
        "org/repo/vae/x.safetensors",
        "hf:org/repo/../../etc/passwd",
        "hf:org/repo/vae/../../../x",
        "hf:org/repo/vae/%2e%2e/x",
        "hf:org/repo/./x",
        "hf:org/repo//etc/passwd",
        "hf:org/repo/vae//x",
        "hf:org/repo/vae/",
        "hf:org/repo/vae\\x.safetensors",
        "hf:org/repo/vae/%5c..%5cx",
        "hf:org/repo/va\x00e/x",
        "hf:org/repo/vae/x\x1b[2J",
        "hf:org/repo/vae/x\u202egpj.safetensors",
        "hf:org/repo/vae/x%0a.safetensors",
        "hf:org/repo/vae/x%00",
        "hf:org/repo/CON",
        "hf:org/repo/nul.safetensors",
        "hf:org/repo/com1.gguf",
        "hf:org/repo/vae./x",
        "hf:org/repo/ vae/x",
        "hf:org/repo/" + "x" * 256,
        "hf:org/repo/" + "\N{SNOWMAN}" * 86,
        "hf:org/repo/" + "a/" * 1_500 + "x",
        "hf:../repo/x",
        "hf:org/../x",
        "hf:-org/repo/x",
        "hf:org/repo.git/x",
        "hf:datasets/org/repo/x",
        "hf:org/repo/x@",
        "hf:org/repo/x@a..b",
        "hf:org/repo/x@-rf",
        "hf:org/repo/x@main^",
        "hf:org/repo/x@ma in",
        "https://example.org/org/repo/resolve/main/x",
        "https://huggingface.co.example.org/org/repo/resolve/main/x",
        "https://user:pw@huggingface.co/org/repo/resolve/main/x",
        "https://huggingface.co/org/repo/tree/main/vae",
        "https://huggingface.co/datasets/org/repo/resolve/main/x",
        "https://huggingface.co:8080/org/repo/resolve/main/x",
        "https://huggingface.co:x/org/repo/resolve/main/x",
        "file:///etc/passwd",
    ],
)
def test_a_name_that_is_none_or_plays_tricks_is_refused_with_words(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    error = caught.value
    assert error.code == "hub.name-wrong"
    assert error.exit_code == 2
    assert "hf:ORG/REPO/PATH" in error.hint
    assert error.title.isprintable()
    assert "pw" not in error.title


def test_a_name_on_disk_is_the_last_part_and_leaves_room_for_its_part_file() -> None:
    assert safe_name(PATH) == "qwen_image_vae.safetensors"
    assert safe_name("x" * 220) == "x" * 220
    for bad in ("x" * 221, ".x.gpuconsole-part", "vae/.x.gpuconsole-map", "vae/..", ""):
        with pytest.raises(UsageError):
            safe_name(bad)


_part = st.text(st.characters(codec="utf-8", exclude_characters="/\\"), min_size=1, max_size=40)


@given(st.lists(_part, min_size=1, max_size=5).map("/".join), st.sampled_from(["main", "v1"]))
def test_what_is_taken_stays_below_its_folder_and_reads_the_same_again(
    path: str, revision: str
) -> None:
    try:
        spec = parse_spec(f"hf:org/repo/{path.replace('%', '%25').replace('@', '%40')}@{revision}")
    except UsageError:
        return
    parts = spec.path.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert clean_line(spec.path, 10_000) == spec.path
    assert parse_spec(spec_text(spec)) == spec
