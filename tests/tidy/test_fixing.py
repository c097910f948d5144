"""Each change to a file says what it does, looks again before it acts, and goes back if it can."""

import os
import subprocess
from pathlib import Path

import pytest

from actions.plan import AnyEvent, Plan, PlanDone, PlanFailed
from console.errors import RefusedError, UsageError
from tests.tidy.conftest import Host, same_file

BYTES = bytes(range(256)) * 16_384


def done(event: AnyEvent) -> PlanDone:
    assert isinstance(event, PlanDone), event
    return event


def failed(event: AnyEvent) -> PlanFailed:
    assert isinstance(event, PlanFailed), event
    return event


def titles(plan: Plan) -> str:
    return "\n".join(check.title for check in plan.checks)


def test_deleting_says_what_is_lost_and_is_destructive(host: Host) -> None:
    path = host.put("loras/mine.safetensors", BYTES)
    plan = host.plan("rm", path)
    (step,) = plan.steps
    assert step.destructive
    assert step.command == f"rm {path}"
    assert plan.verdict == "warned"
    assert "is destroyed" in titles(plan)
    end = done(host.run(plan))
    assert end.result["files"][0]["action"] == "delete"
    assert not path.exists()
    with pytest.raises(RefusedError) as caught:
        host.operations.undo()
    assert caught.value.code == "undo.none"


def test_a_file_that_changed_since_is_left_alone(host: Host) -> None:
    path = host.put("loras/mine.safetensors", BYTES)
    for verb, options in (
        ("delete-file", {}),
        ("quarantine-file", {}),
        ("move-file", {"to": str(host.models / "vae")}),
    ):
        plan = host.plan(verb, path, **options)
        path.write_bytes(b"precious, written a moment ago")
        end = failed(host.run(plan))
        assert end.code == "models.changed"
        assert path.read_bytes() == b"precious, written a moment ago"
        path.write_bytes(BYTES)
    plan = host.plan("delete-file", path)
    path.rename(path.with_suffix(".old"))
    path.write_bytes(BYTES)
    assert failed(host.run(plan)).code == "models.changed"
    assert path.exists()


def test_quarantine_has_a_way_back(host: Host) -> None:
    path = host.put("loras/sub/bad.ckpt", BYTES)
    plan = host.plan("quarantine-file", path)
    done(host.run(plan))
    aside = host.models / ".gpuconsole-quarantine/loras/sub/bad.ckpt.quarantined"
    assert aside.read_bytes() == BYTES
    assert not path.exists()
    back = host.operations.undo()
    assert back.undoes == plan.id
    done(host.run(back))
    assert path.read_bytes() == BYTES
    assert not aside.exists()


def test_what_was_put_aside_is_not_brought_back_over_another_file(host: Host) -> None:
    path = host.put("loras/bad.ckpt", BYTES)
    done(host.run(host.plan("rm", path, quarantine=True)))
    path.write_bytes(b"another")
    with pytest.raises(RefusedError) as caught:
        host.operations.undo()
    assert caught.value.code == "undo.changed"
    # The next one of that name has a place of its own in quarantine.
    done(host.run(host.plan("quarantine-file", path)))
    folder = host.models / ".gpuconsole-quarantine/loras"
    assert {one.name for one in folder.iterdir()} == {
        "bad.ckpt.quarantined",
        "bad.ckpt.2.quarantined",
    }


def test_a_move_never_overwrites_and_can_be_taken_back(host: Host) -> None:
    path = host.put("loras/x.safetensors", BYTES)
    host.put("vae/taken.safetensors")
    plan = host.plan("move-file", path, to=str(host.models / "vae/taken.safetensors"))
    assert (plan.verdict, plan.refusal is not None and plan.refusal.code) == (
        "refused",
        "fix.taken",
    )
    plan = host.plan("move-file", path, to=str(host.models / "vae"))
    (host.models / "vae/x.safetensors").write_bytes(b"came in between")
    assert failed(host.run(plan)).code == "fix.taken"
    assert (host.models / "vae/x.safetensors").read_bytes() == b"came in between"
    (host.models / "vae/x.safetensors").unlink()
    done(host.run(host.plan("move-file", path, to=str(host.models / "new/y.safetensors"))))
    assert (host.models / "new/y.safetensors").read_bytes() == BYTES
    done(host.run(host.operations.undo()))
    assert path.read_bytes() == BYTES


