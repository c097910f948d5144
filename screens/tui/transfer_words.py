"""How far bytes are that move, in the words and units of every line that tells it."""

from actions.transfer import FileTransfer, Transfer
from console.text import clean_line
from console.units import format_bytes, format_duration
from screens.tui.paint import UNKNOWN
from screens.tui.words import State

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
TRANSFERS = {
    "waiting": State("○", "dim", "waits"),
    "checking": State("◐", "accent", "checking"),
    "fetching": State("⇩", "accent", "fetching"),
    "stalled": State("▲", "warning", "stalled"),
    "rate-limited": State("▲", "warning", "rate-limited"),
    "placing": State("◐", "accent", "placing"),
    "fetched": State("✔", "ok", "fetched"),
    "linked": State("✔", "ok", "linked"),
    "kept": State("✔", "ok", "kept"),
}


def size_text(size: int | None) -> str:
    """Write a file's size in the units of memory, disks and jobs; a dash where it is not known."""
    return UNKNOWN if size is None else format_bytes(size)


def hub_size_text(size: int) -> str:
    """Write a size as the hub's pages do, whose gigabyte has 10⁹ bytes: `20.4 GB`, `254 MB`."""
    unit, least = ("GB", 10**9) if size >= 10**9 else ("MB", 10**6)
    return f"{size / least:.1f} {unit}" if unit == "GB" else f"{size / least:.0f} {unit}"


def rate_text(rate: float | None) -> str:
    """Write a rate such as `48.1 MiB/s`; a dash where there is none."""
    return UNKNOWN if rate is None else f"{format_bytes(rate)}/s"


def percent(done: int, total: int) -> str:
    """Write how much of a whole is done; 100 only where it is all."""
    if total <= 0:
        return UNKNOWN
    share = 100 if done >= total else min(99, int(done * 100 / total))
    return f"{share} %"


def done_text(done: int, total: int) -> str:
    """Write both figures with one unit, such as `7.4/12.2 GiB`; once where it is all."""
    whole = format_bytes(total)
    if done >= total:
        return whole
    number, _, unit = whole.partition(" ")
    scale = 1024 ** UNITS.index(unit) if unit in UNITS else 1
    decimals = 1 if "." in number else 0
    return f"{done / scale:.{decimals}f}/{whole}"


def left_text(seconds: float | None) -> str:
    """Write the time left, such as `1m46s left`; empty where it cannot be told."""
    return "" if seconds is None else f"{format_duration(float(int(seconds)))} left"


def trouble_text(transfer: Transfer) -> str:
    """Say what a download waits for; empty while it simply goes on."""
    if transfer.note:
        return clean_line(transfer.note, 200)
    held = [one for one in transfer.files if one.state in {"stalled", "rate-limited"}]
    busy = [one for one in transfer.files if one.state in {"fetching", "placing", "checking"}]
    return file_trouble(held[0]) if held and not busy else ""


def file_trouble(one: FileTransfer) -> str:
    """Say what one file waits for."""
    note = clean_line(one.note, 200)
    if one.state not in {"stalled", "rate-limited"}:
        return note
    word = TRANSFERS[one.state].words
    return note if note.startswith(word) else f"{word}: {note}" if note else word
