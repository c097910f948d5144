"""An operator chooses, fetches, watches and tidies up models."""

from pathlib import Path

import msgspec
import pytest

from actions.fit.model import USUAL_TASK
from actions.models.inventory import look
from actions.operations import Operations
from actions.plan import Plan, PlanFailed, Refusal
from console.errors import RefusedError
from console.models.inventory.found import Inventory
from screens.tui.application import Console
from screens.tui.ask_dialog import AskDialog
from screens.tui.models.asking import with_fetching
from screens.tui.models.inventory_panel import allocated
from screens.tui.models.jobs_panel import fetching as live_files
from screens.tui.models.source import Looked, SessionModels
from screens.tui.models.words import short_title
from screens.tui.plan_dialog import PlanDialog
from screens.tui.transfer_words import done_text, hub_size_text, percent
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui import model_scenes as scenes
from tests.tui.conftest import MakeApp
from tests.tui.model_scenes import StillModels, download, on_disk, switch, transfer
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script, StillLive, make_plan, refused
from tests.tui.test_model_pictures import PARTLY, fetching, models_app


def pull_plan(target: str = "qwen-edit-2509-fp8") -> Plan:
    """Make the plan of a download of one file, with one that is there."""

    def item(name: str, action: str, size: int, done: int = 0) -> dict[str, object]:
        return {
            "item": {
                "id": name,
                "path": f"{scenes.COMFY}/vae/{name}",
                "size": size,
                "done": done,
                "action": action,
                "source": f"{scenes.FORGE}/VAE/other.safetensors",
                "spec": {"repo": "Comfy-Org/Qwen-Image_ComfyUI", "path": name},
                "hub": {"commit": "f00dfacecafe"},
            }
        }

    base = make_plan("pull", target)
    step = base.steps[0]
    steps = (
        msgspec.structs.replace(
            step, id="fetch-1", options=item("big.safetensors", "fetch", 20 * 1024**3, 3 * 1024**3)
        ),
        msgspec.structs.replace(
            step, id="link-2", options=item("vae.safetensors", "link", 254 * 1024**2)
        ),
    )
    return msgspec.structs.replace(
        base, subject="models", target_id=target, steps=steps, endless=True, options={}
    )


async def test_a_variant_is_fetched_after_its_plan_was_seen(
    make_app: MakeApp, script: Script
) -> None:
    plan = pull_plan()
    script.plans["pull"] = plan
    app = models_app(make_app, disk=PARTLY)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "get 9.0 GiB")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert script.asked == [("pull", "qwen-edit-2509-fp8")]
        assert "big.safetensors  3.0 GiB of it here" in seen(app)
        assert "from Comfy-Org/Qwen-Image_ComfyUI@f00dface to" in seen(app)
        assert "the same bytes as" in seen(app)
        assert "goes on without this console" in seen(app)
        assert "$ docker" not in seen(app)
        assert script.ran == [], "not a byte before the plan was seen"
        await pilot.press("d")
        await until_seen(pilot, "Commands")
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["pull"])


async def test_what_is_marked_is_asked_for_one_after_the_other(
    make_app: MakeApp, script: Script
) -> None:
    def plan(options: dict[str, object]) -> Plan:
        return pull_plan(script.asked[-1][1])

    script.plans["pull"] = plan
    app = models_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "get 28.0 GiB")
        await pilot.press("space", "space")
        await until_seen(pilot, "+2 marked")
        await pilot.press("p")
        await until_seen(pilot, "Fetch qwen-edit-2509-fp8")
        await pilot.press("y")
        await until_seen(pilot, "Fetch qwen-edit-2509-bf16")
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["pull", "pull"])


