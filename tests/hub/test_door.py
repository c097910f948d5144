"""What the hub says of a file, asked through the real library, and how its refusals read."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from console.clock import HeldClock
from console.errors import UsageError
from console.hub.door import HubDoor
from console.hub.facts import HubFile, HubSpec
from console.hub.faults import HubFault
from console.hub.spec import parse_spec
from tests.hub.conftest import LARGE, SPEC
from tests.support.hub import EVERYTHING, NOTHING, RehearsalHub, rehearsal_hub, repo_of

OpenDoor = Callable[..., HubDoor]
SECRET = "hf_wrong_but_secret"


def refusal(door: HubDoor, text: str) -> HubFault:
    with pytest.raises(HubFault) as caught:
        door.file(parse_spec(text))
    return caught.value


def test_a_large_file_comes_with_size_hash_and_the_commit_it_is_pinned_to(
    door: HubDoor, hub: RehearsalHub
) -> None:
    found = door.file(SPEC)
    assert (found.size, found.sha256, found.git_oid) == (LARGE.size, LARGE.sha256, "")
    assert len(found.commit) == 40
    assert door.file(HubSpec(repo=SPEC.repo, path=SPEC.path, revision=found.commit)) == HubFile(
        spec=HubSpec(repo=SPEC.repo, path=SPEC.path, revision=found.commit),
        commit=found.commit,
        size=found.size,
        sha256=found.sha256,
    )
    # Only the file was asked about: no telemetry, nothing else.
    assert {asked.file for asked in hub.requests} == {"org/name/vae/x.safetensors"}


def test_a_small_file_in_git_comes_with_gits_hash(door: HubDoor) -> None:
    found = door.file(parse_spec("hf:org/name/README.md"))
    assert (found.size, found.sha256, len(found.git_oid)) == (8, "", 40)
    assert door.first_bytes(found, 4) == b"read"
    assert door.first_bytes(found, 400) == b"read me\n"


def test_a_repository_that_was_renamed_is_followed(hub: RehearsalHub, door: HubDoor) -> None:
    hub.state.add(repo_of("org/new", {"x.gguf": b"GGUF"}, moved_from=["org/old"]))
    found = door.file(parse_spec("hf:org/old/x.gguf"))
    assert door.first_bytes(found, 4) == b"GGUF"


def test_a_folder_is_listed_page_by_page_without_names_that_play_tricks(
    hub: RehearsalHub, door: HubDoor
) -> None:
    names = [f"loras/{number:03}.gguf" for number in range(25)]
    tricks = ["loras/../../../etc/x", "loras/a\\b.gguf", "loras/\x1b[2J.gguf", "/etc/passwd"]
    hub.state.add(repo_of("org/many", dict.fromkeys([*names, *tricks], b"GGUF")))
    hub.state.page = 10
    assert [file.spec.path for file in door.files("org/many", folder="loras")] == names
    assert {file.spec.path for file in door.files("org/many", deep=True)} == set(names)
    assert door.files("org/name", folder="vae")[0].sha256 == LARGE.sha256
    with pytest.raises(UsageError):
        door.files("org/many", folder="../..")


def test_a_wrong_name_comes_with_the_right_one(door: HubDoor) -> None:
    error = refusal(door, "hf:org/name/vae/z.safetensors")
    assert (error.code, error.exit_code, error.passing) == ("hub.no-file", 1, False)
    assert "did you mean vae/x.safetensors?" in error.hint
    assert "vae/x.safetensors" in refusal(door, "hf:org/name/X.safetensors").hint
    assert "did you mean vae/" in refusal(door, "hf:org/name/vae").hint
    error = refusal(door, "hf:org/name/vae/x.safetensors@man")
    assert error.code == "hub.no-revision"
    assert "did you mean main?" in error.hint


def test_a_wrong_repository_and_a_private_one_are_told_apart_as_far_as_the_hub_allows(
    open_door: OpenDoor,
) -> None:
    for text in ("hf:org/nothing/x", "hf:org/private/x.safetensors"):
        error = refusal(open_door(), text)
        assert error.code == "hub.no-repo"
        assert "wrong name and for a private repository" in error.hint
        assert not error.needs_token
    error = refusal(open_door(HF_TOKEN=EVERYTHING), "hf:org/nothing/x")
    assert error.code == "hub.no-repo"
    assert "HF_TOKEN" in error.title
    found = open_door(HF_TOKEN=EVERYTHING).file(parse_spec("hf:org/private/x.safetensors"))
    # Once it was seen it is no wrong name any more: what is missing is the token.
    with pytest.raises(HubFault) as caught:
        open_door().file(found.spec, seen=True)
    assert (caught.value.code, caught.value.needs_token) == ("hub.no-token", True)


def test_a_gated_repository_says_what_to_accept_and_where(
    open_door: OpenDoor, hub: RehearsalHub
) -> None:
    text = "hf:org/gated/x.safetensors"
    error = refusal(open_door(), text)
    assert (error.code, error.needs_token) == ("hub.no-token", True)
    error = refusal(open_door(HF_TOKEN=NOTHING), text)
    assert (error.code, error.needs_token) == ("hub.gated", False)
    assert f"{hub.url}/org/gated" in error.hint
    assert open_door(HF_TOKEN=EVERYTHING).file(parse_spec(text)).size == 2_000_000


def test_a_token_that_the_hub_does_not_know_is_named_by_its_place_and_never_shown(
    open_door: OpenDoor, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    door = open_door()
    assert door.token_source == str(tmp_path / "token")
    for text in ("hf:org/name/vae/x.safetensors", "hf:org/private/x.safetensors"):
        error = refusal(door, text)
        assert (error.code, error.needs_token) == ("hub.token-wrong", True)
        assert str(tmp_path / "token") in error.title
        assert SECRET not in f"{error.title}{error.hint}{error.detail}{error!r}"


@pytest.mark.parametrize("form", ["hf:org/name/x?token={}", "hf:org/name/x@{}", "hf:org/{}/x"])
def test_a_token_pasted_into_a_name_is_not_told_on(door: HubDoor, form: str) -> None:
    token = f"hf_{'q' * 34}"
    error = refusal(door, form.format(token))
    assert token not in f"{error.title}{error.hint}{error.detail}"
    with pytest.raises(UsageError) as caught:
        parse_spec(f"{form.format(token)}//y")
    assert token not in caught.value.title


@pytest.mark.parametrize("token", ["two\nlines", "hf_\x1b[2J", "hf_\u20ac", "x" * 3_000])
def test_what_cannot_be_sent_as_a_token_is_said_before_anything_is_asked(
    open_door: OpenDoor, hub: RehearsalHub, token: str
) -> None:
    error = refusal(open_door(HF_TOKEN=token), "hf:org/name/vae/x.safetensors")
    assert error.code == "hub.token-unusable"
    assert not hub.requests


def test_the_token_is_found_where_the_hubs_own_tools_look(
    open_door: OpenDoor, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").write_text(EVERYTHING)
    (tmp_path / "cache" / "huggingface").mkdir(parents=True)
    (tmp_path / "cache" / "huggingface" / "token").write_text(EVERYTHING)
    (tmp_path / ".cache" / "huggingface").mkdir(parents=True)
    (tmp_path / ".cache" / "huggingface" / "token").write_text(EVERYTHING)
    ways = {
        "HF_TOKEN": {"HF_TOKEN": EVERYTHING, "HUGGING_FACE_HUB_TOKEN": "x"},
        "HUGGING_FACE_HUB_TOKEN": {"HUGGING_FACE_HUB_TOKEN": EVERYTHING},
        str(tmp_path / "elsewhere"): {"HF_TOKEN_PATH": "$HERE/elsewhere", "HERE": str(tmp_path)},
        str(tmp_path / "cache/huggingface/token"): {
            "HF_HOME": "",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
        str(tmp_path / ".cache/huggingface/token"): {"HF_HOME": "", "HOME": str(tmp_path)},
    }
    for source, environ in ways.items():
        door = open_door(**environ)
        assert door.token_source == source
        assert door.file(parse_spec("hf:org/private/x.safetensors")).size == 2_000_000
    assert open_door(HF_TOKEN="x", HF_HUB_DISABLE_IMPLICIT_TOKEN="1").token_source == ""
    assert open_door().token_source == ""


def test_a_rate_limit_says_how_long_and_how_much(
    hub: RehearsalHub, open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fault("rate-limit", retry_after=42, times=1)
    error = refusal(open_door(), "hf:org/name/vae/x.safetensors")
    assert (error.code, error.passing, error.retry_after) == ("hub.rate-limited", True, 42.0)
    assert "3000 in 5m00s" in error.title
    assert "42s" in error.hint
    assert error.exit_code == 4
    assert open_door().file(SPEC).size == LARGE.size


def test_a_rate_limit_may_be_given_as_a_time_or_in_the_newer_headers_alone() -> None:
    from console.hub.answers import Asked, Refused, of_answer

    now = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    asked = Asked(endpoint="https://hub", spec=SPEC)
    for headers, seconds in (
        ({"retry-after": format_datetime(now + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"retry-after": format_datetime(now - timedelta(days=9), usegmt=True)}, 0.0),
        ({"retry-after": "999999999"}, 3_600.0),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"ratelimit": '"api";r=7;t=55'}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ):
        made = of_answer(Refused(status=429, headers=headers), asked, now)
        assert (made.code, made.retry_after) == ("hub.rate-limited", seconds), headers


def test_trouble_of_the_hubs_own_is_passing(hub: RehearsalHub, door: HubDoor) -> None:
    for status in (500, 502, 503, 504, 408):
        hub.fault("error", status=status, times=1)
        error = refusal(door, "hf:org/name/vae/x.safetensors")
        assert (error.code, error.passing, error.status) == ("hub.server-error", True, status)


def test_a_hub_that_is_not_there_is_said_so_by_kind(hub: RehearsalHub, open_door: OpenDoor) -> None:
    hub.fault("down")
    error = refusal(open_door(), "hf:org/name/vae/x.safetensors")
    assert (error.code, error.exit_code, error.passing) == ("hub.unreachable", 4, True)
    door = open_door(HF_ENDPOINT="http://hub.invalid")
    assert refusal(door, "hf:org/name/x").code == "hub.no-host"
    for text in ("hub", "ftp://hub", "http://", "http://hub:port", "http://x:0"):
        door = open_door(HF_ENDPOINT=text)
        assert refusal(door, "hf:org/name/x").code == "hub.endpoint"
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        assert refusal(open_door(**{name: "1"}), "hf:org/name/x").code == "hub.offline"
    secret = open_door(HF_ENDPOINT="http://me:hunter2@127.0.0.1:1")
    assert "hunter2" not in secret.endpoint
    assert "hunter2" not in str(refusal(secret, "hf:org/name/x"))


def serve(answer: bytes) -> tuple[str, socket.socket]:
    """Answer every connection on loopback with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

    threading.Thread(target=work, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", listener


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "hub.not-a-hub"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hub.not-a-hub"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "hub.not-a-hub"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n", None),
        (
            b"HTTP/1.1 200 OK\r\nX-Repo-Commit: " + b"a" * 40 + b'\r\nETag: "x"\r\n'
            b"Content-Length: 5\r\n\r\n",
            "hub.odd-answer",
        ),
        (
            b"HTTP/1.1 200 OK\r\nX-Repo-Commit: " + b"a" * 40 + b'\r\nETag: "' + b"b" * 64 + b'"'
            b"\r\nX-Linked-Size: 9999999999999999999\r\nContent-Length: 5\r\n\r\n",
            "hub.odd-answer",
        ),
        (
            b"HTTP/1.1 200 OK\r\nX-Repo-Commit: " + b"a" * 40 + b'\r\nETag: "' + b"b" * 64 + b'"'
            b"\r\nX-Linked-Size: many\r\nContent-Length: 5\r\n\r\n",
            "hub.odd-answer",
        ),
    ],
)
def test_whatever_answers_in_its_place_ends_in_a_fault(
    open_door: OpenDoor, answer: bytes, code: str | None
) -> None:
    url, listener = serve(answer)
    with listener:
        error = refusal(open_door(HF_ENDPOINT=url), "hf:org/name/x.gguf")
    assert code in (error.code, None)
    assert error.title.isprintable()


