"""Logging in: three schemes, the secret read at need, sent to one origin, shown to nobody."""

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.config.schema import Auth
from console.web.client import WebClient
from console.web.credential import Credential
from console.web.faults import NeedsAuthError, ServiceFault
from tests.web.servers import always, message, serving

TOKEN = "s3cr3t+/t0ken&x=1"
BASIC = "user:pa ss:w0rd"


def web_client(url: str, auth: Auth | None, **environ: str) -> WebClient:
    return WebClient(url, Credential(auth, environ), 2.0)


def head_of(url: str, auth: Auth, server_requests: list[bytes], **environ: str) -> str:
    with web_client(url, auth, **environ) as web:
        web.ask("GET", "/sdapi/v1/progress?skip_current_image=true")
    return server_requests[-1].decode()


def test_each_scheme_sends_what_its_front_expects() -> None:
    with serving(always(message(body="{}"))) as server:
        bearer = head_of(server.url, Auth(scheme="bearer", env="T"), server.requests, T=TOKEN)
        assert f"authorization: bearer {TOKEN}".lower() in bearer.lower()
        basic = head_of(server.url, Auth(scheme="basic", env="T"), server.requests, T=BASIC)
        assert base64.b64encode(BASIC.encode()).decode() in basic
        query = head_of(
            server.url, Auth(scheme="query", env="T", name="key"), server.requests, T=TOKEN
        )
        first = query.split("\r\n")[0]
        assert f"?skip_current_image=true&key={quote(TOKEN, safe='')} HTTP/1.1" in first
        assert "authorization" not in query.lower()


def test_a_renewed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    file.chmod(0o600)
    auth = Auth(scheme="bearer", file=file)
    with serving(always(message(body="{}"))) as server, web_client(server.url, auth) as web:
        web.json("/x")
        file.write_text("second\n")
        web.json("/x")
        sent = [request.lower() for request in server.requests]
    assert b"bearer first" in sent[0]
    assert b"bearer second" in sent[1]


def test_a_file_others_can_read_is_not_used_and_named_where_it_is_missed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("tok-1\n")
    file.chmod(0o644)
    denied = message("401 Unauthorized", '{"detail": "Not authenticated"}')
    auth = Auth(scheme="bearer", file=file)
    with serving(always(denied)) as server, web_client(server.url, auth) as web:
        with pytest.raises(NeedsAuthError) as caught:
            web.json("/x")
        assert b"tok-1" not in server.requests[0]
    assert caught.value.code == "web.no-secret"
    assert "can be read or changed by others" in caught.value.title
    assert "chmod 600" in caught.value.hint


def test_a_missing_variable_matters_only_where_a_login_is_wanted() -> None:
    auth = Auth(scheme="bearer", env="FORGE_TOKEN")
    with serving(always(message(body="{}"))) as server, web_client(server.url, auth) as web:
        assert web.json("/x") == {}
    with (
        serving(always(message("302 Found", Location="http://h:1111/login"))) as server,
        web_client(server.url, auth) as web,
        pytest.raises(NeedsAuthError) as caught,
    ):
        web.json("/x")
    assert "FORGE_TOKEN is not set" in caught.value.title


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "302 Found"])
def test_a_wrong_or_expired_token_is_told_from_none(status: str) -> None:
    denied = message(status, '{"detail": "Incorrect username or password"}', Location="/login")
    auth = Auth(scheme="bearer", env="T")
    with (
        serving(always(denied)) as server,
        web_client(server.url, auth, T=TOKEN) as web,
        pytest.raises(NeedsAuthError) as caught,
    ):
        web.json("/x")
    assert caught.value.code == "web.wrong-auth"
    assert "expired" in caught.value.hint
    assert caught.value.detail == "Incorrect username or password"


@pytest.mark.parametrize(
    ("scheme", "secret"), [("bearer", "a\nX-Evil: 1"), ("basic", "no-colon"), ("bearer", "tökén")]
)
def test_a_secret_that_cannot_be_sent_is_not(scheme: str, secret: str) -> None:
    auth = Auth(scheme=scheme, env="T")
    with serving(always(message("401 No", "{}"))) as server:
        with web_client(server.url, auth, T=secret) as web, pytest.raises(NeedsAuthError) as caught:
            web.json("/x")
        assert b"Evil" not in server.requests[0]
    assert secret not in caught.value.title
    assert caught.value.code == "web.no-secret"


@given(
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40),
    scheme=st.sampled_from(["bearer", "basic", "query"]),
    status=st.sampled_from(["401 No", "500 Oh", "302 Found", "502 Bad", "404 No", "200 OK"]),
)
def test_no_fault_ever_tells_the_secret(secret: str, scheme: str, status: str) -> None:
    """The worst server: it echoes whatever it was sent in every place that we quote."""
    full = f"me:{secret}" if scheme == "basic" else secret

    def echo(sock: object, request: bytes) -> None:
        sent = request.decode().replace("\r\n", " ").replace('"', "'")
        body = f'{{"detail": "you sent {secret} in {sent}'.replace("\\", "/")
        place = f"/elsewhere/{quote(secret, safe='')}?t={quote(full, safe='')}"
        sock.sendall(message(status, body, Location=place))  # type: ignore[attr-defined]

    auth = Auth(scheme=scheme, env="T")
    with serving(echo) as server, web_client(server.url, auth, T=full) as web:
        try:
            web.json("/x")
        except ServiceFault as fault:
            told = " ".join([fault.code, fault.title, fault.hint, fault.detail, repr(fault)])
            packed = base64.b64encode(full.encode()).decode()
            for form in {secret, quote(secret, safe=""), packed}:
                assert form not in told
        else:
            raise AssertionError("the answer was no JSON")