async def test_what_cannot_be_fetched_keeps_nothing_else_that_is_marked_from_it(
    make_app: MakeApp, script: Script
) -> None:
    def plan(options: dict[str, object]) -> Plan:
        made = pull_plan(script.asked[-1][1])
        return made if made.target != "qwen-edit-2509-fp8" else refused(made)

    script.plans["pull"] = plan
    app = models_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "get 28.0 GiB")
        await pilot.press("space", "space", "space", "p")
        await until_seen(pilot, "Fetch qwen-edit-2509-fp8")
        await pilot.press("enter")
        await until_seen(pilot, "Fetch qwen-edit-2509-bf16")
        await until_seen(pilot, "This was marked too; 1 more follow.")
        await pilot.press("n")
        await until_seen(pilot, "left as it is, and 1 more that were marked")
        assert script.ran == []


async def test_another_hash_is_accepted_once_both_were_seen(
    make_app: MakeApp, script: Script
) -> None:
    def plan(options: dict[str, object]) -> Plan:
        why = Refusal(code="models.hash-changed", title="the hub has another one")
        if options:
            return pull_plan()
        return msgspec.structs.replace(pull_plan(), verdict="refused", refusal=why)

    script.plans["pull"] = plan
    app = models_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "get 28.0 GiB")
        await pilot.press("p")
        await until_seen(pilot, "A accept the new hash")
        await pilot.press("y")
        assert script.ran == []
        await pilot.press("A")
        await until(pilot, lambda: script.options[-1:] == [{"accept_new_hash": True}])
        await until_seen(pilot, "y yes")
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["pull"])


@pytest.mark.parametrize(
    ("state", "words", "resumed"),
    [("running", "is being fetched already", []), ("paused", "was paused and goes on", ["7f3a"])],
)
async def test_what_a_job_fetches_already_gets_no_second_job(
    make_app: MakeApp, script: Script, state: str, words: str, resumed: list[str]
) -> None:
    script.plans["pull"] = pull_plan()
    script.same = ("7f3a", state)
    app = models_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "get 28.0 GiB")
        await pilot.press("p")
        await until_seen(pilot, words)
        assert (script.ran, script.resumed) == ([], resumed)


async def test_several_that_are_marked_are_removed_by_one_plan(
    make_app: MakeApp, script: Script
) -> None:
    app = models_app(make_app, scenes.MESSY)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3", "tab")
        await until_seen(pilot, "10 files")
        await pilot.press("space", "space", "R")
        await until(pilot, lambda: len(script.asked) == 1)
        (verb, first), (options,) = script.asked[0], script.options
        assert verb == "rm"
        assert first not in options["also"]
        assert len(options["also"]) == 1
        await until_seen(pilot, "Cancel")
        await pilot.press("escape", "space", "Q")
        await until(pilot, lambda: script.options[-1].get("quarantine") is True)


async def test_no_file_is_moved_before_its_plan_was_seen_and_the_cursor_stays_in_its_place(
    make_app: MakeApp, script: Script
) -> None:
    script.plans["move-file"] = make_plan("move-file", "a.gguf", subject="models")
    app = models_app(make_app, scenes.MESSY)
    source = app.models.source
    assert isinstance(source, StillModels)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3", "i")
        await until_seen(pilot, "an HTML page")
        rows = app.screen.drawing.keys_of_rows()  # type: ignore[attr-defined]
        place = rows.index(scenes.MISPLACED.path)
        app.screen.select(scenes.MISPLACED.path)  # type: ignore[attr-defined]
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert script.ran == []
        issues = [one for one in scenes.MESSY.issues if one.code != "wrong-folder"]
        source.looked = scenes.MESSY._replace(issues=tuple(issues))
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["move-file"])
        await pilot.press("r")
        await until(pilot, lambda: len(app.screen.drawing.keys_of_rows()) == len(rows) - 1)  # type: ignore[attr-defined]
        assert app.screen.drawing.chosen() == rows[place + 1]  # type: ignore[attr-defined]


async def test_what_is_all_there_is_not_fetched_again(make_app: MakeApp, script: Script) -> None:
    whole = dict.fromkeys(on_disk(), "present")
    app = models_app(make_app, disk=on_disk(**whole))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "on disk")
        await until_seen(pilot, "✔ on disk")
        await pilot.press("p")
        await until_seen(pilot, "all of it is there")
        assert script.asked == []


