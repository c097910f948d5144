"""The doctor on rehearsed hosts: the right root cause first, and nothing on a host that is well."""

from pathlib import Path

import pytest

from actions.doctor.check import Examination
from actions.doctor.examining import examine
from tests.support.edits import edit_host

FIRST = {
    "crash-loop": ("args.unrecognized", "myia-turbo"),
    "oom": ("host.oom-kill", "comfyui-qwen"),
    "driver-mismatch": ("nvml.version-mismatch", "driver"),
    "gpu-blocked": ("nvml.os-blocked", "driver"),
    "no-driver": ("nvml.no-driver", "driver"),
    "no-nvml": ("nvml.lib-not-found", "driver"),
    "no-engine": ("docker.daemon.down", "engine"),
    "engine-denied": ("docker.daemon.permission", "engine"),
    "both-on-one-card": ("service.misplaced", "myia"),
    "hung-service": ("service.segfault", "myia"),
}


def examined(home: Path, scenario: str) -> Examination:
    with edit_host(home, scenario=scenario, pace=1.0) as host:
        *_, whole = examine(host.session())
    assert isinstance(whole, Examination)
    return whole


@pytest.mark.parametrize("scenario", FIRST)
def test_the_root_cause_comes_first(tmp_path: Path, scenario: str) -> None:
    found = examined(tmp_path, scenario).findings
    assert (found[0].id, found[0].subject) == FIRST[scenario]
    assert found[0].severity == "error"
    assert found[0].fix


@pytest.mark.parametrize("scenario", ["studio", "native", "one-card", "old-engine", "empty"])
def test_a_host_that_is_well_gives_no_finding_worth_a_look(tmp_path: Path, scenario: str) -> None:
    whole = examined(tmp_path, scenario)
    assert [(one.id, one.subject) for one in whole.findings if one.severity != "info"] == []
    assert not whole.bad
    assert whole.seconds < 3
