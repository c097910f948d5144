"""An operator goes from what is wrong to its cause, to what led there, and to the plan."""

import time
from pathlib import Path
from typing import Any

import pytest

from console.errors import ConsoleError
from screens.tui.application import Console
from screens.tui.plan_dialog import PlanDialog
from tests.support import hosts
from tests.support.snapshots import NOW
from tests.tui.conftest import make_session
from tests.tui.finding_scenes import BEGAN, MEND, StillDoctor, around, change, finding, result
from tests.tui.seeing import line_with, seen, until, until_seen
from tests.tui.stand_ins import Script, StillLive, make_plan, refused

CONSEQUENCE = finding(
    "container.crash-loop",
    title="myia-turbo crash-looping: 6 restarts since 22:14, exit 2: usage error",
    cause="",
    fix=(),
    next=(),
)
OTHER = finding("models.truncated", "vae.safetensors", title="A model file is cut off", since=None)


def console(
    tmp_path: Path, script: Script, doctor: StillDoctor, snapshot: Any = None, **more: Any
) -> Console:
    session = make_session(tmp_path, "", more.get("read_only", False), {})
    live = StillLive(snapshot or hosts.crash_loop())
    return Console(session, live, lambda: script, findings=doctor)


async def test_findings_appear_as_their_checks_end(tmp_path: Path, script: Script) -> None:
    doctor = StillDoctor(
        result(OTHER, ident="host.models"), result(finding(), CONSEQUENCE), result()
    )
    doctor.hold()
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 36)) as pilot:
        assert doctor.begun == 0, "nothing is examined before the view is opened"
        await pilot.press("5")
        await until_seen(pilot, "examining …")
        await until_seen(pilot, "what is wrong is listed as it is found")
        doctor.go()
        await until_seen(pilot, "A model file is cut off")
        assert "examining 1 of 3 …" in seen(app)
        await until(pilot, lambda: "▸" in line_with(app, "vae.safetensors"))
        doctor.go()
        await until_seen(pilot, "does not know --cuda-malloc")
        # The gravest so far: nobody has moved the cursor.
        await until(pilot, lambda: "▸" in line_with(app, "cannot start"))
        lines = seen(app).splitlines()
        root = next(place for place, line in enumerate(lines) if "cannot start" in line)
        assert "↳ crash-looping" in lines[root + 1], "beneath its cause, without its name again"
        doctor.go(2)
        await until_seen(pilot, "3 checks: 2 wrong, 1 well")


async def test_a_finding_says_why_and_what_to_do(tmp_path: Path, script: Script) -> None:
    edited = change(1, "docker-compose.yml was edited", kind="config", changes=True)
    pulled = change(
        2, "image ghcr.io/x:1 became ghcr.io/x:2", kind="image", changes=True, verb="remade"
    )
    after = change(-3, "stop: done", kind="plan", changes=True, who="jesse, tui")
    loop = change(
        -0.1, "ended, exit 2: usage error", severity="error", count=6, until=NOW, verb="die"
    )
    doctor = StillDoctor(
        result(finding(), CONSEQUENCE), changes=around(edited, pulled, after, loop)
    )
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 48)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "it began")
        text = seen(app)
        assert f"since {BEGAN:%H:%M}" in text
        assert f"{BEGAN:%H:%M:%S} launch.py: error: unrecognized" in text, "local, and said once"
        assert "Cause      AUTO_UPDATE=true" in text
        assert " 1  set AUTO_UPDATE=false" in text
        assert "Leads to   ↳ myia-turbo crash-looping" in text
        order = ["ended, exit 2", "stop: done", "it began", "was edited, 1m", "became", "Leads to"]
        places = [text.index(words) for words in order]
        assert places == sorted(places), "newest first, around the moment at which it began"
        assert "◆" in line_with(app, "was edited")
        assert "◆" not in line_with(app, "stop: done"), "what came after did not lead there"
        assert "(jesse, tui)" in line_with(app, "stop: done")


async def test_what_is_about_other_things_waits_behind_a_key(
    tmp_path: Path, script: Script
) -> None:
    others = [change(n, f"started by hand {n}", "watchtower", near=False) for n in range(1, 12)]
    mine = change(3, "was made anew", changes=True, kind="config")
    doctor = StillDoctor(result(finding()), changes=around(mine, *others, left_out=40))
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 48)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "was made anew, 3m")
        assert "watchtower" not in seen(app)
        assert "and 11 more: w shows all" in seen(app)
        await pilot.press("w")
        await until_seen(pilot, "watchtower started by hand 11")
        assert "40 more about other things: 6 opens the timeline" in seen(app)
        await pilot.press("escape")
        await until_seen(pilot, "w shows all")


