"""Building the C twin of the simulated driver, where there is a C compiler."""

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("nvml_twin.c")
SONAME = "libnvidia-ml.so.1"


def compiler() -> str | None:
    """Give the path of a C compiler; None where there is none."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path, *defines: str) -> Path:
    """Compile the twin into `folder` as `libnvidia-ml.so.1` and give its path.

    It is written beside its place and renamed, so that a copy which is loaded stays whole.

    Raises:
        subprocess.CalledProcessError: the compiler refuses; its words are in `stderr`.
        FileNotFoundError: there is no compiler.
    """
    found = compiler()
    if found is None:
        raise FileNotFoundError("no C compiler (cc, gcc, clang) on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{SONAME}.next"
    flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{SONAME}"]
    subprocess.run(
        [found, *flags, *defines, "-o", str(aside), str(SOURCE), "-lpthread"],
        check=True,
        capture_output=True,
        text=True,
    )
    return aside.rename(folder / SONAME)


if __name__ == "__main__":
    import sys

    print(build(Path(sys.argv[1])))
