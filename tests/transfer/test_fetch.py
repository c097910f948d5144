"""A file is fetched, checked and placed; what was fetched before is not fetched again."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from console.clock import SystemClock
from console.hub.door import HubDoor
from console.hub.spec import parse_spec
from console.transfer.faults import Stopped, TransferFault
from console.transfer.hashing import git_blob_oid
from console.transfer.part import find_parts, part_of, remove_part
from console.transfer.wanted import Progress
from tests.support.hub import Hollow, rehearsal_hub
from tests.transfer.conftest import MIB, NAME, REPO, Scene, scene_of
from tests.transfer.plain import PlainSource


def half(progress: Progress) -> str:
    return "pause" if progress.done > progress.total // 2 else ""


def pause_half_way(scene: Scene) -> int:
    """Leave a part behind; gives the bytes in it."""
    with pytest.raises(Stopped) as stopped:
        scene.fetch(until=half, limit=lambda: 40 * MIB)
    assert stopped.value.how == "pause"
    facts = part_of(scene.final)
    assert facts is not None
    assert facts.locked_by is None
    scene.told.clear()
    return facts.done


def test_a_file_arrives_whole_and_nothing_else_is_left(scene: Scene) -> None:
    placed = scene.fetch()
    assert scene.is_right()
    assert scene.names() == [NAME]
    assert (placed.sha256, placed.size) == (scene.body.sha256, scene.body.size)
    assert placed.fetched == scene.served() == scene.body.size
    assert placed.resumed_from == 0
    assert scene.final.stat().st_mode & 0o777 == 0o644
    assert scene.states()[-1] == "placing"


def test_no_other_name_than_ours_is_seen_while_it_comes(scene: Scene) -> None:
    seen: set[str] = set()

    def look(_: Progress) -> str:
        seen.update(scene.names())
        return ""

    scene.fetch(until=look, limit=lambda: 80 * MIB)
    assert seen <= {f".{NAME}.gpuconsole-part", f".{NAME}.gpuconsole-map"}


def test_a_paused_file_goes_on_where_it_was(scene: Scene) -> None:
    done = pause_half_way(scene)
    assert done > scene.body.size // 2 - 16 * MIB
    before = scene.served()
    placed = scene.fetch()
    assert scene.is_right()
    assert placed.resumed_from == done
    assert scene.served() - before == scene.body.size - done
    assert scene.served() <= scene.body.size + 16 * MIB
    assert scene.told[0].resumed_from == done


def test_a_cancelled_file_leaves_nothing(scene: Scene) -> None:
    with pytest.raises(Stopped) as stopped:
        scene.fetch(until=lambda progress: "cancel" if progress.done else "", limit=lambda: 1e7)
    assert stopped.value.how == "cancel"
    assert scene.names() == []


def test_the_same_bytes_from_elsewhere_go_on_with_the_part(scene: Scene) -> None:
    done = pause_half_way(scene)
    placed = scene.fetch(wanted=scene.wanted(origin="mirror/models@other/file"))
    assert placed.resumed_from == done
    assert scene.is_right()


def test_a_part_of_other_bytes_is_not_gone_on_with(scene: Scene, tmp_path: Path) -> None:
    pause_half_way(scene)
    with scene_of(scene.folder, scene.body.size, seed=2) as other:
        placed = other.fetch()
        assert placed.resumed_from == 0
        assert other.is_right()


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 15 * MIB])
def test_sizes_at_the_edges(tmp_path: Path, size: int) -> None:
    with scene_of(tmp_path, size) as scene:
        scene.fetch()
        assert scene.is_right()
        assert scene.names() == [NAME]


def test_a_small_file_is_checked_by_what_git_calls_it(tmp_path: Path) -> None:
    words = b'{"architectures": []}\n'
    kept = tmp_path / "kept.json"
    kept.write_bytes(words)
    with rehearsal_hub({REPO: {"config.json": words}}) as hub:
        scene_url = f"{hub.url}/{REPO}/resolve/main/config.json"
        scene = Scene(hub, tmp_path / "folder", None)  # type: ignore[arg-type]
        wanted = msgspec.structs.replace(
            Scene.wanted(_with_body(scene)),
            path=tmp_path / "folder" / "config.json",
            size=len(words),
            sha256="",
            git_oid=git_blob_oid(kept),
        )
        placed = scene.fetch(wanted=wanted, source=PlainSource(scene_url))
        assert placed.sha256 == hashlib.sha256(words).hexdigest()
        wrong = msgspec.structs.replace(wanted, path=tmp_path / "b.json", git_oid="0" * 40)
        with pytest.raises(TransferFault) as refused:
            scene.fetch(wanted=wrong, source=PlainSource(scene_url))
        assert refused.value.code == "transfer.mismatch"
        assert not (tmp_path / "b.json").exists()


def _with_body(scene: Scene) -> Scene:
    from tests.support.hub import Noise

    scene.body = Noise(1, 1)
    return scene


def test_zeros_take_no_room_on_disk(tmp_path: Path) -> None:
    body = Hollow(b"a header that is no header", 64 * MIB)
    with rehearsal_hub({REPO: {NAME: body}}) as hub:
        scene = Scene(hub, tmp_path, body)  # type: ignore[arg-type]
        placed = scene.fetch()
    assert placed.sha256 == body.sha256
    assert scene.final.stat().st_size == 64 * MIB
    assert scene.final.stat().st_blocks * 512 < 4 * MIB


def test_zeros_over_bytes_that_were_there_are_written(tmp_path: Path) -> None:
    body = Hollow(b"header", 8 * MIB)
    with rehearsal_hub({REPO: {NAME: body}}) as hub:
        scene = Scene(hub, tmp_path, body)  # type: ignore[arg-type]
        # Killed between a MiB and its mark, with other bytes in it: the mark is what counts.
        with pytest.raises(Stopped):
            scene.fetch(until=lambda _: "pause", limit=lambda: 1.0)
        with (tmp_path / f".{NAME}.gpuconsole-part").open("r+b") as part:
            part.seek(3 * MIB)
            part.write(b"rubbish" * 1000)
        scene.fetch()
        assert hashlib.sha256(scene.final.read_bytes()).hexdigest() == body.sha256


def test_parts_are_found_and_told_apart_from_files(scene: Scene) -> None:
    done = pause_half_way(scene)
    (scene.folder / "other.safetensors").write_bytes(b"x")
    (scene.folder / ".lost.gguf.gpuconsole-part").write_bytes(bytes(5000))
    lost, part = find_parts(scene.folder)
    assert (lost.path.name, lost.done, lost.total, lost.origin) == ("lost.gguf", 0, 5000, "")
    assert (part.path, part.done, part.total) == (scene.final, done, scene.body.size)
    assert part.origin == f"{REPO}@main/{NAME}"
    assert remove_part(scene.final) >= done
    assert remove_part(scene.final) == 0
    assert part_of(scene.final) is None


def test_the_limit_holds_over_all_connections_and_may_change(scene: Scene) -> None:
    limit, began = 4.0 * MIB, SystemClock().monotonic()
    when_raised: list[tuple[float, int]] = []

    def slow_first(progress: Progress) -> str:
        nonlocal limit
        now = SystemClock().monotonic() - began
        if now > 1.0 and not when_raised:
            when_raised.append((now, progress.done))
            limit = 0.0
        return ""

    scene.fetch(until=slow_first, limit=lambda: limit, clock=SystemClock())
    seconds, done = when_raised[0]
    # From the first byte on: no more than a quarter of a second ahead, and a piece a connection.
    assert 4 * MIB <= done <= 4 * MIB * seconds + 2 * MIB
    assert SystemClock().monotonic() - began < 3.5
    assert scene.is_right()


@pytest.mark.parametrize("connections", [1, 16])
def test_through_the_hubs_own_library(scene: Scene, connections: int) -> None:
    door = HubDoor({**os.environ, **scene.hub.environ}, SystemClock())
    file = door.file(parse_spec(f"hf:{REPO}/{NAME}"))
    done = pause_half_way(scene)
    scene.fetch(
        wanted=scene.wanted(sha256=file.sha256, size=file.size),
        source=door.source(file),
        connections=connections,
    )
    door.close()
    assert scene.is_right()
    assert scene.served() <= scene.body.size + 16 * MIB
    assert scene.told[0].resumed_from == done