async def test_what_is_not_known_is_said(tmp_path: Path, script: Script) -> None:
    doctor = StillDoctor(result(finding(since=None, evidence=())), changes=around(onset=None))
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "nothing is known of the last day")
        assert "since " not in line_with(app, "✖ myia-turbo cannot start")
        doctor.trouble = ConsoleError("store.busy", "the journal is busy", "try again")
        await pilot.press("r")
        await until_seen(pilot, "the journal is busy; try again")


async def test_no_change_before_it_began_is_an_answer(tmp_path: Path, script: Script) -> None:
    doctor = StillDoctor(result(finding()), changes=around(change(1, "started")))
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "no change is known of the 2h00m before it began")


async def test_enter_shows_the_plan_before_anything_is_changed(
    tmp_path: Path, script: Script
) -> None:
    name = "docker-compose.yml"
    diff = f"--- {name}\n+++ {name}\n@@ -1 +1 @@\n-AUTO_UPDATE=true\n+AUTO_UPDATE=false\n"
    script.plans["restart"] = make_plan("restart", "myia-turbo", diff=diff)
    doctor = StillDoctor(result(finding(mend=MEND)))
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 40)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "$ gpuconsole restart myia-turbo")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert script.asked == [("restart", "myia-turbo")]
        assert "This is to mend: myia-turbo cannot start" in " ".join(seen(app).split())
        assert "+AUTO_UPDATE=false" in seen(app)
        assert script.ran == []
        doctor.results = (result(),)
        await pilot.press("y")
        await until(pilot, lambda: script.ran == ["restart"])
        await until(pilot, lambda: doctor.begun == 2)
        await until_seen(pilot, "Nothing is wrong, as far as the doctor knows.")


async def test_a_mend_that_is_refused_changes_nothing(tmp_path: Path, script: Script) -> None:
    script.plans["restart"] = refused(make_plan("restart", "myia-turbo"))
    doctor = StillDoctor(result(finding(mend=MEND)))
    app = console(tmp_path, script, doctor, read_only=True)
    async with app.run_test(size=(110, 40)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "$ gpuconsole restart")
        await pilot.press("enter")
        await until_seen(pilot, "this console is read-only")
        await pilot.press("escape")
        assert script.ran == []


async def test_without_a_plan_the_steps_are_copied(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(Console, "copy_to_clipboard", lambda _, text: copied.append(text))
    app = console(tmp_path, script, StillDoctor(result(finding())))
    async with app.run_test(size=(110, 40)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "set AUTO_UPDATE=false")
        await pilot.press("enter")
        await until_seen(pilot, "no plan can mend this from here")
        await pilot.press("y")
        await until_seen(pilot, "copied all 2 steps")
        await pilot.press("2")
        await until_seen(pilot, "▸2  recreate myia-turbo")
        await pilot.press("y")
        await until_seen(pilot, "copied step 2: recreate myia-turbo")
        await pilot.press("Y")
        await until_seen(pilot, "copied the finding args.unrecognized")
        assert copied[:2] == ["\n".join(finding().fix), "recreate myia-turbo"]
        assert copied[2].startswith(finding().title)
        assert "> " in copied[2]
        await pilot.press("6")
        await until_seen(pilot, "Timeline")


async def test_the_verdict_leads_to_the_cause_of_what_it_speaks_of(
    tmp_path: Path, script: Script
) -> None:
    doctor = StillDoctor(result(OTHER, ident="host.models"), result(finding(), CONSEQUENCE))
    doctor.hold()
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 36)) as pilot:
        await until_seen(pilot, "v open")
        await pilot.press("v")
        await until_seen(pilot, "examining")
        doctor.go(3)
        await until_seen(pilot, "2 checks")
        await until_seen(pilot, "args.unrecognized, myia-turbo")
        # The cause of the crash loop.
        await until(pilot, lambda: "▸" in line_with(app, "cannot start"))
        await pilot.press("G", "escape")
        await until_seen(pilot, "v open")
        await pilot.press("v")
        await until_seen(pilot, "args.unrecognized, myia-turbo")
        assert doctor.begun == 1, "it is known"


async def test_a_verdict_that_no_finding_explains_still_leads_somewhere(
    tmp_path: Path, script: Script
) -> None:
    app = console(tmp_path, script, StillDoctor(result()))
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("v")
        await until_seen(pilot, "nothing was found of: myia-turbo crash-looping")
        await pilot.press("o")
        await until_seen(pilot, "--gpu-device-id = 0")


