"""Fetched, linked, kept: by the real command, in jobs that survive whoever began them."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plans.command import lines
from tests.pull.conftest import CRAWL, REPO, SIZE, VAE, Host, all_of, checks, hear
from tests.support.hub import EVERYTHING, Noise, rehearsal_hub, repo_of
from tests.support.waiting import wait_until

HF_VAE = f"hf:{REPO}/{VAE}"
NAME = "pull_vae.safetensors"
BYTES = all_of(Noise(SIZE, 1))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Another disk, of 64 MiB, with a models folder on it."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)], check=True)
    (path / "models").mkdir()
    yield path
    subprocess.run(["umount", "-l", str(path)], check=False, stderr=subprocess.DEVNULL)


def test_fetched_then_kept_then_linked(host: Host) -> None:
    (file,) = host.pull(HF_VAE)["files"]
    assert (file["action"], file["verified"], file["size_bytes"]) == ("fetched", True, SIZE)
    assert file["sha256"] == Noise(SIZE, 1).sha256
    assert Path(file["path"]).read_bytes() == BYTES
    assert host.below() == {f"vae/{NAME}"}
    served = host.hub.bytes_served(VAE)
    (again,) = host.pull(HF_VAE)["files"]
    assert again["action"] == "kept"
    plan = host.plan(HF_VAE, "--folder", "other")
    assert "hard link" in checks(plan)["pull.link"]
    data = host.pull(HF_VAE, "--folder", "other")
    (linked,) = data["files"]
    job = host.job(data["plan_id"])
    assert (job["bytes_done"], job["bytes_total"]) == (SIZE, SIZE)
    assert linked["action"] == "linked"
    assert Path(linked["path"]).samefile(file["path"])
    assert host.hub.bytes_served(VAE) == served
    (copied,) = host.pull(HF_VAE, "--folder", "third", "--no-link")["files"]
    assert copied["action"] == "fetched"
    assert not Path(copied["path"]).samefile(file["path"])


def test_the_same_bytes_under_another_name_in_another_programs_folder_are_linked(
    host: Host,
) -> None:
    forge = host.home / "forge"
    (forge / "VAE").mkdir(parents=True)
    other = forge / "VAE" / "called otherwise.safetensors"
    other.write_bytes(BYTES)
    host.configure(more=f'[[paths.extra]]\nmodels = "{forge}"\n')
    plan = host.plan(HF_VAE)
    assert "read first" in checks(plan)["pull.candidate"]
    (file,) = host.pull(HF_VAE)["files"]
    assert file["action"] == "linked"
    assert Path(file["path"]).samefile(other)
    assert host.hub.bytes_served(VAE) == 0


def test_a_file_of_the_same_size_and_other_bytes_is_not_linked(host: Host) -> None:
    (host.models / "vae").mkdir()
    (host.models / "vae" / "stranger.safetensors").write_bytes(bytes(SIZE))
    (file,) = host.pull(HF_VAE)["files"]
    assert file["action"] == "fetched"
    assert Path(file["path"]).read_bytes() == BYTES


def test_on_another_disk_a_second_copy_is_warned_of(host: Host, disk: Path) -> None:
    host.pull(HF_VAE)
    plan = host.plan(HF_VAE, "--to", str(disk / "models"))
    assert plan["verdict"] == "warned"
    assert "second copy" in checks(plan)["pull.other-disk"]
    assert host.pull(HF_VAE, "--to", str(disk / "models"))["files"][0]["action"] == "fetched"
    host.configure(models=host.home / "third", more=f'[[paths.extra]]\nmodels = "{disk}"\n')
    (disk / "vae").mkdir()
    (disk / "models" / NAME).rename(disk / "vae" / "by another name.safetensors")
    host.models.rename(host.home / "hidden")
    host.environ["XDG_STATE_HOME"] = str(host.home / "another")  # nobody has taken its hash there
    plan = host.plan(HF_VAE)
    assert plan["verdict"] == "warned"
    assert "by another name" in checks(plan)["pull.other-disk-maybe"]


def test_another_file_at_its_place_is_put_aside_and_kept(host: Host) -> None:
    (host.models / "vae").mkdir()
    (host.models / "vae" / NAME).write_bytes(b"mine, under that name")
    plan = host.plan(HF_VAE)
    assert plan["verdict"] == "warned"
    assert "put aside" in checks(plan)["pull.aside"]
    (file,) = host.pull(HF_VAE)["files"]
    assert file["action"] == "fetched"
    (aside,) = host.below() - {f"vae/{NAME}"}
    assert (host.models / aside).read_bytes() == b"mine, under that name"
    assert Path(aside).name.startswith(".")


def test_a_file_that_changed_behind_our_back_is_noticed_and_fetched_anew(host: Host) -> None:
    (file,) = host.pull(HF_VAE)["files"]
    path = Path(file["path"])
    path.write_bytes(b"!" + BYTES[1:])
    assert "pull.read-first" in checks(host.plan(HF_VAE))
    (again,) = host.pull(HF_VAE)["files"]
    assert again["action"] == "fetched"
    assert path.read_bytes() == BYTES


def test_a_link_that_leads_nowhere_makes_room(host: Host) -> None:
    (host.models / "vae").mkdir()
    (host.models / "vae" / NAME).symlink_to("/nowhere/at/all")
    (file,) = host.pull(HF_VAE)["files"]
    assert Path(file["path"]).read_bytes() == BYTES
    assert not Path(file["path"]).is_symlink()


def test_a_job_outlives_its_console_and_the_same_pull_joins_it(host: Host) -> None:
    host.hub.fault("slow", rate=CRAWL)
    job = host.begin(HF_VAE)
    assert host.begin(HF_VAE) == job
    shown = json.loads(host.run("jobs", "show", job, "--json").stdout)["data"]
    assert shown["state"] == "running"
    assert shown["bytes_total"] in {None, SIZE}
    running = host.wait_for(job, "running")
    assert running["pid"]
    assert os.getsid(running["pid"]) == running["pid"]
    assert "pull.under-way" in checks(host.plan(HF_VAE))
    watching = host.start("models", "pull", HF_VAE, "--yes", "--wait", "--json")
    assert hear(watching, "planned")[-1]["data"]["plan_id"] == job
    host.hub.heal()
    last = lines(watching.communicate(timeout=60)[0])[-1]["data"]
    assert (last["event"], last["plan_id"]) == ("done", job)
    assert last["files"][0]["action"] == "fetched"
    assert host.hub.bytes_served(VAE) == SIZE


def test_two_consoles_that_ask_for_the_same_file_fetch_it_once(host: Host) -> None:
    host.hub.fault("slow", rate=CRAWL)
    first = host.start("models", "pull", HF_VAE, "--yes", "--wait", "--json")
    wait_until(lambda: any(".gpuconsole-part" in one for one in host.below()), 30)
    host.environ["XDG_STATE_HOME"] = str(host.home / "another")  # somebody who shares no journal
    second = host.start("models", "pull", HF_VAE, "--yes", "--wait", "--json")
    assert "process" in hear(second, "waits: ")[-1]["data"]["text"]
    host.hub.heal()
    ends = [lines(one.communicate(timeout=60)[0])[-1]["data"] for one in (first, second)]
    assert [end["files"][0]["action"] for end in ends] == ["fetched", "kept"]
    assert host.hub.bytes_served(VAE) == SIZE
    assert host.below() == {f"vae/{NAME}"}


def test_two_jobs_for_the_same_bytes_at_two_places_fetch_them_once(host: Host) -> None:
    host.hub.fault("slow", rate=CRAWL)
    first = host.begin(HF_VAE)
    words = ("--folder", "elsewhere", "--yes", "--wait", "--json")
    second = host.start("models", "pull", HF_VAE, *words)
    assert f"job {first}" in hear(second, "waits: ")[-1]["data"]["text"]
    host.hub.heal()
    (file,) = lines(second.communicate(timeout=60)[0])[-1]["data"]["files"]
    assert file["action"] == "linked"
    assert host.wait_for(first, "done")
    assert host.hub.bytes_served(VAE) == SIZE


def test_killed_again_and_again_it_goes_on_and_the_bytes_are_right(host: Host) -> None:
    host.let_come(VAE, 0)
    job = host.begin(HF_VAE)
    for count in (6_000_000, 12_000_000, 18_000_000):
        running = host.wait_for(job, "running")
        host.let_come(VAE, count)
        os.kill(running["pid"], signal.SIGKILL)
        host.wait_for(job, "interrupted")
        assert f"vae/{NAME}" not in host.below()
        assert host.run("jobs", "resume", job, "--json").returncode == 0
    host.wait_for(job, "running")
    host.hub.heal()
    done = host.wait_for(job, "done")
    assert done["attempts"] == 4
    assert done["resumed_from_bytes"] > 8_000_000
    assert (host.models / "vae" / NAME).read_bytes() == BYTES
    assert host.below() == {f"vae/{NAME}"}


def test_paused_gone_on_with_and_given_up(host: Host) -> None:
    host.let_come(VAE, 0)
    job = host.begin(HF_VAE)
    host.let_come(VAE, 9_000_000)
    assert host.run("jobs", "pause", job).returncode == 0
    paused = host.wait_for(job, "paused")
    assert 0 < paused["bytes_done"] < SIZE
    assert "pull.part" in checks(host.plan(HF_VAE))
    assert host.begin(HF_VAE) == job  # the same pull goes on with it
    host.wait_for(job, "running")
    assert host.run("jobs", "cancel", job, "--yes").returncode == 0
    host.wait_for(job, "cancelled")
    assert host.below() == set()


def test_a_disk_that_fills_up_keeps_what_came_and_goes_on_once_there_is_room(
    host: Host, disk: Path
) -> None:
    host.let_come(VAE, 0)
    job = host.begin(HF_VAE, "--to", str(disk / "models"))
    host.let_come(VAE, 9_000_000)
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(1_000_000)):
            pass
    failed = host.wait_for(job, "failed")
    assert "no room" in failed["text"]
    assert host.below(disk / "models").isdisjoint({NAME})
    ballast.unlink()
    host.hub.heal()
    assert host.run("jobs", "resume", job).returncode == 0
    host.wait_for(job, "done")
    assert (disk / "models" / NAME).read_bytes() == BYTES


def test_a_models_folder_that_vanishes_fails_and_writes_nowhere_else(
    host: Host, disk: Path
) -> None:
    host.configure(models=disk / "models")
    host.let_come(VAE, 0)
    job = host.begin(HF_VAE)
    host.let_come(VAE, 9_000_000)
    assert host.run("jobs", "pause", job).returncode == 0
    host.wait_for(job, "paused")
    subprocess.run(["umount", "-l", str(disk)], check=True)
    (disk / "models").mkdir()  # as a mount point that has a folder of that name below it
    assert host.run("jobs", "resume", job).returncode == 0
    failed = host.wait_for(job, "failed")
    assert "not mounted any more" in failed["text"]
    assert host.below(disk) == set()


def test_a_token_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    private = repo_of("org/private", {"vae/x.safetensors": Noise(SIZE, 1)}, private=True)
    with rehearsal_hub({"org/private": private}) as hub:
        host = Host(tmp_path, hub)
        host.environ["HF_TOKEN"] = EVERYTHING
        host.let_come("vae/x.safetensors", 0)
        job = host.begin("hf:org/private/vae/x.safetensors")
        host.let_come("vae/x.safetensors", 9_000_000)
        hub.fault("expired")
        hub.fault("revoked")
        hub.fault("down")
        hub.heal("down")
        stopped = host.wait_for(job, "needs_token")
        assert "token" in stopped["text"]
        assert host.below() >= {"vae/.x.safetensors.gpuconsole-part"}
        hub.heal()
        assert host.run("jobs", "resume", job).returncode == 0
        host.wait_for(job, "done")
        assert (host.models / "vae/x.safetensors").read_bytes() == BYTES
        host.close()


def test_a_hub_that_wants_less_is_waited_for_and_one_sees_it(host: Host) -> None:
    host.hub.fault("rate-limit", where="cdn", retry_after=2, times=1)
    host.configure(more="[downloads]\nconnections = 1\n")
    done = host.run("models", "pull", HF_VAE, "--yes", "--wait")
    assert done.returncode == 0
    assert "rate-limited" in done.stderr, done.stderr


def test_bytes_that_come_wrong_are_never_placed(host: Host) -> None:
    host.hub.fault("corrupt")
    data = host.pull(HF_VAE, code=1)
    assert data["error"]["code"] == "transfer.mismatch"
    assert f"vae/{NAME}" not in host.below()
    host.hub.heal()
    host.hub.fault("corrupt", times=1)
    data = host.pull(HF_VAE)
    assert data["files"][0]["action"] == "fetched"
    (kept,) = (name for name in host.below() if "-bad-" in name)
    assert Path(kept).name in data["text"]
    assert f"{Noise(SIZE, 1).sha256} was promised: fetched once more" in data["text"]


def test_the_limit_of_the_config_holds_and_follows_a_change(host: Host) -> None:
    host.configure(more='[downloads]\nlimit = "512 KiB/s"\nconnections = 2\n')
    assert "limit" in checks(host.plan(HF_VAE))["pull.time"]
    job = host.begin(HF_VAE)
    host.wait_for(job, "running")
    wait_until(lambda: (host.job(job)["bytes_done"] or 0) > 1_000_000, 20)
    host.configure()
    host.wait_for(job, "done", seconds=20)  # 46 s at the limit


def test_a_models_folder_that_is_moved_away_meanwhile_ends_the_job_and_loses_nothing(
    host: Host,
) -> None:
    host.let_come(VAE, 0)
    job = host.begin(HF_VAE)
    host.let_come(VAE, 9_000_000)
    away = host.home / "away"
    host.models.rename(away)
    failed = host.wait_for(job, "failed")
    assert "went away" in failed["text"]
    assert not host.models.exists()
    away.rename(host.models)
    host.hub.heal()
    assert host.run("jobs", "resume", job).returncode == 0
    assert host.wait_for(job, "done")["resumed_from_bytes"] > 4_000_000
    assert (host.models / "vae" / NAME).read_bytes() == BYTES


def test_main_that_moves_on_meanwhile_changes_nothing(host: Host) -> None:
    host.hub.fault("changed", path=VAE, after=4_000_000)
    (file,) = host.pull(HF_VAE)["files"]
    assert Path(file["path"]).read_bytes() == BYTES
    plan = host.plan(HF_VAE)
    assert "another file is at" in checks(plan)["pull.aside"]


def test_a_file_that_appears_at_the_place_meanwhile_is_not_overwritten(host: Host) -> None:
    host.let_come(VAE, 0)
    job = host.begin(HF_VAE)
    host.let_come(VAE, 9_000_000)
    (host.models / "vae" / NAME).write_bytes(b"somebody else's")
    host.hub.heal()
    failed = host.wait_for(job, "failed")
    assert "another file is at" in failed["text"]
    assert (host.models / "vae" / NAME).read_bytes() == b"somebody else's"
    assert host.run("jobs", "resume", job).returncode == 0
    host.wait_for(job, "done")
    assert (host.models / "vae" / NAME).read_bytes() == BYTES
    (aside,) = host.below() - {f"vae/{NAME}"}
    assert (host.models / aside).read_bytes() == b"somebody else's"
