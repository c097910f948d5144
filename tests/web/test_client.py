"""The HTTP client against servers that do all wrong: each call ends, each fault has words."""

import contextlib
import logging
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.config.schema import Auth
from console.errors import ExitCode
from console.web.client import WebClient
from console.web.credential import Credential
from console.web.faults import (
    BadStatusError,
    FrontOnlyError,
    NeedsAuthError,
    OddAnswerError,
    ServiceFault,
    ServiceTimeoutError,
    ServiceUnreachableError,
)
from tests.support.waiting import wait_until
from tests.web.servers import always, by_path, message, serving, silent

LOGIN = "http://127.0.0.1:1111/login"
PAGE_502 = "<!DOCTYPE html><html><head><title>Loading...</title></head></html>"


def client(url: str, auth: Auth | None = None, patience: float = 0.4, **environ: str) -> WebClient:
    return WebClient(url, Credential(auth, environ), patience)


def failed(web: WebClient, path: str = "/internal/ping", **how: int) -> ServiceFault:
    with web, pytest.raises(ServiceFault) as caught:
        web.json(path, **how)
    assert caught.value.title
    assert caught.value.hint or caught.value.code == "web.aborted"
    return caught.value


def test_reads_json() -> None:
    with (
        serving(always(message(body='{"a": [1, 2.5, null]}'))) as server,
        client(server.url) as web,
    ):
        assert web.json("/x") == {"a": [1, 2.5, None]}


def test_reads_the_infinities_that_python_servers_write() -> None:
    body = '{"max": Infinity, "min": -Infinity, "odd": NaN}'
    with serving(always(message(body=body))) as server, client(server.url) as web:
        assert web.json("/object_info")["max"] == float("inf")


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fault = failed(client(f"http://127.0.0.1:{port}"))
    assert (type(fault), fault.code) == (ServiceUnreachableError, "web.refused")
    assert fault.exit_code == ExitCode.UNREACHABLE
    assert f"127.0.0.1:{port}" in fault.title


def test_an_unknown_host() -> None:
    assert failed(client("http://nobody.invalid:7860", patience=5)).code == "web.no-host"


