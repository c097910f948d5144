"""An edit is written aside, with a backup, and never over somebody else's."""

import os
import stat
from pathlib import Path

import pytest

from console.compose.edit import CardChange, ComposeEdit, edit_card, restore, write_edit
from console.compose.faults import ComposeError
from console.compose.outside import Outside

TEXT = "services:\n  it:\n    command: x --cuda-device 0\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a compose file that a group may write."""
    path = tmp_path / "compose.yaml"
    path.write_text(TEXT)
    path.chmod(0o664)
    return path


def an_edit() -> ComposeEdit:
    return edit_card(TEXT, "it", CardChange(index=1, gpu_uuid="GPU-1"), Outside())


def test_it_is_written_and_put_back(file: Path) -> None:
    edit = an_edit()
    backup = write_edit(file, edit, "20261127T0300-abc")
    assert file.read_text() == edit.text
    assert backup == file.with_name("compose.yaml.before-20261127T0300-abc")
    assert backup.read_text() == TEXT
    assert [stat.S_IMODE(one.stat().st_mode) for one in (file, backup)] == [0o664, 0o664]
    assert "put back" in restore(file, "20261127T0300-abc", edit.digest)
    assert file.read_text() == TEXT
    assert "as it was" in restore(file, "20261127T0300-abc", edit.digest)
    assert sorted(one.name for one in file.parent.iterdir()) == [file.name, backup.name]


def test_a_file_that_somebody_changed_meanwhile_is_left(file: Path) -> None:
    file.write_text(TEXT + "# mine\n")
    with pytest.raises(ComposeError) as error:
        write_edit(file, an_edit(), "p")
    assert error.value.code == "compose.changed"
    assert file.read_text() == TEXT + "# mine\n"
    assert list(file.parent.iterdir()) == [file]


def test_work_done_after_the_edit_is_not_lost_by_going_back(file: Path) -> None:
    edit = an_edit()
    write_edit(file, edit, "p")
    file.write_text(edit.text + "# mine\n")
    with pytest.raises(ComposeError) as error:
        restore(file, "p", edit.digest)
    assert error.value.code == "compose.changed"
    assert file.read_text().endswith("# mine\n")


def test_there_must_be_a_backup(file: Path) -> None:
    with pytest.raises(ComposeError) as error:
        restore(file, "another")
    assert error.value.code == "compose.no-backup"


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    link = folder / "docker-compose.yaml"
    link.symlink_to(file)
    backup = write_edit(link, an_edit(), "p")
    assert link.is_symlink()
    assert "--cuda-device 1" in file.read_text()
    assert backup.parent == file.parent
    restore(link, "p")
    assert file.read_text() == TEXT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_group_stay(file: Path) -> None:
    os.chown(file, 1234, 2345)
    write_edit(file, an_edit(), "p")
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)
    restore(file, "p")
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)


def test_a_folder_that_cannot_be_written_leaves_all_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("console.files.os.fsync", full)
    with pytest.raises(ComposeError) as error:
        write_edit(file, an_edit(), "p")
    assert error.value.code == "compose.cannot-write"
    assert "No space left" in error.value.title
    assert file.read_text() == TEXT
    assert list(file.parent.iterdir()) == [file]


def test_a_plan_s_id_cannot_lead_elsewhere(file: Path) -> None:
    backup = write_edit(file, an_edit(), "../../etc/x")
    assert backup.parent == file.parent
