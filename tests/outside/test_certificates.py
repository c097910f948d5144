"""Certificates: how long they last, for whom, by whom, and bytes that are none."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.doctor.check import Examination, Result
from actions.doctor.checks.outside import outside_checks
from actions.doctor.examining import examine
from actions.doctor.ground import Ground
from actions.session import open_session
from console.clock import SystemClock
from console.outside.address import is_private, leads, public_address
from console.outside.certificate import expiry
from console.packaged import read_text
from tests.outside.site import answered, by_id, looked, saying, session_of, site
from tests.support.edits import EditHost, edit_host

ENDS = datetime(2124, 1, 1, tzinfo=UTC)


class Shifted(SystemClock):
    """The host's clock, set to another time."""

    def __init__(self, now: datetime) -> None:
        self._ahead = now - super().now()

    def now(self) -> datetime:
        return super().now() + self._ahead


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditHost]:
    with edit_host(tmp_path_factory.mktemp("tls"), scenario="outside", pace=1.0) as made:
        yield made


def der(name: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(
        read_text(f"rehearsal_tls/{name}.pem")
        .partition("-----BEGIN EC")[0]
        .partition("-----BEGIN PRIVATE")[0]
        .strip()
    )


def tls_at(host: EditHost, moment: datetime) -> Result:
    """Look at the certificate of a host that was looked at before, at another time."""
    session = host.session()
    ground = Ground(session)
    assert ground.snapshot.services
    session.clock = Shifted(moment)
    check = next(one for one in outside_checks(ground) if one.id.startswith("outside.tls:"))
    return check.run(ground, check)


@pytest.mark.parametrize(
    ("days", "severity"), [(30_000.5, None), (14.5, None), (13.5, "warning"), (0.2, "warning")]
)
def test_days_are_counted_and_the_last_fortnight_is_told(
    host: EditHost, days: float, severity: str | None
) -> None:
    made = tls_at(host, ENDS - timedelta(days=days))
    found = {one.id: one.severity for one in made.findings}
    assert found == ({"outside.certificate-ends": severity} if severity else {})
    assert f"{int(days)} day" in made.title


def test_an_expired_one_says_since_when(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="outside-expired", pace=1.0) as host:
        session = open_session(
            environ=host.environ, clock=Shifted(datetime(2021, 1, 11, 6, tzinfo=UTC))
        )
        whole = looked(session, "outside")
    found = by_id(whole)["outside.certificate-expired"]
    assert found.title == "The certificate of localhost has expired 10 days ago"
    assert "2021-01-01" in found.evidence[0].text
    # What is behind is not looked at, and says for which reason: the first, not the last.
    skipped = [one for one in whole.results if one.id == "outside.websocket:comfyui-qwen"]
    assert skipped[0].title.endswith("because The certificate of localhost has expired 10 days ago")


def test_one_by_nobody_that_is_known_here_is_not_trusted(host: EditHost) -> None:
    session = open_session({**host.environ, "SSL_CERT_FILE": ""})
    assert set(by_id(looked(session, "outside.tls"))) == {"outside.certificate-untrusted"}


def test_one_for_another_name_is_told(host: EditHost, tmp_path: Path) -> None:
    port = public_address(host.session().settings.services["myia"].public_url or "").port
    session = session_of(
        tmp_path, f"https://127.0.0.2:{port}", SSL_CERT_FILE=host.environ["SSL_CERT_FILE"]
    )
    assert set(by_id(looked(session, "outside.tls"))) <= {
        "outside.certificate-name", "outside.unreachable",
    }  # fmt: skip
    ours = session_of(
        tmp_path, f"https://[::ffff:127.0.0.1]:{port}", SSL_CERT_FILE=host.environ["SSL_CERT_FILE"]
    )
    assert set(by_id(looked(ours, "outside.tls"))) == {"outside.certificate-name"}


def test_a_port_that_speaks_no_tls_is_told(tmp_path: Path) -> None:
    with site(saying({}, answered("400 Bad Request"))) as there:
        session = session_of(tmp_path, there.url.replace("http:", "https:"))
        assert set(by_id(looked(session, "outside.tls"))) == {"outside.no-tls"}


def test_doors_are_found_open_behind_a_bad_certificate_too(tmp_path: Path) -> None:
    from console.simulator.scene import ProxySpec, Scene

    def open_and_expired(scene: Scene) -> Scene:
        import msgspec

        return msgspec.structs.replace(scene, proxies={"comfyui-qwen": ProxySpec(tls="expired")})

    with edit_host(tmp_path, scenario="outside", pace=1.0, change=open_and_expired) as host:
        *_, whole = examine(host.session(), only=("outside", "security"))
    assert isinstance(whole, Examination)
    assert set(by_id(whole)) == {"outside.certificate-expired", "security.no-login"}


def test_dates_are_read_from_the_certificate_itself() -> None:
    assert expiry(der("good")) == ENDS
    assert expiry(der("expired")) == datetime(2021, 1, 1, tzinfo=UTC)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_bytes_that_are_no_certificate_have_no_date(data: bytes, at: int, byte: int) -> None:
    expiry(data)
    whole = bytearray(der("good"))
    whole[at % len(whole)] = byte
    found = expiry(bytes(whole))
    assert found is None or found.tzinfo is UTC
    expiry(bytes(whole[: at % len(whole)]))


@given(st.text(max_size=60))
def test_where_a_redirect_leads_never_fails(location: str) -> None:
    here = public_address("https://studio.example.org/comfy")
    found = leads(here, location)
    assert found is None or found.host
    is_private(location)


def test_addresses_are_what_a_browser_makes_of_them() -> None:
    studio = public_address("HTTPS://Studio.Example.org:443/comfy/?token=x#y")
    assert (studio.origin, studio.base) == (
        "https://studio.example.org", "https://studio.example.org/comfy",
    )  # fmt: skip
    assert public_address("https://bücher.example").host == "xn--bcher-kva.example"
    assert public_address("http://[::1]:8188").origin == "http://[::1]:8188"
    assert leads(studio, "//other.example/x").origin == "https://other.example"  # type: ignore[union-attr]
    assert leads(studio, "login").path == "/login"  # type: ignore[union-attr]
