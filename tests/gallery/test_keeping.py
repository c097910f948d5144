"""Pictures of edits on the operator's disk."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.clock import HeldClock, SystemClock
from console.edits.keeping import INPUTS, EditKeepError, KeptFiles
from console.edits.kept import KeptPicture
from console.edits.measuring import measure
from console.edits.recipe import recipe_of
from tests.gallery.disk import make_read_only, small_disk
from tests.gallery.pictures import a_picture, a_png_with
from tests.support.waiting import wait_until

AT = datetime(2026, 11, 27, 9, 15, 30, tzinfo=UTC)
EDIT = "20261127T091530-a1b2c3"


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def files_at(root: Path) -> KeptFiles:
    return KeptFiles(root, SystemClock())


def keep(
    files: KeptFiles, data: bytes, number: int = 0, workflow: str = "single-edit"
) -> KeptPicture:
    return files.keep_output(data, at=AT, workflow=workflow, edit_id=EDIT, number=number)


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_results_lie_by_date_for_nobody_else_to_see(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        kept = keep(files_at(tmp_path / "data" / "out"), a_picture())
    finally:
        os.umask(before)
    path = Path(kept.path)
    out = tmp_path / "data" / "out"
    assert path == out / "2026-11-27" / "091530-single-edit-a1b2c3.png"
    assert path.read_bytes() == a_picture()
    assert [path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777] == [0o600, 0o700]
    assert [level.stat().st_mode & 0o777 for level in (out, out.parent)] == [0o700, 0o700]
    assert kept.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (kept.width, kept.height, kept.media) == (7, 5, "image/png")


def test_several_results_of_one_edit_are_numbered(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    names = [Path(keep(files, a_picture(shade=n), n).path).name for n in range(3)]
    assert names == [
        "091530-single-edit-a1b2c3.png",
        "091530-single-edit-a1b2c3-2.png",
        "091530-single-edit-a1b2c3-3.png",
    ]


def test_collecting_once_more_after_a_crash_makes_no_second_file(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    first, again = keep(files, a_picture()), keep(files, a_picture())
    assert first == again
    assert everything(tmp_path) == {"2026-11-27", "2026-11-27/091530-single-edit-a1b2c3.png"}


def test_another_file_of_the_name_is_never_replaced(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    first = keep(files, a_picture(shade=1))
    second = keep(files, a_picture(shade=2))
    assert Path(second.path).name == "091530-single-edit-a1b2c3.2.png"
    assert Path(first.path).read_bytes() == a_picture(shade=1)


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    day = tmp_path / "out" / "2026-11-27"
    day.mkdir(parents=True)
    (day / "091530-single-edit-a1b2c3.png").symlink_to(precious)
    kept = keep(files_at(tmp_path / "out"), a_picture())
    assert precious.read_text() == "mine"
    assert Path(kept.path).name == "091530-single-edit-a1b2c3.2.png"


def test_a_days_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "2026-11-27").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EditKeepError) as caught:
        keep(files_at(tmp_path / "out"), a_picture())
    assert caught.value.code == "edits.not-ours"
    assert everything(tmp_path / "elsewhere") == set()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workflow=st.text(max_size=300), edit_id=st.text(max_size=60))
def test_no_name_of_a_workflow_leaves_the_folder(
    tmp_path: Path, workflow: str, edit_id: str
) -> None:
    kept = files_at(tmp_path).keep_output(
        a_picture(), at=AT, workflow=workflow, edit_id=edit_id, media="image/png"
    )
    path = Path(kept.path)
    assert path.parent == tmp_path / "2026-11-27"
    assert path.resolve() == path
    assert path.name.isascii()
    assert path.name.isprintable()
    assert ".." not in path.name
    assert len(path.name) < 100


@pytest.mark.parametrize("name", ["../../etc/cron", "a b'\"\n", ".hidden", "", "x" * 300, "/"])
def test_odd_names_of_workflows(tmp_path: Path, name: str) -> None:
    kept = keep(files_at(tmp_path), a_picture(), workflow=name)
    assert Path(kept.path).parent == tmp_path / "2026-11-27"


def test_what_is_no_picture_is_kept_as_what_it_is(tmp_path: Path) -> None:
    kept = keep(files_at(tmp_path), b"<html>no picture</html>")
    assert (Path(kept.path).suffix, kept.width, kept.height) == (".bin", None, None)


def test_an_input_is_kept_once_for_all_edits(tmp_path: Path) -> None:
    files, data = files_at(tmp_path), a_picture()
    first = files.keep_input(data, "image/png", "/home/me/cat.png", 0)
    second = files.keep_input(data, "image/png", "/home/me/copy of cat.png", 1)
    assert first.path == second.path == str(tmp_path / INPUTS / f"{first.sha256}.png")
    assert second.source == "/home/me/copy of cat.png"
    assert files.input_of(first.sha256) == Path(first.path)
    assert Path(first.path).stat().st_mode & 0o777 == 0o600
    assert files.input_of("../../etc/passwd") is None


def test_many_consoles_keep_the_same_at_once(tmp_path: Path) -> None:
    data = a_picture() + bytes(100_000)
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: files_at(tmp_path).keep_input(data, "image/png", "c", 0),
                             range(40)))  # fmt: skip
        results = list(pool.map(lambda _: keep(files_at(tmp_path), data), range(40)))
    assert len({one.path for one in kept}) == len({one.path for one in results}) == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_an_input_that_is_kept_already_needs_no_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        files, data = files_at(disk), a_picture() + bytes(300_000)
        kept = files.keep_input(data, "image/png", "cat.png", 0)
        (disk / "ballast").write_bytes(bytes(700_000))
        assert files.keep_input(data, "image/png", "cat.png", 0) == kept


def test_a_kept_input_that_was_damaged_is_put_right(tmp_path: Path) -> None:
    files, data = files_at(tmp_path), a_picture()
    kept = files.keep_input(data, "image/png", "/home/me/cat.png", 0)
    Path(kept.path).write_bytes(data[:20])
    assert files.keep_input(data, "image/png", "/home/me/cat.png", 0) == kept
    assert Path(kept.path).read_bytes() == data
    assert everything(tmp_path) == {INPUTS, f"{INPUTS}/{kept.sha256}.png"}


def test_a_full_disk_leaves_nothing_half_and_takes_it_later(tmp_path: Path) -> None:
    big = a_picture() + bytes(600_000)
    with small_disk(tmp_path / "disk") as disk:
        (disk / "ballast").write_bytes(bytes(700_000))
        with pytest.raises(EditKeepError) as caught:
            keep(files_at(disk / "out"), big)
        assert caught.value.code == "edits.disk-full"
        assert "586 KiB" in caught.value.title
        assert "gallery collect" in caught.value.hint
        assert [path for path in disk.rglob("*") if path.is_file()] == [disk / "ballast"]
        (disk / "ballast").unlink()
        assert Path(keep(files_at(disk / "out"), big).path).read_bytes() == big


def test_a_read_only_disk_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        make_read_only(disk)
        with pytest.raises(EditKeepError) as caught:
            keep(files_at(disk / "out"), a_picture())
    assert caught.value.code == "edits.read-only"


def test_a_disk_that_is_not_mounted_is_not_written_to_its_mount_point(tmp_path: Path) -> None:
    files = KeptFiles(tmp_path / "mnt" / "gone" / "out", SystemClock(), make_root=False)
    with pytest.raises(EditKeepError) as caught:
        keep(files, a_picture())
    assert caught.value.code == "edits.folder-gone"
    assert everything(tmp_path) == set()


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(EditKeepError) as caught:
        keep(files_at(tmp_path / "out"), a_picture())
    assert caught.value.code == "edits.folder-gone"


def test_killed_while_writing_leaves_no_picture_that_is_half(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from console.clock import SystemClock; from console.edits.keeping import KeptFiles\n"
        "files = KeptFiles(Path(sys.argv[1]), SystemClock())\n"
        "for n in range(100000):\n"
        "    data = n.to_bytes(8, 'big') * 200_000\n"
        "    files.keep_output(data, at=datetime.now(UTC), workflow='w', edit_id='e', number=n)\n"
    )
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
        wait_until(lambda: len(list(tmp_path.glob("*/*.bin"))) > 2)
        child.send_signal(signal.SIGKILL)
        child.wait()
        for path in tmp_path.glob("*/*.bin"):
            data = path.read_bytes()
            assert len(data) == 1_600_000
            assert data == data[:8] * 200_000
            path.unlink()


def test_what_a_killed_write_left_goes_after_an_hour(tmp_path: Path) -> None:
    clock = HeldClock(datetime.now(UTC))
    files = KeptFiles(tmp_path, clock)
    keep(files, a_picture())
    left = tmp_path / "2026-11-27" / ".123-abc.gpuconsole-part"
    left.write_bytes(b"half")
    keep(files, a_picture(shade=2), 1)
    assert left.exists()
    clock.advance(3700)
    keep(files, a_picture(shade=3), 2)
    assert not left.exists()


def test_copies_go_where_they_are_wanted(tmp_path: Path) -> None:
    files = files_at(tmp_path / "out")
    kept = keep(files, a_picture())
    there = tmp_path / "for grandma" / "new"
    first = files.copy_to(kept, there)
    assert files.copy_to(kept, there) == first == there / Path(kept.path).name
    assert first.read_bytes() == a_picture()
    first.write_bytes(b"drawn over")
    assert files.copy_to(kept, there) == there / "091530-single-edit-a1b2c3.2.png"
    assert first.read_bytes() == b"drawn over"


def test_what_is_missing_or_was_changed_is_not_copied(tmp_path: Path) -> None:
    files = files_at(tmp_path / "out")
    kept = keep(files, a_picture())
    data = bytearray(a_picture())
    data[-20] ^= 1
    Path(kept.path).write_bytes(data)
    with pytest.raises(EditKeepError) as caught:
        files.copy_to(kept, tmp_path / "copies")
    assert caught.value.code == "edits.changed"
    Path(kept.path).unlink()
    with pytest.raises(EditKeepError) as caught:
        files.copy_to(kept, tmp_path / "copies")
    assert caught.value.code == "edits.missing"
    assert not (tmp_path / "copies").exists()


def test_a_pipe_in_a_pictures_place_does_not_hang(tmp_path: Path) -> None:
    files = files_at(tmp_path / "out")
    kept = keep(files, a_picture())
    Path(kept.path).unlink()
    os.mkfifo(kept.path)
    with pytest.raises(EditKeepError) as caught:
        files.read(kept)
    assert caught.value.code == "edits.unreadable"


def test_removal_takes_the_file_and_the_empty_day(tmp_path: Path) -> None:
    files = files_at(tmp_path)
    kept = keep(files, a_picture())
    other = keep(files, a_picture(shade=2), 1)
    assert files.remove(kept)
    assert everything(tmp_path) == {"2026-11-27", f"2026-11-27/{Path(other.path).name}"}
    assert not files.remove(kept)
    assert files.remove(other)
    assert everything(tmp_path) == set()


def test_only_what_lies_below_the_folder_and_was_kept_is_removed(tmp_path: Path) -> None:
    files, data = files_at(tmp_path / "out"), a_picture()
    kept = keep(files, data)
    own = tmp_path / "own.png"
    own.write_bytes(data)
    (tmp_path / "out" / "way-out").symlink_to(tmp_path)
    for path in (
        own,
        tmp_path / "out" / ".." / "own.png",
        tmp_path / "out" / "way-out" / "own.png",
    ):
        aimed = KeptPicture(role="output", number=0, path=str(path), sha256=kept.sha256,
                            size=len(data))  # fmt: skip
        with pytest.raises(EditKeepError) as caught:
            files.remove(aimed)
        assert caught.value.code == "edits.not-ours"
    Path(kept.path).write_bytes(data[::-1])
    with pytest.raises(EditKeepError) as caught:
        files.remove(kept)
    assert caught.value.code == "edits.changed"
    assert own.read_bytes() == data


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@given(width=st.integers(1, 300), height=st.integers(1, 300))
@settings(max_examples=15, deadline=None)
def test_width_and_height_by_the_header_alone(kind: str, width: int, height: int) -> None:
    assert measure(a_picture(kind, (width, height))) == (width, height)


@given(data=st.binary(max_size=60), head=st.sampled_from(
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"GIF89a"]))  # fmt: skip
def test_a_header_that_makes_no_sense_has_no_size(head: bytes, data: bytes) -> None:
    size = measure(head + data)
    assert size is None or min(size) > 0


def test_a_recipe_is_put_in_where_it_lacks(tmp_path: Path) -> None:
    kept = files_at(tmp_path).keep_output(
        a_picture(), at=AT, workflow="w", edit_id=EDIT, recipe={"edit": EDIT, "format": 1}
    )
    assert recipe_of(Path(kept.path)) == {"gpuconsole": {"edit": EDIT, "format": 1}}
    assert kept.sha256 == hashlib.sha256(Path(kept.path).read_bytes()).hexdigest()


def test_bytes_of_a_service_that_wrote_our_recipe_are_kept_as_they_are(tmp_path: Path) -> None:
    recipe = {
        "edit": EDIT,
        "request": {"prompt": "caf\u00e9 \U0001f4f7", "cfg": 1.0, "steps": None},
    }
    theirs = a_png_with({"prompt": "{}", "gpuconsole": json.dumps(recipe)})
    kept = files_at(tmp_path).keep_output(theirs, at=AT, workflow="w", edit_id=EDIT, recipe=recipe)
    assert Path(kept.path).read_bytes() == theirs
    other = files_at(tmp_path).keep_output(
        theirs, at=AT, workflow="w", edit_id="another", recipe={"edit": "another"}
    )
    assert recipe_of(Path(other.path)) == {"prompt": {}, "gpuconsole": {"edit": "another"}}
