"""What goes wrong at the rehearsed hub, as a client that follows nothing sees it."""

import hashlib
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.simulator.hub.__main__ import main
from console.simulator.hub.bodies import Bent, Hollow
from tests.support.hub import (
    EVERYTHING,
    KINDS,
    Body,
    Held,
    Noise,
    RehearsalHub,
    hub_process,
    rehearsal_hub,
)
from tests.support.waiting import wait_until

SIZE = 3_000_000
WEIGHTS = Noise(SIZE, seed=5)
BYTES = b"".join(bytes(WEIGHTS.piece(at, at + 500_000)) for at in range(0, SIZE, 500_000))
FILE = "m.safetensors"
RESOLVE = f"/org/name/resolve/main/{FILE}"


@pytest.fixture
def hub() -> Iterator[RehearsalHub]:
    with rehearsal_hub({"org/name": {FILE: WEIGHTS, "README.md": b"hello"}}) as hub:
        yield hub


class Seen:
    """What came back: the status, headers, and the body as far as it came; status 0 is nothing."""

    def __init__(
        self, url: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> None:
        parts = urlsplit(url)
        self.status, self.headers, self.body = 0, {}, b""
        self.error: Exception | None = None
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
        try:
            connection.request(method, f"{parts.path}?{parts.query}", headers=headers or {})
            answer = connection.getresponse()
            self.status = answer.status
            self.headers = {name.lower(): value for name, value in answer.getheaders()}
            while piece := answer.read1(65536):
                self.body += piece
            if answer.length:
                self.error = http.client.IncompleteRead(b"", answer.length)
        except (OSError, http.client.HTTPException) as error:
            self.error = error
        finally:
            connection.close()


def resolved(hub: RehearsalHub) -> Seen:
    return Seen(hub.url + RESOLVE, "HEAD")


def body(hub: RehearsalHub, start: int | None = None, stop: int = SIZE) -> Seen:
    headers = {} if start is None else {"Range": f"bytes={start}-{stop - 1}"}
    return Seen(resolved(hub).headers["location"], headers=headers)


def test_a_body_is_cut_as_often_as_told_and_counted_to_the_byte(hub: RehearsalHub) -> None:
    hub.fault("cut", after=1_000_000, times=2)
    assert body(hub, 0, 500_000).error is None, "one that is shorter is not cut"
    for start in (0, 1_500_000):
        seen = body(hub, start)
        assert isinstance(seen.error, http.client.IncompleteRead)
        assert seen.body == BYTES[start : start + 1_000_000]
    assert body(hub).body == BYTES
    assert hub.bytes_served(FILE) == 500_000 + 2_000_000 + SIZE
    assert hub.bytes_served() == hub.bytes_served("org/name/m.safetensors")


def test_a_connection_breaks(hub: RehearsalHub) -> None:
    hub.fault("reset", after=1_000_000, times=1)
    seen = body(hub)
    assert isinstance(seen.error, ConnectionResetError)
    assert BYTES.startswith(seen.body)
    assert body(hub).body == BYTES


def test_nothing_comes_any_more_until_it_is_healed(hub: RehearsalHub) -> None:
    hub.fault("stall", after=200_000)
    found: list[Seen] = []
    client = threading.Thread(target=lambda: found.append(body(hub)))
    client.start()
    wait_until(lambda: hub.bytes_served(FILE) == 200_000)
    hub.heal("stall")
    client.join(5)
    assert found[0].body == BYTES
    hub.fault("stall", after=200_000, seconds=0.2, times=1)
    begun = time.monotonic()
    assert body(hub).body == BYTES
    assert time.monotonic() - begun >= 0.2


def test_bodies_come_slowly_all_together(hub: RehearsalHub) -> None:
    hub.fault("slow", rate=5_000_000)
    begun = time.monotonic()
    clients = [threading.Thread(target=body, args=(hub, start)) for start in (0, 1_500_000)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(10)
    assert 0.7 < time.monotonic() - begun < 3, "4.5 MB at 5 MB/s"
    hub.heal()
    begun = time.monotonic()
    assert body(hub).body == BYTES
    assert time.monotonic() - begun < 0.5


@pytest.mark.parametrize("where", ["hub", "cdn"])
def test_it_is_too_much_for_the_hub(hub: RehearsalHub, where: str) -> None:
    hub.fault("rate-limit", retry_after=7, times=1, where=where)
    seen = resolved(hub) if where == "hub" else body(hub)
    assert (seen.status, seen.headers["retry-after"]) == (429, "7")
    assert seen.headers["ratelimit"] == '"resolvers";r=0;t=7'
    assert body(hub).body == BYTES


def test_errors_hangs_and_refused_connections(hub: RehearsalHub) -> None:
    hub.fault("error", status=503, times=1, where="cdn")
    assert body(hub).status == 503
    hub.fault("hang", seconds=0.1, times=1, where="hub")
    assert resolved(hub).status == 0
    url = resolved(hub).headers["location"]
    hub.fault("down", where="hub")
    assert isinstance(resolved(hub).error, ConnectionRefusedError)
    assert Seen(url).body == BYTES, "the other origin is up"
    hub.heal()
    assert resolved(hub).status == 302


def test_a_byte_comes_wrong_once(hub: RehearsalHub) -> None:
    hub.fault("corrupt", at=1_234_567, times=1)
    assert body(hub, 0, 1_000_000).body == BYTES[:1_000_000]
    bad = body(hub).body
    assert [at for at in range(SIZE) if bad[at] != BYTES[at]] == [1_234_567]
    assert body(hub).body == BYTES


def test_what_comes_is_not_what_was_asked_for(hub: RehearsalHub) -> None:
    hub.fault("html", times=1)
    page = body(hub, 0, 100)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    hub.fault("no-ranges", times=1)
    whole = body(hub, 1_000_000, 1_000_100)
    assert (whole.status, len(whole.body)) == (200, SIZE)
    hub.fault("other-range", by=10, times=1)
    other = body(hub, 100, 200)
    assert other.headers["content-range"] == f"bytes 110-209/{SIZE}"
    assert other.body == BYTES[110:210]
    hub.fault("short", by=1000)
    short = body(hub)
    assert short.body == BYTES[:-1000]
    assert resolved(hub).headers["x-linked-size"] == str(SIZE), "the hub has the right one"
    assert body(hub, SIZE - 1000).status == 416


def test_signed_addresses_go_stale(hub: RehearsalHub) -> None:
    url = resolved(hub).headers["location"]
    hub.fault("expired")
    assert Seen(url).status == 403
    assert body(hub).body == BYTES, "a new one is good"
    hub.fault("brief", seconds=0.0)
    assert body(hub).status == 403
    hub.heal()
    assert body(hub).status == 200


def test_main_moves_on_in_the_middle(hub: RehearsalHub) -> None:
    before = resolved(hub)
    hub.fault("changed", path=FILE, after=1_000_000)
    assert body(hub, 0, 500_000).status == 206
    assert resolved(hub).headers["x-linked-etag"] == before.headers["x-linked-etag"]
    body(hub, 500_000, 1_500_000)
    after = resolved(hub)
    assert after.headers["x-linked-etag"] != before.headers["x-linked-etag"]
    old = before.headers["x-repo-commit"]
    pinned = Seen(f"{hub.url}/org/name/resolve/{old}/{FILE}", "HEAD")
    assert pinned.headers["x-linked-etag"] == before.headers["x-linked-etag"]
    digest = hashlib.sha256(body(hub).body).hexdigest()
    assert after.headers["x-linked-etag"] == f'"{digest}"'
    hub.fault("changed", path=FILE, forget=True)
    gone = Seen(f"{hub.url}/org/name/resolve/{old}/{FILE}", "HEAD")
    assert (gone.status, gone.headers["x-error-code"]) == (404, "RevisionNotFound")


def test_doors_close_behind_whoever_got_in(hub: RehearsalHub) -> None:
    login = {"Authorization": f"Bearer {EVERYTHING}"}
    assert Seen(hub.url + RESOLVE, "HEAD", login).status == 302
    hub.fault("revoked")
    assert Seen(hub.url + RESOLVE, "HEAD", login).status == 401
    assert resolved(hub).status == 302
    for kind, status, code in (
        ("gated", 401, "GatedRepo"),
        ("private", 401, "RepoNotFound"),
        ("gone", 401, "RepoNotFound"),
    ):
        hub.heal()
        hub.fault(kind, path="org/name")
        seen = resolved(hub)
        assert (seen.status, seen.headers["x-error-code"]) == (status, code)
        assert (Seen(hub.url + RESOLVE, "HEAD", login).status == 302) == (kind != "gone")


def test_a_fault_that_nobody_knows_is_named(hub: RehearsalHub) -> None:
    with pytest.raises(ValueError, match="there are cut, "):
        hub.fault("cutt")
    with pytest.raises(ValueError, match="no such fault"):
        hub.fault("cut", afer=3)
    for facts in ({"after": "x"}, {"after": -5}, {"times": 1.5}, {"retry_after": "soon"},
                  {"where": "moon"}, {"seconds": float("nan")}, {"happened": 9}):  # fmt: skip
        with pytest.raises(ValueError, match=r"must be|no such fault"):
            hub.fault("rate-limit", **facts)
    assert resolved(hub).status == 302
    assert set(KINDS) >= {"cut", "stall", "slow", "rate-limit", "error", "corrupt", "short"}


def test_a_client_that_goes_away_is_no_trouble(hub: RehearsalHub) -> None:
    url = urlsplit(resolved(hub).headers["location"])
    with socket.create_connection((url.hostname, url.port)) as client:
        client.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        client.recv(100)
    assert body(hub).body == BYTES


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/org/name/tree/main?cursor=x",
        "/api/models/org/name/paths-info",
        "/api/models/org",
        "/org/name",
        "/",
        "/%ff%fe/x/y",
    ],
)
def test_what_makes_no_sense_is_refused(hub: RehearsalHub, path: str) -> None:
    assert Seen(f"{hub.url}{path}").status in (400, 404)
    assert Seen(f"{hub.cdn_url}{path}").status == 403
    assert resolved(hub).status == 302


