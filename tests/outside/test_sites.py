"""Sites as they are on the internet: slow, endless, leading elsewhere, saying yes to everything."""

import socket
import time
from pathlib import Path

import pytest

from tests.outside.site import (
    SECRET,
    STATS,
    answered,
    by_id,
    looked,
    result_of,
    saying,
    session_of,
    site,
)
from tests.support.edits import edit_host

WELL = {"/system_stats": answered("200 OK", STATS)}


def test_no_login_and_no_secret_is_ever_sent_to_a_public_address(tmp_path: Path) -> None:
    asks = answered("401 Unauthorized", WWW_Authenticate='Basic realm="x"')
    for talk in (saying({}, asks), saying(WELL, answered("200 OK", "{}"))):
        with site(talk) as there:
            looked(session_of(tmp_path, f"{there.url}/comfy?token={SECRET}"))
        assert there.heads
        for head in there.heads:
            assert SECRET not in head
            assert "authorization" not in head.lower()
            assert "cookie" not in head.lower()
            assert head.split(" ")[1].startswith("/comfy/")


def test_a_login_in_the_way_is_well_and_all_behind_it_is_left_alone(tmp_path: Path) -> None:
    page = answered("200 OK", '<html><form><input type="password"></form></html>', "text/html")
    guards = (
        answered("401 Unauthorized"),
        answered("403 Forbidden"),
        page,
        answered("302 Found", Location="https://login.example.org/oauth2/authorize"),
        answered("302 Found", Location="https://localhost:9091/login?rd=x"),
        answered("302 Found", Location="/login"),
    )
    for guard in guards:
        with site(saying({}, guard)) as there:
            whole = looked(session_of(tmp_path, there.url))
        assert whole.findings == ()
        assert result_of(whole, "outside.websocket").state == "skip"
        assert not any("Upgrade: websocket" in head for head in there.heads)


@pytest.mark.parametrize(
    ("location", "ident"),
    [
        ("http://127.0.0.1:8188/system_stats", "outside.redirect-leaves"),
        ("http://localhost:1/x", "outside.redirect-leaves"),
        ("http://localhost:1111/login", "outside.redirect-leaves"),
        ("javascript:alert(1)", "outside.redirect-leaves"),
        ("https://elsewhere.example.org/", "outside.redirect-elsewhere"),
        ("/system_stats", "outside.redirect-loop"),
    ],
)
def test_redirects_are_told_and_not_followed_off_the_site(
    tmp_path: Path, location: str, ident: str
) -> None:
    with site(saying({}, answered("302 Found", Location=location))) as there:
        whole = looked(session_of(tmp_path, there.url), "outside")
    assert list(by_id(whole)) == [ident]


def test_a_redirect_on_the_site_is_followed(tmp_path: Path) -> None:
    known = {
        "/system_stats": answered("307 Temporary Redirect", Location="/api/system_stats"),
        "/api/system_stats": answered("200 OK", STATS),
    }
    with site(saying(known)) as there:
        whole = looked(session_of(tmp_path, there.url), "outside.http")
    assert result_of(whole, "outside.http").title == "studio is reached"


def test_the_page_may_lead_out_though_the_data_are_reached(tmp_path: Path) -> None:
    known = {**WELL, "/": answered("302 Found", Location="http://127.0.0.1:8188/ui")}
    with site(saying(known)) as there:
        whole = looked(session_of(tmp_path, there.url), "outside.http")
    assert list(by_id(whole)) == ["outside.redirect-leaves"]


@pytest.mark.parametrize("body", ["{}", "[]", '{"ok": true}', "<html>hi</html>", ""])
def test_a_site_that_says_200_to_everything_is_not_taken_for_the_service(
    tmp_path: Path, body: str
) -> None:
    media = "text/html" if body.startswith("<") else "application/json"
    with site(saying({}, answered("200 OK", body, media))) as there:
        whole = looked(session_of(tmp_path, there.url))
    assert list(by_id(whole)) == ["outside.answers-everything"]
    assert result_of(whole, "security.login").state == "pass"


def test_another_program_at_the_address_is_told_from_one_that_answers_everything(
    tmp_path: Path,
) -> None:
    known = {"/system_stats": answered("200 OK", '{"name": "jellyfin"}')}
    with site(saying(known)) as there:
        whole = looked(session_of(tmp_path, there.url), "outside")
    assert list(by_id(whole)) == ["outside.other-answers"]


