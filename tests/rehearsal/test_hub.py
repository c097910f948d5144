"""The rehearsed hub, met by the real huggingface_hub and the real `hf download`."""

import hashlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import _http

from tests.support.hub import (
    EVERYTHING,
    NOTHING,
    Content,
    Noise,
    RehearsalHub,
    Repo,
    rehearsal_hub,
    repo_of,
)

SIZE = 5_000_000
WEIGHTS = Noise(SIZE, seed=3)
LARGE = "vae/model.safetensors"
README = b"# A model\n"
HF = Path(sys.executable).with_name("hf")


@pytest.fixture(autouse=True, scope="module")
def the_library_as_it_comes() -> Iterator[None]:
    """Our door keeps tokens to its own hub; here the library is met without it."""
    before = _http._GLOBAL_CLIENT_FACTORY
    huggingface_hub.set_client_factory(_http.default_client_factory)
    yield
    huggingface_hub.set_client_factory(before)


@pytest.fixture(scope="module")
def hub() -> Iterator[RehearsalHub]:
    many: dict[str, Content] = {f"parts/{number:03d}.txt": b"x" for number in range(230)}
    repos: dict[str, Repo | dict[str, Content]] = {
        "org/name": repo_of(
            "org/name",
            {LARGE: WEIGHTS, "README.md": README, "an odd folder/ö.gguf": b"GGUF"},
            moved_from=["org/old-name"],
        ),
        "org/many": many,
        "org/gated": repo_of("org/gated", {"a.safetensors": b"gated"}, gated="manual"),
        "org/private": repo_of("org/private", {"a.safetensors": b"private"}, private=True),
    }
    with rehearsal_hub(repos) as hub:
        yield hub


@pytest.fixture
def api(hub: RehearsalHub) -> HfApi:
    return HfApi(endpoint=hub.url, token=False)


def fetched(
    hub: RehearsalHub,
    to: Path,
    path: str,
    repo: str = "org/name",
    token: str = "",
    revision: str = "main",
) -> bytes:
    place = hf_hub_download(
        repo, path, endpoint=hub.url, local_dir=to, token=token or False, revision=revision
    )
    return Path(place).read_bytes()


def test_a_large_file_lies_at_another_origin_and_comes_whole(
    hub: RehearsalHub, tmp_path: Path
) -> None:
    facts = get_hf_file_metadata(hf_hub_url("org/name", LARGE, endpoint=hub.url), token=False)
    assert (facts.size, facts.etag) == (SIZE, WEIGHTS.sha256)
    assert facts.location.startswith(hub.cdn_url)
    assert not facts.location.startswith(hub.url)
    assert facts.xet_file_data is None
    before = hub.bytes_served(LARGE)
    assert hashlib.sha256(fetched(hub, tmp_path, LARGE)).hexdigest() == WEIGHTS.sha256
    assert hub.bytes_served(LARGE) - before == SIZE


def test_a_small_file_is_known_by_its_git_hash(hub: RehearsalHub, tmp_path: Path) -> None:
    facts = get_hf_file_metadata(hf_hub_url("org/name", "README.md", endpoint=hub.url), token=False)
    blob = b"blob %d\0" % len(README) + README
    assert facts.etag == hashlib.sha1(blob).hexdigest()
    assert facts.size == len(README)
    assert facts.location.startswith(hub.url)
    assert fetched(hub, tmp_path, "README.md") == README
    assert fetched(hub, tmp_path, "an odd folder/ö.gguf") == b"GGUF"


def test_the_real_command_fetches_a_repository(hub: RehearsalHub, tmp_path: Path) -> None:
    environ = {**os.environ, **hub.environ, "HF_HOME": str(tmp_path / "home")}
    command = [str(HF), "download", "org/name", "--local-dir", str(tmp_path / "here")]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    found = (tmp_path / "here" / LARGE).read_bytes()
    assert hashlib.sha256(found).hexdigest() == WEIGHTS.sha256


def test_what_is_there_is_listed_page_by_page(api: HfApi) -> None:
    deep = {entry.path for entry in api.list_repo_tree("org/many", recursive=True)}
    assert len(deep) == 231, "a folder and its files, over three pages"
    top = [entry.path for entry in api.list_repo_tree("org/name")]
    assert top == ["an odd folder", "vae", "README.md"]
    inside = list(api.list_repo_tree("org/name", "vae"))
    assert [(entry.path, entry.size, entry.lfs.sha256) for entry in inside] == [  # type: ignore[union-attr]
        (LARGE, SIZE, WEIGHTS.sha256)
    ]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree("org/name", "nowhere"))


def test_paths_refs_and_models_are_told(hub: RehearsalHub, api: HfApi) -> None:
    paths = api.get_paths_info("org/name", ["README.md", "vae", "not there"])
    assert [info.path for info in paths] == ["README.md", "vae"]
    head = hub.state.repos["org/name"].branches["main"]
    assert [ref.target_commit for ref in api.list_repo_refs("org/name").branches] == [head]
    info = api.model_info("org/name", files_metadata=True)
    assert info.sha == head
    sizes = {one.rfilename: one.size for one in info.siblings or []}
    assert sizes == {LARGE: SIZE, "README.md": len(README), "an odd folder/ö.gguf": 4}
    assert api.whoami(token=NOTHING)["name"] == "rehearsal"


