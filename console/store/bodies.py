"""Data on its way into the database: cleaned, masked, as JSON."""

import json
from datetime import UTC, datetime
from typing import Any

from console.mask import mask_text
from console.text import clean


def safe_text(text: str) -> str:
    """Give text as it may be stored: no control characters, no secrets."""
    return mask_text(clean(text))


def safe(value: Any) -> Any:
    """Give plain data with every text in it made safe to store."""
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, dict):
        return {str(key): safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [safe(item) for item in value]
    return value


def pack(data: dict[str, Any]) -> str:
    """Give data as the JSON text that a column holds."""
    return json.dumps(safe(data), separators=(",", ":"))


def unpack(text: str) -> dict[str, Any]:
    """Give a column's data; what is no JSON object (somebody's edit) reads as empty."""
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def moment(seconds: float) -> datetime:
    """Give a stored time, aware, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