def test_by_itself_it_counts_and_misbehaves_too() -> None:
    with hub_process("--size", "3MB", "--name", "a/b.gguf", "--repo", "rehearsal/models") as hub:
        (told,) = hub.told["files"]
        assert (told["path"], told["size"]) == ("a/b.gguf", SIZE)
        url = f"{hub.url}/rehearsal/models/resolve/main/a/b.gguf"
        hub.fault("cut", after=1000, times=1)
        assert len(Seen(Seen(url).headers["location"]).body) == 1000
        whole = Seen(Seen(url).headers["location"]).body
        assert hashlib.sha256(whole).hexdigest() == told["sha256"]
        assert hub.bytes_served("a/b.gguf") == hub.bytes_served() == SIZE + 1000
        hub.fault("error")
        assert Seen(url).status == 500
        hub.heal()
        for wrong in (b"[]", b"x", b'{"kind": "cut", "after": "x"}'):
            with pytest.raises(HTTPError, match="400"):
                urlopen(f"{hub.url}/api/rehearsal/fault", wrong, timeout=10)
        assert Seen(url).status == 302


def test_by_itself_it_outlives_a_shell_that_gives_it_no_stdin() -> None:
    command = [sys.executable, "-m", "console.simulator.hub", "--size", "1MB"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["endpoint"]
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        assert Seen(f"{url}/api/rehearsal/counts").status == 200
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    "arguments",
    [("--size", "x"), ("--rate", "-1"), ("--port", "99999"), ("--repo", "../x"),
     ("--files", "/nowhere")],
)  # fmt: skip
def test_by_itself_it_says_what_it_does_not_understand(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    assert f"argument {arguments[0]}: " in capsys.readouterr().err


@given(
    size=st.integers(1, 9_000_000),
    starts=st.lists(st.integers(0, 9_000_000), max_size=8),
    length=st.integers(1, 1 << 20),
)
def test_a_piece_is_the_same_however_it_is_cut(size: int, starts: list[int], length: int) -> None:
    bodies: tuple[Body, ...] = (
        Noise(size, 1), Hollow(b"header", size), Bent(Noise(size, 1), size // 2),
    )  # fmt: skip
    for body in bodies:
        for start in starts:
            if start >= size:
                continue
            stop = min(size, start + length)
            whole = bytes(body.piece(start, stop))
            middle = (start + stop) // 2
            assert len(whole) == stop - start
            assert bytes(body.piece(start, middle)) + bytes(body.piece(middle, stop)) == whole
    assert bytes(bodies[2].piece(size // 2, size // 2 + 1)) != bytes(
        bodies[0].piece(size // 2, size // 2 + 1)
    )


def test_a_short_body_is_its_own_hash() -> None:
    assert Held(b"abc").sha256 == hashlib.sha256(b"abc").hexdigest()
    assert Hollow(b"ab", 5).sha256 == hashlib.sha256(b"ab\0\0\0").hexdigest()