@pytest.mark.parametrize(
    "url",
    ["", "forge:7860", "ftp://x", "http://", "http://x:99999", "http://[::1", "http://u:pw@x",
     "http://x?token=abc", "http://x\n/", "http://x:80:80", "http://a b/"],
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    fault = failed(client(url))
    assert fault.code in {"web.address", "web.no-host"}
    assert "pw" not in fault.title
    assert "abc" not in fault.title


def test_accepts_and_never_answers() -> None:
    with silent() as server:
        began = time.monotonic()
        fault = failed(client(server.url))
    assert (type(fault), fault.code) == (ServiceTimeoutError, "web.timeout")
    assert 0.3 < time.monotonic() - began < 1.5


def test_never_takes_the_connection() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        fault = failed(client(f"http://127.0.0.1:{port}"))
        for sock in waiting:
            sock.close()
    assert isinstance(fault, ServiceTimeoutError)


@pytest.mark.parametrize("piece", [b"X-A: b\r\n", b""])
def test_drips_for_ever(piece: bytes) -> None:
    stop = threading.Event()

    def drip(sock: socket.socket, _request: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\n"
        sock.sendall(head if piece else head + b"Content-Length: 100000\r\n\r\n")
        while not stop.wait(0.02):
            sock.sendall(piece or b" ")

    with serving(drip) as server:
        began = time.monotonic()
        fault = failed(client(server.url))
        stop.set()
    assert fault.code == "web.timeout"
    assert time.monotonic() - began < 1.5


def test_all_calls_of_a_look_share_its_time() -> None:
    def slow(sock: socket.socket, _request: bytes) -> None:
        threading.Event().wait(0.15)
        sock.sendall(message(body="{}"))

    with serving(slow) as server, client(server.url, patience=5) as web:
        web.prepare()
        web.allow(0.4)
        began = time.monotonic()
        assert web.json("/x") == {}
        with pytest.raises(ServiceTimeoutError):
            [web.json("/x") for _ in range(20)]
        assert time.monotonic() - began < 1.5
        web.allow(None)
        assert web.json("/x") == {}


@pytest.mark.parametrize("announced", [True, False])
def test_ten_megabytes_of_json_are_not_taken_in(announced: bool) -> None:
    body = b"[" + b"1," * 5_000_000 + b"1]"
    whole = message(body=body)
    if not announced:
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body
    with serving(always(whole)) as server:
        fault = failed(client(server.url, patience=5))
    assert (type(fault), fault.code) == (OddAnswerError, "web.too-large")
    assert "1.0 MiB" in fault.title


def test_a_larger_answer_may_be_asked_for() -> None:
    body = '{"a": "' + "x" * (2 << 20) + '"}'
    with serving(always(message(body=body))) as server, client(server.url, patience=5) as web:
        assert len(web.json("/object_info", limit=16 << 20)["a"]) == 2 << 20


def test_a_compressed_answer_is_no_bomb() -> None:
    import gzip

    bomb = gzip.compress(b"[" + b" " * (50 << 20) + b"]")
    with serving(always(message(body=bomb, Content_Encoding="gzip"))) as server:
        fault = failed(client(server.url))
        asked = server.requests[0].lower()
    assert fault.code == "web.not-json"
    assert b"accept-encoding: identity" in asked


def test_closes_in_the_middle_of_the_body() -> None:
    def tear(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
        sock.close()

    with serving(tear) as server:
        fault = failed(client(server.url))
    assert (type(fault), fault.code) == (ServiceUnreachableError, "web.closed")


def test_closes_without_a_word() -> None:
    with serving(lambda sock, _: sock.close()) as server:
        assert failed(client(server.url)).code == "web.closed"


def test_is_asked_again_where_it_hung_up_on_a_kept_connection() -> None:
    def once(sock: socket.socket, _request: bytes) -> None:
        # Says that it keeps the connection, and does not.
        sock.sendall(message(body="{}"))
        sock.recv(1)
        sock.close()

    with serving(once) as server, client(server.url, patience=5) as web:
        assert [web.json("/x") for _ in range(3)] == [{}, {}, {}]
        assert server.connections == 3


def test_a_change_is_never_sent_twice() -> None:
    def deaf(sock: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            sock.sendall(message(body="{}"))
        else:
            sock.close()

    with serving(deaf) as server, client(server.url) as web:
        web.json("/x")
        with pytest.raises(ServiceUnreachableError):
            web.post("/free", {"unload_models": True})
        assert sum(request.startswith(b"POST") for request in server.requests) == 1


def test_keeps_its_connection() -> None:
    with serving(always(message(body="{}"))) as server, client(server.url) as web:
        for _ in range(5):
            web.json("/x")
        assert server.connections == 1


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ("<!DOCTYPE html><title>Sign in</title>", "text/html", "web.html"),
        ("  <html><body>hello", "application/json", "web.html"),
        ('{"a": ', "application/json", "web.not-json"),
        ("", "application/json", "web.not-json"),
        ("[" * 100_000, "application/json", "web.not-json"),
        ("\x00\x01", "application/octet-stream", "web.not-json"),
        ("NaN Infinity", "application/json", "web.not-json"),
        ("[NaN" + "[" * 100_000, "application/json", "web.not-json"),
    ],
)
def test_answers_that_are_no_json(body: str, kind: str, code: str) -> None:
    with serving(always(message(body=body, kind=kind))) as server:
        fault = failed(client(server.url))
    assert (type(fault), fault.code) == (OddAnswerError, code)


def test_does_not_speak_http() -> None:
    def ssh(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n")
        sock.close()

    with serving(ssh) as server:
        fault = failed(client(server.url))
    assert (type(fault), fault.code) == (OddAnswerError, "web.not-http")


def test_redirects_in_a_loop_are_not_followed() -> None:
    with serving(always(message("302 Found", Location="/internal/ping"))) as server:
        fault = failed(client(server.url))
        assert len(server.requests) == 1
    assert (type(fault), fault.code) == (OddAnswerError, "web.redirect")
    assert "/internal/ping" in fault.title


@pytest.mark.parametrize(
    "location",
    [LOGIN, "https://x.trycloudflare.com/login", "/oauth2/start?rd=/", "/signin", "/auth/realms/x",
     "https://login.example.org/saml2", "/users/sign_in", "/session/new", "/Account/LogOn?x=1",
     "https://adfs.example.org/adfs/ls/?wa=wsignin1.0", "/.pomerium/sign_in", "/Login.aspx",
     "https://id.example.org/outpost.goauthentik.io/start", "/if/flow/default-authentication-flow/",
     "https://accounts.google.com/ServiceLogin"],
)  # fmt: skip
def test_a_redirect_to_a_login_wants_a_login(location: str) -> None:
    with serving(always(message("302 Found", Location=location))) as server:
        fault = failed(client(server.url))
    assert (type(fault), fault.code, fault.status) == (NeedsAuthError, "web.needs-auth", 302)
    assert "auth" in fault.hint


@pytest.mark.parametrize(
    "location",
    [
        "/elsewhere",
        "https://example.org/",
        "http://[",
        "/authors",
        "/blog/logins-of-old",
        "/sessions",
        "/signing",
        "/authentic",
    ],
)
def test_another_redirect_does_not(location: str) -> None:
    with serving(always(message("301 Moved", Location=location))) as server:
        assert failed(client(server.url)).code == "web.redirect"


def test_a_front_without_a_service_behind_it() -> None:
    for status in ("502 Bad Gateway", "503 Unavailable", "504 Gateway Timeout",
                   "521 Web Server Is Down", "530 <none>"):  # fmt: skip
        with serving(always(message(status, PAGE_502, "text/html"))) as server:
            fault = failed(client(server.url))
        assert (type(fault), fault.code) == (FrontOnlyError, "web.front-only")
        assert fault.detail == "Loading..."


def test_a_service_that_says_503_itself_is_no_front() -> None:
    body = '{"error": {"code": "SERVICE_DISABLED", "message": "Assets system is disabled."}}'
    with serving(always(message("503 Unavailable", body))) as server:
        fault = failed(client(server.url), "/api/assets")
    assert (type(fault), fault.detail) == (BadStatusError, "Assets system is disabled.")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"detail": "no \\u001b[31mway\\u0007"}', "no way"),
        ('{"error": {"message": "bad prompt"}}', "bad prompt"),
        ('{"error": "Job not found"}', "Job not found"),
        ("500 Internal Server Error\n\nServer got itself in trouble", "500 Internal Server Error "),
        ("<html><title>Oh\nno</title>", "Oh no"),
        ("", ""),
    ],
)
def test_a_refusal_comes_with_the_services_own_words(body: str, said: str) -> None:
    with serving(always(message("500 Internal Server Error", body))) as server:
        fault = failed(client(server.url))
    assert isinstance(fault, BadStatusError)
    assert fault.detail.startswith(said)
    assert fault.unknown().code == "web.status"


