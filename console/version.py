"""Which version of this program runs."""

PROGRAM = "gpuconsole"


def version() -> str:
    """Give the installed version; `unknown` where the program runs without being installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(PROGRAM)
    except PackageNotFoundError:
        return "unknown"
