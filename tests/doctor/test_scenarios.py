"""The doctor on rehearsed hosts: the right root cause first, and nothing on a host that is well."""

from pathlib import Path

import msgspec
import pytest

from actions.doctor.check import Examination
from actions.doctor.examining import examine
from console.simulator.scenario import drill_names, load_scenario
from console.simulator.scene import Scene
from tests.support.edits import edit_host

PROMISED = {
    "no toolkit": "no-toolkit",
    "driver mismatch": "driver-mismatch",
    "a lost card": "gpu-lost",
    "both Forges on one card": "both-on-one-card",
    "out of memory while loading": "load-oom",
    "out of memory in the VAE": "decode-oom",
    "a crash loop after an update": "bad-update",
    "a dead Forge in a running ai-dock": "dead-forge",
    "a login in the way": "needs-auth",
    "a port that is taken": "port-taken",
    "a truncated model": "truncated-model",
    "a model in the wrong folder": "wrong-folder",
    "a missing mmproj": "no-mmproj",
    "a full disk": "disk-full",
    "WSL out of memory": "oom",
    "a hub that stalls": "hub-stall",
    "a proxy without WebSocket": "outside-no-websocket",
    "an expired certificate": "outside-expired",
}
MILD = {"needs-auth"}
"""Where the service itself is well, and only our way to it is not."""

OPEN = "security.no-login"
"""What is wrong besides with proxies that ask for no login."""

WELL = ["studio", "native", "one-card", "old-engine", "empty", "edits", "two-comfyuis", "outside"]


def without_script(scene: Scene) -> Scene:
    """Give a scene in which nothing happens by itself."""
    return msgspec.structs.replace(scene, script=())


def examined(home: Path, scenario: str) -> Examination:
    """Examine a host on which what the script does has just happened, and stays so."""
    with edit_host(home, scenario=scenario, pace=1.0, change=without_script) as host:
        for cue in load_scenario(scenario).script:
            if cue.do != "card-heal":
                facts = msgspec.structs.asdict(cue)
                wanted = ("container", "card", "error", "value")
                host.control(cue.do, **{name: facts[name] for name in wanted})
        *_, whole = examine(host.session())
    assert isinstance(whole, Examination)
    return whole


def test_every_promised_fault_is_among_the_drills() -> None:
    assert {*PROMISED.values()} <= {*drill_names()}


@pytest.mark.parametrize("scenario", [*drill_names(), "hung-service"])
def test_the_root_cause_comes_first_and_all_else_that_is_wrong_follows_from_it(
    tmp_path: Path, scenario: str
) -> None:
    drill = load_scenario(scenario).drill
    wanted = (drill.finding, drill.subject) if drill else ("service.segfault", "myia")
    whole = examined(tmp_path, scenario)
    first = whole.findings[0]
    assert (first.id, first.subject) == wanted
    assert first.severity == ("warning" if scenario in MILD else "error")
    assert whole.bad == (scenario not in MILD)
    assert first.current
    assert not first.consequence_of
    assert first.fix
    assert first.evidence
    if drill is not None:
        errors = [one for one in whole.findings if one.severity == "error"]
        roots = {one.id for one in errors if not one.consequence_of}
        assert roots <= {first.id, OPEN}


@pytest.mark.parametrize("scenario", WELL)
def test_a_host_that_is_well_gives_no_finding_worth_a_look(tmp_path: Path, scenario: str) -> None:
    whole = examined(tmp_path, scenario)
    assert [(one.id, one.subject) for one in whole.findings if one.severity != "info"] == []
    assert not whole.bad
    assert whole.seconds < 3