async def test_any_file_of_the_hub_can_be_asked_for(make_app: MakeApp, script: Script) -> None:
    script.plans["pull"] = pull_plan("hf:a/b/c.safetensors")
    app = models_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "P")
        await until_seen(pilot, "Which file?")
        await pilot.press(*"hf:a/../c", "enter")
        await pilot.pause()
        assert script.asked == []
        assert "Which file?" in seen(app)
        await pilot.press("ctrl+u", *"hf:a/b/c.safetensors vae", "enter")
        await until(pilot, lambda: script.asked == [("pull", "hf:a/b/c.safetensors")])
        assert script.options == [{"folder": "vae"}]


async def test_why_a_variant_can_never_run_on_a_card_is_said(make_app: MakeApp) -> None:
    app = models_app(make_app)
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "get 28.0 GiB")
        await pilot.press(*"/fp4 r32", "enter", "escape")
        await until_seen(pilot, "qwen-edit-2509-nunchaku-fp4-r32")
        assert "✖ never" in line_with(app, "▸")
        reasons = [line for line in seen(app).splitlines() if "✖ 0 RTX 3080" in line]
        assert reasons
        assert "RTX 50" in seen(app) or "Blackwell" in seen(app)


async def test_a_fix_is_chosen_by_its_number(make_app: MakeApp, script: Script) -> None:
    app = models_app(make_app, scenes.MESSY)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3", "i")
        await until_seen(pilot, "an HTML page")
        await pilot.press("1")
        await until(pilot, lambda: script.asked == [("delete-file", scenes.PAGE.path)])
        await pilot.press("escape")
        app.screen.select(scenes.MISPLACED.path)  # type: ignore[attr-defined]
        await pilot.press("1")
        await until(pilot, lambda: script.asked[-1] == ("move-file", scenes.MISPLACED.path))
        assert script.options[-1]["to"].endswith(
            "diffusion_models/qwen-image-edit-2509-Q4_K_M.gguf"
        )
        await pilot.press("escape")
        app.screen.select(scenes.TWIN.path)  # type: ignore[attr-defined]
        await pilot.press("1")
        await until(pilot, lambda: script.asked[-1] == ("link-file", scenes.TWIN.path))
        await pilot.press("escape", "D")
        await until(pilot, lambda: script.asked[-1] == ("dedupe", "all"))


async def test_a_number_without_a_fix_still_opens_a_view(make_app: MakeApp) -> None:
    app = models_app(make_app, scenes.MESSY)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3", "tab")
        await until_seen(pilot, "10 files")
        app.screen.select(scenes.VAE.path)  # type: ignore[attr-defined]
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "dashboard")


async def test_files_are_verified_off_the_screen_and_the_end_is_said(make_app: MakeApp) -> None:
    app = models_app(make_app, scenes.MESSY)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3", "tab")
        await until_seen(pilot, "10 files")
        await pilot.press("g", "v")
        await until_seen(pilot, "✔ 3 files are what they should be")
        await pilot.press("V")
        source = app.models.source
        assert isinstance(source, StillModels)
        await until(pilot, lambda: len(source.verified) == 2)
        assert source.verified[1].endswith(" in full")


async def test_a_download_is_paused_and_gone_on_with(make_app: MakeApp, script: Script) -> None:
    app = models_app(make_app)
    script.listed = (download(),)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await until_seen(pilot, "fetching")
        script.listed = (download("paused"),)
        await pilot.press("p")
        await until(pilot, lambda: script.paused == ["7f3a9c21d0"])
        await until_seen(pilot, "p goes on where it stopped")
        await pilot.press("p")
        await until(pilot, lambda: script.resumed == ["7f3a9c21d0"])
        await until_seen(pilot, "goes on")


