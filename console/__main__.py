"""The entry point of `gpuconsole` and of `python -m console`."""

import sys


def main() -> int:
    """Run the program with the process's arguments; give its exit code."""
    from screens.cli.start import start

    return start(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