def test_nothing_outside_the_models_folders_is_touched(host: Host, tmp_path: Path) -> None:
    outside = tmp_path / "private.txt"
    outside.write_bytes(b"mine")
    inside = host.put("vae/x.safetensors")
    (host.models / "way-out").symlink_to(tmp_path)
    for name in (
        outside,
        host.models / "../private.txt",
        host.models / "way-out/private.txt",
        host.models,
        host.models / "vae",
        host.models / "vae/none",
        "/etc/passwd",
    ):
        with pytest.raises(UsageError):
            host.plan("rm", name)
    for to in (tmp_path / "x", host.models / "../x", host.models / "way-out/x", "/tmp"):
        with pytest.raises(UsageError):
            host.plan("move-file", inside, to=str(to))
    with pytest.raises(UsageError):
        host.plan("link-file", inside, to=str(outside))
    assert outside.read_bytes() == b"mine"


def test_a_link_goes_and_what_it_leads_to_stays(host: Host, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.safetensors"
    target.write_bytes(BYTES)
    for name, to in (("good.safetensors", target), ("broken.safetensors", tmp_path / "gone")):
        link = host.models / "loras" / name
        link.symlink_to(to)
        done(host.run(host.plan("delete-file", link)))
        assert not os.path.lexists(link)
    assert target.read_bytes() == BYTES


def test_linking_reads_both_and_makes_one_file_of_two(host: Host) -> None:
    path = host.put("vae/a.safetensors", BYTES)
    other = host.put("loras/b.safetensors", BYTES)
    plan = host.plan("link-file", path, to=str(other))
    assert "read in full first" in titles(plan)
    end = done(host.run(plan))
    assert "are one file now" in end.text
    assert same_file(path, other)
    assert path.read_bytes() == BYTES
    assert host.plan("link-file", path, to=str(other)).verdict == "refused"


def test_files_that_only_look_alike_are_left_alone(host: Host) -> None:
    changed = bytearray(BYTES)
    changed[len(changed) // 2] ^= 1
    path, other = (
        host.put("vae/a.safetensors", BYTES),
        host.put("vae/b.safetensors", bytes(changed)),
    )
    end = done(host.run(host.plan("link-file", path, to=str(other))))
    assert "left alone" in end.text
    assert not same_file(path, other)
    assert path.read_bytes() == BYTES
    assert [one.name for one in sorted(path.parent.iterdir())] == [path.name, other.name]


def test_a_hash_that_is_no_longer_true_links_nothing(host: Host) -> None:
    path, other = host.put("vae/a.safetensors", BYTES), host.put("vae/b.safetensors", BYTES)
    plan = host.plan("link-file", path, to=str(other))
    facts = other.stat()
    changed = bytearray(BYTES)
    changed[7] ^= 1
    other.write_bytes(bytes(changed))
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert "left alone" in done(host.run(plan)).text
    assert path.read_bytes() == BYTES


def test_dedupe_makes_one_of_all_copies_and_says_what_it_saves(host: Host) -> None:
    header = (8).to_bytes(8, "little") + b"{}      "
    first = host.put("vae/a.safetensors", header + BYTES)
    second = host.put("loras/b.safetensors", header + BYTES)
    third = host.second / "vae" / "c.safetensors"
    third.write_bytes(header + BYTES)
    host.put("vae/unlike.safetensors", header + BYTES[:-1] + b"x")
    plan = host.plan("dedupe", "all")
    assert len(plan.steps) == 2
    assert "up to 8.0 MiB of disk become free" in titles(plan)
    assert not any(step.destructive for step in plan.steps)
    done(host.run(plan))
    assert same_file(first, second)
    assert same_file(first, third)
    again = host.plan("dedupe", "all")
    assert not again.steps
    assert "no two files" in titles(again)
    assert "no two files" in done(host.run(again)).text


def test_another_file_system_is_said_and_not_linked(host: Host) -> None:
    mount = host.second / "vae"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(mount)], check=True)
    try:
        path = host.put("vae/a.safetensors", BYTES)
        other = mount / "b.safetensors"
        other.write_bytes(BYTES)
        plan = host.plan("link-file", path, to=str(other))
        assert plan.refusal is not None
        assert plan.refusal.code == "fix.other-disk"
        plan = host.plan("move-file", path, to=str(mount))
        assert plan.refusal is not None
        assert plan.refusal.code == "fix.moved-disk"
        plan = host.plan("dedupe", "all")
        assert not plan.steps
        assert "another file system" in titles(plan)
        third = mount / "c.safetensors"  # two of three copies lie where the best one does not
        third.write_bytes(BYTES)
        plan = host.plan("dedupe", "all")
        assert len(plan.steps) == 1
        assert "another file system" in titles(plan)
        done(host.run(plan))
        assert same_file(other, third)
        assert not same_file(path, other)
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_read_only_console_changes_nothing(host: Host) -> None:
    from actions.operations import Operations
    from actions.session import open_session

    path = host.put("vae/a.safetensors", BYTES)
    other = host.put("vae/b.safetensors", BYTES)
    operations = Operations(open_session(host.environ, str(host.config), True))
    for plan in (
        operations.plan("rm", str(path)),
        operations.plan("link-file", str(path), to=str(other)),
        operations.plan("dedupe", "all"),
    ):
        end = failed(list(operations.run(plan))[-1])
        assert (end.outcome, end.exit_code) == ("refused", 3)
    assert path.exists()
    assert not same_file(path, other)