async def test_cancelling_says_what_is_lost_and_asks(make_app: MakeApp, script: Script) -> None:
    app = models_app(make_app)
    script.listed = (download(),)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await until_seen(pilot, "fetching")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, AskDialog))
        assert "7.4 GiB that are there so far are removed" in " ".join(seen(app).split())
        await pilot.press("enter")
        assert script.cancelled == [], "a stray Enter loses nothing"
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, AskDialog))
        await pilot.press("y")
        await until(pilot, lambda: script.cancelled == ["7f3a9c21d0"])


async def test_two_keys_on_the_dashboard_lose_no_download(
    make_app: MakeApp, script: Script
) -> None:
    app = models_app(make_app)
    fetching(script, transfer())
    app.desk.follow_running()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "⇩ qwen-edit-2509-gguf-q4_k_m  60 %")
        assert "45.8 MiB/s  1m46s left" in line_with(app, "⇩")
        await pilot.press("escape", "escape", "escape")
        assert script.cancelled == []


async def test_a_read_only_console_refuses_to_pause(make_app: MakeApp, script: Script) -> None:
    app = models_app(make_app, read_only=True)
    script.listed = (download(),)
    script.error = RefusedError("policy.read-only", "this console is read-only")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await until_seen(pilot, "fetching")
        await pilot.press("p")
        await until_seen(pilot, "✖ pause qwen-edit-2509-gguf-q4_k_m: this console is read-only")


async def test_jobs_that_are_no_downloads_go_on_by_a_plan(
    make_app: MakeApp, script: Script
) -> None:
    app = models_app(make_app)
    script.listed = (switch(),)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await until_seen(pilot, "switch dual")
        await pilot.press("p")
        await until_seen(pilot, "only downloads can be paused")
        await pilot.press("o")
        await until(pilot, lambda: ("go on", "90ab12cd34") in script.asked)
        await pilot.press("escape", "B")
        await until(pilot, lambda: ("go back", "90ab12cd34") in script.asked)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("paused", "◑ pull qwen-edit-2509-fp8 paused: it keeps what it has"),
        ("needs_token", "▲ pull qwen-edit-2509-fp8 needs token: it keeps what it has"),
        ("cancelled", "○ pull qwen-edit-2509-fp8 cancelled: it keeps what it has"),
    ],
)
async def test_how_a_download_stopped_is_no_failure(
    make_app: MakeApp, script: Script, outcome: str, words: str
) -> None:
    plan = pull_plan()
    script.plans["pull"] = plan
    script.events["pull"] = [
        PlanFailed(at=NOW, plan_id=plan.id, outcome=outcome, code="x", title="it keeps what it has")
    ]
    app = models_app(make_app)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until_seen(pilot, "get 28.0 GiB")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("y")
        await until_seen(pilot, words)


async def test_names_from_disk_cannot_steer_the_terminal(make_app: MakeApp) -> None:
    evil = scenes.found("loras/a\x1b[31mb\u202e\n.safetensors", 0.1, family="x\x1b]0;y\x07")
    looked = Looked(Inventory(roots=scenes.ROOTS, files=(evil,)))
    app = models_app(make_app, looked)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("3", "tab")
        await until_seen(pilot, "1 file,")
        text = seen(app)
        assert not {"\x1b", "\u202e", "\x07"} & set(text)
        assert "ab .safetensors" in text


async def test_real_files_are_found_verified_and_removed(make_app: MakeApp, tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "loras").mkdir(parents=True)
    page = models / "loras" / "detail.safetensors"
    page.write_text("<!DOCTYPE html><title>Log in</title>" * 40)
    config = f'[paths]\nmodels = "{models}"\n'
    session = make_app(config=config).session
    app = Console(
        session,
        StillLive(hosts.healthy()),
        lambda: Operations(session, "tui"),
        models=SessionModels(session),
    )
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("3", "tab")
        await until_seen(pilot, "detail.safetensors")
        await until_seen(pilot, "1 to look at")
        assert "✖" in line_with(app, "▸")
        await pilot.press("v")
        await until_seen(pilot, "detail.safetensors damaged")
        await pilot.press("R")
        await until_seen(pilot, "Remove detail.safetensors")
        assert page.exists(), "nothing is touched before the answer"
        await pilot.press("y")
        await until(pilot, lambda: not page.exists())
        await until_seen(pilot, "No files in the model folders")