def test_words_of_the_hub_are_cleaned_and_masked(open_door: OpenDoor) -> None:
    body = b'{"error": "no \\u001b[31m token=hf_abcdefghijklmnopqrstuvwxyz0123456789 \\u202e"}'
    head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: " + str(len(body)).encode()
    url, listener = serve(head + b"\r\nContent-Type: application/json\r\n\r\n" + body)
    with listener, pytest.raises(HubFault) as caught:
        open_door(HF_ENDPOINT=url, HF_TOKEN=SECRET).files("org/name")
    assert caught.value.code == "hub.forbidden"
    assert caught.value.detail.isprintable()
    assert "abcdefgh" not in caught.value.detail


def test_a_token_goes_to_the_hub_alone_even_where_it_sends_elsewhere(open_door: OpenDoor) -> None:
    with rehearsal_hub({"org/name": {"x.gguf": b"GGUF"}}) as other:
        location = f"{other.url}/org/name/resolve/main/x.gguf".encode()
        url, listener = serve(
            b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: "
            + location
            + b"\r\n\r\n"
        )
        door = open_door(HF_ENDPOINT=url, HF_TOKEN=EVERYTHING, HF_HOME="")
        commit = other.state.repos["org/name"].branches["main"]
        spec = HubSpec(repo="org/name", path="x.gguf", revision=commit)
        digest = other.state.repos["org/name"].commits[commit].files["x.gguf"].etag
        file = HubFile(spec=spec, commit=commit, size=4, sha256=digest)
        with listener:
            assert door.first_bytes(file, 4) == b"GGUF"
        assert other.requests
        assert not any(asked.token for asked in other.requests)


