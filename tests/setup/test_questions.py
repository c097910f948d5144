"""Setup's questions on the command line, in a terminal: numbers, texts, Enter, wrong ones."""

import sys
from pathlib import Path

from actions.session import open_session
from actions.setup.memory import Memory
from tests.support.fresh import FreshHost, fresh_host
from tests.support.terminal import Terminal

LATER = '["sharing", "fetch", "start", "verify", "first-edit", "outside", "keep-running"]'


def terminal(host: FreshHost, *words: str) -> Terminal:
    command = [sys.executable, "-m", "console", "setup", "--plain", *words]
    return Terminal(command, host.environ, 80, 40)


def test_what_is_asked_is_answered_by_number_text_or_enter(tmp_path: Path) -> None:
    given = tmp_path / "a.toml"
    given.write_text(f"skip = {LATER}\n")
    with fresh_host(tmp_path / "home") as host:
        with terminal(host, "--answers", str(given)) as screen:
            screen.wait_for(rb"Which card does ComfyUI get\?[^\0]*GPU-8b2d6e07[^\0]*\]: ", 60)
            screen.press(b"1\n")
            screen.wait_for(rb"Where are ComfyUI's models[^\0]*\]: ")
            screen.press(b"relative\x01/there\n")
            screen.wait_for(rb"has a line break or a control character[^\0]*")
            screen.press(b"\n")
            screen.wait_for(rb"Write a new Forge\?[^\0]*\[y/N\]: ")
            screen.press(b"perhaps\n")
            screen.wait_for(rb"  y or n\r?\n[^\0]*\[y/N\]: ")
            screen.press(b"n\n")
            screen.wait_for(rb"What is here already: go ahead\? \[y/N\] ")
            screen.press(b"y\n")
            # The variant is that of the card which was chosen.
            screen.wait_for(rb"What does comfyui-qwen load\?[^\0]*\[qwen-edit-2511-gguf-q4_k_m\]: ")
            screen.press(b"\n")
            screen.wait_for(rb"What is it called\?[^\0]*\[comfyui-qwen\]: ")
            screen.press(b"two words\n")
            screen.wait_for(rb"service.name cannot be 'two words'[^\0]*\]: ")
            screen.press(b"\x03")
            assert screen.wait_for_end(30) == 130
            assert "setup was left" in screen.text()
        kept = Memory(open_session(host.environ).places).now
        assert kept.at == "comfyui"
        assert kept.answers["service.gpu"] == "GPU-3f1c9a52-7d84-4b0e-9a61-c2e5d8f07b13"
        assert kept.answers["existing.models"] == str(host.models)
        assert host.config.read_text() == f'[paths]\nmodels = "{host.models}"\n'
        with terminal(host) as screen:
            screen.wait_for(rb"variant +comfyui-qwen loads qwen-edit-2511-gguf-q4_k_m", 60)
            assert "Which card" not in screen.text()
