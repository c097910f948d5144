"""What happens to the disk in the middle: full, read-only, gone, changed, rebooted."""

import contextlib
import errno
import os
import subprocess
from pathlib import Path

import pytest

from console.transfer.faults import Stopped, TransferFault
from console.transfer.part import find_parts, part_name, part_of
from console.transfer.wanted import Progress
from tests.transfer.conftest import MIB, NAME, Scene, mount, scene_of, small_disk


def pause_half_way(scene: Scene, boot_id: str = "", after: int = 16 * MIB) -> int:
    with pytest.raises(Stopped):
        scene.fetch(
            until=lambda now: "pause" if now.done > after else "",
            limit=lambda: 40 * MIB,
            boot_id=boot_id,
        )
    scene.told.clear()
    facts = part_of(scene.final, boot_id)
    assert facts is not None
    return facts.done


def test_too_little_room_is_refused_before_the_first_byte(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24 * MIB) as disk, scene_of(disk) as scene:
        with pytest.raises(TransferFault) as refused:
            scene.fetch()
        assert refused.value.code == "transfer.disk-full"
        assert "40.0 MiB to go" in refused.value.title
        assert "24.0 MiB free" in refused.value.title or "23.9 MiB free" in refused.value.title
        assert scene.served() == 0


def test_a_disk_that_fills_up_in_the_middle_keeps_the_part(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * MIB) as disk, scene_of(disk / "models") as scene:
        other = disk / "somebody-elses"

        def fill(progress: Progress) -> str:
            if progress.done > 8 * MIB and not other.exists():
                free = os.statvfs(disk).f_bavail * 4096
                other.write_bytes(b"x" * (free - 4 * MIB))
            return ""

        with pytest.raises(TransferFault) as full:
            scene.fetch(until=fill, limit=lambda: 40 * MIB)
        assert full.value.code == "transfer.disk-full"
        assert "to go" in full.value.title
        assert not scene.final.exists()
        kept = part_of(scene.final)
        assert kept is not None
        assert kept.done > 0
        other.unlink()
        placed = scene.fetch()
        assert placed.resumed_from == kept.done
        assert scene.is_right()
        assert scene.served() <= scene.body.size + 16 * MIB


def test_a_read_only_disk_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * MIB) as disk, scene_of(disk / "models") as scene:
        done = pause_half_way(scene)
        assert mount("-o", "remount,ro", disk) == 0
        with pytest.raises(TransferFault) as refused:
            scene.fetch()
        assert refused.value.code == "transfer.read-only"
        assert str(scene.folder) in refused.value.title
        assert mount("-o", "remount,rw", disk) == 0
        assert scene.fetch().resumed_from == done


def test_a_folder_that_vanishes_is_noticed_and_not_made_again(scene: Scene) -> None:
    away = scene.folder.with_name("away")

    def take_away(progress: Progress) -> str:
        if progress.done > 8 * MIB and not away.exists():
            scene.folder.rename(away)
        return ""

    with pytest.raises(TransferFault) as gone:
        scene.fetch(until=take_away, limit=lambda: 10 * MIB)
    assert gone.value.code == "transfer.folder-gone"
    assert not scene.folder.exists()
    away.rename(scene.folder)
    assert scene.fetch().resumed_from >= 8 * MIB
    assert scene.is_right()


def test_a_disk_that_is_unmounted_in_the_middle(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * MIB) as disk, scene_of(disk / "models") as scene:

        def unmount(progress: Progress) -> str:
            if progress.done > 8 * MIB and scene.folder.exists():
                subprocess.run(["umount", "--lazy", str(disk)], check=True)
            return ""

        with pytest.raises(TransferFault) as gone:
            scene.fetch(until=unmount, limit=lambda: 10 * MIB)
        assert gone.value.code == "transfer.folder-gone"
        assert list(disk.iterdir()) == []


def test_a_file_that_took_the_name_meanwhile_is_left_alone(scene: Scene) -> None:
    def take_the_name(progress: Progress) -> str:
        if progress.done > 8 * MIB and not scene.final.exists():
            scene.final.write_bytes(b"somebody else's")
        return ""

    with pytest.raises(TransferFault) as taken:
        scene.fetch(until=take_the_name, limit=lambda: 80 * MIB)
    assert taken.value.code == "transfer.exists"
    assert scene.final.read_bytes() == b"somebody else's"
    with pytest.raises(TransferFault, match="another file"):
        scene.fetch()
    scene.final.unlink()
    before = scene.served()
    scene.fetch()
    assert scene.is_right()
    assert scene.served() == before


