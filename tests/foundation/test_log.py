"""The log is private, masked, bounded, and never in the way."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.log import close_log, log_crash, open_log
from console.paths import Places, find_places
from console.unknown import Unknown
from tests.support.program import run_program
from tests.support.users import as_nobody


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Give places in a home of its own, and let go of its log at the end."""
    close_log()
    yield find_places({"HOME": str(tmp_path)})
    close_log()


def test_what_is_logged_is_masked_and_private(places: Places) -> None:
    assert open_log(places) is None
    logging.getLogger("gpuconsole.engine").warning("login with --token %s\x1b[2J", "geheim-1")
    text = places.log_file.read_text()
    assert "--token ***" in text
    assert "geheim" not in text
    assert "\x1b" not in text
    assert places.log_file.stat().st_mode & 0o777 == 0o600
    assert places.state_dir.stat().st_mode & 0o777 == 0o700


def test_nothing_of_it_reaches_the_screen(tmp_path: Path) -> None:
    code = (
        "import logging, os; from console.log import open_log; from console.paths import *\n"
        "open_log(find_places(os.environ))\n"
        "logging.getLogger('gpuconsole').error('hidden %d', 'not a number')"
    )
    done = run_program([], tmp_path, code=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_fault_in_a_thread_goes_to_the_log_and_a_librarys_warning_nowhere(tmp_path: Path) -> None:
    code = (
        "import logging, os; from screens.cli.guard import guarded\n"
        "def work():\n"
        "    logging.getLogger('urllib3.connectionpool').warning('Retrying')\n"
        "    try: 1 / 0\n"
        "    except Exception: logging.getLogger('gpuconsole.gpu').exception('it failed')\n"
        "    return 0\n"
        "raise SystemExit(guarded(work, as_json=False, environ=os.environ))"
    )
    done = run_program([], tmp_path, code=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    told = find_places({"HOME": str(tmp_path)}).log_file.read_text()
    assert "ZeroDivisionError" in told
    assert "Retrying" not in told


def test_it_does_not_grow_without_end(places: Places) -> None:
    open_log(places)
    for _ in range(50):
        logging.getLogger("gpuconsole").info("x" * 100_000)
    sizes = [path.stat().st_size for path in places.state_dir.iterdir()]
    assert len(sizes) <= 4
    assert max(sizes) <= 1_100_000
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in places.state_dir.iterdir())


def test_a_crash_leaves_its_traceback(places: Places) -> None:
    with pytest.raises(ValueError, match="geheim") as caught:
        raise ValueError("password=geheim-1")
    assert log_crash(places, caught.value) == places.log_file
    text = places.log_file.read_text()
    assert "Traceback" in text
    assert "ValueError: password=***" in text


def test_a_place_that_cannot_be_written_is_a_reason(places: Places, tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("in the way")
    problem = open_log(places)
    assert isinstance(problem, Unknown)
    assert log_crash(places, ValueError("x")) is None


def test_a_read_only_home_is_a_reason(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    close_log()
    answer = as_nobody(lambda: open_log(find_places({"HOME": str(home)})), home)
    assert "files.not-writable" in answer


def test_a_symlink_in_the_logs_place_is_not_followed(places: Places, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    places.state_dir.mkdir(parents=True)
    places.log_file.symlink_to(target)
    assert isinstance(open_log(places), Unknown)
    assert target.read_text() == "mine"
