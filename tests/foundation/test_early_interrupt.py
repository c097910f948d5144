"""Ctrl-C before the program has loaded: it ends as an interrupted one does, without a traceback."""

import subprocess
import sys

_PRESSED_WHILE_LOADING = """
import sys

class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == "screens.cli.start":
            raise KeyboardInterrupt
        return None

sys.meta_path.insert(0, Pressed())
from console.__main__ import main
sys.exit(main())
"""


def test_an_interrupt_while_it_loads_is_an_end_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PRESSED_WHILE_LOADING], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
