"""What is wrong with a graph on a server, and what to do about it."""

import msgspec

PROGRAM = "gpuconsole"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        code: such as `workflow.missing-file`.
        severity: `error` (the server will refuse it, or it cannot come to a picture) or `warning`.
        title: one line; hint: what to do.
        node, class_type, input: where; empty where it is about the whole.
        custom_node: the one to install; empty where that is not it.
        file: id of the catalogue's file to fetch; command: the command that does.
        allowed: values that are, as far as they are few enough to be read.
    """

    code: str
    severity: str = "error"
    title: str
    hint: str = ""
    node: str = ""
    class_type: str = ""
    input: str = ""
    custom_node: str = ""
    file: str = ""
    command: str = ""
    allowed: tuple[str, ...] = ()


def pull_command(file_id: str) -> str:
    """Give the command that fetches a file of the catalogue."""
    return f"{PROGRAM} models pull {file_id}"
