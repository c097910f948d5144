"""The steps from the files to the first picture, each with what may be in its way."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from PIL import Image

from actions.plan import AnyEvent, Plan, StepProgress
from actions.setup.answers import answers_of
from actions.setup.course import Course
from actions.setup.report import StepReport
from console.edits.kept import KeptEdit
from console.simulator.scene import Scene
from console.store.edits import EditRecords
from tests.setup.small_variant import BODY, FILES, SMALL, here, small_variant
from tests.setup.walking import Walk, asked, walk
from tests.support.edits import COMFY, FORGE

VARIANT = {"variant": SMALL}
MODEL = "small-model.safetensors"


@pytest.fixture
def edits(tmp_path: Path) -> Iterator[Walk]:
    """Give a host with a ComfyUI that idles."""
    with walk(tmp_path, "edits") as one:
        yield one


def test_a_job_that_fetches_the_same_is_joined_and_nothing_comes_twice(edits: Walk) -> None:
    with small_variant(edits, rate=3_000_000) as hub:
        operations = edits.host.operations()
        plan = operations.plan("pull", SMALL)
        begun = threading.Event()

        def fetch() -> None:
            for event in operations.run(plan):
                if isinstance(event, StepProgress):
                    begun.set()

        thread = threading.Thread(target=fetch)
        thread.start()
        assert begun.wait(30)
        course = edits.course(service=VARIANT)
        before = course.look("fetch")
        assert before.state == "needed"
        assert f"job {plan.id} fetches just that now: it is joined" in before.proposes
        # What is written where is said before.
        assert any(f"{edits.host.models}/vae/small-vae.safetensors" in one for one in before.found)
        after = course.do("fetch")
        thread.join(60)
        assert after.state == "done", after
        assert here(edits.host.models) == len(FILES)
        assert hub.bytes_served(MODEL) < 1.5 * BODY.size


def test_a_disk_that_fills_while_it_fetches_is_told_and_the_rest_comes_later(
    edits: Walk, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    other = small / "somebody-elses"
    try:
        text = edits.config.read_text()
        line = f'models = "{small}"'
        edits.config.write_text(re.sub(r"^models = .*$", line, text, count=1, flags=re.MULTILINE))
        with small_variant(edits, rate=2_000_000) as hub:
            told: list[AnyEvent] = []

            def fill(_plan: Plan, event: AnyEvent) -> None:
                if isinstance(event, StepProgress) and not other.exists():
                    told.append(event)
                    filled(other)

            course = Course(
                edits.session(), answers_of({"service": VARIANT}), applies=True, tell=fill
            )
            course.look("fetch")
            failed = course.do("fetch")
            assert told
            assert failed.state == "failed"
            assert failed.exit_code
            assert failed.detail.startswith("no room for small-")
            assert "goes on with it" in failed.commands[0]
            other.unlink()
            course = edits.course(service=VARIANT)
            again = course.look("fetch")
            assert again.state == "needed", again
            assert course.do("fetch").state == "done"
            assert here(small) == len(FILES)
            assert hub.bytes_served(MODEL) < 1.8 * BODY.size
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def filled(path: Path) -> None:
    """Write until there is no room any more."""
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
    except OSError:
        return


def test_without_the_internet_it_names_what_is_here_already(edits: Walk) -> None:
    edits.host.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
    report = edits.look("fetch", service={"variant": "qwen-edit-2509-gguf-q3_k_m"})
    assert report.state == "blocked"
    assert report.detail.startswith("1 of 3 files of qwen-edit-2509-gguf-q3_k_m is missing")
    (line,) = [one for one in report.commands if "is here already" in one]
    assert "qwen-edit-2509" in line


def test_what_is_gated_is_told_with_the_page_to_accept_it_on(edits: Walk) -> None:
    with small_variant(edits) as hub:
        hub.fault("gated")
        report = edits.look("fetch", service=VARIANT)
    assert report.state == "blocked"
    assert "org/name" in f"{report.detail} {report.commands}"
    assert any("hf auth login" in one or "token" in one for one in report.commands)


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Walk]:
    """Give a host whose ComfyUI is stopped, and does not fit beside what has its card."""
    with walk(tmp_path, "full-card") as one:
        yield one


def test_who_does_not_fit_is_started_once_it_is_said_what_gives_way(crowded: Walk) -> None:
    course = crowded.course()
    refused = course.look("start")
    assert refused.state == "blocked"
    assert "GiB short" in refused.detail
    assert not refused.able
    assert 'or setup does it: start.way = "free myia-turbo" in the answers' in refused.commands
    ask = asked(refused, "start.way")
    assert [one.value for one in ask.options if one.recommended] == ["free myia-turbo"]
    assert {"", "stop myia-turbo", "force"} <= {one.value for one in ask.options}
    course.answer("start.way", "stop myia-turbo")
    first = course.look("start")
    assert first.state == "needed"
    assert "stop myia-turbo comes first" in first.detail
    assert first.steps[0].endswith("stop myia-turbo")
    second = course.do("start")
    assert second.state == "needed", second
    assert "resident" in " ".join(second.proposes)
    started = course.do("start")
    assert started.state == "done", started
    assert course.look("verify").state == "done"


def test_the_answers_file_can_say_it_too_and_a_wrong_one_leads_nowhere(crowded: Walk) -> None:
    wrong = crowded.look("start", start={"way": "stop nobody"})
    assert wrong.state == "blocked"
    assert "start.way is 'stop nobody', which leads nowhere now" in wrong.found
    forced = crowded.look("start", start={"way": "force"})
    assert forced.state == "needed"
    assert "although it may not fit" in forced.detail


def test_a_service_that_runs_and_does_not_answer_is_told_by_the_doctor(tmp_path: Path) -> None:
    with walk(tmp_path, "hung-service") as one:
        report = one.look("start")
    assert report.state == "blocked"
    assert f"{COMFY} is unreachable: " in report.detail
    assert len(report.commands) > 1


def test_one_that_does_not_come_up_fails_and_then_says_what_its_log_shows(tmp_path: Path) -> None:
    def lacking(scene: Scene) -> Scene:
        whole = scene.containers[COMFY]
        log = ("Traceback (most recent call last):", "! ModuleNotFoundError: No module named 'av'")
        first = msgspec.structs.replace(whole.phases[0], exit=1, ready=False, log=log)
        one = msgspec.structs.replace(whole, phases=(first, *whole.phases[1:]))
        return msgspec.structs.replace(scene, containers={**scene.containers, COMFY: one})

    with walk(tmp_path, "edits", lacking) as one:
        operations = one.host.operations()
        for _ in operations.run(operations.plan("stop", COMFY)):
            pass
        failed = one.do("start")
        assert failed.state == "failed"
        assert failed.detail.startswith(f"{COMFY} ended at once: exit 1")
        report = one.look("start")
    assert report.state == "blocked"
    assert "A Python library is missing: av" in report.detail
    assert any("pip install" in line for line in report.commands)


def test_the_card_is_confirmed_by_its_own_word_or_it_is_moved_where_that_is_wanted(
    edits: Walk,
) -> None:
    fine = edits.look("verify")
    assert fine.state == "done"
    assert "it names its card: NVIDIA GeForce RTX 3090" in fine.found
    elsewhere = re.sub(
        rf"(\[services\.{COMFY}\][^\[]*?\ngpu = )[^\n]*", r'\1"3080"', edits.config.read_text()
    )
    assert elsewhere != edits.config.read_text()
    edits.config.write_text(elsewhere)
    report = edits.look("verify")
    assert report.state == "blocked"
    assert "is on RTX 3090 (card 1), and meant for RTX 3080" in report.detail
    assert asked(report, "verify.move").value is False
    compose = Path(sys.executable).parent
    if not (compose / "docker-compose").exists():
        pytest.skip("no compose is here that makes containers anew")
    edits.host.environ["PATH"] = f"{compose}:{edits.host.environ['PATH']}"
    course = edits.course(verify={"move": True})
    offered = course.look("verify")
    assert offered.state == "needed"
    assert "CUDA_DEVICE_ORDER: PCI_BUS_ID" in offered.diff
    moved = course.do("verify")
    assert moved.state == "done", moved
    assert moved.detail == f"{COMFY} computes on RTX 3080 Laptop (card 0)"


def test_a_real_comfyui_that_has_no_card_is_not_confirmed(edits: Walk) -> None:
    address = os.environ.get("GPUCONSOLE_TEST_COMFYUI", "")
    if not address:
        pytest.skip("GPUCONSOLE_TEST_COMFYUI names no real ComfyUI for tests")
    text = edits.config.read_text()
    entry = f'[services.real]\nkind = "comfyui"\nurl = "{address}"\nvariant = "{SMALL}"\n'
    edits.config.write_text(f"{text}\n{entry}")
    report = edits.look("verify", service={"name": "real"})
    if report.state == "done":
        pytest.skip("that one has a card")
    assert report.detail == "real computes on the processor, by its own word"


def first(one: Walk, **edit: str) -> tuple[StepReport, StepReport]:
    """Give the first edit as it is proposed and as it is done."""
    course = one.course(edit=edit)
    before = course.look("first-edit")
    return before, course.do("first-edit")


class Made(NamedTuple):
    """A host that has made its first picture, the step before and after it, and what is kept."""

    host: Walk
    before: StepReport
    after: StepReport
    edit: KeptEdit

    @property
    def picture(self) -> Path:
        """Where the picture lies."""
        return Path(self.edit.of_role("output")[0].path)

    def change(self, **facts: object) -> StepReport:
        """Have something else kept of the edit, and give how the step stands then."""
        EditRecords(self.host.session().store).change(self.edit.id, **facts)
        return self.host.look("first-edit")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Make a first picture, for all that is only told of it."""
    with walk(tmp_path_factory.mktemp("home"), "edits") as one:
        before, after = first(one)
        (edit,) = EditRecords(one.session().store).find()
        yield Made(one, before, after, edit)


