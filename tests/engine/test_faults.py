"""Whatever goes wrong with the engine is told with a code, a title and a hint."""

import ctypes
import os
import socket
import threading
from pathlib import Path

import pytest

from console.engine.client import EngineClient
from console.engine.faults import (
    EngineConflictError,
    EngineError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
    NoSuchContainerError,
    translate,
)
from console.engine.texts import explain
from console.engine.transport import Api
from console.errors import ExitCode
from tests.support.engine import endpoint_at
from tests.support.fake_engine import FakeEngine, encoded


def refused_by(address: str, limit: float = 5) -> EngineError:
    with EngineClient(endpoint_at(address), limit) as client, pytest.raises(EngineError) as caught:
        client.version()
    error = caught.value
    assert isinstance(error, EngineUnreachableError)
    assert error.exit_code == ExitCode.UNREACHABLE
    assert error.title
    assert error.hint
    return error


def test_an_absent_socket(tmp_path: Path) -> None:
    error = refused_by(f"unix://{tmp_path}/nothing.sock")
    assert error.code == "engine.absent"
    assert str(tmp_path) in error.title
    assert error.unknown().hint.endswith("(No such file or directory)")


def test_a_socket_nobody_listens_on(socket_path: Path) -> None:
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(str(socket_path))
    left_behind.close()
    assert refused_by(f"unix://{socket_path}").code == "docker.daemon.down"


def test_a_socket_that_is_not_ours_to_use(fake_engine: FakeEngine) -> None:
    fake_engine.path.chmod(0o000)
    endpoint = endpoint_at(fake_engine.address)
    Api(endpoint, 1).close()  # whatever it imports is imported while files may be read
    caught: list[EngineError] = []

    def as_nobody() -> None:
        # The file system's user of one thread alone: others keep theirs.
        if os.geteuid() == 0:
            ctypes.CDLL(None).setfsuid(65534)
        try:
            EngineClient(endpoint).version()
        except EngineError as error:
            caught.append(error)

    thread = threading.Thread(target=as_nobody)
    thread.start()
    thread.join(10)
    assert [error.code for error in caught] == ["docker.daemon.permission"]
    assert "usermod -aG docker" in caught[0].hint
    assert caught[0].exit_code == ExitCode.UNREACHABLE


def test_an_engine_that_does_not_answer(fake_engine: FakeEngine) -> None:
    fake_engine.delay = 60
    error = refused_by(fake_engine.address, 0.2)
    assert isinstance(error, EngineTimeoutError)
    assert error.code == "engine.timeout"
    assert "0.2 s" in error.title
    assert "timed out" in error.detail
    assert "Pool" not in error.detail


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("tcp://127.0.0.1:1", "docker.daemon.down"),
        ("ssh://nobody@127.0.0.1:1", "engine.ssh"),
        ("carrier-pigeon://roof", "engine.address"),
        ("http://", "engine.address"),
        ("unix:///" + "x" * 200, "engine.address"),
        ("tcp://localhost:99999", "engine.address"),
        ("tcp://a:b:c", "engine.address"),
        ("http://[::1", "engine.address"),
        ("fd://", "engine.address"),
        ("npipe:////./pipe/docker_engine", "engine.address"),
        ("tcp://no-such-host.invalid:2375", "engine.unreachable"),
    ],
)
def test_addresses_that_lead_nowhere(address: str, code: str) -> None:
    assert refused_by(address).code == code


def test_missing_certificates(tmp_path: Path) -> None:
    from console.engine.endpoint import resolve

    endpoint = resolve(
        {
            "DOCKER_HOST": "tcp://127.0.0.1:1",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(tmp_path),
        }
    )
    with pytest.raises(EngineUnreachableError) as caught:
        EngineClient(endpoint).version()
    assert caught.value.code in {"engine.tls", "docker.daemon.down"}


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ({"ApiVersion": "1.39", "Version": "18.09"}, "engine.too-old"),
        ({"ApiVersion": "1.70", "MinAPIVersion": "1.60"}, "docker.api.too-old"),
    ],
)
def test_engines_of_another_time(
    fake_engine: FakeEngine, version: dict[str, str], code: str
) -> None:
    fake_engine.version = version
    assert refused_by(fake_engine.address).code == code


@pytest.mark.parametrize("answer", [[], {}, "x", {"ApiVersion": 1}, {"ApiVersion": "1.x"}, None])
def test_something_that_is_no_engine(fake_engine: FakeEngine, answer: object) -> None:
    fake_engine.version = answer
    with pytest.raises(EngineRefusedError) as caught:
        EngineClient(endpoint_at(fake_engine.address)).version()
    assert caught.value.code == "engine.odd-answer"


def test_a_web_server_is_no_engine(fake_engine: FakeEngine) -> None:
    fake_engine.overrides["/version"] = lambda: (200, b"<!DOCTYPE html>")
    assert refused_by(fake_engine.address).code == "engine.odd-answer"


@pytest.mark.parametrize(
    ("status", "words", "kind", "code"),
    [
        (404, "No such container: it", NoSuchContainerError, "engine.no-such-container"),
        (404, "page not found", EngineRefusedError, "engine.not-found"),
        (409, "Container it is not running", EngineConflictError, "engine.conflict"),
        (400, "bad parameter", EngineRefusedError, "engine.bad-request"),
        (403, "denied by plugin x", EngineUnreachableError, "engine.denied"),
        (500, "the disk is on \x1b[31mfire", EngineRefusedError, "engine.refused"),
        (
            500,
            'could not select device driver "" with capabilities: [[gpu]]',
            EngineRefusedError,
            "docker.gpu.no-device-driver",
        ),
        (
            500,
            "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated",
            EngineRefusedError,
            "docker.port.allocated",
        ),
    ],
)
def test_the_engines_refusals(
    fake_engine: FakeEngine, status: int, words: str, kind: type[EngineError], code: str
) -> None:
    fake_engine.overrides["/containers/it/start"] = lambda: (status, encoded({"message": words}))
    client = EngineClient(endpoint_at(fake_engine.address))
    with client, pytest.raises(kind) as caught:
        client.start("it")
    assert caught.value.code == code
    assert "\x1b" not in caught.value.detail
    assert caught.value.detail


def test_a_refusal_without_json(fake_engine: FakeEngine) -> None:
    fake_engine.overrides["/containers/it/start"] = lambda: (502, b"Bad Gateway \xff")
    client = EngineClient(endpoint_at(fake_engine.address))
    with client, pytest.raises(EngineRefusedError) as caught:
        client.start("it")
    assert "Bad Gateway" in caught.value.detail


def test_wrapped_words_of_the_gpu_hook_are_recognised() -> None:
    wrapped = (
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to "
        "start container process: error running prestart hook #0: exit status 1, stdout: , "
        "stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: initialization error: WSL "
        "environment detected but no adapters were found: unknown"
    )
    found = explain(wrapped)
    assert found is not None
    assert found.code == "docker.gpu.wsl-no-adapters"
    assert explain("all is well") is None


def test_an_error_that_names_itself_as_its_cause_is_told_once() -> None:
    error = ValueError("round and round")
    error.__cause__ = error
    told = translate(error, address="unix:///x", what="list", limit=1)
    assert told.code == "engine.odd-answer"
    assert translate(told, address="", what="") is told