def test_a_file_that_another_console_fetches_is_said_to_be_fetched(make_app: MakeApp) -> None:
    app = models_app(make_app)
    source = app.models.source
    known = source.choices(app.snapshot, scenes.TIDY, USUAL_TASK)
    wanted = next(one for one in known if one.variant == "qwen-edit-2509-gguf-q4_k_m")
    live = live_files({"7f3a9c21d0": transfer(0.5)}, {})
    shown = with_fetching(wanted, live)
    assert shown.state == "fetching"
    model = next(piece for piece in shown.pieces if piece.kind == "diffusion_model")
    assert (model.job_id, round(model.percent or 0)) == ("7f3a9c21d0", 50)
    assert shown.missing_bytes is not None
    assert wanted.missing_bytes is not None
    assert shown.missing_bytes < wanted.missing_bytes
    begun = with_fetching(wanted, live_files({}, {"7f3a9c21d0": transfer(0.5)}))
    assert begun.state == wanted.state, "a download that is paused fetches nothing"
    assert begun.missing_bytes == shown.missing_bytes, "what it has is not fetched again"


def test_a_part_counts_as_what_it_has_and_not_as_what_it_will_be() -> None:
    part = scenes.found("vae/.a.gpuconsole-part", 38, format="part", disk_bytes=10**9)
    assert sum(allocated(Inventory(roots=scenes.ROOTS, files=(part,))).values()) == 10**9


def test_bytes_with_two_names_count_once() -> None:
    one = scenes.found("vae/a.safetensors", 1, inode=7)
    other = scenes.found("vae/b.safetensors", 1, inode=7)
    inventory = Inventory(roots=scenes.ROOTS, files=(one, other))
    assert sum(allocated(inventory).values()) == 10**9


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 MB"), (253_806_246, "254 MB"), (999_999_999, "1000 MB"),
        (20_430_698_424, "20.4 GB"), (1_500_000_000_000, "1500.0 GB"),
    ],
)  # fmt: skip
def test_sizes_are_written_as_the_hub_does(size: int, text: str) -> None:
    assert hub_size_text(size) == text


def test_a_download_is_at_a_hundred_only_once_it_is_whole() -> None:
    assert percent(999_999, 1_000_000) == "99 %"
    assert percent(1_000_000, 1_000_000) == "100 %"
    assert done_text(1024**3, 2 * 1024**3) == "1.0/2.0 GiB"
    assert done_text(2 * 1024**3, 2 * 1024**3) == "2.0 GiB"


def test_titles_keep_what_tells_them_apart_where_there_is_little_room(make_app: MakeApp) -> None:
    app = models_app(make_app)
    titles = [one.title for one in app.session.catalog.variants]
    short = [short_title(title) for title in titles]
    assert len(set(short)) == len(titles)
    assert max(len(title) for title in short) <= 30


def test_a_real_look_at_nothing_is_no_error(make_app: MakeApp) -> None:
    app = make_app()
    looked = SessionModels(app.session).look()
    assert looked.inventory.files == look(app.session).files == ()


def test_the_same_look_is_the_same_object(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "models" / "vae").mkdir(parents=True)
    (tmp_path / "models" / "vae" / "a.safetensors").write_bytes(b"\0" * 100)
    source = SessionModels(make_app(config=f'[paths]\nmodels = "{tmp_path}/models"\n').session)
    first = source.look()
    assert source.look() is first
    (tmp_path / "models" / "vae" / "b.safetensors").write_bytes(b"\0" * 100)
    assert len(source.look().inventory.files) == 2
