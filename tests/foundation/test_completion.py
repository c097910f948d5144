"""Tab: the shells ask, and get verbs, options and names; whatever is wrong, nothing but silence."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from console.packaged import read_table
from screens.cli.completing import Names, teach
from screens.cli.completing_names import names_of
from screens.cli.completion import SHELLS, script_for
from screens.cli.context import Cli
from screens.cli.main import VERBS, Verbs, gpuconsole
from tests.support.program import private_environment, run_program
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

CONFIG = """
[services.comfyui-qwen]
kind = "comfyui"
container = "qwen-box"
url = "http://127.0.0.1:8188"
gpu = "3090"
variant = "qwen-edit-2509-fp8"
[services.myia]
kind = "forge"
container = "myia"
[layouts.exclusive]
services = ["myia", "comfyui-qwen"]
[layouts.dual]
services = ["myia", "comfyui-qwen"]
"""


def write_config(home: Path, text: str = CONFIG) -> Path:
    path = home / ".config" / "gpuconsole" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def asked(home: Path, line: str, shell: str = "bash") -> list[str]:
    """Give what is offered for a line, whose last word is being typed."""
    words = line.split(" ")
    environ = {
        "COMP_WORDS": line,
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
        "_GPUCONSOLE_COMPLETE": f"{shell}_complete",
    }
    done = run_program([], home, environ)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def values(home: Path, line: str) -> list[str]:
    return [row.partition(",")[2] for row in asked(home, line)]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gpuconsole sta", ["status", "start"]),
        ("gpuconsole start ", ["comfyui-qwen", "myia"]),
        ("gpuconsole start myia c", ["comfyui-qwen"]),
        ("gpuconsole logs q", ["qwen-box"]),
        ("gpuconsole switch ", ["exclusive", "dual"]),
        ("gpuconsole move myia --gpu ", ["3090"]),
        ("gpuconsole edit --service ", ["comfyui-qwen", "myia"]),
        ("gpuconsole edit --workflow merge", ["merge-2", "merge-3"]),
        ("gpuconsole models pull qwen-edit-2511-b", ["qwen-edit-2511-bf16"]),
        ("gpuconsole edit --variant = qwen-edit-2511-b", ["qwen-edit-2511-bf16"]),
        ("gpuconsole demo --scenario outside-o", ["outside-open"]),
        ("gpuconsole models p", ["pull"]),
        ("gpuconsole setup f", ["files"]),
        ("gpuconsole stop --dr", ["--dry-run"]),
        ("gpuconsole --read", ["--read-only"]),
        ("gpuconsole completion ", ["bash", "zsh", "fish"]),
        ("gpuconsole doctor --only out", ["outside"]),
        ("gpuconsole statsu ", []),
        ("gpuconsole stop --no-such myia --an", ["--any"]),
    ],
)
def test_a_tab_offers_what_may_stand_there(tmp_path: Path, line: str, offered: list[str]) -> None:
    write_config(tmp_path)
    found = values(tmp_path, line)
    if line.endswith("--an"):  # a wrong option before it spoils nothing
        assert found == [] or all(one.startswith("--an") for one in found)
    else:
        assert found == offered


def test_paths_are_left_to_the_shell(tmp_path: Path) -> None:
    assert asked(tmp_path, "gpuconsole edit --image ") == ["file,"]
    assert asked(tmp_path, "gpuconsole setup files --out ") == ["dir,"]


def test_a_line_with_its_own_config_gets_the_names_of_that_one(tmp_path: Path) -> None:
    write_config(tmp_path)
    other = tmp_path / "other.toml"
    other.write_text('[services.elsewhere]\nkind = "forge"\ncontainer = "far"\n')
    assert values(tmp_path, f"gpuconsole --config {other} start ") == ["elsewhere"]
    assert values(tmp_path, f"gpuconsole start --config {other} ") == ["elsewhere"]


def test_workflows_and_variants_of_ones_own_are_offered(tmp_path: Path) -> None:
    folder = write_config(tmp_path).parent / "workflows"
    folder.mkdir()
    graph = Path(__file__).parents[2] / "assets" / "workflows" / "edit-single.json"
    (folder / "our-product-shot.json").write_bytes(graph.read_bytes())
    assert values(tmp_path, "gpuconsole workflows show our") == ["our-product-shot"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_zsh_and_fish_get_the_option_back_with_its_value(tmp_path: Path, shell: str) -> None:
    line = "gpuconsole edit --variant=qwen-edit-2511-b"
    assert "--variant=qwen-edit-2511-bf16" in "\n".join(asked(tmp_path, line, shell))


def test_a_name_that_the_shell_would_run_is_not_offered(tmp_path: Path) -> None:
    write_config(
        tmp_path,
        '[services."$(touch ran)"]\nkind = "forge"\ncontainer = "a"\n'
        '[services.good]\nkind = "forge"\ncontainer = "$(b)"\n'
        '[services."--yes"]\nkind = "forge"\ncontainer = "-f"\n'
        '[services."a b"]\nkind = "forge"\n[services."o\'brien"]\nkind = "forge"\n'
        '[services."\\u001b[31mred"]\nkind = "forge"\n'
        '[layouts."a;b"]\nservices = ["good"]\n[layouts."`c`"]\nservices = ["good"]\n',
    )
    assert values(tmp_path, "gpuconsole start ") == ["good"]
    assert values(tmp_path, "gpuconsole logs ") == ["a", "good"]
    assert values(tmp_path, "gpuconsole switch ") == []


@pytest.mark.parametrize(
    "environ",
    [
        {"COMP_WORDS": "gpuconsole start ", "COMP_CWORD": "2"},
        {"COMP_WORDS": "gpuconsole start 'never closed", "COMP_CWORD": "2"},
        {"COMP_WORDS": "gpuconsole", "COMP_CWORD": "many"},
        {"COMP_WORDS": "gpuconsole bogus ", "COMP_CWORD": "2"},
        {},
    ],
    ids=["broken config", "quote", "no number", "no verb", "no words"],
)
@pytest.mark.parametrize("wish", ["zsh_complete", "nosuch_complete"])
def test_whatever_is_wrong_it_is_silent_and_writes_nothing(
    tmp_path: Path, environ: dict[str, str], wish: str
) -> None:
    config = write_config(tmp_path, "this is [ no TOML")
    done = run_program([], tmp_path, {**environ, "_GPUCONSOLE_COMPLETE": wish})
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"", b"")
    there = {path for path in tmp_path.rglob("*") if path.suffix != ".pyc"}
    assert there == {config, config.parent, config.parent.parent}


def test_a_config_that_hangs_does_not_hold_the_shell(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert values(tmp_path, "gpuconsole start ") == []


def processor_seconds(home: Path, environ: dict[str, str], code: str) -> tuple[float, bytes, bytes]:
    """Run Python code; gives what it took of the processor (a loaded machine adds little)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_program([], home, environ, code=code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return taken, done.stdout, done.stderr


def test_a_tab_is_quick_and_loads_neither_screens_nor_engine(tmp_path: Path) -> None:
    write_config(tmp_path)
    code = (
        "import sys\nfrom screens.cli.start import start\nstart([])\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    environ = {"COMP_CWORD": "3", "_GPUCONSOLE_COMPLETE": "bash_complete"}
    for line in ("gpuconsole edit --variant q", "gpuconsole edit --workflow m"):
        bare, ours = [], []
        for _ in range(3):
            bare.append(processor_seconds(tmp_path, {}, "import click")[0])
            taken, out, err = processor_seconds(tmp_path, {**environ, "COMP_WORDS": line}, code)
            ours.append(taken)
            assert out.startswith(b"plain,")
        # Twice, usually; the 300 ms that a Tab may take are six times as much.
        assert min(ours) < 4 * min(bare)
        loaded = set(err.decode().split())
        assert not loaded & {"textual", "rich", "docker", "httpx2", "pynvml", "sqlite3", "tomlkit"}


def test_what_the_table_names_is_there() -> None:
    table = read_table("completion.toml")
    assert isinstance(gpuconsole, Verbs)
    seen: set[str] = set()

    def walk(command: click.Command, path: str) -> None:
        for param in command.params:
            if isinstance(param, click.Argument):
                seen.add(f"{path} {param.name}")
            else:
                seen.update(key for name in param.opts for key in (name, f"{path} {name}"))
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                walk(child, f"{path} {name}")

    context = click.Context(gpuconsole)
    for name in VERBS:
        command = gpuconsole.get_command(context, name)
        assert command is not None
        walk(command, name)
    assert {*table["options"], *table["arguments"]} <= seen
    for source in {*table["options"].values(), *table["arguments"].values()}:
        names_of(source, Cli({"HOME": "/nowhere"}))


def test_a_parameter_learns_names_and_a_path_of_its_own_stays() -> None:
    @click.command()
    @click.option("--variant", metavar="V")
    @click.option("--image", metavar="F")
    @click.argument("file", type=click.Path(dir_okay=False))
    def verb(variant: str, image: str, file: str) -> None: ...

    teach(verb, "verb")
    kinds = {param.name: param.type for param in verb.params}
    assert isinstance(kinds["variant"], Names)
    assert isinstance(kinds["image"], click.Path)
    assert isinstance(kinds["file"], click.Path)
    assert not kinds["file"].dir_okay


def test_the_script_comes_by_the_verb_in_both_forms(tmp_path: Path) -> None:
    for shell in SHELLS:
        done = run_program(["completion", shell], tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode().strip() == script_for(shell).strip()
        whole = json.loads(run_program(["completion", shell, "--json"], tmp_path).stdout)
        assert whole["data"]["shell"] == shell
    own = run_program(["completion"], tmp_path, {"SHELL": "/usr/bin/fish"})
    assert own.stdout.decode().strip() == script_for("fish").strip()
    lost = run_program(["completion"], tmp_path, {"SHELL": "/bin/tcsh"})
    assert lost.returncode == 2
    assert b"bash, zsh, fish" in lost.stderr


def test_what_the_help_says_puts_it_into_every_shell(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "gpuconsole"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m console "$@"\n')
    command.chmod(0o755)
    told = run_program(["completion", "--help"], tmp_path).stdout.decode()
    once = told.partition("Once, for all shells")[2].partition("In this shell only")[0]
    lines = re.sub(r"\\\n", " ", re.sub(r"^ +(?:bash|zsh|fish) ", "", once, flags=re.MULTILINE))
    script = "\n".join(
        line.strip() for line in lines.splitlines() if line.strip().startswith(("mkdir", "gpucon"))
    )
    environ = private_environment(tmp_path)
    environ["PATH"] = f"{folder}:{environ['PATH']}"
    subprocess.run(["sh", "-euc", script], env=environ, check=True)
    places = {
        "bash": ".local/share/bash-completion/completions/gpuconsole",
        "zsh": ".zfunc/_gpuconsole",
        "fish": ".config/fish/completions/gpuconsole.fish",
    }
    for shell, place in places.items():
        assert (tmp_path / place).read_text().strip() == script_for(shell).strip()


START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
READY = {
    "bash": 'PS1="ready> "; eval "$(gpuconsole completion bash)"; echo is"-"on',
    "zsh": 'PS1="ready> "; autoload -U compinit; compinit -u -D; '
    'eval "$(gpuconsole completion zsh)"; echo is"-"on',
    "fish": 'gpuconsole completion fish | source; echo is"-"on',
}


@pytest.mark.terminal
@pytest.mark.parametrize("shell", SHELLS)
def test_the_real_shell_completes_by_tab(tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here (apt install {shell})")
    write_config(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    ran = tmp_path / "ran"
    command = folder / "gpuconsole"
    # What completes is the program; what is run in the end only notes its words.
    command.write_text(
        f'#!/bin/sh\nif [ -n "$_GPUCONSOLE_COMPLETE" ] || [ "$1" = completion ]; then\n'
        f'exec {sys.executable} -m console "$@"; fi\necho "$*" > {ran}.new\nmv {ran}.new {ran}\n'
    )
    command.chmod(0o755)
    environ = private_environment(tmp_path)
    environ["PATH"] = f"{folder}:{environ['PATH']}"
    with Terminal(START[shell], environ, 120, 30) as terminal:
        terminal.press(READY[shell].encode() + b"\r")
        terminal.wait_for(rb"is-on", 40)
        # The next key waits until the word stands there: shells drop what comes meanwhile.
        for typed, appears in (
            ("gpuconsole sw\t", rb"itch"),
            ("du\t", rb"al"),
            ("--dry\t", rb"run"),
        ):
            terminal.output.clear()
            terminal.press(typed.encode())
            terminal.wait_for(appears, 40)
        terminal.press(b"\r")
        wait_until(ran.exists, 40)
        assert ran.read_text() == "switch dual --dry-run\n"


def test_each_shell_takes_its_script_without_a_word(tmp_path: Path) -> None:
    for shell in SHELLS:
        if shutil.which(shell) is None:
            continue
        file = tmp_path / f"script.{shell}"
        file.write_text(script_for(shell))
        done = subprocess.run([shell, "-n", str(file)], capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
