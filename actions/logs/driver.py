"""Log drivers that keep nothing the engine could give back: which it is, and what to do."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from console.mask import mask_text
from console.packaged import read_table
from console.text import clean_line
from console.unknown import Unknown


@cache
def _table() -> dict[str, Any]:
    return read_table("log_drivers.toml")


def driver_of(inspected: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Give a container's log driver and its options, from the engine's inspect answer."""
    host = inspected.get("HostConfig")
    told = host.get("LogConfig") if isinstance(host, dict) else None
    if not isinstance(told, dict):
        return "", {}
    options = told.get("Config")
    return clean_line(str(told.get("Type") or ""), 60), options if isinstance(options, dict) else {}


def keeps_nothing(
    container: str, driver: str, options: Mapping[str, Any], detail: str = ""
) -> Unknown:
    """Say that a container's log cannot be read, where it went, and what to do.

    Args:
        container: its name.
        driver: its log driver.
        options: the driver's options; of these an address is told.
        detail: the engine's own words.
    """
    table = _table()
    where = table["where"].get(driver, table["where"]["other"])
    address = next((options[key] for key in table["addresses"]["keys"] if options.get(key)), "")
    config = f" at {mask_text(clean_line(str(address), 120))}" if address else ""
    words = table["words"]
    hint = words["hint"].format(where=where.format(config=config, container=container))
    return Unknown(
        "logs.driver",
        words["title"].format(container=container, driver=driver or "not known"),
        f"{hint} ({detail})" if detail else hint,
    )
