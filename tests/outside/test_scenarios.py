"""The doctor on rehearsed ways in: the right cause first, and nothing on one that is well."""

from pathlib import Path

import msgspec
import pytest

from actions.doctor.check import Examination
from actions.doctor.examining import examine
from console.simulator.scene import Scene
from tests.support.edits import edit_host
from tests.support.waiting import wait_until

COMFY = "comfyui-qwen"
FIRST = {
    "outside-open": "security.no-login",
    "outside-no-websocket": "http.websocket-refused",
    "outside-compression": "http.arr-ws-compression",
    "outside-expired": "outside.certificate-expired",
    "outside-host": "comfy.origin-403",
    "outside-body-limit": "http.iis-404.13",
    "outside-any-200": "outside.answers-everything",
    "outside-away": "outside.redirect-leaves",
    "outside-no-service": "http.iis-502.3",
}


def examined(home: Path, scenario: str, *only: str) -> Examination:
    with edit_host(home, scenario=scenario, pace=1.0) as host:
        *_, whole = examine(host.session(), only=only)
    assert isinstance(whole, Examination)
    return whole


@pytest.mark.parametrize("scenario", FIRST)
def test_the_cause_comes_first_with_what_showed_it_and_what_to_do(
    tmp_path: Path, scenario: str
) -> None:
    first = examined(tmp_path, scenario, "outside", "security").findings[0]
    assert (first.id, first.subject, first.severity) == (FIRST[scenario], COMFY, "error")
    assert first.evidence
    assert first.fix
    assert first.cause


def test_a_proxy_with_a_login_that_works_gives_no_finding(tmp_path: Path) -> None:
    whole = examined(tmp_path, "outside")
    assert [one.id for one in whole.findings if one.severity != "info"] == []
    assert whole.seconds < 3
    skipped = {one.id: one.title for one in whole.results if one.group == "outside"}
    # Nothing behind the login is looked at, and it says why.
    assert "a login stands before it" in skipped[f"outside.websocket:{COMFY}"]


def test_all_that_browsers_need_passes_where_no_login_is_in_the_way(tmp_path: Path) -> None:
    whole = examined(tmp_path, "outside-open", "outside")
    assert whole.findings == ()
    told = {one.id.partition(":")[0]: one for one in whole.results if one.id.endswith(COMFY)}
    assert {one.state for one in told.values()} == {"pass"}
    assert "first status frame has arrived, compressed" in told["outside.websocket"].title
    assert "32.0 MiB" in told["outside.upload"].title


def test_without_a_public_address_it_says_why_nothing_was_looked_at(tmp_path: Path) -> None:
    (only,) = [
        one for one in examined(tmp_path, "edits", "outside").results if one.group == "outside"
    ]
    assert (only.id, only.state) == ("outside.address", "skip")
    assert "no service has public_url" in only.title


def test_the_login_of_ai_docks_front_leads_out_of_the_proxy(tmp_path: Path) -> None:
    first = examined(tmp_path, "outside-login-leaves", "outside").findings[0]
    assert (first.id, first.subject) == ("http.aidock-login-redirect", "myia")
    assert ":1111/login" in first.title
    assert any("WEB_ENABLE_AUTH=false" in one for one in first.fix)


def test_an_open_forge_tells_its_command_line_and_the_missing_login_is_the_root(
    tmp_path: Path,
) -> None:
    whole = examined(tmp_path, "outside-forge-open", "security")
    roots = [(one.id, one.subject) for one in whole.findings if not one.consequence_of]
    assert roots == [("security.no-login", "myia")]
    assert {one.id for one in whole.findings if one.consequence_of} == {
        "security.cmd-flags-open", "security.sysinfo-open",
    }  # fmt: skip


def test_a_service_that_died_explains_why_the_proxy_finds_nobody(tmp_path: Path) -> None:
    def for_good(scene: Scene) -> Scene:
        spec = msgspec.structs.replace(scene.containers[COMFY], restart="no")
        return msgspec.structs.replace(scene, containers={**scene.containers, COMFY: spec})

    with edit_host(tmp_path, scenario="outside-open", pace=1.0, change=for_good) as host:
        host.control("die", container=COMFY, value=139)
        *_, whole = examine(host.session())
    assert isinstance(whole, Examination)
    found = {one.id: one for one in whole.findings if one.subject == COMFY}
    assert found["http.iis-502.3"].consequence_of == whole.findings[0].id
    assert whole.findings[0].id.startswith("container.")


def test_a_service_that_was_stopped_is_no_fault_of_the_proxy(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="outside-open", pace=1.0) as host:
        host.control("stop", container=COMFY)
        wait_until(lambda: not host.actor().alive)
        *_, whole = examine(host.session(), only=("outside",))
    assert isinstance(whole, Examination)
    assert [(one.id, one.severity) for one in whole.findings] == [("http.iis-502.3", "info")]
    assert "is stopped" in whole.findings[0].title
