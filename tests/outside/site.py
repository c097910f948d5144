"""A site whose every answer the test writes, and a console whose service is reached through it."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from actions.doctor.check import Examination, Result
from actions.doctor.examining import examine
from actions.runbook.finding import Finding
from actions.session import Session, open_session

SECRET = "a-secret-that-no-stranger-gets"
STATS = '{"system": {"comfyui_version": "0.33.0"}, "devices": [{"name": "cuda:0"}]}'  # as ComfyUI's

Talk = Callable[[socket.socket, str], None]


def answered(status: str, body: str = "", media: str = "application/json", **more: str) -> bytes:
    """Give a whole HTTP answer."""
    fields = {"Content-Type": media, "Content-Length": str(len(body)), "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body.encode()


def saying(answers: Mapping[str, bytes], other: bytes = b"") -> Talk:
    """Give a talk that answers by path, and everything else with `other`."""

    def talk(connection: socket.socket, head: str) -> None:
        path = head.split(" ")[1].partition("?")[0]
        connection.sendall(
            answers.get(path, other or answered("404 Not Found", "no", "text/plain"))
        )

    return talk


class Site:
    """A site on a loopback port; `heads` are all requests that it was sent, as they came."""

    def __init__(self, talk: Talk) -> None:
        self.heads: list[str] = []
        self._talk = talk
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._over = False
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def _serve(self) -> None:
        while not self._over:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(connection,), daemon=True).start()

    def _meet(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            data = b""
            # A handshake of TLS has no end of a head.
            while (
                b"\r\n\r\n" not in data
                and data[:1] != b"\x16"
                and (piece := connection.recv(65536))
            ):
                data += piece
            head = data.decode("latin-1")
            self.heads.append(head)
            if head:
                self._talk(connection, head)

    def close(self) -> None:
        self._over = True
        self._listening.close()


@contextlib.contextmanager
def site(talk: Talk) -> Iterator[Site]:
    made = Site(talk)
    try:
        yield made
    finally:
        made.close()


def session_of(home: Path, public_url: str, kind: str = "comfyui", **environ: str) -> Session:
    """Open a console without an engine, with one service that has a login of its own."""
    config = home / ".config" / "gpuconsole" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    token = config.with_name("token")
    token.touch(0o600)
    token.write_text(SECRET)
    config.write_text(
        f'[services.studio]\nkind = "{kind}"\nurl = "http://127.0.0.1:9"\n'
        f'public_url = "{public_url}"\nauth = {{ scheme = "bearer", file = "{token}" }}\n'
    )
    none = {"DOCKER_HOST": "unix:///nonexistent/docker.sock", "PATH": "/usr/bin:/bin"}
    return open_session({**none, "HOME": str(home), **environ})


def looked(session: Session, *only: str) -> Examination:
    *_, whole = examine(session, only=only or ("outside", "security.login"))
    assert isinstance(whole, Examination)
    return whole


def by_id(whole: Examination) -> dict[str, Finding]:
    return {one.id: one for one in whole.findings}


def result_of(whole: Examination, ident: str) -> Result:
    return next(one for one in whole.results if one.id.partition(":")[0] == ident)
