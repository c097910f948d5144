"""Events reach the command and the webhook, again where they were not taken, and hold up nobody."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from actions.snapshot import Alert
from actions.watching.delivery import MOST_WAITING, Delivered, Delivery
from actions.watching.hysteresis import Change
from actions.watching.telling import event_data
from console.config.show import entries
from tests.support.waiting import wait_until
from tests.watching.conftest import MakeSession
from tests.watching.test_hook import script

LOOP = Alert(id="container.crash-loop", severity="error", subject="myia", title="crash-looping")


class Receiver:
    """A webhook on loopback that answers as it is told."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a webhook."""
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


class Sent:
    """A delivery with what became of each try."""

    def __init__(self, make_session: MakeSession, config: str, *pauses: float) -> None:
        self.session = make_session(f"[watch]\n{config}\n")
        assert self.session.config.findings == ()
        self.ends: list[Delivered] = []
        self.delivery = Delivery(self.session, self.ends.append, pauses)

    def send(self, event: str = "raised") -> None:
        """Tell of a crash loop."""
        self.delivery.send(event_data(self.session, Change(event=event, alert=LOOP)))

    def ended(self, number: int, seconds: float = 8) -> list[str]:
        """Wait for so many tries; give the code of each, empty for one that went well."""
        wait_until(lambda: len(self.ends) >= number, seconds)
        return ["" if end.problem is None else end.problem.code for end in self.ends]


def test_both_ways_are_told_the_same(
    make_session: MakeSession, receiver: Receiver, tmp_path: Path
) -> None:
    path = script(tmp_path, f"cat > {tmp_path}/told")
    sent = Sent(
        make_session,
        f'command = ["{path}"]\nwebhook = "http://127.0.0.1:{receiver.port}/hook/a?b=c"\n',
    )
    sent.send()
    assert sent.ended(2) == ["", ""]
    ((where, headers, body),) = receiver.got
    assert where == "/hook/a?b=c"
    assert headers["Content-Type"] == "application/json"
    told = json.loads(body)
    assert json.loads((tmp_path / "told").read_text()) == told
    assert told["schema"] == "gpuconsole/1"
    assert told["data"]["event"] == "raised"
    assert told["data"]["id"] == "container.crash-loop"
    assert told["data"]["fingerprint"] == "container.crash-loop myia"
    assert "***" not in body.decode()
    assert told["data"]["host"] == socket.gethostname()


def test_a_webhook_that_answers_500_is_tried_again_and_given_up(
    make_session: MakeSession, receiver: Receiver
) -> None:
    receiver.answers = [500, 503, 302, 200]
    sent = Sent(make_session, f'webhook = "http://127.0.0.1:{receiver.port}/s3cr3t-path"', 0.01, 0)
    sent.send()
    sent.send("cleared")
    codes = sent.ended(4)
    assert codes[3] == ""
    assert all(codes[:3])
    assert [end.again for end in sent.ends] == [0.01, 0, None, None]
    assert "s3cr3t-path" not in repr([end.problem for end in sent.ends])
    assert [json.loads(body)["data"]["event"] for _, _, body in receiver.got] == [
        *["raised"] * 3, "cleared",
    ]  # fmt: skip


def test_a_webhook_that_never_answers_holds_up_neither_the_command_nor_the_end(
    make_session: MakeSession, tmp_path: Path
) -> None:
    path = script(tmp_path, f"cat > {tmp_path}/told")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        sent = Sent(
            make_session,
            f'command = ["{path}"]\nwebhook = "http://127.0.0.1:{port}/"\ntime_limit = "60s"',
        )
        sent.send()
        assert sent.ended(1) == [""]
        sent.delivery.stop(0.1)
        lane = sent.delivery._lanes["webhook"]
        assert not lane.is_alive()


def test_a_webhook_that_nobody_is_behind_and_one_in_a_file_that_is_open_to_others(
    make_session: MakeSession, tmp_path: Path, receiver: Receiver
) -> None:
    secret = tmp_path / "address"
    secret.write_text(f"http://127.0.0.1:{receiver.port}/T0KEN/x\n")
    secret.chmod(0o600)
    sent = Sent(make_session, f'webhook_file = "{secret}"')
    sent.send()
    assert sent.ended(1) == [""]
    assert receiver.got[0][0] == "/T0KEN/x"
    secret.chmod(0o644)
    sent.send()
    assert sent.ended(2)[1] == "secret.open-to-others"
    secret.chmod(0o600)
    secret.write_text("http://127.0.0.1:1/T0KEN/x\n")
    sent.send()
    assert sent.ended(3)[2] == "web.refused"
    assert "T0KEN" not in repr([end.problem for end in sent.ends])


def test_a_command_that_hangs_is_ended_when_the_watch_ends(
    make_session: MakeSession, tmp_path: Path
) -> None:
    path = script(tmp_path, f"touch {tmp_path}/began; exec sleep 600")
    sent = Sent(make_session, f'command = ["{path}"]\ntime_limit = "300s"')
    sent.send()
    wait_until((tmp_path / "began").exists)
    sent.delivery.stop(0.1)
    assert sent.ended(1, 1)[0] in {"hook.failed", "hook.timeout"}


def test_a_flood_is_bounded_and_what_is_dropped_is_told(
    make_session: MakeSession, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    path = script(tmp_path, f"touch {tmp_path}/began; while [ ! -e {go} ]; do sleep 0.05; done")
    sent = Sent(make_session, f'command = ["{path}"]')
    sent.send()
    wait_until((tmp_path / "began").exists)
    for _ in range(MOST_WAITING + 5):
        sent.send()
    assert [end.problem.code for end in sent.ends if end.problem is not None] == [
        "hook.too-many"
    ] * 5
    sent.delivery.stop(0.0)


def test_nothing_set_starts_nothing(make_session: MakeSession) -> None:
    sent = Sent(make_session, "")
    sent.send()
    assert all(lane.ident is None for lane in sent.delivery._lanes.values())
    assert sent.ends == []


def test_the_path_of_a_webhook_is_not_shown_with_the_config(make_session: MakeSession) -> None:
    text = 'webhook = "https://hooks.example.org/services/T0/s3cr3t"\nraise_after = "2m"'
    loaded = make_session(f"[watch]\n{text}\n").config
    shown = {entry.key: entry.value for entry in entries(loaded)}
    assert shown["watch.webhook"] == "https://hooks.example.org/***"
    assert shown["watch.raise_after"] == "120s"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('command = "page me"', "no shell reads it"),
        ("command = []", "not be empty"),
        ('command = ["./page"]', "absolute path"),
        ('command = ["", "x"]', "empty"),
        ('webhook = "http://me:pw@host/"', "name or password"),
        ('severity = "errors"', "error, warning, info"),
        ("raise_after = 30", "in quotes"),
        ('time_limit = "1h"', "from 1 s"),
        ('webhook = "http://h/"\nwebhook_file = "/x"', "leave one out"),
    ],
)
def test_a_wrong_config_is_told_with_what_is_right(
    make_session: MakeSession, text: str, words: str
) -> None:
    (finding,) = make_session(f"[watch]\n{text}\n").config.findings
    assert words in f"{finding.title} {finding.hint}"
    assert "pw@" not in f"{finding.title} {finding.hint}"