@pytest.fixture
def made(once: Made) -> Iterator[Made]:
    """Give it, and put back what a test has changed of it."""
    picture = once.picture.read_bytes()
    yield once
    kept = ("state", "prompt_ident", "error", "vram_peak_bytes")
    once.change(**{name: getattr(once.edit, name) for name in kept})
    once.picture.write_bytes(picture)


def test_the_first_picture_is_shown_before_and_after_with_what_it_took(made: Made) -> None:
    before, after = made.before, made.after
    assert [one.name for one in before.pictures] == ["mug.png"]
    assert after.state == "done", after
    sample, picture = after.pictures
    assert sample.is_file()
    assert picture.is_file()
    assert sample.read_bytes() != picture.read_bytes()
    assert "VRAM at most" in after.detail
    assert "not as expected" not in after.detail
    assert any(line.endswith(": as expected") for line in after.found), after.found
    # It is not made a second time, unless something else is asked for.
    assert made.host.look("first-edit").state == "done"
    other = made.host.look("first-edit", edit={"prompt": "Make it green"})
    assert other.state == "needed"
    assert len(EditRecords(made.host.session().store).find()) == 1


def test_what_it_took_otherwise_than_expected_is_said(made: Made) -> None:
    peak = made.edit.vram_peak_bytes
    assert peak is not None
    more = made.change(vram_peak_bytes=peak + (6 << 30))
    assert any("not as expected" in line and "more" in line for line in more.found), more
    assert "not as expected" in more.detail
    less = made.change(vram_peak_bytes=5 << 30).found
    assert any("as if not all of it had stayed on the card" in line for line in less), less
    unread = made.change(vram_peak_bytes=None).found
    assert any("was not read" in line for line in unread)


