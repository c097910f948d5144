"""How a service is given its one card, in the way that holds on the platform."""

from collections.abc import Sequence
from ipaddress import ip_address

from actions.setup.files.wanted import Card, Wanted
from console.errors import UsageError
from console.text import clean_line


def devices(wanted: Wanted) -> str:
    """Give the device requests of a service.

    Under WSL2 no choice of Docker's is honoured, and one by id may fail altogether: all are asked
    for, and the program chooses. On native Linux the container gets the one card and no other.
    """
    lines = ["- driver: nvidia"]
    if wanted.platform == "wsl":
        lines.append("  count: all")
    else:
        lines.append(f'  device_ids: ["{wanted.card.uuid}"]')
    return "\n".join([*lines, "  capabilities: [gpu]"])


def flag(wanted: Wanted, name: str) -> str:
    """Give the program's own flag for the card; none where it sees one card only."""
    return f"{name} {wanted.card.index}" if wanted.platform == "wsl" else ""


def cards_in_words(cards: Sequence[Card], meant: Card) -> str:
    """Give the cards in the order of their bus, the one that is meant marked."""
    known = sorted(cards or (meant,), key=lambda one: one.index)
    marks = {one.uuid: " (this one)" if one.uuid == meant.uuid else "" for one in known}
    return ", ".join(f"{one.index} {one.name}{marks[one.uuid]}" for one in known)


def order_in_words(wanted: Wanted) -> str:
    """Say why the card is pinned as it is, with this host's own numbers."""
    card = wanted.card
    if wanted.platform != "wsl":
        return "The engine gives it this card by its UUID: inside it is the only one, number 0."
    trap = (
        f" CUDA by itself would call it {card.ordinal}."
        if card.ordinal is not None and card.ordinal != card.index
        else ""
    )
    return f"Docker's choice of a card is not honoured under WSL2: a flag picks {card.index}.{trap}"


def published(wanted: Wanted, inside: int) -> str:
    """Give the published port, with the risk named where it is open to the network.

    Raises:
        UsageError: what it is to be bound at is no address (`setup.address`).
    """
    port = wanted.port or inside
    try:
        address = ip_address(wanted.bind)
    except ValueError:
        address = None
    # Neither compose takes an address with a zone, such as fe80::1%eth0.
    if address is None or "%" in wanted.bind:
        raise UsageError(
            "setup.address",
            f"{clean_line(wanted.bind, 80)!r} is no address to publish at",
            "Such as 127.0.0.1, or 0.0.0.0 for every network that this host is in",
        )
    bind = f"[{wanted.bind}]" if address.version == 6 else wanted.bind
    line = f'- "{bind}:{port}:{inside}"'
    if address.is_loopback:
        return f"ports:\n  {line}"
    return (
        f"# {wanted.bind} is open to the network, and whoever reaches it can run what they like:\n"
        f"# put a login in front, or go back to 127.0.0.1.\nports:\n  {line}"
    )
