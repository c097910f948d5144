"""Compose files of strangers: whatever is in them, looking at them never fails."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.setup.compose_search import published, services_in, variables

KEYS = (
    "image", "container_name", "command", "entrypoint", "environment", "ports", "deploy",
    "network_mode", "resources", "reservations", "devices", "target", "published", "host_ip",
    "comfyui",
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(KEYS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(entry=st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=8))
def test_nothing_that_a_service_may_hold_is_too_odd(entry: dict[str, object]) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "compose.yaml"
        file.write_text(json.dumps({"services": {"comfyui": entry}}))
        for one in services_in(file):
            assert one.kind in {"comfyui", "forge"}
            assert one.compose_file == file
    assert all(isinstance(value, str) for value in variables(entry).values())
    assert all(len(told) > 0 for told in published(entry).values())


@pytest.mark.parametrize(
    ("ports", "found"),
    [
        (["8188:8188"], {8188: ("", 8188)}),
        (["127.0.0.1:9000:8188/tcp"], {8188: ("127.0.0.1", 9000)}),
        (["[::1]:9000:8188"], {8188: ("::1", 9000)}),
        ([{"target": 8188, "published": "9000", "host_ip": "0.0.0.0"}], {8188: ("0.0.0.0", 9000)}),
        (["${PORT:-8188}:8188", "8188", "3000-3005:3000-3005", {"target": 1}], {}),
    ],
)
def test_a_port_is_read_however_it_is_written(
    ports: list[object], found: dict[int, tuple[str, int]]
) -> None:
    assert published({"ports": ports}) == found


def test_true_and_nothing_are_what_compose_makes_of_them() -> None:
    assert variables({"environment": {"A": True, "B": None, "C": 3}}) == {
        "A": "true", "B": "", "C": "3",
    }  # fmt: skip
    assert variables({"environment": ["A=1=2", "B", "C="]}) == {"A": "1=2", "C": ""}
