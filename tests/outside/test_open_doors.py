"""Open doors that need no public address: ports, the engine, the hub."""

from pathlib import Path

import msgspec
import pytest

from console.simulator.scene import Scene
from tests.outside.site import by_id, looked, session_of
from tests.support.edits import edit_host

URL = "https://studio.invalid"


@pytest.mark.parametrize(
    ("port", "severity"),
    [("9001:9001", "error"), ("127.0.0.1:9101:9001", "warning"), ("9001:9002", None)],
)
def test_a_published_supervisord_is_an_error_on_every_interface(
    tmp_path: Path, port: str, severity: str | None
) -> None:
    def published(scene: Scene) -> Scene:
        spec = scene.containers["myia"]
        spec = msgspec.structs.replace(spec, ports=(*spec.ports, port))
        return msgspec.structs.replace(scene, containers={**scene.containers, "myia": spec})

    with edit_host(tmp_path, pace=1.0, change=published) as host:
        found = by_id(looked(host.session(), "security.ports"))
    one = found.get("security.supervisor-published")
    assert (one.severity if one else None) == severity
    assert one is None or one.subject == "myia"


@pytest.mark.parametrize(
    ("address", "severity"),
    [
        ("tcp://10.1.2.3:2375", "error"),
        ("http://10.1.2.3:2375", "error"),
        ("tcp://127.0.0.1:2375", "warning"),
        ("unix:///nonexistent.sock", None),
    ],
)
def test_an_engine_without_tls_is_told(tmp_path: Path, address: str, severity: str | None) -> None:
    session = session_of(tmp_path, URL, DOCKER_HOST=address)
    found = by_id(looked(session, "security.engine")).get("security.engine-without-tls")
    assert (found.severity if found else None) == severity


def test_an_engine_with_tls_is_well(tmp_path: Path) -> None:
    session = session_of(tmp_path, URL, DOCKER_HOST="tcp://10.1.2.3:2376", DOCKER_TLS_VERIFY="1")
    assert looked(session, "security.engine").findings == ()


@pytest.mark.parametrize(
    ("endpoint", "token", "severity"),
    [
        ("http://mirror.example.org", "", "warning"),
        ("HTTP://mirror.example.org", "hf_x", "error"),
        ("http://127.0.0.1:8080", "hf_x", None),
        ("http://localhost:8080", "", None),
        ("https://mirror.example.org", "hf_x", None),
        ("", "", None),
    ],
)
def test_a_hub_by_plain_http_beyond_this_host_is_told(
    tmp_path: Path, endpoint: str, token: str, severity: str | None
) -> None:
    session = session_of(tmp_path, URL, HF_ENDPOINT=endpoint, HF_TOKEN=token)
    found = by_id(looked(session, "security.hub")).get("security.hub-plain-http")
    assert (found.severity if found else None) == severity
    assert found is None or "hf_x" not in repr(found)


def test_a_password_in_the_hubs_address_is_not_shown(tmp_path: Path) -> None:
    session = session_of(tmp_path, URL, HF_ENDPOINT="http://me:hunter2@mirror.example.org")
    assert "hunter2" not in repr(looked(session, "security.hub"))
