"""What `gpuconsole set` takes, and what it does not."""

import json
from pathlib import Path

import pytest

from actions.plan import PlanDone
from actions.service_verbs.setting import change_of
from console.compose.setting import SettingChange
from console.errors import UsageError
from tests.plans.command import run
from tests.service_plans.stage import stage
from tests.support.edits import edit_host


def test_flags_and_variables_as_they_are_typed() -> None:
    change = change_of(
        {
            "remove_flag": ["--cuda-malloc", "--port=8188"],
            "flag": ["--api", "--preview-method=auto"],
            "env": ["HF_HOME=/a b=c"],
            "unset": ["LANG"],
        }
    )
    assert change == SettingChange(
        remove=("--cuda-malloc", "--port"),
        flags=(("--api", None), ("--preview-method", "auto")),
        env=(("HF_HOME", "/a b=c"),),
        unset=("LANG",),
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "set.nothing"),
        ({"flag": []}, "set.nothing"),
        ({"flag": ["api"]}, "plan.bad-option"),
        ({"flag": ["--api; rm -rf /"]}, "plan.bad-option"),
        ({"flag": ["--x=$(reboot)"]}, "plan.bad-option"),
        ({"flag": ["--x=a b"]}, "plan.bad-option"),
        ({"env": ["A"]}, "plan.bad-option"),
        ({"env": ["A B=c"]}, "plan.bad-option"),
        ({"env": ["A=b\nC: d"]}, "plan.bad-option"),
        ({"flag": ["--x"], "remove_flag": ["--x"]}, "plan.bad-option"),
        ({"env": ["A=b"], "unset": ["A"]}, "plan.bad-option"),
        ({"env": [f"A{n}=b" for n in range(51)]}, "plan.bad-option"),
        ({"flag": ["--cuda-device=1"]}, "set.card"),
        ({"env": ["CUDA_VISIBLE_DEVICES=1"]}, "set.card"),
        ({"env": ["HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz0123456789"]}, "set.secret"),
        ({"env": ["HF_ENDPOINT=http://me:pa55word@mirror"]}, "set.secret"),
        ({"flag": ["--api-auth=me:pa55word"]}, "set.secret"),
    ],
)
def test_what_makes_no_sense_or_is_nobodys_business_is_refused(
    options: dict[str, list[str]], code: str
) -> None:
    with pytest.raises(UsageError) as error:
        change_of(options)
    assert error.value.code == code
    assert "pa55word" not in f"{error.value.title} {error.value.hint}"
    assert "hf_abc" not in f"{error.value.title} {error.value.hint}"


def test_a_setting_of_a_rehearsed_service_is_shown_changed_and_taken_back() -> None:
    with stage() as here:
        plan = here.plan("set", "myia", remove_flag=["--cuda-malloc"])
        assert '-      FORGE_ARGS: "--gpu-device-id 0 --cuda-malloc --cuda-stream' in plan.diff
        assert isinstance(here.run(plan), PlanDone)
        assert here.plan("set", "myia", remove_flag=["--cuda-malloc"]).checks[0].id == "set.there"
        undo = here.operations.undo()
        assert (undo.verb, undo.diff) == ("set", "")
        assert isinstance(here.run(undo), PlanDone)
        assert here.plan("set", "myia", remove_flag=["--cuda-malloc"]).diff == plan.diff


def test_who_only_names_a_service_is_asked_what_to_change() -> None:
    with stage() as here, pytest.raises(UsageError, match="something to change"):
        here.plan("set", "myia")


def test_the_command_line_shows_the_diff_and_changes_nothing_in_a_dry_run(tmp_path: Path) -> None:
    with edit_host(tmp_path, scenario="studio", pace=1.0) as host:
        words = ("set", "myia", "--remove-flag", "--cuda-malloc", "--dry-run")
        shown = run(host.environ, *words)
        told = json.loads(run(host.environ, *words, "--json").stdout)
        wrong = run(host.environ, "set", "myia", "--flag", "api", "--yes")
    assert shown.returncode == 0, shown.stderr
    assert "+      FORGE_ARGS:" in shown.stdout
    assert "+      FORGE_ARGS:" in told["data"]["plan"]["diff"]
    assert wrong.returncode == 2
    assert "is not a flag" in wrong.stderr