def test_a_broken_link_with_the_name_is_not_followed(scene: Scene, tmp_path: Path) -> None:
    scene.folder.mkdir()
    scene.final.symlink_to(tmp_path / "nowhere")
    with pytest.raises(TransferFault, match="another file"):
        scene.fetch()
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_the_place_of_the_part_is_not_followed(scene: Scene, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    scene.folder.mkdir()
    (scene.folder / part_name(NAME)).symlink_to(victim)
    with pytest.raises(TransferFault):
        scene.fetch()
    assert victim.read_bytes() == b"precious"


def test_a_part_that_somebody_changed_is_found_out_and_fetched_again(scene: Scene) -> None:
    pause_half_way(scene)
    with (scene.folder / part_name(NAME)).open("r+b") as part:
        part.seek(MIB)
        part.write(b"changed behind our back")
    scene.fetch()
    assert scene.is_right()


def test_bytes_that_somebody_changes_after_they_were_hashed_get_no_name(scene: Scene) -> None:
    changed: list[Path] = []

    def change(progress: Progress) -> str:
        if progress.done > 20 * MIB and not changed:
            changed.append(scene.folder / part_name(NAME))
            with changed[0].open("r+b") as part:
                part.write(b"changed behind our back")
        return ""

    placed = scene.fetch(until=change, limit=lambda: 40 * MIB)
    assert scene.is_right()
    assert placed.fetched == 2 * scene.body.size
    notes = [told.note for told in scene.told]
    assert any("somebody wrote to it" in note for note in notes)
    assert any("fetched once more" in note and scene.body.sha256 in note for note in notes)


def test_who_only_reads_a_part_costs_nothing(scene: Scene) -> None:
    read: list[int] = []

    def look(progress: Progress) -> str:
        if progress.done > 20 * MIB:
            read.append(len((scene.folder / part_name(NAME)).read_bytes()[:1]))
        return ""

    scene.fetch(until=look, limit=lambda: 40 * MIB)
    assert read
    assert not any("wrote" in told.note for told in scene.told)


def test_a_disk_that_takes_nothing_at_the_end_is_not_believed_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fails)
        with pytest.raises(TransferFault) as failed:
            scene.fetch()
    assert failed.value.code == "transfer.disk-error"
    assert not scene.final.exists()
    # What the kernel dropped still looks right in memory, until it is read from the disk.
    assert scene.fetch().resumed_from == 0
    assert scene.is_right()


def test_a_part_of_another_length_is_begun_anew(scene: Scene) -> None:
    pause_half_way(scene)
    for length in (60 * MIB, 10 * MIB, 0):
        os.truncate(scene.folder / part_name(NAME), length)
        assert part_of(scene.final).done == 0  # type: ignore[union-attr]
    assert scene.fetch().resumed_from == 0
    assert scene.is_right()


@pytest.mark.parametrize("to_whole", [False, True], ids=["shortened", "shortened and made whole"])
def test_a_part_that_is_shortened_while_it_comes(scene: Scene, to_whole: bool) -> None:
    cut: list[int] = []

    def shorten(progress: Progress) -> str:
        if progress.done > 20 * MIB and not cut:
            cut.append(1)
            os.truncate(scene.folder / part_name(NAME), 5 * MIB)
            if to_whole:
                with (scene.folder / part_name(NAME)).open("r+b") as part:
                    part.truncate(scene.body.size)
        return ""

    with contextlib.suppress(TransferFault):
        scene.fetch(until=shorten, limit=lambda: 20 * MIB)
        assert scene.is_right()
    if not scene.final.exists():
        scene.fetch()
    assert scene.is_right()


def test_a_damaged_map_means_that_nothing_is_known(scene: Scene) -> None:
    done = pause_half_way(scene)
    chart = find_parts(scene.folder)[0].map
    good = chart.read_bytes()
    for damaged in (b"", good[:100], b"x" + good[1:], None):
        chart.write_bytes(good)
        assert part_of(scene.final).done == done  # type: ignore[union-attr]
        if damaged is None:
            chart.unlink()
        else:
            chart.write_bytes(damaged)
        assert part_of(scene.final).done == 0  # type: ignore[union-attr]
    assert scene.fetch().resumed_from == 0
    assert scene.is_right()


def test_after_a_reboot_only_what_the_disk_confirmed_counts(scene: Scene) -> None:
    done = pause_half_way(scene, boot_id="first", after=2 * MIB)
    # Paused in good order: all of it was confirmed.
    assert part_of(scene.final, "second").done == done  # type: ignore[union-attr]
    more = pause_half_way(scene, boot_id="first", after=done + 2 * MIB)
    chart = find_parts(scene.folder)[0].map
    assert more > done
    raw = bytearray(chart.read_bytes())
    raw[8192:] = bytes(len(raw) - 8192)  # as if the machine had gone down before the first sync
    chart.write_bytes(raw)
    assert part_of(scene.final, "first").done == more  # type: ignore[union-attr]
    assert part_of(scene.final, "second").done == 0  # type: ignore[union-attr]
    assert scene.fetch(boot_id="second").resumed_from == 0
    assert scene.is_right()


def test_a_link_made_before_the_crash_is_finished(scene: Scene) -> None:
    # Where the file system renames by linking and unlinking, a crash may leave both names.
    pause_half_way(scene)
    part = scene.folder / part_name(NAME)
    os.link(part, scene.final)
    scene.fetch()
    assert scene.is_right()
    assert scene.names() == [NAME]


def test_a_folder_of_somebody_else(scene: Scene) -> None:
    scene.folder.parent.joinpath("file").write_bytes(b"")
    with pytest.raises(TransferFault) as refused:
        scene.fetch(wanted=scene.wanted(path=scene.folder.parent / "file" / NAME))
    assert refused.value.code == "transfer.folder-gone"
