"""What a drill keeps to itself until it is over."""

import msgspec


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """The cause behind a drill.

    Attributes:
        scenario, title: the name and the line that `demo --list` has.
        finding, subject: of the doctor's finding that is the root cause.
        cause: what is wrong and how it came about. fix: what mends it, step by step.
    """

    scenario: str
    title: str
    finding: str
    subject: str
    cause: str
    fix: tuple[str, ...]
