"""A process is put down to its container by its cgroup, in every layout an engine uses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.host.cgroup import container_of, containers_of, ids_in
from console.unknown import Unknown

A, B = "a1" * 32, "b2" * 32

LAYOUTS = [
    (f"0::/system.slice/docker-{A}.scope", (A,)),
    (f"0::/docker/{A}", (A,)),
    (f"0::/docker/{A}/init.scope", (A,)),
    (f"12:memory:/docker/{A}\n11:cpu,cpuacct:/docker/{A}\n1:name=systemd:/docker/{A}", (A,)),
    (f"12:memory:/\n1:name=systemd:/system.slice/docker-{A}.scope\n0::/", (A,)),
    (f"0::/../docker-{A}.scope", (A,)),
    (f"0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker-{A}.scope", (A,)),
    (f"0::/machine.slice/libpod-{A}.scope/container", (A,)),
    (f"0::/libpod_parent/libpod-{A}", (A,)),
    (f"0::/kubepods.slice/kubepods-podab.slice/cri-containerd-{A}.scope", (A,)),
    (f"4:pids:/kubepods/besteffort/pod1b2c/{A}", (A,)),
    (f"0::/kubepods-burstable.slice:cri-containerd:{A}", (A,)),
    (f"0::/docker/{A}/docker/{B}", (A, B)),
    (f"0::/system.slice/docker-{A}.scope/kubepods/pod1/{B}", (A, B)),
    (f"0::/machine.slice/libpod-conmon-{A}.scope", ()),
    ("0::/user.slice/user-1000.slice/session-3.scope", ()),
    ("0::/", ()),
    ("", ()),
    (f"0::/docker/{A[:-1]}", ()),
    (f"0::/docker/{A}0", ()),
    (f"0::/docker/{A.upper()}", ()),
    (f"garbage {A}", ()),
    ("0::/system.slice/docker.service", ()),
    ("4:memory:/process_api/e473fe04aec2b80079c4c8ae6104f1cd", ()),
]


@pytest.mark.parametrize(("text", "ids"), LAYOUTS)
def test_every_layout_is_understood(text: str, ids: tuple[str, ...], tmp_path: Path) -> None:
    process = tmp_path / "proc/42"
    process.mkdir(parents=True)
    (process / "cgroup").write_text(text)
    assert containers_of(42, tmp_path) == ids
    assert container_of(42, tmp_path) == (ids[0] if ids else None)


def test_a_process_that_ended_is_unknown_not_outside(tmp_path: Path) -> None:
    for pid in (42, 0, -1):
        answer = container_of(pid, tmp_path)
        assert isinstance(answer, Unknown)
        assert answer.code == "process.gone"


def test_a_cgroup_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "proc/42/cgroup").mkdir(parents=True)
    answer = container_of(42, tmp_path)
    assert isinstance(answer, Unknown)
    assert answer.code == "cgroup.unreadable"


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    process = tmp_path / "proc/7"
    process.mkdir(parents=True)
    (process / "cgroup").write_bytes(b"\xff\x00\n0::/docker/" + A.encode() + b"\n\xfe")
    assert container_of(7, tmp_path) == A


@given(st.text())
def test_garbage_gives_ids_or_nothing(text: str) -> None:
    assert all(len(found) == 64 for found in ids_in(text))


def test_our_own_process_has_an_answer() -> None:
    import os

    assert not isinstance(containers_of(os.getpid(), Path("/")), Unknown)