@pytest.mark.parametrize(
    ("status", "body", "ident"),
    [
        ("502 Bad Gateway", "502.3 - Bad Gateway", "http.iis-502.3"),
        ("522 Connection Timed Out", "", "http.iis-502.3"),
        ("404 Not Found", "404: Not Found", "outside.not-found"),
        (
            "500 URL Rewrite Module Error.",
            'The server variable "HTTP_X" is not allowed to be set. Add the server variable name.',
            "http.iis-500.50",
        ),
        (
            "500 URL Rewrite Module Error.",
            'Outbound rewrite rules cannot be applied when the content is encoded ("gzip").',
            "http.iis-500.52",
        ),
        ("500 Internal Server Error", "boom", "outside.proxy-error"),
    ],
)
def test_what_the_proxy_says_is_told_by_its_name(
    tmp_path: Path, status: str, body: str, ident: str
) -> None:
    with site(saying({}, answered(status, body, "text/plain"))) as there:
        whole = looked(session_of(tmp_path, there.url), "outside")
    assert list(by_id(whole)) == [ident]


def hang(connection: socket.socket, _head: str) -> None:
    connection.recv(1)


def drip(connection: socket.socket, _head: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def flood(connection: socket.socket, _head: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        connection.sendall(b"0" * 65536)


def headers(connection: socket.socket, _head: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"y" * 5_000_000)


def no_http(connection: socket.socket, _head: str) -> None:
    connection.sendall(b"220 mail.example.org ESMTP\r\n")


def nothing(connection: socket.socket, _head: str) -> None:
    connection.close()


@pytest.mark.parametrize(
    ("talk", "ident"),
    [
        (hang, "outside.unreachable"),
        (drip, "outside.unreachable"),
        (flood, "outside.answers-everything"),
        (headers, "outside.closed"),
        (no_http, "outside.closed"),
        (nothing, "outside.closed"),
    ],
)
def test_whatever_a_site_does_it_costs_seconds_and_has_a_name(
    tmp_path: Path, talk: object, ident: str
) -> None:
    begun = time.monotonic()
    with site(talk) as there:  # type: ignore[arg-type]
        whole = looked(session_of(tmp_path, there.url))
    assert list(by_id(whole)) == [ident]
    assert time.monotonic() - begun < 8


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    whole = looked(session_of(tmp_path, f"http://127.0.0.1:{port}"), "outside")
    assert list(by_id(whole)) == ["outside.unreachable"]
    assert "nothing listens" in by_id(whole)["outside.unreachable"].evidence[0].text
    whole = looked(session_of(tmp_path, "https://no-such-name.invalid"))
    assert list(by_id(whole)) == ["outside.no-name"]
    assert {one.state for one in whole.results if one.id.partition(":")[0] != "outside.name"} == {
        "skip"
    }


def test_a_proxy_that_leads_to_the_twin_of_a_service_is_told(tmp_path: Path) -> None:
    other = STATS.replace("0.33.0", "0.3.64")
    with (
        site(saying({"/system_stats": answered("200 OK", other)})) as there,
        edit_host(tmp_path, pace=1.0) as host,
    ):
        config = Path(host.environ["XDG_CONFIG_HOME"]) / "gpuconsole" / "config.toml"
        text = config.read_text().replace(
            'container = "comfyui-qwen"',
            f'container = "comfyui-qwen"\npublic_url = "{there.url}"',
        )
        config.write_text(text)
        whole = looked(host.session(), "outside.http")
    found = by_id(whole)["outside.other-service"]
    assert "0.3.64, here 0.33.0" in found.title


def test_plain_http_that_leads_to_https_on_the_same_host_is_looked_at_there(
    tmp_path: Path,
) -> None:
    with edit_host(tmp_path, scenario="outside-open", pace=1.0) as host:
        secure = host.session().settings.services["comfyui-qwen"].public_url or ""

        def to_https(connection: socket.socket, head: str) -> None:
            place = f"{secure}{head.split(' ')[1]}"
            connection.sendall(answered("308 Permanent Redirect", Location=place))

        with site(to_https) as there:
            config = Path(host.environ["XDG_CONFIG_HOME"]) / "gpuconsole" / "config.toml"
            config.write_text(config.read_text().replace(secure, there.url))
            whole = looked(host.session(), "outside.websocket:comfyui-qwen")
    assert result_of(whole, "outside.websocket").state == "pass"
    assert by_id(whole)["outside.moved"].title.endswith(secure)
