"""Which engine is meant: the docker command line's own rules, also when its files are broken."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.engine.client import EngineClient
from console.engine.endpoint import DEFAULT_ADDRESS, resolve
from console.engine.faults import EngineUnreachableError


def write_context(config: Path, name: str, meta: str) -> Path:
    folder = config / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(meta)
    return folder


def studio(host: str = "unix:///run/studio.sock") -> str:
    return json.dumps({"Name": "studio", "Endpoints": {"docker": {"Host": host}}})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_context(tmp_path, "studio", studio())
    (tmp_path / "config.json").write_text('{"currentContext": "studio"}')
    return tmp_path


def test_docker_host_comes_before_every_context(config: Path) -> None:
    endpoint = resolve(
        {
            "DOCKER_HOST": "tcp://engine:2375",
            "DOCKER_CONTEXT": "studio",
            "DOCKER_CONFIG": str(config),
        }
    )
    assert (endpoint.address, endpoint.source) == ("tcp://engine:2375", "DOCKER_HOST")


def test_docker_context_comes_before_the_active_context(config: Path) -> None:
    write_context(config, "other", studio("unix:///run/other.sock"))
    endpoint = resolve({"DOCKER_CONTEXT": "other", "DOCKER_CONFIG": str(config)})
    assert endpoint.address == "unix:///run/other.sock"
    assert endpoint.source == "DOCKER_CONTEXT other"


def test_the_active_context_is_found_in_the_home(config: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".docker").symlink_to(config)
    endpoint = resolve({"HOME": str(home)})
    assert endpoint.address == "unix:///run/studio.sock"
    assert endpoint.source == "docker context studio"
    assert endpoint.socket_path == "/run/studio.sock"


@pytest.mark.parametrize("environ", [{"DOCKER_CONTEXT": "default"}, {"DOCKER_HOST": "  "}, {}])
def test_without_any_choice_it_is_the_default_socket(
    environ: dict[str, str], tmp_path: Path
) -> None:
    endpoint = resolve({"DOCKER_CONFIG": str(tmp_path), **environ})
    assert (endpoint.address, endpoint.source) == (DEFAULT_ADDRESS, "default")


def test_docker_host_without_a_scheme_is_understood() -> None:
    assert resolve({"DOCKER_HOST": "/run/d.sock"}).address == "unix:///run/d.sock"
    assert resolve({"DOCKER_HOST": "studio:2375"}).address == "tcp://studio:2375"
    assert resolve({"DOCKER_HOST": "unix://"}).address == DEFAULT_ADDRESS


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ('{"Endpoints": {"docker": []}}', "is damaged"),
        ('{"Endpoints": {"docker": {"Host": 5}}}', "names no host"),
        ('{"Endpoints": {"docker": {"Host": " "}}}', "names no host"),
        ("[" * 100_000, "is damaged"),
        (" " * (2 << 20), "is damaged"),
    ],
)
def test_a_broken_context_gives_its_reason_and_no_other_engine(
    tmp_path: Path, meta: str, why: str
) -> None:
    write_context(tmp_path, "studio", meta)
    endpoint = resolve({"DOCKER_CONTEXT": "studio", "DOCKER_CONFIG": str(tmp_path)})
    assert endpoint.address == ""
    assert endpoint.problem is not None
    assert why in endpoint.problem.title
    with pytest.raises(EngineUnreachableError, match="studio"):
        EngineClient(endpoint).version()


def test_a_context_that_does_not_exist_says_so(tmp_path: Path) -> None:
    endpoint = resolve({"DOCKER_CONTEXT": "ghost", "DOCKER_CONFIG": str(tmp_path)})
    assert endpoint.problem is not None
    assert "there is no such context" in endpoint.problem.title


def test_a_broken_config_file_means_the_default_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": ')
    endpoint = resolve({"DOCKER_CONFIG": str(tmp_path)})
    assert endpoint.address == DEFAULT_ADDRESS
    assert endpoint.source == "default (docker's config.json cannot be read)"


def test_neither_home_nor_config_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    environ = {"HOME": str(tmp_path / "a-file"), "DOCKER_CONFIG": ""}
    assert resolve(environ).address == DEFAULT_ADDRESS


@given(content=st.binary(max_size=200))
def test_no_content_of_config_json_makes_it_fail(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("docker")
    (folder / "config.json").write_bytes(content)
    endpoint = resolve({"DOCKER_CONFIG": str(folder)})
    assert endpoint.address or endpoint.problem is not None


def test_tls_comes_from_the_environment_or_beside_the_context(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("x")
    tcp = {"DOCKER_HOST": "tcp://engine:2376", "DOCKER_CERT_PATH": str(tmp_path)}
    tls = resolve({**tcp, "DOCKER_TLS_VERIFY": "1"}).tls
    assert tls is not None
    assert (tls.ca, tls.verify) == (str(tmp_path / "ca.pem"), True)
    unverified = resolve(tcp).tls
    assert unverified is not None
    assert not unverified.verify
    assert resolve({**tcp, "DOCKER_HOST": "unix:///run/d.sock"}).tls is None
    digest = write_context(tmp_path, "far", studio("tcp://far:2376")).name
    files = tmp_path / "contexts" / "tls" / digest / "docker"
    files.mkdir(parents=True)
    (files / "ca.pem").write_text("x")
    context_tls = resolve({"DOCKER_CONTEXT": "far", "DOCKER_CONFIG": str(tmp_path)}).tls
    assert context_tls is not None
    assert context_tls.ca == str(files / "ca.pem")


def test_an_address_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in resolve({"DOCKER_HOST": "unix:///run/\x1b[31md.sock"}).address


def test_a_password_in_the_address_is_not_shown() -> None:
    endpoint = resolve({"DOCKER_HOST": "tcp://me:geheim@127.0.0.1:1"})
    assert "geheim" in endpoint.address
    assert "geheim" not in endpoint.shown
    with pytest.raises(EngineUnreachableError) as caught:
        EngineClient(endpoint).version()
    assert "geheim" not in f"{caught.value.title} {caught.value.detail}"