@pytest.mark.parametrize(
    ("colour", "says"),
    [((0, 0, 0), "black all over"), ((90, 90, 200), "of one colour"), (None, "just as it was")],
)
def test_a_picture_with_nothing_new_in_it_is_told_though_the_edit_went_well(
    made: Made, colour: tuple[int, int, int] | None, says: str
) -> None:
    """As numbers that overflow on a card come out, or a sampler that did nothing."""
    if colour is None:
        made.picture.write_bytes(made.after.pictures[0].read_bytes())
    else:
        Image.new("RGB", (512, 512), colour).save(made.picture)
    report = made.host.look("first-edit")
    assert f"not as expected: the picture is {says}" in report.detail


def test_what_others_hold_on_the_same_card_does_not_count(tmp_path: Path) -> None:
    def shared(scene: Scene) -> Scene:
        beside = msgspec.structs.replace(scene.containers[FORGE], card=scene.containers[COMFY].card)
        return msgspec.structs.replace(scene, containers={**scene.containers, FORGE: beside})

    with walk(tmp_path, "edits", shared) as one:
        _, after = first(one)
    (line,) = [one for one in after.found if one.startswith("VRAM")]
    assert f"by {COMFY} itself, beside about 5.6 GiB of others" in line
    assert line.endswith(": as expected")


