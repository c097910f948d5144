"""A compose file that is missing, wrong, or does not have that service."""

import os
from pathlib import Path

import pytest

from console.compose.faults import ComposeError
from console.compose.project import Project, read_service

GOOD = """
x-base: &base
  image: base:1
services:
  comfyui:
    <<: *base
    container_name: comfyui-qwen
    command: python main.py
  forge:
    extends: {file: common.yaml, service: sd}
  nothing:
"""


def refused(file: Path, service: str = "comfyui") -> ComposeError:
    with pytest.raises(ComposeError) as error:
        read_service(file, service)
    assert "\n" not in error.value.title
    return error.value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a compose file as people write them."""
    path = tmp_path / "docker-compose.yaml"
    path.write_text(GOOD)
    return path


def test_what_it_says_of_a_service(file: Path) -> None:
    service = read_service(file, "comfyui")
    assert (service.image, service.container_name) == ("base:1", "comfyui-qwen")
    assert service.project == Project(files=(file,))
    assert service.project.place == file.parent
    assert read_service(file, "forge").extends == "sd of common.yaml"


def test_a_missing_file_and_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.yaml").code == "compose.file-missing"
    assert refused(tmp_path / "no" / "such" / "gone.yaml").code == "compose.file-missing"
    assert refused(tmp_path).code == "compose.unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(file: Path) -> None:
    file.chmod(0)
    assert refused(file).code == "compose.unreadable"


def test_a_pipe_does_not_hang_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").code == "compose.unreadable"


def test_a_giant_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * (2 << 20))
    assert refused(tmp_path / "big.yaml").code == "compose.too-big"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services:\n  a:\n    image: [x\n  b: y\n", 4),
        ("services:\n\ta: b\n", 2),
        ("services:\n  a: {}\n  a: {}\n", 3),
        ("services:\n  a:\n    x: *nowhere\n", 3),
        ("services:\n  comfyui: hello\n", 2),
        ("services: {}\n---\nservices: {}\n", 2),
        ("services:\n  a: 'no end\n", 3),
    ],
)
def test_what_is_no_yaml_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "c.yaml").write_text(text)
    error = refused(tmp_path / "c.yaml")
    assert error.code == "compose.invalid"
    assert f"line {line}:" in error.title


@pytest.mark.parametrize(
    "data",
    [b"", b"just text", b"- a\n- b\n", b"version: '3'\n", b"services: [a]\n", b"services:\n",
     b"\xff\xfe\x00", b"services:\n  comfyui: {image: '\xe9'}\n", b"[" * 5000, b"{a: " * 5000],
)  # fmt: skip
def test_what_has_no_services_is_invalid(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "c.yaml").write_bytes(data)
    assert refused(tmp_path / "c.yaml").code == "compose.invalid"


def test_a_service_that_is_not_there_is_answered_with_the_nearest(file: Path) -> None:
    error = refused(file, "comfyiu")
    assert (error.code, error.hint) == ("compose.no-service", "Did you mean comfyui?")
    error = refused(file, "zzz")
    assert error.hint == "It has comfyui, forge, nothing"
    assert refused(file, "nothing").code == "compose.invalid"


def test_names_from_files_are_clean(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text('services:\n  "a\\e[2Jb": {}\n')
    error = refused(tmp_path / "c.yaml", "x\x1b[2J")
    assert "\x1b" not in error.title + error.hint


def test_ten_thousand_aliases_of_aliases_are_no_bomb(tmp_path: Path) -> None:
    levels = "\n".join(
        f"x-{number}: &x{number} [{', '.join([f'*x{number - 1}'] * 9)}]" for number in range(1, 12)
    )
    (tmp_path / "c.yaml").write_text(f"x-0: &x0 [lol]\n{levels}\nservices:\n  comfyui: {{}}\n")
    assert read_service(tmp_path / "c.yaml", "comfyui").name == "comfyui"
