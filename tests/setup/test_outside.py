"""The step `outside`: files for a proxy, and finished only when a login was seen."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from actions.setup.wsl_network import read_network
from console.config.load import load
from console.errors import UsageError
from tests.plans.command import run
from tests.setup.walking import Walk, asked, walk
from tests.support.edits import COMFY

ADDRESS = "https://qwen.example.org"


def folder(one: Walk) -> Path:
    return one.config.parent / "outside" / COMFY


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Walk, str]]:
    """Give a host whose ComfyUI idles, for all that is only written there, and its config."""
    with walk(tmp_path_factory.mktemp("home"), "edits") as one:
        yield one, one.config.read_text()


@pytest.fixture
def edits(kept: tuple[Walk, str]) -> Walk:
    """Give it as it was at first."""
    one, text = kept
    one.config.write_text(text)
    shutil.rmtree(one.config.parent / "outside", ignore_errors=True)
    (one.session().places.state_dir / "setup.json").unlink(missing_ok=True)
    return one


def test_without_an_address_it_is_left_out_and_asks_for_one(edits: Walk) -> None:
    report = edits.look("outside")
    assert report.state == "skipped"
    assert [ask.key for ask in report.asks] == ["outside.public_url"]
    assert any(line.startswith("ssh -L") for line in report.proposes)
    wrong = edits.look("outside", outside={"public_url": "qwen.example.org"})
    assert wrong.state == "blocked"
    assert wrong.detail == "qwen.example.org is no public address"
    # It can be typed anew.
    assert asked(wrong, "outside.public_url").value == "qwen.example.org"


def test_it_is_finished_once_the_proxy_was_seen_to_ask_for_a_login(tmp_path: Path) -> None:
    with walk(tmp_path, "outside") as one:
        one.forget_address()
        course = one.course(outside={"public_url": one.url})
        before = course.look("outside")
        assert before.state == "needed"
        assert f'+public_url = "{one.url}"' in before.diff
        after = course.do("outside")
        assert after.state == "done", after
        assert f"{one.url} asks for a login before it leads to {COMFY}" in after.detail
        assert load(one.config).settings.services[COMFY].public_url == one.url
        assert str(one.config) in after.wrote
        assert any("none was sent" in line for line in after.proposes)


def test_an_open_way_in_is_not_finished_until_its_risk_is_accepted(tmp_path: Path) -> None:
    with walk(tmp_path, "outside-open") as one:
        report = one.look("outside")
        assert report.state == "blocked"
        assert "Anybody can use" in report.detail
        risk = asked(report, "outside.open_accepted")
        assert (risk.kind, risk.value) == ("flag", False)
        assert "computes on your cards" in risk.about
        accepted = one.look("outside", outside={"open_accepted": True})
        assert accepted.state == "done"
        assert "open to anybody, which the answers accept" in accepted.detail


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ("outside-no-websocket", "WebSocket"),
        ("outside-compression", "WebSocket"),
        ("outside-expired", "certificate of localhost has expired"),
        ("outside-host", "refuses requests that come through the proxy"),
        ("outside-body-limit", "refuses uploads"),
        ("outside-any-200", "answers 200 to everything"),
        ("outside-away", "out of the proxy"),
        ("outside-no-service", "502"),
    ],
)
def test_what_does_not_work_is_not_finished_also_where_no_login_is_wanted(
    tmp_path: Path, scenario: str, says: str
) -> None:
    with walk(tmp_path, scenario) as one:
        report = one.look("outside", outside={"open_accepted": True})
    assert report.state == "blocked", report
    assert says in report.detail
    assert report.commands


def test_a_service_that_is_off_leaves_the_way_in_unfinished(tmp_path: Path) -> None:
    with walk(tmp_path, "outside-open") as one:
        operations = one.host.operations()
        for _ in operations.run(operations.plan("stop", COMFY)):
            pass
        report = one.look("outside")
    assert report.state == "blocked"
    assert f"does not reach {COMFY}" in report.detail


@pytest.mark.parametrize(("network", "at"), [("nat", "localhost"), ("mirrored", "127.0.0.1")])
def test_iis_gets_its_files_for_the_network_that_wsl_has(
    edits: Walk, network: str, at: str
) -> None:
    port = edits.host.ports[COMFY]
    answers = {"public_url": ADDRESS, "proxy": "iis", "network": network}
    course = edits.course(outside=answers)
    before = course.look("outside")
    assert before.state == "needed"
    assert not folder(edits).exists()
    assert "HTTP_SEC_WEBSOCKET_EXTENSIONS" in before.diff
    assert any(f"http://{at}:{port}" in line for line in before.proposes)
    words = "\n".join(before.commands)
    shared = str(folder(edits)).replace("/", "\\")
    assert rf"\\wsl.localhost\DISTRIBUTION{shared}\web.config" in words
    for word in ("DNS", "iis-commands.txt", "binding: https", "certificate: ", "login: IIS"):
        assert word in words
    after = course.do("outside")
    assert {str(folder(edits) / name) for name in ("web.config", "iis-commands.txt")} <= set(
        after.wrote
    )
    rule = ET.parse(folder(edits) / "web.config").find(".//rule/action")
    assert rule is not None
    assert rule.attrib["url"] == f"http://{at}:{port}/{{R:1}}"
    # Nobody has that name here: written is not finished, and what is left to do is told.
    assert after.state == "blocked"
    assert any("wacs.exe" in line for line in after.commands)
    again = course.look("outside", anew=True)
    assert again.diff == ""


def test_the_answer_for_the_network_is_proposed_from_what_is_seen(tmp_path: Path) -> None:
    with walk(tmp_path, "edits") as one:
        (one.session().root / "sys/class/net/loopback0").mkdir(parents=True)
        report = one.look("outside", outside={"public_url": ADDRESS, "proxy": "iis"})
        assert asked(report, "outside.network").value == "mirrored"
        assert "http://127.0.0.1:" in report.diff


def test_a_file_that_is_somebody_elses_is_left_as_it_is(edits: Walk, tmp_path: Path) -> None:
    theirs = tmp_path / "site"
    theirs.mkdir()
    (theirs / "web.config").write_text("<configuration/>\n")
    answers = {"public_url": ADDRESS, "proxy": "iis", "folder": str(theirs)}
    report = edits.look("outside", outside=answers)
    assert report.state == "blocked"
    assert f"{theirs}/web.config: somebody else's file" in report.detail
    assert not report.able
    assert (theirs / "web.config").read_text() == "<configuration/>\n"


def test_changes_of_ones_own_stay_and_a_new_port_is_a_diff_with_a_copy(edits: Walk) -> None:
    answers = {"public_url": ADDRESS, "proxy": "caddy", "login": "mira"}
    edits.do("outside", outside=answers)
    file = folder(edits) / "Caddyfile"
    mine = file.read_text().replace("REPLACE_WITH_HASH", "$2a$14$abc") + "# mine\n"
    file.write_text(mine)
    kept = edits.look("outside", outside=answers)
    assert f"{file} has changes of yours, which stay" in kept.found
    assert kept.diff == ""
    port = edits.host.ports[COMFY]
    file.write_text(mine.replace(str(port), "9"))
    course = edits.course(outside=answers)
    moved = course.look("outside")
    assert moved.state == "needed"
    assert re.search(rf"^\+.*:{port}", moved.diff, re.MULTILINE)
    course.do("outside")
    assert "mira $2a$14$abc" in file.read_text()
    (copy,) = folder(edits).glob("Caddyfile.*.bak")
    assert copy.read_text() == mine.replace(str(port), "9")


def test_a_folder_that_cannot_be_written_says_so(edits: Walk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    answers = {"public_url": ADDRESS, "proxy": "nginx", "folder": f"{tmp_path}/file/x"}
    report = edits.do("outside", outside=answers)
    assert report.state == "failed"
    assert "cannot be written" in report.detail
    assert asked(report, "outside.folder").value == f"{tmp_path}/file/x"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"public_url": "https://192.0.2.7"}, "an address of numbers"),
        ({"public_url": "https://example.org/comfy"}, "the path /comfy"),
        ({"public_url": "http://example.org"}, "is plain http"),
        ({"public_url": 'https://a"&calc&".org'}, "is no public address"),
        ({"folder": "site"}, "no absolute path: site"),
        ({"folder": "/mnt/q/inetpub/site"}, "/mnt/q is not there"),
    ],
)
def test_what_no_file_can_be_written_for_is_refused_and_asked_anew(
    edits: Walk, more: dict[str, str], says: str
) -> None:
    answers = {"public_url": ADDRESS, "proxy": "iis", **more}
    report = edits.look("outside", outside=answers)
    assert report.state == "blocked"
    assert says in report.detail
    assert not report.able
    assert asked(report, "outside.folder").value == answers.get("folder", "")


def test_a_service_that_was_not_taken_into_the_config_waits_for_that(edits: Walk) -> None:
    text = edits.config.read_text()
    edits.config.write_text(re.sub(r"^\[services\.[^[]*", "", text, flags=re.MULTILINE))
    report = edits.look("outside", outside={"public_url": ADDRESS})
    assert report.state == "blocked"
    assert "is not in the config" in report.detail


def test_an_address_that_the_config_has_otherwise_is_left(tmp_path: Path) -> None:
    with walk(tmp_path, "outside") as one:
        before = one.config.read_text()
        report = one.look("outside", outside={"public_url": ADDRESS})
        assert report.state == "blocked"
        assert f"the answers say {ADDRESS}" in report.detail
        assert one.config.read_text() == before
        assert asked(report, "existing.replace").value is False
        course = one.course(outside={"public_url": ADDRESS}, existing={"replace": True})
        assert f'+public_url = "{ADDRESS}"' in course.look("outside").diff
        course.do("outside")
        assert load(one.config).settings.services[COMFY].public_url == ADDRESS
        (copy,) = one.config.parent.glob("config.toml.*.bak")
        assert copy.read_text() == before


@pytest.mark.parametrize(
    ("there", "config", "mode", "why"),
    [
        (("eth0", "lo"), "", "nat", "a network of its own"),
        (("loopback0", "eth0", "lo"), "", "mirrored", "mirrored into WSL"),
        ((), "[wsl2]\nnetworkingMode=Mirrored\n", "mirrored", ".wslconfig"),
        (("eth0",), "[wsl2]\nnetworkingMode=mirrored\n", "nat", "after wsl --shutdown"),
        ((), "[wsl2]\n# networkingMode=mirrored\n", "nat", "default"),
    ],
)
def test_how_windows_reaches_wsl_is_seen(
    tmp_path: Path, there: tuple[str, ...], config: str, mode: str, why: str
) -> None:
    for name in there:
        (tmp_path / "sys/class/net" / name).mkdir(parents=True)
    if config:
        user = tmp_path / "mnt/c/Users/mira"
        user.mkdir(parents=True)
        (user / ".wslconfig").write_text(config)
    network = read_network(tmp_path)
    assert network.mode == mode
    assert why in network.why
    assert not network.closed


def test_localhost_that_is_not_forwarded_is_said(tmp_path: Path) -> None:
    with walk(tmp_path, "edits") as one:
        user = one.session().root / "mnt/c/Users/mira"
        user.mkdir(parents=True)
        (user / ".wslconfig").write_text("[wsl2]\nlocalhostForwarding = false\n")
        report = one.look("outside", outside={"public_url": ADDRESS, "proxy": "iis"})
    assert any("localhostForwarding=false" in line for line in report.proposes)


@pytest.mark.parametrize(
    ("network", "says"),
    [("nat", "nobody from outside comes to WSL"), ("mirrored", "New-NetFirewallHyperVRule")],
)
def test_a_proxy_inside_wsl_is_told_what_windows_keeps_from_it(
    edits: Walk, network: str, says: str
) -> None:
    report = edits.look(
        "outside", outside={"public_url": ADDRESS, "proxy": "caddy", "network": network}
    )
    assert says in "\n".join((*report.proposes, *report.commands))
    assert asked(report, "outside.network").value == network


def test_a_login_that_nobody_can_type_is_refused_and_an_empty_one_is_the_usual(
    edits: Walk,
) -> None:
    with pytest.raises(UsageError, match="login cannot be"):
        edits.course(outside={"login": "a { b"})
    report = edits.look("outside", outside={"public_url": ADDRESS, "proxy": "nginx", "login": ""})
    assert any(
        line.endswith("gpuconsole.htpasswd artist  # of apache2-utils") for line in report.commands
    )


@pytest.mark.parametrize(
    ("kind", "says"),
    [("iis", 'bindings:"https/*:8443:x.org"'), ("caddy", "x.org:8443 {"), ("nginx", "listen 8443")],
)
def test_the_files_alone_need_neither_card_nor_models_nor_config(
    tmp_path: Path, kind: str, says: str
) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    told = run(environ, "setup", "files", "--kind", kind, "--host", "x.org:8443")
    assert told.returncode == 0, told.stderr
    assert says in told.stdout
    refused = run(environ, "setup", "files", "--kind", kind, "--host", 'x"&calc&".org')
    assert refused.returncode == 2
    assert "is no public address" in refused.stderr