async def test_an_alert_leads_to_its_finding_once_there_is_one(
    tmp_path: Path, script: Script
) -> None:
    app = console(tmp_path, script, StillDoctor(result(finding(), CONSEQUENCE)))
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "1 check")
        await pilot.press("escape", "tab", "enter")
        await until_seen(pilot, "args.unrecognized, myia-turbo")


async def test_what_was_found_before_stays_until_it_is_looked_at_again(
    tmp_path: Path, script: Script
) -> None:
    doctor = StillDoctor(result(finding()), result(OTHER, ident="host.models"))
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "2 checks")
        await pilot.press("G")
        await until_seen(pilot, "models.truncated, vae.safetensors")
        doctor.results = (result(OTHER, ident="host.models"), result())
        doctor.hold()
        await pilot.press("r")
        await until_seen(pilot, "not looked at again yet")
        await pilot.press("enter")
        await until_seen(pilot, "it is being looked at again")
        assert "cannot start" in seen(app)
        doctor.go(3)
        await until_seen(pilot, "2 checks: 1 wrong, 1 well")
        assert "cannot start" not in seen(app)
        assert "▸" in line_with(app, "vae.safetensors"), "the cursor stays on what it was on"


async def test_a_plan_that_ends_during_an_examination_has_it_done_once_more(
    tmp_path: Path, script: Script
) -> None:
    doctor = StillDoctor(result(finding()), result())
    doctor.hold()
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "examining")
        app.journal_changed()
        doctor.results = (result(),)
        doctor.go(3)
        await until(pilot, lambda: doctor.begun == 2)
        doctor.go(2)
        await until_seen(pilot, "Nothing is wrong")
        assert doctor.begun == 2


async def test_checks_say_what_was_not_checked_and_why(tmp_path: Path, script: Script) -> None:
    skipped = result(
        ident="service.ready:myia",
        state="skip",
        title="API of myia: not checked, because the engine does not answer",
    )
    app = console(tmp_path, script, StillDoctor(result(finding()), skipped))
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "2 checks: 1 wrong, 1 not checked")
        await pilot.press("c")
        await until_seen(pilot, "not checked, because the engine does not answer")
        assert "Services" in seen(app)
        await pilot.press("c")
        await until_seen(pilot, "AUTO_UPDATE=true")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConsoleError("x.y", "the runbook is wrong", "mend line 3"), "the runbook is wrong; mend"),
        (RuntimeError("a fault"), "a fault of gpuconsole: not examined"),
    ],
)
async def test_an_examination_that_breaks_off_says_so(
    tmp_path: Path, script: Script, error: Exception, said: str
) -> None:
    doctor = StillDoctor()
    doctor.error = error
    app = console(tmp_path, script, doctor)
    async with app.run_test(size=(110, 36)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, said)
        doctor.error = None
        await pilot.press("r")
        await until_seen(pilot, "Nothing is wrong")


async def test_a_thousand_findings_stay_quick(tmp_path: Path, script: Script) -> None:
    many = tuple(
        finding("models.truncated", f"file-{n:04}.safetensors", title=f"file {n} is cut off")
        for n in range(1000)
    )
    app = console(tmp_path, script, StillDoctor(result(*many)))
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "1000 errors")
        screen = app.screen
        began = time.perf_counter()
        for _ in range(50):
            screen.action_move(1)  # type: ignore[attr-defined]
        each = (time.perf_counter() - began) / 50
        assert each < 0.05, "a key is answered before the next comes"
        await pilot.press("slash", *"file-0777", "enter")
        await until_seen(pilot, "models.truncated, file-0777.safetensors")
        await pilot.press("G")
        await until_seen(pilot, "models.truncated, file-0999.safetensors")


async def test_small_and_large_screens_show_it_all(tmp_path: Path, script: Script) -> None:
    app = console(tmp_path, script, StillDoctor(result(finding(mend=MEND), CONSEQUENCE)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await until_seen(pilot, "AUTO_UPDATE=true")
        await pilot.press("f")
        await until_seen(pilot, "$ gpuconsole restart")
        assert "what is wrong" not in seen(app)
        await pilot.press("pagedown")
        await until_seen(pilot, "Leads to")
        for size in ((60, 16), (40, 12), (30, 8), (200, 60)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert all(len(line) <= size[0] for line in seen(app).splitlines())