def test_a_picture_that_is_made_and_not_here_yet_is_fetched_and_not_made_again(
    made: Made,
) -> None:
    report = made.change(state="uncollected")
    assert report.state == "needed"
    assert "it is not here yet" in report.detail
    assert report.proposes == ("it is fetched, not made again",)
    done = made.host.do("first-edit")
    assert done.state == "done", done
    assert done.wrote == (str(made.picture),)
    assert len(EditRecords(made.host.session().store).find()) == 1


def test_a_picture_that_nobody_has_any_more_is_told_as_lost(made: Made) -> None:
    made.change(state="uncollected", prompt_ident="gone")
    lost = made.host.do("first-edit")
    assert lost.state == "failed"
    assert "knows nothing of the edit" in lost.detail
    assert made.host.look("first-edit").able


def test_a_picture_that_is_not_there_is_named_anew(made: Made) -> None:
    report = made.host.look("first-edit", edit={"image": "/nowhere/x.png"})
    assert report.state == "blocked"
    assert report.detail == "there is no picture /nowhere/x.png"
    assert asked(report, "edit.image").value == "/nowhere/x.png"


def test_ones_own_picture_is_edited_once_by_whatever_name_it_is_called(
    edits: Walk, tmp_path: Path
) -> None:
    own = edits.host.picture("mine.png")
    link = tmp_path / "link.png"
    link.symlink_to(own)
    before, after = first(edits, image=str(link), prompt="Make it blue")
    assert [one.name for one in before.pictures] == ["link.png"]
    assert after.state == "done", after
    assert edits.look("first-edit", edit={"image": str(link)}).state == "done"
    assert edits.look("first-edit", edit={"image": str(own)}).state == "needed"
    # Without an answer any picture that it has made will do.
    assert edits.look("first-edit").state == "done"


def test_an_edit_that_went_wrong_says_why_and_may_be_tried_again(edits: Walk) -> None:
    edits.host.mood("run-oom")
    _, failed = first(edits)
    assert failed.state == "failed"
    assert "memory" in failed.detail
    again = edits.look("first-edit")
    assert again.state == "needed"
    assert any("failed" in line and "memory" in line for line in again.found), again.found
    edits.host.mood("")
    _, done = first(edits)
    assert done.state == "done"


def test_what_starts_after_a_reboot_is_told_with_what_windows_needs(tmp_path: Path) -> None:
    def never(scene: Scene) -> Scene:
        one = msgspec.structs.replace(scene.containers[COMFY], restart="no")
        return msgspec.structs.replace(scene, containers={**scene.containers, COMFY: one})

    with walk(tmp_path, "edits", never) as one:
        one.host.environ["WSL_DISTRO_NAME"] = "Debian"
        without = one.look("keep-running")
        assert any(
            "what starts the engine after a reboot is not seen" in line for line in without.found
        )
        assert any("/etc/wsl.conf: systemd=true" in line for line in without.commands)
        (one.session().root / "run/systemd/system").mkdir(parents=True)
        system = one.session().root / "etc/systemd/system"
        (system / "multi-user.target.wants").mkdir(parents=True)
        (system / "sockets.target.wants").mkdir()
        report = one.look("keep-running")
        assert report.state == "skipped"
        assert f"{COMFY} does not start again after a reboot (restart: no)" in report.found
        assert "the engine does not start with the host" in " ".join(report.found)
        commands = "\n".join(report.commands)
        assert "/etc/wsl.conf" not in commands
        assert f"docker update --restart unless-stopped {COMFY}" in commands
        assert 'wsl.exe -d Debian --exec /bin/sleep infinity"' in commands
        assert "docs/maintenance.md" in commands
        (system / "multi-user.target.wants/docker.service").touch()
        course = one.course(watch={"install": True})
        unit = course.look("keep-running")
        assert "the engine starts with the host" in unit.found
        assert "ExecStart=" in unit.diff
        done = course.do("keep-running")
        assert done.state == "done"
        assert [Path(path).name for path in done.wrote] == ["gpuconsole-watch.service"]


def test_a_linux_of_its_own_needs_nothing_from_windows(tmp_path: Path) -> None:
    with walk(tmp_path, "native") as one:
        duty = one.look("keep-running")
        assert not [line for line in duty.commands if "WSL" in line or "wsl" in line]
        address = {"public_url": "https://qwen.example.org", "proxy": "iis"}
        outside = one.look("outside", outside=address)
        assert "outside.network" not in {ask.key for ask in outside.asks}
        assert any("needs a tunnel" in line for line in outside.proposes)
        assert "the driver sees it there" in one.look("verify").found
