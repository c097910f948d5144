"""The entry point of `gpuconsole` and of `python -m console`."""

import sys


def main() -> int:
    """Run the program with the process's arguments; give its exit code."""
    try:
        from screens.cli.start import start

        return start(sys.argv[1:])
    except KeyboardInterrupt:
        # Ctrl-C while the program is still being loaded: nobody who would say so is there yet.
        return 130


if __name__ == "__main__":
    sys.exit(main())
