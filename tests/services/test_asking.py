"""Who is asked when: a login goes to nobody before it is known that its service runs."""

from pathlib import Path

from actions.session import open_session
from actions.status import read_status
from console.simulator.held import held_rehearsal
from tests.web.servers import always, message, serving

CONFIG = """
[services.open]
kind = "other"
container = "not-there"
url = "{open}"
[services.locked]
kind = "other"
container = "not-there-either"
url = "{locked}"
auth = {{ scheme = "bearer", env = "LOCKED_TOKEN" }}
"""


def test_a_stranger_at_the_address_of_a_stopped_service_gets_no_login(tmp_path: Path) -> None:
    page = message("200 OK", "{}", "application/json")
    with (
        serving(always(page)) as one,
        serving(always(page)) as stranger,
        held_rehearsal("empty") as host,
    ):
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(open=one.url, locked=stranger.url))
        environ = {**host.environ, "LOCKED_TOKEN": "tell-nobody"}
        session = open_session(environ, config=str(config), clock=host.clock)
        snapshot = read_status(session)
        session.store.close()
        assert stranger.requests == []
    states = {status.name: status.state for status in snapshot.services}
    assert states == {"open": "absent", "locked": "absent"}