def test_a_part_goes_with_its_map_but_not_while_somebody_fetches_it(host: Host) -> None:
    import fcntl

    from console.transfer.part import map_name, part_name

    folder = host.models / "vae"
    part, chart = folder / part_name("x.safetensors"), folder / map_name("x.safetensors")
    part.write_bytes(BYTES)
    chart.write_bytes(b"no map at all")
    with chart.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        end = host.run(host.plan("delete-file", part))
        assert failed(end).code in {"transfer.in-use", "fix.in-use-by-job"}
        assert part.exists()
    done(host.run(host.plan("delete-file", part)))
    assert not part.exists()
    assert not chart.exists()


def test_names_that_play_tricks_do_no_harm(host: Host) -> None:
    for name in ("-rf", "$(touch pwned).safetensors", "a'b;c.safetensors"):
        path = host.models / "loras" / name
        path.write_bytes(BYTES)
        plan = host.plan("rm", path)
        done(host.run(plan))
        assert not path.exists()
    path = host.put("loras/x\x1b[2J.gguf", BYTES)
    with pytest.raises(UsageError) as caught:
        host.plan("rm", path)
    assert caught.value.code == "models.odd-name"
    assert caught.value.title.isprintable()


def test_one_odd_name_keeps_no_other_copies_apart(host: Host) -> None:
    for name in ("loras/a.safetensors", "loras/b.safetensors", "vae/odd\udcff.safetensors"):
        host.put(name, BYTES)
    plan = host.plan("dedupe", "all")
    left = [check.title for check in plan.checks if check.id == "fix.left-alone"]
    assert len(left) == 1
    assert len(plan.steps) == 1
    done(host.run(plan))
    assert same_file(host.models / "loras/a.safetensors", host.models / "loras/b.safetensors")


def test_of_two_names_that_both_go_the_bytes_go_too(host: Host) -> None:
    first = host.put("loras/a.safetensors", BYTES)
    twin = host.models / "loras/b.safetensors"
    os.link(first, twin)
    alone = host.plan("rm", first)
    assert not alone.steps[0].destructive
    assert "one of 2 names" in alone.steps[0].title
    both = host.plan("rm", first, also=[str(twin)])
    assert [step.destructive for step in both.steps] == [True, True]
    assert "4.0 MiB of disk become free" in titles(both)
    assert "is destroyed" in titles(both)


def test_dedupe_leaves_links_as_they_are_and_takes_every_name_of_a_copy(host: Host) -> None:
    kept = host.put("loras/m.safetensors", BYTES)
    copy = host.put("loras/n.safetensors", BYTES)
    (host.models / "loras/a-link.safetensors").symlink_to(copy)
    os.link(copy, host.models / "loras/z.safetensors")
    done(host.run(host.plan("dedupe", "all")))
    names = sorted((host.models / "loras").iterdir())
    assert all(same_file(kept, name) for name in names)
    assert [name.is_symlink() for name in names] == [True, False, False, False]
    with pytest.raises(UsageError, match="there is no file or folder"):
        host.plan("dedupe", str(host.models / "gone"))