def test_a_held_clock_counts_for_times_of_a_rate_limit(hub: RehearsalHub, tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    until = format_datetime(now + timedelta(seconds=30), usegmt=True).encode()
    url, listener = serve(
        b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\nRetry-After: " + until + b"\r\n\r\n"
    )
    door = HubDoor({"HF_ENDPOINT": url, "HF_HOME": str(tmp_path)}, HeldClock(now))
    with listener, pytest.raises(HubFault) as caught:
        door.file(SPEC)
    assert caught.value.retry_after == 30


def test_a_proxy_that_is_down_is_named_and_loopback_goes_around_it(
    open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    huggingface_hub.close_session()
    try:
        error = refusal(open_door(HF_ENDPOINT="https://hub.invalid"), "hf:org/name/x")
        assert (error.code, error.passing) == ("hub.proxy", True)
        assert "HTTPS_PROXY" in error.hint
        assert open_door().file(SPEC).size == LARGE.size
    finally:
        huggingface_hub.close_session()


def test_a_port_that_speaks_no_https_is_no_secure_connection(
    open_door: OpenDoor, hub: RehearsalHub
) -> None:
    door = open_door(HF_ENDPOINT=hub.url.replace("http:", "https:"))
    assert refusal(door, "hf:org/name/x").code == "hub.certificate"
