"""News of the host that are painted at once, not only with the next reading of the cards."""

from actions.snapshot import HostSnapshot


def is_news(before: HostSnapshot, after: HostSnapshot) -> bool:
    """Tell whether something changed that an operator wants to see at once."""
    one, other = before.engine, after.engine
    return (
        one.state != other.state
        or one.problem != other.problem
        or (one.containers is not other.containers and one.containers != other.containers)
        or before.unavailable != after.unavailable
        or [one.state for one in before.services] != [one.state for one in after.services]
    )