def test_a_revision_is_a_branch_a_commit_or_nothing(hub: RehearsalHub, tmp_path: Path) -> None:
    head = hub.state.repos["org/name"].branches["main"]
    assert fetched(hub, tmp_path, "README.md", revision=head) == README
    assert fetched(hub, tmp_path, "README.md", revision=head[:10]) == README
    with pytest.raises(RevisionNotFoundError, match="Invalid rev id: refs/pr/4"):
        fetched(hub, tmp_path, "README.md", revision="refs/pr/4")


def test_a_repository_that_moved_is_found_under_its_old_name(
    hub: RehearsalHub, tmp_path: Path
) -> None:
    assert fetched(hub, tmp_path, "README.md", "org/old-name") == README


def test_refusals_are_those_of_the_real_hub(hub: RehearsalHub, tmp_path: Path) -> None:
    with pytest.raises(EntryNotFoundError):
        fetched(hub, tmp_path, "vae/nothing.safetensors")
    for repo in ("org/private", "org/no-such-name"):
        with pytest.raises(RepositoryNotFoundError) as without:
            fetched(hub, tmp_path, "a.safetensors", repo)
        assert without.value.response.status_code == 401, "which of the two it is nobody is told"
        with pytest.raises(RepositoryNotFoundError) as with_token:
            fetched(hub, tmp_path, "a.safetensors", repo, NOTHING)
        assert with_token.value.response.status_code == 404
    for token, status in (("", 401), (NOTHING, 403)):
        with pytest.raises(GatedRepoError) as gated:
            fetched(hub, tmp_path, "a.safetensors", "org/gated", token)
        assert gated.value.response.status_code == status
    with pytest.raises(HfHubHTTPError, match="Invalid credentials") as wrong:
        HfApi(endpoint=hub.url, token="hf_nobody").model_info("org/name")
    assert wrong.value.response.status_code == 401
    assert not isinstance(wrong.value, RepositoryNotFoundError)
    assert fetched(hub, tmp_path, "a.safetensors", "org/gated", EVERYTHING) == b"gated"
    assert fetched(hub, tmp_path, "a.safetensors", "org/private", EVERYTHING) == b"private"


def ranged(url: str, asked: str, **headers: str) -> tuple[int, bytes, str]:
    """Give status, body and Content-Range of an answer to a request with a range."""
    request = urllib.request.Request(url, headers={"Range": asked, **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers.get("Content-Range", "")
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers.get("Content-Range", "")


def test_ranges_are_given_as_asked(hub: RehearsalHub) -> None:
    url = get_hf_file_metadata(
        hf_hub_url("org/name", LARGE, endpoint=hub.url), token=False
    ).location
    whole = b"".join(bytes(WEIGHTS.piece(at, at + 1_000_000)) for at in range(0, SIZE, 1_000_000))
    for asked, begin, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=4194301-4194400", 4_194_301, 4_194_401),
        ("bytes=4999990-", 4_999_990, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=4999999-9999999", SIZE - 1, SIZE),
    ):
        told = f"bytes {begin}-{end - 1}/{SIZE}"
        assert ranged(url, asked) == (206, whole[begin:end], told)
    assert ranged(url, f"bytes={SIZE}-")[::2] == (416, f"bytes */{SIZE}")


def test_where_files_lie_nobody_s_token_is_taken(hub: RehearsalHub) -> None:
    url = get_hf_file_metadata(
        hf_hub_url("org/name", LARGE, endpoint=hub.url), token=False
    ).location
    assert ranged(url, "bytes=0-9", Authorization=f"Bearer {EVERYTHING}")[0] == 400
    assert ranged(url.replace("Signature=", "Signature=0"), "bytes=0-9")[0] == 403
    assert ranged(url.replace("/vae/", "/elsewhere/"), "bytes=0-9")[0] == 403


def test_what_was_asked_is_noted(hub: RehearsalHub, tmp_path: Path) -> None:
    fetched(hub, tmp_path, "a.safetensors", "org/gated", EVERYTHING)
    last = [one for one in hub.requests if one.file == "org/gated/a.safetensors"][-2:]
    assert [(one.where, one.token, one.status) for one in last] == [
        ("hub", True, 302),
        ("cdn", False, 200),
    ]


def test_git_itself_has_a_pointer_in_the_place_of_a_large_file(hub: RehearsalHub) -> None:
    with urllib.request.urlopen(f"{hub.url}/org/name/raw/main/{LARGE}", timeout=10) as answer:
        pointer = answer.read().decode()
    assert pointer.splitlines()[1:] == [f"oid sha256:{WEIGHTS.sha256}", f"size {SIZE}"]
    with urllib.request.urlopen(f"{hub.url}/org/name/raw/main/README.md", timeout=10) as answer:
        assert answer.read() == README


def test_xet_storage_is_named_where_a_scene_asks_for_it(hub: RehearsalHub) -> None:
    hub.state.xet = True
    try:
        facts = get_hf_file_metadata(
            hf_hub_url("org/name", LARGE, endpoint=hub.url), token=False, endpoint=hub.url
        )
    finally:
        hub.state.xet = False
    assert facts.xet_file_data is not None
    assert facts.xet_file_data.refresh_route.startswith(f"{hub.url}/api/models/org/name/")
    assert facts.etag == WEIGHTS.sha256