def test_an_endless_error_page_is_cut() -> None:
    def endless(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            sock.sendall(b"no " * 10_000)

    with serving(endless) as server:
        fault = failed(client(server.url, patience=5))
    assert isinstance(fault, BadStatusError)
    assert len(fault.detail) <= 300


def test_a_path_in_front_is_kept_and_no_other_origin_can_be_asked() -> None:
    with serving(by_path({"/forge/internal/ping": message(body="{}")})) as server:
        with client(f"{server.url}/forge/") as web:
            assert web.json("/internal/ping") == {}
            with pytest.raises(ValueError, match="no path"):
                web.ask("GET", "http://evil.example/")
        with client(server.url) as web:
            # A path cannot become another host either.
            assert web.ask("GET", "//evil.example/x").status == 404
        assert b"Host: 127.0.0.1" in server.requests[-1]


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(always(message(body="{}"))) as server, client(server.url) as web:
        assert web.json("/x") == {}


def test_cookies_are_not_kept() -> None:
    cookie = message(body="{}", Set_Cookie="session=abc; Path=/")
    with serving(always(cookie)) as server, client(server.url) as web:
        web.json("/a")
        web.json("/b")
        assert b"cookie" not in server.requests[1].lower()


def test_another_thread_ends_a_call_under_way() -> None:
    with silent() as server:
        web = client(server.url, patience=30)
        faults: list[ServiceFault] = []

        def ask() -> None:
            try:
                web.json("/x")
            except ServiceFault as error:
                faults.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: server.connections)
        web.abort()
        thread.join(5)
        assert not thread.is_alive()
        assert faults[0].code == "web.aborted"
        with pytest.raises(ServiceUnreachableError):
            web.json("/x")


def test_https_where_http_is_spoken() -> None:
    with serving(always(b"HTTP/1.0 400 Bad Request\r\n\r\n")) as server:
        fault = failed(client(server.url.replace("http:", "https:")))
    assert fault.code in {"web.tls", "web.timeout"}


@pytest.fixture
def secure_port(tmp_path: Path) -> Iterator[int]:
    """Give a port that speaks https with a certificate nobody signed."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=x"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while listener.fileno() >= 0:
                with contextlib.suppress(OSError):
                    sock, _ = listener.accept()
                    context.wrap_socket(sock, server_side=True).close()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_certificate_nobody_signed(secure_port: int) -> None:
    fault = failed(client(f"https://127.0.0.1:{secure_port}", patience=3))
    assert (type(fault), fault.code) == (ServiceUnreachableError, "web.tls")
    assert "self" in fault.detail


def test_http_where_https_is_spoken(secure_port: int) -> None:
    fault = failed(client(f"http://127.0.0.1:{secure_port}", patience=3))
    assert fault.code in {"web.closed", "web.not-http"}


def test_a_head_is_enough_where_the_body_never_ends() -> None:
    def stream(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            sock.sendall(b": still here\n\n" * 100)

    with serving(stream) as server, client(server.url, patience=3) as web:
        assert web.ask("GET", "", head_only=True).status == 200


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    code = (
        "import sys\n"
        "import console.services.look, console.services.sampler, console.web.client\n"
        "import console.forge.door, console.comfyui.door\n"
        "bad = {'httpx2', 'httpcore2', 'docker', 'requests'} & set(sys.modules)\n"
        "sys.exit(f'imported: {bad}' if bad else 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_the_libraries_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    auth = Auth(scheme="query", env="FORGE_TOKEN")
    caplog.set_level(logging.DEBUG)
    with serving(always(message(body="{}"))) as server:
        with client(server.url, auth, FORGE_TOKEN="tok-91-secret") as web:
            web.json("/x")
        assert b"tok-91-secret" in server.requests[0]
    assert "tok-91-secret" not in caplog.text
